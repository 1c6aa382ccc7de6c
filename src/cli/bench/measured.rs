//! Arguments of `glyphspace bench`, and the results of a benchmark.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::projection::PointsArgs;
use crate::{
    cli::{
        args::ExecutorModel,
        errors::WrongUse,
        progress::ProgressLine,
        session::{CliSession, refuse_if_interrupted},
    },
    files::Unfinished,
    latent::order::quantile,
    training::{
        Limit, ServedSystem, Start, System, SystemJob, config::Config, metrics::TRAIN_SECS,
    },
};

/// Quantity to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Quantity {
    /// A training step
    Train,
    /// A loss map of 256 x 256 cells
    Map,
    /// From the pointer to the decoded text, idle
    Decode,
    /// From the pointer to the decoded text, while a model trains
    DecodeTraining,
    /// Painting a function, and reading its glyph
    Glyph,
    /// Making a corpus of Python functions, and reading it
    Corpus,
    /// Bayesian optimisation over 100 sums, and how often it succeeds
    Search,
    /// t-SNE of many points
    Projection,
    /// The window's frames while a model trains
    Ui,
}

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchSystem {
    /// The Latent Executor
    Executor,
    /// Code Glyphs
    Glyphs,
}

impl Quantity {
    /// Systems it can be measured of, the default first.
    pub fn systems(self) -> &'static [BenchSystem] {
        match self {
            Self::Train | Self::Ui => &[BenchSystem::Executor, BenchSystem::Glyphs],
            Self::Glyph | Self::Corpus => &[BenchSystem::Glyphs],
            Self::Map | Self::Decode | Self::DecodeTraining | Self::Search | Self::Projection => {
                &[BenchSystem::Executor]
            }
        }
    }
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Quantity to measure
    #[arg(value_enum)]
    pub what: Quantity,
    /// train, ui: of which system
    #[arg(long = "model", value_enum)]
    pub system: Option<BenchSystem>,
    /// train, ui: sizes and recipe
    #[arg(long, default_value = "pocket", conflicts_with = "run")]
    pub preset: String,
    /// train: set a key of the preset's configuration
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// train: steps measured, or with --trace written down
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub steps: Option<u64>,
    /// ui: draw for so many seconds, of both systems in turn, and watch the memory from the 61st on
    #[arg(long = "seconds", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub secs: Option<u64>,
    /// train, map: measure nothing, but write into this new folder what another framework needs to do the
    /// same: weights, and what the steps drew
    #[arg(long, value_name = "DIR")]
    pub trace: Option<PathBuf>,
    /// train, ui, glyph of Code Glyphs: the functions; without it the bundled sample
    #[arg(long)]
    pub corpus: Option<PathBuf>,
    /// corpus: what to make it of, as for `glyphs corpus build`; without any, the library of the Python
    /// installed here
    #[arg(long, value_name = "SRC")]
    pub source: Vec<PathBuf>,
    #[command(flatten)]
    pub model: ExecutorModel,
    #[command(flatten)]
    pub points: PointsArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl BenchArgs {
    pub fn system(&self) -> Result<BenchSystem> {
        let systems = self.what.systems();
        let asked = self.system.unwrap_or(systems[0]);
        if systems.contains(&asked) {
            return Ok(asked);
        }
        let text = format!(
            "--model {}: {} is not measured of it",
            name_of(asked),
            name_of(self.what)
        );
        Err(WrongUse(text).into())
    }

    /// The preset asked for, with the keys set.
    pub fn configured<C: Config>(&self, preset: impl FnOnce(&str) -> Result<C>) -> Result<C> {
        let configured = || -> Result<C> {
            let mut config = preset(&self.preset)?;
            for assignment in &self.set {
                config.set(assignment)?;
            }
            Ok(config)
        };
        configured().map_err(|error| WrongUse(format!("{error:#}")).into())
    }

    /// The number of the preset asked for among these.
    pub fn number_of_preset(&self, presets: &[&str]) -> Result<usize> {
        let found = presets.iter().position(|name| *name == self.preset);
        found.ok_or_else(|| {
            let (asked, known) = (&self.preset, presets.join(", "));
            WrongUse(format!("no preset {asked:?}: expected one of {known}")).into()
        })
    }
}

/// Shows the progress of `work`, which calls back at each of so many steps.
pub fn with_progress(
    steps: u64,
    work: impl FnOnce(&mut dyn FnMut(u64) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let mut bar = ProgressLine::new("training");
    work(&mut |step| {
        bar.update(step as f64 / steps as f64, &format!("step {step}"));
        refuse_if_interrupted()
    })?;
    bar.finish(&format!("{steps} steps"));
    Ok(())
}

/// A folder that is gone when it is dropped, or the program ends before.
pub struct ScratchFolder {
    folder: tempfile::TempDir,
    _entry: Unfinished,
}

impl ScratchFolder {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

pub fn temporary() -> Result<ScratchFolder> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let _entry = Unfinished::new(folder.path());
    Ok(ScratchFolder { folder, _entry })
}

/// Result of a benchmark.
pub struct Measured {
    /// Milliseconds of each measured run.
    pub millis: Vec<f64>,
    pub device: String,
    /// The preset, or where the model comes from.
    pub run: String,
    /// Further entries of the JSON.
    pub more: Map<String, Value>,
    /// Further lines of the text output.
    pub lines: Vec<String>,
}

impl Measured {
    pub fn new(millis: Vec<f64>) -> Self {
        Self {
            millis,
            device: String::new(),
            run: String::new(),
            more: Map::new(),
            lines: Vec::new(),
        }
    }

    /// Step times of a short run of `config`, of the session's job: of so many steps, if none are asked for, after
    /// `warm_up` others. `sizes` are added to those every system has. The time of the very first, in which a GPU's kernels
    /// are compiled, is an entry of its own.
    ///
    /// # Errors
    /// If the run fails or is interrupted.
    pub fn of_run<J: SystemJob>(
        session: &CliSession<J>,
        args: &BenchArgs,
        config: <J::System as System>::Config,
        data: <J::System as ServedSystem>::DataSource,
        (steps, warm_up): (u64, u64),
        mut sizes: Value,
    ) -> Result<Self> {
        let steps = args.steps.unwrap_or(steps);
        let folder = temporary()?;
        let (out, limit) = (folder.path().join("run"), Limit::Steps(steps + warm_up));
        let shards = config.schedule().shards;
        let start = Start::Fresh(Box::new(config));
        session.train(start, data, &out, limit, |_| String::new())?;
        refuse_if_interrupted()?;
        let views = session.run_views();
        let curve = views.curves.get().context("no metrics")?;
        let model = views.model.get().context("no model")?;
        let secs: Vec<f64> = curve.column(TRAIN_SECS).collect();
        let measured = secs.windows(2).skip((warm_up as usize).saturating_sub(1));
        let millis = measured.map(|pair| (pair[1] - pair[0]) * 1e3).collect();
        let run = views.training.get();
        let captured = run.and_then(|run| run.captured.as_ref().map(Result::is_ok));
        sizes["params"] = model.params.into();
        sizes["shards"] = shards.into();
        let measured = Self {
            device: model.device.clone(),
            run: args.preset.clone(),
            ..Self::new(millis)
        };
        Ok(measured.with(json!({
            "first_step_ms": secs.first().map(|secs| secs * 1e3),
            "captured": captured,
            "sizes": sizes,
        })))
    }

    /// Adds an object's entries to the JSON.
    pub fn with(mut self, entries: Value) -> Self {
        if let Value::Object(entries) = entries {
            self.more.extend(entries);
        }
        self
    }
}

/// Median and 95th percentile.
pub fn quantiles(millis: &[f64]) -> (f64, f64) {
    let mut sorted = millis.to_vec();
    sorted.sort_by(f64::total_cmp);
    (quantile(&sorted, 0.5), quantile(&sorted, 0.95))
}

pub fn name_of(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
