//! What the parts of a source are, for an editor's colours.

use std::ops::Range;

use tree_sitter::Node;

use super::syntax::{Visit, parse_anyhow, walk};

/// What a part of a source is.
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
/// theirs too.
pub fn highlight(source: &str) -> Vec<(Range<usize>, Kind)> {
    let tree = parse_anyhow(source);
    let mut parts: Vec<(Range<usize>, Kind)> = Vec::new();
    walk(tree.root_node(), |node, visit| {
        if visit == Visit::Leave {
            return false;
        }
        let kind = kind(node);
        parts.extend(kind.map(|kind| (node.byte_range(), kind)));
        kind.is_none()
    });
    parts
}

fn kind(node: Node) -> Option<Kind> {
    match node.kind() {
        "comment" => Some(Kind::Comment),
        "string_start" | "string_content" | "string_end" => Some(Kind::Text),
        "integer" | "float" => Some(Kind::Number),
        "true" | "false" | "none" => Some(Kind::Keyword),
        "identifier" => {
            let parent = node.parent()?;
            let is = |field| parent.child_by_field_name(field) == Some(node);
            match parent.kind() {
                "function_definition" | "class_definition" => {
                    is("name").then_some(Kind::Definition)
                }
                "call" => is("function").then_some(Kind::Call),
                "attribute" => {
                    let called = parent.parent()?.child_by_field_name("function");
                    (is("attribute") && called == Some(parent)).then_some(Kind::Call)
                }
                _ => None,
            }
        }
        // `is not` and `not in` are one token each.
        word if !node.is_named() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b' ') => {
            Some(Kind::Keyword)
        }
        _ => None,
    }
}
