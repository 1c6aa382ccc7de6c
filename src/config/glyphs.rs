//! What Code Glyphs are made of and how they are trained.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Config, check_between, check_not_negative, one};
use crate::nn::{
    generators::{CnnConfig, CppnConfig},
    mosaic::{Layouts, MosaicSizes},
    resnet_v2::ResNetV2Config,
    roberta::RobertaSizes,
};

/// Pixels a side of a glyph.
pub const GLYPH_SIZE: usize = 128;

/// How a function is painted.
///
/// Measured on two busy cores with 512 functions of up to 32 tokens, 64 a step: after 60 steps the
/// mosaic's tokens cost 4.6 nats (24 % read right) at 0.5 s a step or more, the dense design's 5.4
/// (13 %) at 4.6 s; after 16 steps 6.6, 6.8 and the CPPN's, painted at 32x32, 6.9 at 2.6 s of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// Each token slot paints a cell through one shared painter.
    Mosaic,
    /// The reference's convolutional generator over one latent vector.
    Dense,
    /// The reference's network over pixel coordinates and one latent vector.
    Cppn,
}

impl Design {
    /// Whether it can paint pictures of other sizes than 128x128.
    pub fn paints_any_size(self) -> bool {
        match self {
            Self::Mosaic | Self::Cppn => true,
            Self::Dense => false,
        }
    }
}

/// Sizes, weights and schedule of Code Glyphs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlyphsConfig {
    /// How functions are painted; a mosaic is read by its own reader, the others by a ResNet.
    pub design: Design,
    /// Longest function, in tokens.
    pub max_tokens: usize,
    /// Width of a token.
    pub hidden_size: usize,
    /// Blocks in the text encoder, and in the text decoder.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: usize,
    /// Inner width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Inner width of the mosaic's painter; channels of the dense design's first level, in 64s; width
    /// of the CPPN, in 4s.
    pub painter: usize,
    /// Residual blocks a level of the dense design; blocks of the CPPN in all.
    #[serde(default = "one")]
    pub blocks: usize,
    /// How many times the CPPN's pictures are enlarged to be glyphs of 128x128. It is as dear as the
    /// pixels it paints.
    #[serde(default = "one")]
    pub enlargement: usize,
    /// Channels of the mosaic's reader; of the last stage of the others' ResNet, in 32s, which with
    /// 2048 is the reference's R50x1.
    pub reader: usize,
    /// Width of the network that finds a glyph's corners.
    pub pose: usize,
    /// Values of the embedding by which glyphs are compared.
    pub embedding: usize,
    /// Values of the latent vector of the designs other than the mosaic, as near as each token gets
    /// as many of them, and no more than `hidden_size`.
    pub latent: usize,
    /// Seed of the weights, the batches and the channel.
    pub seed: u64,
    /// Share of the functions that are never trained on.
    pub validation: f64,
    /// Functions a step, at most.
    pub batch: usize,
    /// Shares of a step's functions, each with a gradient of its own; on a CPU they are computed side
    /// by side, on a GPU as one.
    #[serde(default = "one")]
    pub shards: usize,
    /// Tokens a step, padding counted, at most.
    pub batch_tokens: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Multiplier of the rate for the text encoder and decoder.
    pub text_rate: f64,
    /// Multiplier of the rate for the generator.
    pub generator_rate: f64,
    /// Multiplier of the rate for the reader.
    pub reader_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps over which the learning rate falls along a cosine. A run limited in seconds goes
    /// through the same schedule in its time.
    pub schedule_steps: u64,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// The gradient's norm is clipped to this.
    pub max_norm: f64,
    /// Probability mass that the cross entropy spreads over all tokens.
    pub label_smoothing: f64,
    /// Weight of telling the layout.
    pub layout_weight: f64,
    /// Weight of finding the corners.
    pub pose_weight: f64,
    /// Weight of a picture's missing contrast.
    #[serde(alias = "contrast")]
    pub contrast_weight: f64,
    /// Contrast wanted: standard deviation of a picture's values.
    pub contrast_target: f64,
    /// Weight of a picture's roughness.
    #[serde(alias = "smoothness")]
    pub smoothness_weight: f64,
    /// Roughness allowed: mean difference of neighbours over the contrast.
    pub smoothness_target: f64,
    /// Share of the schedule before contrast and smoothness begin to count; from the first step on
    /// they keep a mosaic from being learnt at all.
    pub looks_from: f64,
    /// Weight of renamed and reformatted copies being nearest to one another.
    #[serde(alias = "meaning")]
    pub contrastive_weight: f64,
    /// Share of a batch that are copies and near misses of others in it.
    pub copies: f64,
    /// Weight of pictures being as far apart as the functions' latents.
    #[serde(alias = "vector_distance")]
    pub distance_weight: f64,
    /// Whether that term compares the same pairs; the reference drew them twice, which this shows.
    pub shared_pairs: bool,
    /// Whether that term sees pictures through the perceptor, at 64x64, instead of their pixels. The
    /// small random one makes `pocket`'s steps a fifth longer (1.24 for 1.05 s of a core, 64 functions
    /// of up to 32 tokens).
    #[serde(default)]
    pub perceptual: bool,
    /// The perceptor's weights, a safetensors file of timm's `resnetv2_50x1_bit`; empty for a small
    /// random one.
    #[serde(default)]
    pub perceptor: PathBuf,
    /// Weight of the perceptor's textures of different glyphs being unlike.
    #[serde(default, alias = "repulsion")]
    pub repulsion_weight: f64,
    /// Difficulty of the channel to begin with, 0 to 15.
    pub difficulty: f64,
    /// Share of unseen functions' tokens that must be read right for the channel to become harder, at
    /// difficulty 0. The reference's .9 stalls at 3, where long functions can't be read any more and
    /// short ones have much to learn.
    pub rise_above: f64,
    /// Difficulty at which the curriculum stops.
    pub max_difficulty: f64,
    /// Share of each batch that goes through a channel of difficulty 0.
    pub clean: f64,
}

/// The named designs.
pub const GLYPH_PRESETS: [&str; 5] = ["pocket", "base", "dense", "cppn", "paper"];

impl GlyphsConfig {
    /// A named size with its training recipe.
    ///
    /// # Errors
    /// If there is no such preset.
    pub fn preset(name: &str) -> Result<Self> {
        let pocket = Self {
            design: Design::Mosaic,
            max_tokens: 128,
            hidden_size: 64,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            intermediate_size: 256,
            painter: 48,
            blocks: 1,
            enlargement: 1,
            reader: 64,
            pose: 16,
            embedding: 64,
            latent: 2048,
            seed: 0,
            validation: 0.05,
            batch: 64,
            shards: 2,
            batch_tokens: 3072,
            learning_rate: 2e-3,
            text_rate: 0.5,
            generator_rate: 1.0,
            reader_rate: 1.0,
            warmup_steps: 200,
            schedule_steps: 6000,
            weight_decay: 0.01,
            max_norm: 1.0,
            label_smoothing: 1e-4,
            layout_weight: 0.3,
            pose_weight: 1.0,
            contrast_weight: 4.0,
            contrast_target: 0.27,
            smoothness_weight: 2.0,
            smoothness_target: 0.14,
            looks_from: 0.25,
            contrastive_weight: 0.1,
            copies: 0.25,
            distance_weight: 0.1,
            shared_pairs: true,
            perceptual: false,
            perceptor: PathBuf::new(),
            repulsion_weight: 0.0,
            difficulty: 0.5,
            rise_above: 0.6,
            max_difficulty: 6.0,
            clean: 0.5,
        };
        let dense = Self {
            design: Design::Dense,
            learning_rate: 1e-3,
            latent: 1024,
            painter: 256,
            reader: 256,
            ..pocket.clone()
        };
        Ok(match name {
            "pocket" => pocket,
            "base" => Self {
                hidden_size: 256,
                num_hidden_layers: 4,
                num_attention_heads: 8,
                intermediate_size: 1024,
                painter: 256,
                reader: 128,
                pose: 32,
                embedding: 128,
                batch: 256,
                shards: 1,
                batch_tokens: 32_768,
                learning_rate: 1e-3,
                schedule_steps: 60_000,
                warmup_steps: 1000,
                max_difficulty: 15.0,
                ..pocket
            },
            "dense" => dense,
            "cppn" => Self {
                design: Design::Cppn,
                painter: 64,
                blocks: 3,
                enlargement: 4,
                ..dense
            },
            // The reference's sizes and rates: CodeBERTa twice and a ResNet-50.
            "paper" => Self {
                design: Design::Dense,
                hidden_size: 768,
                num_hidden_layers: 6,
                num_attention_heads: 12,
                intermediate_size: 3072,
                latent: 2048,
                painter: 2048,
                blocks: 5,
                reader: 2048,
                learning_rate: 5e-5,
                text_rate: 0.01,
                warmup_steps: 10_000,
                schedule_steps: 1_000_000,
                max_difficulty: 15.0,
                ..pocket
            },
            _ => bail!(
                "no preset {name:?}: expected one of {}",
                GLYPH_PRESETS.join(", ")
            ),
        })
    }

    /// Sizes of the text encoder and decoder for sequences of up to `slots`.
    pub fn roberta_sizes(&self, vocab_size: usize, slots: usize) -> RobertaSizes {
        RobertaSizes {
            vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            max_tokens: slots,
        }
    }

    /// Sizes of the mosaic.
    pub fn mosaic_sizes(&self) -> MosaicSizes {
        MosaicSizes {
            slot: self.hidden_size,
            painter: self.painter,
            reader: self.reader,
        }
    }

    /// How slots lie in pictures: in the mosaic's layouts; otherwise all functions have `max_tokens`.
    pub fn layouts(&self) -> Layouts {
        match self.design {
            Design::Mosaic => Layouts::new(self.max_tokens),
            Design::Dense | Design::Cppn => Layouts::line(self.max_tokens),
        }
    }

    /// Values of one slot in the latent vector.
    pub fn slot_latent(&self) -> usize {
        (self.latent / self.max_tokens).clamp(1, self.hidden_size)
    }

    /// Values of the latent vector.
    pub fn latent_size(&self) -> usize {
        self.slot_latent() * self.max_tokens
    }

    /// Sizes of the dense design's painter.
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

    /// Whether a perceptor looks at the pictures of a step.
    pub fn needs_perceptor(&self) -> bool {
        self.repulsion_weight > 0.0 || (self.perceptual && self.distance_weight > 0.0)
    }

    /// The learning rate after `position` steps of the schedule.
    pub fn learning_rate_at(&self, position: u64) -> f64 {
        super::learning_rate_at(
            self.learning_rate,
            position,
            self.warmup_steps,
            self.schedule_steps,
        )
    }

    /// 0 to 1: how much the looks count at a position of the schedule.
    pub fn aesthetic_weight_at(&self, position: u64) -> f64 {
        let progress = (position as f64 / self.schedule_steps as f64).min(1.0);
        ((progress - self.looks_from) / (1.0 - self.looks_from).max(0.1) * 2.0).clamp(0.0, 1.0)
    }
}

/// Groups of norms whose channels are multiples of `units`: a power of two, 8 at most.
fn groups(units: usize) -> usize {
    1 << units.trailing_zeros().min(3)
}

impl Config for GlyphsConfig {
    const RENAMED: &[(&str, &str)] = &[
        ("contrast", "contrast_weight"),
        ("smoothness", "smoothness_weight"),
        ("meaning", "contrastive_weight"),
        ("vector_distance", "distance_weight"),
        ("repulsion", "repulsion_weight"),
    ];

    fn with_shards_merged(&self) -> Self {
        Self {
            shards: 1,
            ..self.clone()
        }
    }

    fn check(&self) -> Result<()> {
        let sizes = [
            ("hidden_size", self.hidden_size, 4096),
            ("num_hidden_layers", self.num_hidden_layers, 48),
            ("num_attention_heads", self.num_attention_heads, 64),
            ("intermediate_size", self.intermediate_size, 16_384),
            ("painter", self.painter, 4096),
            ("pose", self.pose, 512),
            ("embedding", self.embedding, 4096),
            ("latent", self.latent, 16_384),
            ("batch", self.batch, 65_536),
            ("shards", self.shards, 64),
            ("schedule_steps", self.schedule_steps as usize, 1 << 40),
        ];
        for (key, value, most) in sizes {
            check_between(&[(key, value)], 1, most)?;
        }
        check_between(&[("max_tokens", self.max_tokens)], 4, 512)?;
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
        // A function, its copy and its near miss are a third each, or copies were copied.
        check_between(&[("copies", self.copies)], 0.0, 0.6)?;
        check_between(
            &[
                ("looks_from", self.looks_from),
                ("clean", self.clean),
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
        check_not_negative(&[
            ("learning_rate", self.learning_rate),
            ("text_rate", self.text_rate),
            ("generator_rate", self.generator_rate),
            ("reader_rate", self.reader_rate),
            ("weight_decay", self.weight_decay),
            ("max_norm", self.max_norm),
            ("layout_weight", self.layout_weight),
            ("pose_weight", self.pose_weight),
            ("contrast_weight", self.contrast_weight),
            ("contrast_target", self.contrast_target),
            ("smoothness_weight", self.smoothness_weight),
            ("smoothness_target", self.smoothness_target),
            ("contrastive_weight", self.contrastive_weight),
            ("distance_weight", self.distance_weight),
            ("repulsion_weight", self.repulsion_weight),
        ])
    }
}
