//! Latent spaces of more than two dimensions on paper: PCA and t-SNE, and how far each can be believed.
//!
//! PCA keeps large distances, t-SNE (van der Maaten and Hinton 2008) keeps neighbours. Neither keeps
//! everything, so each comes with its trustworthiness and continuity (Venna and Kaski 2001). Work on
//! many points is shared among the threads of rayon's pool; no result depends on how many there are.

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

use super::points::Points;

/// The perplexities people compare.
pub const PERPLEXITIES: [f32; 5] = [2.0, 5.0, 30.0, 50.0, 100.0];

/// A way onto the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// The two directions along which the points spread most.
    Pca,
    /// t-SNE.
    Tsne {
        /// How many neighbours count, roughly.
        perplexity: f32,
    },
}

impl Kind {
    /// PCA, and t-SNE at each perplexity.
    pub fn all(perplexities: &[f32]) -> Vec<Self> {
        let tsne = perplexities
            .iter()
            .map(|&perplexity| Self::Tsne { perplexity });
        std::iter::once(Self::Pca).chain(tsne).collect()
    }

    /// For people, of `n` points: says where they are too few for the perplexity.
    pub fn name_of(self, n: usize) -> String {
        match self {
            Self::Pca => self.to_string(),
            Self::Tsne { perplexity } => {
                let settings = Tsne {
                    perplexity,
                    ..Tsne::default()
                };
                let used = settings.perplexity_of(n);
                if used == perplexity {
                    self.to_string()
                } else {
                    format!("t-SNE, perplexity {used} for {perplexity}")
                }
            }
        }
    }

    /// As in tables and file names: `pca`, `tsne-30`.
    pub fn id(self) -> String {
        match self {
            Self::Pca => "pca".into(),
            Self::Tsne { perplexity } => format!("tsne-{perplexity}"),
        }
    }

    /// Places of the points on the plane, in the points' order and with axes of no fixed scale. `watch`
    /// sees every step; `None` once it breaks off.
    pub fn project(
        self,
        points: &Points,
        seed: u64,
        watch: &mut dyn FnMut(TsneStage<'_>) -> ControlFlow<()>,
    ) -> Option<Points> {
        match self {
            Self::Pca => Some(pca(points)),
            Self::Tsne { perplexity } => tsne(
                points,
                &Tsne {
                    perplexity,
                    seed,
                    ..Tsne::default()
                },
                watch,
            ),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pca => f.pad("PCA"),
            Self::Tsne { perplexity } => f.pad(&format!("t-SNE, perplexity {perplexity}")),
        }
    }
}

/// How places on a plane of any extent fit into the box (-1, 1)^2: centred, both axes scaled alike, with
/// a small margin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fit {
    /// The place that comes to lie in the box's middle.
    pub centre: [f32; 2],
    /// How long a unit of the box is; 0 where all lie in one place.
    pub unit: f32,
}

impl Fit {
    /// The fit of these places.
    pub fn of(places: &Points) -> Self {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for place in places.iter() {
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        let reach = (high[0] - low[0]).max(high[1] - low[1]) / 2.0;
        if !reach.is_finite() {
            return Self::default();
        }
        Self {
            centre: [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0],
            unit: reach / 0.94,
        }
    }

    /// Where a place comes to lie in the box.
    pub fn in_box(&self, place: [f32; 2]) -> [f32; 2] {
        if self.unit > 0.0 {
            [0, 1].map(|axis| (place[axis] - self.centre[axis]) / self.unit)
        } else {
            [0.0; 2]
        }
    }

    /// Where all places come to lie in the box.
    pub fn all_in_box(&self, places: &Points) -> Points {
        let values = places
            .iter()
            .flat_map(|place| self.in_box([place[0], place[1]]))
            .collect();
        Points { dims: 2, values }
    }
}
