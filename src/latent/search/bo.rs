//! Bayesian optimisation: each proposal maximises the acquisition of a Gaussian-process surrogate.
//!
//! - Initial design: the given initial points of a warm start, else random programs, else a scrambled Sobol
//!   sequence (crate `sobol_burley`).
//! - Where the embeddings of programs are known, these are the candidates, each visited once
//!   ([`super::programs`]).
//! - Elsewhere, and once all have been visited, the acquisition is maximised over Sobol points,
//!   perturbations of the best observations, and perturbations of the best of both. In many dimensions a
//!   perturbation moves only a few coordinates: Eriksson et al., "Scalable Global Optimization via Local
//!   Bayesian Optimization" (2019, arXiv 1910.01739). Once a clear improvement is improbable everywhere,
//!   some of the proposals refine the best minimum.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::gp::{distance, distance_scale};
use super::sampling::sobol;
use super::surrogate::{Observations, Surrogate};
use super::{
    ask_tell::{Candidate, Observation, Posterior, Search},
    programs,
    space::{Space, to_f32, to_f64},
};
use crate::latent::points::Points;

/// Acquisition (log EI) below which a clear improvement is considered out of reach and a small one is
/// accepted.
const MIN_ACQUISITION: f64 = -7.0;
/// Period, in proposals, of accepting small improvements: an overconfident surrogate would exploit one
/// plateau for ever.
const REFINE_EVERY: usize = 8;
/// Sobol candidates over the whole box.
const SOBOL_CANDIDATES: u32 = 512;
/// Number of best observations that are perturbed, and perturbations of each.
const ELITE: usize = 5;
const PERTURBATIONS_PER_BEST: u32 = 16;
/// Perturbation steps around the best candidates, as shares of the box's half side, and perturbations of
/// each candidate.
const REFINEMENTS: [f64; 3] = [0.05, 0.02, 0.008];
const REFINED_CANDIDATES: usize = 5;
const PERTURBATIONS_PER_CANDIDATE: usize = 12;
/// Minimum distance to earlier points for a small improvement, in the plane.
const REFINEMENT_DISTANCE: f64 = 0.002;

/// Bayesian optimisation in progress.
#[derive(Clone)]
pub(super) struct Bayesian {
    space: Space,
    random: ChaCha8Rng,
    scramble: u32,
    /// Number of points in the initial design.
    initial_design: usize,
    proposals: usize,
    /// Points proposed or observed.
    visited: Vec<Vec<f64>>,
    observations: Observations,
}

impl Bayesian {
    pub fn new(space: Space, mut random: ChaCha8Rng) -> Self {
        let dims = space.total_dims();
        let initial_design = match space.initial_points.len() {
            0 if !space.embeddings.is_empty() => programs::INITIAL,
            0 => (2 * dims + 4).clamp(8, 24),
            proposals => proposals,
        };
        Self {
            observations: Observations::default(),
            space,
            scramble: random.next_u32(),
            random,
            initial_design,
            proposals: 0,
            visited: Vec::new(),
        }
    }

    /// Candidate of the highest acquisition that repeats no earlier point.
    fn best_candidate(&mut self) -> Option<Vec<f64>> {
        let surrogate = self.observations.surrogate()?;
        if let Some(program) = self.best_program(&surrogate) {
            return Some(program);
        }
        let apart = self.space.min_distance(self.proposals);
        let (acquisition, point) = self.maximum(&surrogate, true, apart)?;
        if acquisition > MIN_ACQUISITION || !self.proposals.is_multiple_of(REFINE_EVERY) {
            return Some(point);
        }
        let refined = self.maximum(&surrogate, false, self.refinement_distance());
        refined.map(|(_, point)| point)
    }

    /// Unvisited program of the highest acquisition.
    fn best_program(&mut self, surrogate: &Surrogate) -> Option<Vec<f64>> {
        let elite: Vec<Vec<f64>> = self.elite().cloned().collect();
        let candidates = programs::candidates(&self.space, &mut self.random, &elite)?;
        let is_new = |point: &Vec<f64>| programs::is_new(point, &self.visited);
        surrogate.best(candidates.into_iter().filter(is_new))
    }

    /// Points of the best observations.
    fn elite(&self) -> impl Iterator<Item = &Vec<f64>> {
        let order = self.observations.ranking().into_iter().take(ELITE);
        order.map(|index| &self.observations.points[index])
    }

    /// Maximum of the acquisition and its point, at least `apart` from all earlier points.
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
        let mut scored: Vec<_> = self.candidates().into_iter().map(score).collect();
        for step in REFINEMENTS {
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut nearby = Vec::with_capacity(REFINED_CANDIDATES * PERTURBATIONS_PER_CANDIDATE);
            for (_, centre) in scored.iter().take(REFINED_CANDIDATES) {
                for _ in 0..PERTURBATIONS_PER_CANDIDATE {
                    nearby.push(self.perturbed(centre, step));
                }
            }
            scored.extend(nearby.into_iter().map(score));
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut best_first = scored.into_iter();
        best_first.find(|(_, candidate)| self.is_new(candidate, apart))
    }

    /// Sobol points over the whole box, fresh at each call, and perturbations of the best observations with
    /// steps from one length scale down to an eighth of it.
    fn candidates(&mut self) -> Vec<Vec<f64>> {
        let (dims, scramble) = (self.space.total_dims(), self.random.next_u32());
        let mut candidates: Vec<_> = (0..SOBOL_CANDIDATES)
            .map(|i| sobol(i, dims, scramble))
            .collect();
        let length = self.observations.length().unwrap_or(1.0) / distance_scale(dims);
        for centre in self.elite().cloned().collect::<Vec<_>>() {
            for k in 0..PERTURBATIONS_PER_BEST {
                let step = length / f64::from(1 << (k % 4));
                candidates.push(self.perturbed(&centre, step));
            }
        }
        candidates
    }

    /// Random point of the box near `centre`.
    fn perturbed(&mut self, centre: &[f64], step: f64) -> Vec<f64> {
        let mut point = centre.to_vec();
        for x in &mut point {
            if self.space.is_moved(&mut self.random) {
                *x = (*x + step * self.random.random_range(-1.0..=1.0)).clamp(-1.0, 1.0);
            }
        }
        point
    }

    fn refinement_distance(&self) -> f64 {
        REFINEMENT_DISTANCE * distance_scale(self.space.total_dims())
    }

    /// True if all earlier points are at least `apart` away.
    fn is_new(&self, candidate: &[f64], apart: f64) -> bool {
        let mut apart_from = self.visited.iter().map(|point| distance(point, candidate));
        apart_from.all(|distance| distance >= apart)
    }
}

impl Search for Bayesian {
    fn ask(&mut self) -> Option<Candidate> {
        let index = self.proposals;
        let dims = self.space.total_dims();
        let point = if index < self.initial_design || self.observations.points.is_empty() {
            let proposal = self.space.initial_points.get(index);
            let proposal = proposal.map(|point| to_f64(point));
            proposal
                .or_else(|| programs::unvisited(&self.space, &mut self.random, &self.visited))
                .unwrap_or_else(|| sobol(index as u32, dims, self.scramble))
        } else {
            let best = self.best_candidate();
            best.unwrap_or_else(|| self.space.random_point(&mut self.random))
        };
        self.proposals += 1;
        let candidate = Candidate::at(to_f32(&point));
        self.visited.push(point);
        Some(candidate)
    }

    fn tell(&mut self, point: &[f32], observation: &Observation) {
        let Some(point) = self.space.coordinates(point) else {
            return;
        };
        if self.is_new(&point, self.refinement_distance()) {
            self.visited.push(point.clone());
        }
        self.observations.push(point, observation.loss);
    }

    fn posterior(&self, points: &Points) -> Option<Vec<Posterior>> {
        self.observations.posteriors(points)
    }
}
