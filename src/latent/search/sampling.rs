//! Baselines that ignore observations: uniform and Sobol sampling, and enumeration of all programs.

use std::{collections::HashSet, sync::Arc};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{
    ask_tell::{Candidate, Search},
    space::{Space, to_f32},
};
use crate::latent::points::distance;

/// Half width of the sampling box around an initial point after the first draw, and its growth per draw: it
/// covers the whole space after about two hundred.
const WARM_HALF_WIDTH: f64 = 0.02;
const WIDTH_GROWTH: f64 = 1.02;
/// Draws of an unvisited tuple before the enumeration ends.
const MAX_DRAWS: usize = 1000;

/// Point of the unit box scaled and moved to the sampling box: around an initial point, or the whole space
/// if there is none.
fn around_initial_point(unit: Vec<f64>, space: &Space, drawn: usize) -> Vec<f64> {
    if space.initial_points.is_empty() {
        return unit;
    }
    let centre = &space.initial_points[drawn % space.initial_points.len()];
    let half_width = (WARM_HALF_WIDTH * WIDTH_GROWTH.powi(drawn.min(10_000) as i32)).min(2.0);
    let near = |(x, c): (f64, &f32)| (f64::from(*c) + half_width * x).clamp(-1.0, 1.0);
    unit.into_iter().zip(centre).map(near).collect()
}

/// Uniformly random points or a scrambled Sobol sequence (Burley 2020, crate `sobol_burley`), which is evenly
/// spread after any number of points; with initial points, around those in a growing box.
#[derive(Clone)]
pub(super) struct RandomSearch {
    space: Space,
    random: ChaCha8Rng,
    /// Scrambling of the sequence; `None` for uniformly random points.
    scramble: Option<u32>,
    proposed: usize,
}

impl RandomSearch {
    pub fn uniform(space: Space, random: ChaCha8Rng) -> Self {
        Self {
            space,
            random,
            scramble: None,
            proposed: 0,
        }
    }

    pub fn sobol(space: Space, mut random: ChaCha8Rng) -> Self {
        Self {
            scramble: Some(random.next_u32()),
            ..Self::uniform(space, random)
        }
    }
}

impl Search for RandomSearch {
    fn ask(&mut self) -> Option<Candidate> {
        let index = self.proposed;
        self.proposed += 1;
        if let Some(point) = self.space.initial_points.get(index) {
            return Some(Candidate::at(point.clone()));
        }
        let drawn = index - self.space.initial_points.len();
        let unit = match self.scramble {
            Some(scramble) => sobol(drawn as u32, self.space.total_dims(), scramble),
            None => self.space.random_point(&mut self.random),
        };
        let point = around_initial_point(unit, &self.space, drawn);
        Some(Candidate::at(to_f32(&point)))
    }
}

/// Point of a scrambled Sobol sequence in the box. The crate has 256 dimensions and 65536 points; beyond
/// these another scrambling continues.
pub(super) fn sobol(index: u32, dims: usize, scramble: u32) -> Vec<f64> {
    let lap = index >> 16;
    (0..dims as u32)
        .map(|d| {
            let seed = scramble
                .wrapping_add(lap)
                .wrapping_add((d >> 8).wrapping_mul(0x9e37_79b9));
            2.0 * f64::from(sobol_burley::sample(index & 0xffff, d & 0xff, seed)) - 1.0
        })
        .collect()
}

/// Enumeration of all programs: single lines in order (with initial points, from the nearest to them
/// outwards), several lines as random tuples without repetition.
#[derive(Clone)]
pub(super) struct Enumeration {
    space: Space,
    random: ChaCha8Rng,
    order: Arc<Vec<usize>>,
    next: usize,
    visited: HashSet<Vec<usize>>,
}

impl Enumeration {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        let mut order = space.allowed.first().map_or(Vec::new(), |all| all.to_vec());
        if !space.initial_points.is_empty() && space.lines == 1 {
            let away = |embedding: &[f32]| {
                let all = space.initial_points.iter();
                all.map(|point| distance(point, embedding))
                    .fold(f32::INFINITY, f32::min)
            };
            let away: Vec<f32> = space.embeddings.iter().map(away).collect();
            order.sort_by(|&a, &b| away[a].total_cmp(&away[b]));
        }
        Self {
            space,
            random,
            order: Arc::new(order),
            next: 0,
            visited: HashSet::new(),
        }
    }
}

impl Search for Enumeration {
    fn ask(&mut self) -> Option<Candidate> {
        let tuple = if self.space.lines == 1 {
            self.next += 1;
            vec![*self.order.get(self.next - 1)?]
        } else {
            (0..MAX_DRAWS)
                .map_while(|_| self.space.random_program(&mut self.random))
                .find(|tuple| self.visited.insert(tuple.clone()))?
        };
        Some(Candidate::at(self.space.point_of(&tuple)))
    }
}
