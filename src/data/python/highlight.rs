//! Syntax highlighting for an editor.

use std::{collections::HashMap, ops::Range};

use ruff_python_ast::{AnyNodeRef, Expr, token::TokenKind};
use ruff_text_size::{Ranged, TextSize};

use super::{parse::parse_lenient, syntax::Tree};

/// Token classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClass {
    /// Keyword: `def`, `None`.
    Keyword,
    /// Name in a definition.
    Definition,
    /// Name of a callee.
    Call,
    /// String literal.
    Text,
    /// Number literal.
    Number,
    /// Comment.
    Comment,
}

/// Highlighted spans of a source as byte ranges, in order and disjoint. Works on invalid sources too; a
/// source that exceeds Python's nesting limits has none.
pub fn highlight(source: &str) -> Vec<(Range<usize>, TokenClass)> {
    parse_lenient(source, parts).unwrap_or_default()
}

fn parts(tree: &Tree) -> Vec<(Range<usize>, TokenClass)> {
    let names = special_names(tree);
    let mut parts: Vec<(Range<usize>, TokenClass)> = Vec::new();
    let mut before = None;
    for token in tree.tokens() {
        let range = Range::<usize>::from(token.range());
        let kind = match token.kind() {
            TokenKind::Comment => Some(TokenClass::Comment),
            TokenKind::Int | TokenKind::Float | TokenKind::Complex => Some(TokenClass::Number),
            TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::TStringStart
            | TokenKind::TStringMiddle
            | TokenKind::TStringEnd => Some(TokenClass::Text),
            word if word.is_non_soft_keyword() => Some(TokenClass::Keyword),
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

/// Token classes of names and of soft keywords, by start offset.
fn special_names(tree: &Tree) -> HashMap<TextSize, TokenClass> {
    let mut names = HashMap::new();
    tree.walk(|node| {
        let (at, kind) = match node {
            AnyNodeRef::StmtFunctionDef(def) => (def.name.start(), TokenClass::Definition),
            AnyNodeRef::StmtClassDef(class) => (class.name.start(), TokenClass::Definition),
            AnyNodeRef::StmtMatch(_) | AnyNodeRef::MatchCase(_) | AnyNodeRef::StmtTypeAlias(_) => {
                (node.start(), TokenClass::Keyword)
            }
            AnyNodeRef::ExprCall(call) => match &*call.func {
                Expr::Name(name) => (name.start(), TokenClass::Call),
                Expr::Attribute(attribute) => (attribute.attr.start(), TokenClass::Call),
                _ => return,
            },
            _ => return,
        };
        names.insert(at, kind);
    });
    names
}
