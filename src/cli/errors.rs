//! Errors with an exit code of their own.

/// An error of the command line rather than of the job: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUse(pub String);

/// A result that was given, but can't be relied on: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unverified(pub String);

/// Interruption by Ctrl-C, or by a signal that asks for the same.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;
