//! TuRBO: Bayesian optimisation in a trust region that grows with success, shrinks with failure and, once it has shrunk
//! away, begins elsewhere. Eriksson et al., "Scalable Global Optimization via Local Bayesian Optimization" (2019, arXiv
//! 1910.01739), with one region at a time and LogEI in place of Thompson's draws. Where places of programs are known, those
//! in the region are visited, each once ([`super::programs`]).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::gp::distance;
use super::sampling::sobol;
use super::surrogate::Observations;
use super::{Candidate, Observation, Posterior, Search, Space, programs, to_f32, to_f64};
use crate::latent::points::Points;

/// Half side of the region over the box's: at first, at most, and where it has shrunk away.
const FIRST: f64 = 0.8;
const WIDEST: f64 = 1.6;
const GONE: f64 = 0.05;
/// The first around a proposal.
const NEARBY: f64 = 0.2;
/// Successes in a row after which it doubles; failures after which it halves: so many at least, and the dimensions over
/// this at most.
const SUCCESSES: usize = 3;
const FAILURES: usize = 4;
const DIMS_A_FAILURE: usize = 4;
/// An improvement counts from this share of the loss's deviation.
const CLEAR: f64 = 1e-3;
/// Programs to begin a region with.
const OPENING: usize = 8;
/// Candidates, and how many coordinates of each are moved on average.
const CANDIDATES: u32 = 512;
const MOVED: f64 = 20.0;
/// Points nearer than this are one program.
const SAME: f64 = 1e-6;

/// State of the search.
#[derive(Clone)]
pub(super) struct Turbo {
    space: Space,
    random: ChaCha8Rng,
    /// Of the region at work alone.
    observations: Observations,
    /// Points to begin the region with.
    opening: Vec<Vec<f64>>,
    half_side: f64,
    successes: usize,
    failures: usize,
    /// All points proposed, over all regions.
    taken: Vec<Vec<f64>>,
    starts: usize,
}

impl Turbo {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        let mut turbo = Self {
            observations: Observations::default(),
            space,
            random,
            opening: Vec::new(),
            half_side: FIRST,
            successes: 0,
            failures: 0,
            taken: Vec::new(),
            starts: 0,
        };
        turbo.begin();
        turbo
    }

    /// Another region: around the proposals at first, then from points anywhere.
    fn begin(&mut self) {
        let dims = self.space.total();
        self.observations = Observations::default();
        (self.successes, self.failures) = (0, 0);
        let initial_points = &self.space.initial_points;
        if self.starts == 0 && !initial_points.is_empty() {
            self.opening = initial_points
                .iter()
                .rev()
                .map(|point| to_f64(point))
                .collect();
            self.half_side = NEARBY;
        } else {
            let scramble = self.random.random();
            let count = match self.space.embeddings.len() {
                0 => (2 * dims).clamp(6, 20),
                _ => OPENING,
            };
            for index in 0..count as u32 {
                let taken = [&self.taken[..], &self.opening[..]].concat();
                let program = programs::opener(&self.space, &mut self.random, &taken);
                let point = program.unwrap_or_else(|| sobol(index, dims, scramble));
                self.opening.push(point);
            }
            self.half_side = FIRST;
        }
        self.starts += 1;
    }

    /// The most promising candidate of the region; None when there is nothing new in it.
    fn best_candidate(&mut self) -> Option<Vec<f64>> {
        let surrogate = self.observations.surrogate()?;
        let centre = self.observations.points[*self.observations.ranking().first()?].clone();
        // A ball as wide as the box is for most of its points: the box itself has hardly a program in many dimensions.
        let radius = self.half_side * (self.space.total() as f64).sqrt();
        let is_inside = |place: &Vec<f64>| distance(place, &centre) <= radius;
        let elite = std::slice::from_ref(&centre);
        let (candidates, apart) = match programs::candidates(&self.space, &mut self.random, elite) {
            Some(programs) => (programs.into_iter().filter(is_inside).collect(), SAME),
            None => (
                self.around(&centre),
                self.space.min_distance(self.taken.len()),
            ),
        };
        let is_new = |c: &Vec<f64>| self.taken.iter().all(|point| distance(point, c) > apart);
        let fresh = candidates.into_iter().filter(is_new);
        fresh
            .map(|candidate| (surrogate.posterior(&candidate, true).acquisition, candidate))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, candidate)| candidate)
    }

    /// Points of the region; in many dimensions a few coordinates of each are moved.
    fn around(&mut self, centre: &[f64]) -> Vec<Vec<f64>> {
        let dims = self.space.total();
        let share = (MOVED / dims as f64).min(1.0);
        let (half, scramble) = (self.half_side, self.random.random());
        let mut moved = |c: f64, u: f64| {
            let is_moved = share >= 1.0 || self.random.random_bool(share);
            if is_moved {
                (c + half * u).clamp(-1.0, 1.0)
            } else {
                c
            }
        };
        let point = |i: u32| {
            let unit = sobol(i, dims, scramble).into_iter();
            unit.zip(centre).map(|(u, c)| moved(*c, u)).collect()
        };
        (0..CANDIDATES).map(point).collect()
    }
}

impl Search for Turbo {
    fn ask(&mut self) -> Option<Candidate> {
        let mut point = self.opening.pop();
        if point.is_none() {
            point = self.best_candidate();
        }
        if point.is_none() {
            self.begin();
            point = self.opening.pop();
        }
        let point = point.unwrap_or_else(|| self.space.anywhere(&mut self.random));
        let candidate = Candidate::at(to_f32(&point));
        self.taken.push(point);
        Some(candidate)
    }

    fn tell(&mut self, point: &[f32], observation: &Observation) {
        if point.len() != self.space.total() || point.iter().any(|x| !x.is_finite()) {
            return;
        }
        let best = self
            .observations
            .losses
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min);
        self.observations
            .push(point.iter().map(|&x| f64::from(x)).collect(), observation);
        if !self.opening.is_empty() {
            return;
        }
        if f64::from(observation.loss) < best - CLEAR * best.abs().min(1e9) {
            (self.successes, self.failures) = (self.successes + 1, 0);
        } else {
            (self.successes, self.failures) = (0, self.failures + 1);
        }
        let patience = FAILURES.max(self.space.total() / DIMS_A_FAILURE).min(12);
        if self.successes >= SUCCESSES {
            self.half_side = (2.0 * self.half_side).min(WIDEST);
            self.successes = 0;
        } else if self.failures >= patience {
            self.half_side /= 2.0;
            self.failures = 0;
        }
        if self.half_side < GONE {
            self.begin();
        }
    }

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }

    fn posterior(&self, points: &Points) -> Option<Vec<Posterior>> {
        let surrogate = self.observations.clone().surrogate()?;
        Some(surrogate.posteriors(points))
    }
}
