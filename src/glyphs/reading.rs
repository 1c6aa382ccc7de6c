//! Readings of pictures: tokens with their probabilities, and text.

use super::code::{Corrected, HEADER};

/// Probability that all of a reading is right from which a picture isn't rectified.
const CONFIDENT_PROBABILITY: f32 = 0.9;
/// Sequence probability from which a reading is relied on: of 873 such readings of the bundled sample through distortions of
/// difficulty 2, 4 and 8, two were wrong.
pub const RELIABLE: f32 = 0.9;
/// Probability that the check of a wrong reading holds, over all that are tried: some hundred of 2^33.
const CHANCE: f32 = 1e-7;
/// Share of a glyph's cells that are read for sure, below which a picture is none.
const LEAST_SURE: f64 = 0.25;
/// Share of a glyph's cells that are rather read right than wrong, below which it isn't aligned.
const LEAST_LIKELY: f64 = 0.1;
/// Certainty below which a picture is no glyph: a mean probability of .5.
const LEAST_CERTAINTY: f32 = -0.7;

/// Tokens read from a picture, with their probabilities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// The tokens, padding left out.
    pub tokens: Vec<u32>,
    /// The probability the reader gives each of them.
    pub confidence: Vec<f32>,
    /// Mean log probability of all cells and the layout, in nats; 0 is certain.
    pub certainty: f32,
    /// The glyph's corners in the picture, clockwise from its top left, -1..1.
    pub corners: [[f32; 2]; 4],
    /// True if the check in the glyph's code holds; `None` for glyphs without a code.
    pub verified: Option<bool>,
    /// Cells of a glyph with a code.
    pub cells: Cells,
    /// Pages read, and pages there are, of a function on several.
    pub pages: Option<[usize; 2]>,
}

/// Cells of a glyph with a code, in the order of its symbols: header, tokens, parity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    /// Index of the glyph's layout.
    pub layout: usize,
    /// Symbols that were read.
    pub symbols: Vec<u32>,
    /// The probability the reader gives each of them.
    pub confidence: Vec<f32>,
    /// Entropy of what the reader makes of each of them, in nats.
    pub entropy: Vec<f32>,
    /// True for those that the code has mended.
    pub is_mended: Vec<bool>,
    /// True for those that the language model told otherwise than the reader; empty where it wasn't asked.
    pub is_told: Vec<bool>,
}

impl Decoded {
    /// Symbols that the glyph's code has mended.
    pub fn mended(&self) -> usize {
        self.cells
            .is_mended
            .iter()
            .filter(|is_mended| **is_mended)
            .count()
    }

    /// The reading as the code has verified and corrected it.
    pub(super) fn corrected(mut self, Corrected { tokens, is_mended }: Corrected) -> Self {
        let confidence = &self.cells.confidence[HEADER..HEADER + tokens.len()];
        self.confidence = confidence.to_vec();
        self.cells.is_mended = is_mended;
        self.verified = Some(true);
        self.tokens = tokens;
        self
    }

    /// Mean confidence in the cells: how well they are seen, whatever the code makes of them.
    pub(super) fn sharpness(&self) -> f32 {
        let confidence = &self.cells.confidence;
        confidence.iter().sum::<f32>() / confidence.len().max(1) as f32
    }

    pub(super) fn is_certain(&self) -> bool {
        let logarithm = self.certainty * (self.tokens.len() + 1) as f32;
        self.verified
            .unwrap_or(logarithm > CONFIDENT_PROBABILITY.ln())
    }

    /// True for the better of two readings of a picture. What is verified can't be bettered.
    pub(super) fn is_surer_than(&self, other: &Self) -> bool {
        let rank = |read: &Self| (read.verified == Some(true), read.certainty);
        other.verified != Some(true) && rank(self) > rank(other)
    }

    /// Probability that the reading as a whole is right: what the reader gives to every token and, without a code, the layout;
    /// of a reading whose check holds, that it isn't there by chance.
    pub fn sequence_probability(&self) -> f32 {
        match self.verified {
            Some(true) => 1.0 - CHANCE,
            Some(false) => self.confidence.iter().product(),
            None => (self.certainty * (self.tokens.len() + 1) as f32).exp(),
        }
    }

    /// True if enough cells are read for others to be aligned with what they say.
    pub(super) fn tells_something(&self) -> bool {
        let confidence = &self.cells.confidence;
        let likely = confidence.iter().filter(|share| **share >= 0.5).count();
        likely as f64 > LEAST_LIKELY * confidence.len() as f64
    }

    /// True if the recognizer is so certain that there must be a glyph: of all without a code, of some cells with one.
    pub fn is_glyph(&self) -> bool {
        let confidence = &self.cells.confidence;
        let sure = confidence
            .iter()
            .filter(|share| **share >= RELIABLE)
            .count();
        let is_certain = match self.verified {
            Some(true) => true,
            Some(false) => sure as f64 >= LEAST_SURE * confidence.len() as f64,
            None => self.certainty > LEAST_CERTAINTY,
        };
        !self.tokens.is_empty() && is_certain
    }

    /// True if the reading can be relied on: its check holds, or without a code its probability is high.
    pub fn is_verified(&self) -> bool {
        self.verified
            .unwrap_or(self.sequence_probability() >= RELIABLE)
    }
}

/// Text read from a picture, piece by piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The whole text.
    pub text: String,
    /// The text of each token, in the order of [`Decoded::tokens`].
    pub pieces: Vec<String>,
    /// True if its tokens, painted again, give the picture; computed only where the recognizer isn't certain of them.
    pub repaints: bool,
    /// Tokens.
    pub decoded: Decoded,
}

impl Reading {
    /// True if it can be relied on.
    pub fn is_verified(&self) -> bool {
        self.repaints || self.decoded.is_verified()
    }
}
