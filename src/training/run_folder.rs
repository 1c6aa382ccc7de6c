//! A run's folder on disk:
//!
//! ```text
//! RUN/metrics.csv                one row a step, appended as it is taken
//! RUN/checkpoint-00000200/       the newest checkpoint: config.json beside the weights, the metrics
//!                                up to its step, and SHA256SUMS, which covers them all
//! RUN/.checkpoint-00000200.partial, .old   a checkpoint that is being written, or gives way to one of the same step
//! RUN/.lock                      locked by the process that trains
//! ```
//!
//! A checkpoint is written aside and renamed into place, so that whatever happens a whole one is
//! there; the one before is removed only then. Names that aren't exactly those above belong to the user and
//! are neither read nor removed. A new run takes a new folder, or one that is empty.

use std::{
    fs::{self, File, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::checksums::{Checksums, SHA256SUMS};

const PREFIX: &str = "checkpoint-";
/// Suffix of a checkpoint that is being written.
const PARTIAL: &str = ".partial";
/// Suffix of a checkpoint that gives way to a newer one of the same step.
const OLD: &str = ".old";
const LOCK: &str = ".lock";

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// A claim on a run's folder: only one process at a time trains in it. The system lets go of the lock of a
/// process that has ended, however it did.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunFolder {
    /// Makes a new folder; an existing one is taken only if it is empty.
    ///
    /// # Errors
    /// If something is there already, or the folder can't be made.
    pub fn create(path: &Path) -> Result<Self> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                // What a process left that ended before its first checkpoint is in nobody's way.
                let is_leftover = |entry: std::io::Result<fs::DirEntry>| {
                    entry.is_ok_and(|entry| {
                        let name = entry.file_name();
                        name == LOCK || step_of(&name, ".", PARTIAL).is_some()
                    })
                };
                if !entries.all(is_leftover) {
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

    /// Claims the folder for this process.
    ///
    /// # Errors
    /// If another one has it, or the lock can't be made.
    pub fn lock(&self) -> Result<RunLock> {
        let path = self.path.join(LOCK);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.with_context(|| format!("can't write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in training already, by another process or window: stop that first, or name another folder with --out",
                self.path.display()
            ),
            // Some network file systems know no locks; a run there is better than none.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("can't lock {}", path.display()));
            }
        }
        Ok(RunLock { _file: file })
    }

    /// Writes the checkpoint of `step` with its checksums as a whole and removes older ones.
    ///
    /// # Errors
    /// Names the file that can't be written; what was there before is untouched.
    pub fn save(&self, step: u64, files: &[(&str, Vec<u8>)]) -> Result<PathBuf> {
        let name = format!("{PREFIX}{step:08}");
        let place = self.path.join(&name);
        let aside = self.path.join(format!(".{name}{PARTIAL}"));
        let replaced = self.path.join(format!(".{name}{OLD}"));
        let written = write_all(&aside, files).and_then(|()| {
            let renamed = || {
                // A checkpoint of the same step gives way to the newer one. Should the process end between the
                // two renames, [`Self::newest`] finds it by the name it has then.
                if place.exists() {
                    remove_own(&replaced, files)?;
                    fs::rename(&place, &replaced)?;
                }
                fs::rename(&aside, &place)?;
                sync(&self.path)
            };
            renamed().with_context(|| format!("can't write the checkpoint {}", place.display()))
        });
        if written.is_err() {
            // Best effort: the error that matters is the one already at hand.
            drop(fs::remove_dir_all(&aside));
        }
        written?;
        self.remove_older(step, files)
            .with_context(|| format!("can't remove old checkpoints in {}", self.path.display()))?;
        Ok(place)
    }

    /// Removes what saves before that of `step` have left.
    fn remove_older(&self, step: u64, files: &[(&str, Vec<u8>)]) -> Result<()> {
        for (path, kind) in self.entries()? {
            match kind {
                Entry::Checkpoint(old) if old < step => remove_own(&path, files)?,
                Entry::Old(old) if old <= step => remove_own(&path, files)?,
                Entry::Partial(old) if old <= step => remove_folder(&path)?,
                Entry::Checkpoint(_) | Entry::Old(_) | Entry::Partial(_) => {}
            }
        }
        Ok(())
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
        // Of the same step, the one that was about to be replaced comes last.
        let entries = self.entries()?.into_iter();
        let newest = entries.filter_map(|(path, kind)| match kind {
            Entry::Checkpoint(step) => Some((step, true, path)),
            Entry::Old(step) => Some((step, false, path)),
            Entry::Partial(_) => None,
        });
        if let Some((_, _, newest)) = newest.max() {
            return Ok(newest);
        }
        if self.is_checkpoint() {
            return Ok(self.path.clone());
        }
        bail!(
            "no checkpoint in {}: expected a folder {PREFIX}N, N of eight digits",
            self.path.display()
        )
    }

    /// True if the folder is a checkpoint itself.
    pub fn is_checkpoint(&self) -> bool {
        self.path.join("config.json").is_file()
    }

    /// The folders that saves have left in it.
    fn entries(&self) -> Result<Vec<(PathBuf, Entry)>> {
        let entries = fs::read_dir(&self.path)
            .with_context(|| format!("can't read the folder {}", self.path.display()))?;
        let own = entries.flatten().filter_map(|entry| {
            let (path, name) = (entry.path(), entry.file_name());
            let kind = step_of(&name, "", "")
                .map(Entry::Checkpoint)
                .or_else(|| step_of(&name, ".", OLD).map(Entry::Old))
                .or_else(|| step_of(&name, ".", PARTIAL).map(Entry::Partial))?;
            path.is_dir().then_some((path, kind))
        });
        Ok(own.collect())
    }
}

/// A folder that a save has left, with its step.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Checkpoint(u64),
    Old(u64),
    Partial(u64),
}

/// The step in a name that a save writes; nobody else's `checkpoint-best` or `checkpoint-00000200-copy`.
fn step_of(name: &std::ffi::OsStr, begin: &str, end: &str) -> Option<u64> {
    let inner = name.to_str()?.strip_prefix(begin)?.strip_suffix(end)?;
    let step = inner.strip_prefix(PREFIX)?.parse().ok()?;
    (inner == format!("{PREFIX}{step:08}")).then_some(step)
}

fn numbered(name: &Path, number: u32) -> PathBuf {
    let mut numbered = name.as_os_str().to_owned();
    numbered.push(format!("-{number}"));
    numbered.into()
}

/// Writes a folder of files and their checksums, onto the disk.
fn write_all(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    remove_folder(folder).with_context(|| format!("can't clear {}", folder.display()))?;
    fs::create_dir(folder)
        .with_context(|| format!("can't make the folder {}", folder.display()))?;
    let sums = Checksums::of(files.iter().map(|(name, bytes)| (*name, bytes.as_slice()))).to_text();
    let files = files.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    for (name, bytes) in files.chain([(SHA256SUMS, sums.as_bytes())]) {
        let path = folder.join(name);
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().with_context(|| format!("can't write {}", path.display()))?;
    }
    sync(folder).with_context(|| format!("can't write {}", folder.display()))
}

/// Waits until a folder's names are on the disk, where the system can say so.
fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn remove_folder(folder: &Path) -> std::io::Result<()> {
    absent_is_fine(fs::remove_dir_all(folder))
}

/// Removes the files of a checkpoint that was written with files of these names, and its folder unless somebody has
/// put others there.
fn remove_own(checkpoint: &Path, files: &[(&str, Vec<u8>)]) -> std::io::Result<()> {
    let sums = Checksums::read(checkpoint).ok().flatten();
    let listed = sums.iter().flat_map(Checksums::names);
    let own = files.iter().map(|(name, _)| *name).chain([SHA256SUMS]);
    for name in listed.chain(own) {
        absent_is_fine(fs::remove_file(checkpoint.join(name)))?;
    }
    match fs::remove_dir(checkpoint) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => absent_is_fine(removed),
    }
}

fn absent_is_fine(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
