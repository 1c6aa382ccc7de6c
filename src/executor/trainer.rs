//! One training run of a Latent Executor: batches, losses, steps.
//!
//! Everything random in step n is drawn from the stream n of the run's seed, on the host; so the
//! random state of a run is its step, and a resumed run goes on to the last bit.

use std::sync::Arc;

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{inference::Executor, model::LatentExecutor};
use crate::{
    config::{ExecutorConfig, Regulariser},
    data::{
        split::Split,
        sums::{CODES, STATES},
        tokens::{LENGTH, Lexicon, Word},
    },
    nn::{
        adamw::{AdamW, Moments},
        bottleneck::Octaves,
        init::normal,
        losses::{Prior, mmd, token_nll},
    },
};

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Steps taken; also the random state, see the module's head.
    pub step: u64,
    /// Position on the schedule, 0..=`schedule_steps`.
    pub position: u64,
    /// Seconds spent in steps.
    pub train_secs: f64,
}

/// One row of metrics.csv. Cross entropies are means a token, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The step, counted from 1.
    pub step: u64,
    /// Position on the schedule before the step.
    pub position: u64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The weighted sum of what follows.
    pub loss: f32,
    /// The state autoencoder's cross entropy.
    pub state_nll: f32,
    /// The code autoencoder's cross entropy.
    pub code_nll: f32,
    /// The cross entropy of the executor's results.
    pub result_nll: f32,
    /// Squared discrepancy of the states' and results' points from their prior.
    pub mmd_states: f32,
    /// The same of the programs' points.
    pub mmd_codes: f32,
    /// The gradient's norm before clipping.
    pub gradient_norm: f32,
    /// Seconds spent in steps so far.
    pub train_secs: f64,
}

/// A model in training.
pub struct Trainer {
    /// What is trained, and how.
    pub config: ExecutorConfig,
    /// How far it got.
    pub progress: Progress,
    pub(super) model: LatentExecutor,
    pub(super) moments: Moments,
    split: Split,
    lexicon: Arc<Lexicon>,
    device: Device,
}

impl Trainer {
    /// A new run on `device`.
    ///
    /// # Errors
    /// If the configuration can't be trained.
    pub fn new(config: ExecutorConfig, device: &Device) -> Result<Self> {
        config.check()?;
        let lexicon = Arc::new(Lexicon::new()?);
        let device = device.clone().autodiff();
        let model = LatentExecutor::new(&config, lexicon.vocabulary_size(), &device);
        let moments = Moments::zeros(model.num_params(), &device.clone().inner());
        let split = Split::new(config.held_out, config.split_seed);
        Ok(Self {
            config,
            progress: Progress::default(),
            model,
            moments,
            split,
            lexicon,
            device,
        })
    }

    /// One step of AdamW on a fresh batch.
    ///
    /// # Errors
    /// If the device fails.
    pub fn step(&mut self) -> Result<Metrics> {
        let begun = std::time::Instant::now();
        let config = &self.config;
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(self.progress.step);
        let batch = config.batch;

        let sums: Vec<_> = (0..batch)
            .map(|_| self.split.train[rng.random_range(0..self.split.train.len())])
            .collect();
        // The autoencoders see every number they have in every step: there are few, and the planes
        // then fill evenly, the rare programs too.
        let states = self.words(STATES)?;
        let codes = self.words(CODES)?;
        let results = self.words(sums.iter().map(|s| s.result))?;
        let state_at = self.rows(sums.iter().map(|s| s.start - STATES.start()));
        let code_at = self.rows(sums.iter().map(|s| s.solution() - CODES.start()));

        let octaves = self.octaves();
        let state_points = self.model.state.encode(states.clone());
        let code_points = self.model.code.encode(codes.clone());
        let started = self.jitter(state_points.clone().select(0, state_at), &mut rng);
        let chosen = self.jitter(code_points.clone().select(0, code_at), &mut rng);
        let result_points = self.model.execute(
            self.model.state.hidden(started, &octaves),
            self.model.code.hidden(chosen, &octaves),
        );

        let shown = Tensor::cat(vec![state_points.clone(), result_points.clone()], 0);
        let shown = self
            .model
            .state
            .hidden(self.jitter(shown, &mut rng), &octaves);
        let targets = Tensor::cat(vec![states, results], 0);
        let nll = token_nll(self.model.state.logits(shown, targets.clone()), targets);
        let known = STATES.count();
        let state_nll = nll.clone().narrow(0, 0, known).mean();
        let result_nll = nll.narrow(0, known, batch).mean();
        let shown = self
            .model
            .code
            .hidden(self.jitter(code_points.clone(), &mut rng), &octaves);
        let code_nll = token_nll(self.model.code.logits(shown, codes.clone()), codes).mean();
        let (mmd_states, mmd_codes) =
            self.regulariser(state_points, result_points, code_points, &mut rng);

        let loss = (state_nll.clone() + code_nll.clone()) * config.autoencoder_weight
            + result_nll.clone() * config.executor_weight
            + mmd_states.clone() * config.mmd_states
            + mmd_codes.clone() * config.mmd_codes;
        let gradients = loss.backward();

        let learning_rate = config.learning_rate_at(self.progress.position);
        let optimiser = AdamW {
            betas: (0.9, 0.98),
            epsilon: 1e-8,
            weight_decay: config.weight_decay,
            max_norm: config.max_norm,
        };
        let step = self.progress.step + 1;
        let (model, norm) = optimiser.step(
            self.model.clone(),
            &gradients,
            &mut self.moments,
            learning_rate,
            step,
        );
        self.model = model;

        let figures = [loss, state_nll, code_nll, result_nll, mmd_states, mmd_codes]
            .map(Tensor::inner)
            .to_vec();
        let figures = Tensor::cat([figures, vec![norm]].concat(), 0);
        let figures: Vec<f32> = figures
            .try_into_vec_as()
            .context("the device failed in a training step")?;
        let position = self.progress.position;
        self.progress.step = step;
        self.progress.position = (position + 1).min(self.config.schedule_steps);
        self.progress.train_secs += begun.elapsed().as_secs_f64();
        Ok(Metrics {
            step,
            position,
            learning_rate,
            loss: figures[0],
            state_nll: figures[1],
            code_nll: figures[2],
            result_nll: figures[3],
            mmd_states: figures[4],
            mmd_codes: figures[5],
            gradient_norm: figures[6],
            train_secs: self.progress.train_secs,
        })
    }

    /// The model as it stands, to be asked.
    pub fn snapshot(&self) -> Executor {
        let device = self.device.clone().inner();
        Executor::new(
            self.config.clone(),
            self.progress,
            self.model.valid(),
            self.lexicon.clone(),
            &device,
        )
    }

    fn octaves(&self) -> Octaves {
        octaves_at(&self.config, self.progress.position)
    }

    fn words(&self, numbers: impl Iterator<Item = i32>) -> Result<Tensor<2, Int>> {
        let words = numbers.map(|n| {
            self.lexicon
                .encode(n)
                .with_context(|| format!("{n} has no tokens"))
        });
        let words: Vec<Word> = words.collect::<Result<_>>()?;
        Ok(words_tensor(&words, &self.device))
    }

    fn rows(&self, rows: impl Iterator<Item = i32>) -> Tensor<1, Int> {
        let rows: Vec<i32> = rows.collect();
        let count = rows.len();
        Tensor::from_data(TensorData::new(rows, [count]), &self.device)
    }

    fn jitter(&self, points: Tensor<2>, rng: &mut ChaCha8Rng) -> Tensor<2> {
        let deviation = self.config.noise_at(self.progress.position) as f32;
        if deviation == 0.0 {
            return points;
        }
        let [count, dims] = points.dims();
        let noise = (0..count * dims).map(|_| normal(rng) * deviation).collect();
        points + self.matrix(noise, dims)
    }

    fn matrix(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device)
    }

    /// The discrepancies of states with results, and of programs.
    fn regulariser(
        &self,
        states: Tensor<2>,
        results: Tensor<2>,
        codes: Tensor<2>,
        rng: &mut ChaCha8Rng,
    ) -> (Tensor<1>, Tensor<1>) {
        let dims = self.config.dims;
        let mut term = |points: Tensor<2>, kind: Prior| {
            let draws = match kind {
                Prior::Box => even_draws(PRIOR_DRAWS, dims, rng.random()),
                Prior::SeedNormal => (0..points.dims()[0] * dims).map(|_| normal(rng)).collect(),
            };
            mmd(points, self.matrix(draws, dims), kind)
        };
        match self.config.regulariser {
            Regulariser::Off => (
                Tensor::zeros([1], &self.device),
                Tensor::zeros([1], &self.device),
            ),
            Regulariser::Seed => (
                term(states, Prior::SeedNormal) + term(results, Prior::SeedNormal),
                term(codes, Prior::SeedNormal),
            ),
            Regulariser::Pooled => (
                term(Tensor::cat(vec![states, results], 0), Prior::Box),
                term(codes, Prior::Box),
            ),
        }
    }
}

/// Draws from the uniform prior a step.
const PRIOR_DRAWS: usize = 256;

/// `count` draws from the box (-1, 1)^Z, spread more evenly than independent ones (a scrambled Sobol
/// sequence, Burley 2020), so that the regulariser's pull is steady from step to step.
fn even_draws(count: usize, dims: usize, seed: u32) -> Vec<f32> {
    let most = sobol_burley::NUM_DIMENSIONS;
    let draw = |i: usize, d: usize| {
        let (group, dim) = (d as u32 / most, d as u32 % most);
        sobol_burley::sample(i as u32, dim, seed.wrapping_add(group)) * 2.0 - 1.0
    };
    (0..count)
        .flat_map(|i| (0..dims).map(move |d| draw(i, d)))
        .collect()
}

/// The octaves that are on at a position of the schedule.
pub(super) fn octaves_at(config: &ExecutorConfig, position: u64) -> Octaves {
    let progress = position as f64 / config.schedule_steps as f64;
    Octaves::at(config.octaves, progress, config.coarse_to_fine)
}

/// [B, L] tokens.
pub(super) fn words_tensor(words: &[Word], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(
        TensorData::new(words.concat(), [words.len(), LENGTH]),
        device,
    )
}
