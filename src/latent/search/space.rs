//! Search space, and conversion of its points.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::gp::distance_scale;
use crate::latent::points::Points;

/// Distance between evaluations in the plane within which a region counts as explored: at first and in the
/// limit.
const MIN_DISTANCE: [f64; 2] = [0.04, 0.01];
/// Number of proposals in which the distance decays by a factor e.
const DECAY_PROPOSALS: f64 = 60.0;
/// Mean number of coordinates that a perturbation moves in more dimensions than that.
const MOVED_DIMS: f64 = 20.0;

/// Search space with the prior knowledge about it. A program of several lines is one point: the lines'
/// points concatenated, in the box [-1,1]^(lines x dims).
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// Latent dimensions per line.
    pub dims: usize,
    /// Number of lines of the program.
    pub lines: usize,
    /// Embeddings of all programs of one line.
    pub embeddings: Arc<Points>,
    /// Texts of those programs: digits and sign.
    pub texts: Arc<Vec<String>>,
    /// Indices of the programs allowed in each line, in order.
    pub allowed: Vec<Arc<Vec<usize>>>,
    /// Initial points of a warm start, best first: the proposals of an inverse encoder. Empty if there is
    /// none.
    pub initial_points: Vec<Vec<f32>>,
}

impl Space {
    /// Box [-1,1]^dims without known programs.
    pub fn open(dims: usize) -> Self {
        Self {
            dims,
            lines: 1,
            ..Self::default()
        }
    }

    /// Dimensions of the searched space.
    pub fn total_dims(&self) -> usize {
        self.dims * self.lines
    }

    /// Minimum distance of a new point to earlier ones: a closer one would say nothing about where a clear
    /// improvement lies. Decays with the number of proposals, because what a long search has missed lies in
    /// a small region.
    pub(super) fn min_distance(&self, proposals: usize) -> f64 {
        let [first, last] = MIN_DISTANCE;
        let share = last + (first - last) * (-(proposals as f64) / DECAY_PROPOSALS).exp();
        share * distance_scale(self.total_dims())
    }

    /// Random known program for each line; `None` if none are known.
    pub(super) fn random_program(&self, random: &mut ChaCha8Rng) -> Option<Vec<usize>> {
        let line = |allowed: &Arc<Vec<usize>>| {
            (!allowed.is_empty()).then(|| allowed[random.random_range(0..allowed.len())])
        };
        let tuple: Vec<usize> = self.allowed.iter().map(line).collect::<Option<_>>()?;
        (!tuple.is_empty()).then_some(tuple)
    }

    /// Joint point of a program: the embeddings of its lines concatenated.
    pub(super) fn point_of(&self, program: &[usize]) -> Vec<f32> {
        let embedding = |index: &usize| &self.embeddings.values[index * self.embeddings.dims..];
        let lines = program
            .iter()
            .map(|index| &embedding(index)[..self.embeddings.dims]);
        lines.flatten().copied().collect()
    }

    pub(super) fn random_point(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        let value = |_| random.random_range(-1.0..=1.0);
        (0..self.total_dims()).map(value).collect()
    }

    /// Coordinates of an observed point; `None` unless they are finite and as many as the space has dimensions.
    pub(super) fn coordinates(&self, point: &[f32]) -> Option<Vec<f64>> {
        let is_sound = point.len() == self.total_dims() && point.iter().all(|x| x.is_finite());
        is_sound.then(|| to_f64(point))
    }

    /// Random choice of the coordinates that a perturbation moves: all, or [`MOVED_DIMS`] on average.
    pub(super) fn is_moved(&self, random: &mut ChaCha8Rng) -> bool {
        let share = (MOVED_DIMS / self.total_dims() as f64).min(1.0);
        share >= 1.0 || random.random_bool(share)
    }
}

pub(super) fn to_f64(point: &[f32]) -> Vec<f64> {
    point.iter().map(|&x| f64::from(x)).collect()
}

pub(super) fn to_f32(point: &[f64]) -> Vec<f32> {
    point.iter().map(|&x| x as f32).collect()
}
