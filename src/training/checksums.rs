//! Checksums of a folder's files, kept beside them in a file that `sha256sum -c` reads, too.

use std::{collections::BTreeMap, fmt::Write as _, fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// The file of the checksums.
pub const SHA256SUMS: &str = "SHA256SUMS";

/// SHA-256 checksums by file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, String>);

impl Checksums {
    /// Checksums of files, given as names and contents.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let sums = files
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), digest(bytes)));
        Self(sums.collect())
    }

    /// The checksums kept in `folder`; `None` where there are none.
    ///
    /// # Errors
    /// Names the file, if it can't be read or holds anything else.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(SHA256SUMS);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("can't read {}", path.display()));
            }
        };
        let sums = std::str::from_utf8(&bytes).ok().and_then(parse);
        let sums = sums.filter(|sums| !sums.is_empty());
        let damaged = || format!("{} is damaged: expected lines of sha256sum", path.display());
        Ok(Some(Self(sums.with_context(damaged)?)))
    }

    /// The file's contents.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, sum) in &self.0 {
            // A `String` takes everything.
            let _ = writeln!(text, "{sum}  {name}");
        }
        text
    }

    /// The files that are covered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Checks the contents of the file `name` in `folder`.
    ///
    /// # Errors
    /// Names the file, if it isn't the one that was written.
    pub fn check(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
        let path = folder.join(name);
        match self.0.get(name) {
            Some(sum) if *sum == digest(bytes) => Ok(()),
            Some(_) => bail!(
                "{} is damaged: its SHA-256 isn't the one in {SHA256SUMS} (if you changed it yourself, remove that file)",
                path.display()
            ),
            None => bail!(
                "{} is damaged: it has no line for {}",
                folder.join(SHA256SUMS).display(),
                path.display()
            ),
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let entry = |line: &str| {
        let (sum, name) = line.split_once("  ")?;
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        // A name that leads out of the folder is none that was written here.
        let is_plain = !name.contains(['/', '\\']);
        (is_plain && sum.len() == 64 && sum.bytes().all(is_digit))
            .then(|| (name.to_owned(), sum.to_owned()))
    };
    text.lines().map(entry).collect()
}
