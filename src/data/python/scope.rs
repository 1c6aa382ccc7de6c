//! Which names in a function are its own: parameters and locals, and where they stand. Names that mean
//! something outside (globals, builtins, attributes, keywords of calls, imports) are not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tree_sitter::Node;

use super::syntax::{Visit, parts, text, walk};

/// A place where a name stands, in bytes from the start.
pub struct Place<'s> {
    pub name: &'s str,
    pub at: usize,
    /// Read here, rather than bound.
    pub is_read: bool,
}

/// What [`Names::new`] finds.
pub struct Names<'s> {
    /// Where the names stand that are the function's own and can be renamed, in the order of the text.
    pub own: Vec<Place<'s>>,
    /// The name in the outermost `def`, and where; not in `own` unless it is read there (recursion).
    pub function: Option<Place<'s>>,
    /// Every identifier in the text, whatever it is.
    pub all: BTreeSet<&'s str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    Function,
    Class,
    Comprehension,
}

struct Scope<'s> {
    kind: Kind,
    parent: Option<usize>,
    bound: HashSet<&'s str>,
}

struct Mention<'s> {
    name: &'s str,
    at: usize,
    scope: usize,
    is_read: bool,
}

/// Names that are the same everywhere by custom.
const CUSTOMARY: [&str; 4] = ["self", "cls", "mcs", "_"];
/// Whoever calls these sees the names of locals.
const SEES_NAMES: [&str; 4] = ["locals", "eval", "exec", "vars"];

struct Finder<'s, 't> {
    source: &'s str,
    scopes: Vec<Scope<'s>>,
    /// The nodes on the way down, each with the scope it is in.
    way: Vec<(Node<'t>, usize)>,
    /// Scopes that function definitions and lambdas make, by their nodes.
    made: HashMap<usize, usize>,
    /// Nodes of identifiers that are bound where they stand.
    targets: HashSet<usize>,
    mentions: Vec<Mention<'s>>,
    kept: BTreeSet<&'s str>,
    /// Callee and keywords of calls of a bare name.
    keywords: Vec<(&'s str, Vec<&'s str>)>,
    all: BTreeSet<&'s str>,
    function: Option<(usize, Place<'s>)>,
    is_method: bool,
}

impl<'s> Names<'s> {
    /// Finds the names in the text of one function.
    pub fn new(root: Node, source: &'s str) -> Self {
        let mut finder = Finder {
            source,
            scopes: vec![Scope {
                kind: Kind::Module,
                parent: None,
                bound: HashSet::new(),
            }],
            way: Vec::new(),
            made: HashMap::new(),
            targets: HashSet::new(),
            mentions: Vec::new(),
            kept: CUSTOMARY.into(),
            keywords: Vec::new(),
            all: BTreeSet::new(),
            function: None,
            is_method: false,
        };
        walk(root, |node, visit| {
            match visit {
                Visit::Enter => finder.enter(node),
                Visit::Leave => drop(finder.way.pop()),
            }
            true
        });
        finder.names()
    }
}

impl<'s, 't> Finder<'s, 't> {
    fn enter(&mut self, node: Node<'t>) {
        let scope = self.scope_of(node);
        self.way.push((node, scope));
        match node.kind() {
            "identifier" => self.identifier(node, scope),
            "function_definition" | "lambda" => {
                let inner = self.open(Kind::Function, scope);
                self.made.insert(node.id(), inner);
            }
            "parameters" | "lambda_parameters" => {
                let own_scope = self.function.as_ref().map_or(0, |(id, _)| *id);
                let is_outermost = self
                    .way
                    .iter()
                    .rev()
                    .nth(1)
                    .is_some_and(|(n, _)| n.id() == own_scope);
                for (i, parameter) in parts(node).enumerate() {
                    let name = parameter.child_by_field_name("name").or_else(|| {
                        let typed = parameter.kind() == "typed_parameter";
                        if typed {
                            parameter.named_child(0)
                        } else {
                            Some(parameter)
                        }
                    });
                    if let Some(name) = name {
                        if is_outermost && i == 0 {
                            self.is_method = matches!(text(name, self.source), "self" | "cls");
                        }
                        self.target(name);
                    }
                }
            }
            "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
                node.child_by_field_name("left")
                    .into_iter()
                    .for_each(|left| self.target(left));
            }
            "named_expression" => {
                node.child_by_field_name("name")
                    .into_iter()
                    .for_each(|name| self.target(name));
            }
            "except_clause" => {
                node.child_by_field_name("alias")
                    .into_iter()
                    .for_each(|name| self.target(name));
            }
            "as_pattern_target" | "delete_statement" => {
                parts(node).for_each(|part| self.target(part))
            }
            "call" => self.call(node),
            _ => (),
        }
    }

    /// The scope that a node under the one entered last is in.
    fn scope_of(&mut self, node: Node<'t>) -> usize {
        let Some((parent, scope)) = self.way.last().copied() else {
            return 0;
        };
        let is_field = |name| parent.child_by_field_name(name) == Some(node);
        match parent.kind() {
            // A function's decorators, name, defaults and annotations are outside it.
            "function_definition" | "lambda" if is_field("parameters") || is_field("body") => {
                self.made.get(&parent.id()).copied().unwrap_or(scope)
            }
            "default_parameter" | "typed_default_parameter" | "typed_parameter"
                if is_field("value") || is_field("type") =>
            {
                self.scopes[scope].parent.unwrap_or(scope)
            }
            "class_definition" if is_field("body") => self.open(Kind::Class, scope),
            _ if matches!(
                node.kind(),
                "list_comprehension"
                    | "set_comprehension"
                    | "dictionary_comprehension"
                    | "generator_expression"
            ) =>
            {
                self.open(Kind::Comprehension, scope)
            }
            _ => scope,
        }
    }

    fn open(&mut self, kind: Kind, parent: usize) -> usize {
        self.scopes.push(Scope {
            kind,
            parent: Some(parent),
            bound: HashSet::new(),
        });
        self.scopes.len() - 1
    }

    /// Marks the identifiers that a target binds: not those in `a.b` or `a[b]`.
    fn target(&mut self, node: Node<'t>) {
        match node.kind() {
            "identifier" => drop(self.targets.insert(node.id())),
            "pattern_list"
            | "tuple_pattern"
            | "list_pattern"
            | "list_splat_pattern"
            | "dictionary_splat_pattern"
            | "tuple"
            | "list"
            | "expression_list"
            | "parenthesized_expression"
            | "as_pattern_target"
            | "list_splat" => {
                parts(node).for_each(|part| self.target(part));
            }
            _ => (),
        }
    }

    fn call(&mut self, node: Node<'t>) {
        let (callee, arguments) = (
            node.child_by_field_name("function"),
            node.child_by_field_name("arguments"),
        );
        let (Some(callee), Some(arguments)) = (callee, arguments) else {
            return;
        };
        if callee.kind() == "identifier" {
            let source = self.source;
            let keyword = |part: Node| Some(text(part.child_by_field_name("name")?, source));
            let named = parts(arguments).filter(|part| part.kind() == "keyword_argument");
            self.keywords
                .push((text(callee, source), named.filter_map(keyword).collect()));
        }
    }

    fn identifier(&mut self, node: Node<'t>, scope: usize) {
        let name = text(node, self.source);
        self.all.insert(name);
        let Some((parent, _)) = self.way.iter().rev().nth(1).copied() else {
            return;
        };
        let is_field = |field| parent.child_by_field_name(field) == Some(node);
        let fixed = |kind: &str| {
            kind.ends_with("import_statement")
                || kind == "import_from_statement"
                || matches!(
                    kind,
                    "case_pattern" | "type_parameter" | "type_alias_statement" | "global_statement"
                )
        };
        // `{name=}` in an f-string prints the name.
        let is_printed = |node: &Node| {
            node.kind() == "interpolation"
                && (0..node.child_count())
                    .any(|i| node.child(i as u32).is_some_and(|part| part.kind() == "="))
        };
        let place = |is_read| Place {
            name,
            at: node.start_byte(),
            is_read,
        };
        match parent.kind() {
            "attribute" if is_field("attribute") => (),
            "keyword_argument" if is_field("name") => (),
            "class_definition" if is_field("name") => drop(self.kept.insert(name)),
            "function_definition" if is_field("name") && self.function.is_none() => {
                self.function = Some((parent.id(), place(false)));
            }
            _ if self
                .way
                .iter()
                .any(|(above, _)| fixed(above.kind()) || is_printed(above)) =>
            {
                self.kept.insert(name);
            }
            kind => {
                let is_bound = self.targets.contains(&node.id())
                    || kind == "function_definition" && is_field("name");
                if is_bound {
                    let scope = if kind == "named_expression" {
                        self.function_of(scope)
                    } else {
                        scope
                    };
                    self.scopes[scope].bound.insert(name);
                }
                self.mentions.push(Mention {
                    name,
                    at: node.start_byte(),
                    scope,
                    is_read: !is_bound,
                });
            }
        }
    }

    /// The scope in which `:=` binds: not a comprehension's.
    fn function_of(&self, mut scope: usize) -> usize {
        while self.scopes[scope].kind == Kind::Comprehension {
            scope = self.scopes[scope].parent.unwrap_or(0);
        }
        scope
    }

    fn names(mut self) -> Names<'s> {
        if let Some((_, function)) = &self.function {
            // In a method the bare name means something else, outside the class.
            if !self.is_method {
                self.scopes[0].bound.insert(function.name);
            }
        }
        let mut kept = std::mem::take(&mut self.kept);
        let mut free = BTreeSet::new();
        for mention in &self.mentions {
            match self.resolve(mention) {
                Some(Kind::Function | Kind::Comprehension | Kind::Module) => (),
                Some(Kind::Class) => drop(kept.insert(mention.name)),
                None => {
                    kept.insert(mention.name);
                    free.insert(mention.name);
                }
            }
        }
        let sees_names = SEES_NAMES.iter().any(|name| free.contains(name));
        for (callee, keywords) in &self.keywords {
            if !free.contains(callee) {
                kept.extend(keywords);
            }
        }
        let is_own = |mention: &Mention| {
            !sees_names && !kept.contains(mention.name) && !mention.name.starts_with("__")
        };
        let own = self.mentions.iter().filter(|mention| is_own(mention));
        Names {
            own: own
                .map(|m| Place {
                    name: m.name,
                    at: m.at,
                    is_read: m.is_read,
                })
                .collect(),
            function: self.function.map(|(_, place)| place),
            all: self.all,
        }
    }

    /// The kind of scope in which a name is bound that stands in another; `None` if it is outside.
    fn resolve(&self, mention: &Mention) -> Option<Kind> {
        let mut scope = Some(mention.scope);
        while let Some(number) = scope {
            let Scope {
                kind,
                parent,
                bound,
            } = &self.scopes[number];
            if bound.contains(mention.name) && (*kind != Kind::Class || number == mention.scope) {
                return Some(*kind);
            }
            scope = *parent;
        }
        None
    }
}

impl<'s> Names<'s> {
    /// The own names, each with the places where it stands.
    pub fn by_name(&self) -> BTreeMap<&'s str, Vec<usize>> {
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for place in &self.own {
            places.entry(place.name).or_default().push(place.at);
        }
        places
    }
}
