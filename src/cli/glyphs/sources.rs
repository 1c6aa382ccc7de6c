//! Python sources named on the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::data::{corpus::read_source, python};

/// Functions of a Python file, or of standard input for `-`.
///
/// # Errors
/// If it can't be read or is no Python.
pub fn functions_in(path: &Path) -> Result<Vec<python::Function>> {
    let (name, source) = match path.as_os_str() == "-" {
        true => (
            PathBuf::from("standard input"),
            read_source(std::io::stdin()),
        ),
        false => {
            let file = std::fs::File::open(path).map_err(anyhow::Error::from);
            (path.to_owned(), file.and_then(read_source))
        }
    };
    let source = source.with_context(|| format!("can't read {}", name.display()))?;
    python::functions(&source).with_context(|| name.display().to_string())
}
