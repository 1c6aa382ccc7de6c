//! A Latent Executor in training, step by step.
//!
//! Everything random in step n is drawn from the stream n of the run's seed, on the host; so the
//! random state of a run is its step, and a resumed run goes on to the last bit.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::Result;
use burn::{module::Module, tensor::Device};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    batch::Batches, checkpoint, inference::ExecutorInference, model::LatentExecutor,
    objective::Objective, step_plan::ExecutorPlan,
};
use crate::{
    config::{Config as _, executor::ExecutorConfig},
    data::tokens::SumTokenizer,
    nn::{adamw::AdamW, bottleneck::FourierBands, muon::Muon},
    training::{
        self, DataParallel, DeviceInputs, Limit, MetricsRow, Progress, Run, Start, TrainState,
        checkpoint::files,
    },
};

/// One row of metrics.csv. Cross entropies are means a token, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorMetrics {
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
    /// The cross entropy of the nearest program at points anywhere.
    pub cell_nll: f32,
    /// The cross entropy of that program's result there.
    pub cell_result_nll: f32,
    /// The cross entropy of writing nothing where a program leads to no state.
    pub nothing_nll: f32,
    /// Squared discrepancy of the states' and results' points from their prior.
    pub mmd_states: f32,
    /// The same of the programs' points.
    pub mmd_codes: f32,
    /// How far the programs' distances are from those of their results.
    pub isometry: f32,
    /// How far programs are apart whose results follow one another.
    #[serde(default)]
    pub neighbours: f32,
    /// How far points anywhere are from the nearest program, and the nearest state.
    #[serde(default)]
    pub cover: f32,
    /// How far programs, states and results lie in the flat ends of tanh.
    #[serde(default)]
    pub saturation: f32,
    /// The cross entropy of the programs at the points the inverse encoder proposes.
    #[serde(default)]
    pub inverse_nll: f32,
    /// The cross entropy of results a step down the gradient from points anywhere.
    #[serde(default)]
    pub inner_nll: f32,
    /// The cross entropy of the results of the lines after the first.
    #[serde(default)]
    pub lines_nll: f32,
    /// How far results lie from where they are encoded.
    #[serde(default)]
    pub consistency: f32,
    /// How far proposals lie from where their programs are encoded.
    #[serde(default)]
    pub inverse_consistency: f32,
    /// The gradient's norm before clipping.
    pub gradient_norm: f32,
    /// Seconds spent in steps so far.
    pub train_secs: f64,
}

impl MetricsRow for ExecutorMetrics {
    fn step(&self) -> u64 {
        self.step
    }

    fn loss(&self) -> f32 {
        self.loss
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn gradient_norm(&self) -> f32 {
        self.gradient_norm
    }
}

/// A model in training.
pub struct ExecutorTrainer {
    /// What is trained, and how.
    pub config: ExecutorConfig,
    /// How far it got.
    pub progress: Progress,
    pub(super) state: TrainState<LatentExecutor, ExecutorPlan>,
    batches: Batches,
    octaves: FourierBands,
    tokenizer: Arc<SumTokenizer>,
    device: Device,
}

impl ExecutorTrainer {
    /// A new run on `device`.
    ///
    /// # Errors
    /// If the configuration can't be trained.
    pub fn new(config: ExecutorConfig, device: &Device) -> Result<Self> {
        config.check()?;
        let tokenizer = Arc::new(SumTokenizer::new(config.language)?);
        let device = device.clone().autodiff();
        let model = LatentExecutor::new(&config, tokenizer.vocabulary_size(), &device);
        let muon = || Muon::new(&model, config.muon, LatentExecutor::is_hidden);
        let optimizer = AdamW {
            muon: (config.muon > 0.0).then(muon),
            ..AdamW::new(config.weight_decay, config.max_norm)
        };
        let batches = Batches::new(&config, tokenizer.clone(), &device)?;
        let octaves = FourierBands::full(config.octaves, &device);
        let shards = DataParallel::new(config.shards, &device)?;
        Ok(Self {
            config,
            progress: Progress::default(),
            state: TrainState::new(model, optimizer, shards, &device),
            batches,
            octaves,
            tokenizer,
            device,
        })
    }

    /// Begins a run in the folder `out`.
    ///
    /// # Errors
    /// If the start can't be read or trained, or the folder can't be made.
    pub fn run(
        start: Start<ExecutorConfig>,
        out: &Path,
        limit: Limit,
        device: &Device,
    ) -> Result<Run<Self>> {
        Run::begin(start.resumed(), out, limit, || match &start {
            Start::Fresh(config) => Self::new((**config).clone(), device),
            Start::Resume(path) => checkpoint::resume(path, device),
        })
    }

    /// The model as it stands, to be asked.
    pub fn snapshot(&self) -> ExecutorInference {
        let device = self.device.clone().inner();
        ExecutorInference::new(
            self.config.clone(),
            self.progress,
            self.state.model().valid(),
            self.tokenizer.clone(),
            &device,
        )
    }

    /// On a GPU, whether the next step need only be launched, or why none can be; `None` before that was tried.
    pub fn is_captured(&self) -> Option<Result<(), &anyhow::Error>> {
        self.state.is_captured()
    }
}

impl training::Trainer for ExecutorTrainer {
    type Metrics = ExecutorMetrics;

    fn step(&mut self) -> Result<ExecutorMetrics> {
        let begun = Instant::now();
        let config = self.state.data_parallel.effective_config(&self.config);
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(self.progress.step);
        let learning_rate = config.learning_rate_at(self.progress.position);
        let octaves = octaves_at(&config, self.progress.position);
        let step = self.progress.step + 1;
        let shares = (0..config.shards).map(|share| (share, ChaCha8Rng::from_rng(&mut rng)));
        let plan_step = |(share, mut rng)| {
            ExecutorPlan::draw(&self.batches, &config, &octaves, share, &mut rng)
        };
        let loss_fn = |model: &LatentExecutor, plan: &ExecutorPlan, inputs: &DeviceInputs| {
            let octaves = match plan.octaves {
                Some(weights) => self.octaves.weighted(inputs.values(weights)),
                None => self.octaves.clone(),
            };
            let objective = Objective {
                model,
                config: &config,
                octaves: &octaves,
                plan,
                inputs,
            };
            let terms = objective.terms();
            (terms.loss(&config), terms.into_values().to_vec())
        };
        let figures = self
            .state
            .step(learning_rate, step, shares.collect(), plan_step, loss_fn)?;
        let position = self.progress.position;
        self.progress.advance(begun, self.config.schedule_steps);
        Ok(ExecutorMetrics {
            step,
            position,
            learning_rate,
            loss: figures[0],
            state_nll: figures[1],
            code_nll: figures[2],
            result_nll: figures[3],
            cell_nll: figures[4],
            cell_result_nll: figures[5],
            nothing_nll: figures[6],
            mmd_states: figures[7],
            mmd_codes: figures[8],
            isometry: figures[9],
            neighbours: figures[10],
            cover: figures[11],
            saturation: figures[12],
            inverse_nll: figures[13],
            inner_nll: figures[14],
            lines_nll: figures[15],
            consistency: figures[16],
            inverse_consistency: figures[17],
            gradient_norm: figures[18],
            train_secs: self.progress.train_secs,
        })
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }

    fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn schedule_steps(&self) -> u64 {
        self.config.schedule_steps
    }

    fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        files(
            &self.config,
            &self.progress,
            &self.state.model(),
            self.state.optimizer_state(),
        )
    }
}

/// The octaves' weights at a position of the schedule.
pub(super) fn octaves_at(config: &ExecutorConfig, position: u64) -> Vec<f32> {
    let progress = position as f64 / config.schedule_steps as f64;
    FourierBands::weights_at(config.octaves, progress, config.coarse_to_fine)
}
