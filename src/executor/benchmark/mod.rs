//! Comparison of search methods over many sums: several searches in lock step, whose points are evaluated in one pass.
//!
//! A method is run over all its seeds and sums before the next begins, so that the clock tells them apart. One evaluation
//! is one pass of executor and decoder for one sum; points that share a pass count singly.

mod figures;
mod folder;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use figures::ResultRow;
pub use figures::{Comparison, Figures, MILESTONES, Settings, ThousandsCount, wilson};
use folder::{Earlier, Folder};

use super::{
    inference::ExecutorInference,
    programs::{Evaluation, StatePassing},
    search_run::{self, SearchRun},
    views::{BenchmarkView, ExecutorModelView},
};
use crate::{
    data::{
        language::{Code, Language},
        sums::{Operator, Sum, Task},
    },
    latent::{
        points::Points,
        search::{Candidate, Space, Strategy},
    },
};

/// Searches in lock step: enough to fill a pass, few enough to answer in between.
const ABREAST: usize = 128;
/// Between two summaries of a comparison under way.
const SUM_UP: Duration = Duration::from_secs(10);
/// Seed of the sample of sums.
const SAMPLE_SEED: u64 = 7;

/// A task, and a program that solves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The task.
    pub task: Arc<Task>,
    /// The program, of which only the executor's ceiling knows.
    pub solution: Vec<Code>,
}

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The strategies, in order.
    pub strategies: Vec<Strategy>,
    /// What is to be solved.
    pub problems: Vec<Problem>,
    /// Evaluations a search may use.
    pub budget: usize,
    /// Each strategy searches each with the seeds 0, 1, ..
    pub seeds: u64,
    /// Where the results go, and those of an earlier call are; None to keep nothing.
    pub out: Option<PathBuf>,
}

/// A seeded sample of `count` tasks of a language, all of them if there are no more: sums to be solved in so
/// many additions, or with several operators programs of so many lines by two examples. The same for every
/// model.
pub fn sample(language: Language, count: usize, lines: usize) -> Vec<Problem> {
    if language == Language::Operators {
        let mut random = ChaCha8Rng::seed_from_u64(SAMPLE_SEED);
        return (0..count)
            .map(|_| any_problem(language, lines, &mut random))
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

/// What a random program does to two states, with only states on the way.
fn any_problem(language: Language, lines: usize, random: &mut ChaCha8Rng) -> Problem {
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

/// A seeded choice of `count` sums without repeats, all of them if there are no more.
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

/// The share of tasks whose results the model reads when it runs a program that solves them: what no search
/// that trusts the model could surpass. Several additions go the way in even steps.
///
/// # Errors
/// If the device fails.
fn ceiling(executor: &ExecutorInference, problems: &[Problem]) -> Result<f64> {
    let codes = problems.iter().flat_map(|problem| &problem.solution);
    let places = executor.code_embeddings(codes.copied())?;
    let points = Points {
        dims: places.dims * problems[0].task.lines(),
        values: places.values,
    };
    let tasks: Vec<&Task> = problems
        .iter()
        .map(|problem| problem.task.as_ref())
        .collect();
    let evaluations = executor.evaluate_each(&points, &tasks, StatePassing::Latent)?;
    let right = evaluations
        .iter()
        .zip(&tasks)
        .filter(|(evaluation, task)| evaluation.claims(task));
    Ok(right.count() as f64 / tasks.len() as f64)
}

/// A search to run: which strategy, which seed, which task of the plan.
type BenchmarkCell = (usize, u64, usize);

/// A comparison under way, round by round.
pub struct BenchmarkTask {
    executor: Arc<ExecutorInference>,
    plan: Plan,
    settings: Settings,
    spaces: Vec<Space>,
    folder: Option<Folder>,
    rows: Vec<ResultRow>,
    wall_secs: Vec<(Strategy, f64)>,
    ceiling: f64,
    /// Still to run, the next one last.
    jobs: Vec<BenchmarkCell>,
    /// At work, all of one strategy.
    lanes: Vec<(BenchmarkCell, SearchRun)>,
    total: usize,
    begun: Instant,
    done_before: usize,
    summed_up: Instant,
}

impl BenchmarkTask {
    /// Begins, or goes on where the plan's folder says that an earlier call stopped.
    ///
    /// # Errors
    /// If a strategy needs proposals that the model doesn't make, if the folder holds something else or results of another
    /// model or budget, or if the device fails.
    pub fn new(
        executor: Arc<ExecutorInference>,
        plan: Plan,
        model: &ExecutorModelView,
    ) -> Result<Self> {
        let base = search_run::survey(&executor)?;
        let tasks: Vec<Arc<Task>> = plan.problems.iter().map(|p| p.task.clone()).collect();
        let spaces = search_run::spaces(&executor, &base, &tasks)?;
        for (strategy, space) in plan.strategies.iter().zip(spaces.iter().cycle()) {
            SearchRun::new(tasks[0].clone(), *strategy, space, plan.budget, 0)?;
        }
        let settings = Settings::new(&plan, model);
        let (folder, Earlier { rows, wall_secs }) = match &plan.out {
            Some(path) => {
                let (folder, earlier) = Folder::open(path, &settings)?;
                (Some(folder), earlier)
            }
            None => (None, Earlier::default()),
        };
        let ceiling = ceiling(&executor, &plan.problems)?;

        let is_done: HashSet<_> = rows.iter().map(ResultRow::key).collect();
        let mut jobs = Vec::new();
        for (index, strategy) in plan.strategies.iter().enumerate() {
            for seed in 0..plan.seeds {
                for (number, task) in tasks.iter().enumerate() {
                    if !is_done.contains(&(*strategy, seed, task.clone())) {
                        jobs.push((index, seed, number));
                    }
                }
            }
        }
        jobs.reverse();
        let total = plan.strategies.len() * plan.seeds as usize * tasks.len();
        Ok(Self {
            done_before: total - jobs.len(),
            executor,
            plan,
            settings,
            spaces,
            folder,
            rows,
            wall_secs,
            ceiling,
            jobs,
            lanes: Vec::new(),
            total,
            begun: Instant::now(),
            summed_up: Instant::now(),
        })
    }

    /// One evaluation of every search at work; the comparison when all have ended.
    ///
    /// # Errors
    /// If the device fails or a result can't be written.
    pub fn advance(&mut self) -> Result<Option<Comparison>> {
        let begun = Instant::now();
        self.fill()?;
        let Some(((strategy, ..), _)) = self.lanes.first() else {
            return self.finish().map(Some);
        };
        let strategy = self.plan.strategies[*strategy];
        let lanes = self.lanes.par_iter_mut();
        let queries: Vec<Option<Candidate>> =
            lanes.map(|(_, search_run)| search_run.ask()).collect();
        let evaluations = self.evaluate(&queries)?;
        let told = self.lanes.par_iter_mut().zip(&queries).zip(&evaluations);
        told.for_each(|((lane, candidate), evaluation)| {
            if let (Some(candidate), Some(evaluation)) = (candidate, evaluation) {
                lane.1.tell(candidate, evaluation);
            }
        });
        let mut ended = Vec::new();
        for ((job, search_run), candidate) in
            std::mem::take(&mut self.lanes).into_iter().zip(queries)
        {
            if candidate.is_some() && search_run.solved.is_none() {
                self.lanes.push((job, search_run));
            } else {
                ended.push(ResultRow::new(strategy, job.1, &search_run));
            }
        }
        if let Some(folder) = &mut self.folder {
            folder.append(&ended)?;
        }
        self.rows.extend(ended);
        match self.wall_secs.iter_mut().find(|(of, _)| *of == strategy) {
            Some((_, secs)) => *secs += begun.elapsed().as_secs_f64(),
            None => self
                .wall_secs
                .push((strategy, begun.elapsed().as_secs_f64())),
        }
        if let Some(folder) = self
            .folder
            .as_ref()
            .filter(|_| self.summed_up.elapsed() > SUM_UP)
        {
            folder.sum_up(&self.comparison())?;
            self.summed_up = Instant::now();
        }
        Ok(None)
    }

    /// Puts everything away; the comparison of what is done.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn finish(&mut self) -> Result<Comparison> {
        self.rows.sort_by_key(ResultRow::key);
        let comparison = self.comparison();
        if let Some(folder) = &mut self.folder {
            folder.close(&self.rows, &comparison)?;
        }
        Ok(comparison)
    }

    fn comparison(&self) -> Comparison {
        Comparison::new(
            self.settings.clone(),
            &self.rows,
            &self.wall_secs,
            self.ceiling,
            self.jobs.is_empty() && self.lanes.is_empty(),
        )
    }

    /// How far it is.
    pub fn view(&self) -> BenchmarkView {
        let at = self.lanes.first().map(|((strategy, ..), _)| *strategy);
        let strategy = self.plan.strategies[at.unwrap_or(self.plan.strategies.len() - 1)];
        let ended = self.rows.iter().filter(|row| row.strategy == strategy);
        let (ended, solved) = ended.fold((0, 0), |(ended, solved), row| {
            (ended + 1, solved + usize::from(row.solved.is_some()))
        });
        let done = self.total - self.jobs.len() - self.lanes.len();
        let here = done - self.done_before;
        let pace = self.begun.elapsed().as_secs_f64() / here as f64;
        BenchmarkView {
            strategy,
            done,
            total: self.total,
            success: f64::from(solved as u32) / f64::from(ended.max(1)),
            eta_secs: (here > 0).then(|| pace * (self.total - done) as f64),
        }
    }

    /// Begins searches of the strategy at work in the free lanes.
    fn fill(&mut self) -> Result<()> {
        while self.lanes.len() < ABREAST
            && let Some(job) = self.jobs.last().copied()
            && self.lanes.first().is_none_or(|((at, ..), _)| *at == job.0)
        {
            self.jobs.pop();
            let (strategy, seed, number) = job;
            let (task, space) = (
                self.plan.problems[number].task.clone(),
                &self.spaces[number],
            );
            let strategy = self.plan.strategies[strategy];
            let search_run = SearchRun::new(task, strategy, space, self.plan.budget, seed)?;
            self.lanes.push((job, search_run));
        }
        Ok(())
    }

    /// What lies at the points, those with and those without a gradient in one pass each.
    fn evaluate(&self, queries: &[Option<Candidate>]) -> Result<Vec<Option<Evaluation>>> {
        let mut evaluations = vec![None; queries.len()];
        for wants_gradient in [false, true] {
            let (mut lanes, mut tasks) = (Vec::new(), Vec::new());
            let mut points = Points {
                dims: self.spaces[0].total(),
                values: Vec::new(),
            };
            for (lane, candidate) in queries.iter().enumerate() {
                if let Some(candidate) = candidate
                    .as_ref()
                    .filter(|q| q.wants_gradient == wants_gradient)
                {
                    points.values.extend(&candidate.point);
                    tasks.push(self.lanes[lane].1.task.as_ref());
                    lanes.push(lane);
                }
            }
            let found = match wants_gradient {
                _ if lanes.is_empty() => continue,
                true => self.executor.gradients(&points, &tasks)?,
                false => self
                    .executor
                    .evaluate_each(&points, &tasks, StatePassing::Latent)?,
            };
            for (lane, evaluation) in lanes.into_iter().zip(found) {
                evaluations[lane] = Some(evaluation);
            }
        }
        Ok(evaluations)
    }
}
