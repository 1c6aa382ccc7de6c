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
    /// A program of another length.
    #[error("can't use {text:?}: expected {expected} holes at most, and as many in every example")]
    Lines {
        /// The text as typed.
        text: String,
        /// How many lines there may be.
        expected: usize,
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
        let task: Task = text.parse()?;
        match (task.lines, &task.examples[..]) {
            (1, [sum]) => Ok(*sum),
            _ => Err(SumError::Lines {
                text: text.trim().to_owned(),
                expected: 1,
            }),
        }
    }
}

/// Lines a program may have.
pub const MOST_LINES: usize = 8;

/// A program to find, by examples of what it leads to: `71+?+?=18` has two lines, each of which adds a
/// number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// Lines of the program, 1 to [`MOST_LINES`].
    pub lines: usize,
    /// Where it starts and what it leads to; at least one.
    pub examples: Vec<Sum>,
}

impl From<Sum> for Task {
    fn from(sum: Sum) -> Self {
        Self {
            lines: 1,
            examples: vec![sum],
        }
    }
}

impl Task {
    /// The program that all of `tasks` look for.
    ///
    /// # Errors
    /// If there is none, or their programs differ in length.
    pub fn all_of(tasks: Vec<Self>) -> Result<Self, SumError> {
        let mut tasks = tasks.into_iter();
        let mut all = tasks.next().ok_or(SumError::Form(String::new()))?;
        for task in tasks {
            if task.lines != all.lines {
                return Err(SumError::Lines {
                    text: task.to_string(),
                    expected: all.lines,
                });
            }
            all.examples.extend(task.examples);
        }
        Ok(all)
    }

    /// Whether the program solves every example, by integer arithmetic.
    pub fn is_solved_by(&self, program: &[i32]) -> bool {
        let sum: i32 = program.iter().sum();
        program.len() == self.lines
            && self
                .examples
                .iter()
                .all(|example| example.is_solved_by(sum))
    }

    /// The first example, done in as many even steps as there are lines: every one leads to a state.
    pub fn even_steps(&self) -> impl Iterator<Item = Sum> + use<> {
        let (first, lines) = (self.examples[0], self.lines as i32);
        let after = move |line: i32| first.start + first.solution() * line / lines;
        (0..lines).map(move |line| Sum {
            start: after(line),
            result: after(line + 1),
        })
    }

    /// Two examples that no program of additions can solve together.
    pub fn contradiction(&self) -> Option<[Sum; 2]> {
        let first = self.examples[0];
        let other = self
            .examples
            .iter()
            .find(|example| example.solution() != first.solution())?;
        Some([first, *other])
    }

    fn text_of(&self, example: &Sum) -> String {
        format!(
            "{}{}={}",
            example.start,
            "+?".repeat(self.lines),
            example.result
        )
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.examples.iter().map(|sum| self.text_of(sum)).collect();
        f.write_str(&texts.join(", "))
    }
}

impl FromStr for Task {
    type Err = SumError;

    /// Reads one example: `71+?=18`, `71 + x + x = 18` or `?+71=18`; blanks and case don't matter.
    fn from_str(text: &str) -> Result<Self, SumError> {
        let form = || SumError::Form(text.trim().to_owned());
        let (left, result) = text.split_once('=').ok_or_else(form)?;
        let is_hole = |part: &&str| matches!(*part, "?" | "x" | "X" | "_");
        let terms: Vec<&str> = left.split('+').map(str::trim).collect();
        let (holes, numbers): (Vec<&str>, Vec<&str>) = terms.into_iter().partition(is_hole);
        let [start] = numbers[..] else {
            return Err(form());
        };
        if holes.is_empty() {
            return Err(form());
        }
        if holes.len() > MOST_LINES {
            return Err(SumError::Lines {
                text: text.trim().to_owned(),
                expected: MOST_LINES,
            });
        }
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
        let (start, result) = (number(start)?, number(result.trim())?);
        Ok(Self {
            lines: holes.len(),
            examples: vec![Sum { start, result }],
        })
    }
}
