//! Commands to Code Glyphs, and the events they report.

use std::path::PathBuf;

use image::RgbImage;

use super::{
    system::GlyphsSystem,
    views::{Neighbour, Reading, Tile},
};
use crate::training::{CommandOf, EventOf, wrap_run};

/// Commands to the engine.
#[derive(Debug)]
pub enum GlyphsCommand {
    /// Command to the model or the run.
    Run(CommandOf<GlyphsSystem>),
    /// Shows glyphs of this corpus's functions as they change: so many, chosen by the seed. Without a
    /// corpus those of the bundled sample.
    Watch {
        /// The functions.
        corpus: Option<PathBuf>,
        /// Their number.
        count: usize,
        /// Seed of the choice.
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
    /// Reads the glyphs in a picture of any size.
    DecodePhoto(RgbImage),
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
}

/// Facts the engine reports.
#[derive(Debug)]
pub enum GlyphsEvent {
    /// Event of the model or the run.
    Run(EventOf<GlyphsSystem>),
    /// Functions were painted.
    Encoded(Vec<RgbImage>),
    /// Pictures were read, or the glyphs in one.
    Decoded(Vec<Reading>),
    /// A morph is complete.
    Morphed(Vec<RgbImage>),
    /// Neighbours were found; first the function asked about.
    Found(Tile, Vec<Neighbour>),
}

wrap_run!(GlyphsSystem, GlyphsCommand, GlyphsEvent);
