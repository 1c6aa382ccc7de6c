//! Checkpoints, on disk or bundled with the program: their files, and the modules loaded from them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use burn::{module::Module, store::ModuleRecord, tensor::Bytes};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Progress,
    checksums::{Checksums, SHA256SUMS},
    config::Config,
    run_folder::RunFolder,
};
use crate::nn::adamw::OptimizerState;

/// The configuration's file.
pub const CONFIG: &str = "config.json";
/// The file of the progress.
pub const PROGRESS: &str = "progress.json";
/// The weights' file.
pub const MODEL: &str = "model.bpk";
/// The file of the optimizer's moments; a bundled model has none.
pub const MOMENTS: &str = "moments.bpk";

/// The metrics' file: one row for each step up to the checkpoint's; a bundled model has none.
pub const METRICS: &str = "metrics.csv";

/// A folder of assets with these files as a [`Checkpoint::Bundled`], in the program.
macro_rules! bundled {
    ($name:literal, $($file:literal),+) => {
        $crate::training::checkpoint::Checkpoint::Bundled {
            name: $name,
            files: &[$((
                $file,
                include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/", $name, "/", $file)),
            )),+],
        }
    };
}
pub(crate) use bundled;

/// Source of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The one this program brings along.
    #[default]
    Bundled,
    /// Another one it brings along, by its name.
    BundledAs(&'static str),
    /// A run's folder.
    Run(PathBuf),
    /// Random weights: a run that begins needs no other, and the first of new networks has none that fits.
    Untrained,
}

impl Source {
    /// Warning where the files of this run have no checksums.
    pub fn warning(&self) -> Option<String> {
        match self {
            Source::Run(path) => Checkpoint::newest(path).ok()?.warning(),
            Source::Bundled | Source::BundledAs(_) | Source::Untrained => None,
        }
    }

    /// For people, with a word about files that are unchecked.
    pub fn origin(&self) -> String {
        match self.warning() {
            Some(_) => format!("{self} (unchecked)"),
            None => self.to_string(),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Bundled => f.write_str("bundled model"),
            Source::BundledAs(name) => write!(f, "bundled model {name}"),
            Source::Run(path) => write!(f, "{}", path.display()),
            Source::Untrained => f.write_str("untrained model"),
        }
    }
}

/// The files every trainer needs to go on: [`CONFIG`], [`PROGRESS`], [`MODEL`] and [`MOMENTS`].
///
/// # Errors
/// If one can't be packed.
pub fn files<M: Module>(
    config: &impl Serialize,
    progress: &Progress,
    model: &M,
    optimizer_state: &OptimizerState,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let record = |record: ModuleRecord, name: &str| -> Result<Vec<u8>> {
        Ok(record
            .into_bytes()
            .map_err(|e| anyhow!("can't pack {name}: {e}"))?
            .to_vec())
    };
    Ok(vec![
        (CONFIG, serde_json::to_vec_pretty(config)?),
        (PROGRESS, serde_json::to_vec_pretty(progress)?),
        (MODEL, record(model.valid().into_record(), MODEL)?),
        (
            MOMENTS,
            record(optimizer_state.clone().into_record(), MOMENTS)?,
        ),
    ])
}

/// A checkpoint's files, on disk or in the program itself.
#[derive(Clone, Debug)]
pub enum Checkpoint {
    /// Compiled into the program.
    Bundled {
        /// Folder in assets.
        name: &'static str,
        /// Names and contents.
        files: &'static [(&'static str, &'static [u8])],
    },
    /// A folder on disk.
    Folder {
        /// Path.
        path: PathBuf,
        /// Checksums of its files; a folder of before there were any has none.
        checksums: Option<Checksums>,
    },
}

impl Checkpoint {
    /// The newest checkpoint of the run at `run`, which may be a checkpoint itself.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest(run: &Path) -> Result<Self> {
        let path = RunFolder::existing(run).newest()?;
        let checksums = Checksums::read(&path)?;
        Ok(Self::Folder { path, checksums })
    }

    /// Warning where the files have no checksums.
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Folder {
                path,
                checksums: None,
            } => Some(format!(
                "{} has no {SHA256SUMS}: its files are unchecked",
                path.display()
            )),
            Self::Folder { .. } | Self::Bundled { .. } => None,
        }
    }

    /// True if it has that file.
    pub fn has(&self, file: &str) -> bool {
        match self {
            Self::Folder { path, checksums } => {
                let is_covered = |sums: &Checksums| sums.names().any(|name| name == file);
                checksums.as_ref().is_some_and(is_covered) || path.join(file).exists()
            }
            Self::Bundled { files, .. } => files.iter().any(|(name, _)| *name == file),
        }
    }

    /// The checkpoint of `source`; `bundled` are the system's own, its first choice first.
    ///
    /// # Errors
    /// If the run has none, or no bundled model has that name.
    pub fn of(source: &Source, bundled: &[Self]) -> Result<Self> {
        let is_called = |checkpoint: &&Self, asked: &str| matches!(checkpoint, Self::Bundled { name, .. } if *name == asked);
        let found = match source {
            Source::Run(path) => return Self::newest(path),
            Source::Bundled => bundled.first(),
            Source::Untrained => None,
            Source::BundledAs(asked) => bundled.iter().find(|one| is_called(one, asked)),
        };
        found
            .cloned()
            .with_context(|| format!("there is no {source}"))
    }

    /// A file's contents, checked where the folder has checksums.
    ///
    /// # Errors
    /// Names the file that can't be read or isn't the one that was written.
    pub fn read(&self, file: &str) -> Result<Vec<u8>> {
        match self {
            Self::Folder {
                path: folder,
                checksums,
            } => {
                let path = folder.join(file);
                let bytes =
                    fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
                if let Some(sums) = checksums {
                    sums.check(folder, file, &bytes)?;
                }
                Ok(bytes)
            }
            Self::Bundled { files, .. } => {
                let found = files.iter().find(|(name, _)| *name == file);
                let (_, bytes) =
                    found.with_context(|| format!("the bundled model has no {file}"))?;
                Ok(bytes.to_vec())
            }
        }
    }

    /// A file's contents as JSON; `what` says what it should be, as in "a run's progress".
    ///
    /// # Errors
    /// Names the file and `what`.
    pub fn json<T: DeserializeOwned>(&self, file: &str, what: &str) -> Result<T> {
        serde_json::from_slice(&self.read(file)?)
            .with_context(|| format!("{} is not {what}", self.path_of(file)))
    }

    /// The configuration, checked.
    ///
    /// # Errors
    /// Names the file that is missing or wrong.
    pub fn config<C: Config>(&self) -> Result<C> {
        let json: serde_json::Value = self.json(CONFIG, "a configuration")?;
        let config = C::from_json(json)
            .with_context(|| format!("{} is not a configuration", self.path_of(CONFIG)))?;
        config.check().with_context(|| self.path_of(CONFIG))?;
        Ok(config)
    }

    /// Progress of the run.
    ///
    /// # Errors
    /// Names the file that is missing or wrong.
    pub fn progress(&self) -> Result<Progress> {
        self.json(PROGRESS, "a run's progress")
    }

    /// The weights, loaded into a module of the configuration's shapes.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit the configuration.
    pub fn model<M: Module>(&self, fresh: M) -> Result<M> {
        self.fill(MODEL, fresh)
    }

    /// The optimizer's moments, loaded into fresh ones of as many values as the model has.
    ///
    /// # Errors
    /// As [`Self::model`].
    pub fn optimizer_state(&self, fresh: OptimizerState) -> Result<OptimizerState> {
        self.fill(MOMENTS, fresh)
    }

    fn fill<M: Module>(&self, file: &str, module: M) -> Result<M> {
        let bytes = Bytes::from_bytes_vec(self.read(file)?);
        let name = self.path_of(file);
        let record = ModuleRecord::from_bytes(bytes)
            .map_err(|e| anyhow!("{name} is cut or not a checkpoint of this program: {e}"))?;
        module.try_load_record(record).map_err(|e| {
            anyhow!(
                "{name} doesn't fit {}: {}",
                self.path_of(CONFIG),
                first_words(&e.to_string())
            )
        })
    }

    /// A file of it, for people.
    pub fn path_of(&self, file: &str) -> String {
        match self {
            Self::Bundled { name, .. } => format!("assets/{name}/{file}"),
            Self::Folder { path, .. } => path.join(file).display().to_string(),
        }
    }
}

/// The beginning of a library's error, which may go on to list every tensor.
fn first_words(text: &str) -> String {
    const MOST: usize = 160;
    let line: String = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} ..", line[..end].trim_end()),
        None => line,
    }
}
