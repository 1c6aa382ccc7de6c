//! Random draws of the executor's steps.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::batch::EntityTables;
use crate::{
    data::language::Execution,
    nn::init::normal,
    training::{HostInputs, Span, draw_log},
};

/// Executions: rows of where they start, what results, and the programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionSpans {
    /// States.
    pub starts: Span,
    /// States.
    pub results: Span,
    /// Programs.
    pub codes: Span,
}

/// Inputs whose draws go into the draw log.
pub(super) trait LoggedInputs {
    /// Adds rows.
    fn log_rows(&mut self, rows: impl IntoIterator<Item = i32>) -> Span;

    /// Adds points, value by value.
    fn log_points(&mut self, values: Vec<f32>) -> Span;

    /// Adds the rows of executions.
    fn log_executions(&mut self, lines: &[Execution], tables: &EntityTables) -> ExecutionSpans {
        ExecutionSpans {
            starts: self.log_rows(tables.starts_of(lines)),
            results: self.log_rows(tables.results_of(lines)),
            codes: self.log_rows(tables.codes_of(lines)),
        }
    }
}

impl LoggedInputs for HostInputs {
    fn log_rows(&mut self, rows: impl IntoIterator<Item = i32>) -> Span {
        let part = self.rows(rows);
        draw_log::log("rows", || self.rows[self.rows.len() - part.count..].into());
        part
    }

    fn log_points(&mut self, values: Vec<f32>) -> Span {
        draw_log::log("matrix", || values.clone().into());
        self.values(&values)
    }
}

/// `count` draws from the box (-1, 1)^Z, spread more evenly than independent ones (a scrambled Sobol
/// sequence, Burley 2020), so that the regulariser's pull is steady from step to step.
pub(super) fn sobol_points(count: usize, dims: usize, seed: u32) -> Vec<f32> {
    let most = sobol_burley::NUM_DIMENSIONS;
    let draw = |i: usize, d: usize| {
        let (group, dim) = (d as u32 / most, d as u32 % most);
        sobol_burley::sample(i as u32, dim, seed.wrapping_add(group)) * 2.0 - 1.0
    };
    (0..count)
        .flat_map(|i| (0..dims).map(move |d| draw(i, d)))
        .collect()
}

/// `count` points of the unit ball, uniform.
pub(super) fn ball_points(count: usize, dims: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..count).flat_map(|_| ball_point(dims, rng)).collect()
}

/// A point of the unit ball, uniform.
fn ball_point(dims: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let direction: Vec<f32> = (0..dims).map(|_| normal(rng)).collect();
    let length = direction
        .iter()
        .map(|x| x * x)
        .sum::<f32>()
        .sqrt()
        .max(1e-12);
    let radius = rng.random::<f32>().powf(1.0 / dims as f32);
    direction.into_iter().map(|x| x / length * radius).collect()
}
