//! A third system, made for tests: an autoencoder of words of bits that also tells their parity.

use anyhow::{Result, bail};
use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor, activation::sigmoid},
};
use glyphspace::{
    nn::{adamw::AdamW, init::Initializer},
    training::{
        DeviceInputs, HostInputs, Losses, MetricValue, Progress, Span, System, Trainer,
        checkpoint::Checkpoint,
        config::{Config, Schedule, check_between, check_rates_and_weights},
    },
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub type ParityTrainer = Trainer<Parity>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityConfig {
    pub bits: usize,
    pub hidden: usize,
    pub batch: usize,
    pub shards: usize,
    pub seed: u64,
    pub learning_rate: f64,
    pub schedule_steps: u64,
    pub parity_weight: f64,
}

impl Default for ParityConfig {
    fn default() -> Self {
        Self {
            bits: 4,
            hidden: 16,
            batch: 32,
            shards: 2,
            seed: 1,
            learning_rate: 0.03,
            schedule_steps: 1000,
            parity_weight: 0.5,
        }
    }
}

impl Config for ParityConfig {
    const RENAMED: &[(&str, &str)] = &[];

    fn check(&self) -> Result<()> {
        check_between(&[("bits", self.bits), ("batch", self.batch)], 1, 64)?;
        check_rates_and_weights(self)
    }

    fn with_shards_merged(&self) -> Self {
        Self {
            batch: self.batch * self.shards,
            shards: 1,
            ..self.clone()
        }
    }

    fn schedule(&self) -> Schedule {
        let (rate, steps) = (self.learning_rate, self.schedule_steps);
        Schedule::new(self.seed, self.shards, rate, 10, steps)
    }
}

#[derive(Module, Debug)]
pub struct ParityModel {
    encoder: Linear,
    decoder: Linear,
    parity: Linear,
}

/// Trouble to come: the step before which planning fails.
pub type FailsAt = Option<u64>;

/// Grows its difficulty before each step.
pub struct Parity {
    pub difficulty: f64,
    fails_at: FailsAt,
}

#[derive(Clone, PartialEq)]
pub struct ParityPlan {
    batch: usize,
    words: Span,
    parity: Span,
}

impl System for Parity {
    type Config = ParityConfig;
    type Data = FailsAt;
    type Model = ParityModel;
    type Plan = ParityPlan;
    type Shard = usize;
    type Constants = ();
    type Snapshot = (Progress, ParityModel);

    fn new(
        config: &ParityConfig,
        fails_at: FailsAt,
        device: &Device,
    ) -> Result<(Self, ParityModel)> {
        let mut init = Initializer::new(config.seed, device);
        let model = ParityModel {
            encoder: init.linear_biased(config.bits, config.hidden, 0.5),
            decoder: init.linear_biased(config.hidden, config.bits, 0.3),
            parity: init.linear_biased(config.hidden, 1, 0.3),
        };
        let system = Self {
            difficulty: 0.0,
            fails_at,
        };
        Ok((system, model))
    }

    fn optimizer(_: &ParityConfig, _: &ParityModel) -> AdamW {
        AdamW::new(0.0, 1.0)
    }

    fn shards(&self, config: &ParityConfig, _: &mut ChaCha8Rng) -> Vec<usize> {
        vec![config.batch; config.shards]
    }

    fn plan(
        &self,
        config: &ParityConfig,
        position: u64,
        batch: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<(ParityPlan, HostInputs)> {
        if self.fails_at == Some(position) {
            bail!("the device failed");
        }
        let words: Vec<Vec<f32>> = (0..batch)
            .map(|_| {
                (0..config.bits)
                    .map(|_| f32::from(rng.random_bool(0.5) as u8))
                    .collect()
            })
            .collect();
        let parity: Vec<f32> = words
            .iter()
            .map(|bits| bits.iter().sum::<f32>() % 2.0)
            .collect();
        let mut inputs = HostInputs::default();
        let plan = ParityPlan {
            batch,
            words: inputs.values(&words.concat()),
            parity: inputs.values(&parity),
        };
        Ok((plan, inputs))
    }

    fn constants(&self) -> &() {
        &()
    }

    fn losses(
        (): &(),
        config: &ParityConfig,
        model: &ParityModel,
        plan: &ParityPlan,
        inputs: &DeviceInputs,
    ) -> Losses {
        let words = inputs.points(plan.words, config.bits);
        let hidden = model.encoder.forward(words.clone()).tanh();
        let read = sigmoid(model.decoder.forward(hidden.clone()));
        let parity = sigmoid(model.parity.forward(hidden));
        let truth = inputs.values(plan.parity).reshape([plan.batch, 1]);
        let mean = |off: Tensor<2>| off.square().mean();
        let mut losses = Losses::default();
        losses.add("reconstruction", 1.0, mean(read - words));
        losses.add("parity", config.parity_weight, mean(parity - truth));
        losses
    }

    fn snapshot(
        &self,
        _: &ParityConfig,
        progress: Progress,
        model: ParityModel,
        _: &Device,
    ) -> Self::Snapshot {
        (progress, model)
    }

    fn progress_of(snapshot: &Self::Snapshot) -> Progress {
        snapshot.0
    }

    fn is_validation_due(&self, _: u64) -> bool {
        true
    }

    fn validate(
        &mut self,
        _: &ParityConfig,
        (progress, _): &Self::Snapshot,
        _: &mut ChaCha8Rng,
    ) -> Result<()> {
        self.difficulty = (self.difficulty + (progress.step as f64).sin().abs()) / 1.1;
        Ok(())
    }

    fn metrics(&self) -> Vec<(&'static str, MetricValue)> {
        vec![("difficulty", MetricValue::Double(self.difficulty))]
    }

    fn extra_files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        Ok(vec![
            ("difficulty.json", serde_json::to_vec(&self.difficulty)?),
            ("words.txt", b"a b c".to_vec()),
        ])
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.difficulty = checkpoint.json("difficulty.json", "a difficulty")?;
        Ok(())
    }
}
