//! `glyphspace glyphs ..`.

pub mod corpus;
mod decode;
mod embedder;
mod paint;
mod sources;
mod train;

use anyhow::Result;
use clap::Subcommand;

use super::session::{OnInterrupt, listen_for_interrupts};
use crate::device::Choice;

#[derive(Debug, Subcommand)]
pub enum GlyphsSubcommand {
    /// Corpora of Python functions
    #[command(subcommand)]
    Corpus(corpus::CorpusCommand),
    /// Train a model into a new run folder
    Train(train::GlyphsTrainArgs),
    /// Train the embedder, by which functions are compared, into a new run folder
    TrainEmbedder(embedder::EmbedderTrainArgs),
    /// Judge a model: what is read back, and what the glyphs mean
    Eval(train::GlyphsEvalArgs),
    /// Paint the functions of a Python file, and say which will not be read back (exit code 3)
    Encode(paint::EncodeArgs),
    /// Read the function in a picture, and say how sure that is: below 90 % the exit code is 3, unless the reading
    /// painted again gives the picture
    Decode(decode::PictureArgs),
    /// List the functions whose glyphs are nearest to a function's
    Near(paint::NearArgs),
    /// Lay the glyphs of two functions over one another: what differs stands out
    Overlay(paint::OverlayArgs),
    /// Paint functions of a corpus side by side
    Sheet(paint::SheetArgs),
    /// Paint the way from one function to another as a GIF or a folder of PNG frames
    Morph(paint::MorphArgs),
}

/// Runs a command of Code Glyphs.
///
/// # Errors
/// If the command fails.
pub fn run(command: GlyphsSubcommand, choice: Choice) -> Result<()> {
    listen_for_interrupts(match &command {
        GlyphsSubcommand::Train(_) | GlyphsSubcommand::TrainEmbedder(_) => OnInterrupt::Save,
        _ => OnInterrupt::Leave,
    })?;
    match command {
        GlyphsSubcommand::Corpus(command) => corpus::run(command),
        GlyphsSubcommand::Train(args) => train::train(args, choice),
        GlyphsSubcommand::TrainEmbedder(args) => embedder::train(args, choice),
        GlyphsSubcommand::Eval(args) => train::eval(&args, choice),
        GlyphsSubcommand::Encode(args) => paint::encode(&args, choice),
        GlyphsSubcommand::Decode(args) => decode::decode(&args, choice),
        GlyphsSubcommand::Near(args) => paint::near(args, choice),
        GlyphsSubcommand::Overlay(args) => paint::overlay(&args, choice),
        GlyphsSubcommand::Sheet(args) => paint::sheet(&args, choice),
        GlyphsSubcommand::Morph(args) => paint::morph(&args, choice),
    }
}
