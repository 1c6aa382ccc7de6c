//! Sources of functions: folders and files of Python, wheels and zips, source packages (tar.gz),
//! and data sets in CodeSearchNet's jsonl form, also as it is distributed: a zip or folders of jsonl.gz.
//! One text is in memory at a time; what can't be read is passed on as such, and reading goes on.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::{folder, jsonl, tar, zip};
use crate::data::python::decode;

/// No function worth reading is in a larger file, and no line of a data set is longer.
pub const LARGEST_BYTES: u64 = 8 << 20;

/// Something to read functions from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A folder (with Python files, archives and data sets at any depth), a file or an archive.
    Path(PathBuf),
    /// Python's own library.
    Library {
        /// Its folder.
        folder: PathBuf,
        /// Which Python's: `3.11.7`.
        version: String,
    },
    /// The functions bundled with the program.
    Sample,
}

/// One thing read.
pub enum Item {
    /// The origin of all that follows.
    CorpusSource {
        /// The package, folder or repository.
        name: String,
        /// Its licence, if it says.
        licence: Option<String>,
        /// Its path, where the name is only the last part of it.
        path: Option<PathBuf>,
    },
    /// A file, or a line of a data set.
    Text {
        /// Its place, for people.
        place: String,
        /// Its text, or why there is none.
        text: Result<String>,
        /// The name of the one function the text is there for.
        function: Option<String>,
        /// Share of the input behind us, 0 to 1.
        done: f64,
    },
    /// Something that is not read, though it may hold functions.
    PassedOver {
        /// Its place, for people.
        place: String,
        /// Its kind.
        kind: PassedOver,
    },
    /// A sign of life where nothing is found for a while: time to stop, if that is wanted.
    Busy,
}

/// Kinds of things in a folder or archive that are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassedOver {
    /// Links to folders, which may lead round in a circle.
    LinkedFolder,
    /// Folders of installed packages.
    InstalledPackages,
    /// Folders whose name begins with a dot.
    HiddenFolder,
    /// Named pipes, sockets and devices.
    NoFile,
    /// Archives and tables of other forms, and archives within archives.
    OtherArchive,
}

/// Takes what is read, one after the other; an error ends the reading.
pub type Take<'a> = dyn FnMut(Item) -> Result<()> + 'a;

/// Forms of files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Folder,
    Python,
    Zip,
    TarGz,
    Jsonl { gz: bool },
}

impl Form {
    /// The form of a file of such a name.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".py"]) {
            Some(Self::Python)
        } else if ends(&[".whl", ".zip", ".egg", ".pyz"]) {
            Some(Self::Zip)
        } else if ends(&[".tar.gz", ".tgz"]) {
            Some(Self::TarGz)
        } else if ends(&[".jsonl.gz", ".jsonl"]) {
            let gz = name.ends_with(".gz");
            Some(Self::Jsonl { gz })
        } else {
            None
        }
    }

    /// Names of archives and tables that are not read.
    pub fn is_unread(name: &str) -> bool {
        const ENDINGS: [&str; 13] = [
            ".tar", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".7z", ".rar", ".gz", ".pkl", ".pickle",
            ".parquet", ".arrow",
        ];
        let name = name.to_ascii_lowercase();
        ENDINGS.iter().any(|ending| name.ends_with(ending))
    }
}

impl Input {
    /// For people.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Library { folder, .. } => folder.display().to_string(),
            Self::Sample => "the bundled sample".into(),
        }
    }

    /// The file or folder it is read from.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) | Self::Library { folder: path, .. } => Some(path),
            Self::Sample => None,
        }
    }

    /// Looks whether there is something of a known form.
    ///
    /// # Errors
    /// If it is missing or of no known form; it is named.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Path(path) | Self::Library { folder: path, .. } => form(path).map(drop),
            Self::Sample => Ok(()),
        }
    }

    /// Whether the file at `path`, which is there, would be read as part of it.
    pub(super) fn holds(&self, path: &Path) -> bool {
        match (fs::canonicalize(path), self.path().map(fs::canonicalize)) {
            (Ok(path), Some(Ok(own))) => {
                own.is_dir() && path.starts_with(own) && form(&path).is_ok()
            }
            _ => false,
        }
    }

    /// Reads all of it, in an order that is always the same.
    ///
    /// # Errors
    /// As [`Self::check`], and those of `take`.
    pub fn read(&self, take: &mut Take) -> Result<()> {
        match self {
            Self::Path(path) => match form(path)? {
                Form::Folder => folder::read(path, take),
                form => read_file(path, form, take),
            },
            Self::Library { folder, version } => {
                take(Item::CorpusSource {
                    name: format!("Python {version} library"),
                    licence: Some("PSF-2.0".into()),
                    path: None,
                })?;
                folder::read_sources(folder, take)
            }
            Self::Sample => {
                take(Item::CorpusSource {
                    name: "glyphspace sample".into(),
                    licence: Some(env!("CARGO_PKG_LICENSE").into()),
                    path: None,
                })?;
                take(text_item(
                    "sample-functions.py",
                    Ok(super::sample().into()),
                    1.0,
                ))
            }
        }
    }
}

/// The form of what someone named: by what it begins with, else by its name.
fn form(path: &Path) -> Result<Form> {
    let look = || -> Result<Option<Form>> {
        let kind = fs::metadata(path)?;
        if kind.is_dir() {
            return Ok(Some(Form::Folder));
        }
        // Whoever opens a pipe may wait for ever.
        if !kind.is_file() {
            bail!("it is a pipe, a socket or a device");
        }
        let mut start = Vec::new();
        File::open(path)?.take(4).read_to_end(&mut start)?;
        if zip::BEGINNINGS.contains(&start.as_slice()) {
            return Ok(Some(Form::Zip));
        }
        let name = path.to_string_lossy();
        let stub = name.ends_with(".pyi").then_some(Form::Python);
        Ok(Form::of_name(&name).or(stub))
    };
    let found = look().with_context(|| format!("can't read {}", path.display()))?;
    found.with_context(|| {
        format!(
            "{}: expected a folder, .py, .whl, .zip, .tar.gz, .jsonl or .jsonl.gz",
            path.display()
        )
    })
}

/// Reads a file or archive.
pub fn read_file(path: &Path, form: Form, take: &mut Take) -> Result<()> {
    match form {
        Form::Folder => folder::read(path, take),
        Form::Python => {
            take(of_path(path, None))?;
            take(text_item(
                &path.display().to_string(),
                read_limited(path),
                1.0,
            ))
        }
        Form::Zip => guarded(path, &path.display().to_string(), take, |take| {
            zip::read(path, take)
        }),
        Form::TarGz => guarded(path, &path.display().to_string(), take, |take| {
            tar::read(path, take)
        }),
        Form::Jsonl { gz } => guarded(path, &path.display().to_string(), take, |take| {
            jsonl::read(path, gz, take)
        }),
    }
}

/// Reads an archive at `path`, or a part of it; what is wrong with it is passed on as that of a bad
/// file, but not what is wrong with taking.
pub fn guarded(
    path: &Path,
    place: &str,
    take: &mut Take,
    read: impl FnOnce(&mut Take) -> Result<()>,
) -> Result<()> {
    let mut refused = None;
    let result = read(&mut |item| {
        take(item).map_err(|error| {
            refused = Some(error);
            anyhow::anyhow!("refused")
        })
    });
    match (refused, result) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            // It may not have come as far as saying whose it is.
            take(of_path(path, None))?;
            take(text_item(place, Err(error), 1.0))
        }
    }
}

/// A source that is called as its file or folder.
pub fn of_path(path: &Path, licence: Option<String>) -> Item {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Item::CorpusSource {
        name: file_name(&path),
        licence,
        path: Some(path),
    }
}

/// An item of a part of an input that is `share` of it, behind `start`, as one of the whole.
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

/// The text of a Python file.
pub fn read_limited(path: &Path) -> Result<String> {
    // Whoever opens a pipe may wait for ever.
    if !fs::metadata(path)?.is_file() {
        bail!("is a pipe, a socket or a device, not a file");
    }
    read_source(File::open(path)?)
}

/// The text of a Python source, in the encoding it declares.
///
/// # Errors
/// If it can't be read, is too large or in another encoding than it says.
pub fn read_source(mut from: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    (&mut from)
        .take(LARGEST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    small_enough(bytes.len() as u64)?;
    Ok(decode(bytes)?)
}

pub fn small_enough(bytes: u64) -> Result<()> {
    if bytes > LARGEST_BYTES {
        bail!("is too large: more than {LARGEST_BYTES} bytes");
    }
    Ok(())
}

pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
