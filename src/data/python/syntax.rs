//! Python's syntax tree, by tree-sitter's grammar, which also takes some of Python 2's; that is refused here.
//! Trees are walked without recursion: machine-made sources nest deeper than a stack.

use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use super::PythonError;

/// Parses Python 3.
///
/// # Errors
/// With the first place that is no Python.
pub fn parse(source: &str) -> Result<Tree, PythonError> {
    let tree = parse_anyhow(source);
    let mut error = None;
    walk(tree.root_node(), |node, visit| {
        // The innermost is the one that says where: the whole text is in error if a part of it is.
        if visit == Visit::Leave && error.is_none() {
            error = wrong(node, source);
        }
        error.is_none()
    });
    match error {
        None => Ok(tree),
        Some(error) => Err(error),
    }
}

/// A tree of whatever this is; with errors in it where it is no Python.
pub fn parse_anyhow(source: &str) -> Tree {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .expect("the grammar's version is one this tree-sitter takes: both are pinned");
    parser
        .parse(source, None)
        .expect("nothing but a missing language or a cancellation stops the parser")
}

/// Whether [`walk`] comes down to a node or back up from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    Enter,
    Leave,
}

/// Visits a tree in the order of its text. The answer to [`Visit::Enter`] says whether to go
/// on to the children; there is always a [`Visit::Leave`], whose answer doesn't matter.
pub fn walk<'t>(root: Node<'t>, mut visit: impl FnMut(Node<'t>, Visit) -> bool) {
    let mut cursor = root.walk();
    loop {
        if visit(cursor.node(), Visit::Enter) && cursor.goto_first_child() {
            continue;
        }
        visit(cursor.node(), Visit::Leave);
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            visit(cursor.node(), Visit::Leave);
        }
    }
}

/// The text of a node.
pub fn text<'s>(node: Node, source: &'s str) -> &'s str {
    &source[node.byte_range()]
}

/// The named children that are no comments.
pub fn parts<'t>(node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    let mut cursor = node.walk();
    let children: Vec<_> = node.named_children(&mut cursor).collect();
    children.into_iter().filter(|child| !child.is_extra())
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

/// What in this node, apart from its children, is no Python 3.
fn wrong(node: Node, source: &str) -> Option<PythonError> {
    let line = node.start_position().row + 1;
    if node.is_missing() {
        let expected = node.kind().to_owned();
        return Some(PythonError::Missing { line, expected });
    }
    let is_wrong = match node.kind() {
        "ERROR" | "exec_statement" | "<>" => true,
        // `print >>file, text` is Python 3 too, if of no use.
        "print_statement" => parts(node).all(|part| part.kind() != "chevron"),
        "raise_statement" => parts(node).any(|part| part.kind() == "expression_list"),
        "integer" => {
            let digits = text(node, source);
            digits.ends_with(['l', 'L'])
                || (digits.starts_with('0') && digits.contains(|c| ('1'..='9').contains(&c)))
                    && digits
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'_')
        }
        _ => false,
    };
    is_wrong.then(|| {
        let found = text(node, source).lines().next().unwrap_or_default();
        let found = found.trim().chars().take(40).collect();
        PythonError::Syntax { line, found }
    })
}
