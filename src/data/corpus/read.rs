//! Inputs of a corpus: folders and files of Python, wheels and zips, source packages (tar.gz), and data
//! sets in CodeSearchNet's jsonl form, also as distributed: a zip or folders of jsonl.gz. One text is in
//! memory at a time; unreadable parts are reported and reading continues.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    folder,
    item::{Form, ItemSink, source, text_item},
    zip,
};

/// Input of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Folder (with Python files, archives and data sets at any depth), file or archive.
    Path(PathBuf),
    /// Python's standard library.
    Library {
        /// Folder of the library.
        folder: PathBuf,
        /// Version of that Python: `3.11.7`.
        version: String,
    },
    /// Functions bundled with the program.
    Sample,
}

impl Input {
    /// Name for people.
    pub fn name(&self) -> String {
        let path = self.path().map(|path| path.display().to_string());
        path.unwrap_or_else(|| "the bundled sample".into())
    }

    /// File or folder it is read from.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) | Self::Library { folder: path, .. } => Some(path),
            Self::Sample => None,
        }
    }

    /// Check that the input exists and has a known form.
    ///
    /// # Errors
    /// If it is missing or of unknown form; it is named.
    pub fn check(&self) -> Result<()> {
        self.path().map_or(Ok(()), |path| form(path).map(drop))
    }

    /// True if the existing file at `path` would be read as part of the input.
    pub(super) fn holds(&self, path: &Path) -> bool {
        match (fs::canonicalize(path), self.path().map(fs::canonicalize)) {
            (Ok(path), Some(Ok(own))) => {
                own.is_dir() && path.starts_with(own) && form(&path).is_ok()
            }
            _ => false,
        }
    }

    /// Items of the input, given to `sink` in a deterministic order.
    ///
    /// # Errors
    /// As [`Self::check`], and those of `sink`.
    pub fn read(&self, sink: &mut ItemSink) -> Result<()> {
        match self {
            Self::Path(path) => folder::read_file(path, form(path)?, sink),
            Self::Library { folder, version } => {
                let name = format!("Python {version} library");
                sink(source(folder, Some(name), Some("PSF-2.0".into())))?;
                folder::read_sources(folder, sink)
            }
            Self::Sample => {
                let (file, name) = ("sample-functions.py", "glyphspace sample".into());
                let licence = env!("CARGO_PKG_LICENSE").into();
                sink(source(Path::new(file), Some(name), Some(licence)))?;
                sink(text_item(file, Ok(sample().into()), 1.0))
            }
        }
    }
}

/// Form of a named input: by its magic bytes, else by its name.
fn form(path: &Path) -> Result<Form> {
    let look = || -> Result<Option<Form>> {
        let kind = fs::metadata(path)?;
        if kind.is_dir() {
            return Ok(Some(Form::Folder));
        }
        // Opening a pipe may block for ever.
        if !kind.is_file() {
            bail!("it is a pipe, a socket or a device");
        }
        let mut start = Vec::new();
        File::open(path)?.take(4).read_to_end(&mut start)?;
        if zip::MAGICS.contains(&start.as_slice()) {
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

/// Functions bundled with the program, as one Python source.
pub fn sample() -> &'static str {
    include_str!("../../../assets/sample-functions.py")
}
