//! Gaussian process with a Matern 5/2 kernel: the surrogate of the Bayesian methods.
//!
//! The hyperparameters maximise the penalised marginal likelihood on a small grid, as in Rasmussen and
//! Williams, "Gaussian Processes for Machine Learning" (2006), chapter 5, with the amplitude in closed
//! form. The length scale grows with the square root of the dimension: Hvarfner, Hellsten and Nardi,
//! "Vanilla Bayesian Optimization Performs Great in High Dimensions" (2024, arXiv 2402.02229). A search has
//! a few hundred observations at most, so a plain factorisation at each proposal costs less than scoring
//! the candidates.

/// Bounds and prior mode of the length scale in a square of side 2.
const MIN_LENGTH: f64 = 0.08;
const MAX_LENGTH: f64 = 3.0;
const PRIOR_LENGTH: f64 = 0.35;
/// Grid steps of the length scale.
const LENGTH_STEPS: u32 = 11;
/// Candidate noise levels, as shares of the amplitude's root. Observations are noiseless, but the loss has
/// walls that no smooth function follows; both levels keep the factorisation stable.
const NOISE_LEVELS: [f64; 2] = [0.03, 0.15];
/// Weight, in observations, of the prior that standardised values have amplitude 1.
const PRIOR_WEIGHT: f64 = 4.0;
/// Replacement of a pivot that rounding made negative (coincident points).
const MIN_PIVOT: f64 = 1e-6;

/// Hyperparameters of the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hyperparameters {
    /// Length scale.
    pub length: f64,
    /// Variance of the process.
    pub amplitude: f64,
    /// Standard deviation of the noise, relative to the amplitude's root.
    pub noise: f64,
}

/// Ratio of typical distances in this dimension to those in the plane.
pub(super) fn distance_scale(dims: usize) -> f64 {
    (dims as f64 / 2.0).sqrt()
}

impl Hyperparameters {
    /// Prior hyperparameters, before any observation.
    fn prior(dims: usize) -> Self {
        Self {
            length: PRIOR_LENGTH * distance_scale(dims),
            amplitude: 1.0,
            noise: NOISE_LEVELS[0],
        }
    }

    /// Hyperparameters of the highest penalised likelihood on the grid, for standardised values.
    pub fn fit(points: &[Vec<f64>], values: &[f64]) -> Self {
        let dims = points.first().map_or(1, Vec::len);
        let mut best = Self::prior(dims);
        let mut best_score = f64::NEG_INFINITY;
        let distances = distances(points);
        let weight = values.len() as f64 + PRIOR_WEIGHT;
        let mut factor = Factor::default();
        for step in 0..LENGTH_STEPS {
            let share = f64::from(step) / f64::from(LENGTH_STEPS - 1);
            let length = MIN_LENGTH * (MAX_LENGTH / MIN_LENGTH).powf(share);
            let prior = -0.5 * (length / PRIOR_LENGTH).ln().powi(2);
            let length = length * distance_scale(dims);
            let kernel: Vec<f64> = distances.iter().map(|d| matern(*d, length)).collect();
            for noise in NOISE_LEVELS {
                factor.decompose(&kernel, points.len(), noise);
                let squares: f64 = factor.whiten(values).iter().map(|v| v * v).sum();
                let amplitude = (squares + PRIOR_WEIGHT) / weight;
                let score = -0.5 * weight * amplitude.ln() - factor.half_log_det() + prior;
                if score > best_score {
                    best_score = score;
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

/// Lower triangular matrix with its diagonal, row by row: row `i` begins at `i (i + 1) / 2`.
#[derive(Clone, Debug, Default)]
pub(super) struct Factor {
    size: usize,
    values: Vec<f64>,
}

impl Factor {
    /// Cholesky factor of the symmetric matrix of lower triangle `matrix`, with `noise` squared added to
    /// the diagonal.
    pub fn of(matrix: &[f64], size: usize, noise: f64) -> Self {
        let mut factor = Self::default();
        factor.decompose(matrix, size, noise);
        factor
    }

    fn decompose(&mut self, matrix: &[f64], size: usize, noise: f64) {
        self.size = size;
        self.values.resize(matrix.len(), 0.0);
        let mut start = 0;
        for row in 0..size {
            let (above, this) = self.values.split_at_mut(start);
            let mut other_start = 0;
            for column in 0..row {
                let other = &above[other_start..=other_start + column];
                let known = dot(&this[..column], &other[..column]);
                this[column] = (matrix[start + column] - known) / other[column];
                other_start += column + 1;
            }
            let rest = matrix[start + row] + noise * noise - dot(&this[..row], &this[..row]);
            this[row] = if rest > MIN_PIVOT { rest } else { MIN_PIVOT }.sqrt();
            start += row + 1;
        }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * (row + 1) / 2..][..=row]
    }

    fn half_log_det(&self) -> f64 {
        (0..self.size).map(|row| self.row(row)[row].ln()).sum()
    }

    /// Solution x of L x = v.
    pub fn whiten(&self, v: &[f64]) -> Vec<f64> {
        let mut solved = Vec::with_capacity(v.len());
        for (row, value) in v.iter().enumerate() {
            let line = self.row(row);
            solved.push((value - dot(&line[..row], &solved)) / line[row]);
        }
        solved
    }

    /// Product L v.
    pub fn colour(&self, v: &[f64]) -> Vec<f64> {
        let product = |row| dot(self.row(row), &v[..=row]);
        (0..self.size).map(product).collect()
    }

    /// Solves Lᵀ x = v in place.
    fn solve_transposed(&self, v: &mut [f64]) {
        for row in (0..self.size).rev() {
            let line = self.row(row);
            v[row] /= line[row];
            let solved = v[row];
            for (x, share) in v[..row].iter_mut().zip(line) {
                *x -= share * solved;
            }
        }
    }
}

/// Gaussian process conditioned on observations.
#[derive(Clone, Debug)]
pub(super) struct GaussianProcess {
    points: Vec<Vec<f64>>,
    factor: Factor,
    weights: Vec<f64>,
    hyperparameters: Hyperparameters,
}

impl GaussianProcess {
    /// Conditions on standardised, finite values.
    pub fn new(points: Vec<Vec<f64>>, values: &[f64], hyperparameters: Hyperparameters) -> Self {
        let near = |distance| matern(distance, hyperparameters.length);
        let kernel: Vec<f64> = distances(&points).into_iter().map(near).collect();
        let factor = Factor::of(&kernel, points.len(), hyperparameters.noise);
        let mut weights = factor.whiten(values);
        factor.solve_transposed(&mut weights);
        Self {
            points,
            factor,
            weights,
            hyperparameters,
        }
    }

    /// Posterior mean and variance at a point.
    pub fn predict(&self, at: &[f64]) -> (f64, f64) {
        let near = |point: &Vec<f64>| matern(distance(point, at), self.hyperparameters.length);
        let kernel: Vec<f64> = self.points.iter().map(near).collect();
        let known = self.factor.whiten(&kernel);
        // Rounding may make a variance negative.
        let unknown = (1.0 - dot(&known, &known)).max(1e-8);
        let mean = dot(&kernel, &self.weights);
        (mean, self.hyperparameters.amplitude * unknown)
    }
}

/// Lower triangle of the pairwise distances, row by row.
fn distances(points: &[Vec<f64>]) -> Vec<f64> {
    let mut all = Vec::with_capacity(points.len() * (points.len() + 1) / 2);
    for (row, a) in points.iter().enumerate() {
        all.extend(points[..=row].iter().map(|b| distance(a, b)));
    }
    all
}

/// Dot product with four accumulators, so that additions don't wait for one another.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest = a4.remainder().iter().zip(b4.remainder());
    let rest: f64 = rest.map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn matern(distance: f64, length: f64) -> f64 {
    let x = 5f64.sqrt() * distance / length;
    (1.0 + x + x * x / 3.0) * (-x).exp()
}

/// Euclidean distance between two points.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    let squares = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posterior_passes_near_the_observations_and_widens_away_from_them() {
        let points = vec![vec![-0.5, 0.0], vec![0.5, 0.0], vec![0.5, 0.0]];
        let process = GaussianProcess::new(points, &[-1.0, 1.0, 1.0], Hyperparameters::prior(2));
        let [left, right, away] =
            [[-0.5, 0.0], [0.5, 0.0], [-0.5, 1.0]].map(|at| process.predict(&at));
        assert!((left.0 + 1.0).abs() < 0.05 && (right.0 - 1.0).abs() < 0.05);
        assert!(away.1.sqrt() > 5.0 * left.1.sqrt());
    }

    #[test]
    fn the_fit_tells_long_waves_from_short_ones() {
        let place = |i: i32| vec![f64::from(i) / 30.0 - 1.0, 0.0];
        let points: Vec<Vec<f64>> = (0..60).map(place).collect();
        let length = |frequency: f64| {
            let waves = points.iter().map(|p| (frequency * p[0]).sin() * 1.4);
            Hyperparameters::fit(&points, &waves.collect::<Vec<_>>()).length
        };
        let [long, short] = [2.0, 20.0].map(length);
        assert!(long > 2.0 * short, "{long} {short}");
    }

    #[test]
    fn a_factor_colours_and_whitens() {
        // All remainders: sums have four accumulators.
        for size in 1..12usize {
            let entry = |i: usize, j: usize| match i == j {
                true => 3.0,
                false => 1.0 / (1 + i + j) as f64,
            };
            let rows = (0..size).flat_map(|i| (0..=i).map(move |j| entry(i, j)));
            let factor = Factor::of(&rows.collect::<Vec<_>>(), size, 0.0);
            let v: Vec<f64> = (0..size).map(|i| i as f64 - 2.5).collect();
            let mut x = factor.whiten(&v);
            assert!(distance(&factor.colour(&x), &v) < 1e-12);
            factor.solve_transposed(&mut x);
            let product = |i: usize| (0..size).map(|j| entry(i, j) * x[j]).sum::<f64>();
            let product: Vec<f64> = (0..size).map(product).collect();
            assert!(distance(&product, &v) < 1e-12, "{size}");
        }
    }
}
