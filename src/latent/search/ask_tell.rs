//! Interface of a search: candidates are asked for, observations told.

use crate::latent::points::Points;

/// Cost of a gradient in evaluations: one forward pass, and a backward pass counted as two.
const GRADIENT_COST: usize = 3;

/// Point to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The point.
    pub point: Vec<f32>,
    /// True if the method needs the gradient of the loss.
    pub wants_gradient: bool,
}

impl Candidate {
    pub(super) fn at(point: Vec<f32>) -> Self {
        Self {
            point,
            wants_gradient: false,
        }
    }

    /// Cost in evaluations.
    pub fn cost(&self) -> usize {
        if self.wants_gradient {
            GRADIENT_COST
        } else {
            1
        }
    }
}

/// Evaluation result at a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Loss; a value that is not finite counts as the worst.
    pub loss: f32,
    /// Gradient of the loss with respect to the point, if it was asked for.
    pub gradient: Option<Vec<f32>>,
}

impl Observation {
    /// Observation of a loss without a gradient.
    pub fn loss(loss: f32) -> Self {
        Self {
            loss,
            ..Self::default()
        }
    }
}

/// Running search, driven by ask and tell.
pub trait Search: Fork + Send {
    /// Next point to evaluate; `None` once the method is exhausted.
    fn ask(&mut self) -> Option<Candidate>;

    /// Observation at a point, which need not be a proposed one; a method that doesn't learn ignores it.
    fn tell(&mut self, _point: &[f32], _observation: &Observation) {}

    /// Surrogate's posterior at points; `None` for a method without a surrogate, or before the first
    /// observation.
    fn posterior(&self, _points: &Points) -> Option<Vec<Posterior>> {
        None
    }
}

/// Copy of a search behind a trait object, for every search that is [`Clone`].
pub trait Fork {
    /// Copy of the search in its current state.
    fn fork(&self) -> Box<dyn Search>;
}

impl<S: Search + Clone + 'static> Fork for S {
    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

/// Posterior of the loss at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// Mean of the standardised loss.
    pub mean: f64,
    /// Standard deviation of the standardised loss.
    pub deviation: f64,
    /// Acquisition: the logarithm of the expected improvement.
    pub acquisition: f64,
}
