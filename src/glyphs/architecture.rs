//! The two halves in which the designs differ: slots to picture, and picture to slots.
//!
//! The mosaic paints each slot's cell. The others funnel all slots into one latent vector, of which
//! the reference's networks paint the whole picture; its ResNet reads the vector back.
//!
//! Shapes: B functions, S slots, D = `hidden_size`, W values of a slot in the latent, C channels.

use burn::{module::Module, nn::Linear, tensor::Tensor};

use super::networks::{
    generators::{CnnGenerator, CppnGenerator},
    mosaic::{Layouts, MosaicGenerator, MosaicRecognizer, SlotCells},
    resnet_v2::ResNetV2,
    slot_projection::SlotProjection,
};
use crate::{
    glyphs::config::{Design, GLYPH_SIZE, GlyphsConfig},
    nn::{
        conv::{Interpolation, upsample},
        init::Initializer,
        untagged::untagged_module,
    },
};

/// Slots to picture.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
pub enum Generator {
    /// Cell by cell.
    Mosaic(MosaicGenerator),
    /// By the reference's convolutions.
    Dense(DenseGenerator),
    /// By the reference's network over coordinates.
    Cppn(CoordinateGenerator),
}

untagged_module!(Generator {
    Mosaic,
    Dense,
    Cppn
});

/// A funnel and the reference's convolutions.
#[derive(Module, Debug)]
pub struct DenseGenerator {
    funnel: SlotProjection,
    network: CnnGenerator,
}

/// A funnel and the reference's network over coordinates.
#[derive(Module, Debug)]
pub struct CoordinateGenerator {
    funnel: SlotProjection,
    network: CppnGenerator,
    enlargement: usize,
}

impl Generator {
    /// Random weights for the configuration's design.
    pub fn new(config: &GlyphsConfig, layouts: &Layouts, init: &mut Initializer) -> Self {
        let mut funnel = || SlotProjection::down(config.hidden_size, config.slot_latent(), init);
        match config.design {
            Design::Mosaic => {
                let kinds = layouts.all.len();
                Self::Mosaic(MosaicGenerator::new(&config.mosaic_sizes(), kinds, init))
            }
            Design::Dense => Self::Dense(DenseGenerator {
                funnel: funnel(),
                network: CnnGenerator::new(&config.cnn_sizes(), init),
            }),
            Design::Cppn => Self::Cppn(CoordinateGenerator {
                funnel: funnel(),
                network: CppnGenerator::new(&config.cppn_sizes(), init),
                enlargement: config.enlargement,
            }),
        }
    }

    /// Slots [B, S, D], of which `content` [B, S] marks the function's own, to what morphs are made in: a mosaic's canvas, see
    /// [`MosaicGenerator::canvas`]; otherwise the latent vector, a row for each slot, [B, S, W].
    pub fn latent(&self, slots: Tensor<3>, content: Tensor<2>, cells: &SlotCells) -> Tensor<3> {
        match self {
            Self::Mosaic(generator) => generator.canvas(slots, content, cells),
            Self::Dense(painter) => painter.funnel.forward(slots),
            Self::Cppn(painter) => painter.funnel.forward(slots),
        }
    }

    /// Latents to pictures [B, 3, `size`, `size`], values 0..1. Sizes other than 128 are for designs
    /// that [paint any](Design::paints_any_size).
    pub fn picture(&self, latent: Tensor<3>, size: usize) -> Tensor<4> {
        match self {
            Self::Mosaic(generator) => generator.picture(latent, size),
            Self::Dense(painter) => painter.network.forward(latent.flatten(1, 2)),
            Self::Cppn(painter) => {
                let latent = latent.flatten(1, 2);
                match painter.enlargement {
                    // Sizes of its own it paints pixel by pixel, at whatever cost.
                    factor if factor > 1 && size == GLYPH_SIZE => {
                        let small = painter.network.forward(latent, size / factor);
                        upsample(small, factor, Interpolation::Bicubic).clamp(0.0, 1.0)
                    }
                    _ => painter.network.forward(latent, size),
                }
            }
        }
    }
}

/// Picture to slots.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
pub enum Recognizer {
    /// Cell by cell.
    Mosaic(MosaicRecognizer),
    /// By a ResNet.
    Whole(DenseRecognizer),
}

untagged_module!(Recognizer { Mosaic, Whole });

/// A ResNet, its features averaged over the picture, the latent vector and a funnel.
#[derive(Module, Debug)]
pub struct DenseRecognizer {
    network: ResNetV2,
    latent: Linear,
    funnel: SlotProjection,
    slot_latent: usize,
}

impl Recognizer {
    /// Random weights for the configuration's design.
    pub fn new(config: &GlyphsConfig, layouts: &Layouts, init: &mut Initializer) -> Self {
        if config.design == Design::Mosaic {
            let kinds = layouts.all.len();
            return Self::Mosaic(MosaicRecognizer::new(&config.mosaic_sizes(), kinds, init));
        }
        let sizes = config.resnet_sizes();
        let channels = *sizes.channels.last().expect("a network has a stage");
        Self::Whole(DenseRecognizer {
            network: ResNetV2::new(&sizes, init),
            latent: init.linear_relu(channels, config.latent_size()),
            funnel: SlotProjection::up(config.slot_latent(), config.hidden_size, init),
            slot_latent: config.slot_latent(),
        })
    }

    /// Pictures [B, 3, 128, 128], values 0..1, to features, from which the layout and the slots are
    /// read.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Mosaic(reader) => reader.features(pictures),
            Self::Whole(reader) => {
                let features = reader.network.forward(pictures);
                features.mean_dim(3).mean_dim(2)
            }
        }
    }

    /// Features to logits of the layouts [B, layouts]; a single one is never in doubt.
    pub fn layout(&self, features: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Mosaic(reader) => reader.layout(features),
            Self::Whole(_) => Tensor::zeros([features.dims()[0], 1], &features.device()),
        }
    }

    /// Features to slots [B, S, D], given the layouts.
    pub fn slots(&self, features: Tensor<4>, cells: &SlotCells) -> Tensor<3> {
        match self {
            Self::Mosaic(reader) => reader.slots(features, cells),
            Self::Whole(reader) => {
                let [batch, ..] = features.dims();
                let latent = reader.latent.forward(features.flatten::<2>(1, 3));
                reader
                    .funnel
                    .forward(latent.reshape([batch as i32, -1, reader.slot_latent as i32]))
            }
        }
    }
}
