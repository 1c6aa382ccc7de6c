//! Scope analysis: the parameters and locals of a function, and their occurrences. Names with a meaning
//! outside (globals, builtins, attributes, keywords of calls, imports) are excluded.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use ruff_python_ast::{
    Alias, ExceptHandler, Expr, ExprContext, Identifier, InterpolatedStringElement, Parameters,
    Pattern, Stmt, TypeParams,
    token::TokenKind,
    visitor::source_order::{
        SourceOrderVisitor, walk_except_handler, walk_expr, walk_interpolated_string_element,
        walk_pattern, walk_stmt, walk_type_params,
    },
};
use ruff_text_size::TextRange;

use super::syntax::Tree;

/// Occurrence of a name, in bytes from the start.
pub struct Place<'s> {
    pub name: &'s str,
    pub at: usize,
    /// True for a read, false for a binding.
    pub is_read: bool,
}

/// Names of a function.
pub struct Names<'s> {
    /// Occurrences of the function's own names, which can be renamed, in textual order.
    pub own: Vec<Place<'s>>,
    /// Name in the outermost `def`; in `own` only if it is read there (recursion).
    pub function: Option<Place<'s>>,
    /// All identifiers in the text.
    pub all: BTreeSet<&'s str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScopeKind {
    Module,
    Function,
    Class,
    Comprehension,
}

struct Scope<'s> {
    kind: ScopeKind,
    parent: Option<usize>,
    bound: HashSet<&'s str>,
}

/// Names fixed by convention.
const CONVENTIONAL: [&str; 4] = ["self", "cls", "mcs", "_"];
/// Callees that observe the names of locals.
const OBSERVES_LOCALS: [&str; 4] = ["locals", "eval", "exec", "vars"];

struct ScopeFinder<'s> {
    source: &'s str,
    scopes: Vec<Scope<'s>>,
    /// Scope of the visited node.
    scope: usize,
    /// Depth of nodes whose names are kept.
    keeping: usize,
    /// Mentions of names with their scopes.
    mentions: Vec<(Place<'s>, usize)>,
    kept: BTreeSet<&'s str>,
    /// Callee and keywords of calls of a plain name.
    keywords: Vec<(&'s str, Vec<&'s str>)>,
    function: Option<Place<'s>>,
    is_method: bool,
}

impl<'s> Names<'s> {
    /// Analyses the text of one function.
    pub fn new(tree: &Tree<'s>) -> Self {
        let mut finder = ScopeFinder {
            source: tree.source,
            scopes: vec![Scope {
                kind: ScopeKind::Module,
                parent: None,
                bound: HashSet::new(),
            }],
            scope: 0,
            keeping: 0,
            mentions: Vec::new(),
            kept: CONVENTIONAL.into(),
            keywords: Vec::new(),
            function: None,
            is_method: false,
        };
        finder.visit_body(tree.body());
        let is_name = |kind: TokenKind| kind == TokenKind::Name || kind.is_soft_keyword();
        let identifiers = tree.tokens().iter().filter(|token| is_name(token.kind()));
        finder.names(identifiers.map(|token| tree.text(token)).collect())
    }

    /// Offsets of the own names, by name.
    pub fn by_name(&self) -> BTreeMap<&'s str, Vec<usize>> {
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for place in &self.own {
            places.entry(place.name).or_default().push(place.at);
        }
        places
    }
}

impl SourceOrderVisitor<'_> for ScopeFinder<'_> {
    fn visit_stmt(&mut self, statement: &Stmt) {
        match statement {
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                if self.function.is_none() {
                    self.function = Some(self.place(function.name.range, false));
                    let first = function.parameters.iter_source_order().next();
                    self.is_method =
                        first.is_some_and(|first| matches!(&*first.name().id, "self" | "cls"));
                } else {
                    self.bind(&function.name);
                }
                if let Some(types) = &function.type_params {
                    self.visit_type_params(types);
                }
                let inner = self.open(ScopeKind::Function);
                self.parameters(&function.parameters, inner);
                if let Some(returns) = &function.returns {
                    self.visit_annotation(returns);
                }
                self.within(inner, |finder| finder.visit_body(&function.body));
            }
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.keep(class.name.range);
                if let Some(types) = &class.type_params {
                    self.visit_type_params(types);
                }
                if let Some(bases) = &class.arguments {
                    self.visit_arguments(bases);
                }
                let inner = self.open(ScopeKind::Class);
                self.within(inner, |finder| finder.visit_body(&class.body));
            }
            Stmt::Global(global) => global.names.iter().for_each(|name| self.keep(name.range)),
            Stmt::Nonlocal(outer) => {
                outer
                    .names
                    .iter()
                    .for_each(|name| self.mention(name.range, true));
            }
            Stmt::ImportFrom(import) => {
                import.module.iter().for_each(|name| self.keep_path(name));
                import.names.iter().for_each(|name| self.visit_alias(name));
            }
            Stmt::TypeAlias(_) => self.keeping(|finder| walk_stmt(finder, statement)),
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_alias(&mut self, alias: &Alias) {
        self.keep_path(&alias.name);
        alias.asname.iter().for_each(|name| self.keep(name.range));
    }

    fn visit_except_handler(&mut self, handler: &ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        inner.name.iter().for_each(|name| self.bind(name));
        walk_except_handler(self, handler);
    }

    fn visit_type_params(&mut self, types: &TypeParams) {
        self.keeping(|finder| walk_type_params(finder, types));
    }

    fn visit_pattern(&mut self, pattern: &Pattern) {
        self.keeping(|finder| walk_pattern(finder, pattern));
    }

    /// Names of definitions, parameters and handlers are recorded where those are visited.
    fn visit_identifier(&mut self, name: &Identifier) {
        if self.keeping > 0 {
            self.keep(name.range);
        }
    }

    fn visit_interpolated_string_element(&mut self, element: &InterpolatedStringElement) {
        let visit = |finder: &mut Self| walk_interpolated_string_element(finder, element);
        match element {
            // `{name=}` prints the name.
            InterpolatedStringElement::Interpolation(inner) if inner.debug_text.is_some() => {
                self.keeping(visit);
            }
            _ => visit(self),
        }
    }

    fn visit_expr(&mut self, expression: &Expr) {
        match expression {
            Expr::Name(name) => {
                let is_read = !matches!(name.ctx, ExprContext::Store | ExprContext::Del);
                self.mention(name.range, is_read);
            }
            Expr::Attribute(attribute) => {
                self.visit_expr(&attribute.value);
                self.visit_identifier(&attribute.attr);
            }
            Expr::Named(named) => {
                // Bound in the scope around a comprehension, not inside it.
                let around = self.function_of(self.scope);
                self.within(around, |finder| finder.visit_expr(&named.target));
                self.visit_expr(&named.value);
            }
            Expr::Lambda(lambda) => {
                let inner = self.open(ScopeKind::Function);
                let parameters = lambda.parameters.iter();
                parameters.for_each(|parameters| self.parameters(parameters, inner));
                self.within(inner, |finder| finder.visit_expr(&lambda.body));
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                let inner = self.open(ScopeKind::Comprehension);
                self.within(inner, |finder| walk_expr(finder, expression));
            }
            Expr::Call(call) => {
                if let Expr::Name(callee) = &*call.func {
                    let keywords = call.arguments.keywords.iter();
                    let keywords = keywords.filter_map(|keyword| keyword.arg.as_ref());
                    let keywords = keywords.map(|name| self.text(name.range)).collect();
                    self.keywords.push((self.text(callee.range), keywords));
                }
                walk_expr(self, expression);
            }
            _ => walk_expr(self, expression),
        }
    }
}

impl<'s> ScopeFinder<'s> {
    fn text(&self, range: TextRange) -> &'s str {
        &self.source[range]
    }

    fn place(&self, range: TextRange, is_read: bool) -> Place<'s> {
        Place {
            name: self.text(range),
            at: range.start().to_usize(),
            is_read,
        }
    }

    fn open(&mut self, kind: ScopeKind) -> usize {
        self.scopes.push(Scope {
            kind,
            parent: Some(self.scope),
            bound: HashSet::new(),
        });
        self.scopes.len() - 1
    }

    fn within(&mut self, scope: usize, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.scope, scope);
        visit(self);
        self.scope = outer;
    }

    fn keeping(&mut self, visit: impl FnOnce(&mut Self)) {
        self.keeping += 1;
        visit(self);
        self.keeping -= 1;
    }

    fn keep(&mut self, range: TextRange) {
        self.kept.insert(self.text(range));
    }

    /// Keeps the names in `one.two`.
    fn keep_path(&mut self, path: &Identifier) {
        let names = self.text(path.range).split('.').map(str::trim);
        self.kept.extend(names);
    }

    fn bind(&mut self, name: &Identifier) {
        self.mention(name.range, false);
    }

    fn mention(&mut self, range: TextRange, is_read: bool) {
        if self.keeping > 0 {
            return self.keep(range);
        }
        let place = self.place(range, is_read);
        if !is_read {
            self.scopes[self.scope].bound.insert(place.name);
        }
        self.mentions.push((place, self.scope));
    }

    /// Parameters belong to the function's scope, their annotations and defaults to the enclosing one.
    fn parameters(&mut self, parameters: &Parameters, inner: usize) {
        for parameter in parameters.iter_source_order() {
            self.within(inner, |finder| finder.bind(parameter.name()));
            if let Some(annotation) = parameter.annotation() {
                self.visit_annotation(annotation);
            }
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
        }
    }

    /// Scope in which `:=` binds: never a comprehension's.
    fn function_of(&self, mut scope: usize) -> usize {
        while self.scopes[scope].kind == ScopeKind::Comprehension {
            scope = self.scopes[scope].parent.unwrap_or(0);
        }
        scope
    }

    fn names(mut self, all: BTreeSet<&'s str>) -> Names<'s> {
        // Inside a method, the bare name refers to something outside the class.
        let function = self.function.as_ref().filter(|_| !self.is_method);
        self.scopes[0]
            .bound
            .extend(function.map(|function| function.name));
        let mut kept = std::mem::take(&mut self.kept);
        let mut free = BTreeSet::new();
        for (place, scope) in &self.mentions {
            let kind = self.resolve(place.name, *scope);
            if kind.is_none() {
                free.insert(place.name);
            }
            if matches!(kind, None | Some(ScopeKind::Class)) {
                kept.insert(place.name);
            }
        }
        let sees_names = OBSERVES_LOCALS.iter().any(|name| free.contains(name));
        for (callee, keywords) in &self.keywords {
            if !free.contains(callee) {
                kept.extend(keywords);
            }
        }
        let is_own = |place: &Place| {
            !sees_names && !kept.contains(place.name) && !place.name.starts_with("__")
        };
        let mut own: Vec<_> = self.mentions.into_iter().map(|(place, _)| place).collect();
        own.retain(is_own);
        own.sort_by_key(|place| place.at);
        Names {
            own,
            function: self.function,
            all,
        }
    }

    /// Kind of the scope that binds a name mentioned in a scope; `None` if it is bound outside.
    fn resolve(&self, name: &str, mentioned_in: usize) -> Option<ScopeKind> {
        let parent = |number: &usize| self.scopes[*number].parent;
        let binds = |number: &usize| {
            let scope = &self.scopes[*number];
            scope.bound.contains(name)
                && (scope.kind != ScopeKind::Class || *number == mentioned_in)
        };
        let binding = std::iter::successors(Some(mentioned_in), parent).find(binds)?;
        Some(self.scopes[binding].kind)
    }
}
