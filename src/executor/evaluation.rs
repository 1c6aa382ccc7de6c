//! Evaluation of a model: accuracy on trained and held-out sums, and the order of its planes.

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
    training::{Evaluator, WorkView},
};

/// Number of cells along a side of the grid on which a code plane is evaluated.
pub const GRID: usize = 256;

/// Report of `executor eval --json`. Figures of the planes are `None` unless the latent space has two
/// dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorReport {
    /// Device of the evaluation.
    pub device: String,
    /// Number of latent dimensions.
    pub dims: usize,
    /// Number of parameters.
    pub params: usize,
    /// Training steps.
    pub steps: u64,
    /// Training time in seconds.
    pub train_secs: f64,
    /// Number of sums held out from training.
    pub pairs_held_out: usize,
    /// Share of the held-out sums with an exact result.
    pub held_out_exact: f64,
    /// Share of the training sums with an exact result.
    pub train_exact: f64,
    /// Share of the states that the autoencoder reconstructs exactly.
    pub state_exact: f64,
    /// Share of the programs that the autoencoder reconstructs exactly.
    pub code_exact: f64,
    /// Share of a grid over the code plane that decodes to a number.
    pub grid_valid: Option<f64>,
    /// Area of the plane's largest connected region that decodes to no number, as a share of the plane.
    #[serde(default)]
    pub grid_largest_void: Option<f64>,
    /// Number of distinct programs on that grid.
    pub grid_codes: Option<usize>,
    /// Median distance of the embeddings of n and n + 1, as a share of the plane's diagonal.
    pub adjacent_median: f64,
    /// 95th percentile of that distance.
    pub adjacent_p95: f64,
    /// Rank correlation between |difference of values| and distance.
    pub order_spearman: f64,
    /// Trustworthiness of the order, neighbours by |difference of values| against neighbours by distance,
    /// 12 per program (Venna and Kaski 2001): lowered by distant numbers that lie close together.
    pub order_trustworthiness: Option<f64>,
    /// Continuity of the order: lowered by consecutive numbers that lie apart.
    pub order_continuity: Option<f64>,
    /// Trustworthiness of the programs' PCA plane with respect to their space of more than two dimensions,
    /// 12 neighbours each: lowered by false neighbours.
    pub pca_trustworthiness: Option<f64>,
    /// Continuity of the PCA plane: lowered by neighbours torn apart.
    pub pca_continuity: Option<f64>,
    /// Side of the largest empty square of the code plane, as a share of the plane's.
    pub code_largest_empty_square: Option<f64>,
    /// Side of the largest empty square of the state plane, as a share of the plane's.
    pub state_largest_empty_square: Option<f64>,
    /// Area of the largest connected void of the code plane, farther from all programs than the spacing of
    /// an even lattice, as a share of the plane.
    #[serde(default)]
    pub code_largest_void: Option<f64>,
    /// Area of the largest connected void of the state plane.
    #[serde(default)]
    pub state_largest_void: Option<f64>,
    /// Share of the held-out sums whose program is decoded at the inverse encoder's proposal; `None`
    /// without an inverse encoder.
    #[serde(default)]
    pub proposals_exact: Option<f64>,
    /// Share of random programs with an exact result, by number of lines from 1; `None` for a model trained
    /// on single lines.
    #[serde(default)]
    pub lines_exact: Option<Vec<f64>>,
    /// That share with the state requantised between lines.
    #[serde(default)]
    pub lines_exact_requantised: Option<Vec<f64>>,
}

/// Largest number of lines of the evaluated programs, and their number.
const LINES_JUDGED: usize = 5;
const PROGRAMS_JUDGED: usize = 500;

/// Items per call of `advance`.
const SLICE: usize = 1024;

/// Evaluation in progress, in slices, so that the engine stays responsive.
pub struct ExecutorEvaluator {
    executor: Arc<ExecutorInference>,
    split: Split,
    /// Results for the sums so far: first the held-out ones, then the others.
    right: Vec<bool>,
    grid: Points,
    decoded: Vec<Option<Code>>,
}

impl ExecutorEvaluator {
    /// Starts the evaluation of a model.
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
}

impl Evaluator for ExecutorEvaluator {
    type Report = ExecutorReport;

    fn advance(&mut self, device: &str) -> Result<Option<ExecutorReport>> {
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
        self.report(device).map(Some)
    }

    fn progress(&self) -> WorkView {
        let sums = self.split.held_out.len() + self.split.train.len();
        let done = self.right.len() + self.decoded.len();
        WorkView {
            what: format!("judging {sums} sums"),
            done: done as f64 / (sums + self.grid.len()) as f64,
        }
    }
}

impl ExecutorEvaluator {
    fn report(&self, device: &str) -> Result<ExecutorReport> {
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
            device: device.to_owned(),
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

    /// Accuracy by number of lines on random programs with only states on the way; the first k lines of
    /// each are a program of k lines.
    fn lines_exact(&self, state_passing: StatePassing) -> Result<Option<Vec<f64>>> {
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
            let evaluations = self
                .executor
                .evaluate_each(&points, &tasks, state_passing)?;
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

/// Share of items decoded as encoded.
fn share_kept<T: PartialEq + Copy>(decoded: &[Option<T>], encoded: &[T]) -> f64 {
    share(decoded.iter().zip(encoded).map(|(d, e)| *d == Some(*e)))
}

/// Share of hits; NaN without any item.
fn share(hits: impl Iterator<Item = bool>) -> f64 {
    let (hit, all) = hits.fold((0, 0), |(hit, all), is_hit| {
        (hit + u32::from(is_hit), all + 1)
    });
    f64::from(hit) / f64::from(all)
}
