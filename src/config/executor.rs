//! The keys of a Latent Executor's run.

mod presets;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Config, check_between, check_not_negative, learning_rate_at, one};
use crate::{
    data::{language::Language, sums::MOST_LINES},
    nn::{bottleneck::BottleneckActivation, t5::T5Sizes},
};

pub use presets::PRESETS;

/// How the decoders write a number.
///
/// At pocket size the one pass was chosen: trained for 240 s each, two autoregressive models had 0.998
/// and (beside other work) 0.973 of the held-out sums exact, one-pass ones with the same seeds 0.988
/// and 0.989. But a step takes 1.4 times as long, a map of 256 x 256 cells 4.5 s instead of 1.1, and
/// searches a median of 50 evaluations instead of 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoder {
    /// All tokens in one pass over the reconstructed hidden states.
    OnePass,
    /// Token after token, attending to the reconstructed hidden states, as in T5.
    Autoregressive,
}

/// What keeps the latents in a filled box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regulariser {
    /// States and the executor's results as one cloud: they share one space.
    Pooled,
    /// The first Latent Executor's fault, kept to show its hole: two clouds, each for itself, drawn
    /// to a normal prior.
    Seed,
    /// None.
    Off,
}

/// Sizes, weights and schedule of a Latent Executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutorConfig {
    /// Which numbers it reads and which programs it runs.
    #[serde(default)]
    pub language: Language,
    /// Latent dimensions.
    pub dims: usize,
    /// Width of a token.
    pub d_model: usize,
    /// Width of an attention head.
    pub d_kv: usize,
    /// Inner width of the feed-forward layers.
    pub d_ff: usize,
    /// Attention heads.
    pub num_heads: usize,
    /// Entries of the relative position tables.
    pub relative_attention_num_buckets: usize,
    /// Distance from which tokens share the last entry.
    pub relative_attention_max_distance: usize,
    /// Deviation of the position tables' first entries; T5's is 1 / sqrt(d_model). At 1 each head looks at
    /// a place of its own from the first step on, and digits are added up several times sooner.
    #[serde(default)]
    pub relative_attention_deviation: Option<f64>,
    /// Factor of the deviation of the stacks' first weights.
    #[serde(default = "t5_factor")]
    pub initializer_factor: f64,
    /// Blocks in each text encoder.
    pub encoder_layers: usize,
    /// Blocks in each text decoder.
    pub decoder_layers: usize,
    /// Blocks in the executor.
    pub executor_layers: usize,
    /// Inner width of the bottlenecks.
    pub bottleneck: usize,
    /// Deviation of the bottlenecks' first weights, times the root of their inputs.
    #[serde(default = "he_gain")]
    pub bottleneck_gain: f64,
    /// What stands between the bottlenecks' layers.
    #[serde(default)]
    pub bottleneck_activation: BottleneckActivation,
    /// Whether the way back has a further layer.
    #[serde(default = "yes")]
    pub bottleneck_is_deep: bool,
    /// Octaves of Fourier features of the latent point.
    pub octaves: usize,
    /// How numbers are written.
    pub decoder: Decoder,
    /// Whether the executor reads what the decoders write their tokens from, rather than the bottlenecks'
    /// hidden states: digits stand apart there. Over four digits it had 0.70 of unseen sums right after 500
    /// steps, and without it 0.01 after 1,750.
    #[serde(default)]
    pub reads_decoded: bool,
    /// Seed of the weights, the batches and the noise.
    pub seed: u64,
    /// Share of the sums that are never trained on.
    pub held_out: f64,
    /// Seed of that choice alone, so that runs with different seeds are judged on the same sums.
    pub split_seed: u64,
    /// Sums a share of a step.
    pub batch: usize,
    /// Shares of a step, each with sums and points of its own and a gradient from them; on a CPU they
    /// are computed side by side, on a GPU as one.
    #[serde(default = "one")]
    pub shards: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps over which the learning rate falls along a cosine. A run limited in seconds goes
    /// through the same schedule in its time.
    pub schedule_steps: u64,
    /// Share of the schedule over which the octaves come in.
    pub coarse_to_fine: f64,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// The gradient's norm is clipped to this.
    pub max_norm: f64,
    /// Root mean square of a step of the weights between hidden layers, over the learning rate, along their
    /// momentum made orthogonal (Muon); at 0 they too move as AdamW moves them.
    #[serde(default)]
    pub muon: f64,
    /// Weight of the executor's cross entropy.
    pub executor_weight: f64,
    /// Weight of each autoencoder's cross entropy.
    pub autoencoder_weight: f64,
    /// Weight of the regulariser of the states and results. High: the plane of states fills.
    #[serde(alias = "mmd_states")]
    pub mmd_states_weight: f64,
    /// Weight of the regulariser of the programs. The more evenly they fill the plane, the larger the
    /// smallest region and the surer a search; but a line of numbers that fills a square evenly must
    /// fold, and its order's Spearman can't pass about 0.8. At 0.3 a search found 0.72 of 50 sums
    /// within 200 evaluations and the order was 0.93; at 1, 0.98 and 0.78.
    #[serde(alias = "mmd_codes")]
    pub mmd_codes_weight: f64,
    /// Weight of the cells: every point of the box is to decode to the program whose place is nearest.
    #[serde(alias = "cells")]
    pub cell_weight: f64,
    /// Weight of the cells' results: running any point is to give what the program decoded there gives.
    #[serde(alias = "cell_results")]
    pub cell_result_weight: f64,
    /// Weight of writing nothing where a program leads to no state: without it the loss of half the
    /// plane would be an accident, and searches would be led astray.
    #[serde(alias = "nothing")]
    pub empty_result_weight: f64,
    /// How far inside its own region a program is moved before the executor runs it, 0 to 1: what
    /// running a point gives must follow what is decoded there.
    pub cell_noise: f64,
    /// Weight of the isometry: programs are to be as far apart as their results on the same state.
    #[serde(alias = "isometry")]
    pub isometry_weight: f64,
    /// Which regulariser.
    pub regulariser: Regulariser,
    /// Weight of keeping programs whose results follow one another close.
    #[serde(default, alias = "neighbours")]
    pub neighbour_weight: f64,
    /// Weight of filling holes: some program, and some state, is to be near every point.
    #[serde(default, alias = "cover")]
    pub cover_weight: f64,
    /// Weight of keeping points out of the flat ends of tanh.
    #[serde(default, alias = "saturation")]
    pub saturation_weight: f64,
    /// How far states and results are moved before they are decoded, over the spacing that the states
    /// would have on an even lattice.
    #[serde(default)]
    pub state_noise: f64,
    /// Whether the model has an inverse encoder, which proposes a sum's program from its two numbers. Configurations of
    /// before this key have one if its loss has a weight.
    #[serde(default)]
    pub inverse_encoder: Option<bool>,
    /// Weight of the inverse encoder's cross entropy.
    #[serde(default, alias = "inverse")]
    pub inverse_weight: f64,
    /// Weight of the loss after one step down its gradient from points anywhere, as a Latent Program
    /// Network is trained: gradients then lead somewhere.
    #[serde(default, alias = "inner_step")]
    pub inner_step_weight: f64,
    /// Lines of the programs run in training, each on the state the one before left.
    #[serde(default = "one")]
    pub lines: usize,
    /// Weight of the latent consistency: a line is to leave the point its result is encoded at.
    #[serde(default, alias = "consistency")]
    pub consistency_weight: f64,
    /// The same of the inverse encoder: it is to propose the point its program is encoded at.
    #[serde(default, alias = "inverse_consistency")]
    pub inverse_consistency_weight: f64,
}

/// Runs of before it could be chosen began with He's.
fn he_gain() -> f64 {
    std::f64::consts::SQRT_2
}

fn yes() -> bool {
    true
}

/// T5's.
fn t5_factor() -> f64 {
    1.0
}

/// Values a model may have: several times t5-base's.
const MOST_VALUES: f64 = 3e9;

impl Config for ExecutorConfig {
    const RENAMED: &[(&str, &str)] = &[
        ("mmd_states", "mmd_states_weight"),
        ("mmd_codes", "mmd_codes_weight"),
        ("cells", "cell_weight"),
        ("cell_results", "cell_result_weight"),
        ("nothing", "empty_result_weight"),
        ("isometry", "isometry_weight"),
        ("neighbours", "neighbour_weight"),
        ("cover", "cover_weight"),
        ("saturation", "saturation_weight"),
        ("inverse", "inverse_weight"),
        ("inner_step", "inner_step_weight"),
        ("consistency", "consistency_weight"),
        ("inverse_consistency", "inverse_consistency_weight"),
    ];

    fn with_shards_merged(&self) -> Self {
        Self {
            batch: self.batch * self.shards,
            shards: 1,
            ..self.clone()
        }
    }

    fn check(&self) -> Result<()> {
        let at_least_one = [
            ("dims", self.dims),
            ("d_model", self.d_model),
            ("d_kv", self.d_kv),
            ("d_ff", self.d_ff),
            ("num_heads", self.num_heads),
            ("encoder_layers", self.encoder_layers),
            ("decoder_layers", self.decoder_layers),
            ("executor_layers", self.executor_layers),
            ("bottleneck", self.bottleneck),
            ("batch", self.batch),
            ("schedule_steps", self.schedule_steps as usize),
        ];
        check_between(&at_least_one, 1, 1 << 20)?;
        let (d, inner) = (self.d_model as f64, (self.num_heads * self.d_kv) as f64);
        let layers = 2 * (self.encoder_layers + 2 * self.decoder_layers) + self.executor_layers;
        let lifted = self.dims as f64 * (1 + 2 * self.octaves.min(16)) as f64;
        let hidden = (self.bottleneck as f64)
            * (2.0 * d * self.length() as f64 + lifted + self.bottleneck as f64);
        let values = layers as f64 * d * (4.0 * inner + 2.0 * self.d_ff as f64) + 2.0 * hidden;
        if values > MOST_VALUES {
            bail!(
                "these sizes make a model of {values:.1e} values: expected at most {MOST_VALUES:.0e}"
            );
        }
        // The numbers are dealt out to them.
        check_between(&[("shards", self.shards)], 1, 64)?;
        // On a GPU all shares are one.
        if self.batch * self.shards * self.dims > 1 << 24 {
            bail!(
                "batch is {}: expected at most {}",
                self.batch,
                (1 << 24) / self.dims / self.shards
            );
        }
        check_between(&[("octaves", self.octaves)], 0, 16)?;
        let needs_all = [
            ("cell_weight", self.cell_weight),
            ("cell_result_weight", self.cell_result_weight),
            ("empty_result_weight", self.empty_result_weight),
            ("cell_noise", self.cell_noise),
            ("isometry_weight", self.isometry_weight),
            ("neighbour_weight", self.neighbour_weight),
            ("cover_weight", self.cover_weight),
        ];
        if !self.language.is_small()
            && let Some((key, value)) = needs_all.iter().find(|(_, value)| *value != 0.0)
        {
            bail!("{key} is {value}: expected 0, as a step doesn't see all of so many numbers");
        }
        let buckets = self.relative_attention_num_buckets;
        check_between(&[("relative_attention_num_buckets", buckets)], 4, 4096)?;
        if self.relative_attention_max_distance <= buckets / 2 {
            bail!(
                "relative_attention_max_distance is {}: expected more than half of relative_attention_num_buckets",
                self.relative_attention_max_distance
            );
        }
        if self.reads_decoded && self.decoder == Decoder::Autoregressive {
            bail!("reads_decoded is true: expected false with a decoder that is autoregressive");
        }
        check_between(&[("held_out", self.held_out)], 0.0, 0.9)?;
        let not_negative = [
            ("learning_rate", self.learning_rate),
            ("coarse_to_fine", self.coarse_to_fine),
            ("weight_decay", self.weight_decay),
            ("max_norm", self.max_norm),
            ("muon", self.muon),
            ("initializer_factor", self.initializer_factor),
            ("bottleneck_gain", self.bottleneck_gain),
            ("executor_weight", self.executor_weight),
            ("autoencoder_weight", self.autoencoder_weight),
            ("mmd_states_weight", self.mmd_states_weight),
            ("mmd_codes_weight", self.mmd_codes_weight),
            ("saturation_weight", self.saturation_weight),
            ("state_noise", self.state_noise),
            ("inverse_weight", self.inverse_weight),
            ("inner_step_weight", self.inner_step_weight),
            ("consistency_weight", self.consistency_weight),
            (
                "inverse_consistency_weight",
                self.inverse_consistency_weight,
            ),
        ];
        check_between(&[("lines", self.lines)], 1, MOST_LINES)?;
        check_not_negative(&needs_all)?;
        check_not_negative(&not_negative)
    }
}

impl ExecutorConfig {
    /// True where the model has an inverse encoder, which proposes programs.
    pub fn has_inverse(&self) -> bool {
        self.inverse_encoder.unwrap_or(self.inverse_weight > 0.0)
    }

    /// The sizes every stack shares.
    pub fn t5_sizes(&self) -> T5Sizes {
        T5Sizes {
            d_model: self.d_model,
            d_kv: self.d_kv,
            d_ff: self.d_ff,
            num_heads: self.num_heads,
            relative_attention_num_buckets: self.relative_attention_num_buckets,
            relative_attention_max_distance: self.relative_attention_max_distance,
            relative_attention_deviation: self
                .relative_attention_deviation
                .unwrap_or((self.d_model as f64).powf(-0.5))
                as f32,
            initializer_factor: self.initializer_factor as f32,
        }
    }

    /// Tokens a sequence.
    pub fn length(&self) -> usize {
        self.language.word_length()
    }

    /// The learning rate after `position` steps of the schedule.
    pub fn learning_rate_at(&self, position: u64) -> f64 {
        let (warm, all) = (self.warmup_steps, self.schedule_steps);
        learning_rate_at(self.learning_rate, position, warm, all)
    }
}
