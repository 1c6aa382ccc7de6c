//! Syntax highlighting for an editor.

use std::{collections::HashMap, ops::Range};

use ruff_python_ast::{AnyNodeRef, Expr, token::TokenKind};
use ruff_text_size::{Ranged, TextSize};

use super::syntax::{Tree, parse_anyhow};

/// Kinds of parts of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word of the language: `def`, `None`.
    Keyword,
    /// The name a definition gives.
    Definition,
    /// The name of what is called.
    Call,
    /// A text literal.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
}

/// The parts of a source that are something special, as bytes, in order and apart. Broken sources have
/// theirs too; only what nests deeper than Python reads has none.
pub fn highlight(source: &str) -> Vec<(Range<usize>, Kind)> {
    parse_anyhow(source, parts).unwrap_or_default()
}

fn parts(tree: &Tree) -> Vec<(Range<usize>, Kind)> {
    let names = special_names(tree);
    let mut parts: Vec<(Range<usize>, Kind)> = Vec::new();
    let mut before = None;
    for token in tree.tokens() {
        let range = Range::<usize>::from(token.range());
        let kind = match token.kind() {
            TokenKind::Comment => Some(Kind::Comment),
            TokenKind::Int | TokenKind::Float | TokenKind::Complex => Some(Kind::Number),
            TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::TStringStart
            | TokenKind::TStringMiddle
            | TokenKind::TStringEnd => Some(Kind::Text),
            word if word.is_non_soft_keyword() => Some(Kind::Keyword),
            _ => names.get(&token.start()).copied(),
        };
        match (before, token.kind(), parts.last_mut()) {
            // `is not` and `not in` are one word each.
            (Some(TokenKind::Is), TokenKind::Not, Some((last, _)))
            | (Some(TokenKind::Not), TokenKind::In, Some((last, _))) => last.end = range.end,
            _ => parts.extend(kind.filter(|_| !range.is_empty()).map(|kind| (range, kind))),
        }
        before = Some(token.kind());
    }
    parts
}

/// The names with a colour, and the words that are a keyword in some places only, by where they begin.
fn special_names(tree: &Tree) -> HashMap<TextSize, Kind> {
    let mut names = HashMap::new();
    tree.walk(|node| {
        let (at, kind) = match node {
            AnyNodeRef::StmtFunctionDef(function) => (function.name.start(), Kind::Definition),
            AnyNodeRef::StmtClassDef(class) => (class.name.start(), Kind::Definition),
            AnyNodeRef::StmtMatch(_) | AnyNodeRef::MatchCase(_) | AnyNodeRef::StmtTypeAlias(_) => {
                (node.start(), Kind::Keyword)
            }
            AnyNodeRef::ExprCall(call) => match &*call.func {
                Expr::Name(name) => (name.start(), Kind::Call),
                Expr::Attribute(attribute) => (attribute.attr.start(), Kind::Call),
                _ => return,
            },
            _ => return,
        };
        names.insert(at, kind);
    });
    names
}
