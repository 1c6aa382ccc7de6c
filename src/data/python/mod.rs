//! Python functions: extracted from sources by a parser, and compared by their tokens.

pub mod between;
mod depth;
mod encoding;
mod error;
mod highlight;
pub mod idioms;
pub mod kind;
mod laxity;
mod layout;
mod parse;
mod rewrite_meaning;
mod rewrite_rules;
pub mod rewrites;
mod scope;
mod syntax;
pub mod terms;
pub mod variants;

use std::ops::{Range, RangeInclusive};

use ruff_python_ast::{
    Expr, Stmt, StmtFunctionDef,
    token::{Token, TokenKind},
    visitor::source_order::{SourceOrderVisitor, walk_body, walk_stmt},
};
use ruff_text_size::Ranged;

use self::{
    parse::{parse, parse_lenient},
    syntax::{Edit, Tree, edited},
};
use super::hash::hash;

pub use encoding::{EncodingError, decode};
pub use error::PythonError;
pub use highlight::{TokenClass, highlight};

/// Function or method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Qualified name: `Class.method`.
    pub name: String,
    /// Dedented source with decorators and comments, without docstrings (nested ones included); lines end
    /// with `\n`, except the last. Valid Python.
    pub source: String,
    /// Line of the `def`, from 1.
    pub line: usize,
    /// Line range in the original source, decorators included, from 1.
    pub lines: RangeInclusive<usize>,
    /// Number of docstrings removed.
    pub docstrings: usize,
}

/// All functions and methods of a source in textual order, nested ones included (which also remain in the
/// text of the enclosing one).
///
/// # Errors
/// If the source is no Python 3 or has no function.
pub fn functions(source: &str) -> Result<Vec<Function>, PythonError> {
    Ok(Definitions::find(source)?.functions().collect())
}

/// Hash of a function's Python tokens, independent of comments, white space and the choice of quotes.
pub fn key(source: &str) -> u64 {
    let source = normalised(source);
    let tokens = parse_lenient(&source, key_tokens);
    // Text beyond the nesting limits is compared as it is.
    hash(tokens.unwrap_or_else(|_| source.clone().into_bytes()))
}

/// Tokens of a source as bytes, with markers at the boundaries of blocks and statements.
fn key_tokens(tree: &Tree) -> Vec<u8> {
    let mut layout = BlockMarkers(Vec::new());
    layout.visit_body(tree.body());
    let mut marks = layout.0.into_iter().peekable();
    let mut tokens = Vec::new();
    for leaf in tree.leaves() {
        while let Some((_, mark)) = marks.next_if(|(at, _)| *at <= leaf.range.start) {
            tokens.push(mark);
        }
        match leaf.kind {
            TokenKind::Semi => continue,
            TokenKind::String => push_string(&mut tokens, &tree.source[leaf.range]),
            _ => tokens.extend(tree.source[leaf.range].bytes()),
        }
        tokens.push(0);
    }
    tokens.extend(marks.map(|(_, mark)| mark));
    tokens
}

/// Offsets of block starts (1), block ends (2) and statement starts (3).
struct BlockMarkers(Vec<(usize, u8)>);

impl SourceOrderVisitor<'_> for BlockMarkers {
    fn visit_body(&mut self, body: &[Stmt]) {
        if let [first, ..] = body {
            self.0.push((first.start().to_usize(), 1));
            walk_body(self, body);
            self.0.push((body[body.len() - 1].end().to_usize(), 2));
        }
    }

    fn visit_stmt(&mut self, statement: &Stmt) {
        self.0.push((statement.start().to_usize(), 3));
        walk_stmt(self, statement);
    }

    // Expressions contain no statements.
    fn visit_expr(&mut self, _: &Expr) {}
}

/// Appends a string literal, with double quotes if that changes nothing else.
fn push_string(tokens: &mut Vec<u8>, literal: &str) {
    let quote = literal.find(['"', '\'']).unwrap_or(0);
    let (prefix, quoted) = literal.split_at(quote);
    let inner = quoted.get(1..quoted.len().saturating_sub(1));
    let inner = inner.unwrap_or_default();
    tokens.extend(prefix.bytes());
    if inner.contains(['"', '\'', '\\']) {
        tokens.extend(quoted.bytes());
    } else {
        tokens.extend(format!("\"{inner}\"").bytes());
    }
}

/// Source without a byte order mark and with `\n` line ends, as CPython reads it.
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

/// Functions located in a source in textual order, not yet extracted.
pub struct Definitions {
    source: String,
    definitions: Vec<Definition>,
    /// Docstrings, each with its replacement.
    docstrings: Vec<(Range<usize>, &'static str)>,
    /// String literals: lines within them are not dedented.
    strings: Vec<Range<usize>>,
}

impl Definitions {
    /// Functions of a source, located.
    ///
    /// # Errors
    /// As [`functions`].
    pub fn find(source: &str) -> Result<Self, PythonError> {
        let source = normalised(source);
        let (definitions, docstrings, strings) = parse(&source, |tree| {
            let mut finder = Finder {
                tree,
                lines: source.match_indices('\n').map(|(at, _)| at).collect(),
                names: Vec::new(),
                definitions: Vec::new(),
                docstrings: Vec::new(),
            };
            finder.visit_body(tree.body());
            let mut leaves = tree.leaves();
            leaves.retain(|leaf| {
                use TokenKind::{FStringEnd, String, TStringEnd};
                matches!(leaf.kind, String | FStringEnd | TStringEnd)
            });
            let strings = leaves.into_iter().map(|leaf| leaf.range).collect();
            (finder.definitions, finder.docstrings, strings)
        })?;
        if definitions.is_empty() {
            return Err(PythonError::NoFunction);
        }
        Ok(Self {
            source,
            definitions,
            docstrings,
            strings,
        })
    }

    /// Functions extracted one by one.
    pub fn functions(&self) -> impl Iterator<Item = Function> {
        let definitions = self.definitions.iter();
        definitions.filter_map(|definition| self.cut_out(definition))
    }

    /// Source of one function; `None` if extraction leaves anything but a single function.
    fn cut_out(&self, definition: &Definition) -> Option<Function> {
        let (source, span) = (&self.source, &definition.span);
        // A form feed resets the column, as in CPython.
        let before = &source[line_start(source, span.start)..span.start];
        let indentation = before.rsplit('\u{c}').next().map_or(0, str::len);
        let text = &source[span.clone()];
        let lines = text.match_indices('\n').map(|(at, _)| span.start + at + 1);
        let lines = lines.filter(|line| !self.is_in_string(*line));
        let outdent = |line| line..line + blank(&source[line..]).min(indentation);
        let outdents = lines.map(|line| Edit::new(outdent(line), ""));
        let before = |offset| self.docstrings.partition_point(|(at, _)| at.start < offset);
        let docstrings = &self.docstrings[before(span.start)..before(span.end)];
        let cuts = docstrings
            .iter()
            .map(|(at, text)| Edit::new(at.clone(), text));
        let extracted = edited(source, span.clone(), outdents.chain(cuts).collect());
        let extracted = extracted.trim_end().to_owned();

        let is_function = |tree: &Tree| matches!(tree.body(), [Stmt::FunctionDef(_)]);
        let last_line = definition.first_line + text.trim_end().matches('\n').count();
        parse(&extracted, is_function).ok()?.then(|| Function {
            name: definition.name.clone(),
            source: extracted,
            line: definition.line,
            lines: definition.first_line..=last_line,
            docstrings: docstrings.len(),
        })
    }

    fn is_in_string(&self, at: usize) -> bool {
        let before = self.strings.partition_point(|string| string.start < at);
        before > 0 && at < self.strings[before - 1].end
    }
}

struct Finder<'t> {
    tree: &'t Tree<'t>,
    /// Offsets of line ends.
    lines: Vec<usize>,
    /// Names of the enclosing definitions.
    names: Vec<&'t str>,
    definitions: Vec<Definition>,
    docstrings: Vec<(Range<usize>, &'static str)>,
}

impl Finder<'_> {
    /// End of a function, including trailing comments at its indentation.
    fn end(&self, function: &StmtFunctionDef) -> usize {
        let source = self.tree.source;
        let mut end = function.end().to_usize();
        let semicolon = end + blank(&source[end..]);
        if source[semicolon..].starts_with(';') {
            end = semicolon + 1;
        }
        let end = end_of_line(source, end);
        let body = function.body.first();
        let body = body.map_or(end, |first| first.start().to_usize());
        let Some(least) = indentation(source, body) else {
            return end;
        };
        let behind = self.tree.tokens_from(function.end()).iter();
        let behind = behind.take_while(|token| {
            token.kind().is_trivia() || matches!(token.kind(), TokenKind::Newline | TokenKind::Semi)
        });
        let comments =
            behind.filter(|token| token.kind().is_comment() && token.start().to_usize() >= end);
        let is_within = |comment: &&Token| {
            indentation(source, comment.start().to_usize()).is_some_and(|column| column >= least)
        };
        let last = comments.take_while(is_within).last();
        last.map_or(end, |comment| comment.end().to_usize())
    }
}

impl<'t> SourceOrderVisitor<'t> for Finder<'t> {
    fn visit_stmt(&mut self, statement: &'t Stmt) {
        let (name, body) = match statement {
            Stmt::FunctionDef(function) => (&function.name, &function.body),
            Stmt::ClassDef(class) => (&class.name, &class.body),
            _ => return walk_stmt(self, statement),
        };
        self.names.push(self.tree.text(name));
        let source = self.tree.source;
        self.docstrings.extend(docstring(body, source));
        if let Stmt::FunctionDef(function) = statement {
            let end = self.end(function);
            let decorators = function.decorator_list.last();
            let after = decorators.map_or(function.start(), Ranged::end);
            let is_def = |token: &&Token| matches!(token.kind(), TokenKind::Def | TokenKind::Async);
            let def = self.tree.tokens_from(after).iter().find(is_def);
            let def = def.map_or(after, Ranged::start).to_usize();
            let start = function.start().to_usize();
            let line_of = |at| self.lines.partition_point(|end| *end < at) + 1;
            self.definitions.push(Definition {
                name: self.names.join("."),
                span: start..end,
                first_line: line_of(start),
                line: line_of(def),
            });
        }
        self.visit_body(body);
        self.names.pop();
    }

    // Expressions contain no definitions.
    fn visit_expr(&mut self, _: &'t Expr) {}
}

/// Range of the docstring of a function or class, including its blank lines, and the replacement text.
fn docstring(body: &[Stmt], source: &str) -> Option<(Range<usize>, &'static str)> {
    let (first, rest) = body.split_first()?;
    // As in `ast.get_docstring`: a plain string literal and nothing else.
    let Stmt::Expr(statement) = first else {
        return None;
    };
    if !statement.value.is_string_literal_expr() {
        return None;
    }
    let (start, mut end) = (first.start().to_usize(), first.end().to_usize());
    if rest.is_empty() {
        return Some((start..end, "pass"));
    }
    end += blank(&source[end..]);
    if source[end..].starts_with(';') {
        end += 1 + blank(&source[end + 1..]);
    }
    let line = line_start(source, start);
    if source[line..start].trim().is_empty() && source[end..].starts_with('\n') {
        // A docstring alone on its lines: they go, with the blank lines after them.
        let rest = &source[end..];
        let below = rest.len() - rest.trim_start().len();
        let next = rest[..below].rfind('\n').map_or(end, |at| end + at + 1);
        return Some((line..next, ""));
    }
    Some((start..end, ""))
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Indentation of the token at `at`, with a tab as eight columns; `None` if it does not begin a line.
fn indentation(source: &str, at: usize) -> Option<usize> {
    let before = &source[line_start(source, at)..at];
    let before = before.rsplit('\u{c}').next().unwrap_or_default();
    let width = |c| match c {
        ' ' => Some(1),
        '\t' => Some(8),
        _ => None,
    };
    before.chars().map(width).sum()
}

/// Number of leading bytes of blanks.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\u{c}']).len()
}

/// End of a comment directly after `at`, else `at`.
fn end_of_line(source: &str, at: usize) -> usize {
    let rest = source[at..].lines().next().unwrap_or_default();
    let is_comment = rest.trim_start().starts_with('#');
    if is_comment { at + rest.len() } else { at }
}
