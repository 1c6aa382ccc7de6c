//! Bayesian optimisation: a surrogate of the loss, and the point from which it expects the largest improvement.
//!
//! - A scrambled Sobol sequence comes first (crate `sobol_burley`).
//! - The surrogate sees standardised log(1 + loss): steep walls are compressed, while losses near zero, all good enough
//!   to end the search, are not pulled apart as a plain logarithm would.
//! - The acquisition is LogEI: Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian Optimization"
//!   (2023, arXiv 2310.20708). The improvement counts from a margin below the best loss, because the search ends with the
//!   first program that solves the task: only a clear improvement is worth a visit, and without the margin a good plateau
//!   traps the search. Once a clear improvement has become improbable everywhere, a part of the proposals drops the
//!   margin and follows the best minimum to its bottom.
//! - It is maximised over Sobol points, perturbations of the best observations, and perturbations of the best of both.
//!   In many dimensions a perturbation moves a few coordinates only: Eriksson et al., "Scalable Global Optimization via
//!   Local Bayesian Optimization" (2019, arXiv 1910.01739).

use std::f64::consts::{PI, SQRT_2};

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::gp::{Scales, Surrogate, distance, stretch};
use super::sampling::sobol;
use super::{Query, Search, Seen, Space, to_f32};

/// Margin below the best observation, in standard deviations of all transformed losses.
const MARGIN: f64 = 0.4;
/// Logarithm of the expected improvement below which a clear improvement is given up and a small one will do.
const HOPE: f64 = -7.0;
/// Even then only every so many proposals: a surrogate too sure of itself would dig in one plateau for ever.
const TURN: usize = 8;
/// New observations after which the surrogate's parameters are fitted again.
const REFIT: usize = 3;
/// Candidates spread over the whole box.
const SPREAD: u32 = 512;
/// Best observations that are perturbed, and how often each.
const ELITE: usize = 5;
const SIBLINGS: u32 = 20;
/// Steps around the best candidates, as a share of the plane's half side, and how often each candidate is perturbed.
const REFINEMENTS: [f64; 3] = [0.05, 0.02, 0.008];
const REFINED: usize = 5;
const TRIES: usize = 12;
/// Coordinates a perturbation moves, on average, where there are more than that.
const MOVED: f64 = 20.0;
/// A point nearer than this to one already proposed would teach nothing about where a clear improvement lies: wide at
/// first, then ever narrower, because what a long search has not met lies in a small region.
const APART: [f64; 2] = [0.04, 0.01];
/// Proposals in which the width comes nearer to its end by a factor e.
const NARROWING: f64 = 60.0;
/// The same for a small improvement.
const CLOSER: f64 = 0.002;

/// State of the search.
#[derive(Clone)]
pub(super) struct Bayesian {
    space: Space,
    dims: usize,
    random: ChaCha8Rng,
    scramble: u32,
    /// Sobol points to begin with.
    opening: usize,
    proposals: usize,
    /// Points proposed or observed.
    taken: Vec<Vec<f64>>,
    points: Vec<Vec<f64>>,
    losses: Vec<f64>,
    scales: Scales,
    /// Observations there were at the last fit.
    fitted: usize,
}

impl Bayesian {
    pub fn new(space: Space, mut random: ChaCha8Rng) -> Self {
        let dims = space.total();
        Self {
            space,
            dims,
            scramble: random.next_u32(),
            random,
            opening: (2 * dims + 4).clamp(8, 24),
            proposals: 0,
            taken: Vec::new(),
            points: Vec::new(),
            losses: Vec::new(),
            scales: Scales::usual(dims),
            fitted: 0,
        }
    }

    /// The candidate with the best acquisition that is no repetition.
    fn best_candidate(&mut self) -> Option<Vec<f64>> {
        let values = standardised(&self.losses);
        if self.points.len() >= self.fitted + REFIT || self.fitted == 0 {
            self.scales = Scales::fit(&self.points, &values, self.dims);
            self.fitted = self.points.len();
        }
        let best = values.iter().copied().fold(f64::INFINITY, f64::min);
        let surrogate = Surrogate::new(self.points.clone(), values, self.scales);
        let (promise, point) = self.maximum(&surrogate, best - MARGIN, self.apart())?;
        if promise > HOPE || !self.proposals.is_multiple_of(TURN) {
            return Some(point);
        }
        self.maximum(&surrogate, best, CLOSER)
            .map(|(_, point)| point)
    }

    /// The largest LogEI below `goal` and its place, among points at least `apart` from all taken ones.
    fn maximum(&mut self, surrogate: &Surrogate, goal: f64, apart: f64) -> Option<(f64, Vec<f64>)> {
        let score = |candidates: Vec<Vec<f64>>| -> Vec<(f64, Vec<f64>)> {
            let predicted = surrogate.predict(&candidates);
            let improvements = predicted
                .into_iter()
                .map(|(mean, sd)| log_improvement((goal - mean) / sd) + sd.ln());
            improvements.zip(candidates).collect()
        };
        let mut candidates = self.spread();
        candidates.extend(self.siblings());
        let mut scored = score(candidates);
        for step in REFINEMENTS {
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut nearby = Vec::with_capacity(REFINED * TRIES);
            for (_, centre) in scored.iter().take(REFINED) {
                nearby.extend((0..TRIES).map(|_| perturbed(&mut self.random, centre, step)));
            }
            scored.extend(score(nearby));
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored
            .into_iter()
            .find(|(_, candidate)| self.is_new(candidate, apart))
    }

    /// Points over the whole box, others at each call.
    fn spread(&mut self) -> Vec<Vec<f64>> {
        let scramble = self.random.next_u32();
        (0..SPREAD).map(|i| sobol(i, self.dims, scramble)).collect()
    }

    /// Perturbations of the best observations, from a length scale down to an eighth of it.
    fn siblings(&mut self) -> Vec<Vec<f64>> {
        let mut order: Vec<usize> = (0..self.losses.len()).collect();
        order.sort_by(|&a, &b| self.losses[a].total_cmp(&self.losses[b]));
        let length = self.scales.length / stretch(self.dims);
        let mut siblings = Vec::new();
        for &i in order.iter().take(ELITE) {
            for k in 0..SIBLINGS {
                let step = length / f64::from(1 << (k % 4));
                siblings.push(perturbed(&mut self.random, &self.points[i], step));
            }
        }
        siblings
    }

    /// Whether nothing nearer than `apart` was taken; distances are those of the plane.
    fn is_new(&self, candidate: &[f64], apart: f64) -> bool {
        let apart = apart * stretch(self.dims);
        self.taken
            .iter()
            .all(|point| distance(point, candidate) >= apart)
    }

    fn apart(&self) -> f64 {
        let [first, last] = APART;
        last + (first - last) * (-(self.proposals as f64) / NARROWING).exp()
    }
}

impl Search for Bayesian {
    fn propose(&mut self) -> Option<Query> {
        let point = if self.proposals < self.opening || self.points.is_empty() {
            sobol(self.proposals as u32, self.dims, self.scramble)
        } else {
            match self.best_candidate() {
                Some(point) => point,
                None => self.space.anywhere(&mut self.random),
            }
        };
        self.proposals += 1;
        let query = Query::at(to_f32(&point));
        self.taken.push(point);
        Some(query)
    }

    fn observe(&mut self, point: &[f32], seen: &Seen) {
        if point.len() != self.dims || point.iter().any(|x| !x.is_finite()) {
            return; // Nothing to learn from, and the surrogate could not bear it.
        }
        let point: Vec<f64> = point.iter().map(|&x| f64::from(x)).collect();
        if self.is_new(&point, CLOSER) {
            self.taken.push(point.clone());
        }
        self.points.push(point);
        self.losses.push(f64::from(seen.loss));
    }

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
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

/// Losses as the surrogate sees them: compressed, of mean 0 and deviation 1.
fn standardised(losses: &[f64]) -> Vec<f64> {
    let worst = losses
        .iter()
        .copied()
        .filter(|loss| loss.is_finite())
        .fold(f64::NEG_INFINITY, f64::max);
    let worst = if worst.is_finite() { worst } else { 0.0 };
    let compressed = losses.iter().map(|&loss| {
        let loss = if loss.is_finite() { loss } else { worst };
        loss.signum() * loss.abs().ln_1p() // Other objectives than a likelihood may be negative.
    });
    let values: Vec<f64> = compressed.collect();
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count)
        .sqrt()
        .max(1e-9);
    values.into_iter().map(|v| (v - mean) / deviation).collect()
}

/// Logarithm of the expected positive part of a normal variable with mean `z` and deviation 1, finite however far down
/// `z` lies.
fn log_improvement(z: f64) -> f64 {
    let log_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    if z > -1.0 {
        (log_density.exp() + 0.5 * z * libm::erfc(-z / SQRT_2)).ln()
    } else if z > -10.0 {
        // Both terms share the density, which is taken out before it underflows.
        let ratio = (0.5 * z * z).exp() * libm::erfc(-z / SQRT_2) * (0.5 * PI).sqrt();
        log_density + (z * ratio).ln_1p()
    } else {
        let inverse = 1.0 / (z * z);
        log_density + inverse.ln() + (-3.0 * inverse + 15.0 * inverse * inverse).ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branches_of_the_improvement_meet_and_never_overflow() {
        for seam in [-1.0, -10.0] {
            let (below, above) = (log_improvement(seam - 1e-9), log_improvement(seam + 1e-9));
            assert!((below - above).abs() < 1e-3, "{seam}: {below} {above}");
        }
        assert!((log_improvement(0.0) - (1.0 / (2.0 * PI).sqrt()).ln()).abs() < 1e-12);
        assert!(log_improvement(-1e6).is_finite() && log_improvement(-1e6) < log_improvement(-1e5));
        assert!((log_improvement(50.0) - 50f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn losses_that_are_not_finite_count_as_the_worst() {
        let values = standardised(&[1.0, f64::NAN, 9.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert!(values.iter().all(|v| v.is_finite()));
        assert!(values[0] < values[2]);
        assert!(values[1] == values[2] && values[3] == values[2] && values[4] == values[2]);
        assert!(standardised(&[f64::NAN; 3]).iter().all(|v| *v == 0.0));
    }
}
