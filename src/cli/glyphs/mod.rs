//! `glyphspace glyphs ..`.

pub mod corpus;
mod paint;
mod train;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;

use super::session::{OnInterrupt, listen_for_interrupts};
use crate::{
    data::{corpus::read_source, python},
    device::Choice,
};

#[derive(Debug, Subcommand)]
pub enum Glyphs {
    /// Corpora of Python functions
    #[command(subcommand)]
    Corpus(corpus::CorpusCommand),
    /// Train a model into a new run folder
    Train(train::TrainArgs),
    /// Judge a model: what is read back, and what the glyphs mean
    Eval(train::EvalArgs),
    /// Paint the functions of a Python file, and say which will not be read back (exit code 3)
    Encode(paint::EncodeArgs),
    /// Read the function in a picture, and say how sure that is: below 90 % the exit code is 3, unless the reading
    /// painted again gives the picture
    Decode(paint::DecodeArgs),
    /// List the functions whose glyphs are nearest to a function's
    Near(paint::NearArgs),
    /// Paint functions of a corpus side by side
    Sheet(paint::SheetArgs),
    /// Paint the way from one function to another as a GIF or a folder of PNG frames
    Morph(paint::MorphArgs),
}

pub fn run(command: Glyphs, choice: Choice) -> Result<()> {
    listen_for_interrupts(match &command {
        Glyphs::Train(_) => OnInterrupt::Save,
        _ => OnInterrupt::Leave,
    })?;
    match command {
        Glyphs::Corpus(command) => corpus::run(command),
        Glyphs::Train(args) => train::train(args, choice),
        Glyphs::Eval(args) => train::eval(&args, choice),
        Glyphs::Encode(args) => paint::encode(&args, choice),
        Glyphs::Decode(args) => paint::decode(&args, choice),
        Glyphs::Near(args) => paint::near(args, choice),
        Glyphs::Sheet(args) => paint::sheet(&args, choice),
        Glyphs::Morph(args) => paint::morph(&args, choice),
    }
}

/// The functions in a Python file, or on standard input for `-`.
fn functions_in(path: &std::path::Path) -> Result<Vec<python::Function>> {
    let (name, source) = match path.as_os_str() == "-" {
        true => (
            PathBuf::from("standard input"),
            read_source(std::io::stdin()),
        ),
        false => {
            let file = std::fs::File::open(path).map_err(anyhow::Error::from);
            (path.to_owned(), file.and_then(read_source))
        }
    };
    let source = source.with_context(|| format!("can't read {}", name.display()))?;
    python::functions(&source).with_context(|| name.display().to_string())
}
