//! What a share of a training step sees: which numbers, executions and points, drawn on the host.

use std::sync::Arc;

use anyhow::Result;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    batch::{Batches, Numbers},
    draws::{Noted, even_draws, in_balls},
};
use crate::{
    config::executor::{ExecutorConfig, Regulariser},
    data::language::{Code, Execution},
    nn::init::normal,
    training::{Draws, Part},
};

/// Points anywhere in the box a step.
const CELL_DRAWS: usize = 96;
/// Points a step, as far from their programs as one step leads, from which one step is made down the
/// gradient.
const INNER_DRAWS: usize = 128;
/// Pairs of programs with a state in common whose distances are compared a step.
const NEAR_PAIRS: usize = 192;
/// Pairs without.
const FAR_PAIRS: usize = 64;
/// Draws from the uniform prior a step.
const PRIOR_DRAWS: usize = 256;

/// Where it is among the draws. Two sights that are equal are alike in all but what was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// The numbers it is made of.
    pub numbers: Arc<Numbers>,
    /// The octaves' weights, if there are octaves.
    pub octaves: Option<Part>,
    /// States to be read back.
    pub own_states: Part,
    /// Programs to be read back.
    pub own_codes: Part,
    /// What is seen where all numbers are known.
    pub cells: Option<Cells>,
    /// The additions among the first lines, if any.
    pub additions: Option<Lines>,
    /// The rows of the states at which the first lines, what runs in the cells and the aims begin.
    pub starts: Part,
    /// The executions, line by line.
    pub lines: Vec<Line>,
    /// Executions to be reached by a step down the gradient.
    pub aims: Option<Aims>,
    /// By how much each state's point is moved, in balls of radius 1.
    pub shake: Option<Part>,
    /// Points from the prior that should have a state and a program near.
    pub cover: Option<Part>,
    /// Draws from a normal prior, for states, results and programs.
    pub normals: Option<[Part; 3]>,
}

/// Executions: rows of where they start, what results, and the programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// States.
    pub starts: Part,
    /// States.
    pub results: Part,
    /// Programs.
    pub codes: Part,
}

/// A line of each execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Rows of the programs.
    pub codes: Part,
    /// By how much each is moved, in balls of radius 1.
    pub balls: Option<Part>,
    /// Rows of the states that result.
    pub results: Part,
}

/// What is seen where all numbers are known: points anywhere, and pairs of programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// Points anywhere in the programs' box.
    pub points: Part,
    /// Among the outcomes, the first row of the state on which each point's program is run.
    pub outcomes: Part,
    /// Programs to be as far apart as what they lead to.
    pub pairs: Pairs,
}

/// Pairs of programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pairs {
    /// Those of two executions from one state, and after them pairs that no state can take both.
    pub codes: [Part; 2],
    /// The states the first of those lead to.
    pub results: [Part; 2],
}

/// Executions to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aims {
    /// The executions.
    pub lines: Lines,
    /// Where from, in balls of radius 1 around the programs.
    pub balls: Part,
}

impl Sight {
    /// What the `share`-th share of a step sees, counted from 0, at these weights of the octaves.
    ///
    /// # Errors
    /// If a number is unknown to the lexicon.
    pub fn draw(
        batches: &Batches,
        config: &ExecutorConfig,
        octaves: &[f32],
        share: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Self, Draws)> {
        let mut draws = Draws::default();
        let dims = config.dims;
        let octaves = (!octaves.is_empty()).then(|| draws.values(octaves));
        let traces = batches.traces(config, rng);
        let numbers = batches.numbers(traces.iter().flatten())?;
        let (states, codes) = (numbers.state_count(), numbers.code_count());
        let cells = match numbers.outcomes {
            Some(_) => CELL_DRAWS.div_ceil(config.shards),
            None => 0,
        };
        let any_state = |rng: &mut ChaCha8Rng| rng.random_range(batches.language.states());
        let elsewhere: Vec<i32> = (0..cells).map(|_| any_state(rng)).collect();
        let aims = match config.inner_step > 0.0 {
            true => INNER_DRAWS.div_ceil(config.shards),
            false => 0,
        };
        let aims: Vec<Execution> = (0..aims).map(|_| batches.any(rng)).collect();

        let own = |count: usize| {
            let (first, every) = match cells {
                0 => (0, 1),
                _ => (share, config.shards),
            };
            (first..count).step_by(every).map(|row| row as i32)
        };
        let [own_states, own_codes] = [own(states), own(codes)].map(|rows| draws.noted(rows));
        let points = (cells > 0).then(|| draws.points(even_draws(cells, dims, rng.random())));
        let is_addition = |line: &&Execution| matches!(line.code, Code::Add(_));
        let additions: Vec<Execution> = traces[0].iter().filter(is_addition).copied().collect();
        let additions = (!additions.is_empty()).then(|| draws.lines(&additions, &numbers));

        let (mut lines, mut reached_for) = (Vec::new(), None);
        for (number, line) in traces.iter().enumerate() {
            lines.push(Line {
                codes: draws.noted(numbers.codes_of(line)),
                balls: (config.cell_noise > 0.0)
                    .then(|| draws.points(in_balls(line.len(), dims, rng))),
                results: draws.noted(numbers.results_of(line)),
            });
            if number == 0 && !aims.is_empty() {
                reached_for = Some(Aims {
                    balls: draws.points(in_balls(aims.len(), dims, rng)),
                    lines: draws.lines(&aims, &numbers),
                });
            }
        }
        let elsewhere = || elsewhere.iter().map(|state| numbers.state_row(*state));
        let starts = numbers.starts_of(&traces[0]).chain(elsewhere());
        let starts = draws.noted(starts.chain(numbers.starts_of(&aims)));

        let shown = own_states.count + cells + aims.len() + traces.len() * config.batch;
        let shake = (config.state_noise > 0.0).then(|| draws.points(in_balls(shown, dims, rng)));
        let cells = points.map(|points| Cells {
            points,
            outcomes: draws.noted(elsewhere().map(|row| row * codes as i32)),
            pairs: Pairs::draw(batches, config, &numbers, &mut draws, rng),
        });
        let cover = (config.cover > 0.0).then(|| {
            let count = PRIOR_DRAWS.div_ceil(config.shards);
            draws.points(even_draws(count, dims, rng.random()))
        });
        let reached = traces.len() * config.batch;
        let mut normals =
            |count: usize| draws.points((0..count * dims).map(|_| normal(rng)).collect());
        let normals = match config.regulariser {
            Regulariser::Seed => Some([states, reached, codes].map(&mut normals)),
            Regulariser::Off | Regulariser::Pooled => None,
        };
        let sight = Self {
            numbers,
            octaves,
            own_states,
            own_codes,
            cells,
            additions,
            starts,
            lines,
            aims: reached_for,
            shake,
            cover,
            normals,
        };
        Ok((sight, draws))
    }
}

impl Pairs {
    fn draw(
        batches: &Batches,
        config: &ExecutorConfig,
        numbers: &Numbers,
        draws: &mut Draws,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let language = batches.language;
        let near = NEAR_PAIRS.div_ceil(config.shards);
        let near: Vec<[Execution; 2]> = (0..near).map(|_| batches.pair(rng)).collect();
        let widest = language.states().end() - language.states().start();
        let addends = language.addends();
        let unlike = (0..FAR_PAIRS.div_ceil(config.shards)).map(|_| {
            let low = rng.random_range(*addends.start()..addends.end() - widest);
            let high = rng.random_range(low + widest + 1..=*addends.end());
            [low, high].map(Code::Add)
        });
        let unlike: Vec<[Code; 2]> = unlike.collect();
        let codes = near.iter().map(|pair| pair.map(|line| line.code));
        let codes: Vec<[Code; 2]> = codes.chain(unlike).collect();
        let codes = [0, 1].map(|side| codes.iter().map(move |pair| numbers.code_row(pair[side])));
        let led = |side: usize| near.iter().map(move |pair| pair[side].result());
        Self {
            codes: codes.map(|rows| draws.noted(rows)),
            results: [0, 1]
                .map(|side| draws.noted(led(side).map(|state| numbers.state_row(state)))),
        }
    }
}
