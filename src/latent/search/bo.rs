//! Bayesian optimisation: the point of which a surrogate promises most.
//!
//! - A few points come first: the proposals of a warm start, else programs at random, else a scrambled Sobol
//!   sequence (crate `sobol_burley`).
//! - Where places of programs are known they are visited, each once ([`super::programs`]).
//! - Elsewhere, and when all have been visited, the promise is maximised over Sobol points, perturbations of the best
//!   observations, and perturbations of the best of both. In many dimensions a perturbation moves a few coordinates only:
//!   Eriksson et al., "Scalable Global Optimization via Local Bayesian Optimization" (2019, arXiv 1910.01739). Once a clear
//!   improvement has become improbable everywhere, a part of the proposals follows the best minimum to its bottom.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::gp::{distance, stretch};
use super::sampling::sobol;
use super::surrogate::{Observations, Surrogate};
use super::{Candidate, Observation, Posterior, Search, Space, programs, to_f32, to_f64};
use crate::latent::points::Points;

/// Programs to begin with.
const OPENING: usize = 8;
/// Promise below which a clear improvement is given up and a small one will do.
const HOPE: f64 = -7.0;
/// Even then only every so many proposals: a surrogate too sure of itself would dig in one plateau for ever.
const TURN: usize = 8;
/// Candidates spread over the whole box.
const SPREAD: u32 = 512;
/// Best observations that are perturbed, and how often each.
const ELITE: usize = 5;
const SIBLINGS: u32 = 16;
/// Steps around the best candidates, as a share of the plane's half side, and how often each candidate is perturbed.
const REFINEMENTS: [f64; 3] = [0.05, 0.02, 0.008];
const REFINED: usize = 5;
const TRIES: usize = 12;
/// Coordinates a perturbation moves, on average, where there are more than that.
const MOVED: f64 = 20.0;
/// How far a point that is only a little better keeps from those before it, in the plane.
const CLOSER: f64 = 0.002;

/// State of the search.
#[derive(Clone)]
pub(super) struct Bayesian {
    space: Space,
    random: ChaCha8Rng,
    scramble: u32,
    /// Points to begin with.
    opening: usize,
    proposals: usize,
    /// Points proposed or observed.
    taken: Vec<Vec<f64>>,
    observations: Observations,
}

impl Bayesian {
    pub fn new(space: Space, mut random: ChaCha8Rng) -> Self {
        let dims = space.total();
        let opening = match space.initial_points.len() {
            0 if !space.embeddings.is_empty() => OPENING,
            0 => (2 * dims + 4).clamp(8, 24),
            proposals => proposals,
        };
        Self {
            observations: Observations::default(),
            space,
            scramble: random.next_u32(),
            random,
            opening,
            proposals: 0,
            taken: Vec::new(),
        }
    }

    /// The candidate with the best acquisition that is no repetition.
    fn best_candidate(&mut self) -> Option<Vec<f64>> {
        let surrogate = self.observations.surrogate()?;
        if let Some(program) = self.best_program(&surrogate) {
            return Some(program);
        }
        let apart = self.space.min_distance(self.proposals);
        let (acquisition, point) = self.maximum(&surrogate, true, apart)?;
        if acquisition > HOPE || !self.proposals.is_multiple_of(TURN) {
            return Some(point);
        }
        self.maximum(&surrogate, false, self.closer())
            .map(|(_, point)| point)
    }

    /// The program of which the surrogate promises most, among those not visited.
    fn best_program(&mut self, surrogate: &Surrogate) -> Option<Vec<f64>> {
        let elite: Vec<Vec<f64>> = self.elite().cloned().collect();
        let candidates = programs::candidates(&self.space, &mut self.random, &elite)?;
        let fresh = candidates
            .into_iter()
            .filter(|candidate| programs::is_new(candidate, &self.taken))
            .map(|candidate| (surrogate.posterior(&candidate, true).acquisition, candidate));
        fresh
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, candidate)| candidate)
    }

    /// The places of the best observations.
    fn elite(&self) -> impl Iterator<Item = &Vec<f64>> {
        let order = self.observations.ranking().into_iter().take(ELITE);
        order.map(|index| &self.observations.points[index])
    }

    /// The largest promise and its place, among points at least `apart` from all taken ones.
    fn maximum(
        &mut self,
        surrogate: &Surrogate,
        is_patient: bool,
        apart: f64,
    ) -> Option<(f64, Vec<f64>)> {
        let score = |candidate: Vec<f64>| {
            let posterior = surrogate.posterior(&candidate, is_patient);
            (posterior.acquisition, candidate)
        };
        let candidates = self.candidates();
        let mut scored: Vec<(f64, Vec<f64>)> = candidates.into_iter().map(score).collect();
        for step in REFINEMENTS {
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut nearby = Vec::with_capacity(REFINED * TRIES);
            for (_, centre) in scored.iter().take(REFINED) {
                nearby.extend((0..TRIES).map(|_| perturbed(&mut self.random, centre, step)));
            }
            scored.extend(nearby.into_iter().map(score));
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored
            .into_iter()
            .find(|(_, candidate)| self.is_new(candidate, apart))
    }

    /// Points over the whole box, others at each call, and perturbations of the best observations, from a length scale down
    /// to an eighth of it.
    fn candidates(&mut self) -> Vec<Vec<f64>> {
        let (dims, scramble) = (self.space.total(), self.random.next_u32());
        let mut candidates: Vec<_> = (0..SPREAD).map(|i| sobol(i, dims, scramble)).collect();
        let length = self.observations.length().unwrap_or(1.0) / stretch(dims);
        for centre in self.elite().cloned().collect::<Vec<_>>() {
            for k in 0..SIBLINGS {
                let step = length / f64::from(1 << (k % 4));
                candidates.push(perturbed(&mut self.random, &centre, step));
            }
        }
        candidates
    }

    fn closer(&self) -> f64 {
        CLOSER * stretch(self.space.total())
    }

    /// Whether nothing nearer than `apart` was taken.
    fn is_new(&self, candidate: &[f64], apart: f64) -> bool {
        self.taken
            .iter()
            .all(|point| distance(point, candidate) >= apart)
    }
}

impl Search for Bayesian {
    fn ask(&mut self) -> Option<Candidate> {
        let index = self.proposals;
        let dims = self.space.total();
        let point = if index < self.opening || self.observations.points.is_empty() {
            let proposal = self
                .space
                .initial_points
                .get(index)
                .map(|point| to_f64(point));
            proposal
                .or_else(|| programs::opener(&self.space, &mut self.random, &self.taken))
                .unwrap_or_else(|| sobol(index as u32, dims, self.scramble))
        } else {
            match self.best_candidate() {
                Some(point) => point,
                None => self.space.anywhere(&mut self.random),
            }
        };
        self.proposals += 1;
        let candidate = Candidate::at(to_f32(&point));
        self.taken.push(point);
        Some(candidate)
    }

    fn tell(&mut self, point: &[f32], observation: &Observation) {
        if point.len() != self.space.total() || point.iter().any(|x| !x.is_finite()) {
            return; // Nothing to learn from, and the surrogate could not bear it.
        }
        let point: Vec<f64> = point.iter().map(|&x| f64::from(x)).collect();
        if self.is_new(&point, self.closer()) {
            self.taken.push(point.clone());
        }
        self.observations.push(point, observation);
    }

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }

    fn posterior(&self, points: &Points) -> Option<Vec<Posterior>> {
        let surrogate = self.observations.clone().surrogate()?;
        Some(surrogate.posteriors(points))
    }
}

/// A point of the box near `centre`.
fn perturbed(random: &mut ChaCha8Rng, centre: &[f64], step: f64) -> Vec<f64> {
    let share = (MOVED / centre.len().max(1) as f64).min(1.0);
    let mut point = centre.to_vec();
    for x in &mut point {
        if share >= 1.0 || random.random_bool(share) {
            *x = (*x + step * random.random_range(-1.0..=1.0)).clamp(-1.0, 1.0);
        }
    }
    point
}
