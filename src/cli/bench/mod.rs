//! `glyphspace bench`: how long the things take that people wait for.

mod corpus;
mod executor;
mod glyphs;
mod window;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::{
    ExecutorModel, WrongUse,
    output::say,
    progress::Progress,
    projection,
    session::{OnInterrupt, listen_for_interrupts, refuse_if_interrupted},
};
use crate::{config::Config, device::Choice, files::Unfinished, latent::order::quantile};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// A training step
    Train,
    /// A loss map of 256 x 256 cells
    Map,
    /// From the pointer to the decoded text, idle
    Decode,
    /// The same while a model trains
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
pub enum System {
    /// The Latent Executor
    Executor,
    /// Code Glyphs
    Glyphs,
}

impl What {
    /// The systems it can be measured of, its first choice first.
    fn systems(self) -> &'static [System] {
        match self {
            Self::Train | Self::Ui => &[System::Executor, System::Glyphs],
            Self::Glyph | Self::Corpus => &[System::Glyphs],
            Self::Map | Self::Decode | Self::DecodeTraining | Self::Search | Self::Projection => {
                &[System::Executor]
            }
        }
    }
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    what: What,
    /// train, ui: of which system
    #[arg(long = "model", value_enum)]
    system: Option<System>,
    /// train, ui: sizes and recipe
    #[arg(long, default_value = "pocket", conflicts_with = "run")]
    preset: String,
    /// train: set a key of the preset's configuration
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// train: steps measured, or with --trace written down
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    steps: Option<u64>,
    /// ui: draw for so many seconds, of both systems in turn, and watch the memory from the 61st on
    #[arg(long = "seconds", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    secs: Option<u64>,
    /// train, map: measure nothing, but write into this new folder what another framework needs to do the
    /// same: weights, and what the steps drew
    #[arg(long, value_name = "DIR")]
    trace: Option<PathBuf>,
    /// train, ui, glyph of Code Glyphs: the functions; without it the bundled sample
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// corpus: what to make it of, as for `glyphs corpus build`; without any, the library of the Python
    /// installed here
    #[arg(long, value_name = "SRC")]
    source: Vec<PathBuf>,
    #[command(flatten)]
    model: ExecutorModel,
    #[command(flatten)]
    points: projection::PointsArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    fn system(&self) -> Result<System> {
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
    fn configured<C: Config>(&self, preset: impl FnOnce(&str) -> Result<C>) -> Result<C> {
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
    fn number_of_preset(&self, presets: &[&str]) -> Result<usize> {
        let found = presets.iter().position(|name| *name == self.preset);
        found.ok_or_else(|| {
            let (asked, known) = (&self.preset, presets.join(", "));
            WrongUse(format!("no preset {asked:?}: expected one of {known}")).into()
        })
    }
}

/// Shows how far `work` is that takes so many steps and tells of each.
fn with_progress(
    steps: u64,
    work: impl FnOnce(&mut dyn FnMut(u64) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let mut bar = Progress::new("training");
    work(&mut |step| {
        bar.update(step as f64 / steps as f64, &format!("step {step}"));
        refuse_if_interrupted()
    })?;
    bar.finish(&format!("{steps} steps"));
    Ok(())
}

/// A folder that is gone when it is dropped, or the program ends before.
struct ScratchFolder {
    folder: tempfile::TempDir,
    _entry: Unfinished,
}

impl ScratchFolder {
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn temporary() -> Result<ScratchFolder> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let _entry = Unfinished::new(folder.path());
    Ok(ScratchFolder { folder, _entry })
}

/// What a benchmark found.
struct Measured {
    /// Milliseconds of each run of what is measured.
    millis: Vec<f64>,
    device: String,
    /// The preset, or where the model comes from.
    run: String,
    /// What else is in the JSON.
    more: Map<String, Value>,
    /// What else is said to people.
    lines: Vec<String>,
}

impl Measured {
    fn new(millis: Vec<f64>) -> Self {
        Self {
            millis,
            device: String::new(),
            run: String::new(),
            more: Map::new(),
            lines: Vec::new(),
        }
    }

    /// Of a run's clock after each step, the first `warm_up` steps left out but for how long the very first
    /// took, in which a GPU's kernels are compiled.
    fn of_steps(secs: &[f64], warm_up: u64) -> Self {
        let steps = secs.windows(2).skip((warm_up as usize).saturating_sub(1));
        Self::new(steps.map(|pair| (pair[1] - pair[0]) * 1e3).collect())
            .with(json!({ "first_step_ms": secs.first().map(|secs| secs * 1e3) }))
    }

    /// The same with an object's entries in the JSON.
    fn with(mut self, entries: Value) -> Self {
        if let Value::Object(entries) = entries {
            self.more.extend(entries);
        }
        self
    }
}

/// Median and 95th percentile.
fn quantiles(millis: &[f64]) -> (f64, f64) {
    let mut sorted = millis.to_vec();
    sorted.sort_by(f64::total_cmp);
    (quantile(&sorted, 0.5), quantile(&sorted, 0.95))
}

fn name_of(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

pub fn run(args: &BenchArgs, choice: Choice) -> Result<()> {
    listen_for_interrupts(OnInterrupt::Leave)?;
    let system = args.system()?;
    if let Some(folder) = &args.trace {
        match (args.what, system) {
            (What::Train | What::Map, System::Executor) => {
                executor::write_trace(args, folder, choice)?;
            }
            (What::Train, System::Glyphs) => glyphs::write_trace(args, folder, choice)?,
            _ => {
                let text = format!("--trace: {} leaves none", name_of(args.what));
                return Err(WrongUse(text).into());
            }
        }
        return match args.json {
            true => say(
                json!({ "what": name_of(args.what), "model": name_of(system), "trace": folder }),
            ),
            false => say(format_args!("wrote {}", folder.display())),
        };
    }
    let measured = match (args.what, system) {
        (What::Projection, _) => {
            let dims = args.model.dims.unwrap_or(10);
            return projection::bench(&args.points, dims, args.json);
        }
        (What::Ui, _) => window::run(args, system, choice)?,
        (What::Corpus, _) => corpus::run(args)?,
        (_, System::Executor) => executor::run(args, choice)?,
        (_, System::Glyphs) => glyphs::run(args, choice)?,
    };
    print(args, system, measured)
}

fn print(args: &BenchArgs, system: System, measured: Measured) -> Result<()> {
    if measured.millis.is_empty() {
        bail!("nothing was measured: expected more steps");
    }
    let (median, p95) = quantiles(&measured.millis);
    let (what, runs) = (name_of(args.what), measured.millis.len());
    if args.json {
        let mut result = json!({
            "what": what,
            "model": name_of(system),
            "preset": measured.run,
            "device": measured.device,
            "median_ms": median,
            "p95_ms": p95,
            "runs": runs,
        });
        if let Value::Object(result) = &mut result {
            result.extend(measured.more);
        }
        return say(result);
    }
    say(format_args!(
        "{what}: median {median:.1} ms, 95th percentile {p95:.1} ms, {runs} runs on {}",
        measured.device
    ))?;
    measured.lines.iter().try_for_each(say)
}
