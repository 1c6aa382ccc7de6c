//! Output: results to standard output, everything else to standard error. Neither a closed pipe nor a full disk behind
//! them makes the program panic. And the check of the files to write, before a command's work.

use std::{
    fmt::Display,
    io::{ErrorKind, Write, stderr, stdout},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result};

use super::errors::WrongUse;
use crate::{
    files::{check_output, is_standard_output},
    plot::picture_format,
};

/// True while a file goes to standard output, where other lines would damage it.
static IS_OUTPUT_TAKEN: AtomicBool = AtomicBool::new(false);

/// Refuses, before any work, a file to write that can't be written or is one of the `sources`. Where it is standard
/// output, results are said on standard error from now on.
///
/// # Errors
/// Names the file.
pub fn claim(path: &Path, sources: &[&Path]) -> Result<()> {
    check_output(path, sources)?;
    if is_standard_output(path) {
        IS_OUTPUT_TAKEN.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Refuses a picture to write whose ending is of no known format, or as [`claim`].
///
/// # Errors
/// Names the file.
pub fn claim_picture(path: &Path, sources: &[&Path]) -> Result<()> {
    picture_format(path).map_err(|error| WrongUse(format!("{error:#}")))?;
    claim(path, sources)
}

/// Prints a line of the result. A reader that has gone away (`| head`) ends the program in peace.
///
/// # Errors
/// If it can't be written.
pub fn say(line: impl Display) -> Result<()> {
    if IS_OUTPUT_TAKEN.load(Ordering::Relaxed) {
        note(line);
        return Ok(());
    }
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
