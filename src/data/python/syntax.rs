//! Python's syntax tree and tokens, by ruff's parser. Python itself reads only so much nesting; sources
//! beyond that are refused before they are parsed, and trees are walked and dropped on a stack that is
//! large enough for what is left.

use std::ops::Range;

use ruff_python_ast::{
    AnyNodeRef, ModModule, PythonVersion, Stmt,
    token::{Token, TokenKind},
    visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node},
};
use ruff_python_parser::{Mode, ParseOptions, Parsed, UnsupportedSyntaxErrorKind, parse_unchecked};
use ruff_text_size::{Ranged, TextSize};

use super::{PythonError, depth::depth, laxity::first_laxity};

/// Stack for what doesn't nest.
const BASE_STACK_BYTES: usize = 128 << 10;
/// Stack for a level of nesting; less than 250 bytes were measured.
const LEVEL_STACK_BYTES: usize = 2 << 10;

/// A syntax tree and the tokens it is made of.
pub struct Tree<'s> {
    source: &'s str,
    parsed: Parsed<ModModule>,
}

/// Result of `work` on the tree of a source that is Python 3.
///
/// # Errors
/// With the first place that is no Python.
pub fn parse<T>(source: &str, work: impl FnOnce(&Tree) -> T) -> Result<T, PythonError> {
    parse_anyhow(source, |tree| match tree.error() {
        Some(error) => Err(error),
        None => Ok(work(tree)),
    })?
}

/// Result of `work` on the tree of any text, with errors in it where it is no Python.
///
/// # Errors
/// If it nests deeper than Python itself reads.
pub fn parse_anyhow<T>(source: &str, work: impl FnOnce(&Tree) -> T) -> Result<T, PythonError> {
    let depth = depth(source)?;
    let bytes = BASE_STACK_BYTES + depth * LEVEL_STACK_BYTES;
    Ok(stacker::maybe_grow(bytes, bytes, || {
        // `except A, B:` is Python 3.14, but nearly always Python 2, where it means something else.
        let options = ParseOptions::from(Mode::Module).with_target_version(PythonVersion::PY313);
        let parsed = parse_unchecked(source, options).try_into_module();
        let parsed = parsed.expect("a module: this is the mode it was parsed in");
        work(&Tree { source, parsed })
    }))
}

impl<'s> Tree<'s> {
    /// The statements of the module.
    pub fn body(&self) -> &[Stmt] {
        self.parsed.suite()
    }

    /// All tokens, comments too.
    pub fn tokens(&self) -> &[Token] {
        self.parsed.tokens()
    }

    /// The tokens that begin at a place or behind it.
    pub fn tokens_from(&self, at: TextSize) -> &[Token] {
        let tokens = self.tokens();
        &tokens[tokens.partition_point(|token| token.start() < at)..]
    }

    /// The source.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// The text of a node or token.
    pub fn text(&self, of: impl Ranged) -> &'s str {
        &self.source[of.range()]
    }

    /// The tokens that count, each text literal as one: comments and layout are left out, and what is
    /// within an f-string has no token of its own.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        let mut open = Vec::new();
        for token in self.tokens() {
            let range = Range::<usize>::from(token.range());
            match token.kind() {
                TokenKind::Comment
                | TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
                | TokenKind::EndOfFile => (),
                TokenKind::FStringStart | TokenKind::TStringStart => open.push(range.start),
                kind @ (TokenKind::FStringEnd | TokenKind::TStringEnd) => {
                    if let Some(start) = open.pop().filter(|_| open.is_empty()) {
                        let range = start..range.end;
                        leaves.push(Leaf { kind, range });
                    }
                }
                kind if open.is_empty() => leaves.push(Leaf { kind, range }),
                _ => (),
            }
        }
        leaves
    }

    /// Visits all nodes in the order of the text.
    pub fn walk<'t>(&'t self, visit: impl FnMut(AnyNodeRef<'t>)) {
        walk_node(&mut Walk(visit), self.parsed.syntax().into());
    }

    /// The first place that is no Python 3.
    fn error(&self) -> Option<PythonError> {
        let source = self.source;
        // `raise;` is Python, but not for ruff.
        let is_raise = |at: usize| {
            let before = source[..at].trim_end_matches([' ', '\t']);
            source[at..].starts_with(';') && before.ends_with("raise")
        };
        let errors = self.parsed.errors().iter();
        let errors = errors.map(|error| (error.location.start().to_usize(), &error.error));
        let wrong = errors.filter(|(at, _)| !is_raise(*at));
        let wrong = wrong.min_by_key(|(at, _)| *at);
        let wrong = wrong.map(|(at, error)| (at, error.to_string()));
        let mut newer = self.parsed.unsupported_syntax_errors().iter();
        let python2 = newer
            .find(|error| error.kind == UnsupportedSyntaxErrorKind::UnparenthesizedExceptionTypes);
        let python2 = python2.map(|error| {
            let reason = "several exceptions need parentheses".to_owned();
            (error.range.start().to_usize(), reason)
        });
        let laxity = first_laxity(self).map(|(at, reason)| (at, reason.to_owned()));
        let all = [wrong, python2, laxity].into_iter().flatten();
        let (at, reason) = all.min_by_key(|(at, _)| *at)?;
        Some(syntax_error(source, at, &reason))
    }
}

/// A token, or all of an f-string.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its kind.
    pub kind: TokenKind,
    /// Its place, in bytes.
    pub range: Range<usize>,
}

/// Tokens that end an operand: an operator behind them stands between two.
pub fn ends_operand(kind: TokenKind) -> bool {
    kind.is_singleton()
        || kind.is_soft_keyword()
        || matches!(
            kind,
            TokenKind::Name
                | TokenKind::Int
                | TokenKind::Float
                | TokenKind::Complex
                | TokenKind::String
                | TokenKind::FStringEnd
                | TokenKind::TStringEnd
                | TokenKind::Ellipsis
                | TokenKind::Rpar
                | TokenKind::Rsqb
                | TokenKind::Rbrace
        )
}

struct Walk<F>(F);

impl<'a, F: FnMut(AnyNodeRef<'a>)> SourceOrderVisitor<'a> for Walk<F> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        (self.0)(node);
        TraversalSignal::Traverse
    }
}

/// An error that says what is wrong at a place of a source.
fn syntax_error(source: &str, at: usize, reason: &str) -> PythonError {
    // At the end of the text there is nothing to show.
    let at = match source[at..].trim().is_empty() {
        true => source[..at].trim_end().len(),
        false => at,
    };
    let found = source[at..].lines().next().unwrap_or_default().trim();
    let mut reason = reason.to_owned();
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    PythonError::Syntax {
        line: source[..at].matches('\n').count() + 1,
        found: found.chars().take(40).collect(),
        reason,
    }
}

/// A replacement in a text.
pub struct Edit {
    at: Range<usize>,
    text: String,
}

impl Edit {
    /// Puts `text` where `at` was.
    pub fn new(at: Range<usize>, text: &str) -> Self {
        Self {
            at,
            text: text.to_owned(),
        }
    }
}

/// The part `span` of a text after edits; where they overlap, the one that begins first counts.
pub fn edited(source: &str, span: Range<usize>, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.at.start, std::cmp::Reverse(edit.at.end)));
    let mut result = String::with_capacity(span.len());
    let mut done = span.start;
    for edit in edits {
        if edit.at.start >= done && edit.at.end <= span.end {
            result.push_str(&source[done..edit.at.start]);
            result.push_str(&edit.text);
            done = edit.at.end;
        }
    }
    result.push_str(&source[done..span.end]);
    result
}
