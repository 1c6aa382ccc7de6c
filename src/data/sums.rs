//! Sums with a hole, `71+?=18`: how they are typed, and which ones the models know.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

/// The first number and the result of a sum: what the state autoencoder reads.
pub const STATES: RangeInclusive<i32> = 10..=99;
/// The programs: every number the code autoencoder reads and has a place for.
pub const CODES: RangeInclusive<i32> = -99..=99;

/// `start + ? = result`; the program that solves it is `result - start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sum {
    /// The first number, 10..=99.
    pub start: i32,
    /// The number to reach, 10..=99.
    pub result: i32,
}

/// Why a typed sum was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SumError {
    /// The text does not have the form of a sum with a hole.
    #[error(
        "can't read {0:?}: expected a sum with a hole such as 71+?=18 (? or x for the unknown)"
    )]
    Form(String),
    /// A number is outside what the models were trained on.
    #[error("can't use {number} in {text:?}: expected whole numbers from 10 to 99")]
    Range {
        /// The text as typed.
        text: String,
        /// The number as typed.
        number: String,
    },
}

impl Sum {
    /// Every sum there is: 90 x 90.
    pub fn all() -> impl Iterator<Item = Sum> {
        STATES.flat_map(|start| STATES.map(move |result| Sum { start, result }))
    }

    /// The one program that solves the sum.
    pub fn solution(self) -> i32 {
        self.result - self.start
    }

    /// Whether `code` solves the sum, by integer arithmetic.
    pub fn is_solved_by(self, code: i32) -> bool {
        self.start + code == self.result
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+?={}", self.start, self.result)
    }
}

impl FromStr for Sum {
    type Err = SumError;

    /// Reads `71+?=18`, `71 + x = 18` or `?+71=18`; blanks and case don't matter.
    fn from_str(text: &str) -> Result<Self, SumError> {
        let form = || SumError::Form(text.trim().to_owned());
        let (left, result) = text.split_once('=').ok_or_else(form)?;
        let (first, second) = left.split_once('+').ok_or_else(form)?;
        let [first, second, result] = [first, second, result].map(str::trim);
        let is_hole = |part: &str| matches!(part, "?" | "x" | "X" | "_");
        let start = match (is_hole(first), is_hole(second)) {
            (false, true) => first,
            (true, false) => second,
            _ => return Err(form()),
        };
        let number = |part: &str| {
            let digits = part.strip_prefix('-').unwrap_or(part);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(form());
            }
            part.parse()
                .ok()
                .filter(|n| STATES.contains(n))
                .ok_or_else(|| SumError::Range {
                    text: text.trim().to_owned(),
                    number: part.to_owned(),
                })
        };
        Ok(Sum {
            start: number(start)?,
            result: number(result)?,
        })
    }
}
