//! What is printed: results to standard output, everything else to standard error. Neither a closed
//! pipe nor a full disk behind them makes the program panic.

use std::{
    fmt::Display,
    io::{ErrorKind, Write, stderr, stdout},
};

use anyhow::{Context, Result};

/// Prints a line of the result. A reader that has gone away (`| head`) ends the program in peace.
///
/// # Errors
/// If it can't be written.
pub fn say(line: impl Display) -> Result<()> {
    let mut out = stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        written => written.context("can't write to standard output"),
    }
}

/// Prints a line beside the result; where nobody can read it, it is lost.
pub fn note(line: impl Display) {
    drop(writeln!(stderr(), "{line}"));
}
