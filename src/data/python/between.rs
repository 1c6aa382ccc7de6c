//! Programs between two functions: statement by statement one becomes the other, and each stage is valid Python.

use ruff_python_ast::{Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::{normalised, parse::parse, syntax::Tree};

/// A function taken apart.
struct Parts {
    /// Decorators and the line of the `def`, up to its body.
    head: String,
    /// Statements of the body, each indented by four spaces.
    body: Vec<String>,
}

/// Programs on the way from `a` to `b`, both left out: first the head of `b`, then its statements from the top, each in the
/// place of as large a part of those of `a`. None where one of them is no function, or where they differ in one part only.
pub fn between(a: &str, b: &str) -> Vec<String> {
    let [Some(from), Some(to)] = [a, b].map(|text| parts(&normalised(text))) else {
        return Vec::new();
    };
    let stages = from.body.len().max(to.body.len());
    let mut programs: Vec<String> = Vec::new();
    for stage in 0..stages {
        let [done, gone] = [&to, &from].map(|parts| (stage * parts.body.len()).div_ceil(stages));
        let body = to.body[..done].iter().chain(&from.body[gone..]);
        let body: Vec<&str> = body.map(String::as_str).collect();
        let program = format!("{}{}", to.head, body.join("\n"));
        let is_new = programs.last().is_none_or(|last| *last != program);
        if is_new && program != a && program != b && parse(&program, |_| ()).is_ok() {
            programs.push(program);
        }
    }
    programs
}

fn parts(source: &str) -> Option<Parts> {
    let found = parse(source, |tree| {
        let [Stmt::FunctionDef(function)] = tree.body() else {
            return None;
        };
        Some(parts_of(tree, function))
    });
    found.ok().flatten()
}

fn parts_of(tree: &Tree, function: &StmtFunctionDef) -> Parts {
    let first = function
        .body
        .first()
        .map_or(0, |statement| statement.start().to_usize());
    let before = tree.source[..first].trim_end();
    let statements = function.body.iter().map(|statement| {
        let text = tree.text(statement);
        // Lines of a statement but its first keep the function's indent.
        let start = statement.start().to_usize();
        let line = tree.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let indent = start - line;
        let lines = text.lines().enumerate().map(|(nth, line)| {
            let own = match nth {
                0 => line,
                _ => line.strip_prefix(&" ".repeat(indent)).unwrap_or(line),
            };
            match own.is_empty() {
                true => String::new(),
                false => format!("    {own}"),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Parts {
        head: format!("{before}\n"),
        body: statements.collect(),
    }
}
