//! Corpora of Python functions: read from packages and data sets, built once, kept as one file.

mod file;

pub use file::{Corpus, MAGIC, Source};
