//! Functions much like a given one: renamed and reformatted ones that mean the same, and near misses
//! that mean something else, for glyphs to be alike and to differ by meaning.

use rand::{Rng, RngExt};
use tree_sitter::Node;

use super::{
    key, normalised,
    scope::Names,
    syntax::{Edit, Visit, edited, parse, text, walk},
};

const NOUNS: &[&str] = &[
    "account", "action", "amount", "answer", "area", "array", "base", "batch", "body", "bound",
    "buffer", "cell", "chunk", "code", "column", "config", "content", "context", "count", "cursor",
    "data", "date", "depth", "detail", "domain", "edge", "element", "entry", "error", "event",
    "factor", "field", "first", "flag", "frame", "group", "handle", "header", "height", "index",
    "info", "item", "key", "kind", "label", "last", "layer", "left", "level", "limit", "line",
    "link", "mark", "mask", "message", "mode", "model", "name", "node", "number", "offset",
    "option", "order", "origin", "output", "owner", "page", "pair", "part", "path", "piece",
    "place", "point", "prefix", "query", "queue", "rate", "reason", "record", "request", "result",
    "right", "role", "root", "row", "sample", "scale", "score", "section", "segment", "shape",
    "size", "slot", "source", "span", "stack", "start", "state", "step", "suffix", "table",
    "target", "task", "term", "text", "title", "token", "total", "tree", "unit", "user", "value",
    "vector", "version", "weight", "width", "window", "word",
];
const VERBS: &[&str] = &[
    "add", "apply", "build", "check", "clean", "collect", "compute", "convert", "copy", "create",
    "drop", "extract", "fetch", "find", "format", "get", "handle", "load", "make", "merge", "move",
    "pack", "parse", "prepare", "process", "read", "render", "reset", "resolve", "run", "scan",
    "send", "set", "show", "sort", "split", "store", "test", "trim", "update", "visit", "wrap",
    "write",
];

/// The function with its name, parameters and locals renamed, the same everywhere: the same tokens but
/// for names, and the same meaning. Special names (`__init__`), `self` and what means something outside
/// the function stay. `None` if nothing can be renamed, or `source` is no Python.
pub fn renamed(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let tree = parse(&source).ok()?;
    let names = Names::new(tree.root_node(), &source);
    let mut places = names.by_name();
    let mut edits = Vec::new();
    let mut taken: Vec<String> = names.all.iter().map(|name| (*name).to_owned()).collect();
    let mut fresh = |words: &[&[&str]]| loop {
        let parts: Vec<&str> = words
            .iter()
            .map(|list| list[rng.random_range(0..list.len())])
            .collect();
        let mut name = parts.join("_");
        if rng.random_bool(0.1) {
            name.push_str(&format!("_{}", rng.random_range(1..100)));
        }
        if !taken.contains(&name) {
            taken.push(name.clone());
            return name;
        }
    };
    if let Some(function) = names
        .function
        .filter(|function| !function.name.starts_with("__"))
    {
        let name = fresh(&[VERBS, NOUNS]);
        let recursions = places.remove(function.name).unwrap_or_default();
        let recursions = recursions.into_iter().chain([function.at]);
        edits.extend(recursions.map(|at| Edit::new(at..at + function.name.len(), &name)));
    }
    for (old, places) in places {
        let name = if is_short(old) {
            fresh(&[NOUNS])
        } else {
            fresh(&[NOUNS, NOUNS])
        };
        edits.extend(
            places
                .into_iter()
                .map(|at| Edit::new(at..at + old.len(), &name)),
        );
    }
    let result = (!edits.is_empty()).then(|| edited(&source, 0..source.len(), edits))?;
    parse(&result).is_ok().then_some(result)
}

/// Whether one word is enough for what replaces a name.
fn is_short(old: &str) -> bool {
    old.len() < 10 && !old.contains('_')
}

/// The function laid out in another way, of the same meaning (the same `ast`): no comments, other blank
/// lines, quotes, indentation and spaces round operators. `None` if that changes nothing, or `source` is
/// no Python.
pub fn reformatted(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let tree = parse(&source).ok()?;
    let style = Style {
        indent: ["  ", "   ", "    ", "      ", "        ", "\t"][rng.random_range(0..6)],
        quote: ["\"", "'"][rng.random_range(0..2)],
        operator: ["", " "][rng.random_range(0..2)],
        keyword: ["", " "][rng.random_range(0..2)],
        comma: ["", " "][rng.random_range(0..2)],
    };
    let mut edits = Vec::new();
    let mut depth = 0;
    let mut way: Vec<Node> = Vec::new();
    walk(tree.root_node(), |node, visit| {
        let is_block = node.kind() == "block";
        if visit == Visit::Leave {
            depth -= usize::from(is_block);
            way.pop();
            return false;
        }
        let parent = way.last().copied();
        way.push(node);
        depth += usize::from(is_block);
        let is_leaf = node.child_count() == 0 || node.kind() == "string";
        if is_leaf && !node.byte_range().is_empty() {
            style.lay_out(node, parent, depth, &source, &mut edits);
        }
        !is_leaf
    });
    let mut result = edited(&source, 0..source.len(), edits);
    if rng.random_bool(0.3) {
        let first = result.find(":\n").map(|at| at + 2);
        let airy = first.map(|at| format!("{}\n{}", &result[..at], &result[at..]));
        result = airy
            .filter(|airy| key(airy) == key(&source))
            .unwrap_or(result);
    }
    (result != source && parse(&result).is_ok() && key(&result) == key(&source)).then_some(result)
}

/// A way to lay out Python.
struct Style {
    indent: &'static str,
    quote: &'static str,
    operator: &'static str,
    keyword: &'static str,
    comma: &'static str,
}

impl Style {
    /// The edits at a token in `depth` blocks: the white space before it, or round it, and its quotes.
    fn lay_out(
        &self,
        node: Node,
        parent: Option<Node>,
        depth: usize,
        source: &str,
        edits: &mut Vec<Edit>,
    ) {
        let (start, end) = (node.start_byte(), node.end_byte());
        let before = source[..start].trim_end_matches([' ', '\t', '\u{c}']).len();
        let is_first = source[..before].ends_with('\n');
        let token = text(node, source);
        if is_first {
            let after_lines = source[..before].trim_end().len();
            let lines = &source[after_lines..before];
            let first = after_lines + lines.find('\n').map_or(lines.len(), |at| at + 1);
            // Comments among the lines have edits of their own.
            if first < before {
                edits.push(Edit::new(first..before, ""));
            }
        }
        if node.kind() == "comment" {
            // What follows it is the end of its line, which goes too if the comment is all there is.
            let end = if is_first && source[end..].starts_with('\n') {
                end + 1
            } else {
                end
            };
            edits.push(Edit::new(before..end, ""));
            return;
        }
        if is_first {
            let is_inside =
                parent.is_some_and(|parent| parent.kind() != "block" && !starts_line(node, parent));
            let indentation = self.indent.repeat(depth + usize::from(is_inside));
            edits.push(Edit::new(before..start, &indentation));
        }
        let spaces = match (parent.map_or("", |parent| parent.kind()), token) {
            (
                "binary_operator" | "comparison_operator" | "assignment" | "augmented_assignment",
                operator,
            ) if !operator.starts_with(|c: char| {
                c.is_alphanumeric() || c == '_' || "\"'([{:.".contains(c)
            }) =>
            {
                Some((self.operator, self.operator))
            }
            ("keyword_argument" | "default_parameter", "=") => Some((self.keyword, self.keyword)),
            ("pair", ":") => Some(("", self.comma)),
            (_, ",") => Some(("", self.comma)),
            _ => None,
        };
        if let Some((left, right)) = spaces.filter(|_| !is_first) {
            let after =
                end + source[end..].len() - source[end..].trim_start_matches([' ', '\t']).len();
            let ends_line = source[after..].starts_with(['\n', '\\', '#']);
            let continues = source[..before].ends_with(['\\', ',']);
            if !continues {
                edits.push(Edit::new(before..start, left));
            }
            let right = if source[after..].starts_with([')', ']', '}']) {
                ""
            } else {
                right
            };
            if !ends_line {
                edits.push(Edit::new(end..after, right));
            }
        }
        if node.kind() == "string"
            && let Some(inner) = token.get(1..token.len() - 1)
            && token.starts_with(['"', '\''])
            && !inner.contains(['"', '\'', '\\'])
        {
            edits.push(Edit::new(start..start + 1, self.quote));
            edits.push(Edit::new(end - 1..end, self.quote));
        }
    }
}

/// Whether a token begins a line of its own in the block structure, not one that goes on.
fn starts_line(node: Node, parent: Node) -> bool {
    parent.start_byte() == node.start_byte() && parent.kind() != "argument_list"
        || matches!(
            node.kind(),
            "else" | "elif" | "except" | "finally" | "case" | "def" | "class" | "@"
        )
}

/// The function with one token changed so that it means something else: an operator, a constant, a
/// method for its opposite; where there is none of these, a variable or attribute for another, or a text. `None` if there is nothing to change, or `source` is no Python.
pub fn near_miss(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let tree = parse(&source).ok()?;
    let mut misses = Vec::new();
    walk(tree.root_node(), |node, visit| {
        if visit == Visit::Enter && node.child_count() == 0 && !node.byte_range().is_empty() {
            let other = other_token(node, text(node, &source));
            misses.extend(other.map(|other| Edit::new(node.byte_range(), &other)));
        }
        !matches!(node.kind(), "format_specifier" | "comment")
    });
    if misses.is_empty() {
        misses = far_fetched(tree.root_node(), &source);
    }
    while !misses.is_empty() {
        let miss = misses.swap_remove(rng.random_range(0..misses.len()));
        let result = edited(&source, 0..source.len(), vec![miss]);
        if parse(&result).is_ok() && key(&result) != key(&source) {
            return Some(result);
        }
    }
    None
}

const OPERATORS: &[(&str, &str)] = &[
    ("<", "<="),
    (">", ">="),
    ("==", "!="),
    ("+", "-"),
    ("*", "/"),
    ("//", "%"),
    ("+=", "-="),
    ("*=", "/="),
    ("|=", "&="),
    ("|", "&"),
    ("<<", ">>"),
    ("and", "or"),
    ("True", "False"),
    ("break", "continue"),
];
const FUNCTIONS: &[(&str, &str)] = &[
    ("any", "all"),
    ("min", "max"),
    ("int", "float"),
    ("list", "tuple"),
];
const METHODS: &[(&str, &str)] = &[
    ("append", "extend"),
    ("startswith", "endswith"),
    ("lower", "upper"),
    ("keys", "values"),
    ("min", "max"),
    ("add", "discard"),
    ("assertTrue", "assertFalse"),
    ("assertEqual", "assertNotEqual"),
    ("assertIs", "assertIsNot"),
    ("assertIn", "assertNotIn"),
    ("assertIsNone", "assertIsNotNone"),
    ("assertLess", "assertGreater"),
];

/// What to put for a token so that the meaning changes.
fn other_token(node: Node, token: &str) -> Option<String> {
    if node.kind() == "integer" {
        let number: u64 = token.parse().ok()?;
        return Some(number.checked_add(1)?.to_string());
    }
    let parent = node.parent()?;
    let is_field = |name| parent.child_by_field_name(name) == Some(node);
    let pairs = match (node.kind(), parent.kind()) {
        ("identifier", "call") if is_field("function") => FUNCTIONS,
        ("identifier", "attribute") if is_field("attribute") => METHODS,
        ("identifier", _) => return None,
        ("true" | "false", _) => OPERATORS,
        // Elsewhere `*`, `/` and `|` are signs of other things.
        (
            _,
            "binary_operator"
            | "comparison_operator"
            | "boolean_operator"
            | "augmented_assignment"
            | "break_statement"
            | "continue_statement",
        ) => OPERATORS,
        _ => return None,
    };
    let swapped = pairs.iter().find_map(|(a, b)| match token {
        token if token == *a => Some(*b),
        token if token == *b => Some(*a),
        _ => None,
    });
    swapped.map(str::to_owned)
}

/// Changes where no token has an opposite: a variable for another, a text, an attribute for another, or a
/// generator for a function. The first kind there is.
fn far_fetched(root: Node, source: &str) -> Vec<Edit> {
    let names = Names::new(root, source);
    let own: Vec<&str> = names.by_name().into_keys().collect();
    let read = names.own.iter().filter(|place| place.is_read);
    let variables = read.flat_map(|place| {
        let others = own.iter().filter(|other| **other != place.name);
        others.map(|other| Edit::new(place.at..place.at + place.name.len(), other))
    });
    let (mut attributes, mut texts, mut returns) = (Vec::new(), Vec::new(), Vec::new());
    walk(root, |node, visit| {
        if visit == Visit::Enter {
            match node.kind() {
                "attribute" => attributes.extend(node.child_by_field_name("attribute")),
                "string_content" if node.child_count() == 0 => {
                    texts.push(Edit::new(node.end_byte()..node.end_byte(), "s"));
                }
                "return" => returns.push(Edit::new(node.byte_range(), "yield")),
                _ => (),
            }
        }
        true
    });
    let swaps = attributes.iter().flat_map(|a| {
        let others = attributes
            .iter()
            .map(|b| text(*b, source))
            .filter(|b| *b != text(*a, source));
        others.map(|b| Edit::new(a.byte_range(), b))
    });
    let kinds = [variables.collect(), texts, swaps.collect(), returns];
    kinds
        .into_iter()
        .find(|kind: &Vec<Edit>| !kind.is_empty())
        .unwrap_or_default()
}
