//! Rewrites of a function: the same task as another person might have done it, with a loop for a comprehension,
//! the branches of an `if` the other way round, and so on. A rule is a pair of programs with holes in them.

use std::collections::BTreeMap;

use rand::{Rng, RngExt, seq::SliceRandom};
use ruff_python_ast::{
    AnyNodeRef, Expr, OperatorPrecedence as Level, Stmt, UnaryOp,
    token::TokenKind,
    visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_body, walk_expr, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange};

use super::{
    line_start, normalised,
    parse::parse,
    rewrite_rules::{Hole, RULES, Rule, is_hole},
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
    let edits = picked
        .iter()
        .map(|(at, text)| Edit::new((*at).into(), text));
    let result = edited(&source, 0..source.len(), edits.collect());
    (result != source && parse(&result, |_| ()).is_ok()).then_some(result)
}

/// Names of new variables.
const NEW: &str = "result results output out outcome ret res value answer total found";
/// Callees that observe the locals, whose number changes.
const OBSERVERS: [&str; 4] = ["locals", "eval", "exec", "vars"];

/// Fillings of a program's holes, each with its range.
pub(super) type Filling<'t> = BTreeMap<&'static str, (AnyNodeRef<'t>, TextRange)>;
/// Part of a source and the text in its place.
type Rewrite = (TextRange, String);

/// Finder of the rewrites of a function; some overlap.
pub(super) struct Finder<'t> {
    pub(super) tree: &'t Tree<'t>,
    /// Places of names where they are bound.
    pub(super) bindings: Vec<TextRange>,
    /// Loops and comprehensions: target, and the parts before and after what they go through.
    pub(super) rounds: Vec<[TextRange; 3]>,
    /// Parts that run later than they stand or after an error, and declarations of global and nonlocal names.
    pub(super) late: Vec<TextRange>,
    /// Last statements of functions that are no generators.
    pub(super) ends: Vec<TextRange>,
    /// Indentation of the function.
    unit: &'t str,
    /// Name of a new variable.
    new: Option<&'static str>,
    found: Vec<Rewrite>,
}

impl<'t> SourceOrderVisitor<'t> for Finder<'t> {
    fn visit_body(&mut self, body: &'t [Stmt]) {
        let nodes: Vec<_> = body.iter().map(AnyNodeRef::from).collect();
        (0..nodes.len()).for_each(|first| self.apply_all(&nodes[first..]));
        walk_body(self, body);
    }

    fn visit_stmt(&mut self, statement: &'t Stmt) {
        // The variables of a class are more than that, and unseen by comprehensions.
        if !statement.is_class_def_stmt() {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expression: &'t Expr) {
        match expression {
            // The text of `{a < b=}` is printed.
            Expr::FString(_) | Expr::TString(_) => return,
            Expr::Compare(_) => self.apply_all(&[expression.into()]),
            _ => (),
        }
        walk_expr(self, expression);
    }
}

impl<'t> Finder<'t> {
    fn rewrites(tree: &'t Tree<'t>, draw: usize) -> Vec<Rewrite> {
        let mut finder = Self::new(tree, draw);
        if !names(tree).any(|(name, _)| OBSERVERS.contains(&name)) {
            finder.visit_body(tree.body());
        }
        finder.found
    }

    fn new(tree: &'t Tree<'t>, draw: usize) -> Self {
        let mut all = tree.tokens().iter();
        let indent = all.find(|token| token.kind() == TokenKind::Indent);
        let taken: Vec<_> = names(tree).map(|(name, _)| name).collect();
        let words = NEW.split(' ').filter(|word| !taken.contains(word));
        let words: Vec<_> = words.collect();
        let mut finder = Self {
            tree,
            bindings: Vec::new(),
            rounds: Vec::new(),
            late: Vec::new(),
            ends: Vec::new(),
            unit: indent.map_or("    ", |indent| tree.text(indent)),
            new: words.get(draw % words.len().max(1)).copied(),
            found: Vec::new(),
        };
        tree.walk(|node| finder.note(node));
        finder
    }

    fn note(&mut self, node: AnyNodeRef) {
        let generators = match node {
            AnyNodeRef::ExprListComp(of) => &of.generators[..],
            AnyNodeRef::ExprSetComp(of) => &of.generators,
            AnyNodeRef::ExprDictComp(of) => &of.generators,
            AnyNodeRef::ExprGenerator(of) => &of.generators,
            _ => &[],
        };
        let mut round = |target: &Expr, iter: &Expr, end| {
            let before = TextRange::new(node.start(), iter.start());
            let after = TextRange::new(iter.end(), end);
            self.rounds.push([target.range(), before, after]);
        };
        for generator in generators {
            round(&generator.target, &generators[0].iter, node.end());
        }
        match node {
            AnyNodeRef::StmtFor(each) => {
                let end = each.body.last().map_or(each.end(), Ranged::end);
                round(&each.target, &each.iter, end);
            }
            AnyNodeRef::ExprName(name) if !name.ctx.is_load() => self.bindings.push(name.range),
            AnyNodeRef::StmtTry(attempt) => {
                self.late
                    .extend(attempt.finalbody.iter().map(Ranged::range));
            }
            AnyNodeRef::StmtFunctionDef(function) => {
                let mut inner = self.tree.tokens_in(node.range());
                let is_generator = inner.any(|token| token.kind() == TokenKind::Yield);
                let last = function.body.last().filter(|_| !is_generator);
                self.ends.extend(last.map(Ranged::range));
                self.late.push(node.range());
            }
            AnyNodeRef::ExprLambda(_)
            | AnyNodeRef::StmtClassDef(_)
            | AnyNodeRef::ExceptHandlerExceptHandler(_)
            | AnyNodeRef::StmtGlobal(_)
            | AnyNodeRef::StmtNonlocal(_) => self.late.push(node.range()),
            _ => (),
        }
    }

    fn apply_all(&mut self, nodes: &[AnyNodeRef<'t>]) {
        for rule in RULES.iter() {
            let found = self.apply(rule, nodes);
            self.found.extend(found);
        }
    }

    /// Rewrite of the first nodes of some by a rule.
    fn apply(&self, rule: &Rule, nodes: &[AnyNodeRef<'t>]) -> Option<Rewrite> {
        let patterns = rule.from.body().iter().map(|pattern| match pattern {
            Stmt::Expr(only) => (&*only.value).into(),
            _ => AnyNodeRef::from(pattern),
        });
        if patterns.clone().next()?.kind() != nodes.first()?.kind() {
            return None;
        }
        let patterns: Vec<_> = patterns.collect();
        let nodes = nodes.get(..patterns.len())?;
        let mut filling = Filling::new();
        if !self.matches(&rule.from, &patterns, nodes, &mut filling) {
            return None;
        }
        let at = nodes[0].range().cover(nodes[nodes.len() - 1].range());
        let mut forms = [&rule.from, &rule.to].into_iter();
        let is_line = forms.all(|form| !form.source.contains('\n'));
        // Words mustn't become one with those beside, and several lines have no others on them.
        let before = &self.tree.source[..at.start().to_usize()];
        let rest = self.after(at).lines().next().unwrap_or_default();
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'');
        let is_apart = match is_line {
            true => !before.ends_with(in_word) && !rest.starts_with(in_word),
            false => matches!(rest.trim_start().bytes().next(), None | Some(b'#')),
        };
        if !is_apart || !self.is_same(rule, &filling, at, is_line) {
            return None;
        }
        let indent = if is_line { "" } else { self.indentation(at)? };
        let text = self.filled(rule, &filling, indent)?;
        (text != self.tree.text(at)).then_some((at, text))
    }

    /// True if some nodes are those of a pattern, whose holes are filled.
    fn matches(
        &self,
        form: &Tree<'static>,
        patterns: &[AnyNodeRef],
        nodes: &[AnyNodeRef<'t>],
        filling: &mut Filling<'t>,
    ) -> bool {
        let mut nodes = nodes.iter().copied().peekable();
        for pattern in patterns {
            let (name, Some(node)) = (form.text(pattern), nodes.next()) else {
                return false;
            };
            let mut at = node.range();
            let is_match = if is_hole(name) {
                let is_statement = |node: &AnyNodeRef| node.is_statement();
                while pattern.is_statement()
                    && let Some(next) = nodes.next_if(is_statement)
                {
                    at = at.cover(next.range());
                }
                let (_, known) = *filling.entry(name).or_insert((node, at));
                self.tree.text(known) == self.tree.text(at)
                    && pattern.is_statement() == node.is_statement()
                    && (node.is_expr_name() || name != "X")
                    && !(node.is_expr_starred() || node.is_expr_slice())
            } else if pattern.kind() == node.kind() {
                let (inner, parts) = (children(*pattern), children(node));
                own(form, *pattern, &inner) == own(self.tree, node, &parts)
                    && self.matches(form, &inner, &parts, filling)
            } else {
                false
            };
            if !is_match {
                return false;
            }
        }
        nodes.next().is_none()
    }

    /// Text that follows.
    pub(super) fn after(&self, at: TextRange) -> &'t str {
        &self.tree.source[at.end().to_usize()..]
    }

    /// Indentation of a node; `None` if it does not begin a line.
    fn indentation(&self, at: TextRange) -> Option<&'t str> {
        let (source, at) = (self.tree.source, at.start().to_usize());
        let line = line_start(source, at);
        let is_blank = source[line..at].trim_matches([' ', '\t']).is_empty();
        (is_blank && !source[..line].ends_with("\\\n")).then_some(&source[line..at])
    }

    /// New program of a rule.
    fn filled(&self, rule: &Rule, filling: &Filling, indent: &str) -> Option<String> {
        let fill = |hole: &Hole| match filling.get(hole.name) {
            Some((node, _)) if hole.is_opposite => Some(self.opposite(*node, hole.above)),
            Some((node, _)) => Some(self.text(*node, hole.above)),
            None => self.new.map(str::to_owned),
        };
        let (mut result, mut start) = (String::new(), 0);
        for line in rule.to.source.split('\n') {
            let text = line.trim_start_matches('\t');
            let end = start + line.len();
            let first = end - text.len();
            let indent = format!("{indent}{}", self.unit.repeat(first - start));
            match (text, filling.get(text)) {
                ("BODY" | "OTHER", Some((_, at))) => result += &self.block(*at, &indent)?,
                _ => {
                    let holes = rule.holes.iter();
                    let holes = holes.filter(|hole| (first..end).contains(&hole.at.start().into()));
                    let edits = holes.map(|hole| Some(Edit::new(hole.at.into(), &fill(hole)?)));
                    let edits = edits.collect::<Option<Vec<_>>>()?;
                    result += &(indent + &edited(rule.to.source, first..end, edits));
                }
            }
            result.push('\n');
            start = end + 1;
        }
        Some(result[indent.len()..].trim_end_matches('\n').to_owned())
    }

    /// Lines of a block with another indentation; `None` where that would change a string.
    fn block(&self, at: TextRange, indent: &str) -> Option<String> {
        use TokenKind::{FStringMiddle, String as Text, TStringMiddle};
        let text = self.tree.text(at);
        let Some(old) = self.indentation(at).filter(|old| *old != indent) else {
            return Some(format!("{indent}{text}"));
        };
        let mut strings = self
            .tree
            .tokens_in(at)
            .filter(|token| matches!(token.kind(), Text | FStringMiddle | TStringMiddle));
        let has_long_string = strings.any(|token| self.tree.text(token).contains('\n'));
        let lines = text.split('\n').enumerate().map(|(nth, line)| {
            let rest = line.trim_start();
            let comment = rest.starts_with('#').then_some(rest);
            let inner = line
                .strip_prefix(old)
                .or(comment)
                .or((nth == 0).then_some(line));
            match rest.is_empty() {
                true => Some(String::new()),
                false => inner.map(|inner| format!("{indent}{inner}")),
            }
        });
        let lines = lines.collect::<Option<Vec<_>>>()?;
        (!has_long_string).then(|| lines.join("\n"))
    }

    /// Text of an expression, in parentheses unless it binds more tightly than `above`. With `Level::None` it
    /// is that of a whole value, where a tuple needs none.
    fn text(&self, node: AnyNodeRef, above: Level) -> String {
        let text = self.tree.text(node);
        let level = node.as_expr_ref().map(Level::from_expr_ref);
        let is_open = match node {
            AnyNodeRef::ExprTuple(tuple) => !tuple.parenthesized && above > Level::None,
            AnyNodeRef::ExprGenerator(generator) => !generator.parenthesized,
            // Brackets around it are enough.
            _ if above >= Level::CallAttribute => level <= Some(Level::Starred),
            _ => level <= Some(above.max(Level::Starred)),
        };
        match is_open || self.has_open_lines(node) {
            true => format!("({text})"),
            false => text.to_owned(),
        }
    }

    /// True for an expression with a line end that is in none of its own brackets.
    fn has_open_lines(&self, node: AnyNodeRef) -> bool {
        use TokenKind::{Lbrace, Lpar, Lsqb, NonLogicalNewline, Rbrace, Rpar, Rsqb};
        let mut depth = 0;
        self.tree.tokens_in(node.range()).any(|token| {
            depth += i32::from(matches!(token.kind(), Lpar | Lsqb | Lbrace));
            depth -= i32::from(matches!(token.kind(), Rpar | Rsqb | Rbrace));
            depth == 0 && token.kind() == NonLogicalNewline
        })
    }

    /// Text of the opposite of a condition.
    fn opposite(&self, test: AnyNodeRef, above: Level) -> String {
        match test {
            AnyNodeRef::ExprUnaryOp(not) if not.op == UnaryOp::Not => {
                self.text((&*not.operand).into(), above)
            }
            AnyNodeRef::ExprCompare(compare) if compare.ops.len() == 1 => {
                let [left, right] = [&*compare.left, &compare.comparators[0]]
                    .map(|side| self.text(side.into(), Level::ComparisonsMembershipIdentity));
                format!("{left} {} {right}", compare.ops[0].negate())
            }
            _ => format!("not {}", self.text(test, Level::And)),
        }
    }
}

/// Names and their places, attributes left out.
pub(super) fn names<'s>(tree: &Tree<'s>) -> impl Iterator<Item = (&'s str, TextRange)> {
    let names = tree.tokens().iter().filter(|token| {
        let before = tree.source[..token.start().to_usize()].trim_end();
        let is_name = token.kind() == TokenKind::Name || token.kind().is_soft_keyword();
        is_name && !before.ends_with('.')
    });
    names.map(|token| (tree.text(token), token.range()))
}

/// Nodes directly below one.
fn children(node: AnyNodeRef) -> Vec<AnyNodeRef> {
    struct Children<'a>(Vec<AnyNodeRef<'a>>);
    impl<'a> SourceOrderVisitor<'a> for Children<'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.0.push(node);
            TraversalSignal::Skip
        }
    }
    let mut children = Children(Vec::new());
    node.visit_source_order(&mut children);
    children.0
}

/// Words and signs of a node that are none of its children's, without those for layout.
fn own<'s>(tree: &Tree<'s>, node: AnyNodeRef, children: &[AnyNodeRef]) -> Vec<&'s str> {
    use TokenKind::{Comma, Dedent, Indent, Lpar, Newline, Rpar, Semi};
    let starts = [node.start()]
        .into_iter()
        .chain(children.iter().map(Ranged::end));
    let ends = children.iter().map(Ranged::start).chain([node.end()]);
    let gaps = starts.zip(ends).filter(|(start, end)| start < end);
    let tokens = gaps.flat_map(|(start, end)| tree.tokens_in(TextRange::new(start, end)));
    let tokens = tokens.filter(|token| {
        let is_layout = matches!(
            token.kind(),
            Comma | Dedent | Indent | Lpar | Newline | Rpar | Semi
        );
        !is_layout && !token.kind().is_trivia()
    });
    tokens.map(|token| tree.text(token)).collect()
}
