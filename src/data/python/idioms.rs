//! Idioms of a function: what it computes with, whatever its author called things.

use std::collections::HashSet;

use ruff_python_ast::{
    AnyNodeRef, Decorator, Expr, InterpolatedStringElement, Number, Parameters, Stmt,
    token::TokenKind,
    visitor::source_order::{
        SourceOrderVisitor, walk_expr, walk_interpolated_string_element, walk_stmt,
    },
};
use ruff_text_size::Ranged;

use super::{
    kind::is_special, normalised, parse::parse_lenient, scope::Names, syntax::Tree,
    terms::TermCounts,
};

/// Kinds of idioms, each the first character of its own.
const TOKEN: char = 't';
const WORD: char = 'w';
const OPERATION: char = 'o';
const OPERAND: char = 'r';
const SUBSCRIPT: char = 's';
const PARAMETERS: char = 'p';
const ASIDE: char = 'a';

/// Longest string whose words say what is computed, in bytes; longer ones are messages.
const LONGEST_STRING: usize = 40;
/// Words of a string that count, the first ones.
const WORDS: usize = 6;
/// Tokens of a subscript that tell it apart.
const SUBSCRIPT_TOKENS: usize = 6;
/// Longest string that is an idiom itself, as a separator is.
const SHORT: usize = 3;

/// Numbers of the idioms of a function, or of other Python: attributes, names of others, constants and operators (`t`), words
/// of strings (`w`), operations with both operands (`o`) and with the right one (`r`), subscripts (`s`) and the number of
/// parameters (`p`); and asides (`a`), by which functions that compute the same are told apart: decorators, annotations,
/// defaults, messages, and a name such as `__init__`. Names of its own tell nothing, nor do docstrings. Text that is no Python
/// has those of what can be parsed.
pub fn idioms(source: &str) -> TermCounts {
    parse_lenient(&normalised(source), |tree| Finder::new(tree).found()).unwrap_or_default()
}

/// True for an aside.
pub fn is_aside(idiom: &str) -> bool {
    idiom.starts_with(ASIDE)
}

/// Weight of an idiom by its kind, before any is learnt: forms that many functions share say less.
pub fn prior_weight(idiom: &str) -> f32 {
    match idiom.chars().next() {
        Some(OPERAND | SUBSCRIPT | PARAMETERS) => 0.5,
        Some(ASIDE) => 0.25,
        _ => 1.0,
    }
}

struct Finder<'t> {
    tree: &'t Tree<'t>,
    /// Places of the function's own names.
    own: HashSet<usize>,
    function: Option<&'t str>,
    /// True within decorators, annotations and defaults.
    is_aside: bool,
    counts: TermCounts,
}

impl<'t> Finder<'t> {
    fn new(tree: &'t Tree<'t>) -> Self {
        let names = Names::new(tree);
        Self {
            own: names.own.iter().map(|place| place.at).collect(),
            function: names.function.as_ref().map(|function| function.name),
            is_aside: false,
            tree,
            counts: TermCounts::new(),
        }
    }

    fn found(mut self) -> TermCounts {
        let body = match self.tree.body() {
            [Stmt::FunctionDef(function)] => {
                self.add(PARAMETERS, &function.parameters.len().to_string());
                if is_special(&function.name) {
                    self.add(ASIDE, &function.name);
                }
                function
                    .decorator_list
                    .iter()
                    .for_each(|decorator| self.visit_decorator(decorator));
                self.visit_parameters(&function.parameters);
                if let Some(returns) = &function.returns {
                    self.add_aside(returns);
                }
                &function.body[..]
            }
            body => body,
        };
        let body = match body {
            [first, rest @ ..] if !rest.is_empty() && is_text(first) => rest,
            body => body,
        };
        body.iter().for_each(|statement| self.visit_stmt(statement));
        self.counts
    }

    fn add(&mut self, kind: char, text: &str) {
        *self.counts.entry(format!("{kind}{text}")).or_default() += 1;
    }

    /// Name, attribute or constant; `None` for names of its own and for what has parts.
    fn leaf(&self, expression: &Expr) -> Option<String> {
        Some(match expression {
            Expr::Name(name) if Some(name.id.as_str()) == self.function => "<itself>".to_owned(),
            Expr::Name(name) if self.own.contains(&name.start().to_usize()) => return None,
            Expr::Name(name) => name.id.to_string(),
            Expr::Attribute(attribute) => format!(".{}", attribute.attr),
            Expr::StringLiteral(text) => match text.value.to_str() {
                text if text.len() <= SHORT => format!("{text:?}"),
                _ => "<text>".to_owned(),
            },
            Expr::BytesLiteral(_) => "<bytes>".to_owned(),
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(_) | Number::Complex { .. } => self.tree.text(number).to_lowercase(),
                Number::Float(value) => value.to_string(),
            },
            Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) | Expr::EllipsisLiteral(_) => {
                self.tree.text(expression).to_owned()
            }
            _ => return None,
        })
    }

    /// Leaf, or kind of what has parts.
    fn short(&self, expression: &Expr) -> String {
        let kind = || format!("{:?}", AnyNodeRef::from(expression).kind());
        self.leaf(expression).unwrap_or_else(kind)
    }

    fn operation(&mut self, left: Option<&Expr>, operator: &str, right: &Expr) {
        let right = self.short(right);
        self.add(TOKEN, operator);
        self.add(OPERAND, &format!("{operator} {right}"));
        if let Some(left) = left {
            let left = self.short(left);
            self.add(OPERATION, &format!("{left} {operator} {right}"));
        }
    }

    /// Adds the leaves of a decorator, an annotation or a default.
    fn add_aside(&mut self, expression: &'t Expr) {
        let before = std::mem::replace(&mut self.is_aside, true);
        self.visit_expr(expression);
        self.is_aside = before;
    }

    /// Text of a subscript, of which names are all alike.
    fn form(&self, subscript: &Expr) -> String {
        let tokens = self.tree.tokens_in(subscript.range());
        let words = tokens.map(|token| match token.kind() {
            TokenKind::Name => "x",
            _ => self.tree.text(token),
        });
        words.take(SUBSCRIPT_TOKENS).collect()
    }

    fn words(&mut self, text: &str) {
        let kind = match text.len() < LONGEST_STRING {
            true => WORD,
            false => ASIDE,
        };
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| !word.is_empty()).take(WORDS) {
            self.add(kind, &word.to_lowercase());
        }
    }
}

impl<'t> SourceOrderVisitor<'t> for Finder<'t> {
    fn visit_stmt(&mut self, statement: &'t Stmt) {
        if let Stmt::AugAssign(of) = statement {
            self.operation(None, of.op.as_str(), &of.value);
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'t Expr) {
        let kind = if self.is_aside { ASIDE } else { TOKEN };
        if let Some(leaf) = self.leaf(expression) {
            self.add(kind, &leaf);
        }
        if self.is_aside {
            return walk_expr(self, expression);
        }
        match expression {
            Expr::BinOp(of) => self.operation(Some(&of.left), of.op.as_str(), &of.right),
            Expr::UnaryOp(of) => self.add(TOKEN, &format!("unary {}", of.op.as_str())),
            Expr::BoolOp(of) => self.add(TOKEN, of.op.as_str()),
            Expr::Compare(of) => {
                let mut left = &*of.left;
                for (operator, right) in of.ops.iter().zip(&of.comparators) {
                    self.operation(Some(left), operator.as_str(), right);
                    left = right;
                }
            }
            Expr::Subscript(of) => {
                let form = self.form(&of.slice);
                self.add(SUBSCRIPT, &form);
            }
            Expr::StringLiteral(of) => self.words(of.value.to_str()),
            _ => (),
        }
        walk_expr(self, expression);
    }

    fn visit_interpolated_string_element(&mut self, element: &'t InterpolatedStringElement) {
        if let InterpolatedStringElement::Literal(literal) = element {
            self.words(&literal.value);
        }
        walk_interpolated_string_element(self, element);
    }

    fn visit_annotation(&mut self, annotation: &'t Expr) {
        self.add_aside(annotation);
    }

    fn visit_parameters(&mut self, parameters: &'t Parameters) {
        for parameter in parameters.iter_source_order() {
            let parts = [parameter.annotation(), parameter.default()];
            parts
                .into_iter()
                .flatten()
                .for_each(|part| self.add_aside(part));
        }
    }

    fn visit_decorator(&mut self, decorator: &'t Decorator) {
        self.add_aside(&decorator.expression);
    }
}

/// True for a docstring or another text that stands alone.
fn is_text(statement: &Stmt) -> bool {
    statement
        .as_expr_stmt()
        .is_some_and(|of| of.value.is_string_literal_expr())
}
