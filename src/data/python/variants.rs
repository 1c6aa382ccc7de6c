//! Variants of a function for contrastive training: renamed and reformatted ones of the same meaning, and
//! near misses of a different meaning.

use std::collections::HashMap;

use rand::{Rng, RngExt};
use ruff_python_ast::{AnyNodeRef, Expr, StringFlags, token::TokenKind};
use ruff_text_size::{Ranged, TextSize};

use super::{
    key, normalised,
    parse::parse,
    scope::Names,
    syntax::{Edit, Tree, edited, ends_operand},
};

pub use super::layout::reformatted;

/// Words of new names.
const NOUNS: &str = "account action amount answer area array base batch body bound buffer cell chunk code \
    column config content context count cursor data date depth detail domain edge element entry error event \
    factor field first flag frame group handle header height index info item key kind label last layer left \
    level limit line link mark mask message mode model name node number offset option order origin output \
    owner page pair part path piece place point prefix query queue rate reason record request result right \
    role root row sample scale score section segment shape size slot source span stack start state step \
    suffix table target task term text title token total tree unit user value vector version weight width \
    window word";
const VERBS: &str = "add apply build check clean collect compute convert copy create drop extract fetch find \
    format get handle load make merge move pack parse prepare process read render reset resolve run scan \
    send set show sort split store test trim update visit wrap write";

/// Variant of a function with its name, parameters and locals renamed consistently: the tokens are equal up to
/// names, and so is the meaning. Special names (`__init__`), `self` and names with a meaning outside the
/// function stay. `None` if nothing can be renamed, or `source` is no Python.
pub fn renamed(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let edits = parse(&source, |tree| new_names(tree, rng)).ok()?;
    let result = (!edits.is_empty()).then(|| edited(&source, 0..source.len(), edits))?;
    parse(&result, |_| ()).is_ok().then_some(result)
}

fn new_names(tree: &Tree, rng: &mut impl Rng) -> Vec<Edit> {
    let names = Names::new(tree);
    let mut places = names.by_name();
    let mut edits = Vec::new();
    let mut taken: Vec<String> = names.all.iter().map(|name| (*name).to_owned()).collect();
    let [nouns, verbs] = [NOUNS, VERBS].map(|words| words.split(' ').collect::<Vec<&str>>());
    let mut fresh = |words: &[&[&str]]| loop {
        let parts = words
            .iter()
            .map(|list| list[rng.random_range(0..list.len())]);
        let mut name = parts.collect::<Vec<_>>().join("_");
        if rng.random_bool(0.1) {
            name.push_str(&format!("_{}", rng.random_range(1..100)));
        }
        if !taken.contains(&name) {
            taken.push(name.clone());
            return name;
        }
    };
    let mut replace = |old: &str, places: Vec<usize>, new: String| {
        let edit = |at: usize| Edit::new(at..at + old.len(), &new);
        edits.extend(places.into_iter().map(edit));
    };
    let function = names.function.as_ref();
    if let Some(function) = function.filter(|function| !function.name.starts_with("__")) {
        let mut recursions = places.remove(function.name).unwrap_or_default();
        recursions.push(function.at);
        replace(function.name, recursions, fresh(&[&verbs, &nouns]));
    }
    for (old, places) in places {
        let new = match old.len() < 10 && !old.contains('_') {
            true => fresh(&[&nouns]),
            false => fresh(&[&nouns, &nouns]),
        };
        replace(old, places, new);
    }
    edits
}

/// First and last letters of scripts other than Latin; names may be written in all of them.
const SCRIPTS: [[char; 2]; 12] = [
    ['à', 'ö'],
    ['α', 'ω'],
    ['а', 'я'],
    ['א', 'ת'],
    ['ف', 'ي'],
    ['क', 'ह'],
    ['ก', 'ฮ'],
    ['あ', 'ん'],
    ['ア', 'ン'],
    ['一', '龠'],
    ['가', '힣'],
    ['ა', 'ჰ'],
];
/// First and last characters of symbols, for strings and comments.
const SYMBOLS: [[char; 2]; 6] = [
    ['¡', '¿'],
    ['←', '⇿'],
    ['∀', '⋿'],
    ['─', '◿'],
    ['☀', '➿'],
    ['😀', '🙏'],
];

/// Variant of a function with some of its names and most of its strings and comments in a script other than Latin, so that
/// bytes that a corpus seldom has are met. `None` if it has none of these, or `source` is no Python.
pub fn in_another_script(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let script = SCRIPTS[rng.random_range(0..SCRIPTS.len())];
    let edits = parse(&source, |tree| {
        let mut word = |is_name: bool| -> String {
            let [first, last] = match is_name || rng.random_bool(0.7) {
                true => script,
                false => SYMBOLS[rng.random_range(0..SYMBOLS.len())],
            };
            let letters = 0..rng.random_range(1..6);
            letters.map(|_| rng.random_range(first..=last)).collect()
        };
        let names = Names::new(tree).by_name();
        let mut edits = Vec::new();
        for (nth, (name, places)) in names.into_iter().enumerate() {
            // Two names mustn't become one.
            if nth % 2 == 0 {
                let new = format!("{}{}", word(true), nth / 2);
                let places = places.into_iter();
                edits.extend(places.map(|at| Edit::new(at..at + name.len(), &new)));
            }
        }
        for token in tree.tokens() {
            let (start, end) = (token.start().to_usize(), token.end().to_usize());
            let inside = match (token.kind(), token.string_flags()) {
                (TokenKind::String, Some(flags)) if !flags.is_byte_string() => {
                    start + flags.opener_len().to_usize()..end - flags.closer_len().to_usize()
                }
                (TokenKind::FStringMiddle, _) => start..end,
                (TokenKind::Comment, _) => start + 1..end,
                _ => continue,
            };
            if !inside.is_empty() {
                edits.push(Edit::new(inside, &[word(false), word(false)].join(" ")));
            }
        }
        edits
    });
    let edits = edits.ok()?;
    let result = (!edits.is_empty()).then(|| edited(&source, 0..source.len(), edits))?;
    parse(&result, |_| ()).is_ok().then_some(result)
}

/// Variant of a function with another meaning, in which one token differs: an operator, a constant, or a
/// method for its opposite; in absence of these a variable or attribute for another, or a string. `None` if
/// there is nothing to change, or `source` is no Python.
pub fn near_miss(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let mut misses = parse(&source, |tree| match opposites(tree) {
        misses if misses.is_empty() => fallback_edits(tree),
        misses => misses,
    })
    .ok()?;
    while !misses.is_empty() {
        let miss = misses.swap_remove(rng.random_range(0..misses.len()));
        let result = edited(&source, 0..source.len(), vec![miss]);
        if parse(&result, |_| ()).is_ok() && key(&result) != key(&source) {
            return Some(result);
        }
    }
    None
}

/// Pairs of opposites: two words each.
const OPERATORS: &str = "< <= > >= == != + - * / // % += -= *= /= |= &= | & << >> and or True False \
    break continue";
const FUNCTIONS: &str = "any all min max int float list tuple";
const METHODS: &str = "append extend startswith endswith lower upper keys values min max add discard \
    assertTrue assertFalse assertEqual assertNotEqual assertIs assertIsNot assertIn assertNotIn \
    assertIsNone assertIsNotNone assertLess assertGreater";

/// Opposite of a word in a list of pairs.
fn opposite(pairs: &'static str, word: &str) -> Option<&'static str> {
    let mut words = pairs.split_whitespace();
    while let (Some(a), Some(b)) = (words.next(), words.next()) {
        if word == a || word == b {
            return Some(if word == a { b } else { a });
        }
    }
    None
}

/// Replacements of tokens that have an opposite.
fn opposites(tree: &Tree) -> Vec<Edit> {
    let names = called(tree);
    let mut misses = Vec::new();
    let mut before = None;
    for token in tree.tokens() {
        let old = tree.text(token);
        let pairs = match token.kind() {
            kind if kind.is_trivia() => continue,
            TokenKind::Int => {
                let next = old.parse::<u64>().ok().and_then(|n| n.checked_add(1));
                misses.extend(next.map(|n| Edit::new(token.range().into(), &n.to_string())));
                ""
            }
            TokenKind::Name => names.get(&token.start()).copied().unwrap_or_default(),
            TokenKind::FStringMiddle | TokenKind::TStringMiddle => "",
            // Elsewhere `*`, `/` and `|` have other meanings.
            kind if kind.as_binary_operator().is_some() && !before.is_some_and(ends_operand) => "",
            _ => OPERATORS,
        };
        let other = opposite(pairs, old);
        misses.extend(other.map(|other| Edit::new(token.range().into(), other)));
        before = Some(token.kind());
    }
    misses
}

/// Names of callees and attributes, with their possible opposites.
fn called(tree: &Tree) -> HashMap<TextSize, &'static str> {
    let mut names = HashMap::new();
    tree.walk(|node| match node {
        AnyNodeRef::ExprCall(call) => {
            if let Expr::Name(name) = &*call.func {
                names.insert(name.start(), FUNCTIONS);
            }
        }
        AnyNodeRef::ExprAttribute(attribute) => {
            names.insert(attribute.attr.start(), METHODS);
        }
        _ => (),
    });
    names
}

/// Replacements if no token has an opposite: a variable for another, a string, an attribute for another, or
/// a generator for a function. Only the first kind that occurs.
fn fallback_edits(tree: &Tree) -> Vec<Edit> {
    let names = Names::new(tree);
    let own: Vec<&str> = names.by_name().into_keys().collect();
    let read = names.own.iter().filter(|place| place.is_read);
    let variables = read.flat_map(|place| {
        let others = own.iter().filter(|other| **other != place.name);
        others.map(|other| Edit::new(place.at..place.at + place.name.len(), other))
    });
    let mut attributes = Vec::new();
    tree.walk(|node| attributes.extend(node.as_expr_attribute().map(|found| &found.attr)));
    let (mut texts, mut returns) = (Vec::new(), Vec::new());
    for token in tree.tokens() {
        if token.kind() == TokenKind::Return {
            returns.push(Edit::new(token.range().into(), "yield"));
        }
        let closing = match (token.kind(), token.string_flags()) {
            (TokenKind::String, Some(flags)) => flags.closer_len().to_usize(),
            (TokenKind::FStringMiddle, _) => 0,
            _ => continue,
        };
        let end = token.end().to_usize() - closing;
        let content = &tree.source[token.start().to_usize()..end];
        if !content.ends_with(['"', '\'']) && !content.contains('\\') {
            texts.push(Edit::new(end..end, "s"));
        }
    }
    let swaps = attributes.iter().flat_map(|a| {
        let others = attributes.iter().map(|b| tree.text(*b));
        let others = others.filter(|b| *b != tree.text(*a));
        others.map(|b| Edit::new(a.range().into(), b))
    });
    let kinds: [Vec<Edit>; 4] = [variables.collect(), texts, swaps.collect(), returns];
    let first = kinds.into_iter().find(|kind| !kind.is_empty());
    first.unwrap_or_default()
}
