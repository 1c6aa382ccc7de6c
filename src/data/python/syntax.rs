//! Syntax trees and tokens of Python, and edits of its text.

use std::ops::Range;

use ruff_python_ast::{
    AnyNodeRef, ModModule, Stmt,
    token::{Token, TokenKind},
    visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node},
};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange, TextSize};

/// Syntax tree and its tokens.
pub struct Tree<'s> {
    /// Source text.
    pub source: &'s str,
    /// Result of the parser for it, with its errors.
    pub parsed: Parsed<ModModule>,
}

impl<'s> Tree<'s> {
    /// Statements of the module.
    pub fn body(&self) -> &[Stmt] {
        self.parsed.suite()
    }

    /// All tokens, comments included.
    pub fn tokens(&self) -> &[Token] {
        self.parsed.tokens()
    }

    /// Tokens that start at or after an offset.
    pub fn tokens_from(&self, at: TextSize) -> &[Token] {
        let tokens = self.tokens();
        &tokens[tokens.partition_point(|token| token.start() < at)..]
    }

    /// Tokens in a part.
    pub fn tokens_in(&self, part: TextRange) -> impl Iterator<Item = &Token> {
        let tokens = self.tokens_from(part.start()).iter();
        tokens.take_while(move |token| token.end() <= part.end())
    }

    /// Text of a node or token.
    pub fn text(&self, of: impl Ranged) -> &'s str {
        &self.source[of.range()]
    }

    /// Significant tokens, each string literal as one: without comments and layout, and without the tokens
    /// inside an f-string.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        let mut open = Vec::new();
        for token in self.tokens() {
            let range = Range::<usize>::from(token.range());
            match token.kind() {
                kind if kind.is_trivia() => (),
                TokenKind::Newline
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

    /// Visits all nodes in textual order.
    pub fn walk<'t>(&'t self, visit: impl FnMut(AnyNodeRef<'t>)) {
        walk_node(&mut Walk(visit), self.parsed.syntax().into());
    }
}

/// Token, or a whole f-string.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Token kind.
    pub kind: TokenKind,
    /// Byte range.
    pub range: Range<usize>,
}

/// True for tokens that end an operand: a following operator is binary.
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

/// True for comparison signs.
pub fn is_comparison(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::EqEqual
            | TokenKind::NotEqual
            | TokenKind::Less
            | TokenKind::LessEqual
            | TokenKind::Greater
            | TokenKind::GreaterEqual
    )
}

struct Walk<F>(F);

impl<'a, F: FnMut(AnyNodeRef<'a>)> SourceOrderVisitor<'a> for Walk<F> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        (self.0)(node);
        TraversalSignal::Traverse
    }
}

/// Replacement in a text.
pub struct Edit {
    at: Range<usize>,
    text: String,
}

impl Edit {
    /// Replaces the range `at` by `text`.
    pub fn new(at: Range<usize>, text: &str) -> Self {
        Self {
            at,
            text: text.to_owned(),
        }
    }
}

/// Part `span` of a text after edits; of overlapping edits, the one that starts first is applied.
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
