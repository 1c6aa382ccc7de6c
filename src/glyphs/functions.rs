//! The functions a model is asked about: a corpus in the model's own tokens.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};

use super::{board::Tile, checkpoint};
use crate::{
    data::{
        bpe::Bpe,
        corpus::{self, BuildOptions, Corpus, Input, build},
        python,
    },
    training::checkpoint::Source,
};

/// A function as the model reads it.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where it comes from.
    pub origin: String,
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// Whether a run over this corpus that keeps such a share for validation never trained on it.
    pub is_validation: bool,
}

impl Function {
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
) -> Result<Vec<Function>> {
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
                functions.push(Function {
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
                functions.push(Function {
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

/// Makes a corpus of the bundled sample in the bundled model's tokens, in `folder`, unless `go_on` says no.
///
/// # Errors
/// If it was told to stop or can't be written.
pub fn sample_corpus(folder: &Path, go_on: &mut dyn FnMut() -> bool) -> Result<PathBuf> {
    let path = folder.join("sample.corpus");
    let bpe = checkpoint::tokenizer_of(&Source::Bundled)?;
    let options = BuildOptions {
        tokenizer: Some((*bpe).clone()),
        ..BuildOptions::default()
    };
    build(&[Input::Sample], &path, &options, &mut |_| go_on())?;
    Ok(path)
}
