//! Views of Code Glyphs for the window and the command line: plain data, no tensors.

use std::sync::Arc;

use image::RgbImage;

pub use super::reading::Reading;
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
    /// One minus the cosine of the embeddings read from the two glyphs.
    pub distance: f32,
}
