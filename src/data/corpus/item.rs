//! Items that inputs consist of, and their construction from files.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::data::python::decode;

/// Largest size of a Python file or a line of a data set.
pub const MAX_SOURCE_BYTES: u64 = 8 << 20;

/// Item of a reading.
pub enum Item {
    /// Origin of all following items.
    CorpusSource {
        /// Name of the package, folder or repository.
        name: String,
        /// Licence, if stated.
        licence: Option<String>,
        /// Path, if the name is only its last component.
        path: Option<PathBuf>,
    },
    /// File, or line of a data set.
    Text {
        /// Path, for people.
        place: String,
        /// Text, or the reason for its absence.
        text: Result<String>,
        /// Name of the only function of interest in the text.
        function: Option<String>,
        /// Share of the input read, 0 to 1.
        done: f64,
    },
    /// Something that is not read, though it may contain functions.
    PassedOver {
        /// Path, for people.
        place: String,
        /// Kind.
        kind: PassedOver,
    },
    /// Heartbeat while nothing is found: an opportunity to cancel.
    Busy,
}

/// Kinds of unread contents of a folder or archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassedOver {
    /// Symbolic links to folders, which may form cycles.
    LinkedFolder,
    /// Folders of installed packages.
    InstalledPackages,
    /// Folders whose name begins with a dot.
    HiddenFolder,
    /// Named pipes, sockets and devices.
    NoFile,
    /// Archives and tables of other forms, and nested archives.
    OtherArchive,
}

/// Callback for each item; an error ends the reading.
pub type ItemSink<'a> = dyn FnMut(Item) -> Result<()> + 'a;

/// File forms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Folder,
    Python,
    Zip,
    TarGz,
    Jsonl { gz: bool },
}

impl Form {
    /// Form by file name.
    pub fn of_name(name: &str) -> Option<Self> {
        let endings = [
            (".py", Self::Python),
            (".whl", Self::Zip),
            (".zip", Self::Zip),
            (".egg", Self::Zip),
            (".pyz", Self::Zip),
            (".tar.gz", Self::TarGz),
            (".tgz", Self::TarGz),
            (".jsonl.gz", Self::Jsonl { gz: true }),
            (".jsonl", Self::Jsonl { gz: false }),
        ];
        let name = name.to_ascii_lowercase();
        let mut found = endings
            .into_iter()
            .filter(|(ending, _)| name.ends_with(ending));
        found.next().map(|(_, form)| form)
    }

    /// True for archives and tables that are not read, by file name.
    pub fn is_unread(name: &str) -> bool {
        const ENDINGS: [&str; 13] = [
            ".tar", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".7z", ".rar", ".gz", ".pkl", ".pickle",
            ".parquet", ".arrow",
        ];
        let name = name.to_ascii_lowercase();
        ENDINGS.iter().any(|ending| name.ends_with(ending))
    }
}

/// Reads an archive at `path`, or a part of it. A fault of the archive is reported as an unusable file; a
/// fault of `sink` is returned.
pub fn guarded(
    path: &Path,
    place: &str,
    sink: &mut ItemSink,
    read: impl FnOnce(&mut ItemSink) -> Result<()>,
) -> Result<()> {
    if let Err(error) = fault_of(sink, read)? {
        // The archive may have failed before its source was announced.
        sink(source(path, None, None))?;
        sink(text_item(place, Err(error), 1.0))?;
    }
    Ok(())
}

/// Result of reading, apart from a fault of `sink`, which is returned as the error.
pub fn fault_of(
    sink: &mut ItemSink,
    read: impl FnOnce(&mut ItemSink) -> Result<()>,
) -> Result<Result<()>> {
    let mut refused = None;
    let result = read(&mut |item| {
        sink(item).map_err(|error| {
            refused = Some(error);
            anyhow::anyhow!("refused")
        })
    });
    refused.map_or(Ok(result), Err)
}

/// Source item of the given name, else named after the file or folder at `path`.
pub fn source(path: &Path, name: Option<String>, licence: Option<String>) -> Item {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Item::CorpusSource {
        path: name.is_none().then(|| path.clone()),
        name: name.unwrap_or_else(|| file_name(&path)),
        licence,
    }
}

/// Passes over a file in an archive, if it may contain functions.
pub fn pass_over(place: String, name: &str, sink: &mut ItemSink) -> Result<()> {
    if Form::of_name(name).is_some() || Form::is_unread(name) {
        let kind = PassedOver::OtherArchive;
        sink(Item::PassedOver { place, kind })?;
    }
    Ok(())
}

/// Rescales the progress of an item from a part of an input (`share` of it, from `start`) to the whole.
pub fn within(mut item: Item, start: f64, share: f64) -> Item {
    if let Item::Text { done, .. } = &mut item {
        *done = start + share * *done;
    }
    item
}

pub fn text_item(place: &str, text: Result<String>, done: f64) -> Item {
    Item::Text {
        place: place.to_owned(),
        text,
        function: None,
        done,
    }
}

/// Text of a Python file.
pub fn read_limited(path: &Path) -> Result<String> {
    // Opening a pipe may block for ever.
    let is_file = fs::metadata(path)?.is_file();
    ensure!(is_file, "is a pipe, a socket or a device, not a file");
    read_source(File::open(path)?)
}

/// Text of a Python source in its declared encoding.
///
/// # Errors
/// If it can't be read, is too large or is not in its declared encoding.
pub fn read_source(from: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    from.take(MAX_SOURCE_BYTES + 1).read_to_end(&mut bytes)?;
    small_enough(bytes.len() as u64)?;
    Ok(decode(bytes)?)
}

pub fn small_enough(bytes: u64) -> Result<()> {
    ensure!(
        bytes <= MAX_SOURCE_BYTES,
        "is too large: more than {MAX_SOURCE_BYTES} bytes"
    );
    Ok(())
}

pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
