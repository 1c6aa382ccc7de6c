//! Configuration of an embedder's training.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::training::config::{Config, Schedule, check_between, check_rates_and_weights};

/// Sizes and training recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedderConfig {
    /// Number of buckets that idioms are hashed to (Weinberger et al. 2009, arXiv 0902.2206).
    pub buckets: usize,
    /// Width of the dense part of an embedding.
    pub width: usize,
    /// Share of the dense part in an embedding's squared length; the rest are the weighed idioms themselves.
    pub dense: f64,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// Share of the names held out from training.
    pub validation: f64,
    /// Pairs of functions per step.
    pub batch: usize,
    /// Share of the pairs that are a function and a rewritten copy of it; the others have one name.
    pub rewrites: f64,
    /// Share of the idioms that each function of a pair loses.
    pub dropout: f64,
    /// Temperature of the contrastive loss.
    pub temperature: f64,
    /// Peak learning rate of the idioms' weights, which are logarithms.
    pub learning_rate: f64,
    /// Multiplier of the learning rate for the dense part.
    pub dense_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps of the cosine decay.
    pub schedule_steps: u64,
}

impl Default for EmbedderConfig {
    /// Measured by MAP@R on 160 functions of 40 tasks, each written in 4 ways, that no training has seen, and on the bundled
    /// tasks: tf-idf of the tokens 0.21 and 0.14, the idioms' weights before training 0.26 and 0.20, after it 0.28 and 0.26. Seeds
    /// move these by 0.02, a dropout of 0.1 to 0.3 by less; without a dense part they are 0.26 and 0.22. Twice the steps find no
    /// more.
    fn default() -> Self {
        Self {
            buckets: 8192,
            width: 64,
            dense: 0.4,
            seed: 0,
            validation: 0.05,
            batch: 256,
            rewrites: 0.25,
            dropout: 0.0,
            temperature: 0.12,
            learning_rate: 0.02,
            dense_rate: 0.1,
            warmup_steps: 10,
            schedule_steps: 300,
        }
    }
}

impl Config for EmbedderConfig {
    const RENAMED: &[(&str, &str)] = &[];

    fn check(&self) -> Result<()> {
        check_between(&[("buckets", self.buckets)], 16, 65_536)?;
        check_between(&[("width", self.width)], 1, 4096)?;
        check_between(&[("batch", self.batch)], 2, 4096)?;
        check_between(&[("schedule_steps", self.schedule_steps)], 1, 1 << 40)?;
        check_between(
            &[
                ("dense", self.dense),
                ("validation", self.validation),
                ("rewrites", self.rewrites),
                ("dropout", self.dropout),
            ],
            0.0,
            0.9,
        )?;
        check_between(&[("temperature", self.temperature)], 0.001, 10.0)?;
        check_rates_and_weights(self)
    }

    /// Contrast needs all pairs of a step in one batch: there are no shards.
    fn with_shards_merged(&self) -> Self {
        self.clone()
    }

    fn schedule(&self) -> Schedule {
        let (warm, all) = (self.warmup_steps, self.schedule_steps);
        Schedule::new(self.seed, 1, self.learning_rate, warm, all)
    }
}
