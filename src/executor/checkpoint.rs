//! Checkpoints of the Latent Executor: bundled models and runs, loaded for inference.

use std::sync::Arc;

use anyhow::{Result, bail};
use burn::{module::Module, tensor::Device};

use super::{inference::ExecutorInference, model::LatentExecutor};
use crate::{
    data::{language::Language, tokens::SumTokenizer},
    executor::config::ExecutorConfig,
    training::{
        Progress,
        checkpoint::{Checkpoint, Source, bundled as bundled_files},
    },
};

/// The files of a bundled model.
macro_rules! model {
    ($name:literal) => {
        bundled_files!($name, "config.json", "progress.json", "model.bpk")
    };
}

const BUNDLED: [Checkpoint; 6] = [
    model!("executor-2d"),
    model!("executor-10d"),
    model!("executor-100d"),
    model!("executor-lines"),
    model!("executor-four-digits"),
    model!("executor-operators"),
];

/// The bundled model of a language, with `dims` latent dimensions (where none are asked for, 2 of the
/// smallest language), for programs of `lines` lines.
///
/// # Errors
/// If there is none of so many dimensions.
pub fn bundled(language: Language, dims: Option<usize>, lines: usize) -> Result<Source> {
    Ok(Source::BundledAs(match (language, dims, lines) {
        (Language::TwoDigits, None | Some(2), 1) => return Ok(Source::Bundled),
        (Language::TwoDigits, None | Some(2), _) => "executor-lines",
        (Language::TwoDigits, Some(10), _) => "executor-10d",
        (Language::TwoDigits, Some(100), _) => "executor-100d",
        (Language::FourDigits, None | Some(16), _) => "executor-four-digits",
        (Language::Operators, None | Some(10), _) => "executor-operators",
        (Language::FourDigits, Some(dims), _) => {
            bail!("the bundled model of four digits has 16 dimensions, not {dims}")
        }
        (Language::Operators, Some(dims), _) => {
            bail!("the bundled model of operators has 10 dimensions, not {dims}")
        }
        (Language::TwoDigits, Some(other), _) => bail!(
            "no bundled model has {other} dimensions: expected 2, 10 or 100 (train one with executor train --dims {other})"
        ),
    }))
}

/// The checkpoint of `source`.
///
/// # Errors
/// If the run has none, or there is no such bundled model.
pub fn of(source: &Source) -> Result<Checkpoint> {
    Checkpoint::of(source, &BUNDLED)
}

/// Makes the model of `source` on `device`.
///
/// # Errors
/// Names the file that is missing, cut, foreign, or doesn't fit its configuration.
pub fn load(source: &Source, device: &Device) -> Result<ExecutorInference> {
    let checkpoint = match source {
        Source::Untrained => None,
        _ => Some(of(source)?),
    };
    let (config, progress) = match &checkpoint {
        Some(checkpoint) => (checkpoint.config()?, checkpoint.progress()?),
        None => (ExecutorConfig::preset("pocket")?, Progress::default()),
    };
    let tokenizer = Arc::new(SumTokenizer::new(config.language)?);
    let mut model = LatentExecutor::new(&config, tokenizer.vocabulary_size(), device);
    if let Some(checkpoint) = &checkpoint {
        model = checkpoint.model(model)?.valid();
    }
    Ok(ExecutorInference::new(
        config, progress, model, tokenizer, device,
    ))
}
