//! Readings of pictures: tokens with their probabilities, and text.

/// Probability that all of a reading is right from which a picture isn't rectified.
const CONFIDENT_PROBABILITY: f32 = 0.9;
/// Sequence probability from which a reading is relied on: of 873 such readings of the bundled sample through distortions of
/// difficulty 2, 4 and 8, two were wrong.
pub const RELIABLE: f32 = 0.9;
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
    /// Embedding of length 1; near for functions that mean the same.
    pub embedding: Vec<f32>,
    /// True if the check in the glyph's code holds; `None` for glyphs without a code.
    pub verified: Option<bool>,
    /// Symbols that the glyph's code has mended.
    pub mended: usize,
}

impl Decoded {
    pub(super) fn is_certain(&self) -> bool {
        let logarithm = self.certainty * (self.tokens.len() + 1) as f32;
        self.verified
            .unwrap_or(logarithm > CONFIDENT_PROBABILITY.ln())
    }

    /// The probability the reader gives to its reading as a whole: to every token and the layout.
    pub fn sequence_probability(&self) -> f32 {
        (self.certainty * (self.tokens.len() + 1) as f32).exp()
    }

    /// True if the recognizer is so certain that there must be a glyph.
    pub fn is_glyph(&self) -> bool {
        !self.tokens.is_empty() && (self.verified == Some(true) || self.certainty > LEAST_CERTAINTY)
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
