//! Configuration of a Code Glyphs run.

mod presets;

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::networks::{
    generators::{CnnConfig, CppnConfig},
    mosaic::{Layouts, MosaicSizes},
    resnet_v2::ResNetV2Config,
};
use super::{code::cells_for, reed_solomon::BITS};
use crate::{
    nn::roberta::RobertaSizes,
    training::config::{
        Config, Schedule, check_between, check_not_negative, check_rates_and_weights, one,
    },
};

pub use presets::GLYPH_PRESETS;

/// Side of a glyph in pixels.
pub const GLYPH_SIZE: usize = 128;

/// Image generator of a model.
///
/// Measured on two busy cores with 512 functions of up to 32 tokens, 64 per step: after 60 steps the
/// mosaic's tokens cost 4.6 nats (24 % read right) at 0.5 s per step or more, the dense design's 5.4 (13 %)
/// at 4.6 s; after 16 steps 6.6, 6.8 and the CPPN's, generated at 32x32, 6.9 at 2.6 s of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// One cell per token slot, by one shared generator.
    Mosaic,
    /// The reference's convolutional generator of one latent vector.
    Dense,
    /// The reference's network of pixel coordinates and one latent vector.
    Cppn,
}

impl Design {
    /// True if it can generate images of other sizes than 128x128.
    pub fn paints_any_size(self) -> bool {
        match self {
            Self::Mosaic | Self::Cppn => true,
            Self::Dense => false,
        }
    }
}

/// Sizes, loss weights and schedule of Code Glyphs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlyphsConfig {
    /// Image generator; a mosaic has a recogniser of its own, the others are read by a ResNet.
    pub design: Design,
    /// Length of the longest function in tokens.
    pub max_tokens: usize,
    /// Parity symbols for each token, in cells of their own besides a header and [`SPARE`](super::code::SPARE) others; 0 for
    /// glyphs without a code, as in configurations older than this key.
    #[serde(default)]
    pub parity: f64,
    /// True for a mosaic's face: a low band and a palette painted from the function as a whole.
    #[serde(default)]
    pub face: bool,
    /// True for a mosaic's dark border, by which it is located.
    #[serde(default)]
    pub border: bool,
    /// Deviation of the corners by which pictures are rectified in training, in half sides about the true ones; 0 for those
    /// that the pose head finds. With those the recognizer learns little while the pose head is poor.
    #[serde(default)]
    pub corner_noise: f64,
    /// Width of a token embedding.
    pub hidden_size: usize,
    /// Number of blocks in the text encoder, and in the text decoder.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Inner width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Inner width of the mosaic's generator; channels of the dense generator's first level, in 64s; width
    /// of the CPPN, in 4s.
    pub painter: usize,
    /// Residual blocks per level of the dense generator; total blocks of the CPPN.
    #[serde(default = "one")]
    pub blocks: usize,
    /// Upscaling factor of the CPPN's images to glyphs of 128x128; its cost is proportional to the pixels
    /// it generates.
    #[serde(default = "one")]
    pub enlargement: usize,
    /// Channels of the mosaic's recogniser; of the last stage of the others' ResNet, in 32s, where 2048 is
    /// the reference's R50x1.
    pub reader: usize,
    /// Width of the network that locates a glyph's corners.
    pub pose: usize,
    /// Width of the network that locates a glyph in a photo; 0 for none.
    #[serde(default)]
    pub locator: usize,
    /// Size of the latent vector of the designs other than the mosaic, up to rounding to a multiple of the
    /// tokens, and at most `hidden_size` per token.
    pub latent: usize,
    /// Seed of the weights, the batches and the distortions.
    pub seed: u64,
    /// Share of the functions held out from training.
    pub validation: f64,
    /// Largest number of functions per step.
    pub batch: usize,
    /// Number of shards of a step, each with its own gradient; data-parallel on a CPU, merged into one
    /// batch on a GPU.
    #[serde(default = "one")]
    pub shards: usize,
    /// Largest number of tokens per step, padding included.
    pub batch_tokens: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Learning rate multiplier of the text encoder and decoder.
    pub text_rate: f64,
    /// Learning rate multiplier of the generator.
    pub generator_rate: f64,
    /// Learning rate multiplier of the recogniser.
    pub reader_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps of the cosine decay. A run limited in seconds passes through the same schedule in its time.
    pub schedule_steps: u64,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// Gradient clipping: largest global norm of the gradient.
    pub max_norm: f64,
    /// Label smoothing of the cross-entropy.
    pub label_smoothing: f64,
    /// Weight of the layout classification loss.
    pub layout_weight: f64,
    /// Weight of the corner regression losses.
    pub pose_weight: f64,
    /// Weight of the contrast loss: an image's lack of contrast.
    pub contrast_weight: f64,
    /// Target contrast: standard deviation of an image's values.
    pub contrast_target: f64,
    /// Weight of the smoothness loss: an image's excess roughness.
    pub smoothness_weight: f64,
    /// Allowed roughness: mean difference of neighbours over the contrast.
    pub smoothness_target: f64,
    /// Share of the schedule before the contrast and smoothness losses set in; from the first step on they
    /// prevent a mosaic from being learnt at all. They rise over half of what follows; of 0, as for a model that has learnt
    /// to read already, they are whole from the first step on.
    pub looks_from: f64,
    /// Weight of the distance loss: images should be as far apart as the functions' latents.
    pub distance_weight: f64,
    /// True if that loss compares the same pairs in both spaces; the reference drew them twice, a fault
    /// that false demonstrates.
    pub shared_pairs: bool,
    /// True if that loss compares images by the perceptor, at 64x64, instead of their pixels. The small
    /// random one makes `pocket`'s steps a fifth longer (1.24 for 1.05 s of a core, 64 functions of up to
    /// 32 tokens).
    #[serde(default)]
    pub perceptual: bool,
    /// Path of the perceptor's weights, a safetensors file of timm's `resnetv2_50x1_bit`; empty for a small
    /// random one.
    #[serde(default)]
    pub perceptor: PathBuf,
    /// Weight of the repulsion between the perceptor's textures of different glyphs.
    #[serde(default)]
    pub repulsion_weight: f64,
    /// Weight of the thumbnail loss: pictures of 16x16 pixels should be as far apart as the functions are by tf-idf of their
    /// tokens and syntax.
    #[serde(default)]
    pub thumbnail_weight: f64,
    /// Weight of the band losses: what is missing of the low band's deviation, and the detail's beyond its target.
    #[serde(default)]
    pub band_weight: f64,
    /// Target deviation of the low band, from place to place of a picture and from picture to picture.
    #[serde(default)]
    pub low_band_target: f64,
    /// Allowed deviation of the detail.
    #[serde(default)]
    pub detail_target: f64,
    /// Share of the functions whose strings and names are put in other scripts than Latin.
    #[serde(default)]
    pub scripts: f64,
    /// Initial difficulty of the distortions, 0 to 15.
    pub difficulty: f64,
    /// Token accuracy on unseen functions above which the distortions become harder, at difficulty 0. The
    /// reference's .9 stalls at 3, where long functions become unreadable and short ones have much to
    /// learn. With parity the share of them that are verified counts instead.
    pub rise_above: f64,
    /// Difficulty at which the curriculum stops.
    pub max_difficulty: f64,
    /// Share of each batch distorted at difficulty 0.
    pub clean: f64,
}

impl GlyphsConfig {
    /// Sizes of the text encoder and decoder for sequences of up to `slots`.
    pub fn roberta_sizes(&self, vocab_size: usize, slots: usize) -> RobertaSizes {
        RobertaSizes {
            vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            max_tokens: slots,
            bits: if self.parity > 0.0 { BITS } else { 0 },
        }
    }

    /// Sizes of the mosaic.
    pub fn mosaic_sizes(&self) -> MosaicSizes {
        MosaicSizes {
            slot: self.hidden_size,
            generator: self.painter,
            recognizer: self.reader,
            has_face: self.face,
            has_border: self.border,
        }
    }

    /// Layouts of slots in images: the mosaic's; for other designs, one of `max_tokens` slots.
    pub fn layouts(&self) -> Layouts {
        match self.design {
            Design::Mosaic if self.parity > 0.0 => {
                Layouts::scattered(cells_for(self.max_tokens, self.parity))
            }
            Design::Mosaic => Layouts::new(self.max_tokens),
            Design::Dense | Design::Cppn => Layouts::line(self.max_tokens),
        }
    }

    /// Size of one slot in the latent vector.
    pub fn slot_latent(&self) -> usize {
        (self.latent / self.max_tokens).clamp(1, self.hidden_size)
    }

    /// Size of the latent vector.
    pub fn latent_size(&self) -> usize {
        self.slot_latent() * self.max_tokens
    }

    /// Sizes of the dense generator.
    pub fn cnn_sizes(&self) -> CnnConfig {
        // Five levels halve the channels and blocks quarter them.
        let units = self.painter.div_ceil(64);
        CnnConfig {
            latent: self.latent_size(),
            channels: 64 * units,
            blocks: self.blocks,
            groups: groups(units),
            size: GLYPH_SIZE,
            ..CnnConfig::paper()
        }
    }

    /// Sizes of the CPPN.
    pub fn cppn_sizes(&self) -> CppnConfig {
        let width = self.painter.next_multiple_of(4);
        CppnConfig {
            latent: self.latent_size(),
            width,
            blocks: self.blocks,
            frequencies: width / 2,
        }
    }

    /// Sizes of the ResNet that reads the designs other than the mosaic.
    pub fn resnet_sizes(&self) -> ResNetV2Config {
        if self.reader == 2048 {
            return ResNetV2Config::bit_r50x1();
        }
        // The first stage has an eighth of the last one's channels, and a quarter of that inside.
        let units = self.reader.div_ceil(32);
        ResNetV2Config {
            stem: 2 * units,
            channels: [4, 8, 16, 32].map(|times| times * units).into(),
            groups: groups(units),
            ..ResNetV2Config::small()
        }
    }

    /// True if a step's losses compare functions by their terms.
    pub fn compares_terms(&self) -> bool {
        self.thumbnail_weight > 0.0
    }

    /// True if a step's losses use a perceptor.
    pub fn needs_perceptor(&self) -> bool {
        self.repulsion_weight > 0.0 || (self.perceptual && self.distance_weight > 0.0)
    }

    /// Factor on the aesthetic losses at a position of the schedule, 0 to 1.
    pub fn aesthetic_weight_at(&self, position: u64) -> f64 {
        if self.looks_from == 0.0 {
            return 1.0;
        }
        let progress = (position as f64 / self.schedule_steps as f64).min(1.0);
        ((progress - self.looks_from) / (1.0 - self.looks_from).max(0.1) * 2.0).clamp(0.0, 1.0)
    }
}

/// Number of groups of a group norm over a multiple of `units` channels: a power of two, at most 8.
fn groups(units: usize) -> usize {
    1 << units.trailing_zeros().min(3)
}

impl Config for GlyphsConfig {
    const RENAMED: &[(&str, &str)] = &[
        ("contrast", "contrast_weight"),
        ("smoothness", "smoothness_weight"),
        ("vector_distance", "distance_weight"),
        ("repulsion", "repulsion_weight"),
    ];

    fn with_shards_merged(&self) -> Self {
        Self {
            shards: 1,
            ..self.clone()
        }
    }

    fn for_fine_tuning(self) -> Self {
        Self {
            looks_from: 0.0,
            ..self
        }
    }

    fn schedule(&self) -> Schedule {
        let (warm, all) = (self.warmup_steps, self.schedule_steps);
        Schedule::new(self.seed, self.shards, self.learning_rate, warm, all)
    }

    fn check(&self) -> Result<()> {
        let sizes = [
            ("hidden_size", self.hidden_size, 4096),
            ("num_hidden_layers", self.num_hidden_layers, 48),
            ("num_attention_heads", self.num_attention_heads, 64),
            ("intermediate_size", self.intermediate_size, 16_384),
            ("painter", self.painter, 4096),
            ("pose", self.pose, 512),
            ("latent", self.latent, 16_384),
            ("batch", self.batch, 65_536),
            ("shards", self.shards, 64),
            ("schedule_steps", self.schedule_steps as usize, 1 << 40),
        ];
        for (key, value, most) in sizes {
            check_between(&[(key, value)], 1, most)?;
        }
        check_between(&[("max_tokens", self.max_tokens)], 4, 512)?;
        check_between(&[("parity", self.parity)], 0.0, 2.0)?;
        if self.design != Design::Mosaic {
            let parts = [
                ("parity", self.parity > 0.0),
                ("face", self.face),
                ("border", self.border),
            ];
            for (key, is_on) in parts {
                if is_on {
                    bail!(
                        "{key} is on, expected with a design other than mosaic: parity=0, face=false and border=false"
                    );
                }
            }
        }
        check_between(&[("locator", self.locator)], 0, 512)?;
        check_between(&[("reader", self.reader)], 3, 2048)?;
        check_between(&[("blocks", self.blocks)], 1, 64)?;
        if !matches!(self.enlargement, 1 | 2 | 4 | 8) {
            bail!("enlargement is {}: expected 1, 2, 4 or 8", self.enlargement);
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            bail!(
                "hidden_size is {}: expected a multiple of num_attention_heads, {}",
                self.hidden_size,
                self.num_attention_heads
            );
        }
        if self.batch_tokens < self.max_tokens {
            bail!(
                "batch_tokens is {}: expected at least max_tokens, {}",
                self.batch_tokens,
                self.max_tokens
            );
        }
        check_between(
            &[
                ("validation", self.validation),
                ("label_smoothing", self.label_smoothing),
            ],
            0.0,
            0.9,
        )?;
        check_between(
            &[
                ("looks_from", self.looks_from),
                ("clean", self.clean),
                ("scripts", self.scripts),
                ("rise_above", self.rise_above),
            ],
            0.0,
            1.0,
        )?;
        check_between(
            &[
                ("difficulty", self.difficulty),
                ("max_difficulty", self.max_difficulty),
            ],
            0.0,
            15.0,
        )?;
        check_rates_and_weights(self)?;
        check_not_negative(&[
            ("weight_decay", self.weight_decay),
            ("max_norm", self.max_norm),
            ("contrast_target", self.contrast_target),
            ("smoothness_target", self.smoothness_target),
            ("corner_noise", self.corner_noise),
            ("low_band_target", self.low_band_target),
            ("detail_target", self.detail_target),
        ])
    }
}
