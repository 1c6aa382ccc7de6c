//! Baselines that ignore observations: uniform and Sobol sampling, and enumeration of all programs.

use std::{collections::HashSet, sync::Arc};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{
    ask_tell::{Candidate, Observation, Search},
    space::{Space, to_f32},
};
use crate::latent::points::{Points, distance};

/// Half width of the sampling box around an initial point after the first draw, and its growth per draw: it
/// covers the whole space after about two hundred.
const WARM_HALF_WIDTH: f64 = 0.02;
const WIDTH_GROWTH: f64 = 1.02;
/// Draws of an unvisited tuple before the enumeration ends.
const MAX_DRAWS: usize = 1000;

/// Half width of the sampling box after `drawn` draws.
fn half_width(drawn: usize) -> f64 {
    (WARM_HALF_WIDTH * WIDTH_GROWTH.powi(drawn.min(10_000) as i32)).min(2.0)
}

/// Point of the unit box scaled and moved to the sampling box: around an initial point, or the whole space
/// if there is none.
fn around_initial_point(unit: Vec<f64>, space: &Space, drawn: usize) -> Vec<f64> {
    let Some(count) = std::num::NonZeroUsize::new(space.initial_points.len()) else {
        return unit;
    };
    let centre = &space.initial_points[drawn % count];
    let half_width = half_width(drawn);
    let near = |(x, c): (f64, &f32)| (f64::from(*c) + half_width * x).clamp(-1.0, 1.0);
    unit.into_iter().zip(centre).map(near).collect()
}

/// Uniformly random points; with initial points, around those in a growing box.
#[derive(Clone)]
pub(super) struct Uniform {
    space: Space,
    random: ChaCha8Rng,
    proposed: usize,
}

impl Uniform {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        Self {
            space,
            random,
            proposed: 0,
        }
    }
}

impl Search for Uniform {
    fn ask(&mut self) -> Option<Candidate> {
        let index = self.proposed;
        self.proposed += 1;
        if let Some(point) = self.space.initial_points.get(index) {
            return Some(Candidate::at(point.clone()));
        }
        let unit = self.space.random_point(&mut self.random);
        let drawn = index - self.space.initial_points.len();
        Some(Candidate::at(to_f32(&around_initial_point(
            unit,
            &self.space,
            drawn,
        ))))
    }

    fn tell(&mut self, _point: &[f32], _seen: &Observation) {}

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

/// Scrambled Sobol sequence (Burley 2020, crate `sobol_burley`): evenly spread after any number of points.
#[derive(Clone)]
pub(super) struct Sobol {
    space: Space,
    scramble: u32,
    proposed: usize,
}

impl Sobol {
    pub fn new(space: Space, mut random: ChaCha8Rng) -> Self {
        Self {
            space,
            scramble: random.next_u32(),
            proposed: 0,
        }
    }
}

impl Search for Sobol {
    fn ask(&mut self) -> Option<Candidate> {
        let index = self.proposed;
        self.proposed += 1;
        if let Some(point) = self.space.initial_points.get(index) {
            return Some(Candidate::at(point.clone()));
        }
        let drawn = index - self.space.initial_points.len();
        let unit = sobol(drawn as u32, self.space.total_dims(), self.scramble);
        Some(Candidate::at(to_f32(&around_initial_point(
            unit,
            &self.space,
            drawn,
        ))))
    }

    fn tell(&mut self, _point: &[f32], _seen: &Observation) {}

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
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
            let away = |around_initial_point: &[f32]| {
                let all = space
                    .initial_points
                    .iter()
                    .map(|point| distance(point, around_initial_point));
                all.fold(f32::INFINITY, f32::min)
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

    fn random_program(&mut self) -> Option<Vec<usize>> {
        for _ in 0..MAX_DRAWS {
            let tuple = self.space.random_program(&mut self.random)?;
            if self.visited.insert(tuple.clone()) {
                return Some(tuple);
            }
        }
        None
    }
}

impl Search for Enumeration {
    fn ask(&mut self) -> Option<Candidate> {
        let tuple = if self.space.lines == 1 {
            let index = *self.order.get(self.next)?;
            self.next += 1;
            vec![index]
        } else {
            self.random_program()?
        };
        Some(Candidate::at(concatenated(&self.space.embeddings, &tuple)))
    }

    fn tell(&mut self, _point: &[f32], _seen: &Observation) {}

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

/// Joint point of a program of several lines: their embeddings concatenated.
pub(super) fn concatenated(embeddings: &Points, tuple: &[usize]) -> Vec<f32> {
    let dims = embeddings.dims;
    tuple
        .iter()
        .flat_map(|index| embeddings.values[index * dims..][..dims].iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sobol_points_fill_the_box_in_any_dimension() {
        for dims in [1, 2, 10, 300] {
            let points: Vec<_> = (0..64).map(|i| sobol(i, dims, 5)).collect();
            assert!(points.iter().flatten().all(|x| (-1.0..=1.0).contains(x)));
            let low = points.iter().filter(|p| p[dims - 1] < 0.0).count();
            assert!((24..=40).contains(&low), "{low}");
        }
    }
}
