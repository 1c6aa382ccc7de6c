//! A system in training, step by step, and all that its checkpoints need.
//!
//! Everything random in step n comes from the stream n of the run's seed, drawn on the host; so the random state of a run
//! is its step, and a resumed run goes on to the last bit.

use std::{path::Path, time::Instant};

use anyhow::Result;
use burn::{module::Module, tensor::Device};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    DataParallel, Metrics, Progress, System, TrainState,
    checkpoint::{self, Checkpoint},
    config::Config,
    metrics::{GRADIENT_NORM, LEARNING_RATE, LOSS, MetricValue, POSITION, STEP, TRAIN_SECS},
};

/// A model in training.
pub struct Trainer<S: System> {
    /// Sizes, loss weights and schedule.
    pub config: S::Config,
    /// Steps taken so far.
    pub progress: Progress,
    /// Data and state of the system besides the model.
    pub system: S,
    pub(super) state: TrainState<S::Model, S::Plan>,
    device: Device,
}

impl<S: System> Trainer<S> {
    /// A new run on `device`.
    ///
    /// # Errors
    /// If the configuration can't be trained, or doesn't fit the data.
    pub fn new(config: S::Config, data: S::Data, device: &Device) -> Result<Self> {
        config.check()?;
        let device = device.clone().autodiff();
        let data_parallel = DataParallel::new(config.schedule().shards, &device)?;
        let (system, model) = S::new(&config, data, &device)?;
        let optimizer = S::optimizer(&config, &model);
        Ok(Self {
            state: TrainState::new(model, optimizer, data_parallel, &device),
            config,
            progress: Progress::default(),
            system,
            device,
        })
    }

    /// A new run on `device` that begins with the weights of a checkpoint.
    ///
    /// # Errors
    /// As [`Self::new`]; names the file that is missing, cut, foreign, or doesn't fit the configuration or the data.
    pub fn fine_tune(
        config: S::Config,
        weights: &Checkpoint,
        data: S::Data,
        device: &Device,
    ) -> Result<Self> {
        S::check_data(weights, &data)?;
        let mut trainer = Self::new(config, data, device)?;
        trainer.state.load_weights(weights)?;
        Ok(trainer)
    }

    /// The run at `path`, which goes on from its newest checkpoint.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit its configuration or the data.
    pub fn resume(path: &Path, data: S::Data, device: &Device) -> Result<Self> {
        let checkpoint = Checkpoint::newest(path)?;
        let progress = checkpoint.progress()?;
        S::check_data(&checkpoint, &data)?;
        let mut trainer = Self::new(checkpoint.config()?, data, device)?;
        trainer.state.load(&checkpoint)?;
        trainer.system.restore(&checkpoint)?;
        trainer.progress = progress;
        Ok(trainer)
    }

    /// The model as the last step left it, for inference.
    pub fn snapshot(&self) -> S::Snapshot {
        let device = self.device.clone().inner();
        let model = self.state.model().valid();
        self.system
            .snapshot(&self.config, self.progress, model, &device)
    }

    /// On a GPU, Ok once a step graph is captured, or the reason why none can be; `None` before that was tried.
    pub fn is_captured(&self) -> Option<Result<(), &anyhow::Error>> {
        self.state.is_captured()
    }

    /// Takes one step and advances the progress.
    ///
    /// # Errors
    /// If the device fails.
    pub fn step(&mut self) -> Result<Metrics> {
        let begun = Instant::now();
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.schedule().seed);
        rng.set_stream(self.progress.step);
        if self.system.is_validation_due(self.progress.step) {
            let snapshot = self.snapshot();
            self.system.validate(&self.config, &snapshot, &mut rng)?;
        }
        let config = self.state.data_parallel.effective_config(&self.config);
        let Progress { step, position, .. } = self.progress;
        let learning_rate = config.schedule().learning_rate_at(position);
        let shards = self.system.shards(&config, &mut rng).into_iter();
        let shards = shards.map(|shard| (shard, ChaCha8Rng::from_rng(&mut rng)));
        let shards: Vec<_> = shards.collect();
        let system = &self.system;
        let plan_step = |(shard, mut rng)| system.plan(&config, position, shard, &mut rng);
        let loss_fn = |model: &S::Model, plan: &S::Plan, inputs: &_| {
            S::losses(system.constants(), &config, model, plan, inputs)
        };
        let losses = self
            .state
            .step(learning_rate, step + 1, shards, plan_step, loss_fn)?;
        self.progress.advance(begun, self.config.schedule().steps);
        let mut row = vec![
            (STEP, MetricValue::Count(step + 1)),
            (POSITION, MetricValue::Count(position)),
            (LEARNING_RATE, MetricValue::Double(learning_rate)),
            (LOSS, MetricValue::Single(losses.total)),
        ];
        row.extend(
            losses
                .terms
                .into_iter()
                .map(|(name, value)| (name, MetricValue::Single(value))),
        );
        row.extend(self.system.metrics());
        row.push((GRADIENT_NORM, MetricValue::Single(losses.gradient_norm)));
        row.push((TRAIN_SECS, MetricValue::Double(self.progress.train_secs)));
        Ok(Metrics::new(row))
    }

    /// The files of a checkpoint, names and contents: all that is needed to go on to the last bit, and for inference.
    ///
    /// # Errors
    /// If one can't be packed.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let (model, optimizer) = (self.state.model(), self.state.optimizer_state());
        let mut files = checkpoint::files(&self.config, &self.progress, &model, optimizer)?;
        files.extend(self.system.extra_files()?);
        Ok(files)
    }
}
