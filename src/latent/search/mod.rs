//! Black-box search of a latent space, by ask and tell.
//!
//! A [`Search`] proposes one point after another and is told the loss there. Methods know the space (its box and the
//! embeddings of known programs) but not the solution; uniform sampling and enumeration of all programs are the
//! baselines.
//!
//! ```
//! use glyphspace::latent::search::{Method, Observation, Space, start};
//!
//! // Bayesian optimisation of a paraboloid over the square [-1, 1]^2.
//! let mut search = start(Method::Bo.into(), &Space::open(2), 7)?;
//! let mut lowest = f32::INFINITY;
//! for _ in 0..40 {
//!     let Some(candidate) = search.ask() else { break };
//!     let [x, y] = [candidate.point[0], candidate.point[1]];
//!     let loss = (x - 0.3).powi(2) + (y + 0.5).powi(2);
//!     lowest = lowest.min(loss);
//!     search.tell(&candidate.point, &Observation::loss(loss));
//! }
//! assert!(lowest < 0.01);
//! # Ok::<(), glyphspace::latent::search::NoProposals>(())
//! ```

mod ask_tell;
mod bo;
mod climb;
mod cma;
mod descent;
mod gp;
mod method;
mod programs;
mod sampling;
mod space;
mod surrogate;
mod turbo;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use sampling::{Enumeration, RandomSearch};

pub use ask_tell::{Candidate, Fork, Observation, Posterior, Search};
pub use method::{Method, Strategy, UnknownMethod};
pub use space::Space;

/// Error for a warm start in a space without initial points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} begins with the proposals of an inverse encoder, and the model has none")]
pub struct NoProposals(pub Strategy);

/// Search at its start. Equal strategies, spaces and seeds give equal proposals.
///
/// # Errors
/// If the strategy needs initial points and the space has none.
pub fn start(strategy: Strategy, space: &Space, seed: u64) -> Result<Box<dyn Search>, NoProposals> {
    let mut space = space.clone();
    if !strategy.needs_proposals() {
        space.initial_points.clear();
    } else if space.initial_points.is_empty() {
        return Err(NoProposals(strategy));
    }
    let random = ChaCha8Rng::seed_from_u64(seed);
    Ok(match strategy.method {
        Method::Bo => Box::new(bo::Bayesian::new(space, random)),
        Method::Random | Method::Inverse => Box::new(RandomSearch::uniform(space, random)),
        Method::Sobol => Box::new(RandomSearch::sobol(space, random)),
        Method::HillClimb => Box::new(climb::Climb::new(space, random)),
        Method::Turbo => Box::new(turbo::Turbo::new(space, random)),
        Method::CmaEs => Box::new(cma::Cma::new(space, random)),
        Method::Gradient => Box::new(descent::Descent::new(space, random)),
        Method::Enumerate => Box::new(Enumeration::new(space, random)),
    })
}
