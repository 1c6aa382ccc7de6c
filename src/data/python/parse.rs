//! Parsing of Python, by ruff's parser. Sources beyond CPython's nesting limits are rejected before
//! parsing; trees are visited and dropped on a stack large enough for the rest.

use ruff_python_ast::PythonVersion;
use ruff_python_parser::{Mode, ParseOptions, UnsupportedSyntaxErrorKind, parse_unchecked};

use super::{depth::depth, error::PythonError, laxity::first_laxity, syntax::Tree};

/// Stack for constructs that don't nest.
const BASE_STACK_BYTES: usize = 128 << 10;
/// Stack per level of nesting, several times the need.
const LEVEL_STACK_BYTES: usize = 2 << 10;

/// Result of `work` on the tree of a valid Python 3 source.
///
/// # Errors
/// With the first syntax error.
pub fn parse<T>(source: &str, work: impl FnOnce(&Tree) -> T) -> Result<T, PythonError> {
    parse_lenient(source, |tree| match first_error(tree) {
        Some(error) => Err(error),
        None => Ok(work(tree)),
    })?
}

/// Result of `work` on the tree of any text; invalid parts become error nodes.
///
/// # Errors
/// If the nesting exceeds CPython's limits.
pub fn parse_lenient<T>(source: &str, work: impl FnOnce(&Tree) -> T) -> Result<T, PythonError> {
    let depth = depth(source)?;
    let bytes = BASE_STACK_BYTES + depth * LEVEL_STACK_BYTES;
    Ok(stacker::maybe_grow(bytes, bytes, || {
        // `except A, B:` is Python 3.14, but nearly always Python 2, where it means something else.
        let options = ParseOptions::from(Mode::Module).with_target_version(PythonVersion::PY313);
        let parsed = parse_unchecked(source, options).try_into_module();
        let parsed = parsed.expect("a module: this is the mode it was parsed in");
        work(&Tree { source, parsed })
    }))
}

/// First error with respect to Python 3.
fn first_error(tree: &Tree) -> Option<PythonError> {
    let source = tree.source;
    // `raise;` is valid Python that ruff rejects.
    let is_raise = |at: usize| {
        let before = source[..at].trim_end_matches([' ', '\t']);
        source[at..].starts_with(';') && before.ends_with("raise")
    };
    let errors = tree.parsed.errors().iter();
    let errors = errors.map(|error| (error.location.start().to_usize(), error.error.to_string()));
    let wrong = errors.filter(|(at, _)| !is_raise(*at));
    let wrong = wrong.min_by_key(|(at, _)| *at);
    let mut newer = tree.parsed.unsupported_syntax_errors().iter();
    let python2 =
        newer.find(|error| error.kind == UnsupportedSyntaxErrorKind::UnparenthesizedExceptionTypes);
    let python2 = python2.map(|error| {
        let reason = "several exceptions need parentheses".to_owned();
        (error.range.start().to_usize(), reason)
    });
    let laxity = first_laxity(tree).map(|(at, reason)| (at, reason.to_owned()));
    let all = [wrong, python2, laxity].into_iter().flatten();
    let (mut at, mut reason) = all.min_by_key(|(at, _)| *at)?;
    if source[at..].trim().is_empty() {
        // At the end of the text there is nothing to quote.
        at = source[..at].trim_end().len();
    }
    let found = source[at..].lines().next().unwrap_or_default().trim();
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Some(PythonError::Syntax {
        line: source[..at].matches('\n').count() + 1,
        found: found.chars().take(40).collect(),
        reason,
    })
}
