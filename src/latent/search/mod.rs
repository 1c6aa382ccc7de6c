//! Search of the latent space for a program that solves a task.
//!
//! A method proposes points one at a time and is told the loss found there. Bayesian optimisation learns from the
//! losses; uniform points and the walk over all known programs are the baselines it has to beat.

mod bo;
mod gp;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How the next point is chosen.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Bayesian optimisation.
    #[default]
    Bo,
    /// Uniformly random points.
    Random,
    /// The places of all programs, in order.
    Enumerate,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Bo => "bo",
            Self::Random => "random",
            Self::Enumerate => "enumerate",
        })
    }
}

/// A search under way in the box [-1,1]^dims.
pub trait Search: Send {
    /// The next point to evaluate; None when the method has nothing left.
    fn propose(&mut self) -> Option<Vec<f32>>;

    /// Tells the loss found at a point, which need not be one that was proposed. Anything not finite counts as the worst.
    fn observe(&mut self, point: &[f32], loss: f32);
}

/// Starts a search. `places` are the latent places of all programs; only the enumeration reads them.
pub fn start(method: Method, dims: usize, places: Vec<Vec<f32>>, seed: u64) -> Box<dyn Search> {
    match method {
        Method::Bo => Box::new(bo::Bayesian::new(dims, seed)),
        Method::Random => Box::new(Uniform {
            dims,
            random: ChaCha8Rng::seed_from_u64(seed),
        }),
        Method::Enumerate => Box::new(Walk(places.into_iter())),
    }
}

/// Uniformly random points.
struct Uniform {
    dims: usize,
    random: ChaCha8Rng,
}

impl Search for Uniform {
    fn propose(&mut self) -> Option<Vec<f32>> {
        Some(
            (0..self.dims)
                .map(|_| self.random.random_range(-1.0..=1.0))
                .collect(),
        )
    }

    fn observe(&mut self, _point: &[f32], _loss: f32) {}
}

/// Every place once.
struct Walk(std::vec::IntoIter<Vec<f32>>);

impl Search for Walk {
    fn propose(&mut self) -> Option<Vec<f32>> {
        self.0.next()
    }

    fn observe(&mut self, _point: &[f32], _loss: f32) {}
}
