//! Corpora of Python functions: read from packages and data sets, built once, kept as one file.

mod build;
mod file;
mod licence;
mod read;
mod zip;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::bpe::Bpe;

pub use build::{BadFile, BuildOptions, BuildReport, Cancelled, Phase, Progress, build};
pub use file::{Corpus, MAGIC, Source};
pub use read::{Input, Item, Take};

/// The functions bundled with the program, as one Python source.
pub fn sample() -> &'static str {
    include_str!("../../../assets/sample-functions.py")
}

/// What a corpus is made of where nothing is named: the library of the Python installed here, else
/// [`Input::Sample`].
pub fn default_input() -> Input {
    let asked = "import platform, sysconfig; print(platform.python_version()); print(sysconfig.get_path('stdlib'))";
    let library = ["python3", "python"].iter().find_map(|python| {
        let answer = Command::new(python).args(["-c", asked]).output().ok()?;
        let answer = String::from_utf8(answer.stdout).ok()?;
        let (version, folder) = answer.trim().split_once('\n')?;
        let folder = PathBuf::from(folder.trim());
        let version = version.trim().to_owned();
        // A stripped Python may say where its library would be.
        folder
            .join("os.py")
            .is_file()
            .then_some(Input::Library { folder, version })
    });
    library.unwrap_or(Input::Sample)
}

/// The tokenizer of a corpus file, or what [`Bpe::read`] reads.
///
/// # Errors
/// As [`Corpus::open`] and [`Bpe::read`].
pub fn tokenizer(path: &Path) -> Result<Bpe> {
    let mut start = Vec::new();
    if path.is_file() {
        File::open(path)?
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)?;
    }
    if start == MAGIC {
        return Ok(Corpus::open(path)?.bpe().clone());
    }
    Bpe::read(path)
}
