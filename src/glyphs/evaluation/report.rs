//! Figures by which a model is judged.

use std::collections::BTreeMap;

use serde::Serialize;

/// Shares by difficulty.
pub type ByDifficulty = BTreeMap<String, f64>;

/// The figures.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GlyphsReport {
    /// The device it was evaluated on.
    pub device: String,
    /// Number of parameters.
    pub params: usize,
    /// Steps trained.
    pub steps: u64,
    /// Seconds spent in them.
    pub train_secs: f64,
    /// Longest function, in tokens.
    pub max_tokens: usize,
    /// Functions evaluated.
    pub functions: usize,
    /// Share of the tokens read right, padding left out, by split and difficulty.
    pub token_accuracy: BTreeMap<&'static str, ByDifficulty>,
    /// Share of the functions read without a fault, by split and difficulty.
    pub exact: BTreeMap<&'static str, ByDifficulty>,
    /// Scores over both splits, by the longest function of a band of lengths (1 to 32, 33 to 64, 65 to
    /// 128 tokens and so on) and difficulty. Functions longer than a glyph are read from sheets of pages, undistorted.
    pub exact_by_length: BTreeMap<usize, ByDifficulty>,
    /// Shares of the texts that are read without a fault from QR codes of the same size, through the same channel.
    pub qr_exact_by_length: BTreeMap<usize, ByDifficulty>,
    /// Shares of the readings called verified, by length and difficulty as [`Self::exact_by_length`].
    pub verified_by_length: BTreeMap<usize, ByDifficulty>,
    /// Readings called verified that are wrong, of all lengths and difficulties.
    pub verified_wrong: usize,
    /// Largest expected calibration error of the sureness that is shown, of all lengths and difficulties.
    pub certainty_error: f64,
    /// The errors by length and difficulty as [`Self::exact_by_length`].
    pub certainty_error_by_length: BTreeMap<usize, ByDifficulty>,
    /// Share of the functions with characters beyond ASCII that are read without a fault at difficulty 0.
    pub unicode_exact: f64,
    /// Their number: those of the corpus, and others put in another script.
    pub unicode_functions: usize,
    /// Share of points of random morphs that are read as valid Python.
    pub morph_parses: f64,
    /// Share of the points read as neither end that are valid Python.
    pub morph_parses_between: f64,
    /// Share of the functions whose nearest thumbnail of 16x16 pixels is of their own family.
    pub family_nearest: f64,
    /// Functions of those families.
    pub family_functions: usize,
    /// Mean average precision at R of other ways to write the same task, by the embeddings.
    pub rewrites_found: f64,
    /// Mean average precision at R of the same by tf-idf of the tokens.
    pub rewrites_found_tf_idf: f64,
    /// Functions in each band.
    pub functions_by_length: BTreeMap<usize, usize>,
    /// Share of renamed or reformatted copies whose nearest glyph is the original's.
    pub self_retrieval: f64,
    /// Glyphs they chose from.
    pub retrieval_among: usize,
    /// Share of near misses whose glyph is another picture and is not read as the original.
    pub near_miss_distinct: f64,
    /// Near misses evaluated.
    pub near_misses: usize,
    /// Spearman's rank correlation of the glyphs' distance with that of the functions' latents.
    pub distance_spearman: f64,
    /// Mean difference of neighbouring pixels over the contrast.
    pub smoothness: f64,
    /// Standard deviation of a glyph's values, 0..1.
    pub contrast: f64,
}
