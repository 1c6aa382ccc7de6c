//! Items on a canvas: marks, steps of a search, pins; and the click on it.

use std::sync::Arc;

/// A program or state on the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Latent point.
    pub at: [f32; 2],
    /// Number beside it; empty for none.
    pub label: Arc<str>,
    /// sRGB of its disc.
    pub color: [u8; 3],
    /// Radius of its disc in points; 0 draws the label alone, centred.
    pub radius: f32,
    /// Labels of higher priority are placed first.
    pub priority: f32,
    /// Emphasis among the others.
    pub emphasis: Emphasis,
}

/// Emphasis of a mark among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emphasis {
    /// No emphasis.
    #[default]
    Normal,
    /// Selected or searched for: ring, larger label, on top.
    Highlighted,
    /// Not among those selected: paler, still there.
    Faded,
}

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathStep {
    /// The latent point tried.
    pub at: [f32; 2],
    /// sRGB of its dot, as a rule the scale's colour of its loss.
    pub color: [u8; 3],
    /// The best so far: drawn larger.
    pub is_best: bool,
}

/// A point someone pinned.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    /// Latent point.
    pub at: [f32; 2],
    /// Text beside it.
    pub label: String,
    /// sRGB of its diamond.
    pub color: [u8; 3],
}

/// A click on a canvas, or the key that stands for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Click {
    /// The first one, with the latent point it is meant for: under the pointer or, with Enter, at the cross.
    Single([f32; 2]),
    /// The second one of a double-click, which shows the whole plane: the first one wasn't meant.
    Double,
}

impl Click {
    /// Latent point of a single click; `None` for a double-click.
    pub(super) fn latent(self) -> Option<[f32; 2]> {
        match self {
            Self::Single(latent) => Some(latent),
            Self::Double => None,
        }
    }
}
