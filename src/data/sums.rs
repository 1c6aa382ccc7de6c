//! Sums with a hole, `71+?=18`: how they are typed, and which ones the models know.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::language::{Code, Execution, Language};

/// `start + ? = result`; the program that solves it is `result - start`. `start - ? = result` is solved by the same
/// program: see [`Task::answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sum {
    /// The first number.
    pub start: i32,
    /// The number to reach.
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
    /// A number is outside what the models read.
    #[error("can't use {number} in {text:?}: expected whole numbers from {low} to {high}")]
    Range {
        /// The text as typed.
        text: String,
        /// The number as typed.
        number: String,
        /// The lowest number.
        low: i32,
        /// The highest one.
        high: i32,
    },
    /// An operator that the model doesn't run.
    #[error(
        "can't use x in {text:?}: only models of operators multiply, and they read {low} to {high}"
    )]
    Operator {
        /// The text as typed.
        text: String,
        /// The lowest number they read.
        low: i32,
        /// The highest one.
        high: i32,
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
    /// Every sum of two-digit numbers: 90 x 90.
    pub fn all() -> impl Iterator<Item = Sum> {
        let states = Language::TwoDigits.states();
        let from = states.clone();
        from.flat_map(move |start| states.clone().map(move |result| Sum { start, result }))
    }

    /// The one addition that solves the sum.
    pub fn solution(self) -> Code {
        Code::Add(self.result - self.start)
    }

    /// Whether `code` solves the sum, by integer arithmetic.
    pub fn is_solved_by(self, code: Code) -> bool {
        code.run(self.start) == self.result
    }
}

impl From<Sum> for Execution {
    fn from(sum: Sum) -> Self {
        Self {
            start: sum.start,
            code: sum.solution(),
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+?={}", self.start, self.result)
    }
}

impl FromStr for Sum {
    type Err = SumError;

    /// Reads `71+?=18`, `71 - x = 18` or `?+71=18`; blanks and case don't matter.
    fn from_str(text: &str) -> Result<Self, SumError> {
        let task: Task = text.parse()?;
        let typed = || text.trim().to_owned();
        if !task.is_additive() {
            return Err(SumError::Form(typed()));
        }
        match (task.lines(), &task.examples[..]) {
            (1, [sum]) => Ok(*sum),
            _ => Err(SumError::Lines {
                text: typed(),
                expected: 1,
            }),
        }
    }
}

/// Lines a program may have.
pub const MOST_LINES: usize = 8;

/// What stands before a hole: what the line there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// `+?`: a line that adds.
    Plus,
    /// `-?`: a line that subtracts, which is one that adds the negated number.
    Minus,
    /// `x?`: a line that multiplies.
    Times,
    /// A hole alone: any line.
    Any,
}

impl Operator {
    /// Whether the line may stand in its hole.
    pub fn allows(self, code: Code) -> bool {
        match self {
            Self::Plus | Self::Minus => matches!(code, Code::Add(_)),
            Self::Times => matches!(code, Code::Times(_)),
            Self::Any => true,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Plus => "+?",
            Self::Minus => "-?",
            Self::Times => "x?",
            Self::Any => " ?",
        }
    }
}

/// A program to find, by examples of what it leads to: `71+?+?=18` has two lines, each of which adds a
/// number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// What each line may be; 1 to [`MOST_LINES`] lines.
    pub operators: Vec<Operator>,
    /// Where it starts and what it leads to; at least one.
    pub examples: Vec<Sum>,
}

impl From<Sum> for Task {
    fn from(sum: Sum) -> Self {
        Self::additions(1, sum)
    }
}

impl Task {
    /// A program of so many additions.
    pub fn additions(lines: usize, example: Sum) -> Self {
        Self {
            operators: vec![Operator::Plus; lines],
            examples: vec![example],
        }
    }

    /// The program that all of `tasks` look for.
    ///
    /// # Errors
    /// If there is none, or their programs differ in form.
    pub fn all_of(tasks: Vec<Self>) -> Result<Self, SumError> {
        let mut tasks = tasks.into_iter();
        let mut all = tasks.next().ok_or(SumError::Form(String::new()))?;
        for task in tasks {
            if task.operators != all.operators {
                return Err(SumError::Lines {
                    text: task.to_string(),
                    expected: all.lines(),
                });
            }
            all.examples.extend(task.examples);
        }
        Ok(all)
    }

    /// The numbers that a program puts into the holes: of `71-?=18` 53, where the program adds -53. `None` where a
    /// hole alone doesn't say what its number does.
    pub fn answer(&self, program: &[Code]) -> Option<Vec<i32>> {
        let fill = |(operator, code): (&Operator, &Code)| match (operator, code) {
            (Operator::Minus, Code::Add(number)) => number.checked_neg(),
            (Operator::Any, _) => None,
            (_, code) => Some(code.operand()),
        };
        self.operators.iter().zip(program).map(fill).collect()
    }

    /// Whether a hole is subtracted: its number isn't the program's.
    pub fn subtracts(&self) -> bool {
        self.operators.contains(&Operator::Minus)
    }

    /// Lines of the program.
    pub fn lines(&self) -> usize {
        self.operators.len()
    }

    /// Whether the program solves every example, by integer arithmetic.
    pub fn is_solved_by(&self, program: &[Code]) -> bool {
        let solves = |example: &Sum| Code::run_all(program, example.start) == example.result;
        program.len() == self.lines()
            && program
                .iter()
                .zip(&self.operators)
                .all(|(code, operator)| operator.allows(*code))
            && self.examples.iter().all(solves)
    }

    /// The first example, done in as many even steps as there are lines: every one leads to a state.
    pub fn even_steps(&self) -> impl Iterator<Item = Sum> + use<> {
        let (first, lines) = (self.examples[0], self.lines() as i32);
        let way = first.result - first.start;
        let after = move |line: i32| first.start + way * line / lines;
        (0..lines).map(move |line| Sum {
            start: after(line),
            result: after(line + 1),
        })
    }

    /// Whether its lines may be additions.
    pub fn may_add(&self) -> bool {
        !self.operators.contains(&Operator::Times)
    }

    /// Whether its lines have to be additions, or subtractions.
    fn is_additive(&self) -> bool {
        let adds = |operator: &Operator| matches!(operator, Operator::Plus | Operator::Minus);
        self.operators.iter().all(adds)
    }

    /// Two examples that no program of additions can solve together, where it has to be one.
    pub fn contradiction(&self) -> Option<[Sum; 2]> {
        if !self.is_additive() {
            return None;
        }
        let first = self.examples[0];
        let other = self
            .examples
            .iter()
            .find(|example| example.solution() != first.solution())?;
        Some([first, *other])
    }

    /// One of its examples as it is typed.
    pub fn text_of(&self, example: &Sum) -> String {
        let holes: String = self.operators.iter().map(|o| o.text()).collect();
        format!("{}{holes}={}", example.start, example.result)
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

    /// Reads one example: `71+?+?=18`, `71-?=18`, `12 x ? + ? = 90`, `12 ? ? = 90` (any lines) or, where one number
    /// is added, `71 + x = 18` and `?+71=18`; blanks and case don't matter, and signs and digits may be those of
    /// other keyboards.
    fn from_str(text: &str) -> Result<Self, SumError> {
        let form = || SumError::Form(text.trim().to_owned());
        let plain: String = text.chars().map(plain).collect();
        let (left, result) = plain.split_once('=').ok_or_else(form)?;
        let (start, operators) = halves(left.trim()).ok_or_else(form)?;
        if operators.len() > MOST_LINES {
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
            let widest = Language::FourDigits.states();
            part.parse()
                .ok()
                .filter(|n| widest.contains(n))
                .ok_or_else(|| SumError::Range {
                    text: text.trim().to_owned(),
                    number: part.to_owned(),
                    low: *widest.start(),
                    high: *widest.end(),
                })
        };
        let (start, result) = (number(&start)?, number(result.trim())?);
        Ok(Self {
            operators,
            examples: vec![Sum { start, result }],
        })
    }
}

/// A sign or digit as an English keyboard has it: typeset, full-width and similar ones mean the same.
fn plain(character: char) -> char {
    match character {
        // Minus, the hyphens and dashes that programs put in its place, and its small and full-width forms.
        '\u{2212}' | '\u{2010}'..='\u{2014}' | '\u{fe63}' | '\u{ff0d}' | '\u{2796}' => '-',
        '\u{fe62}' | '\u{ff0b}' | '\u{2795}' => '+',
        '\u{fe66}' | '\u{ff1d}' => '=',
        '\u{fe56}' | '\u{ff1f}' | '\u{2753}' | '\u{2754}' => '?',
        '\u{ff3f}' => '_',
        // Times, dots and asterisks between two factors.
        '\u{d7}' | '\u{b7}' | '\u{22c5}' | '\u{2217}' | '\u{2715}' | '\u{2716}' | '\u{2a2f}'
        | '\u{fe61}' | '\u{ff0a}' => '*',
        '\u{ff58}' | '\u{ff38}' => 'x',
        '\u{ff10}'..='\u{ff19}' => {
            char::from_digit(character as u32 - 0xff10, 10).unwrap_or(character)
        }
        _ => character,
    }
}

fn is_hole(character: char) -> bool {
    matches!(character, '?' | '_' | 'x' | 'X')
}

/// The number of a sum's left side as typed, and what its holes may be.
fn halves(left: &str) -> Option<(String, Vec<Operator>)> {
    if left.starts_with(is_hole) {
        return terms(left);
    }
    let sign = usize::from(left.starts_with('-'));
    let digits = left[sign..].find(|c: char| !c.is_ascii_digit())?;
    let (start, holes) = left.split_at(sign + digits);
    let mut characters = holes.chars().filter(|c| !c.is_whitespace()).peekable();
    let mut operators = Vec::new();
    while let Some(character) = characters.next() {
        let operator = match character {
            '+' => Operator::Plus,
            '-' => Operator::Minus,
            '*' => Operator::Times,
            // Between a number and a hole it multiplies; alone it would be a hole that says nothing.
            'x' | 'X' => Operator::Times,
            '?' | '_' => {
                operators.push(Operator::Any);
                continue;
            }
            _ => return None,
        };
        characters.next_if(|c| is_hole(*c))?;
        operators.push(operator);
    }
    (!operators.is_empty()).then(|| (start.to_owned(), operators))
}

/// The same of a left side that begins with a hole, such as `?+71-?`: additions and subtractions go in any order.
fn terms(left: &str) -> Option<(String, Vec<Operator>)> {
    let parts: Vec<&str> = left.split('+').map(str::trim).collect();
    // A number may have a sign of its own: ?+-5.
    let joined = parts.join("+").replace("+-", "-");
    let (mut start, mut operators) = (None, Vec::new());
    let (mut rest, mut sign) = (joined.as_str(), "+");
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (term, after) = (rest[..end].trim(), &rest[end..]);
        if term.len() == 1 && term.starts_with(is_hole) {
            operators.push(match sign {
                "-" => Operator::Minus,
                _ => Operator::Plus,
            });
        } else if start.is_none() && !term.is_empty() {
            start = Some(format!("{}{term}", sign.trim_start_matches('+')));
        } else {
            return None;
        }
        if after.is_empty() {
            return Some((start?, operators));
        }
        (sign, rest) = after.split_at(1);
    }
}
