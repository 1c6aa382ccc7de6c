//! CMA-ES after Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), with restarts.
//!
//! The covariance is factored by Cholesky in place of the symmetric root (Krause, Arbones and Igel, "CMA-ES
//! with Optimal Covariance Update and Storage Complexity", 2016); the surrogates use the same
//! factorisation. Implemented here because the published crates call the objective themselves or draw from
//! an unseeded generator, and a search here is asked, told, seeded and cloned.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::gp::Factor;
use super::{
    ask_tell::{Candidate, Observation, Search},
    space::{Space, to_f32, to_f64},
};

/// Initial step size, as a share of the box's half side: of a cold start, and around an initial point.
const COLD_STEP_SIZE: f64 = 0.5;
const WARM_STEP_SIZE: f64 = 0.1;
/// Step size below which the strategy has converged and restarts.
const CONVERGED: f64 = 2e-3;
/// Generations without improvement before a restart.
const PATIENCE: usize = 12;

/// CMA-ES in progress.
#[derive(Clone)]
pub(super) struct Cma {
    space: Space,
    random: ChaCha8Rng,
    starts: usize,
    population: Vec<(Vec<f64>, f64)>,
    weights: Vec<f64>,
    mean: Vec<f64>,
    sigma: f64,
    /// Lower triangle of the covariance, and its Cholesky factor.
    covariance: Vec<f64>,
    factor: Factor,
    /// Evolution paths of the step size and the covariance.
    paths: [Vec<f64>; 2],
    generation: usize,
    best: f64,
    stale: usize,
}

impl Cma {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        let parents = (4 + (3.0 * (space.total_dims() as f64).ln()) as usize) / 2;
        let weight = |i: usize| (parents as f64 + 0.5).ln() - (i as f64 + 1.0).ln();
        let weights: Vec<f64> = (0..parents).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let mut cma = Self {
            space,
            random,
            starts: 0,
            population: Vec::new(),
            weights: weights.iter().map(|w| w / sum).collect(),
            mean: Vec::new(),
            sigma: COLD_STEP_SIZE,
            covariance: Vec::new(),
            factor: Factor::default(),
            paths: Default::default(),
            generation: 0,
            best: f64::INFINITY,
            stale: 0,
        };
        cma.restart();
        cma
    }

    fn restart(&mut self) {
        let dims = self.space.total_dims();
        let proposal = self.space.initial_points.get(self.starts).cloned();
        self.starts += 1;
        (self.sigma, self.mean) = match proposal {
            Some(point) => (WARM_STEP_SIZE, to_f64(&point)),
            None => (COLD_STEP_SIZE, self.space.random_point(&mut self.random)),
        };
        let identity = triangle(dims).map(|(i, j)| if i == j { 1.0 } else { 0.0 });
        self.covariance = identity.collect();
        self.factor = Factor::of(&self.covariance, dims, 0.0);
        self.paths = [vec![0.0; dims], vec![0.0; dims]];
        self.population.clear();
        (self.generation, self.best, self.stale) = (0, f64::INFINITY, 0);
    }

    fn evolve(&mut self) {
        let n = self.space.total_dims() as f64;
        let mut population = std::mem::take(&mut self.population);
        population.sort_by(|a, b| a.1.total_cmp(&b.1));
        let newest = population[0].1;
        self.stale += 1;
        if newest < self.best {
            (self.best, self.stale) = (newest, 0);
        }
        self.generation += 1;

        let mu_eff = 1.0 / self.weights.iter().map(|w| w * w).sum::<f64>();
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n);
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu =
            (1.0 - c_1).min(2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff));
        let usual = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));

        // Steps of the parents in units of the step size, and their weighted mean.
        let step = |(x, _): &(Vec<f64>, f64)| -> Vec<f64> {
            let from_mean = x.iter().zip(&self.mean);
            from_mean.map(|(x, m)| (x - m) / self.sigma).collect()
        };
        let parents = &population[..self.weights.len()];
        let steps: Vec<Vec<f64>> = parents.iter().map(step).collect();
        let mut shift = vec![0.0; self.mean.len()];
        for (weight, step) in self.weights.iter().zip(&steps) {
            for (s, y) in shift.iter_mut().zip(step) {
                *s += weight * y;
            }
        }
        let whitened = self.factor.whiten(&shift);
        let [sigma_path, path] = &mut self.paths;
        let rate = (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt();
        for (p, w) in sigma_path.iter_mut().zip(&whitened) {
            *p = (1.0 - c_sigma) * *p + rate * w;
        }
        let length = sigma_path.iter().map(|p| p * p).sum::<f64>().sqrt();
        let aged = (1.0 - (1.0 - c_sigma).powi(2 * self.generation as i32)).sqrt();
        let is_steady = length / aged < (1.4 + 2.0 / (n + 1.0)) * usual;
        let (rate, lost) = match is_steady {
            true => ((c_c * (2.0 - c_c) * mu_eff).sqrt(), 0.0),
            false => (0.0, c_c * (2.0 - c_c)),
        };
        for (p, y) in path.iter_mut().zip(&shift) {
            *p = (1.0 - c_c) * *p + rate * y;
        }
        let kept = 1.0 + c_1 * lost - c_1 - c_mu;
        for (c, (i, j)) in self.covariance.iter_mut().zip(triangle(path.len())) {
            let parents = self.weights.iter().zip(&steps);
            let rank_mu: f64 = parents.map(|(w, y)| w * y[i] * y[j]).sum();
            *c = kept * *c + c_1 * path[i] * path[j] + c_mu * rank_mu;
        }
        for (m, y) in self.mean.iter_mut().zip(&shift) {
            *m = (*m + self.sigma * y).clamp(-1.0, 1.0);
        }
        let growth = (c_sigma / d_sigma) * (length / usual - 1.0);
        self.sigma *= growth.min(1.0).exp();
        self.factor = Factor::of(&self.covariance, path.len(), 0.0);
        if !(CONVERGED..=10.0).contains(&self.sigma) || self.stale >= PATIENCE {
            self.restart();
        }
    }
}

/// Row and column of each entry of a lower triangle, row by row.
fn triangle(size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..size).flat_map(|row| (0..=row).map(move |column| (row, column)))
}

impl Search for Cma {
    fn ask(&mut self) -> Option<Candidate> {
        let is_first = self.generation == 0 && self.population.is_empty();
        if is_first && self.starts <= self.space.initial_points.len() {
            return Some(Candidate::at(to_f32(&self.mean))); // The initial point itself.
        }
        let normal: Vec<f64> = self.mean.iter().map(|_| normal(&mut self.random)).collect();
        let moved = self.factor.colour(&normal).into_iter().zip(&self.mean);
        let point = moved.map(|(y, m)| (m + self.sigma * y).clamp(-1.0, 1.0) as f32);
        Some(Candidate::at(point.collect()))
    }

    fn tell(&mut self, point: &[f32], observation: &Observation) {
        let Some(point) = self.space.coordinates(point) else {
            return;
        };
        let loss = f64::from(observation.loss);
        let loss = if loss.is_finite() { loss } else { f64::MAX };
        self.population.push((point, loss));
        // Offspring per generation: twice the parents.
        if self.population.len() >= 2 * self.weights.len() {
            self.evolve();
        }
    }
}

/// Standard normal draw (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}
