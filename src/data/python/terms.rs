//! Terms of a function, for tf-idf: what it is made of, without the names it chose itself.

use std::collections::{BTreeMap, HashSet};

use ruff_python_ast::token::TokenKind;

use super::{kind::roles, normalised, parse::parse_lenient, scope::Names, syntax::Tree};

/// Number of occurrences of each term.
pub type TermCounts = BTreeMap<String, u32>;

/// Terms of a function by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Kinds of its syntax nodes.
    pub nodes: TermCounts,
    /// Its tokens, but for its own names and the text of strings.
    pub tokens: TermCounts,
    /// Words of its name.
    pub name: TermCounts,
    /// Its [roles].
    pub roles: TermCounts,
}

impl Terms {
    /// Terms of a source; of text whose nesting is too deep there are none.
    pub fn new(source: &str) -> Self {
        parse_lenient(&normalised(source), Self::of_tree).unwrap_or_default()
    }

    fn of_tree(tree: &Tree) -> Self {
        let mut terms = Self::default();
        tree.walk(|node| count(&mut terms.nodes, format!("{:?}", node.kind())));
        for role in roles(tree).into_iter().flatten() {
            count(&mut terms.roles, role.to_owned());
        }
        let names = Names::new(tree);
        let mut own: HashSet<usize> = names.own.iter().map(|place| place.at).collect();
        if let Some(function) = &names.function {
            own.insert(function.at);
            let words = function.name.split('_').filter(|word| !word.is_empty());
            words.for_each(|word| count(&mut terms.name, word.to_lowercase()));
        }
        for leaf in tree.leaves() {
            match leaf.kind {
                TokenKind::String | TokenKind::FStringEnd | TokenKind::TStringEnd => (),
                _ if own.contains(&leaf.range.start) => (),
                _ => count(&mut terms.tokens, tree.source[leaf.range].to_owned()),
            }
        }
        terms
    }
}

fn count(counts: &mut TermCounts, term: String) {
    *counts.entry(term).or_default() += 1;
}
