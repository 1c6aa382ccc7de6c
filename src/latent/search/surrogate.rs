//! What the Bayesian methods believe of the loss after what they saw of it.
//!
//! - The surrogate sees standardised log(1 + loss): steep walls are compressed, while losses near zero, all good enough to
//!   end the search, are not pulled apart as a plain logarithm would.
//! - The acquisition is LogEI: Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian Optimization"
//!   (2023, arXiv 2310.20708). The improvement counts from a margin below the best loss, because the search ends with the
//!   first program that solves the task: only a clear improvement is worth a visit, and without the margin a good plateau
//!   traps the search.
//!
//! A surrogate of the place where results land, with the distance to the goal's place as a composite objective (Astudillo
//! and Frazier 2019, arXiv 1906.01537), was tried and found less: results that are no state land beyond a cliff.

use std::f64::consts::{PI, SQRT_2};

use super::gp::{Process, Scales};
use super::{Observation, to_f64};
use crate::latent::points::Points;

/// Margin below the best observation, in standard deviations of all transformed losses.
const MARGIN: f64 = 0.4;
/// Observations the surrogate rests on at most.
const MAX_OBSERVATIONS: usize = 320;
/// The surrogate's parameters are fitted again once the observations have grown by one in so many.
const REFIT: usize = 12;

/// What was seen so far.
#[derive(Clone, Default)]
pub(super) struct Observations {
    /// Where.
    pub points: Vec<Vec<f64>>,
    /// The losses there.
    pub losses: Vec<f64>,
    scales: Option<Scales>,
    /// Observations there were at the last fit.
    fitted: usize,
}

impl Observations {
    /// Takes in an observation at a point of finite values.
    pub fn push(&mut self, point: Vec<f64>, observation: &Observation) {
        self.points.push(point);
        self.losses.push(f64::from(observation.loss));
    }

    /// Indices of the observations, the best first.
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        order.sort_by(|&a, &b| self.losses[a].total_cmp(&self.losses[b]));
        order
    }

    /// Indices of what the surrogate rests on: all, or of many the best and the newest, because its cost grows with the
    /// cube of their number.
    fn kept(&self) -> Vec<usize> {
        let count = self.points.len();
        if count <= MAX_OBSERVATIONS {
            return (0..count).collect();
        }
        let newest = count - MAX_OBSERVATIONS / 2;
        let mut kept: Vec<usize> = self.ranking();
        kept.retain(|index| *index < newest);
        kept.truncate(MAX_OBSERVATIONS / 2);
        kept.extend(newest..count);
        kept
    }

    /// The length scale last fitted.
    pub fn length(&self) -> Option<f64> {
        self.scales.map(|scales| scales.length)
    }

    /// The surrogate of the observations; None before the first.
    pub fn surrogate(&mut self) -> Option<Surrogate> {
        if self.points.is_empty() {
            return None;
        }
        let kept = self.kept();
        let points: Vec<Vec<f64>> = kept.iter().map(|&i| self.points[i].clone()).collect();
        let losses: Vec<f64> = kept.iter().map(|&i| self.losses[i]).collect();
        let values = standardised(&losses);
        let due = self.fitted + (self.fitted / REFIT).max(1);
        let scales = match self.scales {
            Some(scales) if self.points.len() < due => scales,
            _ => {
                self.fitted = self.points.len();
                Scales::fit(&points, &values)
            }
        };
        self.scales = Some(scales);
        Some(Surrogate {
            best: values.iter().copied().fold(f64::INFINITY, f64::min),
            process: Process::new(points, &values, scales),
        })
    }
}

/// A belief of the whole space.
#[derive(Clone)]
pub(super) struct Surrogate {
    process: Process,
    best: f64,
}

/// What is believed of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// Expected standardised loss.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// The logarithm of the expected improvement.
    pub acquisition: f64,
}

impl Surrogate {
    /// What is believed of many points.
    pub fn posteriors(&self, points: &Points) -> Vec<Posterior> {
        let posterior = |point: &[f32]| self.posterior(&to_f64(point), true);
        points.iter().map(posterior).collect()
    }

    /// What is believed of a point; `is_patient` asks for a clear improvement.
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
