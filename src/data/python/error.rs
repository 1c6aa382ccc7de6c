//! Errors of sources that yield no functions.

/// Reasons why a source yields no functions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PythonError {
    /// Text that is no Python 3.
    #[error("no Python in line {line}{}: {reason}", shown(found))]
    Syntax {
        /// Line number, from 1.
        line: usize,
        /// Offending text; empty at the end of a line.
        found: String,
        /// Message of the parser.
        reason: String,
    },
    /// Nesting beyond CPython's limits.
    #[error("nests too deep for Python: more than {most} {what} in one another")]
    TooDeep {
        /// Construct: brackets, blocks or operators.
        what: &'static str,
        /// Limit on the depth.
        most: usize,
    },
    /// Source without a function.
    #[error("no function: expected `def name(..): ..`")]
    NoFunction,
}

fn shown(found: &str) -> String {
    match found {
        "" => String::new(),
        found => format!(", at {found:?}"),
    }
}
