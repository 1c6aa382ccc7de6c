//! Where a run lives on disk:
//!
//! ```text
//! RUN/metrics.csv                one row a step
//! RUN/checkpoint-00000200/       the newest checkpoint: config.json beside the weights
//! ```
//!
//! A checkpoint is written aside and renamed into place, so that whatever happens a whole one is
//! there; the one before is removed only then. The folder itself is always a new one.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

const PREFIX: &str = "checkpoint-";

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder; an existing one is taken only if it is empty.
    ///
    /// # Errors
    /// If something is there already, or the folder can't be made.
    pub fn create(path: &Path) -> Result<Self> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    bail!(
                        "{} is there already and not empty: expected a new folder",
                        path.display()
                    );
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path)
                    .with_context(|| format!("can't make the folder {}", path.display()))?;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("can't use {} as a run folder", path.display()));
            }
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Uses an existing run's folder.
    pub fn existing(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The first of `NAME-1`, `NAME-2`, .. that isn't there yet.
    pub fn unused(name: &Path) -> PathBuf {
        (1..)
            .map(|n| numbered(name, n))
            .find(|path| !path.exists())
            .unwrap_or_else(|| name.to_owned())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's table of metrics.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// Writes the checkpoint of `step` as a whole and removes older ones.
    ///
    /// # Errors
    /// Names the file that can't be written; what was there before is untouched.
    pub fn save(&self, step: u64, files: &[(&str, Vec<u8>)]) -> Result<PathBuf> {
        let place = self.path.join(format!("{PREFIX}{step:08}"));
        let aside = self.path.join(format!(".{PREFIX}{step:08}.partial"));
        let replaced = self.path.join(format!(".{PREFIX}{step:08}.old"));
        let written = write_all(&aside, files).and_then(|()| {
            // A checkpoint of the same step gives way to the newer one.
            if place.exists() {
                fs::rename(&place, &replaced)?;
            }
            fs::rename(&aside, &place)
                .with_context(|| format!("can't write the checkpoint {}", place.display()))
        });
        if written.is_err() {
            // Best effort: the error that matters is the one already at hand.
            drop(fs::remove_dir_all(&aside));
        }
        written?;
        if replaced.exists() {
            fs::remove_dir_all(&replaced)
                .with_context(|| format!("can't remove {}", replaced.display()))?;
        }
        for old in checkpoints(&self.path)?
            .into_iter()
            .filter(|old| *old != place)
        {
            fs::remove_dir_all(&old)
                .with_context(|| format!("can't remove the old checkpoint {}", old.display()))?;
        }
        Ok(place)
    }

    /// The newest checkpoint; the folder itself if it is one.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest(&self) -> Result<PathBuf> {
        if !self.path.is_dir() {
            bail!(
                "no run at {}: expected a folder with a checkpoint",
                self.path.display()
            );
        }
        if self.path.join("config.json").is_file() {
            return Ok(self.path.clone());
        }
        let newest = checkpoints(&self.path)?.into_iter().max();
        newest.with_context(|| {
            format!(
                "no checkpoint in {}: expected a folder {PREFIX}N",
                self.path.display()
            )
        })
    }
}

/// Reads one file of a checkpoint.
///
/// # Errors
/// Names the file.
pub fn read(checkpoint: &Path, name: &str) -> Result<Vec<u8>> {
    let path = checkpoint.join(name);
    fs::read(&path).with_context(|| format!("can't read {}", path.display()))
}

fn numbered(name: &Path, number: u32) -> PathBuf {
    let mut numbered = name.as_os_str().to_owned();
    numbered.push(format!("-{number}"));
    numbered.into()
}

fn write_all(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("can't clear {}", folder.display()))?;
    }
    fs::create_dir(folder)
        .with_context(|| format!("can't make the folder {}", folder.display()))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        let write = || {
            let mut file = fs::File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

fn checkpoints(run: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(run).with_context(|| format!("can't read the folder {}", run.display()))?;
    let is_checkpoint = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with(PREFIX))
    };
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_checkpoint)
        .collect())
}
