//! Layers of the large map: the loss, and the posterior of a search's surrogate.

use std::sync::Arc;

use crate::{executor::views, latent::field::Field, palette::Scale};

/// Largest range of a posterior layer's colours, in its own unit.
const SHOWN_RANGE: f32 = 12.0;

/// Layer of the large map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// The sum's loss.
    #[default]
    Loss,
    /// The sum's loss, greyed out where the decoder is off its manifold.
    Sure,
    /// The surrogate's posterior mean.
    Mean,
    /// The surrogate's standard deviation.
    Uncertainty,
    /// The acquisition function.
    Acquisition,
}

/// All layers, in the order of the list.
pub const LAYERS: [Layer; 5] = [
    Layer::Loss,
    Layer::Sure,
    Layer::Mean,
    Layer::Uncertainty,
    Layer::Acquisition,
];

/// Name of a layer in the list.
pub fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Loss => "loss",
        Layer::Sure => "loss where the decoder is sure",
        Layer::Mean => "GP mean",
        Layer::Uncertainty => "GP uncertainty",
        Layer::Acquisition => "acquisition",
    }
}

/// Layer of a surrogate's posterior.
#[derive(Clone, Copy)]
pub struct PosteriorLayer<'a> {
    /// Values over the plane.
    pub field: &'a Arc<Field>,
    /// Name of the quantity, with which a map's title begins.
    pub quantity: &'static str,
    /// Name of the quantity with its unit.
    pub unit: &'static str,
}

/// Posterior layer to show; none for the loss, which needs no surrogate.
pub fn posterior_layer(
    posterior: &views::PosteriorView,
    layer: Layer,
) -> Option<PosteriorLayer<'_>> {
    let layer_of = |field, quantity, unit| {
        Some(PosteriorLayer {
            field,
            quantity,
            unit,
        })
    };
    match layer {
        Layer::Loss | Layer::Sure => None,
        Layer::Mean => layer_of(
            &posterior.mean,
            "Expected loss",
            "expected loss, standardised",
        ),
        Layer::Uncertainty => layer_of(
            &posterior.uncertainty,
            "Deviation of the expected loss",
            "its standard deviation",
        ),
        Layer::Acquisition => layer_of(
            &posterior.acquisition,
            "Acquisition",
            "log expected improvement",
        ),
    }
}

/// Colour scale of a posterior layer.
pub fn posterior_scale(field: &Field) -> Scale {
    let values = field.values.iter().copied();
    let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // Points of next to no expected improvement are not told apart.
    Scale::value(low.max(high - SHOWN_RANGE), high)
}
