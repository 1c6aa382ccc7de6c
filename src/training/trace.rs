//! Traces for another framework: a system's training from the same weights and the same random draws (tests/peers), not for
//! resuming a run.
//!
//! ```text
//! TRACE/setup.json            configuration, and the system's own facts
//! TRACE/weights.safetensors   the first weights, as PyTorch has them
//! TRACE/steps.jsonl           each step's metrics and random draws, see draw_log
//! ```

use std::{fs, path::Path};

use anyhow::{Context, Result};
use burn::{module::Module, tensor::Device};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{DataParallel, System, Trainer, draw_log, run_folder::RunFolder};
use crate::nn::weights::write_weights;

/// Trains a new run for `steps` steps and logs them in the new folder `to`.
///
/// # Errors
/// If the run can't be trained or the folder can't be made.
pub fn training<S: System>(
    config: S::Config,
    data: S::Data,
    steps: u64,
    to: &Path,
    device: &Device,
    after_step: impl FnMut(u64) -> Result<()>,
) -> Result<()> {
    let mut trainer = Trainer::<S>::new(config, data, device)?;
    // One shard after the other: all is drawn on one thread, in order.
    let device = device.clone().autodiff();
    trainer.state.data_parallel = DataParallel::new(1, &device)?;
    let config = trainer
        .state
        .data_parallel
        .effective_config(&trainer.config);
    let setup = trainer.system.trace_setup(&trainer.config);
    begin(to, &*config, setup, &trainer.state.model().valid())?;
    draw_log::write_steps(&mut trainer, steps, &to.join("steps.jsonl"), after_step)
}

/// Makes the folder of a trace, with its setup and weights.
///
/// # Errors
/// If the folder is there already or can't be written.
pub fn begin(
    to: &Path,
    config: &impl Serialize,
    mut setup: Map<String, Value>,
    model: &impl Module,
) -> Result<()> {
    let folder = RunFolder::create(to)?;
    setup.insert("config".to_owned(), serde_json::to_value(config)?);
    let path = folder.path().join("setup.json");
    fs::write(&path, Value::Object(setup).to_string())
        .with_context(|| format!("can't write {}", path.display()))?;
    Ok(write_weights(model, &to.join("weights.safetensors"))?)
}
