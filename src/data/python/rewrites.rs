//! Rewrites of a function: the same task as another person might have done it, with a loop for a comprehension,
//! the branches of an `if` the other way round, and so on.

use std::{collections::HashMap, ops::Range, slice::from_ref};

use rand::{Rng, RngExt, seq::SliceRandom};
use ruff_python_ast::{
    AnyNodeRef, BoolOp, CmpOp, Comprehension, Expr, ExprCompare, Operator,
    OperatorPrecedence as Level, Stmt, StmtAssign, StmtFor, StmtFunctionDef, StmtIf, UnaryOp,
    helpers::any_over_expr,
    token::{Token, TokenKind},
    visitor::source_order::{SourceOrderVisitor, walk_body, walk_expr, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange};

use super::{
    line_start, normalised,
    parse::parse,
    syntax::{Edit, Tree, edited},
};

/// Variant of a function with the same meaning, as far as its syntax tells, and another form: `x += 1` for
/// `x = x + 1`, a loop for a comprehension, an early return for an `if`. `None` if no rule applies, or
/// `source` is no Python.
pub fn rewritten(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let draw = rng.random_range(0..1000);
    let mut found = parse(&source, |tree| Finder::rewrites(tree, draw)).ok()?;
    found.shuffle(rng);
    let mut picked: Vec<&Rewrite> = Vec::new();
    for rewrite in &found {
        let is_apart = |other: &&Rewrite| rewrite.0.intersect(other.0).is_none();
        if picked.iter().all(is_apart) && rng.random_bool(0.7) {
            picked.push(rewrite);
        }
    }
    if picked.is_empty() {
        picked.extend(found.first());
    }
    let edits = picked.iter().map(|(at, text)| Edit::new((*at).into(), text));
    let result = edited(&source, 0..source.len(), edits.collect());
    (result != source && parse(&result, |_| ()).is_ok()).then_some(result)
}

/// Callees that observe the locals, whose number changes.
const OBSERVERS: [&str; 5] = ["locals", "eval", "exec", "vars", "dir"];
/// Names of new variables.
const RESULTS: &str = "result results output out outcome ret res value answer found";
const TOTALS: &str = "total result count amount summed";

/// Part of a source and the text in its place.
type Rewrite = (TextRange, String);

/// Rules for the first statements of the rest of a block.
const RULES: [fn(&Facts, &[Stmt]) -> Option<Rewrite>; 13] = [
    augmentation,
    other_branch_first,
    named_result,
    unnamed_result,
    conditional,
    branches,
    comprehension,
    unrolled,
    quantifier,
    search,
    counting,
    nested_conditions,
    joined_conditions,
];

struct Finder<'t> {
    facts: Facts<'t>,
    found: Vec<Rewrite>,
}

impl<'t> Finder<'t> {
    /// All rewrites of a function; some overlap.
    fn rewrites(tree: &'t Tree<'t>, draw: usize) -> Vec<Rewrite> {
        let facts = Facts::new(tree, draw);
        let found = Vec::new();
        let mut finder = Self { facts, found };
        if !OBSERVERS.iter().any(|name| finder.facts.places.contains_key(name)) {
            finder.visit_body(tree.body());
        }
        finder.found
    }
}

impl<'t> SourceOrderVisitor<'t> for Finder<'t> {
    fn visit_body(&mut self, body: &'t [Stmt]) {
        for first in 0..body.len() {
            let rules = RULES.iter();
            self.found.extend(rules.filter_map(|rule| rule(&self.facts, &body[first..])));
        }
        walk_body(self, body);
    }

    fn visit_stmt(&mut self, statement: &'t Stmt) {
        match statement {
            // Its variables are more than that, and unseen by comprehensions.
            Stmt::ClassDef(_) => return,
            Stmt::FunctionDef(function) => self.found.extend(early_return(&self.facts, function)),
            _ => (),
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'t Expr) {
        match expression {
            // The text of `{a < b=}` is printed.
            Expr::FString(_) | Expr::TString(_) => return,
            Expr::Compare(compare) => self.found.extend(swapped_sides(&self.facts, compare)),
            _ => (),
        }
        walk_expr(self, expression);
    }
}

/// What the rules ask about a function.
struct Facts<'t> {
    tree: &'t Tree<'t>,
    /// Places of each name, attributes left out.
    places: HashMap<&'t str, Vec<TextRange>>,
    /// Loops and comprehensions: target, and the parts before and after what they go through.
    rounds: Vec<[TextRange; 3]>,
    /// Parts that run later than they stand or after an error, and declarations of global and nonlocal names.
    late: Vec<TextRange>,
    /// Indentation of the function.
    unit: &'t str,
    /// Random number that chooses the names of new variables.
    draw: usize,
}

impl<'t> Facts<'t> {
    fn new(tree: &'t Tree<'t>, draw: usize) -> Self {
        let (mut places, mut before) = (HashMap::<_, Vec<_>>::new(), TokenKind::Newline);
        for token in tree.tokens().iter().filter(|token| !token.kind().is_trivia()) {
            let is_name = token.kind() == TokenKind::Name || token.kind().is_soft_keyword();
            if is_name && before != TokenKind::Dot {
                places.entry(tree.text(token)).or_default().push(token.range());
            }
            before = token.kind();
        }
        let (mut rounds, mut late) = (Vec::new(), Vec::new());
        tree.walk(|node| {
            let mut round = |target: &Expr, iter: &Expr, end: TextRange| {
                let before = TextRange::new(node.start(), iter.start());
                rounds.push([target.range(), before, TextRange::new(iter.end(), end.end())]);
            };
            let generators = match node {
                AnyNodeRef::ExprListComp(of) => &of.generators[..],
                AnyNodeRef::ExprSetComp(of) => &of.generators,
                AnyNodeRef::ExprDictComp(of) => &of.generators,
                AnyNodeRef::ExprGenerator(of) => &of.generators,
                _ => &[],
            };
            for generator in generators {
                round(&generator.target, &generators[0].iter, node.range());
            }
            match node {
                AnyNodeRef::StmtFor(each) => {
                    round(&each.target, &each.iter, span(&each.body).unwrap_or(each.range));
                }
                AnyNodeRef::ExprLambda(_)
                | AnyNodeRef::StmtFunctionDef(_)
                | AnyNodeRef::StmtClassDef(_)
                | AnyNodeRef::ExceptHandlerExceptHandler(_)
                | AnyNodeRef::StmtGlobal(_)
                | AnyNodeRef::StmtNonlocal(_) => late.push(node.range()),
                AnyNodeRef::StmtTry(attempt) => late.extend(span(&attempt.finalbody)),
                _ => (),
            }
        });
        let indent = tree.tokens().iter().find(|token| token.kind() == TokenKind::Indent);
        let unit = indent.map_or("    ", |indent| tree.text(indent));
        Self { tree, places, rounds, late, unit, draw }
    }

    fn source(&self, node: &impl Ranged) -> &'t str {
        self.tree.text(node)
    }

    /// Places of a name.
    fn places(&self, name: &str) -> impl Iterator<Item = TextRange> {
        self.places.get(name).into_iter().flatten().copied()
    }

    /// Number of times that a part mentions a name.
    fn mentions(&self, name: &str, part: &impl Ranged) -> usize {
        self.places(name).filter(|at| part.range().contains_range(*at)).count()
    }

    /// True if no other code mentions a name than that of the function around `part`, run in order.
    fn is_local(&self, name: &str, part: &impl Ranged) -> bool {
        let mut others = self.late.iter().filter(|late| !late.contains_range(part.range()));
        others.all(|late| self.mentions(name, late) == 0)
    }

    /// True if a name is mentioned in `part` alone, and by loops and comprehensions that have it as their
    /// variable, too.
    fn is_private(&self, name: &str, part: &impl Ranged) -> bool {
        let is_own = |at: TextRange| {
            let mut rounds = self.rounds.iter();
            rounds.any(|[target, before, after]| {
                let holds = |at| before.contains_range(at) || after.contains_range(at);
                holds(at) && !holds(part.range()) && self.mentions(name, target) > 0
            })
        };
        let mut outside = self.places(name).filter(|at| !part.range().contains_range(*at));
        self.is_local(name, part) && outside.all(is_own)
    }

    /// True if a name is only called.
    fn is_builtin(&self, name: &str) -> bool {
        let rest = |at: TextRange| &self.tree.source[at.end().to_usize()..];
        self.places(name).all(|at| rest(at).starts_with('('))
    }

    /// Name from a list that the function doesn't mention.
    fn fresh(&self, words: &'static str) -> Option<&'static str> {
        let words = words.split(' ');
        let free: Vec<_> = words.filter(|word| !self.places.contains_key(word)).collect();
        free.get(self.draw % free.len().max(1)).copied()
    }

    /// Tokens in a part.
    fn tokens(&self, part: TextRange) -> impl Iterator<Item = &'t Token> {
        let tokens = self.tree.tokens_from(part.start()).iter();
        tokens.take_while(move |token| token.end() <= part.end())
    }

    /// Indentation of a node; `None` if it does not begin a line.
    fn indentation(&self, at: TextRange) -> Option<&'t str> {
        let (source, at) = (self.tree.source, at.start().to_usize());
        let line = line_start(source, at);
        let is_blank = source[line..at].trim_matches([' ', '\t']).is_empty();
        (is_blank && !source[..line].ends_with("\\\n")).then_some(&source[line..at])
    }

    /// Range and indentation of statements that have their lines to themselves.
    fn lines(&self, statements: &[Stmt]) -> Option<(TextRange, &'t str)> {
        let at = span(statements)?;
        let rest = self.tree.source[at.end().to_usize()..].lines().next();
        let rest = rest.unwrap_or_default().trim_start();
        let is_alone = rest.is_empty() || rest.starts_with('#');
        self.indentation(at).filter(|_| is_alone).map(|indent| (at, indent))
    }

    /// Lines of a block with another indentation; `None` where that would change a string.
    fn block(&self, body: &[Stmt], indent: &str) -> Option<String> {
        let at = span(body)?;
        let text = self.source(&at);
        let old = self.indentation(at);
        let is_long_string = |token: &Token| {
            use TokenKind::{FStringMiddle, String, TStringMiddle};
            matches!(token.kind(), String | FStringMiddle | TStringMiddle)
                && self.source(token).contains('\n')
        };
        let Some(old) = old.filter(|old| *old != indent) else {
            return Some(format!("{indent}{text}"));
        };
        if self.tokens(at).any(is_long_string) {
            return None;
        }
        let mut result = format!("{indent}{}", text.lines().next()?);
        for line in text.lines().skip(1) {
            let rest = line.trim_start();
            let inner = line.strip_prefix(old).or(rest.starts_with('#').then_some(rest));
            match rest.is_empty() {
                true => result.push('\n'),
                false => result.extend(["\n", indent, inner?]),
            }
        }
        Some(result)
    }

    /// Lines of a block below `indent`, as they are unless they begin behind a colon.
    fn same_block(&self, body: &[Stmt], indent: &str) -> Option<String> {
        let inner = self.indentation(span(body)?);
        let inner = inner.map_or_else(|| format!("{indent}{}", self.unit), str::to_owned);
        self.block(body, &inner)
    }

    /// Text of an expression, in parentheses unless it binds more tightly than `above`. With `Level::None` it
    /// is that of a whole value, where a tuple needs none.
    fn text(&self, expression: &Expr, above: Level) -> String {
        let text = self.source(expression);
        let is_open = match expression {
            Expr::Tuple(tuple) => !tuple.parenthesized && above > Level::None,
            Expr::Generator(generator) => !generator.parenthesized,
            _ => Level::from_expr(expression) <= above.max(Level::Starred),
        };
        match is_open || self.has_open_lines(expression) {
            true => format!("({text})"),
            false => text.to_owned(),
        }
    }

    /// True for an expression with a line end that is in none of its own brackets.
    fn has_open_lines(&self, expression: &Expr) -> bool {
        use TokenKind::{Lbrace, Lpar, Lsqb, NonLogicalNewline, Rbrace, Rpar, Rsqb};
        let mut depth = 0;
        self.tokens(expression.range()).any(|token| {
            depth += i32::from(matches!(token.kind(), Lpar | Lsqb | Lbrace));
            depth -= i32::from(matches!(token.kind(), Rpar | Rsqb | Rbrace));
            depth == 0 && token.kind() == NonLogicalNewline
        })
    }

    /// Text of the condition that tests hold, or fail if `false` is beside them.
    fn all_of(&self, tests: &[(&Expr, bool)]) -> String {
        let above = if tests.len() > 1 { Level::Or } else { Level::IfElse };
        let texts = tests.iter().map(|(test, holds)| match (test, sides(test)) {
            _ if *holds => self.text(test, above),
            (_, Some((left, sign, right))) => self.comparison(left, sign.negate(), right),
            (Expr::UnaryOp(not), _) if not.op == UnaryOp::Not => self.text(&not.operand, above),
            _ => format!("not {}", self.text(test, Level::And)),
        });
        texts.collect::<Vec<_>>().join(" and ")
    }

    fn comparison(&self, left: &Expr, sign: CmpOp, right: &Expr) -> String {
        let sides = [left, right];
        let [left, right] = sides.map(|side| self.text(side, Level::ComparisonsMembershipIdentity));
        format!("{left} {sign} {right}")
    }

    /// Name that is assigned to, if it is the only target.
    fn assigned(&self, assignment: &StmtAssign) -> Option<&'t str> {
        match &assignment.targets[..] {
            [name @ Expr::Name(_)] => Some(self.source(name)),
            _ => None,
        }
    }

    /// Element and rounds of the comprehension that a builtin is called for.
    fn consumed<'e>(
        &self,
        value: &'e Expr,
        builtin: &str,
    ) -> Option<(&'e Expr, &'e [Comprehension])> {
        let call = value.as_call_expr()?;
        let is_it = self.source(&*call.func) == builtin && self.is_builtin(builtin);
        let found = match (&call.arguments.args[..], &call.arguments.keywords[..]) {
            ([Expr::Generator(of)], []) => (&*of.elt, &of.generators[..]),
            ([Expr::ListComp(of)], []) => (&*of.elt, &of.generators[..]),
            _ => return None,
        };
        is_it.then_some(found)
    }
}

/// Range from the first to the last of some statements.
fn span(body: &[Stmt]) -> Option<TextRange> {
    Some(body.first()?.range().cover(body.last()?.range()))
}

/// Sides of a single comparison.
fn sides(test: &Expr) -> Option<(&Expr, CmpOp, &Expr)> {
    let compare = test.as_compare_expr()?;
    match (&compare.ops[..], &compare.comparators[..]) {
        ([sign], [right]) => Some((&compare.left, *sign, right)),
        _ => None,
    }
}

/// `if` without other branches.
fn lone_if(statement: &Stmt) -> Option<&StmtIf> {
    let choice = statement.as_if_stmt()?;
    choice.elif_else_clauses.is_empty().then_some(choice)
}

/// Value that a statement returns.
fn returned(statement: &Stmt) -> Option<&Expr> {
    statement.as_return_stmt()?.value.as_deref()
}

/// `x += e` for `x = x + e`, and the reverse.
fn augmentation(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let text = match body.first()? {
        Stmt::AugAssign(sum) if sum.target.is_name_expr() => {
            let (name, sign) = (facts.source(&*sum.target), sum.op);
            let value = facts.text(&sum.value, Level::from(sign));
            format!("{name} = {name} {sign} {value}")
        }
        Stmt::Assign(assignment) => {
            let name = facts.assigned(assignment)?;
            let sum = assignment.value.as_bin_op_expr()?;
            let value = facts.text(&sum.right, Level::None);
            let is_of_itself = facts.source(&*sum.left) == name;
            is_of_itself.then(|| format!("{name} {}= {value}", sum.op))?
        }
        _ => return None,
    };
    Some((body[0].range(), text))
}

/// `if not c: B else: A` for `if c: A else: B`.
fn other_branch_first(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let choice = body.first()?.as_if_stmt()?;
    let (at, indent) = facts.lines(&body[..1])?;
    let other = match &choice.elif_else_clauses[..] {
        [last] if last.test.is_none() => facts.same_block(&last.body, indent)?,
        _ => return None,
    };
    let block = facts.same_block(&choice.body, indent)?;
    let test = facts.all_of(&[(&choice.test, false)]);
    Some((at, format!("if {test}:\n{other}\n{indent}else:\n{block}")))
}

/// A new variable for what is returned.
fn named_result(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let value = returned(body.first()?)?;
    let is_plain = value.is_name_expr() || value.is_literal_expr();
    let name = facts.fresh(RESULTS).filter(|_| !is_plain)?;
    let (at, indent) = facts.lines(&body[..1])?;
    let value = facts.text(value, Level::None);
    Some((at, format!("{name} = {value}\n{indent}return {name}")))
}

/// `return e` for `x = e` and `return x`.
fn unnamed_result(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let assignment = body.first()?.as_assign_stmt()?;
    let name = facts.assigned(assignment)?;
    let is_same = facts.source(returned(body.get(1)?)?) == name && facts.is_local(name, assignment);
    let (at, _) = facts.lines(&body[..2])?;
    let value = facts.text(&assignment.value, Level::None);
    is_same.then(|| (at, format!("return {value}")))
}

/// `return a if c else b` for two branches.
fn conditional(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let choice = body.first()?.as_if_stmt()?;
    let (other, count) = match (&choice.elif_else_clauses[..], body.get(1)) {
        ([], Some(next)) => (from_ref(next), 2),
        ([last], _) if last.test.is_none() => (&last.body[..], 1),
        _ => return None,
    };
    let ([value], [other]) = (&choice.body[..], other) else {
        return None;
    };
    let value = facts.text(returned(value)?, Level::IfElse);
    let test = facts.all_of(&[(&choice.test, true)]);
    let other = facts.text(returned(other)?, Level::Starred);
    let (at, _) = facts.lines(&body[..count])?;
    Some((at, format!("return {value} if {test} else {other}")))
}

/// Two branches for `return a if c else b`.
fn branches(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let choice = returned(body.first()?)?.as_if_expr()?;
    let parts = [&choice.test, &choice.body, &choice.orelse];
    let [test, value, other] = parts.map(|part| facts.text(part, Level::None));
    let (at, indent) = facts.lines(&body[..1])?;
    let inner = format!("{indent}{}", facts.unit);
    Some((at, format!("if {test}:\n{inner}return {value}\n{indent}return {other}")))
}

/// Loop or comprehension.
struct Round<'e> {
    target: &'e Expr,
    iter: &'e Expr,
    /// Conditions of a step, each with `true` if it must hold.
    conditions: Vec<(&'e Expr, bool)>,
    /// What a step is for.
    elements: Vec<&'e Expr>,
}

impl<'e> Round<'e> {
    /// Loop over one statement, which may be in an `if`.
    fn of_loop(each: &'e StmtFor) -> Option<(Self, &'e Stmt)> {
        let only = each.body.first()?;
        let choice = lone_if(only);
        let body = choice.map_or(&each.body[..], |choice| &choice.body);
        let is_simple = !each.is_async && each.orelse.is_empty() && each.body.len() == 1;
        let round = Self {
            target: &each.target,
            iter: &each.iter,
            conditions: choice.iter().map(|choice| (&*choice.test, true)).collect(),
            elements: Vec::new(),
        };
        (is_simple && body.len() == 1).then(|| (round, &body[0]))
    }

    fn of_comprehension(generators: &'e [Comprehension], elements: Vec<&'e Expr>) -> Option<Self> {
        let only = generators.first()?;
        (!only.is_async && generators.len() == 1).then(|| Self {
            target: &only.target,
            iter: &only.iter,
            conditions: only.ifs.iter().map(|test| (test, true)).collect(),
            elements,
        })
    }

    /// True if a loop and a comprehension in its place mean the same.
    fn is_movable(&self, facts: &Facts, within: &impl Ranged) -> bool {
        let conditions = self.conditions.iter().map(|(test, _)| test);
        let mut parts = self.elements.iter().chain(conditions).chain([&self.iter]);
        let is_bound = |part: &Expr| {
            use Expr::{Await, Lambda, Named, Yield, YieldFrom};
            matches!(part, Await(_) | Lambda(_) | Named(_) | Yield(_) | YieldFrom(_))
        };
        let is_place = |part: &Expr| part.is_attribute_expr() || part.is_subscript_expr();
        let mut names = facts.places.keys();
        names.all(|name| {
            facts.mentions(name, self.target) == 0 || facts.is_private(name, within)
        }) && !any_over_expr(self.target, is_place)
            && !parts.any(|part| part.is_starred_expr() || any_over_expr(part, is_bound))
            && facts.mentions("super", within) == 0
            && !facts.source(within).contains("async for")
    }

    /// End of a comprehension.
    fn clause(&self, facts: &Facts) -> String {
        let target = facts.text(self.target, Level::None);
        let iter = facts.text(self.iter, Level::IfElse);
        let test = facts.all_of(&self.conditions);
        let word = if test.is_empty() { "" } else { " if " };
        format!("for {target} in {iter}{word}{test}")
    }

    /// Loop over one statement.
    fn around(&self, step: &str, indent: &str, facts: &Facts) -> String {
        let target = facts.text(self.target, Level::None);
        let iter = facts.text(self.iter, Level::Starred);
        let inner = format!("{indent}{}", facts.unit);
        let step = match facts.all_of(&self.conditions) {
            test if test.is_empty() => step.to_owned(),
            test => format!("if {test}:\n{inner}{}{step}", facts.unit),
        };
        format!("for {target} in {iter}:\n{inner}{step}")
    }
}

/// Comprehension or `sum` for an empty start and a loop.
fn comprehension(facts: &Facts, body: &[Stmt]) -> Option<Rewrite> {
    let [Stmt::Assign(start), Stmt::For(each), ..] = body else {
        return None;
    };
    let name = facts.assigned(start)?;
    let (mut round, step) = Round::of_loop(each)?;
    let (of, brackets, elements) = match step {
        Stmt::AugAssign(sum) if sum.op == Operator::Add && facts.is_builtin("sum") => {
            (&sum.target, ["0", "0", "sum(", ")"], vec![&*sum.value])
        }
        Stmt::Assign(entry) => {
            let place = entry.targets.first()?.as_subscript_expr()?;
            let elements = vec![&*place.slice, &*entry.value];
            let is_only = entry.targets.len() == 1;
            (&place.value, ["{}", "dict()", "{", "}"], elements).filter(is_only)?
        }
        Stmt::Expr(call) => {
            let call = call.value.as_call_expr()?;
            let method = call.func.as_attribute_expr()?;
            let brackets = match method.attr.as_str() {
                "append" => ["[]", "list()", "[", "]"],
                "add" => ["set()", "set()", "{", "}"],
                _ => return None,
            };
            let is_only = call.arguments.len() == 1;
            (&method.value, brackets, vec![call.arguments.args.first().filter(|_| is_only)?])
        }
        _ => return None,
    };
    todo!()
}
