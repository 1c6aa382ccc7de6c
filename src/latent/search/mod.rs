//! Search of the latent space for a program that solves a task.
//!
//! A method proposes one point after the other and is told what was seen there. All of them know the space (its box, the
//! places of the known programs), none of them knows the solution; uniform points and the
//! walk over all known programs are the baselines that the others have to beat.

mod bo;
mod climb;
mod cma;
mod descent;
mod gp;
mod method;
mod programs;
mod sampling;
mod surrogate;
mod turbo;

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::points::Points;
pub use method::{Method, Strategy, UnknownMethod};
pub use surrogate::Posterior;

/// Passes a gradient costs: one forwards, and two that its way back is counted as.
pub const GRADIENT_COST: usize = 3;

/// Widths in which a search of the plane looks at a region once: at first and in the end.
const MIN_DISTANCE: [f64; 2] = [0.04, 0.01];
/// Proposals in which the width comes nearer to its end by a factor e.
const NARROWING: f64 = 60.0;

/// What a search knows beforehand. A program of several lines is looked for as one point: the lines' points one after the
/// other, in the box [-1,1]^(lines x dims).
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// Latent values a line.
    pub dims: usize,
    /// Lines of the program.
    pub lines: usize,
    /// The places of all programs of one line.
    pub embeddings: Arc<Points>,
    /// Their texts: digits and sign.
    pub texts: Arc<Vec<String>>,
    /// Which of them each line may be, in order.
    pub allowed: Vec<Arc<Vec<usize>>>,
    /// What a learnt inverse proposes, best first; empty where there is none.
    pub initial_points: Vec<Vec<f32>>,
}

impl Space {
    /// The box [-1,1]^dims, of which nothing else is known.
    pub fn open(dims: usize) -> Self {
        Self {
            dims,
            lines: 1,
            ..Self::default()
        }
    }

    /// Values of a point of the searched space.
    pub fn total(&self) -> usize {
        self.dims * self.lines
    }

    /// How far a new point keeps from those before it, after so many: a nearer one would teach nothing about where a clear
    /// improvement lies. Wide at first, then ever narrower, because what a long search has not met lies in a small region.
    fn min_distance(&self, proposals: usize) -> f64 {
        let [first, last] = MIN_DISTANCE;
        let share = last + (first - last) * (-(proposals as f64) / NARROWING).exp();
        share * gp::stretch(self.total())
    }

    /// One of the known programs a line, at random; None where none are known.
    fn tuple(&self, random: &mut ChaCha8Rng) -> Option<Vec<usize>> {
        let line = |allowed: &Arc<Vec<usize>>| {
            (!allowed.is_empty()).then(|| allowed[random.random_range(0..allowed.len())])
        };
        let tuple: Vec<usize> = self.allowed.iter().map(line).collect::<Option<_>>()?;
        (!tuple.is_empty()).then_some(tuple)
    }

    fn anywhere(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        let value = |_| random.random_range(-1.0..=1.0);
        (0..self.total()).map(value).collect()
    }
}

/// A point to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where.
    pub point: Vec<f32>,
    /// Whether the loss's gradient is asked for as well.
    pub wants_gradient: bool,
}

impl Candidate {
    fn at(point: Vec<f32>) -> Self {
        Self {
            point,
            wants_gradient: false,
        }
    }

    /// Evaluations it counts as.
    pub fn cost(&self) -> usize {
        if self.wants_gradient {
            GRADIENT_COST
        } else {
            1
        }
    }
}

/// What was seen at a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The loss. Anything not finite counts as the worst.
    pub loss: f32,
    /// Its gradient, where it was asked for.
    pub gradient: Option<Vec<f32>>,
}

impl Observation {
    /// A loss and nothing else.
    pub fn loss(loss: f32) -> Self {
        Self {
            loss,
            ..Self::default()
        }
    }
}

/// A search under way.
pub trait Search: Send {
    /// The next point to evaluate; None when the method has nothing left.
    fn ask(&mut self) -> Option<Candidate>;

    /// Tells what was seen at a point, which need not be one that was proposed.
    fn tell(&mut self, point: &[f32], observation: &Observation);

    /// The search as it stands, to go on with later.
    fn fork(&self) -> Box<dyn Search>;

    /// What it believes of points; None where the method has no surrogate, or has seen nothing yet.
    fn posterior(&self, _points: &Points) -> Option<Vec<Posterior>> {
        None
    }
}

/// A warm start without anything to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} begins with the proposals of an inverse encoder, and the model has none")]
pub struct NoProposals(pub Strategy);

/// Starts a search.
///
/// # Errors
/// If the strategy needs proposals and the space has none.
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
        Method::Random => Box::new(sampling::Uniform::new(space, random)),
        Method::Sobol => Box::new(sampling::Sobol::new(space, random)),
        Method::HillClimb => Box::new(climb::Climb::new(space, random)),
        Method::Turbo => Box::new(turbo::Turbo::new(space, random)),
        Method::CmaEs => Box::new(cma::Cma::new(space, random)),
        Method::Gradient => Box::new(descent::Descent::new(space, random)),
        Method::Inverse => Box::new(sampling::Uniform::new(space, random)),
        Method::Enumerate => Box::new(sampling::Walk::new(space, random)),
    })
}

fn to_f64(point: &[f32]) -> Vec<f64> {
    point.iter().map(|&x| f64::from(x)).collect()
}

fn to_f32(point: &[f64]) -> Vec<f32> {
    point.iter().map(|&x| x as f32).collect()
}
