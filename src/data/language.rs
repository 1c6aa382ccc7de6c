//! Languages: the range of numbers a model reads, and the programs it runs.

use std::{
    fmt,
    ops::{Range, RangeInclusive},
};

use serde::{Deserialize, Serialize, Serializer};

/// One line of a program. Subtraction is the addition of a negative number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Addition of a number.
    Add(i32),
    /// Multiplication by a number.
    Times(i32),
}

impl Code {
    /// Result on a number, saturating at the limits of `i32`.
    pub fn run(self, number: i32) -> i32 {
        match self {
            Self::Add(addend) => number.saturating_add(addend),
            Self::Times(factor) => number.saturating_mul(factor),
        }
    }

    /// Result of a whole program on a number.
    pub fn run_all(program: &[Self], number: i32) -> i32 {
        program.iter().fold(number, |number, code| code.run(number))
    }

    /// Operand of the line; also the value of its colour.
    pub fn operand(self) -> i32 {
        match self {
            Self::Add(number) | Self::Times(number) => number,
        }
    }
}

impl fmt::Display for Code {
    /// Writes `-53` for the addition of -53, `x7` for the multiplication by 7.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(number) => number.fmt(f),
            Self::Times(number) => write!(f, "x{number}"),
        }
    }
}

impl std::str::FromStr for Code {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().strip_prefix(['x', 'X', '*']) {
            Some(factor) => factor.trim().parse().map(Self::Times),
            None => text.trim().parse().map(Self::Add),
        }
    }
}

impl Serialize for Code {
    /// Serialises an addition as a number, any other line as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Add(number) => serializer.serialize_i32(*number),
            Self::Times(_) => serializer.collect_str(self),
        }
    }
}

/// Execution of a one-line program on a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Execution {
    /// Initial state.
    pub start: i32,
    /// The program.
    pub code: Code,
}

impl Execution {
    /// Resulting state.
    pub fn result(self) -> i32 {
        self.code.run(self.start)
    }
}

/// Language of a model: the numbers it reads and the programs it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// States 10..=99, programs that add -99..=99, in decimal with a sign.
    #[default]
    TwoDigits,
    /// States -9999..=9999 and all differences between two of them, in ten's complement: digit sums don't
    /// depend on the signs, carries go left, and no comparison is needed.
    FourDigits,
    /// States 0..=99, programs that add -99..=99 or multiply by 2..=9.
    Operators,
}

/// One in this many large states is shown to people, and one in twice as many programs.
const SHOWN_EVERY: i32 = 100;
/// Modulus of the ten's complement of [`Language::FourDigits`].
const MODULUS: i32 = 100_000;

impl Language {
    /// All languages, from the fewest numbers to the most.
    pub const ALL: [Self; 3] = [Self::TwoDigits, Self::Operators, Self::FourDigits];

    /// Name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoDigits => "two-digits",
            Self::FourDigits => "four-digits",
            Self::Operators => "operators",
        }
    }

    /// One line of help.
    pub fn summary(self) -> &'static str {
        match self {
            Self::TwoDigits => {
                "States 10..=99, programs that add -99..=99, written as people write them"
            }
            Self::FourDigits => {
                "States -9999..=9999 and all differences between two of them, written in ten's complement: the \
                 same digits add up whatever the signs, a carry goes to the left and nothing has to be compared"
            }
            Self::Operators => "States 0..=99, programs that add -99..=99 or multiply by 2..=9",
        }
    }

    /// Range of states.
    pub fn states(self) -> RangeInclusive<i32> {
        match self {
            Self::TwoDigits => 10..=99,
            Self::FourDigits => -9999..=9999,
            Self::Operators => 0..=99,
        }
    }

    /// Range of addends.
    pub fn addends(self) -> RangeInclusive<i32> {
        match self {
            Self::TwoDigits | Self::Operators => -99..=99,
            Self::FourDigits => -19_998..=19_998,
        }
    }

    /// Range of factors, empty but for [`Self::Operators`]; 0 and 1 are left out, as addition covers their
    /// results.
    fn factors(self) -> Range<i32> {
        match self {
            Self::TwoDigits | Self::FourDigits => 0..0,
            Self::Operators => 2..10,
        }
    }

    /// One-line programs in canonical order: additions by number, then multiplications.
    pub fn codes(self) -> impl Iterator<Item = Code> {
        let times = self.factors().map(Code::Times);
        self.addends().map(Code::Add).chain(times)
    }

    /// Number of one-line programs.
    pub fn code_count(self) -> usize {
        self.addends().count() + self.factors().count()
    }

    /// Program at `index` of [`Self::codes`].
    pub fn code_at(self, index: usize) -> Option<Code> {
        let (mut addends, mut factors) = (self.addends(), self.factors());
        match index.checked_sub(addends.clone().count()) {
            None => addends.nth(index).map(Code::Add),
            Some(rest) => factors.nth(rest).map(Code::Times),
        }
    }

    /// Index of a program in [`Self::codes`]; `None` if the language lacks it.
    pub fn index_of(self, code: Code) -> Option<usize> {
        let (addends, factors) = (self.addends(), self.factors());
        let (is_known, first, before) = match code {
            Code::Add(number) => (addends.contains(&number), *addends.start(), 0),
            Code::Times(number) => (factors.contains(&number), factors.start, addends.count()),
        };
        is_known.then(|| before + code.operand().abs_diff(first) as usize)
    }

    /// True if a training step can hold all numbers, and tables of all pairs.
    pub fn is_small(self) -> bool {
        self != Self::FourDigits
    }

    /// States shown to people: all, or evenly spaced ones.
    pub fn shown_states(self) -> Vec<i32> {
        match self.is_small() {
            true => self.states().collect(),
            false => multiples(SHOWN_EVERY, self.states()).collect(),
        }
    }

    /// Programs shown to people: all, or evenly spaced ones.
    pub fn shown_codes(self) -> Vec<Code> {
        match self.is_small() {
            true => self.codes().collect(),
            false => multiples(2 * SHOWN_EVERY, self.addends())
                .map(Code::Add)
                .collect(),
        }
    }

    /// Sequence length of a word in tokens, padding included.
    pub fn word_length(self) -> usize {
        match self {
            Self::TwoDigits | Self::Operators => 4,
            Self::FourDigits => 5,
        }
    }

    /// Text of a program, one character per token; a state is written as the program that adds it.
    pub fn spell(self, code: Code) -> String {
        match (self, code) {
            (Self::FourDigits, Code::Add(number)) => format!("{:05}", number.rem_euclid(MODULUS)),
            _ => code.to_string(),
        }
    }
}

/// Multiples of `step` in a range.
fn multiples(step: i32, range: RangeInclusive<i32>) -> impl Iterator<Item = i32> {
    (range.start() / step..=range.end() / step).map(move |n| n * step)
}
