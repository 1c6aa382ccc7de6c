//! Projections of latent spaces onto the plane: PCA and t-SNE, each with scores of its faithfulness.
//!
//! PCA preserves large distances, t-SNE (van der Maaten and Hinton 2008) neighbourhoods. Neither preserves
//! everything, so each comes with its trustworthiness and continuity (Venna and Kaski 2001). Work on many
//! points is distributed over rayon's thread pool; no result depends on the number of threads.

mod neighbours;
mod pca;
mod quadtree;
mod slice;
mod trust;
mod tsne;

use std::{fmt, ops::ControlFlow};

pub use pca::pca;
pub use slice::{Slice, SliceError};
pub use trust::{NEIGHBOURS, Trust, trust, trust_of_values};
pub use tsne::{EARLY_STEPS, STEPS, Tsne, TsneStage, tsne};

use self::quadtree::bounds;
use super::points::Points;

/// Perplexities that are commonly compared.
pub const PERPLEXITIES: [f32; 5] = [2.0, 5.0, 30.0, 50.0, 100.0];

/// Projection method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Projection {
    /// Principal component analysis: the two directions of largest variance.
    Pca,
    /// t-SNE.
    Tsne {
        /// Effective number of neighbours.
        perplexity: f32,
    },
}

impl Projection {
    /// PCA, then t-SNE at each perplexity.
    pub fn all(perplexities: &[f32]) -> Vec<Self> {
        let tsne = |&perplexity: &f32| Self::Tsne { perplexity };
        let tsnes = perplexities.iter().map(tsne);
        std::iter::once(Self::Pca).chain(tsnes).collect()
    }

    /// Name shown to people, for `n` points; with both perplexities if the points are too few for this one.
    pub fn name_of(self, n: usize) -> String {
        let Self::Tsne { perplexity } = self else {
            return self.to_string();
        };
        let settings = Tsne {
            perplexity,
            ..Tsne::default()
        };
        match settings.perplexity_of(n) {
            used if used == perplexity => self.to_string(),
            used => format!("t-SNE, perplexity {used} for {perplexity}"),
        }
    }

    /// Identifier in tables and file names: `pca`, `tsne-30`.
    pub fn id(self) -> String {
        match self {
            Self::Pca => "pca".into(),
            Self::Tsne { perplexity } => format!("tsne-{perplexity}"),
        }
    }

    /// Projection of points onto the plane, N x 2, in their order; the axes' scale is arbitrary. `on_step`
    /// is called at every step; `None` once it breaks off.
    pub fn project(
        self,
        points: &Points,
        seed: u64,
        on_step: &mut dyn FnMut(TsneStage<'_>) -> ControlFlow<()>,
    ) -> Option<Points> {
        match self {
            Self::Pca => Some(pca(points)),
            Self::Tsne { perplexity } => {
                let steps = STEPS;
                tsne(
                    points,
                    &Tsne {
                        perplexity,
                        seed,
                        steps,
                    },
                    on_step,
                )
            }
        }
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pca => f.pad("PCA"),
            Self::Tsne { perplexity } => f.pad(&format!("t-SNE, perplexity {perplexity}")),
        }
    }
}

/// Affine map of a layout of any extent into the box (-1, 1)^2: centred, with equal scale on both axes and
/// a small margin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fit {
    /// Point that is mapped to the centre of the box.
    pub centre: [f32; 2],
    /// Length of one unit of the box in the layout's units; 0 if all points coincide.
    pub unit: f32,
}

impl Fit {
    /// Fit of a layout.
    pub fn of(places: &Points) -> Self {
        let [low, high] = bounds(places.iter());
        let reach = (high[0] - low[0]).max(high[1] - low[1]) / 2.0;
        if !reach.is_finite() {
            return Self::default();
        }
        Self {
            centre: [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0],
            unit: reach / 0.94,
        }
    }

    /// Image of a point in the box.
    pub fn in_box(&self, place: [f32; 2]) -> [f32; 2] {
        if self.unit > 0.0 {
            [0, 1].map(|axis| (place[axis] - self.centre[axis]) / self.unit)
        } else {
            [0.0; 2]
        }
    }

    /// Images of all points in the box.
    pub fn all_in_box(&self, places: &Points) -> Points {
        Points::plane(places.iter().map(|place| self.in_box([place[0], place[1]])))
    }
}
