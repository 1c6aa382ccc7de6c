//! What Code Glyphs can be told and asked, and the facts they report.

use std::path::PathBuf;

use image::RgbImage;

use super::{
    evaluation::GlyphsReport,
    views::{Neighbour, Reading, Tile},
};
use crate::{
    config::glyphs::GlyphsConfig,
    training::{Limit, Pace, Start, checkpoint::Source},
};

/// Commands to the engine.
#[derive(Debug)]
pub enum GlyphsCommand {
    /// Asks this model from now on.
    Open(Source),
    /// Begins a run in a new folder (or goes on in the resumed one's).
    Train {
        /// From what.
        start: Start<GlyphsConfig>,
        /// The functions.
        corpus: PathBuf,
        /// The run's folder.
        out: PathBuf,
        /// Until when.
        limit: Limit,
    },
    /// Changes the run in training.
    Run(RunOrder),
    /// Shows glyphs of this corpus's functions as they change: so many, chosen by the seed. Without a
    /// corpus those of the bundled sample.
    Watch {
        /// The functions.
        corpus: Option<PathBuf>,
        /// Their number.
        count: usize,
        /// Which.
        seed: u64,
    },
    /// Paints functions.
    Encode {
        /// Their texts.
        functions: Vec<String>,
        /// Pixels a side; 128 for glyphs that can be read.
        size: usize,
    },
    /// Reads pictures of 128x128.
    Decode(Vec<RgbImage>),
    /// The `frames` pictures on the way through functions.
    Morph {
        /// Their texts.
        functions: Vec<String>,
        /// Pictures in all.
        frames: usize,
    },
    /// Finds the functions of a corpus whose glyphs are nearest to a function's.
    Near {
        /// The function's text.
        function: String,
        /// The corpus; without one the bundled sample.
        corpus: Option<PathBuf>,
        /// Their number.
        count: usize,
    },
    /// Judges the model on a corpus, or on the bundled sample.
    Evaluate {
        /// The corpus.
        corpus: Option<PathBuf>,
        /// Difficulties of the channel.
        difficulties: Vec<f64>,
    },
}

/// Changes to the run in training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunOrder {
    /// Its pace.
    Pace(Pace),
    /// Its highest learning rate.
    LearningRate(f64),
    /// Ends it after its checkpoint.
    Stop,
}

/// Facts the engine reports.
#[derive(Debug)]
pub enum GlyphsEvent {
    /// Another model is asked.
    Opened(String),
    /// A run has begun in this folder.
    Started(PathBuf),
    /// Something works less well than it should; said once.
    Warned(String),
    /// A checkpoint was written.
    Saved(PathBuf),
    /// A run has ended after so many steps.
    Trained(u64),
    /// Functions were painted.
    Encoded(Vec<RgbImage>),
    /// Pictures were read.
    Decoded(Vec<Reading>),
    /// A morph is complete.
    Morphed(Vec<RgbImage>),
    /// Neighbours were found; first the function asked about.
    Found(Tile, Vec<Neighbour>),
    /// The model was evaluated.
    Evaluated(Box<GlyphsReport>),
}
