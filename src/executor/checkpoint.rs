//! The Latent Executor's checkpoints: the bundled model, runs that are asked, runs that go on.

use std::{path::Path, sync::Arc};

use anyhow::Result;
use burn::{module::Module, tensor::Device};

use super::{inference::Executor, model::LatentExecutor, trainer::Trainer};
use crate::{
    data::tokens::Lexicon,
    training::checkpoint::{CONFIG, Checkpoint, MODEL, PROGRESS, Source},
};

const BUNDLED: Checkpoint = Checkpoint::Bundled {
    name: "assets/executor-2d",
    files: &[
        (
            CONFIG,
            include_bytes!("../../assets/executor-2d/config.json"),
        ),
        (
            PROGRESS,
            include_bytes!("../../assets/executor-2d/progress.json"),
        ),
        (MODEL, include_bytes!("../../assets/executor-2d/model.bpk")),
    ],
};

/// Makes the model of `source` on `device`.
///
/// # Errors
/// Names the file that is missing, cut, foreign, or doesn't fit its configuration.
pub fn load(source: &Source, device: &Device) -> Result<Executor> {
    let checkpoint = Checkpoint::of(source, BUNDLED)?;
    let (config, progress) = (checkpoint.config()?, checkpoint.progress()?);
    let lexicon = Arc::new(Lexicon::new()?);
    let fresh = LatentExecutor::new(&config, lexicon.vocabulary_size(), device);
    let model = checkpoint.model(fresh)?.valid();
    Ok(Executor::new(config, progress, model, lexicon, device))
}

/// Goes on with the run at `path`.
///
/// # Errors
/// As [`load`].
pub fn resume(path: &Path, device: &Device) -> Result<Trainer> {
    let checkpoint = Checkpoint::newest(path)?;
    let (config, progress) = (checkpoint.config()?, checkpoint.progress()?);
    let mut trainer = Trainer::new(config, device)?;
    trainer.model = checkpoint.model(trainer.model)?;
    trainer.moments = checkpoint.moments(trainer.moments)?;
    trainer.progress = progress;
    Ok(trainer)
}
