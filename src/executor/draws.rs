//! How an executor's steps draw.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{batch::Numbers, sight::Lines};
use crate::{
    data::language::Execution,
    nn::init::normal,
    training::{Draws, Part, tape},
};

/// Draws that are written down on a tape.
pub(super) trait Noted {
    /// Adds rows.
    fn noted(&mut self, rows: impl IntoIterator<Item = i32>) -> Part;

    /// Adds points, value by value.
    fn points(&mut self, values: Vec<f32>) -> Part;

    /// Adds the rows of executions.
    fn lines(&mut self, lines: &[Execution], numbers: &Numbers) -> Lines {
        Lines {
            starts: self.noted(numbers.starts_of(lines)),
            results: self.noted(numbers.results_of(lines)),
            codes: self.noted(numbers.codes_of(lines)),
        }
    }
}

impl Noted for Draws {
    fn noted(&mut self, rows: impl IntoIterator<Item = i32>) -> Part {
        let part = self.rows(rows);
        tape::note("rows", || self.rows[self.rows.len() - part.count..].into());
        part
    }

    fn points(&mut self, values: Vec<f32>) -> Part {
        tape::note("matrix", || values.clone().into());
        self.values(&values)
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
