//! The Latent Executor as a system that can be trained.

use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::{
    batch::Batches,
    checkpoint::load,
    config::ExecutorConfig,
    evaluation::ExecutorEvaluator,
    inference::ExecutorInference,
    losses::ExecutorForward,
    model::{LatentExecutor, octaves_at},
    step_plan::ExecutorPlan,
};
use crate::{
    data::{split::Split, tokens::SumTokenizer},
    nn::{adamw::AdamW, bottleneck::FourierBands, muon::Muon},
    training::{
        DeviceInputs, HostInputs, Losses, Progress, Run, ServedSystem, System, Trainer,
        checkpoint::Source,
    },
};

/// The Latent Executor in training.
pub type ExecutorTrainer = Trainer<ExecutorSystem>;
/// A run of it.
pub type ExecutorRun = Run<ExecutorSystem>;

/// Batches and constants of the Latent Executor's training.
pub struct ExecutorSystem {
    batches: Batches,
    octaves: FourierBands,
    tokenizer: Arc<SumTokenizer>,
}

impl System for ExecutorSystem {
    type Config = ExecutorConfig;
    type Data = ();
    type Model = LatentExecutor;
    type Plan = ExecutorPlan;
    type Shard = usize;
    type Constants = FourierBands;
    type Snapshot = ExecutorInference;

    fn new(config: &ExecutorConfig, (): (), device: &Device) -> Result<(Self, LatentExecutor)> {
        let tokenizer = Arc::new(SumTokenizer::new(config.language)?);
        let model = LatentExecutor::new(config, tokenizer.vocabulary_size(), device);
        let system = Self {
            batches: Batches::new(config, tokenizer.clone(), device)?,
            octaves: FourierBands::full(config.octaves, device),
            tokenizer,
        };
        Ok((system, model))
    }

    fn optimizer(config: &ExecutorConfig, model: &LatentExecutor) -> AdamW {
        let muon = || Muon::new(model, config.muon, LatentExecutor::is_hidden);
        AdamW {
            muon: (config.muon > 0.0).then(muon),
            ..AdamW::new(config.weight_decay, config.max_norm)
        }
    }

    fn shards(&self, config: &ExecutorConfig, _: &mut ChaCha8Rng) -> Vec<usize> {
        (0..config.shards).collect()
    }

    fn plan(
        &self,
        config: &ExecutorConfig,
        position: u64,
        shard: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<(ExecutorPlan, HostInputs)> {
        let octaves = octaves_at(config, position);
        ExecutorPlan::draw(&self.batches, config, &octaves, shard, rng)
    }

    fn constants(&self) -> &FourierBands {
        &self.octaves
    }

    fn losses(
        bands: &FourierBands,
        config: &ExecutorConfig,
        model: &LatentExecutor,
        plan: &ExecutorPlan,
        inputs: &DeviceInputs,
    ) -> Losses {
        let octaves = match plan.octaves {
            Some(weights) => bands.weighted(inputs.values(weights)),
            None => bands.clone(),
        };
        let pass = ExecutorForward {
            model,
            config,
            octaves: &octaves,
            plan,
            inputs,
        };
        pass.losses()
    }

    fn snapshot(
        &self,
        config: &ExecutorConfig,
        progress: Progress,
        model: LatentExecutor,
        device: &Device,
    ) -> ExecutorInference {
        let tokenizer = self.tokenizer.clone();
        ExecutorInference::new(config.clone(), progress, model, tokenizer, device)
    }

    fn progress_of(snapshot: &ExecutorInference) -> Progress {
        snapshot.progress
    }

    fn trace_setup(&self, config: &ExecutorConfig) -> Map<String, Value> {
        trace_setup(config, 0)
    }
}

impl ServedSystem for ExecutorSystem {
    type DataSource = ();
    type EvaluationPlan = ();
    type Evaluator = ExecutorEvaluator;

    fn load(source: &Source, device: &Device) -> Result<ExecutorInference> {
        load(source, device)
    }

    fn open_data((): &()) -> Result<()> {
        Ok(())
    }

    fn evaluator(executor: Arc<ExecutorInference>, (): ()) -> Result<ExecutorEvaluator> {
        Ok(ExecutorEvaluator::new(executor))
    }

    fn describe(executor: &ExecutorInference) -> (&ExecutorConfig, usize) {
        (&executor.config, executor.params())
    }
}

/// Facts for another framework: the position on the schedule, and the sums that are never trained on.
pub(super) fn trace_setup(config: &ExecutorConfig, position: u64) -> Map<String, Value> {
    let held_out = Split::new(config.language, config.held_out, config.split_seed).held_out;
    let held_out = held_out
        .iter()
        .map(|execution| json!([execution.start, execution.result()]));
    Map::from_iter([
        ("position".to_owned(), position.into()),
        ("held_out".to_owned(), held_out.collect()),
    ])
}
