//! Corpora of Python functions: collected from packages and data sets, built once, kept as one file.

mod build;
mod file;
mod finder;
mod folder;
mod installed;
mod item;
mod jsonl;
mod licence;
mod read;
mod tar;
mod unpack;
mod zip;

use std::{fs::File, io::Read, path::Path};

use anyhow::Result;

use super::bpe::Bpe;

pub use build::{BuildOptions, BuildReport, build};
pub use file::{Corpus, CorpusSource, MAGIC};
pub use finder::{BadFile, BuildProgress, Cancelled, Phase, Unread};
pub use installed::default_input;
pub use item::{Item, ItemSink, PassedOver, read_source};
pub use read::{Input, sample};

/// Tokenizer of a corpus file, or of any input of [`Bpe::read`].
///
/// # Errors
/// As [`Corpus::open`] and [`Bpe::read`].
pub fn tokenizer(path: &Path) -> Result<Bpe> {
    let mut start = Vec::new();
    if path.is_file() {
        let mut head = File::open(path)?.take(MAGIC.len() as u64);
        head.read_to_end(&mut start)?;
    }
    if start == MAGIC {
        return Ok(Corpus::open(path)?.bpe().clone());
    }
    Bpe::read(path)
}
