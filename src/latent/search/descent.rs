//! Gradient descent with restarts: Adam in the latent space (Bonnet and Macfarlane, "Searching Latent
//! Program Spaces", arXiv 2411.08706; their learning rate is 0.1). A gradient costs three evaluations, so
//! several points are probed by their loss alone and descent starts from the best of them.

use std::collections::HashSet;

use rand_chacha::ChaCha8Rng;

use super::{
    ask_tell::{Candidate, Observation, Search},
    space::{Space, to_f32, to_f64},
};

/// Learning rate and Adam's decay rates (Kingma and Ba 2014, arXiv 1412.6980).
const LEARNING_RATE: f64 = 0.3;
const DECAYS: [f64; 2] = [0.9, 0.999];
/// Steps without improvement before a restart.
const PATIENCE: usize = 2;
/// Relative decrease of the loss that counts as improvement.
const MIN_IMPROVEMENT: f64 = 0.01;
/// Points probed at a time, and how many of them descent starts from.
const PROBES: usize = 32;
const DESCENTS_PER_ROUND: usize = 2;
/// Draws of an unvisited program before a visited one is accepted.
const MAX_DRAWS: usize = 64;

/// Gradient descent in progress.
#[derive(Clone)]
pub(super) struct Descent {
    space: Space,
    random: ChaCha8Rng,
    at: Vec<f64>,
    moments: [Vec<f64>; 2],
    /// Steps since the last restart, and those of them since the best loss.
    steps: usize,
    stale: usize,
    best: f64,
    /// Initial points used so far.
    initial_points_used: usize,
    /// Probes left before the descent.
    probes_left: usize,
    /// Probed starting points with their losses, the lowest loss last.
    starts: Vec<(f64, Vec<f64>)>,
    /// Programs probed.
    probed: HashSet<Vec<usize>>,
}

impl Descent {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        let mut descent = Self {
            space,
            random,
            at: Vec::new(),
            moments: Default::default(),
            steps: 0,
            stale: 0,
            best: f64::INFINITY,
            initial_points_used: 0,
            probes_left: 0,
            starts: Vec::new(),
            probed: HashSet::new(),
        };
        descent.restart();
        descent
    }

    /// Restarts: at the initial points in turn, then at the best probed points.
    fn restart(&mut self) {
        if let Some(proposal) = self.space.initial_points.get(self.initial_points_used) {
            self.at = to_f64(proposal);
            self.initial_points_used += 1;
        } else if let Some((_, start)) = self.starts.pop() {
            self.at = start;
        } else {
            self.probes_left = PROBES;
            self.probe();
            return;
        }
        self.moments = [vec![0.0; self.at.len()], vec![0.0; self.at.len()]];
        (self.steps, self.stale, self.best) = (0, 0, f64::INFINITY);
    }

    /// Moves to the embedding of an unvisited program, or to a random point if none are known.
    fn probe(&mut self) {
        let mut draws = (0..MAX_DRAWS).map_while(|_| self.space.random_program(&mut self.random));
        let tuple = draws.find(|tuple| self.probed.insert(tuple.clone()));
        let place = tuple.map(|tuple| to_f64(&self.space.point_of(&tuple)));
        self.at = place.unwrap_or_else(|| self.space.random_point(&mut self.random));
    }

    fn finish_probe(&mut self, loss: f64) {
        if loss.is_finite() {
            self.starts.push((loss, self.at.clone()));
        }
        self.probes_left -= 1;
        if self.probes_left > 0 {
            self.probe();
            return;
        }
        self.starts.sort_by(|a, b| b.0.total_cmp(&a.0));
        let worse = self.starts.len().saturating_sub(DESCENTS_PER_ROUND);
        self.starts.drain(..worse);
        self.restart();
    }
}

impl Search for Descent {
    fn ask(&mut self) -> Option<Candidate> {
        Some(Candidate {
            point: to_f32(&self.at),
            wants_gradient: self.probes_left == 0,
        })
    }

    fn tell(&mut self, _point: &[f32], observation: &Observation) {
        if self.probes_left > 0 {
            self.finish_probe(f64::from(observation.loss));
            return;
        }
        let gradient = observation.gradient.as_deref().unwrap_or_default();
        let is_sound = gradient.len() == self.at.len() && gradient.iter().all(|g| g.is_finite());
        let loss = f64::from(observation.loss);
        if loss < self.best - MIN_IMPROVEMENT * self.best.abs().min(1e9) {
            (self.best, self.stale) = (loss, 0);
        } else {
            self.stale += 1;
        }
        if !is_sound || !loss.is_finite() || self.stale >= PATIENCE {
            self.restart();
            return;
        }
        self.steps += 1;
        let steps = self.steps as i32;
        let [first, second] = &mut self.moments;
        for (i, g) in gradient.iter().map(|&g| f64::from(g)).enumerate() {
            first[i] += (1.0 - DECAYS[0]) * (g - first[i]);
            second[i] += (1.0 - DECAYS[1]) * (g * g - second[i]);
            let mean = first[i] / (1.0 - DECAYS[0].powi(steps));
            let spread = (second[i] / (1.0 - DECAYS[1].powi(steps))).sqrt();
            self.at[i] = (self.at[i] - LEARNING_RATE * mean / (spread + 1e-8)).clamp(-1.0, 1.0);
        }
    }
}
