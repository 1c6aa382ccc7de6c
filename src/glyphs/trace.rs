//! What another framework needs to do as Code Glyphs do, from the same weights: for comparisons
//! (tests/peers), not for going on with a run.
//!
//! ```text
//! TRACE/setup.json            config; the vocabulary's size and padding
//! TRACE/weights.safetensors   the weights to begin with, as PyTorch has them
//! TRACE/steps.jsonl           each step's metrics and what it drew, see training::tape
//! ```

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result};
use burn::{module::Module, tensor::Device};
use serde_json::json;

use super::trainer::GlyphsTrainer;
use crate::{
    config::glyphs::GlyphsConfig,
    data::corpus::Corpus,
    engine::run_folder::RunFolder,
    nn::weights::write_weights,
    training::{DataParallel, draw_log},
};

/// Trains `steps` steps of a new run over `corpus` and writes them down in the new folder `to`.
///
/// # Errors
/// If the run can't be trained or the folder can't be made.
pub fn training(
    config: GlyphsConfig,
    corpus: Arc<Corpus>,
    steps: u64,
    to: &Path,
    device: &Device,
    after_step: impl FnMut(u64) -> Result<()>,
) -> Result<()> {
    let (vocabulary, pad) = (corpus.bpe().size(), corpus.bpe().pad());
    let mut trainer = GlyphsTrainer::new(config, corpus, device)?;
    // One share after the other: all is drawn on one thread, in order.
    trainer.state.data_parallel = DataParallel::new(1, &device.clone().autodiff())?;
    let folder = RunFolder::create(to)?;
    let setup = json!({ "config": &*trainer.state.data_parallel.effective_config(&trainer.config), "vocabulary": vocabulary, "pad": pad });
    let path = folder.path().join("setup.json");
    fs::write(&path, setup.to_string())
        .with_context(|| format!("can't write {}", path.display()))?;
    write_weights(
        &trainer.state.model().valid(),
        &to.join("weights.safetensors"),
    )?;
    draw_log::write_steps(&mut trainer, steps, &to.join("steps.jsonl"), after_step)
}
