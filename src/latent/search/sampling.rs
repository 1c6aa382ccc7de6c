//! Methods that learn nothing from what they see: the baselines.

use std::{collections::HashSet, sync::Arc};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Candidate, Observation, Search, Space, to_f32};
use crate::latent::points::{Points, distance};

/// Half width of the box around a proposal after the first point that was drawn there, and its growth a point: the whole
/// space is reached after about two hundred.
const NEARBY: f64 = 0.02;
const GROWTH: f64 = 1.02;
/// Draws of a tuple that hasn't been there yet before the walk is given up.
const DRAWS: usize = 1000;

/// How far points are drawn from the proposals after so many.
fn radius(drawn: usize) -> f64 {
    (NEARBY * GROWTH.powi(drawn.min(10_000) as i32)).min(2.0)
}

/// A point of the unit box, scaled and moved around a proposal, or over the whole space where there is none.
fn place(unit: Vec<f64>, space: &Space, drawn: usize) -> Vec<f64> {
    let Some(count) = std::num::NonZeroUsize::new(space.initial_points.len()) else {
        return unit;
    };
    let centre = &space.initial_points[drawn % count];
    let radius = radius(drawn);
    let near = |(x, c): (f64, &f32)| (f64::from(*c) + radius * x).clamp(-1.0, 1.0);
    unit.into_iter().zip(centre).map(near).collect()
}

/// Uniformly random points; around the proposals, ever farther, where there are some.
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
        let unit = self.space.anywhere(&mut self.random);
        let drawn = index - self.space.initial_points.len();
        Some(Candidate::at(to_f32(&place(unit, &self.space, drawn))))
    }

    fn tell(&mut self, _point: &[f32], _seen: &Observation) {}

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

/// A scrambled Sobol sequence (Burley 2020, crate `sobol_burley`): a grid that can end at any point.
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
        let unit = sobol(drawn as u32, self.space.total(), self.scramble);
        Some(Candidate::at(to_f32(&place(unit, &self.space, drawn))))
    }

    fn tell(&mut self, _point: &[f32], _seen: &Observation) {}

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

/// A point of a scrambled Sobol sequence in the box. The crate has 256 dimensions and 65536 points: beyond them another
/// scrambling continues.
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

/// Every program once: of one line in order (from the nearest to the proposals outwards, where there are some), of several
/// lines random tuples without repetition.
#[derive(Clone)]
pub(super) struct Walk {
    space: Space,
    random: ChaCha8Rng,
    order: Arc<Vec<usize>>,
    next: usize,
    been: HashSet<Vec<usize>>,
}

impl Walk {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        let mut order = space.allowed.first().map_or(Vec::new(), |all| all.to_vec());
        if !space.initial_points.is_empty() && space.lines == 1 {
            let away = |place: &[f32]| {
                let all = space
                    .initial_points
                    .iter()
                    .map(|point| distance(point, place));
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
            been: HashSet::new(),
        }
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        for _ in 0..DRAWS {
            let tuple = self.space.tuple(&mut self.random)?;
            if self.been.insert(tuple.clone()) {
                return Some(tuple);
            }
        }
        None
    }
}

impl Search for Walk {
    fn ask(&mut self) -> Option<Candidate> {
        let tuple = if self.space.lines == 1 {
            let index = *self.order.get(self.next)?;
            self.next += 1;
            vec![index]
        } else {
            self.tuple()?
        };
        Some(Candidate::at(joint(&self.space.embeddings, &tuple)))
    }

    fn tell(&mut self, _point: &[f32], _seen: &Observation) {}

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

/// The places of several programs as one point.
pub(super) fn joint(embeddings: &Points, tuple: &[usize]) -> Vec<f32> {
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
