//! Curriculum: the difficulty of the distortions rises while nearly all tokens of unseen functions are read right, and
//! falls when hardly any are (the rule of the first Code Glyphs, applied to functions that are not trained on). With a code
//! it follows the share of the functions that are verified.

use serde::{Deserialize, Serialize};

use super::reading::Decoded;

/// Falls below this accuracy, or half of the share that is to be verified.
const LOW: f64 = 0.3;
/// Step of the difficulty after a validation.
const STRIDE: f64 = 0.2;
/// Weight of the newest look in the means.
const NEWEST: f64 = 0.2;

/// Accuracy of a batch that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Share of the tokens read right, padding left out.
    pub accuracy: f64,
    /// Share of the functions read without a fault.
    pub exact: f64,
    /// Share of the functions whose check holds; `None` for glyphs without a code.
    pub verified: Option<f64>,
}

/// Counts of tokens and functions read right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactCount {
    /// Tokens read right, padding left out.
    pub right: usize,
    /// Tokens.
    pub tokens: usize,
    /// Functions read without a fault.
    pub exact: usize,
    /// Functions.
    pub functions: usize,
    /// Readings called verified.
    pub verified: usize,
    /// Readings called verified that are wrong.
    pub verified_wrong: usize,
}

impl ExactCount {
    /// Counts a function's tokens and its reading.
    pub fn add(&mut self, truth: &[u32], read: &Decoded) {
        let is_exact = truth == read.tokens;
        self.right += truth
            .iter()
            .zip(&read.tokens)
            .filter(|(a, b)| a == b)
            .count();
        self.tokens += truth.len();
        self.exact += usize::from(is_exact);
        self.functions += 1;
        self.verified += usize::from(read.is_verified());
        self.verified_wrong += usize::from(read.is_verified() && !is_exact);
    }

    /// The counts of both.
    pub fn plus(self, other: &Self) -> Self {
        Self {
            right: self.right + other.right,
            tokens: self.tokens + other.tokens,
            exact: self.exact + other.exact,
            functions: self.functions + other.functions,
            verified: self.verified + other.verified,
            verified_wrong: self.verified_wrong + other.verified_wrong,
        }
    }

    /// The shares; 0 of nothing.
    pub fn score(&self, has_code: bool) -> Score {
        let of_functions = |count: usize| count as f64 / self.functions.max(1) as f64;
        Score {
            accuracy: self.right as f64 / self.tokens.max(1) as f64,
            exact: of_functions(self.exact),
            verified: has_code.then(|| of_functions(self.verified)),
        }
    }
}

/// The difficulty and the decaying means it follows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curriculum {
    /// 0 to 15.
    pub difficulty: f64,
    /// Share of the tokens of unseen functions read right at about this difficulty.
    pub accuracy: f64,
    /// Share of those functions read without a fault.
    pub exact: f64,
    /// Share of those functions verified; 0 without a code.
    #[serde(default)]
    pub verified: f64,
}

impl Curriculum {
    /// Nothing is known yet.
    pub fn new(difficulty: f64) -> Self {
        Self {
            difficulty,
            accuracy: 0.0,
            exact: 0.0,
            verified: 0.0,
        }
    }

    /// Takes a look at unseen functions into account. It rises above an accuracy of `rise_above` at
    /// difficulty 0 and of nearly 1 at 15; the reference's is .9. The share that is verified is compared with `rise_above` at
    /// every difficulty: parity makes up for the symbols that are lost.
    pub fn observe(&mut self, score: &Score, rise_above: f64, max_difficulty: f64) {
        self.accuracy += NEWEST * (score.accuracy - self.accuracy);
        self.exact += NEWEST * (score.exact - self.exact);
        self.verified += NEWEST * (score.verified.unwrap_or(0.0) - self.verified);
        let (share, low, high) = match score.verified {
            Some(_) => (self.verified, rise_above / 2.0, rise_above),
            None => {
                let high = rise_above + (1.0 - rise_above) * self.difficulty / 16.0;
                (self.accuracy, LOW, high)
            }
        };
        if share > high {
            self.difficulty = (self.difficulty + STRIDE).min(max_difficulty);
        } else if share < low {
            self.difficulty = (self.difficulty - STRIDE).max(0.0);
        }
    }
}
