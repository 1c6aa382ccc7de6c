//! The interface between a model and everything that trains it.

use anyhow::Result;
use burn::{module::Module, tensor::Device};
use rand_chacha::ChaCha8Rng;

use super::{
    checkpoint::Checkpoint,
    config::Config,
    host_inputs::{DeviceInputs, HostInputs},
    losses::Losses,
    metrics::MetricValue,
    progress::Progress,
};
use crate::nn::adamw::AdamW;

/// A model that can be trained: its networks, data and losses. Everything else of a run is the same for all of them.
pub trait System: Sized + Sync + 'static {
    /// Configuration of a run.
    type Config: Config + Clone + Send + Sync + 'static;
    /// Data of a run besides its configuration, such as a corpus.
    type Data: Clone;
    /// All networks that are trained.
    type Model: Module + Send + Sync;
    /// Offsets of one shard's inputs in the host buffers, and all else that decides which kernels a step launches: the
    /// capture key.
    type Plan: PartialEq + Clone + Send;
    /// Part of a step that is drawn on its own.
    type Shard: Send;
    /// Tensors of the losses that are no weights, on the device from the start on.
    type Constants: Sync;
    /// The model at a step, for inference.
    type Snapshot: Send + Sync;

    /// A system of that configuration and a model with random weights on `device`, which has autodiff.
    ///
    /// # Errors
    /// If the data doesn't fit the configuration.
    fn new(config: &Self::Config, data: Self::Data, device: &Device)
    -> Result<(Self, Self::Model)>;

    /// The optimizer of a model.
    fn optimizer(config: &Self::Config, model: &Self::Model) -> AdamW;

    /// The shards of a step, as many as the schedule says.
    fn shards(&self, config: &Self::Config, rng: &mut ChaCha8Rng) -> Vec<Self::Shard>;

    /// The plan of a shard at a position of the schedule, and its inputs: everything random is drawn here.
    ///
    /// # Errors
    /// If the shard can't be put into tokens.
    fn plan(
        &self,
        config: &Self::Config,
        position: u64,
        shard: Self::Shard,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Self::Plan, HostInputs)>;

    /// The constants of the losses.
    fn constants(&self) -> &Self::Constants;

    /// Losses of a shard, of device tensors alone: nothing is uploaded, and equal plans launch the same kernels, as the
    /// step may be captured.
    fn losses(
        constants: &Self::Constants,
        config: &Self::Config,
        model: &Self::Model,
        plan: &Self::Plan,
        inputs: &DeviceInputs,
    ) -> Losses;

    /// The model for inference on `device`, which has no autodiff.
    fn snapshot(
        &self,
        config: &Self::Config,
        progress: Progress,
        model: Self::Model,
        device: &Device,
    ) -> Self::Snapshot;

    /// Training progress of a snapshot.
    fn progress_of(snapshot: &Self::Snapshot) -> Progress;

    /// True if the step after so many is preceded by a validation.
    fn is_validation_due(&self, _steps: u64) -> bool {
        false
    }

    /// Evaluates the model on data it isn't trained on.
    ///
    /// # Errors
    /// If the device fails.
    fn validate(
        &mut self,
        _config: &Self::Config,
        _snapshot: &Self::Snapshot,
        _rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        Ok(())
    }

    /// Metrics of a step besides its losses.
    fn metrics(&self) -> Vec<(&'static str, MetricValue)> {
        Vec::new()
    }

    /// Files of a checkpoint besides configuration, progress, weights, optimizer state and metrics.
    ///
    /// # Errors
    /// If one can't be packed.
    fn extra_files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        Ok(Vec::new())
    }

    /// Refuses data with which a run can't go on from a checkpoint.
    ///
    /// # Errors
    /// Says what was expected.
    fn check_data(_checkpoint: &Checkpoint, _data: &Self::Data) -> Result<()> {
        Ok(())
    }

    /// Takes over the state in a checkpoint's [extra files](Self::extra_files).
    ///
    /// # Errors
    /// Names the file that is missing or wrong.
    fn restore(&mut self, _checkpoint: &Checkpoint) -> Result<()> {
        Ok(())
    }

    /// Facts for another framework besides the configuration, in a trace's setup.json.
    fn trace_setup(&self, _config: &Self::Config) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }
}
