//! Gradient descent with restarts: Adam in the latent space (Bonnet and Macfarlane, "Searching Latent Program Spaces",
//! arXiv 2411.08706, with their learning rate 0.1). Each step asks for a gradient, which counts as three evaluations; so
//! several places are looked at before the best of them are descended from.

use std::collections::HashSet;

use rand_chacha::ChaCha8Rng;

use super::{Candidate, Observation, Search, Space, sampling::joint, to_f32, to_f64};

/// Step width and Adam's decays (Kingma and Ba 2014, arXiv 1412.6980).
const RATE: f64 = 0.3;
const DECAYS: [f64; 2] = [0.9, 0.999];
/// Steps without a better loss after which it begins elsewhere.
const PATIENCE: usize = 2;
/// A loss better by less than this share is no better.
const BETTER: f64 = 0.01;
/// Places looked at at a time, and from how many of them it descends.
const LOOKS: usize = 32;
const DESCENTS: usize = 2;
/// Draws of a program that it hasn't looked at before anywhere will do.
const DRAWS: usize = 64;

/// State of the descent.
#[derive(Clone)]
pub(super) struct Descent {
    space: Space,
    random: ChaCha8Rng,
    at: Vec<f64>,
    moments: [Vec<f64>; 2],
    /// Steps since the last start, and those since the best loss of them.
    steps: usize,
    stale: usize,
    best: f64,
    /// Proposals of an inverse encoder that were begun from.
    warmed: usize,
    /// Still to look at before it descends.
    looks: usize,
    /// Where it may begin, the lowest loss last.
    starts: Vec<(f64, Vec<f64>)>,
    /// Programs looked at.
    been: HashSet<Vec<usize>>,
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
            warmed: 0,
            looks: 0,
            starts: Vec::new(),
            been: HashSet::new(),
        };
        descent.begin();
        descent
    }

    /// At the proposals one after the other, then at the best places looked at.
    fn begin(&mut self) {
        if let Some(proposal) = self.space.initial_points.get(self.warmed) {
            self.at = to_f64(proposal);
            self.warmed += 1;
        } else if let Some((_, start)) = self.starts.pop() {
            self.at = start;
        } else {
            self.looks = LOOKS;
            self.look();
            return;
        }
        self.moments = [vec![0.0; self.at.len()], vec![0.0; self.at.len()]];
        (self.steps, self.stale, self.best) = (0, 0, f64::INFINITY);
    }

    /// At the place of a program that it hasn't looked at, or anywhere where none are known.
    fn look(&mut self) {
        let draws = (0..DRAWS).map_while(|_| self.space.tuple(&mut self.random));
        let tuple = draws
            .into_iter()
            .find(|tuple| self.been.insert(tuple.clone()));
        let place = tuple.map(|tuple| to_f64(&joint(&self.space.embeddings, &tuple)));
        self.at = place.unwrap_or_else(|| self.space.anywhere(&mut self.random));
    }

    fn looked(&mut self, loss: f64) {
        if loss.is_finite() {
            self.starts.push((loss, self.at.clone()));
        }
        self.looks -= 1;
        if self.looks > 0 {
            self.look();
            return;
        }
        self.starts.sort_by(|a, b| b.0.total_cmp(&a.0));
        let worse = self.starts.len().saturating_sub(DESCENTS);
        self.starts.drain(..worse);
        self.begin();
    }
}

impl Search for Descent {
    fn ask(&mut self) -> Option<Candidate> {
        Some(Candidate {
            point: to_f32(&self.at),
            wants_gradient: self.looks == 0,
        })
    }

    fn tell(&mut self, _point: &[f32], observation: &Observation) {
        if self.looks > 0 {
            self.looked(f64::from(observation.loss));
            return;
        }
        let gradient = observation.gradient.as_deref().unwrap_or_default();
        let is_sound = gradient.len() == self.at.len() && gradient.iter().all(|g| g.is_finite());
        let loss = f64::from(observation.loss);
        if loss < self.best - BETTER * self.best.abs().min(1e9) {
            (self.best, self.stale) = (loss, 0);
        } else {
            self.stale += 1;
        }
        if !is_sound || !loss.is_finite() || self.stale >= PATIENCE {
            self.begin();
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
            self.at[i] = (self.at[i] - RATE * mean / (spread + 1e-8)).clamp(-1.0, 1.0);
        }
    }

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}
