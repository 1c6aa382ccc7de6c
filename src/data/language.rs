//! Which numbers a model reads, and which programs it runs: small ones, large ones, with several operators.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize, Serializer};

use super::sums::{Operator, SumError, Task};

/// A line of a program. Subtracting is adding a negative number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Adds a number.
    Add(i32),
    /// Multiplies by a number.
    Times(i32),
}

impl Code {
    /// What it makes of a number; a result beyond all numbers is the last one.
    pub fn run(self, number: i32) -> i32 {
        match self {
            Self::Add(addend) => number.saturating_add(addend),
            Self::Times(factor) => number.saturating_mul(factor),
        }
    }

    /// What a whole program makes of a number.
    pub fn run_all(program: &[Self], number: i32) -> i32 {
        program.iter().fold(number, |number, code| code.run(number))
    }

    /// Its number, by which it is coloured.
    pub fn operand(self) -> i32 {
        match self {
            Self::Add(number) | Self::Times(number) => number,
        }
    }
}

impl fmt::Display for Code {
    /// `-53` adds -53, `x7` multiplies by 7.
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
    /// A number where it adds, else its text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Add(number) => serializer.serialize_i32(*number),
            Self::Times(_) => serializer.collect_str(self),
        }
    }
}

/// One program of one line, run on one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Execution {
    /// The state.
    pub start: i32,
    /// The program.
    pub code: Code,
}

impl Execution {
    /// What it leads to.
    pub fn result(self) -> i32 {
        self.code.run(self.start)
    }
}

/// What a model reads and runs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// States 10..=99, programs that add -99..=99, written as people write them.
    #[default]
    TwoDigits,
    /// States -9999..=9999 and all differences between two of them, written in ten's complement: the same
    /// digits add up whatever the signs, a carry goes to the left and nothing has to be compared.
    FourDigits,
    /// States 0..=99, programs that add -99..=99 or multiply by 2..=9.
    Operators,
}

/// Factors of [`Language::Operators`]; 0 and 1 are left to addition.
const FACTORS: RangeInclusive<i32> = 2..=9;
/// Every `SHOWN`th large state is shown to people, and every 2 x `SHOWN`th program.
const SHOWN: i32 = 100;
/// What numbers of [`Language::FourDigits`] are written modulo.
const MODULUS: i32 = 100_000;

impl Language {
    /// All, those with the fewest numbers first.
    pub const ALL: [Self; 3] = [Self::TwoDigits, Self::Operators, Self::FourDigits];

    /// The states.
    pub fn states(self) -> RangeInclusive<i32> {
        match self {
            Self::TwoDigits => 10..=99,
            Self::FourDigits => -9999..=9999,
            Self::Operators => 0..=99,
        }
    }

    /// The numbers that programs add.
    pub fn addends(self) -> RangeInclusive<i32> {
        match self {
            Self::TwoDigits | Self::Operators => -99..=99,
            Self::FourDigits => -19_998..=19_998,
        }
    }

    /// The programs of one line: those that add, by number, then those that multiply.
    pub fn codes(self) -> impl Iterator<Item = Code> {
        let factors = (self == Self::Operators).then_some(FACTORS);
        let times = factors.into_iter().flatten().map(Code::Times);
        self.addends().map(Code::Add).chain(times)
    }

    /// How many programs of one line there are.
    pub fn code_count(self) -> usize {
        let factors = match self {
            Self::Operators => FACTORS.count(),
            _ => 0,
        };
        self.addends().count() + factors
    }

    /// The program that stands at `index` among [`Self::codes`].
    pub fn code_at(self, index: usize) -> Option<Code> {
        let addends = self.addends();
        match index.checked_sub(addends.clone().count()) {
            None => Some(Code::Add(addends.start() + index as i32)),
            Some(rest) if index < self.code_count() => {
                Some(Code::Times(FACTORS.start() + rest as i32))
            }
            Some(_) => None,
        }
    }

    /// Where a program stands among [`Self::codes`].
    pub fn index_of(self, code: Code) -> Option<usize> {
        let addends = self.addends();
        match code {
            Code::Add(number) => addends
                .contains(&number)
                .then(|| number.abs_diff(*addends.start()) as usize),
            Code::Times(number) => (self == Self::Operators && FACTORS.contains(&number))
                .then(|| addends.count() + number.abs_diff(*FACTORS.start()) as usize),
        }
    }

    /// Whether there are so few numbers that a training step can hold all, and tables of all pairs.
    pub fn is_small(self) -> bool {
        self != Self::FourDigits
    }

    /// The states that people are shown: all, or an even choice.
    pub fn shown_states(self) -> Vec<i32> {
        match self.is_small() {
            true => self.states().collect(),
            false => multiples(SHOWN, self.states()).collect(),
        }
    }

    /// The programs that people are shown: all, or an even choice.
    pub fn shown_codes(self) -> Vec<Code> {
        match self.is_small() {
            true => self.codes().collect(),
            false => multiples(2 * SHOWN, self.addends())
                .map(Code::Add)
                .collect(),
        }
    }

    /// Tokens a word; shorter words are filled up.
    pub fn word_length(self) -> usize {
        match self {
            Self::TwoDigits | Self::Operators => 4,
            Self::FourDigits => 5,
        }
    }

    /// How a program is written, one character a token; a state is written as the program that adds it.
    pub fn spell(self, code: Code) -> String {
        match (self, code) {
            (Self::FourDigits, Code::Add(number)) => format!("{:05}", number.rem_euclid(MODULUS)),
            _ => code.to_string(),
        }
    }

    /// The first language that knows all numbers and operators of a task.
    ///
    /// # Errors
    /// If none does.
    pub fn of(task: &Task) -> Result<Self, SumError> {
        let known = Self::ALL
            .into_iter()
            .find(|language| language.check(task).is_ok());
        match known {
            Some(language) => Ok(language),
            None => Self::Operators.check(task).map(|()| Self::Operators),
        }
    }

    /// # Errors
    /// If a number of the task is no state, or an operator is none of this language's.
    pub fn check(self, task: &Task) -> Result<(), SumError> {
        let states = self.states();
        for example in &task.examples {
            for number in [example.start, example.result] {
                if !states.contains(&number) {
                    return Err(SumError::Range {
                        text: task.text_of(example),
                        number: number.to_string(),
                        low: *states.start(),
                        high: *states.end(),
                    });
                }
            }
        }
        if self != Self::Operators && task.operators.contains(&Operator::Times) {
            return Err(SumError::Operator {
                text: task.to_string(),
                low: *Self::Operators.states().start(),
                high: *Self::Operators.states().end(),
            });
        }
        Ok(())
    }
}

/// The multiples of `step` in a range.
fn multiples(step: i32, range: RangeInclusive<i32>) -> impl Iterator<Item = i32> {
    (range.start() / step..=range.end() / step).map(move |n| n * step)
}
