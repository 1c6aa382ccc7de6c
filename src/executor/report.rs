//! How good a model is: accuracy on sums it has and hasn't seen, and the order of its planes.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::inference::Executor;
use crate::{
    data::{
        split::Split,
        sums::{CODES, STATES, Sum},
    },
    latent::{
        order::{largest_empty_square, order},
        points::Points,
    },
};

/// Cells a side of the grid a code plane is judged by.
pub const GRID: usize = 256;

/// The figures of `executor eval --json`. The planes' figures are `None` where the latent space has
/// another number of dimensions than two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
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
    /// Share of the states 10..=99 that come back exactly.
    pub state_exact: f64,
    /// Share of the programs -99..=99 that come back exactly.
    pub code_exact: f64,
    /// Share of a grid over the code plane that decodes to a number.
    pub grid_valid: Option<f64>,
    /// Different programs on that grid.
    pub grid_codes: Option<usize>,
    /// Median distance of the places of n and n + 1 over the plane's diagonal.
    pub adjacent_median: f64,
    /// Its 95th percentile.
    pub adjacent_p95: f64,
    /// Rank correlation of |difference of values| with distance.
    pub order_spearman: f64,
    /// Side of the largest empty square of the code plane, over the plane's.
    pub code_largest_empty_square: Option<f64>,
    /// Side of the largest empty square of the state plane, over the plane's.
    pub state_largest_empty_square: Option<f64>,
}

/// Judges a model; `grid` cells a side for the code plane.
///
/// # Errors
/// If the device fails.
pub fn evaluate(executor: &Executor, grid: usize) -> Result<Report> {
    let config = &executor.config;
    let split = Split::new(config.held_out, config.split_seed);
    let exact = |sums: &[Sum]| -> Result<f64> {
        let pairs: Vec<_> = sums.iter().map(|s| (s.start, s.solution())).collect();
        let results = executor.run(&pairs)?;
        Ok(share(
            results
                .iter()
                .zip(sums)
                .map(|(result, sum)| *result == Some(sum.result)),
        ))
    };
    let codes = executor.code_places()?;
    let states = executor.state_places()?;
    let order = order(&codes);
    let plane = config.dims == 2;
    let decoded = if plane {
        Some(executor.decode(&Points::grid(grid))?)
    } else {
        None
    };
    let distinct = |decoded: &Vec<Option<i32>>| {
        decoded
            .iter()
            .flatten()
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    Ok(Report {
        device: String::new(),
        dims: config.dims,
        params: executor.params(),
        steps: executor.progress.step,
        train_secs: executor.progress.train_secs,
        pairs_held_out: split.held_out.len(),
        held_out_exact: exact(&split.held_out)?,
        train_exact: exact(&split.train)?,
        state_exact: share(
            executor
                .decode_states(&states)?
                .into_iter()
                .zip(STATES)
                .map(|(d, n)| d == Some(n)),
        ),
        code_exact: share(
            executor
                .decode(&codes)?
                .into_iter()
                .zip(CODES)
                .map(|(d, n)| d == Some(n)),
        ),
        grid_valid: decoded
            .as_ref()
            .map(|d| share(d.iter().map(Option::is_some))),
        grid_codes: decoded.as_ref().map(distinct),
        adjacent_median: order.adjacent_median,
        adjacent_p95: order.adjacent_p95,
        order_spearman: order.spearman,
        code_largest_empty_square: plane.then(|| largest_empty_square(&codes)),
        state_largest_empty_square: plane.then(|| largest_empty_square(&states)),
    })
}

fn share(hits: impl Iterator<Item = bool>) -> f64 {
    let (hit, all) = hits.fold((0, 0), |(hit, all), is_hit| {
        (hit + u32::from(is_hit), all + 1)
    });
    f64::from(hit) / f64::from(all.max(1))
}
