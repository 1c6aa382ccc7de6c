//! How good a model is: accuracy on sums it has and hasn't seen, and the order of its planes.

use std::{collections::HashSet, sync::Arc};

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{inference::ExecutorInference, programs::StatePassing};
use crate::{
    data::{
        language::{Code, Execution},
        split::Split,
        sums::{Sum, Task},
    },
    latent::{
        holes::{largest_region, largest_void},
        order::{largest_empty_square, order},
        points::Points,
        projection::{NEIGHBOURS, pca, trust, trust_of_values},
    },
};

/// Cells a side of the grid a code plane is judged by.
pub const GRID: usize = 256;

/// The figures of `executor eval --json`. The planes' figures are `None` where the latent space has
/// another number of dimensions than two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorReport {
    /// The device it was judged on.
    pub device: String,
    /// Latent dimensions.
    pub dims: usize,
    /// Trained values.
    pub params: usize,
    /// Training steps.
    pub steps: u64,
    /// Seconds of training.
    pub train_secs: f64,
    /// Sums never trained on.
    pub pairs_held_out: usize,
    /// Share of them whose result is exact.
    pub held_out_exact: f64,
    /// The same over the sums trained on.
    pub train_exact: f64,
    /// Share of the states that come back exactly.
    pub state_exact: f64,
    /// Share of the programs that come back exactly.
    pub code_exact: f64,
    /// Share of a grid over the code plane that decodes to a number.
    pub grid_valid: Option<f64>,
    /// Area of the largest connected part of the plane that decodes to no number, over the plane's.
    #[serde(default)]
    pub grid_largest_void: Option<f64>,
    /// Different programs on that grid.
    pub grid_codes: Option<usize>,
    /// Median distance of the places of n and n + 1 over the plane's diagonal.
    pub adjacent_median: f64,
    /// Its 95th percentile.
    pub adjacent_p95: f64,
    /// Rank correlation of |difference of values| with distance.
    pub order_spearman: f64,
    /// Neighbours by |difference of value| against neighbours by distance, 12 a program (Venna and Kaski
    /// 2001): falls where numbers far apart lie together.
    pub order_trustworthiness: Option<f64>,
    /// The same: falls where following numbers lie apart.
    pub order_continuity: Option<f64>,
    /// Of the programs' PCA plane against their space of more than two dimensions, 12 neighbours each:
    /// falls where the plane shows neighbours that are none.
    pub pca_trustworthiness: Option<f64>,
    /// The same: falls where the plane tears neighbours apart.
    pub pca_continuity: Option<f64>,
    /// Side of the largest empty square of the code plane, over the plane's.
    pub code_largest_empty_square: Option<f64>,
    /// Side of the largest empty square of the state plane, over the plane's.
    pub state_largest_empty_square: Option<f64>,
    /// Area of the largest connected part of the code plane without a program nearer than the spacing of
    /// an even lattice, over the plane's.
    #[serde(default)]
    pub code_largest_void: Option<f64>,
    /// The same of the state plane.
    #[serde(default)]
    pub state_largest_void: Option<f64>,
    /// Share of the held-out sums whose program is decoded where the inverse encoder proposes; `None`
    /// where the model has none.
    #[serde(default)]
    pub proposals_exact: Option<f64>,
    /// Share of random programs whose result is exact, by their number of lines, 1 and up; `None` for a
    /// model that was trained on single lines.
    #[serde(default)]
    pub lines_exact: Option<Vec<f64>>,
    /// The same with the state decoded and encoded again between two lines.
    #[serde(default)]
    pub lines_exact_requantised: Option<Vec<f64>>,
}

/// Lines up to which programs are judged, and how many programs.
const LINES_JUDGED: usize = 5;
const PROGRAMS_JUDGED: usize = 500;

/// Items a slice.
const SLICE: usize = 1024;

/// A judgement under way, slice by slice, so that the engine can answer in between.
pub struct ExecutorEvaluator {
    executor: Arc<ExecutorInference>,
    split: Split,
    /// Sums judged so far: first the held-out ones, then the others.
    right: Vec<bool>,
    grid: Points,
    decoded: Vec<Option<Code>>,
}

impl ExecutorEvaluator {
    /// Begins to judge a model.
    pub fn new(executor: Arc<ExecutorInference>) -> Self {
        let config = &executor.config;
        let split = Split::new(config.language, config.held_out, config.split_seed);
        let grid = if config.dims == 2 {
            Points::grid(GRID)
        } else {
            Points::default()
        };
        Self {
            executor,
            split,
            right: Vec::new(),
            grid,
            decoded: Vec::new(),
        }
    }

    /// Judges a slice; the report when all is judged.
    ///
    /// # Errors
    /// If the device fails.
    pub fn advance(&mut self) -> Result<Option<ExecutorReport>> {
        let sums = self.split.held_out.iter().chain(&self.split.train);
        let slice: Vec<Execution> = sums.skip(self.right.len()).take(SLICE).copied().collect();
        if !slice.is_empty() {
            let results = self.executor.run(&slice)?;
            self.right.extend(
                results
                    .iter()
                    .zip(&slice)
                    .map(|(result, execution)| *result == Some(execution.result())),
            );
            return Ok(None);
        }
        let rest = &self.grid.values[self.decoded.len() * self.grid.dims..];
        if !rest.is_empty() {
            let values = rest[..rest.len().min(SLICE * self.grid.dims)].to_vec();
            self.decoded.extend(self.executor.decode(&Points {
                dims: self.grid.dims,
                values,
            })?);
            return Ok(None);
        }
        self.report().map(Some)
    }

    fn report(&self) -> Result<ExecutorReport> {
        let executor = &self.executor;
        let (held_out, train) = self.right.split_at(self.split.held_out.len());
        let planes = executor.planes()?;
        let order = order(&planes.codes);
        let plane = executor.config.dims == 2;
        let is_undecodable: Vec<bool> = self.decoded.iter().map(Option::is_none).collect();
        let by_order = trust_of_values(&planes.codes, NEIGHBOURS);
        let on_pca = (executor.config.dims > 2)
            .then(|| trust(&planes.codes, &pca(&planes.codes), NEIGHBOURS))
            .flatten();
        let codes: HashSet<Code> = self.decoded.iter().flatten().copied().collect();
        Ok(ExecutorReport {
            device: String::new(),
            dims: executor.config.dims,
            params: executor.params(),
            steps: executor.progress.step,
            train_secs: executor.progress.train_secs,
            pairs_held_out: held_out.len(),
            held_out_exact: share(held_out.iter().copied()),
            train_exact: share(train.iter().copied()),
            state_exact: self.state_exact()?,
            code_exact: self.code_exact()?,
            grid_valid: plane.then(|| share(self.decoded.iter().map(Option::is_some))),
            grid_largest_void: plane.then(|| largest_region(&is_undecodable)),
            grid_codes: plane.then_some(codes.len()),
            adjacent_median: order.adjacent_median,
            adjacent_p95: order.adjacent_p95,
            order_spearman: order.spearman,
            order_trustworthiness: by_order.map(|trust| trust.trustworthiness),
            order_continuity: by_order.map(|trust| trust.continuity),
            pca_trustworthiness: on_pca.map(|trust| trust.trustworthiness),
            pca_continuity: on_pca.map(|trust| trust.continuity),
            code_largest_empty_square: plane.then(|| largest_empty_square(&planes.codes)),
            state_largest_empty_square: plane.then(|| largest_empty_square(&planes.states)),
            code_largest_void: plane.then(|| largest_void(&planes.codes)),
            state_largest_void: plane.then(|| largest_void(&planes.states)),
            proposals_exact: self.proposals_exact()?,
            lines_exact: self.lines_exact(StatePassing::Latent)?,
            lines_exact_requantised: self.lines_exact(StatePassing::Requantized)?,
        })
    }

    /// Random programs whose every line leads from a state to a state; their first k lines are programs of
    /// k lines.
    fn lines_exact(&self, between: StatePassing) -> Result<Option<Vec<f64>>> {
        if self.executor.config.lines < 2 {
            return Ok(None);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.executor.config.split_seed);
        let trace = |_| -> Vec<i32> {
            let states = self.executor.language().states();
            let states = (0..=LINES_JUDGED).map(|_| rng.random_range(states.clone()));
            states.collect()
        };
        let traces: Vec<Vec<i32>> = (0..PROGRAMS_JUDGED).map(trace).collect();
        let exact = |lines: usize| -> Result<f64> {
            let codes = traces
                .iter()
                .flat_map(|trace| trace[..=lines].windows(2))
                .map(|two| Code::Add(two[1] - two[0]));
            let places = self.executor.code_embeddings(codes)?;
            let points = Points {
                dims: places.dims * lines,
                values: places.values,
            };
            let task = |trace: &Vec<i32>| {
                let (start, result) = (trace[0], trace[lines]);
                Task::additions(lines, Sum { start, result })
            };
            let tasks: Vec<Task> = traces.iter().map(task).collect();
            let tasks: Vec<&Task> = tasks.iter().collect();
            let evaluations = self.executor.evaluate_each(&points, &tasks, between)?;
            let claims = evaluations
                .iter()
                .zip(tasks)
                .map(|(f, task)| f.claims(task));
            Ok(share(claims))
        };
        Ok(Some((1..=LINES_JUDGED).map(exact).collect::<Result<_>>()?))
    }

    fn state_exact(&self) -> Result<f64> {
        let states: Vec<i32> = self.executor.language().states().collect();
        let places = self.executor.state_embeddings(states.iter().copied())?;
        let decoded = self.executor.decode_states(&places)?;
        Ok(share_kept(&decoded, &states))
    }

    fn code_exact(&self) -> Result<f64> {
        let codes: Vec<Code> = self.executor.language().codes().collect();
        let places = self.executor.code_embeddings(codes.iter().copied())?;
        let decoded = self.executor.decode(&places)?;
        Ok(share_kept(&decoded, &codes))
    }

    fn proposals_exact(&self) -> Result<Option<f64>> {
        let additions = self.split.held_out.iter().filter_map(|execution| {
            let (start, result) = (execution.start, execution.result());
            matches!(execution.code, Code::Add(_)).then_some(Sum { start, result })
        });
        let sums: Vec<Sum> = additions.collect();
        let Some(points) = self.executor.propose(&sums)? else {
            return Ok(None);
        };
        let decoded = self.executor.decode(&points)?.into_iter();
        let solves =
            |(code, sum): (Option<Code>, &Sum)| code.is_some_and(|code| sum.is_solved_by(code));
        Ok(Some(share(decoded.zip(&sums).map(solves))))
    }
}

/// The share of what is decoded as it was encoded.
fn share_kept<T: PartialEq + Copy>(decoded: &[Option<T>], encoded: &[T]) -> f64 {
    share(decoded.iter().zip(encoded).map(|(d, e)| *d == Some(*e)))
}

/// The share of hits; not a number where there is nothing to hit.
fn share(hits: impl Iterator<Item = bool>) -> f64 {
    let (hit, all) = hits.fold((0, 0), |(hit, all), is_hit| {
        (hit + u32::from(is_hit), all + 1)
    });
    f64::from(hit) / f64::from(all)
}
