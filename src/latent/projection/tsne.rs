//! t-SNE (van der Maaten and Hinton 2008) with Barnes and Hut's approximation, begun at the PCA (Kobak
//! and Berens 2019), with openTSNE's step length and exaggeration. Deterministic: the same points, seed
//! and settings give the same places, on any number of threads.
//!
//! Measured by `tests/peers/tsne.py`; its head has the figures. The crate bhtsne 0.7 is about as quick, but
//! a fit of it can't be broken off.

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

/// Steps during which neighbours attract one another more than they should, so that groups gather.
pub const EARLY_STEPS: usize = 250;
/// Steps in all.
pub const STEPS: usize = 750;
/// How much more.
const EXAGGERATION: f32 = 12.0;
const MOMENTUM: f32 = 0.8;
/// Spread of the first places: small, so that they don't hinder what follows.
const FIRST_SPREAD: f32 = 1e-4;
/// Farthest a point moves in a step, in the plane's unit: keeps few points from being thrown out.
const LONGEST_STEP: f32 = 5.0;
/// Step length where there are few points.
const SHORTEST_RATE: f32 = 20.0;
/// Points a task.
const TASK: usize = 256;
/// Up to so many points a step isn't worth sharing.
const FEW: usize = 1024;

/// Settings of a t-SNE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tsne {
    /// How many neighbours count, roughly: at most nine tenths of the other points, to which larger ones
    /// are lowered, and at least 1.
    pub perplexity: f32,
    /// Of the small shifts that part points in one place.
    pub seed: u64,
    /// Steps in all.
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
    /// The perplexity that `n` points allow.
    pub fn perplexity_of(&self, n: usize) -> f32 {
        self.perplexity
            .min((n.saturating_sub(1) as f32 * 0.9).floor())
            .max(1.0)
    }
}

/// How far a t-SNE is.
#[derive(Clone, Copy, Debug)]
pub struct TsneStage<'a> {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Where the points are now; empty before the first step.
    pub places: &'a [[f32; 2]],
}

impl TsneStage<'_> {
    /// The places as points, in the points' order.
    pub fn points(&self) -> Points {
        flat(self.places)
    }
}

/// Places of the points on the plane, N x 2, in their order. `watch` sees every step, and some moments
/// before the first; `None` once it breaks off. Values that aren't finite make places that aren't.
pub fn tsne(
    points: &Points,
    settings: &Tsne,
    watch: &mut dyn FnMut(TsneStage<'_>) -> ControlFlow<()>,
) -> Option<Points> {
    let (n, steps) = (points.len(), settings.steps);
    let mut places = begin(points, settings.seed);
    if n < 3 {
        // Two points have no neighbourhoods to keep.
        return Some(pca(points));
    }
    let perplexity = settings.perplexity_of(n);
    let k = ((3.0 * perplexity).ceil() as usize).min(n - 1);
    let mut early = || {
        watch(TsneStage {
            step: 0,
            steps,
            places: &[],
        })
    };
    let attraction = Attraction::new(&neighbours(points, k, &mut early)?, perplexity);
    let mut repulsion = Repulsion::default();
    let (mut speeds, mut gains) = (vec![[0.0_f32; 2]; n], vec![[1.0_f32; 2]; n]);
    for step in 0..steps {
        let exaggeration = if step < EARLY_STEPS {
            EXAGGERATION
        } else {
            1.0
        };
        if step == EARLY_STEPS {
            speeds.fill([0.0; 2]);
            gains.fill([1.0; 2]);
        }
        let rate = (n as f32 / exaggeration).max(SHORTEST_RATE);
        let pull = attraction.forces(&places);
        repulsion.measure(&places);
        let push = (1.0 / repulsion.total.max(f64::MIN_POSITIVE)) as f32;
        for (index, place) in places.iter_mut().enumerate() {
            let (speed, gain) = (&mut speeds[index], &mut gains[index]);
            for axis in 0..2 {
                let slope = exaggeration * pull[index][axis] - push * repulsion.forces[index][axis];
                // Jacobs's gains: longer steps where the direction stays.
                gain[axis] = if (slope > 0.0) == (speed[axis] > 0.0) {
                    (gain[axis] * 0.8).max(0.01)
                } else {
                    gain[axis] + 0.2
                };
                speed[axis] = MOMENTUM * speed[axis] - rate * gain[axis] * slope;
            }
            let length = speed[0].hypot(speed[1]);
            if length > LONGEST_STEP {
                *speed = speed.map(|part| part * LONGEST_STEP / length);
            }
            place[0] += speed[0];
            place[1] += speed[1];
        }
        centre(&mut places);
        let stage = TsneStage {
            step: step + 1,
            steps,
            places: &places,
        };
        if watch(stage).is_break() {
            return None;
        }
    }
    Some(flat(&places))
}

/// The PCA in small, points in one place a little apart.
fn begin(points: &Points, seed: u64) -> Vec<[f32; 2]> {
    let plane = pca(points);
    let n = points.len().max(1) as f32;
    let spread = (plane.iter().map(|at| at[0] * at[0]).sum::<f32>() / n).sqrt();
    let scale = if spread > 0.0 {
        FIRST_SPREAD / spread
    } else {
        0.0
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shift = || 0.01 * FIRST_SPREAD * random.random_range(-1.0_f32..=1.0);
    let places = plane
        .iter()
        .map(|at| [at[0] * scale + shift(), at[1] * scale + shift()]);
    places.collect()
}

fn flat(places: &[[f32; 2]]) -> Points {
    Points {
        dims: 2,
        values: places.as_flattened().to_vec(),
    }
}

fn centre(places: &mut [[f32; 2]]) {
    for axis in 0..2 {
        let sum: f64 = places.iter().map(|place| f64::from(place[axis])).sum();
        let mean = (sum / places.len() as f64) as f32;
        places.iter_mut().for_each(|place| place[axis] -= mean);
    }
}

/// The joint probabilities of neighbours, row by row.
struct Attraction {
    /// Where each row begins; one more than there are rows.
    begins: Vec<usize>,
    to: Vec<u32>,
    p: Vec<f32>,
}

impl Attraction {
    fn new(near: &Neighbours, perplexity: f32) -> Self {
        let (k, n) = (near.k, near.index.len() / near.k);
        let mut one_way = vec![0.0_f32; n * k];
        one_way
            .par_chunks_mut(k)
            .zip(near.squared.par_chunks(k))
            .for_each(|(p, squared)| conditional(squared, perplexity, p));
        // p_ij = (p_j|i + p_i|j) / 2n, kept where either is.
        let mut edges: Vec<(u32, u32, f32)> = Vec::with_capacity(2 * n * k);
        for (at, (other, p)) in near.index.iter().zip(&one_way).enumerate() {
            let row = (at / k) as u32;
            let p = p / (2.0 * n as f32);
            edges.push((row, *other, p));
            edges.push((*other, row, p));
        }
        edges.par_sort_unstable_by_key(|(row, other, _)| (*row, *other));
        let mut matrix = Self {
            begins: vec![0; n + 1],
            to: Vec::with_capacity(edges.len()),
            p: Vec::with_capacity(edges.len()),
        };
        for pair in edges.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            matrix.to.push(pair[0].1);
            // Two at most, and their sum doesn't depend on their order.
            matrix.p.push(pair.iter().map(|edge| edge.2).sum());
            matrix.begins[pair[0].0 as usize + 1] = matrix.to.len();
        }
        matrix
    }

    /// The sum over a point's neighbours of `p q (y_i - y_j)`.
    fn forces(&self, places: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let force = |row: usize| {
            let at = places[row];
            let edges = self.begins[row]..self.begins[row + 1];
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
        let n = places.len();
        if n <= FEW {
            return (0..n).map(force).collect();
        }
        let rows = (0..n).into_par_iter().with_min_len(TASK);
        rows.map(force).collect()
    }
}

/// Probabilities of the neighbours at these squared distances whose entropy is that of `perplexity`
/// equal ones, found by bisection of the bell's width.
fn conditional(squared: &[f32], perplexity: f32, p: &mut [f32]) {
    let nearest = squared.first().copied().unwrap_or_default();
    let wanted = perplexity.ln();
    let (mut low, mut high, mut beta) = (0.0_f32, f32::INFINITY, 1.0_f32);
    for _ in 0..100 {
        // Of p = exp(-beta d) / sum the entropy is ln sum + beta mean(d), here with d from the nearest on.
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
            beta = if high.is_finite() {
                (low + high) / 2.0
            } else {
                beta * 2.0
            };
        } else {
            high = beta;
            beta = (low + high) / 2.0;
        }
        if !beta.is_finite() {
            break;
        }
    }
}
