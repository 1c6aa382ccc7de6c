//! What the window and the command line may see of Code Glyphs: plain data, no tensors.

use std::sync::Arc;

use image::RgbImage;

use super::{
    inference::{Decoded, RELIABLE},
    trainer::GlyphsMetrics,
};
use crate::{
    config::glyphs::GlyphsConfig, engine::latest::Latest, nn::distortions::DistortionKinds,
    training::TrainingView,
};

/// The newest of everything.
#[derive(Debug, Default)]
pub struct GlyphsViews {
    /// The model that is asked.
    pub model: Latest<GlyphsModelView>,
    /// The run in training.
    pub training: Arc<Latest<TrainingView<GlyphsMetrics>>>,
    /// Its metrics.
    pub curves: Arc<Latest<Vec<GlyphsMetrics>>>,
    /// What became of the function in the editor, or of the picture dropped.
    pub glyph: Latest<GlyphView>,
    /// Why the newest question has no answer; empty when it has one.
    pub invalid_input: Latest<InvalidInput>,
    /// Glyphs of corpus functions.
    pub grid: Latest<GridView>,
    /// How far a long question has come.
    pub work: Latest<WorkView>,
}

/// The model that is asked.
#[derive(Clone, Debug)]
pub struct GlyphsModelView {
    /// Where it comes from.
    pub origin: String,
    /// How it was made.
    pub config: GlyphsConfig,
    /// Trained values.
    pub params: usize,
    /// Whose eye compares its glyphs in training, for people; none where their pixels are compared.
    pub perceptor: Option<String>,
    /// Steps it was trained for.
    pub steps: u64,
    /// The device it runs on.
    pub device: String,
    /// Why that one.
    pub device_reason: String,
}

/// What to make a glyph of, and what to do to it.
#[derive(Clone, Debug, PartialEq)]
pub struct GlyphQuery {
    /// A function, or a picture of 128x128.
    pub subject: Subject,
    /// Difficulty of the noisy channel, 0 to 15.
    pub difficulty: f64,
    /// Which of its parts are on.
    pub parts: DistortionKinds,
    /// Seed of its draws.
    pub seed: u64,
}

/// What a question is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A function's text.
    Function(String),
    /// A picture of 128x128, which may or may not be a glyph.
    Picture(RgbImage),
}

/// The answer.
#[derive(Clone, Debug)]
pub struct GlyphView {
    /// What was asked.
    pub question: GlyphQuery,
    /// The function's glyph, or the picture.
    pub glyph: RgbImage,
    /// The same after the noisy channel.
    pub distorted: RgbImage,
    /// What is read from that.
    pub reading: Reading,
    /// The tokens of the function asked about; none for a picture.
    pub tokens: Option<Vec<u32>>,
}

/// Why a question has no answer.
#[derive(Clone, Debug)]
pub struct InvalidInput {
    /// What was asked.
    pub question: GlyphQuery,
    /// For people.
    pub why: String,
}

/// Text read from a picture, piece by piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The whole text.
    pub text: String,
    /// The text of each token, in the order of [`Decoded::tokens`].
    pub pieces: Vec<String>,
    /// Whether its tokens, painted again, give the picture; only looked at where the reader isn't sure of them.
    pub repaints: bool,
    /// The rest.
    pub decoded: Decoded,
}

impl Reading {
    /// Whether it can be relied on.
    pub fn is_verified(&self) -> bool {
        self.repaints || self.decoded.sequence_probability() >= RELIABLE
    }
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
    /// Its text.
    pub text: String,
    /// Where it comes from.
    pub origin: String,
    /// Its glyph.
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

/// How far a long question has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkView {
    /// What is done.
    pub what: String,
    /// 0 to 1.
    pub done: f64,
}
