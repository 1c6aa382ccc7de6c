//! Gradient descent with restarts: Adam in the latent space (Bonnet and Macfarlane, "Searching Latent Program Spaces",
//! arXiv 2411.08706, with their learning rate 0.1). Each step asks for a gradient, which counts as three evaluations.

use rand_chacha::ChaCha8Rng;

use super::{Query, Search, Seen, Space, to_f32};

/// Step width and Adam's decays (Kingma and Ba 2014, arXiv 1412.6980).
const RATE: f64 = 0.1;
const DECAYS: [f64; 2] = [0.9, 0.999];
/// Steps without a better loss after which it begins elsewhere.
const PATIENCE: usize = 8;
/// A loss better by less than this share is no better.
const BETTER: f64 = 0.01;

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
    starts: usize,
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
            starts: 0,
        };
        descent.begin();
        descent
    }

    /// At the proposals one after the other, then anywhere.
    fn begin(&mut self) {
        let proposal = self.space.warm.get(self.starts);
        let proposal = proposal.map(|p| p.iter().map(|&x| f64::from(x)).collect());
        self.at = proposal.unwrap_or_else(|| self.space.anywhere(&mut self.random));
        self.starts += 1;
        self.moments = [vec![0.0; self.at.len()], vec![0.0; self.at.len()]];
        (self.steps, self.stale, self.best) = (0, 0, f64::INFINITY);
    }
}

impl Search for Descent {
    fn propose(&mut self) -> Option<Query> {
        Some(Query {
            point: to_f32(&self.at),
            wants_gradient: true,
        })
    }

    fn observe(&mut self, _point: &[f32], seen: &Seen) {
        let gradient = seen.gradient.as_deref().unwrap_or_default();
        let is_sound = gradient.len() == self.at.len() && gradient.iter().all(|g| g.is_finite());
        let loss = f64::from(seen.loss);
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
