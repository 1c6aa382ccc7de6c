//! Views of Code Glyphs for the window and the command line: plain data, no tensors.

use std::sync::Arc;

use image::RgbImage;

pub use super::{
    blots::{Blot, BlotKind},
    reading::Reading,
};
pub use crate::nn::distortions::{DistortionKinds, HARDEST};
use crate::{engine::latest::Latest, glyphs::config::GlyphsConfig, training::RunViews};

/// Latest views of Code Glyphs, as the engine publishes them.
#[derive(Debug, Default)]
pub struct GlyphsViews {
    /// Model and run.
    pub run: Arc<RunViews<GlyphsConfig>>,
    /// Glyph and reading of the function in the editor, or of the picture dropped.
    pub glyph: Latest<GlyphView>,
    /// Reason why the newest query has no answer; empty when it has one.
    pub invalid_input: Latest<InvalidInput>,
    /// Glyphs of corpus functions.
    pub grid: Latest<GridView>,
}

/// Query for a glyph: its subject, and the distortions before it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct GlyphQuery {
    /// A function, or a picture.
    pub subject: Subject,
    /// Difficulty of the noisy channel, 0 to 15.
    pub difficulty: f64,
    /// Kinds of distortions that are on.
    pub parts: DistortionKinds,
    /// Seed of its draws.
    pub seed: u64,
    /// Damage by hand, after the channel.
    pub blots: Vec<Blot>,
}

/// Subject of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A function's text.
    Function(String),
    /// A picture of any size, in which there may be glyphs.
    Picture(Arc<RgbImage>),
}

/// The answer.
#[derive(Clone, Debug)]
pub struct GlyphView {
    /// The query.
    pub question: GlyphQuery,
    /// The function's glyph, or the picture, scaled to 128x128.
    pub glyph: RgbImage,
    /// The glyph after the distortions.
    pub distorted: RgbImage,
    /// Text read from the distorted glyph, or of a picture that isn't distorted its first glyph's.
    pub reading: Reading,
    /// Glyphs read in the picture.
    pub count: usize,
    /// The tokens of the function asked about; none for a picture.
    pub tokens: Option<Vec<u32>>,
    /// Cells that weren't read as they are; empty for glyphs without a code.
    pub cells: Vec<CellView>,
    /// What the code needs, gets and uses; `None` for glyphs without one.
    pub bits: Option<Bits>,
}

/// What became of a cell that wasn't read as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellFate {
    /// Refilled from the parity.
    Mended,
    /// Told by the language model, or out of sight and told right by the text decoder from the others.
    Told,
    /// In doubt, in a reading that isn't verified.
    Lost,
}

/// A cell in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellView {
    /// Its corners, clockwise, where -1 and 1 are the picture's edges.
    pub corners: [[f32; 2]; 4],
    /// What became of it.
    pub fate: CellFate,
}

/// Bits of a glyph with a code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bits {
    /// Bits of the header and the tokens.
    pub needed: f64,
    /// Bits that came through this time: what the reader is sure of, cell by cell.
    pub carried: f64,
    /// Bits of all cells.
    pub used: f64,
}

/// Query without an answer, with the reason.
#[derive(Clone, Debug)]
pub struct InvalidInput {
    /// The query.
    pub question: GlyphQuery,
    /// For people.
    pub why: String,
}

/// Glyphs of functions.
#[derive(Clone, Debug)]
pub struct GridView {
    /// Steps of the model that painted them.
    pub step: u64,
    /// The glyphs.
    pub tiles: Vec<Tile>,
}

/// A glyph in a grid or a list.
#[derive(Clone, Debug)]
pub struct Tile {
    /// The function's name.
    pub name: String,
    /// Text.
    pub text: String,
    /// Source.
    pub origin: String,
    /// Glyph.
    pub glyph: RgbImage,
}

/// A function near to another.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// The function.
    pub tile: Tile,
    /// One minus the cosine of the embeddings of what is read from the two glyphs.
    pub distance: f32,
}
