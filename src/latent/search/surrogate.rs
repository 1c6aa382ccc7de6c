//! Posterior of the loss given a search's observations, and its acquisition function.
//!
//! - The surrogate models standardised log(1 + loss): steep walls are compressed, while losses near zero,
//!   all low enough to end the search, are not spread apart as by a plain logarithm.
//! - The acquisition is LogEI: Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian
//!   Optimization" (2023, arXiv 2310.20708). Improvement counts from a margin below the best loss, because
//!   the search ends with the first program that solves the task: only a clear improvement is worth an
//!   evaluation, and without the margin a good plateau traps the search.
//! - An alternative is a surrogate of the result's embedding, with the distance to the target's as a
//!   composite objective (Astudillo and Frazier 2019, arXiv 1906.01537); but results that are no state lie
//!   beyond a cliff.

use std::f64::consts::{PI, SQRT_2};

use super::gp::{GaussianProcess, Hyperparameters};
use super::{ask_tell::Posterior, space::to_f64};
use crate::latent::points::Points;

/// Margin below the best observation, in standard deviations of the transformed losses.
const MARGIN: f64 = 0.4;
/// Largest number of observations the surrogate is conditioned on.
const MAX_OBSERVATIONS: usize = 320;
/// Hyperparameters are refitted once the observations have grown by one part in this many.
const REFIT_FRACTION: usize = 12;

/// Observations of a search.
#[derive(Clone, Default)]
pub(super) struct Observations {
    /// Observed points.
    pub points: Vec<Vec<f64>>,
    /// Losses at the points.
    pub losses: Vec<f64>,
    hyperparameters: Option<Hyperparameters>,
    /// Number of observations at the last fit.
    observations_at_fit: usize,
}

impl Observations {
    /// Appends the observation of a loss at a finite point.
    pub fn push(&mut self, point: Vec<f64>, loss: f32) {
        self.points.push(point);
        self.losses.push(f64::from(loss));
    }

    /// Lowest loss; infinite before the first observation.
    pub fn lowest(&self) -> f64 {
        self.losses.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Indices of the observations by ascending loss.
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        order.sort_by(|&a, &b| self.losses[a].total_cmp(&self.losses[b]));
        order
    }

    /// Indices of the observations the surrogate is conditioned on: all, or, because its cost is cubic in
    /// their number, half the best and half the newest.
    fn conditioned_on(&self) -> Vec<usize> {
        let count = self.points.len();
        if count <= MAX_OBSERVATIONS {
            return (0..count).collect();
        }
        let newest = count - MAX_OBSERVATIONS / 2;
        let mut conditioned_on = self.ranking();
        conditioned_on.retain(|index| *index < newest);
        conditioned_on.truncate(MAX_OBSERVATIONS / 2);
        conditioned_on.extend(newest..count);
        conditioned_on
    }

    /// Length scale of the last fit.
    pub fn length(&self) -> Option<f64> {
        Some(self.hyperparameters?.length)
    }

    /// Surrogate of the observations; `None` before the first.
    pub fn surrogate(&mut self) -> Option<Surrogate> {
        if self.points.is_empty() {
            return None;
        }
        let known = self.conditioned_on();
        let points: Vec<Vec<f64>> = known.iter().map(|&i| self.points[i].clone()).collect();
        let losses: Vec<f64> = known.iter().map(|&i| self.losses[i]).collect();
        let values = standardised(&losses);
        let due = self.observations_at_fit + (self.observations_at_fit / REFIT_FRACTION).max(1);
        let hyperparameters = match self.hyperparameters {
            Some(hyperparameters) if self.points.len() < due => hyperparameters,
            _ => {
                self.observations_at_fit = self.points.len();
                Hyperparameters::fit(&points, &values)
            }
        };
        self.hyperparameters = Some(hyperparameters);
        Some(Surrogate {
            best: values.iter().copied().fold(f64::INFINITY, f64::min),
            process: GaussianProcess::new(points, &values, hyperparameters),
        })
    }

    /// Posteriors at many points; `None` before the first observation.
    pub fn posteriors(&self, points: &Points) -> Option<Vec<Posterior>> {
        let surrogate = self.clone().surrogate()?;
        let posterior = |point: &[f32]| surrogate.posterior(&to_f64(point), true);
        Some(points.iter().map(posterior).collect())
    }
}

/// Surrogate of the loss over the whole space.
pub(super) struct Surrogate {
    process: GaussianProcess,
    best: f64,
}

impl Surrogate {
    /// Candidate of the highest acquisition.
    pub fn best(&self, candidates: impl Iterator<Item = Vec<f64>>) -> Option<Vec<f64>> {
        let scored = candidates.map(|point| (self.posterior(&point, true).acquisition, point));
        scored
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, point)| point)
    }

    /// Posterior at a point; with `is_patient` only a clear improvement counts.
    pub fn posterior(&self, at: &[f64], is_patient: bool) -> Posterior {
        let (mean, variance) = self.process.predict(at);
        let deviation = variance.sqrt();
        let goal = self.best - if is_patient { MARGIN } else { 0.0 };
        Posterior {
            mean,
            deviation,
            acquisition: log_improvement((goal - mean) / deviation) + deviation.ln(),
        }
    }
}

/// Transformed losses: log(1 + loss), of mean 0 and standard deviation 1; losses that are not finite count
/// as the worst.
fn standardised(losses: &[f64]) -> Vec<f64> {
    let finite = losses.iter().copied().filter(|loss| loss.is_finite());
    let worst = finite.reduce(f64::max).unwrap_or(0.0);
    let compressed = losses.iter().map(|&loss| {
        let loss = if loss.is_finite() { loss } else { worst };
        loss.signum() * loss.abs().ln_1p() // Objectives other than a likelihood may be negative.
    });
    let values: Vec<f64> = compressed.collect();
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let deviation = (squares / count).sqrt().max(1e-9);
    values.into_iter().map(|v| (v - mean) / deviation).collect()
}

/// Log expected improvement: logarithm of E[max(X, 0)] for X normal with mean `z` and standard deviation 1, finite for
/// `z` however negative.
fn log_improvement(z: f64) -> f64 {
    let log_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    if z > -1.0 {
        (log_density.exp() + 0.5 * z * libm::erfc(-z / SQRT_2)).ln()
    } else if z > -10.0 {
        // Both terms share the density, factored out before it underflows.
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
