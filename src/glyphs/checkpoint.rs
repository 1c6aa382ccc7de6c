//! Checkpoints of Code Glyphs: the bundled model and runs, loaded for inference.

use std::sync::Arc;

use anyhow::{Context, Result};
use burn::{module::Module, tensor::Device};

use super::{inference::GlyphReader, model::GlyphModel};
use crate::{
    data::{bpe::Bpe, ngram::NGram},
    glyphs::config::GlyphsConfig,
    training::{
        Progress,
        checkpoint::{Checkpoint, Source, bundled},
    },
};

/// The tokenizer's file.
pub(super) const TOKENIZER: &str = "tokenizer.json";
/// The file of the trigrams; runs whose glyphs have no code have none.
pub(super) const NGRAM: &str = "ngram.bin";
/// The file of the curriculum's state; a bundled model has none.
pub(super) const CURRICULUM: &str = "curriculum.json";

const BUNDLED: Checkpoint = bundled!(
    "glyphs",
    "config.json",
    "progress.json",
    "model.bpk",
    "tokenizer.json",
    "ngram.bin"
);

/// The checkpoint of `source`.
///
/// # Errors
/// If the run has none, or there is no such bundled model.
pub fn of(source: &Source) -> Result<Checkpoint> {
    Checkpoint::of(source, &[BUNDLED])
}

/// Makes the model of `source` on `device`.
///
/// # Errors
/// Names the file that is missing, cut, foreign, or doesn't fit its configuration.
pub fn load(source: &Source, device: &Device) -> Result<GlyphReader> {
    if *source == Source::Untrained {
        let (config, bpe) = (
            GlyphsConfig::preset("pocket")?,
            tokenizer_of(&Source::Bundled)?,
        );
        let layouts = config.layouts();
        let model = GlyphModel::new(&config, bpe.size(), &layouts, device);
        let progress = Progress::default();
        return Ok(GlyphReader::new(
            config, progress, model, bpe, layouts, None, device,
        ));
    }
    let checkpoint = of(source)?;
    let config: GlyphsConfig = checkpoint.config()?;
    let bpe = tokenizer(&checkpoint)?;
    let layouts = config.layouts();
    let fresh = GlyphModel::new(&config, bpe.size(), &layouts, device);
    let model = checkpoint.model(fresh)?.valid();
    let progress = checkpoint.progress()?;
    let ngram = match config.parity > 0.0 {
        true => ngram(&checkpoint)?,
        false => None,
    };
    Ok(GlyphReader::new(
        config, progress, model, bpe, layouts, ngram, device,
    ))
}

/// The trigrams in a checkpoint, if it has some.
fn ngram(checkpoint: &Checkpoint) -> Result<Option<Arc<NGram>>> {
    if !checkpoint.has(NGRAM) {
        return Ok(None);
    }
    let ngram = NGram::unpack(&checkpoint.read(NGRAM)?);
    let ngram = ngram.with_context(|| checkpoint.path_of(NGRAM))?;
    Ok(Some(Arc::new(ngram)))
}

/// The tokenizer of `source`'s model.
///
/// # Errors
/// Names the file that is missing or none.
pub fn tokenizer_of(source: &Source) -> Result<Arc<Bpe>> {
    tokenizer(&of(source)?)
}

/// The tokenizer in a checkpoint.
///
/// # Errors
/// Names the file that is missing or none.
pub(super) fn tokenizer(checkpoint: &Checkpoint) -> Result<Arc<Bpe>> {
    let bytes = checkpoint.read(TOKENIZER)?;
    let read = || Bpe::from_json(&String::from_utf8(bytes).context("is not text")?);
    Ok(Arc::new(
        read().with_context(|| checkpoint.path_of(TOKENIZER))?,
    ))
}
