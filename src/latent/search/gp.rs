//! The surrogate of the Bayesian optimisation: a Gaussian process with a Matern 5/2 kernel.
//!
//! The posterior comes from the crate `friedrich`; the hyperparameters do not. Its fit follows a gradient of the
//! Matern kernel and a likelihood that leave the textbook ones (the complexity term has no determinant), it stops by the
//! clock, and nothing bounds its length scale. Here the parameters are instead those of the best penalised marginal
//! likelihood on a small grid, as in Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), chapter 5,
//! with the amplitude solved for in closed form. The length scales grow with the root of the dimension: Hvarfner,
//! Hellsten and Nardi, "Vanilla Bayesian Optimization Performs Great in High Dimensions" (2024, arXiv 2402.02229).

use friedrich::gaussian_process::GaussianProcess;
use friedrich::kernel::Matern2;
use friedrich::prior::ZeroPrior;

/// Bounds and most likely value of the length scale in a square of side 2.
const SHORTEST: f64 = 0.08;
const LONGEST: f64 = 1.5;
const USUAL: f64 = 0.35;
/// Steps of the length scale's grid.
const STEPS: u32 = 11;
/// Noise levels tried, as shares of the amplitude's root. The loss has no noise, but it has walls that no smooth
/// function follows; none of them is small enough to endanger the Cholesky decomposition.
const NOISES: [f64; 2] = [0.03, 0.15];
/// Weight, in observations, of the prior belief that standardised values have amplitude 1.
const BELIEF: f64 = 4.0;
/// Put in place of a pivot that rounding made negative (points that coincide).
const PIVOT: f64 = 1e-6;

/// Parameters of the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scales {
    /// Length scale.
    pub length: f64,
    /// Variance of the process.
    pub amplitude: f64,
    /// Standard deviation of the noise, relative to the amplitude's root.
    pub noise: f64,
}

/// How many times longer distances are in this dimension than in the plane.
pub(super) fn stretch(dims: usize) -> f64 {
    (dims as f64 / 2.0).sqrt()
}

impl Scales {
    /// The starting point, before anything is known.
    pub fn usual(dims: usize) -> Self {
        Self {
            length: USUAL * stretch(dims),
            amplitude: 1.0,
            noise: NOISES[0],
        }
    }

    /// The most plausible parameters on the grid, for standardised values.
    pub fn fit(points: &[Vec<f64>], values: &[f64], dims: usize) -> Self {
        let distances = Distances::of(points);
        let mut best = Self::usual(dims);
        let mut best_score = f64::NEG_INFINITY;
        let mut factor = vec![0.0; distances.0.len()];
        for step in 0..STEPS {
            let share = f64::from(step) / f64::from(STEPS - 1);
            let length = SHORTEST * (LONGEST / SHORTEST).powf(share);
            let prior = -0.5 * (length / USUAL).ln().powi(2);
            let length = length * stretch(dims);
            for noise in NOISES {
                let Some((amplitude, likelihood)) =
                    distances.evidence(values, length, noise, &mut factor)
                else {
                    continue;
                };
                if likelihood + prior > best_score {
                    best_score = likelihood + prior;
                    best = Self {
                        length,
                        amplitude,
                        noise,
                    };
                }
            }
        }
        best
    }
}

/// The lower triangle, row by row, of the distances between points.
struct Distances(Vec<f64>);

impl Distances {
    fn of(points: &[Vec<f64>]) -> Self {
        let mut all = Vec::with_capacity(points.len() * (points.len() + 1) / 2);
        for (row, a) in points.iter().enumerate() {
            all.extend(points[..=row].iter().map(|b| distance(a, b)));
        }
        Self(all)
    }

    /// The amplitude that fits best and the log marginal likelihood with it; None if the matrix is singular.
    fn evidence(
        &self,
        values: &[f64],
        length: f64,
        noise: f64,
        factor: &mut [f64],
    ) -> Option<(f64, f64)> {
        let mut log_det = 0.0;
        let mut whitened: Vec<f64> = Vec::with_capacity(values.len());
        let mut start = 0;
        for (row, &value) in values.iter().enumerate() {
            // Row `row` of the Cholesky factor begins at row * (row + 1) / 2 of the packed triangle.
            let (above, this) = factor.split_at_mut(start);
            let mut column_start = 0;
            for column in 0..row {
                let other = &above[column_start..=column_start + column];
                let known: f64 = this[..column].iter().zip(other).map(|(a, b)| a * b).sum();
                this[column] = (matern(self.0[start + column], length) - known) / other[column];
                column_start += column + 1;
            }
            let pivot = 1.0 + noise * noise - this[..row].iter().map(|a| a * a).sum::<f64>();
            if pivot.is_nan() || pivot <= 0.0 {
                return None;
            }
            this[row] = pivot.sqrt();
            let explained: f64 = this[..row].iter().zip(&whitened).map(|(a, b)| a * b).sum();
            whitened.push((value - explained) / this[row]);
            log_det += this[row].ln();
            start += row + 1;
        }
        let weight = values.len() as f64 + BELIEF;
        let amplitude = (whitened.iter().map(|v| v * v).sum::<f64>() + BELIEF) / weight;
        Some((amplitude, -0.5 * weight * amplitude.ln() - log_det))
    }
}

/// The process conditioned on the observations.
pub(super) struct Surrogate(GaussianProcess<Matern2, ZeroPrior>);

impl Surrogate {
    /// Conditions on values that are standardised and finite.
    pub fn new(points: Vec<Vec<f64>>, values: Vec<f64>, scales: Scales) -> Self {
        let kernel = Matern2::new(scales.length, scales.amplitude);
        let noise = scales.noise * scales.amplitude.sqrt();
        Self(GaussianProcess::new(
            ZeroPrior {},
            kernel,
            noise,
            Some(PIVOT),
            points,
            values,
        ))
    }

    /// Means and standard deviations at points.
    pub fn predict(&self, points: &Vec<Vec<f64>>) -> Vec<(f64, f64)> {
        let (means, variances) = self.0.predict_mean_variance(points);
        let floor = self.0.kernel.ampl * 1e-8; // Rounding may leave a variance below zero.
        means
            .into_iter()
            .zip(variances)
            .map(|(mean, variance)| (mean, variance.max(floor).sqrt()))
            .collect()
    }
}

fn matern(distance: f64, length: f64) -> f64 {
    let x = 5f64.sqrt() * distance / length;
    (1.0 + x + x * x / 3.0) * (-x).exp()
}

/// Distance between two points.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posterior_passes_near_the_observations_and_widens_away_from_them() {
        let points = vec![vec![-0.5, 0.0], vec![0.5, 0.0], vec![0.5, 0.0]];
        let values = vec![-1.0, 1.0, 1.0];
        let surrogate = Surrogate::new(points, values, Scales::usual(2));
        let seen = surrogate.predict(&vec![vec![-0.5, 0.0], vec![0.5, 0.0], vec![-0.5, 1.0]]);
        assert!((seen[0].0 + 1.0).abs() < 0.05 && (seen[1].0 - 1.0).abs() < 0.05);
        assert!(seen[2].1 > 5.0 * seen[0].1);
    }

    #[test]
    fn the_fit_tells_long_waves_from_short_ones() {
        let points: Vec<Vec<f64>> = (0..60)
            .map(|i| vec![f64::from(i) / 30.0 - 1.0, 0.0])
            .collect();
        let wave = |f: f64| {
            points
                .iter()
                .map(|p| (f * p[0]).sin() * 1.4)
                .collect::<Vec<_>>()
        };
        let long = Scales::fit(&points, &wave(2.0), 2).length;
        let short = Scales::fit(&points, &wave(20.0), 2).length;
        assert!(long > 2.0 * short, "{long} {short}");
    }
}
