//! Presets: named sizes of Code Glyphs, each with its training recipe.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{Design, GlyphsConfig};

/// Names of the presets.
pub const GLYPH_PRESETS: [&str; 6] = ["pocket", "plain", "base", "dense", "cppn", "paper"];

impl GlyphsConfig {
    /// Named sizes with their training recipe.
    ///
    /// # Errors
    /// If there is no such preset.
    pub fn preset(name: &str) -> Result<Self> {
        let pocket = Self {
            design: Design::Mosaic,
            max_tokens: 128,
            parity: 0.5,
            face: true,
            border: true,
            corner_noise: 0.035,
            hidden_size: 64,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            intermediate_size: 256,
            painter: 128,
            blocks: 1,
            enlargement: 1,
            reader: 64,
            pose: 32,
            locator: 32,
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
            layout_weight: 1.0,
            pose_weight: 1.0,
            contrast_weight: 4.0,
            contrast_target: 0.27,
            smoothness_weight: 2.0,
            smoothness_target: 0.3,
            looks_from: 0.25,
            distance_weight: 0.1,
            shared_pairs: true,
            perceptual: false,
            perceptor: PathBuf::new(),
            repulsion_weight: 0.0,
            thumbnail_weight: 3.0,
            band_weight: 8.0,
            low_band_target: 0.18,
            detail_target: 0.25,
            scripts: 0.05,
            difficulty: 0.5,
            rise_above: 0.4,
            max_difficulty: 12.0,
            clean: 0.25,
        };
        // Without code, face, border and locator; what the first Code Glyphs' designs have in common with the mosaic.
        let plain = Self {
            parity: 0.0,
            face: false,
            border: false,
            corner_noise: 0.0,
            pose: 16,
            smoothness_target: 0.14,
            locator: 0,
            thumbnail_weight: 0.0,
            band_weight: 0.0,
            scripts: 0.0,
            rise_above: 0.6,
            max_difficulty: 6.0,
            clean: 0.5,
            ..pocket.clone()
        };
        let dense = Self {
            design: Design::Dense,
            learning_rate: 1e-3,
            latent: 1024,
            painter: 256,
            reader: 256,
            ..plain.clone()
        };
        Ok(match name {
            "pocket" => pocket,
            "base" => Self {
                hidden_size: 256,
                num_hidden_layers: 4,
                num_attention_heads: 8,
                intermediate_size: 1024,
                painter: 512,
                reader: 128,
                pose: 32,
                locator: 32,
                batch: 256,
                shards: 1,
                batch_tokens: 32_768,
                learning_rate: 1e-3,
                schedule_steps: 60_000,
                warmup_steps: 1000,
                max_difficulty: 15.0,
                ..pocket
            },
            "plain" => plain,
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
                ..plain
            },
            _ => bail!(
                "no preset {name:?}: expected one of {}",
                GLYPH_PRESETS.join(", ")
            ),
        })
    }
}
