//! Runs on disk and the bundled model: what is saved, and models made of it again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use burn::{
    module::Module,
    store::ModuleRecord,
    tensor::{Bytes, Device},
};

use super::{
    inference::Executor,
    model::LatentExecutor,
    trainer::{Progress, Trainer},
};
use crate::{
    config::ExecutorConfig,
    data::tokens::Lexicon,
    engine::run_folder::{RunFolder, read},
};

const CONFIG: &str = "config.json";
const PROGRESS: &str = "progress.json";
const MODEL: &str = "model.bpk";
const MOMENTS: &str = "moments.bpk";

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The one this program brings along.
    #[default]
    Bundled,
    /// A run's folder.
    Run(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Bundled => f.write_str("bundled model"),
            Source::Run(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Makes the model of `source` on `device`.
///
/// # Errors
/// Names the file that is missing, cut, foreign, or doesn't fit its configuration.
pub fn load(source: &Source, device: &Device) -> Result<Executor> {
    let files = match source {
        Source::Bundled => Files::Bundled,
        Source::Run(path) => Files::newest(path)?,
    };
    let (config, progress) = files.description()?;
    let lexicon = Arc::new(Lexicon::new()?);
    let model = files.model(&config, &lexicon, device)?;
    Ok(Executor::new(config, progress, model, lexicon, device))
}

/// Goes on with the run at `path`.
///
/// # Errors
/// As [`load`].
pub fn resume(path: &Path, device: &Device) -> Result<Trainer> {
    let files = Files::newest(path)?;
    let (config, progress) = files.description()?;
    let mut trainer = Trainer::new(config, device)?;
    trainer.model = files.fill(MODEL, trainer.model)?;
    trainer.moments = files.fill(MOMENTS, trainer.moments)?;
    trainer.progress = progress;
    Ok(trainer)
}

/// Saves all that [`resume`] needs.
///
/// # Errors
/// Names the file that can't be written.
pub fn save(folder: &RunFolder, trainer: &Trainer) -> Result<PathBuf> {
    let record = |record: ModuleRecord, name: &str| -> Result<Vec<u8>> {
        Ok(record
            .into_bytes()
            .map_err(|e| anyhow!("can't pack {name}: {e}"))?
            .to_vec())
    };
    folder.save(
        trainer.progress.step,
        &[
            (CONFIG, serde_json::to_vec_pretty(&trainer.config)?),
            (PROGRESS, serde_json::to_vec_pretty(&trainer.progress)?),
            (MODEL, record(trainer.model.valid().into_record(), MODEL)?),
            (
                MOMENTS,
                record(trainer.moments.clone().into_record(), MOMENTS)?,
            ),
        ],
    )
}

/// A checkpoint's files, in memory or on disk.
enum Files {
    Bundled,
    Folder(PathBuf),
}

impl Files {
    fn newest(run: &Path) -> Result<Self> {
        Ok(Files::Folder(RunFolder::existing(run).newest()?))
    }

    fn name(&self, file: &str) -> String {
        match self {
            Files::Bundled => format!("assets/executor-2d/{file}"),
            Files::Folder(folder) => folder.join(file).display().to_string(),
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>> {
        match self {
            Files::Folder(folder) => read(folder, file),
            Files::Bundled => Ok(match file {
                CONFIG => include_bytes!("../../assets/executor-2d/config.json").to_vec(),
                PROGRESS => include_bytes!("../../assets/executor-2d/progress.json").to_vec(),
                MODEL => include_bytes!("../../assets/executor-2d/model.bpk").to_vec(),
                _ => bail!("the bundled model has no {file}"),
            }),
        }
    }

    fn description(&self) -> Result<(ExecutorConfig, Progress)> {
        let config: ExecutorConfig = serde_json::from_slice(&self.read(CONFIG)?)
            .with_context(|| format!("{} is not a configuration", self.name(CONFIG)))?;
        config.check().with_context(|| self.name(CONFIG))?;
        let progress = serde_json::from_slice(&self.read(PROGRESS)?)
            .with_context(|| format!("{} is not a run's progress", self.name(PROGRESS)))?;
        Ok((config, progress))
    }

    fn model(
        &self,
        config: &ExecutorConfig,
        lexicon: &Lexicon,
        device: &Device,
    ) -> Result<LatentExecutor> {
        let fresh = LatentExecutor::new(config, lexicon.vocabulary_size(), device);
        Ok(self.fill(MODEL, fresh)?.valid())
    }

    /// Reads a record into a module of the configuration's shapes.
    fn fill<M: Module>(&self, file: &str, module: M) -> Result<M> {
        let bytes = Bytes::from_bytes_vec(self.read(file)?);
        let name = self.name(file);
        let record = ModuleRecord::from_bytes(bytes)
            .map_err(|e| anyhow!("{name} is cut or not a checkpoint of this program: {e}"))?;
        module.try_load_record(record).map_err(|e| {
            anyhow!(
                "{name} doesn't fit {}: {}",
                self.name(CONFIG),
                first_words(&e.to_string())
            )
        })
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
