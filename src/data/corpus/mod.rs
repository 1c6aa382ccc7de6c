//! Corpora of Python functions: read from packages and data sets, built once, kept as one file.

mod build;
mod file;
mod finder;
mod folder;
mod installed;
mod jsonl;
mod licence;
mod read;
mod tar;
mod unpack;
mod zip;

use std::{fs::File, io::Read, path::Path};

use anyhow::Result;

use super::bpe::Bpe;

pub use build::{BuildOptions, BuildProgress, BuildReport, Phase, build};
pub use file::{Corpus, CorpusSource, MAGIC};
pub use finder::{BadFile, Cancelled, Unread};
pub use installed::default_input;
pub use read::{Input, Item, PassedOver, Take, read_source};

/// The functions bundled with the program, as one Python source.
pub fn sample() -> &'static str {
    include_str!("../../../assets/sample-functions.py")
}

/// The tokenizer of a corpus file, or what [`Bpe::read`] reads.
///
/// # Errors
/// As [`Corpus::open`] and [`Bpe::read`].
pub fn tokenizer(path: &Path) -> Result<Bpe> {
    let mut start = Vec::new();
    if path.is_file() {
        File::open(path)?
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)?;
    }
    if start == MAGIC {
        return Ok(Corpus::open(path)?.bpe().clone());
    }
    Bpe::read(path)
}
