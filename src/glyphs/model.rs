//! The networks of Code Glyphs.
//!
//! ```text
//! tokens -> text encoder -> slots -> generator -> picture -> (noisy channel) -> reader -> slots -> text decoder -> tokens
//!                                                         \-> pose head: where the corners are
//! photo -> locator: where a glyph lies
//! ```
//!
//! Shapes: B functions, S slots, D = `hidden_size`, V tokens in the vocabulary.

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor},
};

use super::{
    architecture::{Generator, Recognizer},
    networks::mosaic::{Layouts, PoseHead, SlotCells},
    reed_solomon::SYMBOLS,
};
use crate::{
    glyphs::config::GlyphsConfig,
    nn::{
        init::Initializer,
        roberta::{RobertaForMaskedLm, RobertaModel},
    },
};

/// All of them.
#[derive(Module, Debug)]
pub struct GlyphModel {
    text_encoder: RobertaModel,
    generator: Generator,
    reader: Recognizer,
    pose: PoseHead,
    locator: Option<PoseHead>,
    text_decoder: RobertaForMaskedLm,
}

impl GlyphModel {
    /// Random weights from the configuration's seed.
    pub fn new(
        config: &GlyphsConfig,
        vocabulary: usize,
        layouts: &Layouts,
        device: &Device,
    ) -> Self {
        // Cells of a code hold any symbol.
        let vocabulary = match config.parity > 0.0 {
            true => vocabulary.max(SYMBOLS),
            false => vocabulary,
        };
        let init = &mut Initializer::new(config.seed, device);
        let sizes = config.roberta_sizes(vocabulary, layouts.most_slots());
        Self {
            text_encoder: RobertaModel::new(&sizes, init),
            generator: Generator::new(config, layouts, init),
            reader: Recognizer::new(config, layouts, init),
            pose: PoseHead::new(config.pose, init),
            locator: (config.locator > 0).then(|| PoseHead::new(config.locator, init)),
            text_decoder: RobertaForMaskedLm::new(&sizes, init),
        }
    }

    /// Tokens [B, S], of which `mask` [B, S] marks the real ones, to slots [B, S, D].
    pub fn encode(&self, tokens: Tensor<2, Int>, mask: Tensor<2>) -> Tensor<3> {
        self.text_encoder.forward(tokens, mask)
    }

    /// Slots [B, S, D] to the latents of their pictures; see [`Generator::latent`].
    pub fn latent(&self, slots: Tensor<3>, content: Tensor<2>, cells: &SlotCells) -> Tensor<3> {
        self.generator.latent(slots, content, cells)
    }

    /// Latents to pictures [B, 3, `size`, `size`], values 0..1; see [`Generator::picture`].
    pub fn picture(&self, latent: Tensor<3>, size: usize) -> Tensor<4> {
        self.generator.picture(latent, size)
    }

    /// Pictures to features, from which the layout and the slots are read.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<4> {
        self.reader.features(pictures)
    }

    /// Features to logits of the layouts.
    pub fn layout(&self, features: Tensor<4>) -> Tensor<2> {
        self.reader.layout(features)
    }

    /// Hidden states [B, S, D] of the slots, from features and the layouts.
    pub fn hidden(&self, features: Tensor<4>, cells: &SlotCells) -> Tensor<3> {
        let slots = self.reader.slots(features, cells);
        self.text_decoder.hidden(slots, cells.mask())
    }

    /// Logits of the tokens [B, S, V] from hidden states [B, S, D].
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.text_decoder.logits(hidden)
    }

    /// Small pictures [B, 3, 64, 64] to corners [B, 8]; see [`PoseHead::forward`].
    pub fn corners(&self, small: Tensor<4>) -> Tensor<2> {
        self.pose.forward(small)
    }

    /// Photos [B, 3, 64, 64] to the corners [B, 8] of the glyph that lies in each; see [`SceneBatch`](super::scene::SceneBatch).
    /// `None` without a locator.
    pub fn located(&self, photos: Tensor<4>) -> Option<Tensor<2>> {
        let locator = self.locator.as_ref()?;
        Some(locator.forward(photos))
    }
}

/// Slots [B, S, D] to their means [B, D] over real tokens.
pub(super) fn mean_of_slots(slots: Tensor<3>, real: Tensor<2>) -> Tensor<2> {
    let weights = real.clone() / real.sum_dim(1);
    (slots * weights.unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
}
