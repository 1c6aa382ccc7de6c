//! Kinds of functions that people tell at a glance.

use ruff_python_ast::{AnyNodeRef, Stmt};

use super::{normalised, parse::parse, syntax::Tree};

/// Kind of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Returns an attribute, by its name `get..` or as a property.
    Getter,
    /// `__init__`.
    Initialiser,
    /// A test, by its name.
    Test,
    /// With a comprehension and no loop.
    Comprehension,
    /// With a loop and no comprehension.
    Loop,
}

impl Kind {
    /// Kind of the one function of a source; `None` if it has another kind, or is no function.
    pub fn of(source: &str) -> Option<Self> {
        parse(&normalised(source), Self::of_tree).ok().flatten()
    }

    fn of_tree(tree: &Tree) -> Option<Self> {
        let [Stmt::FunctionDef(function)] = tree.body() else {
            return None;
        };
        let (mut loops, mut comprehensions) = (0, 0);
        tree.walk(|node| match node {
            AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_) => loops += 1,
            AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprSetComp(_)
            | AnyNodeRef::ExprDictComp(_)
            | AnyNodeRef::ExprGenerator(_) => comprehensions += 1,
            _ => (),
        });
        let name = function.name.as_str();
        let is_property = function
            .decorator_list
            .iter()
            .any(|decorator| tree.text(&decorator.expression) == "property");
        let is_short = function.body.len() == 1 && loops + comprehensions == 0;
        match (loops, comprehensions) {
            _ if name == "__init__" => Some(Self::Initialiser),
            _ if name.starts_with("test") => Some(Self::Test),
            _ if is_short && (is_property || name.starts_with("get")) => Some(Self::Getter),
            (0, 1..) => Some(Self::Comprehension),
            (1.., 0) => Some(Self::Loop),
            _ => None,
        }
    }
}
