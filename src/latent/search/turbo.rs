//! TuRBO: Bayesian optimisation in a trust region that grows on success, shrinks on failure and, once it
//! has collapsed, restarts elsewhere. Eriksson et al., "Scalable Global Optimization via Local Bayesian
//! Optimization" (2019, arXiv 1910.01739), with a single region and LogEI in place of Thompson sampling.
//! Where embeddings of programs are known, those in the region are the candidates, each visited once
//! ([`super::programs`]).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::gp::distance;
use super::sampling::sobol;
use super::surrogate::Observations;
use super::{
    ask_tell::{Candidate, Observation, Posterior, Search},
    programs,
    space::{Space, to_f32, to_f64},
};
use crate::latent::points::Points;

/// Half side of the region relative to the box's: initial, largest, and the one at which it has collapsed.
const INITIAL_HALF_SIDE: f64 = 0.8;
const MAX_HALF_SIDE: f64 = 1.6;
const MIN_HALF_SIDE: f64 = 0.05;
/// Initial half side around an initial point.
const WARM_HALF_SIDE: f64 = 0.2;
/// Consecutive successes that double the region; consecutive failures that halve it: at least this many,
/// and at most the dimensions over `DIMS_PER_FAILURE`.
const SUCCESSES: usize = 3;
const FAILURES: usize = 4;
const DIMS_PER_FAILURE: usize = 4;
/// Relative decrease of the loss that counts as an improvement.
const MIN_IMPROVEMENT: f64 = 1e-3;
/// Number of candidates.
const CANDIDATES: u32 = 512;

/// TuRBO search in progress.
#[derive(Clone)]
pub(super) struct Turbo {
    space: Space,
    random: ChaCha8Rng,
    /// Observations in the current region only.
    observations: Observations,
    /// Points of the region's initial design still to propose.
    initial_design: Vec<Vec<f64>>,
    half_side: f64,
    successes: usize,
    failures: usize,
    /// Points proposed in all regions.
    visited: Vec<Vec<f64>>,
    starts: usize,
}

impl Turbo {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        let mut turbo = Self {
            observations: Observations::default(),
            space,
            random,
            initial_design: Vec::new(),
            half_side: INITIAL_HALF_SIDE,
            successes: 0,
            failures: 0,
            visited: Vec::new(),
            starts: 0,
        };
        turbo.restart();
        turbo
    }

    /// Starts a new region: around the initial points at first, then from random points.
    fn restart(&mut self) {
        let dims = self.space.total_dims();
        self.observations = Observations::default();
        (self.successes, self.failures) = (0, 0);
        let initial_points = &self.space.initial_points;
        if self.starts == 0 && !initial_points.is_empty() {
            let last_first = initial_points.iter().rev();
            self.initial_design = last_first.map(|point| to_f64(point)).collect();
            self.half_side = WARM_HALF_SIDE;
        } else {
            let scramble = self.random.random();
            let count = match self.space.embeddings.len() {
                0 => (2 * dims).clamp(6, 20),
                _ => programs::INITIAL,
            };
            for index in 0..count as u32 {
                let visited = [&self.visited[..], &self.initial_design[..]].concat();
                let program = programs::unvisited(&self.space, &mut self.random, &visited);
                let point = program.unwrap_or_else(|| sobol(index, dims, scramble));
                self.initial_design.push(point);
            }
            self.half_side = INITIAL_HALF_SIDE;
        }
        self.starts += 1;
    }

    /// Candidate of the highest acquisition in the region; `None` if it holds nothing new.
    fn best_candidate(&mut self) -> Option<Vec<f64>> {
        let surrogate = self.observations.surrogate()?;
        let centre = self.observations.points[*self.observations.ranking().first()?].clone();
        // A ball of the box's typical radius: in many dimensions the box itself contains hardly any
        // program.
        let radius = self.half_side * (self.space.total_dims() as f64).sqrt();
        let is_inside = |place: &Vec<f64>| distance(place, &centre) <= radius;
        let elite = std::slice::from_ref(&centre);
        if let Some(programs) = programs::candidates(&self.space, &mut self.random, elite) {
            let is_new = |point: &Vec<f64>| programs::is_new(point, &self.visited);
            return surrogate.best(programs.into_iter().filter(is_inside).filter(is_new));
        }
        let apart = self.space.min_distance(self.visited.len());
        let around = self.around(&centre);
        let is_new = |c: &Vec<f64>| self.visited.iter().all(|point| distance(point, c) > apart);
        surrogate.best(around.into_iter().filter(is_new))
    }

    /// Sobol points of the region; in many dimensions a few coordinates of each are moved.
    fn around(&mut self, centre: &[f64]) -> Vec<Vec<f64>> {
        let (dims, scramble) = (self.space.total_dims(), self.random.random());
        let mut moved = |(u, c): (f64, &f64)| match self.space.is_moved(&mut self.random) {
            true => (c + self.half_side * u).clamp(-1.0, 1.0),
            false => *c,
        };
        let units = (0..CANDIDATES).map(|i| sobol(i, dims, scramble));
        units
            .map(|unit| unit.into_iter().zip(centre).map(&mut moved).collect())
            .collect()
    }
}

impl Search for Turbo {
    fn ask(&mut self) -> Option<Candidate> {
        let mut point = self.initial_design.pop().or_else(|| self.best_candidate());
        if point.is_none() {
            self.restart();
            point = self.initial_design.pop();
        }
        let point = point.unwrap_or_else(|| self.space.random_point(&mut self.random));
        let candidate = Candidate::at(to_f32(&point));
        self.visited.push(point);
        Some(candidate)
    }

    fn tell(&mut self, point: &[f32], observation: &Observation) {
        let Some(point) = self.space.coordinates(point) else {
            return;
        };
        let best = self.observations.lowest();
        self.observations.push(point, observation.loss);
        if !self.initial_design.is_empty() {
            return;
        }
        if f64::from(observation.loss) < best - MIN_IMPROVEMENT * best.abs().min(1e9) {
            (self.successes, self.failures) = (self.successes + 1, 0);
        } else {
            (self.successes, self.failures) = (0, self.failures + 1);
        }
        let per_dims = self.space.total_dims() / DIMS_PER_FAILURE;
        let patience = FAILURES.max(per_dims).min(12);
        if self.successes >= SUCCESSES {
            self.half_side = (2.0 * self.half_side).min(MAX_HALF_SIDE);
            self.successes = 0;
        } else if self.failures >= patience {
            self.half_side /= 2.0;
            self.failures = 0;
        }
        if self.half_side < MIN_HALF_SIDE {
            self.restart();
        }
    }

    fn posterior(&self, points: &Points) -> Option<Vec<Posterior>> {
        self.observations.posteriors(points)
    }
}
