//! What another framework needs to do as the Latent Executor does, from the same weights: for
//! comparisons (tests/peers), not for going on with a run.
//!
//! ```text
//! TRACE/setup.json            config; position on the schedule; the sums never trained on
//! TRACE/weights.safetensors   the weights to begin with, as PyTorch has them
//! TRACE/steps.jsonl           of training: each step's metrics and what it drew, see training::tape
//! ```

use std::{fs, path::Path};

use anyhow::{Context, Result};
use burn::{module::Module, tensor::Device};
use serde_json::{Value, json};

use super::{checkpoint, trainer::ExecutorTrainer};
use crate::{
    config::executor::ExecutorConfig,
    data::split::Split,
    engine::run_folder::RunFolder,
    nn::weights::write_weights,
    training::{DataParallel, checkpoint::Source, draw_log},
};

/// Trains `steps` steps of a new run and writes them down in the new folder `to`.
///
/// # Errors
/// If the run can't be trained or the folder can't be made.
pub fn training(
    config: ExecutorConfig,
    steps: u64,
    to: &Path,
    device: &Device,
    after_step: impl FnMut(u64) -> Result<()>,
) -> Result<()> {
    let mut trainer = ExecutorTrainer::new(config, device)?;
    // One share after the other: all is drawn on one thread, in order.
    trainer.state.data_parallel = DataParallel::new(1, &device.clone().autodiff())?;
    let folder = RunFolder::create(to)?;
    write_setup(
        folder.path(),
        &trainer
            .state
            .data_parallel
            .effective_config(&trainer.config),
        0,
    )?;
    write_weights(
        &trainer.state.model().valid(),
        &to.join("weights.safetensors"),
    )?;
    draw_log::write_steps(&mut trainer, steps, &to.join("steps.jsonl"), after_step)
}

/// Writes a model at rest down in the new folder `to`.
///
/// # Errors
/// If there is no such model or the folder can't be made.
pub fn model(source: &Source, to: &Path, device: &Device) -> Result<()> {
    let executor = checkpoint::load(source, device)?;
    let folder = RunFolder::create(to)?;
    write_setup(folder.path(), &executor.config, executor.progress.position)?;
    write_weights(&executor.model, &to.join("weights.safetensors"))?;
    Ok(())
}

fn write_setup(folder: &Path, config: &ExecutorConfig, position: u64) -> Result<()> {
    let held_out = Split::new(config.language, config.held_out, config.split_seed).held_out;
    let held_out: Vec<Value> = held_out
        .iter()
        .map(|execution| json!([execution.start, execution.result()]))
        .collect();
    let setup = json!({ "config": config, "position": position, "held_out": held_out });
    let path = folder.join("setup.json");
    fs::write(&path, setup.to_string()).with_context(|| format!("can't write {}", path.display()))
}
