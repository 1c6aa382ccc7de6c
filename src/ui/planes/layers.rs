//! The layers of the large map: the loss, and what a search's surrogate believes.

use std::sync::Arc;

use crate::{executor::views, latent::field::Field, palette::Scale, ui::session::Layer};

/// Widest range of a belief that is shown, in its own unit.
const SHOWN: f32 = 12.0;

/// All, in the order of the list.
pub const LAYERS: [Layer; 5] = [
    Layer::Loss,
    Layer::Sure,
    Layer::Mean,
    Layer::Uncertainty,
    Layer::Acquisition,
];

/// Its name in the list.
pub fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Loss => "loss",
        Layer::Sure => "loss where the decoder is sure",
        Layer::Mean => "GP mean",
        Layer::Uncertainty => "GP uncertainty",
        Layer::Acquisition => "acquisition",
    }
}

/// A layer that a search's surrogate gives.
#[derive(Clone, Copy)]
pub struct PosteriorLayer<'a> {
    /// Over the plane.
    pub field: &'a Arc<Field>,
    /// Its name, as a map's title begins.
    pub quantity: &'static str,
    /// The quantity with its unit.
    pub unit: &'static str,
}

/// A layer of a surrogate; none for the loss, which needs none.
pub fn layer_of(beliefs: &views::PosteriorView, layer: Layer) -> Option<PosteriorLayer<'_>> {
    let belief = |field, quantity, unit| {
        Some(PosteriorLayer {
            field,
            quantity,
            unit,
        })
    };
    match layer {
        Layer::Loss | Layer::Sure => None,
        Layer::Mean => belief(
            &beliefs.mean,
            "Expected loss",
            "expected loss, standardised",
        ),
        Layer::Uncertainty => belief(
            &beliefs.uncertainty,
            "Deviation of the expected loss",
            "its standard deviation",
        ),
        Layer::Acquisition => belief(
            &beliefs.acquisition,
            "Acquisition",
            "log expected improvement",
        ),
    }
}

/// A scale for such a field.
pub fn belief_scale(field: &Field) -> Scale {
    let values = field.values.iter().copied();
    let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // What promises next to nothing is not told apart.
    Scale::value(low.max(high - SHOWN), high)
}
