//! Configuration of a Latent Executor's run.

mod presets;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    data::{language::Language, sums::MAX_LINES},
    kernels::Activation,
    nn::t5::T5Sizes,
    training::config::{
        Config, Schedule, check_between, check_not_negative, check_rates_and_weights, one,
    },
};

pub use presets::PRESETS;

/// Decoding scheme of the text decoders.
///
/// One pass was chosen at pocket size: trained for 240 s each, two autoregressive models had 0.998 and
/// (beside other work) 0.973 of the held-out sums exact, one-pass ones with the same seeds 0.988 and 0.989.
/// But an autoregressive step takes 1.4 times as long, a map of 256 x 256 cells 4.5 s instead of 1.1, and
/// searches a median of 50 evaluations instead of 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoder {
    /// All tokens in one pass over the reconstructed hidden states.
    OnePass,
    /// Autoregressive decoding with cross-attention to the reconstructed hidden states, as in T5.
    Autoregressive,
}

/// Regulariser that makes the latents fill the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regulariser {
    /// One uniform distribution for states and the executor's results together: both share one space.
    Pooled,
    /// Two separate distributions with a normal prior: the first Latent Executor's fault, kept to
    /// demonstrate its hole.
    Seed,
    /// No regulariser.
    Off,
}

/// Sizes, loss weights and schedule of a Latent Executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutorConfig {
    /// Numbers the model reads and programs it runs.
    #[serde(default)]
    pub language: Language,
    /// Number of latent dimensions.
    pub dims: usize,
    /// Width of a token embedding.
    pub d_model: usize,
    /// Width of an attention head.
    pub d_kv: usize,
    /// Inner width of the feed-forward layers.
    pub d_ff: usize,
    /// Number of attention heads.
    pub num_heads: usize,
    /// Number of relative position buckets.
    pub relative_attention_num_buckets: usize,
    /// Distance beyond which tokens share the last bucket.
    pub relative_attention_max_distance: usize,
    /// Standard deviation of the initial position biases; T5's is 1 / sqrt(d_model). At 1 each head attends
    /// to a position of its own from the first step on, and digit addition is learnt several times sooner.
    #[serde(default)]
    pub relative_attention_deviation: Option<f64>,
    /// Factor on the standard deviation of the stacks' initial weights.
    #[serde(default = "t5_factor")]
    pub initializer_factor: f64,
    /// Number of blocks in each text encoder.
    pub encoder_layers: usize,
    /// Number of blocks in each text decoder.
    pub decoder_layers: usize,
    /// Number of blocks in the executor.
    pub executor_layers: usize,
    /// Inner width of the bottlenecks.
    pub bottleneck: usize,
    /// Standard deviation of the bottlenecks' initial weights, times the square root of their fan-in.
    #[serde(default = "he_gain")]
    pub bottleneck_gain: f64,
    /// Activation between the bottlenecks' layers.
    #[serde(default)]
    pub bottleneck_activation: Activation,
    /// True for one more layer in the bottlenecks' decoders.
    #[serde(default = "yes")]
    pub bottleneck_is_deep: bool,
    /// Number of octaves of Fourier features of the latent point.
    pub octaves: usize,
    /// Decoding scheme.
    pub decoder: Decoder,
    /// True if the executor reads the decoders' hidden states instead of the bottlenecks' reconstructions:
    /// digits are separate there. Over four digits 0.70 of unseen sums were right after 500 steps, and
    /// without it 0.01 after 1,750.
    #[serde(default)]
    pub reads_decoded: bool,
    /// Seed of the weights, the batches and the noise.
    pub seed: u64,
    /// Share of the sums held out from training.
    pub held_out: f64,
    /// Seed of the split alone, so that runs of different seeds are evaluated on the same sums.
    pub split_seed: u64,
    /// Number of sums per shard of a step.
    pub batch: usize,
    /// Number of shards of a step, each with its own sums, points and gradient; data-parallel on a CPU,
    /// merged into one batch on a GPU.
    #[serde(default = "one")]
    pub shards: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps of the cosine decay. A run limited in seconds passes through the same schedule in its time.
    pub schedule_steps: u64,
    /// Share of the schedule over which the octaves are faded in.
    pub coarse_to_fine: f64,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// Gradient clipping: largest global norm of the gradient.
    pub max_norm: f64,
    /// RMS of a Muon update of the hidden layers' weights, relative to the learning rate; at 0 they are
    /// updated by AdamW, too.
    #[serde(default)]
    pub muon: f64,
    /// Weight of the executor's cross-entropy.
    pub executor_weight: f64,
    /// Weight of each autoencoder's cross-entropy.
    pub autoencoder_weight: f64,
    /// Weight of the regulariser on states and results. High, so that the plane of states fills.
    pub mmd_states_weight: f64,
    /// Weight of the regulariser on programs. The more evenly they fill the plane, the larger the smallest
    /// region and the more reliable a search; but a line of numbers that fills a square evenly must fold,
    /// which limits its order's Spearman to about 0.8. At 0.3 a search found 0.72 of 50 sums within 200
    /// evaluations and the order was 0.93; at 1, 0.98 and 0.78.
    pub mmd_codes_weight: f64,
    /// Weight of the cell loss: every point of the box should decode to the program of the nearest
    /// embedding.
    pub cell_weight: f64,
    /// Weight of the cells' results: executing any point should give the result of the program decoded
    /// there.
    pub cell_result_weight: f64,
    /// Weight of decoding nothing where a program leads to no state: without it the loss is arbitrary on
    /// half the plane and misleads searches.
    pub empty_result_weight: f64,
    /// Radius of the noise on a program before execution, 0 to 1 of its own region: the result of executing
    /// a point must follow from the program decoded there.
    pub cell_noise: f64,
    /// Weight of the isometry: distances of programs should be those of their results on one state.
    pub isometry_weight: f64,
    /// Regulariser.
    pub regulariser: Regulariser,
    /// Weight of attraction between programs with consecutive results.
    #[serde(default)]
    pub neighbour_weight: f64,
    /// Weight of the hole loss: a program, and a state, should lie near every point.
    #[serde(default)]
    pub cover_weight: f64,
    /// Weight of keeping points out of tanh's saturated range.
    #[serde(default)]
    pub saturation_weight: f64,
    /// Radius of the noise on states and results before decoding, in spacings of an even
    /// lattice of the states.
    #[serde(default)]
    pub state_noise: f64,
    /// True if the model has an inverse encoder, which proposes a sum's program from its two numbers. In
    /// configurations older than this key: true if its loss has a weight.
    #[serde(default)]
    pub inverse_encoder: Option<bool>,
    /// Weight of the inverse encoder's cross-entropy.
    #[serde(default)]
    pub inverse_weight: f64,
    /// Weight of the loss after one gradient step on the latent from random points, as in training a Latent
    /// Program Network, so that gradients are useful for search.
    #[serde(default)]
    pub inner_step_weight: f64,
    /// Number of lines of the programs run in training, each on the latent state of the previous one.
    #[serde(default = "one")]
    pub lines: usize,
    /// Weight of the latent consistency: a line should end at the embedding of its result.
    #[serde(default)]
    pub consistency_weight: f64,
    /// Weight of the inverse encoder's latent consistency: it should propose the embedding of its program.
    #[serde(default)]
    pub inverse_consistency_weight: f64,
}

/// He's gain: the default of runs older than the key.
fn he_gain() -> f64 {
    std::f64::consts::SQRT_2
}

fn yes() -> bool {
    true
}

/// T5's factor.
fn t5_factor() -> f64 {
    1.0
}

/// Largest number of parameters: several times t5-base's.
const MAX_PARAMS: f64 = 3e9;

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

    fn for_fine_tuning(self) -> Self {
        Self {
            coarse_to_fine: 0.0,
            ..self
        }
    }

    fn schedule(&self) -> Schedule {
        let (warm, all) = (self.warmup_steps, self.schedule_steps);
        Schedule::new(self.seed, self.shards, self.learning_rate, warm, all)
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
        if values > MAX_PARAMS {
            bail!(
                "these sizes make a model of {values:.1e} values: expected at most {MAX_PARAMS:.0e}"
            );
        }
        // The language's numbers are distributed over the shards.
        check_between(&[("shards", self.shards)], 1, 64)?;
        // On a GPU the shards are one batch.
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
        check_between(&[("lines", self.lines)], 1, MAX_LINES)?;
        check_rates_and_weights(self)?;
        check_not_negative(&[
            ("cell_noise", self.cell_noise),
            ("coarse_to_fine", self.coarse_to_fine),
            ("weight_decay", self.weight_decay),
            ("max_norm", self.max_norm),
            ("muon", self.muon),
            ("initializer_factor", self.initializer_factor),
            ("bottleneck_gain", self.bottleneck_gain),
            ("state_noise", self.state_noise),
        ])
    }
}

impl ExecutorConfig {
    /// True if the model has an inverse encoder, which proposes programs.
    pub fn has_inverse(&self) -> bool {
        self.inverse_encoder.unwrap_or(self.inverse_weight > 0.0)
    }

    /// Sizes shared by all stacks.
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

    /// Sequence length in tokens.
    pub fn length(&self) -> usize {
        self.language.word_length()
    }
}
