//! The functions a model is asked about: a corpus in the model's own tokens.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};

use super::{checkpoint, inference::GlyphReader, views::Tile};
use crate::{
    data::{
        bpe::Bpe,
        corpus::{self, BuildOptions, BuildProgress, Cancelled, Corpus, Input, build},
        python,
    },
    training::checkpoint::Source,
};

/// A function as the model reads it.
#[derive(Clone, Debug)]
pub struct CorpusFunction {
    /// Name.
    pub name: String,
    /// Text.
    pub text: String,
    /// Source.
    pub origin: String,
    /// Tokens.
    pub tokens: Vec<u32>,
    /// True if a run over this corpus that keeps such a share for validation never trained on it.
    pub is_validation: bool,
}

impl CorpusFunction {
    /// The function with a picture of it.
    pub fn tile(&self, glyph: image::RgbImage) -> Tile {
        Tile {
            name: self.name.clone(),
            text: self.text.clone(),
            origin: self.origin.clone(),
            glyph,
        }
    }
}

/// The functions of a corpus file, or of the bundled sample, that a model can read, in its tokens.
///
/// # Errors
/// If the file can't be read, or nothing in it is short enough.
pub fn for_model(reader: &GlyphReader, corpus: Option<&Path>) -> Result<Vec<CorpusFunction>> {
    let config = &reader.config;
    of_corpus(corpus, &reader.bpe, config.max_tokens, config.validation)
}

/// The functions of a corpus file, or of the bundled sample, in `bpe`'s tokens and no longer than
/// `max_tokens`. A corpus with another tokenizer is read with this one.
///
/// # Errors
/// If the file can't be read, or nothing in it is short enough.
pub fn of_corpus(
    path: Option<&Path>,
    bpe: &Arc<Bpe>,
    max_tokens: usize,
    validation: f64,
) -> Result<Vec<CorpusFunction>> {
    let mut functions = Vec::new();
    let name = match path {
        Some(path) => {
            let corpus = Corpus::open(path)?;
            let is_own = corpus.bpe().fingerprint() == bpe.fingerprint();
            for i in 0..corpus.len() {
                let text = corpus.text(i);
                let tokens = match is_own {
                    true => corpus.tokens(i).iter().map(|&t| u32::from(t)).collect(),
                    false => bpe.encode(&text),
                };
                functions.push(CorpusFunction {
                    name: corpus.name(i).to_owned(),
                    text,
                    origin: corpus.origin(i).name.clone(),
                    tokens,
                    is_validation: corpus.is_validation(i, validation),
                });
            }
            path.display().to_string()
        }
        None => {
            for function in python::functions(corpus::sample())? {
                functions.push(CorpusFunction {
                    tokens: bpe.encode(&function.source),
                    name: function.name,
                    text: function.source,
                    origin: "bundled sample".into(),
                    is_validation: true,
                });
            }
            "the bundled sample".into()
        }
    };
    functions.retain(|function| function.tokens.len() <= max_tokens);
    if functions.is_empty() {
        bail!("{name} has no function of up to {max_tokens} tokens, the model's limit");
    }
    Ok(functions)
}

/// The name of the corpus that is made of `input` where people name none.
pub fn default_corpus_name(input: &Input) -> String {
    match input {
        Input::Library { version, .. } => format!("python-{version}"),
        Input::Path(path) => path.display().to_string(),
        Input::Sample => "bundled-functions".into(),
    }
}

/// Finds the corpus that is trained on where people name none, in `folder`, or makes it: of `library`, which is Python's
/// where there is one, else of the functions bundled with the program. Files that are there stay as they are. The build
/// ends when `tell` answers false.
///
/// # Errors
/// If it was told to stop, or the corpus can't be written.
pub fn default_corpus(
    folder: &Path,
    library: &Input,
    tell: &mut dyn FnMut(BuildProgress) -> bool,
) -> Result<PathBuf> {
    fs::create_dir_all(folder)
        .with_context(|| format!("can't make the folder {}", folder.display()))?;
    match kept_corpus(folder, library, tell) {
        Err(error) if *library != Input::Sample && !error.is::<Cancelled>() => {
            kept_corpus(folder, &Input::Sample, tell).with_context(|| format!("{error:#}"))
        }
        made => made,
    }
}

/// The corpus of `input` in `folder`: the one made before, else a new file.
fn kept_corpus(
    folder: &Path,
    input: &Input,
    tell: &mut dyn FnMut(BuildProgress) -> bool,
) -> Result<PathBuf> {
    let name = default_corpus_name(input);
    let mut path = folder.join(format!("{name}.corpus"));
    let mut number = 1;
    while path.symlink_metadata().is_ok() {
        // What can't be read is none of ours, or broken.
        if path.is_file() && Corpus::open(&path).is_ok() {
            return Ok(path);
        }
        number += 1;
        path.set_file_name(format!("{name}-{number}.corpus"));
    }
    let options = match input {
        Input::Sample => sample_options()?,
        Input::Library { .. } | Input::Path(_) => BuildOptions::default(),
    };
    build(std::slice::from_ref(input), &path, &options, tell)?;
    Ok(path)
}

/// The bundled sample is too small to learn tokens from: it has those of the bundled model.
fn sample_options() -> Result<BuildOptions> {
    let bpe = checkpoint::tokenizer_of(&Source::Bundled)?;
    Ok(BuildOptions {
        tokenizer: Some((*bpe).clone()),
        ..BuildOptions::default()
    })
}

/// Makes a corpus of the bundled sample in the bundled model's tokens, in `folder`, unless `go_on` says no.
///
/// # Errors
/// If it was told to stop or can't be written.
pub fn sample_corpus(folder: &Path, go_on: &mut dyn FnMut() -> bool) -> Result<PathBuf> {
    let path = folder.join("sample.corpus");
    build(&[Input::Sample], &path, &sample_options()?, &mut |_| {
        go_on()
    })?;
    Ok(path)
}
