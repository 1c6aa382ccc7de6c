//! Sums with a hole, `71+?=18`: parsing, and the tasks they pose.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

use super::language::{Code, Execution, Language};

/// Addition with an unknown, `start + ? = result`, solved by the program `result - start`. The subtraction
/// `start - ? = result` has the same program: see [`Task::answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sum {
    /// Left operand.
    pub start: i32,
    /// Target.
    pub result: i32,
}

/// Reasons why a typed sum is rejected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SumError {
    /// Text that is no sum with a hole.
    #[error(
        "can't read {0:?}: expected a sum with a hole such as 71+?=18 (? or x for the unknown)"
    )]
    Form(String),
    /// Number outside the range of every model.
    #[error("can't use {number} in {text:?}: expected whole numbers from {low} to {high}")]
    Range {
        /// Text as typed.
        text: String,
        /// Number as typed.
        number: String,
        /// Lowest number of the range.
        low: i32,
        /// Highest number of the range.
        high: i32,
    },
    /// Operator that the model doesn't run, in a text as typed.
    #[error(
        "can't use x in {0:?}: only models of operators multiply, and they read {low} to {high}",
        low = Language::Operators.states().start(),
        high = Language::Operators.states().end()
    )]
    Operator(String),
    /// Program of another length.
    #[error("can't use {text:?}: expected {expected} holes at most, and as many in every example")]
    Lines {
        /// Text as typed.
        text: String,
        /// Largest number of lines.
        expected: usize,
    },
}

impl Sum {
    /// All sums of two-digit numbers: 90 x 90.
    pub fn all() -> impl Iterator<Item = Sum> {
        let states = Language::TwoDigits.states();
        let from = states.clone();
        from.flat_map(move |start| states.clone().map(move |result| Sum { start, result }))
    }

    /// The only addition that solves the sum.
    pub fn solution(self) -> Code {
        Code::Add(self.result - self.start)
    }

    /// True if `code` solves the sum, by integer arithmetic.
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

    /// Parses `71+?=18`, `71 - x = 18` or `?+71=18`; white space and case are ignored.
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

/// Largest number of lines of a program.
pub const MAX_LINES: usize = 8;

/// Operator before a hole: the constraint on the program's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// `+?`: an addition.
    Plus,
    /// `-?`: a subtraction, the addition of the negated number.
    Minus,
    /// `x?`: a multiplication.
    Times,
    /// A hole without an operator: any line.
    Any,
}

impl Operator {
    /// True if the constraint admits the line.
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

/// Program synthesis task with input-output examples: `71+?+?=18` asks for two lines, both additions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// Constraint on each line; 1 to [`MAX_LINES`] lines.
    pub operators: Vec<Operator>,
    /// Input-output examples; at least one.
    pub examples: Vec<Sum>,
}

impl From<Sum> for Task {
    fn from(sum: Sum) -> Self {
        Self::additions(1, sum)
    }
}

impl Task {
    /// Task of a program of `lines` additions.
    pub fn additions(lines: usize, example: Sum) -> Self {
        Self {
            operators: vec![Operator::Plus; lines],
            examples: vec![example],
        }
    }

    /// Task with the examples of several tasks on one program.
    ///
    /// # Errors
    /// If `tasks` is empty, or their programs differ in form.
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

    /// Numbers for the holes, given the program: 53 for `71-?=18`, whose program adds -53. `None` for a
    /// hole without an operator, where the number alone is ambiguous.
    pub fn answer(&self, program: &[Code]) -> Option<Vec<i32>> {
        let fill = |(operator, code): (&Operator, &Code)| match (operator, code) {
            (Operator::Minus, Code::Add(number)) => number.checked_neg(),
            (Operator::Any, _) => None,
            (_, code) => Some(code.operand()),
        };
        self.operators.iter().zip(program).map(fill).collect()
    }

    /// True if a hole is subtracted, so that its number differs from the program's.
    pub fn subtracts(&self) -> bool {
        self.operators.contains(&Operator::Minus)
    }

    /// Number of lines of the program.
    pub fn lines(&self) -> usize {
        self.operators.len()
    }

    /// True if the program solves every example, by integer arithmetic.
    pub fn is_solved_by(&self, program: &[Code]) -> bool {
        let solves = |example: &Sum| Code::run_all(program, example.start) == example.result;
        let mut lines = program.iter().zip(&self.operators);
        program.len() == self.lines()
            && lines.all(|(code, operator)| operator.allows(*code))
            && self.examples.iter().all(solves)
    }

    /// First example divided into as many even steps as there are lines; every step ends at a state.
    pub fn even_steps(&self) -> impl Iterator<Item = Sum> + use<> {
        let (first, lines) = (self.examples[0], self.lines() as i32);
        let way = first.result - first.start;
        let after = move |line: i32| first.start + way * line / lines;
        (0..lines).map(move |line| Sum {
            start: after(line),
            result: after(line + 1),
        })
    }

    /// True if additions are admitted in all lines.
    pub fn may_add(&self) -> bool {
        !self.operators.contains(&Operator::Times)
    }

    /// True if all lines must be additions or subtractions.
    fn is_additive(&self) -> bool {
        let adds = |operator: &Operator| matches!(operator, Operator::Plus | Operator::Minus);
        self.operators.iter().all(adds)
    }

    /// Two examples that no program solves together, if all lines must be additions.
    pub fn contradiction(&self) -> Option<[Sum; 2]> {
        if !self.is_additive() {
            return None;
        }
        let first = self.examples[0];
        let mut examples = self.examples.iter();
        let other = examples.find(|example| example.solution() != first.solution())?;
        Some([first, *other])
    }

    /// Smallest language with all numbers and operators of the task.
    ///
    /// # Errors
    /// If there is none.
    pub fn language(&self) -> Result<Language, SumError> {
        let mut all = Language::ALL.into_iter();
        let known = all.find(|language| self.check(*language).is_ok());
        let language = known.unwrap_or(Language::Operators);
        self.check(language).map(|()| language)
    }

    /// Check that a language has all numbers and operators of the task.
    ///
    /// # Errors
    /// If a number is no state, or an operator is not in the language.
    pub fn check(&self, language: Language) -> Result<(), SumError> {
        let states = language.states();
        for example in &self.examples {
            for number in [example.start, example.result] {
                if !states.contains(&number) {
                    let text = self.text_of(example);
                    return Err(out_of_range(text, number.to_string(), states));
                }
            }
        }
        if language != Language::Operators && self.operators.contains(&Operator::Times) {
            return Err(SumError::Operator(self.to_string()));
        }
        Ok(())
    }

    /// Text of one example, as typed.
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

    /// Parses one example: `71+?+?=18`, `71-?=18`, `12 x ? + ? = 90`, `12 ? ? = 90` (any lines) or, for one
    /// addition, `71 + x = 18` and `?+71=18`. White space and case are ignored; signs and digits of other
    /// keyboards are accepted.
    fn from_str(text: &str) -> Result<Self, SumError> {
        let typed = || text.trim().to_owned();
        let form = || SumError::Form(typed());
        let ascii: String = text.chars().map(to_ascii).collect();
        let (left, result) = ascii.split_once('=').ok_or_else(form)?;
        let (start, operators) = parse_left_side(left.trim()).ok_or_else(form)?;
        if operators.len() > MAX_LINES {
            return Err(SumError::Lines {
                text: typed(),
                expected: MAX_LINES,
            });
        }
        let number = |part: &str| {
            let digits = part.strip_prefix('-').unwrap_or(part);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(form());
            }
            let widest = Language::FourDigits.states();
            let number = part.parse().ok().filter(|n| widest.contains(n));
            number.ok_or_else(|| out_of_range(typed(), part.to_owned(), widest))
        };
        let (start, result) = (number(&start)?, number(result.trim())?);
        Ok(Self {
            operators,
            examples: vec![Sum { start, result }],
        })
    }
}

fn out_of_range(text: String, number: String, range: RangeInclusive<i32>) -> SumError {
    let (low, high) = range.into_inner();
    SumError::Range {
        text,
        number,
        low,
        high,
    }
}

/// ASCII form of a sign or digit; typeset, full-width and similar forms are equivalent.
fn to_ascii(character: char) -> char {
    match character {
        // Minus; the hyphens and dashes that programs substitute for it; its small and full-width forms.
        '\u{2212}' | '\u{2010}'..='\u{2014}' | '\u{fe63}' | '\u{ff0d}' | '\u{2796}' => '-',
        '\u{fe62}' | '\u{ff0b}' | '\u{2795}' => '+',
        '\u{fe66}' | '\u{ff1d}' => '=',
        '\u{fe56}' | '\u{ff1f}' | '\u{2753}' | '\u{2754}' => '?',
        '\u{ff3f}' => '_',
        // Multiplication signs, dots and asterisks.
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

/// Number on the left side of a sum as typed, and the constraints of its holes.
fn parse_left_side(left: &str) -> Option<(String, Vec<Operator>)> {
    if left.starts_with(is_hole) {
        return parse_terms(left);
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
            // An x is a sign between a number and a hole; alone it would be a hole without an operator.
            '*' | 'x' | 'X' => Operator::Times,
            '?' | '_' => Operator::Any,
            _ => return None,
        };
        if operator != Operator::Any {
            characters.next_if(|c| is_hole(*c))?;
        }
        operators.push(operator);
    }
    (!operators.is_empty()).then(|| (start.to_owned(), operators))
}

/// [`parse_left_side`] of a left side that begins with a hole, such as `?+71-?`: additions and subtractions in any
/// order.
fn parse_terms(left: &str) -> Option<(String, Vec<Operator>)> {
    let parts: Vec<&str> = left.split('+').map(str::trim).collect();
    // A number may have a sign of its own: ?+-5.
    let joined = parts.join("+").replace("+-", "-");
    let (mut start, mut operators) = (None, Vec::new());
    let (mut rest, mut sign) = (joined.as_str(), "+");
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (term, after) = (rest[..end].trim(), &rest[end..]);
        if term.len() == 1 && term.starts_with(is_hole) {
            let is_minus = sign == "-";
            operators.push(if is_minus {
                Operator::Minus
            } else {
                Operator::Plus
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
