//! What a training step draws on the host: rows of tables and values, in one piece each, so that they travel to the
//! device in two.

use burn::tensor::{Device, Int, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{batch::Numbers, sight::Lines};
use crate::{data::language::Execution, nn::init::normal, training::tape};

/// Draws one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Draws {
    /// Rows of tables.
    pub rows: Vec<i32>,
    /// Values.
    pub values: Vec<f32>,
}

/// Some of the rows or values: where they begin, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    from: usize,
    /// How many.
    pub count: usize,
}

impl Draws {
    /// Adds rows.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = i32>) -> Part {
        let from = self.rows.len();
        self.rows.extend(rows);
        tape::note("rows", || self.rows[from..].into());
        let count = self.rows.len() - from;
        Part { from, count }
    }

    /// Adds points, value by value.
    pub fn points(&mut self, values: Vec<f32>) -> Part {
        tape::note("matrix", || values.clone().into());
        self.values(&values)
    }

    /// Adds values that follow from the step's number.
    pub fn values(&mut self, values: &[f32]) -> Part {
        let from = self.values.len();
        self.values.extend(values);
        let count = values.len();
        Part { from, count }
    }

    /// Adds the rows of executions.
    pub fn lines(&mut self, lines: &[Execution], numbers: &Numbers) -> Lines {
        Lines {
            starts: self.rows(numbers.starts_of(lines)),
            results: self.rows(numbers.results_of(lines)),
            codes: self.rows(numbers.codes_of(lines)),
        }
    }

    /// On `device`.
    pub fn on(&self, device: &Device) -> Drawn {
        Drawn {
            rows: Tensor::from_data(self.rows.as_slice(), device),
            values: Tensor::from_data(self.values.as_slice(), device),
        }
    }
}

/// [`Draws`] on the device.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// All rows.
    pub rows: Tensor<1, Int>,
    /// All values.
    pub values: Tensor<1>,
}

impl Drawn {
    /// Rows `[N]`.
    pub fn rows(&self, part: Part) -> Tensor<1, Int> {
        self.rows.clone().narrow(0, part.from, part.count)
    }

    /// Values `[N]`.
    pub fn values(&self, part: Part) -> Tensor<1> {
        self.values.clone().narrow(0, part.from, part.count)
    }

    /// Points [N, `dims`].
    pub fn points(&self, part: Part, dims: usize) -> Tensor<2> {
        self.values(part).reshape([part.count / dims, dims])
    }
}

/// `count` draws from the box (-1, 1)^Z, spread more evenly than independent ones (a scrambled Sobol
/// sequence, Burley 2020), so that the regulariser's pull is steady from step to step.
pub(super) fn even_draws(count: usize, dims: usize, seed: u32) -> Vec<f32> {
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
pub(super) fn in_balls(count: usize, dims: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..count).flat_map(|_| in_ball(dims, rng)).collect()
}

/// A point of the unit ball, uniform.
fn in_ball(dims: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
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
