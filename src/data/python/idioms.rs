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

use super::{normalised, parse::parse_lenient, scope::Names, syntax::Tree, terms::TermCounts};

/// Kinds of idioms, each the first character of its own.
const TOKEN: char = 't';
const WORD: char = 'w';
const OPERATION: char = 'o';
const OPERAND: char = 'r';
const SUBSCRIPT: char = 's';
const PARAMETERS: char = 'p';

/// Longest string whose words count, in bytes; longer ones are messages.
const LONGEST_STRING: usize = 40;
/// Words of a string that count.
const WORDS: usize = 6;
/// Tokens of a subscript that tell it apart.
const SUBSCRIPT_TOKENS: usize = 6;
/// Longest string that is an idiom itself, as a separator is.
const SHORT: usize = 3;

/// Numbers of the idioms of a function, or of other Python: attributes, names of others, constants and operators (`t`), words
/// of strings (`w`), operations with both operands (`o`) and with the right one (`r`), subscripts (`s`) and the number of
/// parameters (`p`). Names of its own count as one; annotations, decorators and docstrings don't count. Text that is no
/// Python has those of what can be parsed.
pub fn idioms(source: &str) -> TermCounts {
    parse_lenient(&normalised(source), |tree| Finder::new(tree).found()).unwrap_or_default()
}

/// Weight of an idiom by its kind, before any is learnt: forms that many functions share say less.
pub fn prior_weight(idiom: &str) -> f32 {
    match idiom.chars().next() {
        Some(OPERAND | SUBSCRIPT | PARAMETERS) => 0.5,
        _ => 1.0,
    }
}

struct Finder<'t> {
    tree: &'t Tree<'t>,
    /// Places of the function's own names.
    own: HashSet<usize>,
    function: Option<&'t str>,
    counts: TermCounts,
}

impl<'t> Finder<'t> {
    fn new(tree: &'t Tree<'t>) -> Self {
        let names = Names::new(tree);
        Self {
            own: names.own.iter().map(|place| place.at).collect(),
            function: names.function.as_ref().map(|function| function.name),
            tree,
            counts: TermCounts::new(),
        }
    }

    fn found(mut self) -> TermCounts {
        let body = match self.tree.body() {
            [Stmt::FunctionDef(function)] => {
                self.add(PARAMETERS, &function.parameters.len().to_string());
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

    /// Text of a subscript, of which names are all alike.
    fn form(&self, subscript: &Expr) -> String {
        let range = subscript.range();
        let tokens = self.tree.tokens_from(range.start()).iter();
        let tokens = tokens.take_while(|token| token.end() <= range.end());
        let words = tokens.map(|token| match token.kind() {
            TokenKind::Name => "x",
            _ => self.tree.text(token),
        });
        words.take(SUBSCRIPT_TOKENS).collect()
    }

    fn words(&mut self, text: &str) {
        if text.len() < LONGEST_STRING {
            let words = text.split(|c: char| !c.is_alphanumeric());
            for word in words.filter(|word| !word.is_empty()).take(WORDS) {
                self.add(WORD, &word.to_lowercase());
            }
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
        if let Some(leaf) = self.leaf(expression) {
            self.add(TOKEN, &leaf);
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

    fn visit_annotation(&mut self, _: &'t Expr) {}

    fn visit_parameters(&mut self, _: &'t Parameters) {}

    fn visit_decorator(&mut self, _: &'t Decorator) {}
}

/// True for a docstring or another text that stands alone.
fn is_text(statement: &Stmt) -> bool {
    statement
        .as_expr_stmt()
        .is_some_and(|of| of.value.is_string_literal_expr())
}
