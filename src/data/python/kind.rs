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
        let roles = roles(tree)?;
        let is = |role: &str| roles.contains(&role);
        Some(match (is("loop"), is("comprehension")) {
            _ if is("initialiser") => Self::Initialiser,
            _ if is("test") => Self::Test,
            (false, false) if is("getter") => Self::Getter,
            (false, true) => Self::Comprehension,
            (true, false) => Self::Loop,
            _ => return None,
        })
    }
}

/// True for names with a meaning of their own, as `__init__`.
pub fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// Roles and forms of the one function of a source, by which people tell functions apart at a glance: whether it is a test,
/// has a loop, is of one statement... `None` if it is no function.
pub fn roles(tree: &Tree) -> Option<Vec<&'static str>> {
    let [Stmt::FunctionDef(function)] = tree.body() else {
        return None;
    };
    let name = function.name.as_str();
    let is_property = function
        .decorator_list
        .iter()
        .any(|decorator| tree.text(&decorator.expression) == "property");
    let is_short = function.body.len() == 1;
    let named = [
        ("initialiser", name == "__init__"),
        ("test", name.starts_with("test")),
        ("special", is_special(name)),
        ("one statement", is_short),
        (
            "getter",
            is_short && (is_property || name.starts_with("get")),
        ),
    ];
    let named = named
        .into_iter()
        .filter_map(|(role, is)| is.then_some(role));
    let mut roles: Vec<&str> = named.collect();
    tree.walk(|node| {
        let form = match node {
            AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_) => "loop",
            AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprSetComp(_)
            | AnyNodeRef::ExprDictComp(_)
            | AnyNodeRef::ExprGenerator(_) => "comprehension",
            AnyNodeRef::StmtIf(_) => "branch",
            AnyNodeRef::StmtTry(_) => "try",
            AnyNodeRef::StmtWith(_) => "with",
            AnyNodeRef::StmtRaise(_) => "raise",
            AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => "generator",
            AnyNodeRef::ExprAwait(_) => "coroutine",
            AnyNodeRef::StmtAssert(_) => "assert",
            _ => return,
        };
        if !roles.contains(&form) {
            roles.push(form);
        }
    });
    Some(roles)
}
