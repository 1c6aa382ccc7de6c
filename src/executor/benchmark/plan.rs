//! Plan of a benchmark, and seeded samples of problems.

use std::{path::PathBuf, sync::Arc};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    data::{
        language::{Code, Language},
        sums::{Operator, Sum, Task},
    },
    latent::search::Strategy,
};

/// Seed of the sample of sums.
const SAMPLE_SEED: u64 = 7;

/// Task with a known solution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The task.
    pub task: Arc<Task>,
    /// Solution, used only for the executor's ceiling.
    pub solution: Vec<Code>,
}

/// Plan of a benchmark.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Strategies, in order.
    pub strategies: Vec<Strategy>,
    /// Problems to solve.
    pub problems: Vec<Problem>,
    /// Evaluation budget of a search.
    pub budget: usize,
    /// Number of seeds per strategy and problem: 0, 1, ..
    pub seeds: u64,
    /// Folder for the results, which may hold those of an earlier call; `None` to keep nothing.
    pub out: Option<PathBuf>,
}

/// Seeded sample of at most `count` tasks of a language, equal for every model: sums to be solved by
/// `lines` additions or, with several operators, programs of that many lines with two examples.
pub fn sample(language: Language, count: usize, lines: usize) -> Vec<Problem> {
    if language == Language::Operators {
        let mut random = ChaCha8Rng::seed_from_u64(SAMPLE_SEED);
        return (0..count)
            .map(|_| random_problem(language, lines, &mut random))
            .collect();
    }
    let problem = |sum| {
        let task = Task::additions(lines, sum);
        Problem {
            solution: task.even_steps().map(Sum::solution).collect(),
            task: Arc::new(task),
        }
    };
    sample_sums(language, count, SAMPLE_SEED)
        .map(problem)
        .collect()
}

/// Random program with two examples on which all intermediate results are states.
fn random_problem(language: Language, lines: usize, random: &mut ChaCha8Rng) -> Problem {
    let codes: Vec<Code> = language.codes().collect();
    let (adds, times): (Vec<Code>, Vec<Code>) =
        codes.iter().partition(|code| matches!(code, Code::Add(_)));
    loop {
        let mut operators = Vec::with_capacity(lines);
        let mut program = Vec::with_capacity(lines);
        for _ in 0..lines {
            let (operator, codes) = match random.random_bool(0.5) {
                true => (Operator::Plus, &adds),
                false => (Operator::Times, &times),
            };
            operators.push(operator);
            program.push(codes[random.random_range(0..codes.len())]);
        }
        let stays = |start: &i32| {
            let mut state = *start;
            program.iter().all(|code| {
                state = code.run(state);
                language.states().contains(&state)
            })
        };
        let starts: Vec<i32> = language.states().filter(stays).collect();
        if starts.len() < 2 {
            continue;
        }
        let chosen = rand::seq::index::sample(random, starts.len(), 2);
        let example = |index: usize| Sum {
            start: starts[index],
            result: Code::run_all(&program, starts[index]),
        };
        let examples = chosen.into_iter().map(example).collect();
        let task = Arc::new(Task {
            operators,
            examples,
        });
        return Problem {
            task,
            solution: program,
        };
    }
}

/// Seeded sample of at most `count` sums without repetition.
pub fn sample_sums(language: Language, count: usize, seed: u64) -> impl Iterator<Item = Sum> {
    let states = language.states().count();
    let first = *language.states().start();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let all = states * states;
    let drawn = rand::seq::index::sample(&mut random, all, count.min(all));
    drawn.into_iter().map(move |index| Sum {
        start: first + (index / states) as i32,
        result: first + (index % states) as i32,
    })
}
