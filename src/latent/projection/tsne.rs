//! t-SNE (van der Maaten and Hinton 2008) with the Barnes-Hut approximation, initialised by PCA (Kobak and
//! Berens 2019), with openTSNE's learning rate and early exaggeration. Deterministic: equal points, seed
//! and settings give equal layouts on any number of threads.
//!
//! Measured by `tests/peers/tsne.py`; the figures are in its head. The crate bhtsne 0.7 is about as fast,
//! but its fit can't be cancelled.

use std::ops::ControlFlow;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    neighbours::{Neighbours, neighbours},
    pca::pca,
    quadtree::Repulsion,
};
use crate::latent::points::Points;

/// Steps of early exaggeration, in which attraction is amplified so that clusters form.
pub const EARLY_STEPS: usize = 250;
/// Default number of steps, early exaggeration included.
pub const STEPS: usize = 750;
/// Factor on attraction during early exaggeration.
const EXAGGERATION: f32 = 12.0;
const MOMENTUM: f32 = 0.8;
/// Standard deviation of the initial layout: small, so that it doesn't constrain the optimisation.
const INITIAL_STD: f32 = 1e-4;
/// Largest displacement of a point in one step, in the plane's unit: keeps outliers from being thrown out.
const MAX_STEP: f32 = 5.0;
/// Lower bound of the learning rate, for few points.
const MIN_LEARNING_RATE: f32 = 20.0;
/// Points per rayon task.
const POINTS_PER_TASK: usize = 256;
/// Number of points up to which a step runs on one thread.
const MAX_SERIAL_POINTS: usize = 1024;

/// Settings of t-SNE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tsne {
    /// Effective number of neighbours: clamped to between 1 and nine tenths of the other points.
    pub perplexity: f32,
    /// Seed of the jitter that separates coincident points.
    pub seed: u64,
    /// Number of steps.
    pub steps: usize,
}

impl Default for Tsne {
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            seed: 0,
            steps: STEPS,
        }
    }
}

impl Tsne {
    /// Perplexity after clamping for `n` points.
    pub fn perplexity_of(&self, n: usize) -> f32 {
        let most = (n.saturating_sub(1) as f32 * 0.9).floor();
        self.perplexity.min(most).max(1.0)
    }
}

/// Progress of a t-SNE fit.
#[derive(Clone, Copy, Debug)]
pub struct TsneStage<'a> {
    /// Steps done.
    pub step: usize,
    /// Steps in total.
    pub steps: usize,
    /// Current layout; empty before the first step.
    pub places: &'a [[f32; 2]],
}

impl TsneStage<'_> {
    /// Current layout as points, in the points' order.
    pub fn points(&self) -> Points {
        Points::plane(self.places.iter().copied())
    }
}

/// Layout of the points on the plane, N x 2, in their order. `on_step` is called at every step, and a few
/// times before the first; `None` once it breaks off. Values that are not finite yield coordinates that are
/// not.
pub fn tsne(
    points: &Points,
    settings: &Tsne,
    on_step: &mut dyn FnMut(TsneStage<'_>) -> ControlFlow<()>,
) -> Option<Points> {
    let (n, steps) = (points.len(), settings.steps);
    if n < 3 {
        // Two points have no neighbourhoods to preserve.
        return Some(pca(points));
    }
    let mut places = initial_layout(points, settings.seed);
    let perplexity = settings.perplexity_of(n);
    let k = ((3.0 * perplexity).ceil() as usize).min(n - 1);
    let mut stage = |step: usize, places: &[[f32; 2]]| {
        on_step(TsneStage {
            step,
            steps,
            places,
        })
    };
    let mut before_first = || stage(0, &[]);
    let attraction = Attraction::new(&neighbours(points, k, &mut before_first)?, perplexity);
    let mut repulsion = Repulsion::default();
    let (mut velocities, mut gains) = (vec![[0.0_f32; 2]; n], vec![[1.0_f32; 2]; n]);
    for step in 0..steps {
        let exaggeration = match step < EARLY_STEPS {
            true => EXAGGERATION,
            false => 1.0,
        };
        if step == EARLY_STEPS {
            velocities.fill([0.0; 2]);
            gains.fill([1.0; 2]);
        }
        let learning_rate = (n as f32 / exaggeration).max(MIN_LEARNING_RATE);
        let pull = attraction.forces(&places);
        repulsion.measure(&places);
        let push = (1.0 / repulsion.total.max(f64::MIN_POSITIVE)) as f32;
        for (index, place) in places.iter_mut().enumerate() {
            let (velocity, gain) = (&mut velocities[index], &mut gains[index]);
            for axis in 0..2 {
                let gradient =
                    exaggeration * pull[index][axis] - push * repulsion.forces[index][axis];
                // Jacobs's gains: longer steps in a steady direction.
                gain[axis] = if (gradient > 0.0) == (velocity[axis] > 0.0) {
                    (gain[axis] * 0.8).max(0.01)
                } else {
                    gain[axis] + 0.2
                };
                velocity[axis] = MOMENTUM * velocity[axis] - learning_rate * gain[axis] * gradient;
            }
            let length = velocity[0].hypot(velocity[1]);
            if length > MAX_STEP {
                *velocity = velocity.map(|part| part * MAX_STEP / length);
            }
            place[0] += velocity[0];
            place[1] += velocity[1];
        }
        centre(&mut places);
        if stage(step + 1, &places).is_break() {
            return None;
        }
    }
    Some(Points::plane(places))
}

/// Initial layout: the PCA scaled down, with jitter for coincident points.
fn initial_layout(points: &Points, seed: u64) -> Vec<[f32; 2]> {
    let plane = pca(points);
    let n = points.len().max(1) as f32;
    let spread = (plane.iter().map(|at| at[0] * at[0]).sum::<f32>() / n).sqrt();
    let scale = match spread > 0.0 {
        true => INITIAL_STD / spread,
        false => 0.0,
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shifted = |x: f32| x * scale + 0.01 * INITIAL_STD * random.random_range(-1.0_f32..=1.0);
    plane
        .iter()
        .map(|at| [shifted(at[0]), shifted(at[1])])
        .collect()
}

fn centre(places: &mut [[f32; 2]]) {
    for axis in 0..2 {
        let sum: f64 = places.iter().map(|place| f64::from(place[axis])).sum();
        let mean = (sum / places.len() as f64) as f32;
        places.iter_mut().for_each(|place| place[axis] -= mean);
    }
}

/// Sparse joint probabilities of neighbours (compressed rows).
struct Attraction {
    /// Start of each row; one entry more than there are rows.
    row_starts: Vec<usize>,
    to: Vec<u32>,
    p: Vec<f32>,
}

impl Attraction {
    fn new(near: &Neighbours, perplexity: f32) -> Self {
        let (k, n) = (near.k, near.index.len() / near.k);
        let mut one_way = vec![0.0_f32; n * k];
        let rows = one_way.par_chunks_mut(k).zip(near.squared.par_chunks(k));
        rows.for_each(|(p, squared)| conditional(squared, perplexity, p));
        // p_ij = (p_j|i + p_i|j) / 2n, sparse: kept if either is.
        let mut edges: Vec<(u32, u32, f32)> = Vec::with_capacity(2 * n * k);
        for (at, (other, p)) in near.index.iter().zip(&one_way).enumerate() {
            let row = (at / k) as u32;
            let p = p / (2.0 * n as f32);
            edges.push((row, *other, p));
            edges.push((*other, row, p));
        }
        edges.par_sort_unstable_by_key(|(row, other, _)| (*row, *other));
        let mut matrix = Self {
            row_starts: vec![0; n + 1],
            to: Vec::with_capacity(edges.len()),
            p: Vec::with_capacity(edges.len()),
        };
        for pair in edges.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            matrix.to.push(pair[0].1);
            // Two terms at most, so their order doesn't matter.
            matrix.p.push(pair.iter().map(|edge| edge.2).sum());
            matrix.row_starts[pair[0].0 as usize + 1] = matrix.to.len();
        }
        matrix
    }

    /// Attractive force on each point: the sum over its neighbours of `p q (y_i - y_j)`.
    fn forces(&self, places: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let force = |row: usize| {
            let at = places[row];
            let edges = self.row_starts[row]..self.row_starts[row + 1];
            let mut force = [0.0; 2];
            for (other, p) in self.to[edges.clone()].iter().zip(&self.p[edges]) {
                let other = places[*other as usize];
                let [x, y] = [at[0] - other[0], at[1] - other[1]];
                let pq = p / (1.0 + x * x + y * y);
                force[0] += pq * x;
                force[1] += pq * y;
            }
            force
        };
        if places.len() <= MAX_SERIAL_POINTS {
            return (0..places.len()).map(force).collect();
        }
        let rows = (0..places.len()).into_par_iter();
        rows.with_min_len(POINTS_PER_TASK).map(force).collect()
    }
}

/// Conditional probabilities of the neighbours at these squared distances, of entropy `ln(perplexity)`; the
/// Gaussian's precision is found by bisection.
fn conditional(squared: &[f32], perplexity: f32, p: &mut [f32]) {
    let nearest = squared.first().copied().unwrap_or_default();
    let wanted = perplexity.ln();
    let (mut low, mut high, mut beta) = (0.0_f32, f32::INFINITY, 1.0_f32);
    for _ in 0..100 {
        // The entropy of p = exp(-beta d) / sum is ln sum + beta mean(d); d counts from the nearest.
        let (mut sum, mut mean) = (0.0_f32, 0.0_f32);
        for (p, squared) in p.iter_mut().zip(squared) {
            let d = squared - nearest;
            *p = (-beta * d).exp();
            sum += *p;
            mean += *p * d;
        }
        let entropy = sum.ln() + beta * mean / sum;
        p.iter_mut().for_each(|p| *p /= sum);
        if (entropy - wanted).abs() < 1e-5 {
            break;
        }
        if entropy > wanted {
            low = beta;
        } else {
            high = beta;
        }
        beta = match high.is_finite() {
            true => (low + high) / 2.0,
            false => beta * 2.0,
        };
        if !beta.is_finite() {
            break;
        }
    }
}
