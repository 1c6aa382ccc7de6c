//! Python functions in source text: found and cut out by a parser, and compared by their tokens.

mod encoding;
mod highlight;
mod scope;
mod syntax;
pub mod variants;

use std::ops::{Range, RangeInclusive};

use tree_sitter::Node;

use self::syntax::{Edit, Visit, edited, parse, parse_anyhow, parts, text, walk};
use super::hash::hash;

pub use encoding::{EncodingError, decode};
pub use highlight::{Kind, highlight};

/// A function or method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name after those of the classes and functions round it: `Class.method`.
    pub name: String,
    /// Its text with decorators and comments, without docstrings (its own and those within), as far to
    /// the left as it goes, lines ended by `\n`, the last one not. It parses.
    pub source: String,
    /// The line its `def` is in, from 1.
    pub line: usize,
    /// The lines of the source it stands in, with its decorators, from 1.
    pub lines: RangeInclusive<usize>,
    /// Docstrings left out of its text.
    pub docstrings: usize,
}

/// Why no functions were found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PythonError {
    /// What is there is no Python 3.
    #[error("no Python in line {line}, at {found:?}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// Something is not there.
    #[error("no Python in line {line}: {expected:?} is missing")]
    Missing {
        /// The line, from 1.
        line: usize,
        /// What is missing.
        expected: String,
    },
    /// It is Python without a function.
    #[error("no function: expected `def name(..): ..`")]
    NoFunction,
}

/// All functions and methods of a source, nested ones too (which are also in the text of the one round
/// them), in the order of their text.
///
/// # Errors
/// If the source is no Python 3 or has no function.
pub fn functions(source: &str) -> Result<Vec<Function>, PythonError> {
    Ok(Definitions::find(source)?.functions().collect())
}

/// Equal for functions whose Python tokens are equal: comments, white space and the choice of quotes
/// don't count.
pub fn key(source: &str) -> u64 {
    let source = normalised(source);
    let tree = parse_anyhow(&source);
    let mut tokens = Vec::new();
    walk(tree.root_node(), |node, visit| match (node.kind(), visit) {
        ("comment" | "line_continuation" | ";", _) => false,
        ("block", Visit::Enter) => {
            tokens.push(1);
            true
        }
        ("block", Visit::Leave) => {
            tokens.push(2);
            false
        }
        ("string", visit) => {
            if visit == Visit::Enter {
                push_string(&mut tokens, text(node, &source));
            }
            false
        }
        (_, Visit::Enter) if node.child_count() == 0 => {
            tokens.extend(text(node, &source).bytes());
            tokens.push(0);
            false
        }
        _ => true,
    });
    hash(tokens)
}

/// A text literal with double quotes where that changes nothing else.
fn push_string(tokens: &mut Vec<u8>, literal: &str) {
    let quote = literal.find(['"', '\'']).unwrap_or(0);
    let (prefix, quoted) = literal.split_at(quote);
    let inner = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default();
    tokens.extend(prefix.bytes());
    if inner.contains(['"', '\'', '\\']) || prefix.contains(['f', 'F', 't', 'T']) {
        tokens.extend(quoted.bytes());
    } else {
        tokens.extend(format!("\"{inner}\"").bytes());
    }
    tokens.push(0);
}

/// As Python itself reads: without a byte order mark, every end of line a `\n`.
fn normalised(source: &str) -> String {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    source.replace("\r\n", "\n").replace('\r', "\n")
}

struct Definition {
    name: String,
    span: Range<usize>,
    first_line: usize,
    line: usize,
}

/// The functions of a source, in the order of its text: found, but not yet cut out.
pub struct Definitions {
    source: String,
    definitions: Vec<Definition>,
    /// What stands for a docstring that goes.
    docstrings: Vec<(Range<usize>, &'static str)>,
    /// Where lines are part of a text literal.
    strings: Vec<Range<usize>>,
}

impl Definitions {
    /// Finds the functions of a source.
    ///
    /// # Errors
    /// As [`functions`].
    pub fn find(source: &str) -> Result<Self, PythonError> {
        let source = &normalised(source);
        let mut found = Self {
            source: source.clone(),
            definitions: Vec::new(),
            docstrings: Vec::new(),
            strings: Vec::new(),
        };
        let tree = parse(source)?;
        let mut names: Vec<&str> = Vec::new();
        let mut decorated = None;
        walk(tree.root_node(), |node, visit| {
            match (node.kind(), visit) {
                ("decorated_definition", Visit::Enter) => decorated = Some(node),
                ("function_definition" | "class_definition", Visit::Enter) => {
                    let whole = decorated.take().unwrap_or(node);
                    names.push(
                        node.child_by_field_name("name")
                            .map_or("", |n| text(n, source)),
                    );
                    found.docstrings.extend(docstring(node, source));
                    if node.kind() == "function_definition" {
                        found.definitions.push(Definition {
                            name: names.join("."),
                            span: whole.start_byte()..end_of_line(source, node.end_byte()),
                            first_line: whole.start_position().row + 1,
                            line: node.start_position().row + 1,
                        });
                    }
                }
                ("function_definition" | "class_definition", Visit::Leave) => drop(names.pop()),
                ("string", Visit::Enter) => {
                    found.strings.push(node.byte_range());
                    return false;
                }
                _ => (),
            }
            true
        });
        if found.definitions.is_empty() {
            return Err(PythonError::NoFunction);
        }
        Ok(found)
    }

    /// Cuts them out, one after the other.
    pub fn functions(&self) -> impl Iterator<Item = Function> {
        let definitions = self.definitions.iter();
        definitions.filter_map(|definition| self.cut_out(definition))
    }

    /// The function's text by itself; `None` if that is no longer one function.
    fn cut_out(&self, definition: &Definition) -> Option<Function> {
        let Definition {
            name,
            span,
            first_line,
            line,
        } = definition;
        // A form feed begins the count anew, as Python has it.
        let before = &self.source[line_start(&self.source, span.start)..span.start];
        let indentation = before.rsplit('\u{c}').next().map_or(0, str::len);
        let lines = self.source[span.clone()]
            .match_indices('\n')
            .map(|(at, _)| span.start + at + 1);
        let outdents = lines.filter(|line| !self.is_in_string(*line)).map(|line| {
            Edit::new(
                line..line + blank(&self.source[line..]).min(indentation),
                "",
            )
        });
        let first = self
            .docstrings
            .partition_point(|(at, _)| at.start < span.start);
        let within = self.docstrings[first..].partition_point(|(at, _)| at.start < span.end);
        let docstrings = &self.docstrings[first..first + within];
        let cuts = docstrings
            .iter()
            .map(|(at, text)| Edit::new(at.clone(), text));
        let source = edited(&self.source, span.clone(), outdents.chain(cuts).collect());
        let source = source.trim_end().to_owned();

        let tree = parse(&source).ok()?;
        let mut parts = parts(tree.root_node());
        let is_function = parts.next().is_some_and(|node| match node.kind() {
            "decorated_definition" => {
                let inner = node.child_by_field_name("definition");
                inner.is_some_and(|inner| inner.kind() == "function_definition")
            }
            kind => kind == "function_definition",
        });
        (is_function && parts.next().is_none()).then(|| Function {
            name: name.clone(),
            source,
            line: *line,
            lines: *first_line
                ..=first_line + self.source[span.clone()].trim_end().matches('\n').count(),
            docstrings: docstrings.len(),
        })
    }

    fn is_in_string(&self, at: usize) -> bool {
        let before = self.strings.partition_point(|string| string.start < at);
        before > 0 && at < self.strings[before - 1].end
    }
}

/// Where the docstring of a function or class is, with what goes with it, and what to put there.
fn docstring(definition: Node, source: &str) -> Option<(Range<usize>, &'static str)> {
    let mut statements = parts(definition.child_by_field_name("body")?);
    let first = statements.next()?;
    if !is_docstring(first, source) {
        return None;
    }
    let (start, mut end) = (first.start_byte(), first.end_byte());
    if statements.next().is_none() {
        return Some((start..end, "pass"));
    }
    end += blank(&source[end..]);
    if source[end..].starts_with(';') {
        end += 1;
        end += blank(&source[end..]);
    }
    let line = line_start(source, start);
    if source[line..start].trim().is_empty() && source[end..].starts_with('\n') {
        // It has its lines for itself: they go, and so do the empty ones after them.
        let rest = &source[end..];
        let below = rest.len() - rest.trim_start().len();
        let next = rest[..below].rfind('\n').map_or(end, |at| end + at + 1);
        return Some((line..next, ""));
    }
    Some((start..end, ""))
}

/// Whether a statement is a text constant and nothing else, as `ast.get_docstring` has it.
fn is_docstring(statement: Node, source: &str) -> bool {
    let mut node = statement;
    while matches!(
        node.kind(),
        "expression_statement" | "parenthesized_expression"
    ) {
        let mut inner = parts(node);
        match (inner.next(), inner.next()) {
            (Some(only), None) => node = only,
            _ => return false,
        }
    }
    let is_text = |node: Node| {
        let start = text(node, source);
        node.kind() == "string"
            && !start[..start.find(['"', '\'']).unwrap_or(0)]
                .contains(['b', 'B', 'f', 'F', 't', 'T'])
    };
    // A comma makes it a tuple, and that has no other named part.
    let trailing = source[node.end_byte()..statement.end_byte()].contains(',');
    !trailing
        && statement.kind() == "expression_statement"
        && (is_text(node) || node.kind() == "concatenated_string" && parts(node).all(is_text))
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The bytes of blanks a text begins with.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\u{c}']).len()
}

/// The end of a comment right behind `at`, else `at`.
fn end_of_line(source: &str, at: usize) -> usize {
    let rest = source[at..].lines().next().unwrap_or_default();
    if rest.trim_start().starts_with('#') {
        at + rest.len()
    } else {
        at
    }
}
