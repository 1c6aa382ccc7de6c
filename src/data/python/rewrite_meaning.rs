//! Rewrites that would change what a function means: those that its syntax can't rule out are not made.

use ruff_python_ast::{
    AnyNodeRef,
    token::{Token, TokenKind},
};
use ruff_text_size::{Ranged, TextRange};

use super::{
    rewrite_rules::{Rule, is_hole},
    rewrites::{Filling, Finder, names},
};

impl Finder<'_> {
    /// True if a rule keeps the meaning of a match at `at`.
    pub(super) fn is_same(
        &self,
        rule: &Rule,
        filling: &Filling,
        at: TextRange,
        is_line: bool,
    ) -> bool {
        let part = |name: &str| filling.get(name).map(|(_, at)| *at);
        let is_atom = |node: &AnyNodeRef| {
            let expression = node.as_expr_ref();
            node.is_expr_name() || expression.is_some_and(|of| of.is_literal_expr())
        };
        let is_place = |node: &AnyNodeRef| node.is_expr_attribute() || node.is_expr_subscript();
        let mut nodes = filling.values().map(|(node, _)| node);
        let mut both = [&rule.from, &rule.to].into_iter().flat_map(names);
        let builtins = both.all(|(name, _)| is_hole(name) || self.is_builtin(name));
        let name = part("X").map(|at| self.tree.text(at));
        let is_local = is_line || name.is_none_or(|name| self.is_local(name, at));
        let is_kept = match (part("T"), name, part("N"), part("BODY")) {
            (Some(target), ..) => {
                let uses = names(&rule.from).filter(|(name, _)| *name == "X").count();
                name.is_none_or(|name| self.mentions(name, at) == uses)
                    && self.is_movable(target, at)
            }
            (_, Some(name), Some(end), Some(body)) => self.can_count(name, end, body, at),
            _ if rule.to.source.starts_with("NEW") => !nodes.any(is_atom),
            _ if rule.to.source.ends_with("\nBODY") => self.ends.contains(&at),
            _ if rule.to.body()[0].is_expr_stmt() => {
                nodes.all(|node| is_atom(node) || is_place(node))
            }
            _ => true,
        };
        builtins && is_local && is_kept
    }

    /// True if a loop over `target` and a comprehension in its place mean the same.
    fn is_movable(&self, target: TextRange, within: TextRange) -> bool {
        use TokenKind::{Async, Await, ColonEqual, Lambda, Yield};
        let mut inner = self.tree.tokens_in(within);
        let mut targets = names(self.tree).filter(|(_, at)| target.contains_range(*at));
        targets.all(|(name, _)| self.is_private(name, within))
            && !self.tree.text(target).contains(['.', '['])
            && !inner.any(|token| {
                matches!(token.kind(), Async | Await | ColonEqual | Lambda | Yield)
                    || self.tree.text(token) == "super"
            })
    }

    /// True if a `while` up to `end` can stand for a `for`: `end` doesn't change, nor does the variable.
    fn can_count(&self, name: &str, end: TextRange, body: TextRange, at: TextRange) -> bool {
        use TokenKind::{Continue, Del, DoubleSlash, Int, Lpar, Minus, Name, Plus, Rpar, Star};
        let is_call = |at: TextRange| self.after(at).starts_with('(');
        let is_sized = self.mentions("len", end) > 0;
        let is_bound = |name: &str| {
            let mut bindings = self.bindings.iter().filter(|at| body.contains_range(**at));
            bindings.any(|at| self.tree.text(at) == name)
        };
        let is_fixed = |token: &Token| match (token.kind(), self.tree.text(token)) {
            (Name, "len") => is_call(token.range()),
            (Name, name) => {
                let mut places = self.places(name).filter(|at| body.contains_range(*at));
                !is_call(token.range())
                    && !is_bound(name)
                    && self.is_local(name, at)
                    && (!is_sized || places.all(|at| self.after(at).starts_with('[')))
            }
            (kind, _) => matches!(kind, Int | Plus | Minus | Star | DoubleSlash | Lpar | Rpar),
        };
        let mut inner = self.tree.tokens_in(body);
        !name.starts_with('_')
            && !is_bound(name)
            && self.is_private(name, at)
            && self.tree.tokens_in(end).all(is_fixed)
            && !inner.any(|token| matches!(token.kind(), Continue | Del))
    }

    fn places(&self, name: &str) -> impl Iterator<Item = TextRange> {
        let places = names(self.tree).filter(move |(other, _)| *other == name);
        places.map(|(_, at)| at)
    }

    fn mentions(&self, name: &str, part: TextRange) -> usize {
        self.places(name)
            .filter(|at| part.contains_range(*at))
            .count()
    }

    /// True if no other code mentions a name than that of the function around `part`, run in order.
    fn is_local(&self, name: &str, part: TextRange) -> bool {
        let mut others = self.late.iter().filter(|late| !late.contains_range(part));
        others.all(|late| self.mentions(name, *late) == 0)
    }

    /// True if a name is mentioned in `part` alone, and by loops and comprehensions that have it as their
    /// variable, too.
    fn is_private(&self, name: &str, part: TextRange) -> bool {
        let is_own = |at: TextRange| {
            let mut rounds = self.rounds.iter();
            rounds.any(|[target, before, after]| {
                let holds = |at| before.contains_range(at) || after.contains_range(at);
                holds(at) && !holds(part) && self.mentions(name, *target) > 0
            })
        };
        let mut outside = self.places(name).filter(|at| !part.contains_range(*at));
        self.is_local(name, part) && outside.all(is_own)
    }

    /// True if a name is only called.
    fn is_builtin(&self, name: &str) -> bool {
        self.places(name).all(|at| self.after(at).starts_with('('))
    }
}
