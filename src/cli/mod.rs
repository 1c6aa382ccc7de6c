//! The command line: the same jobs as the window's, through the same engine, without a display.
//! Results go to standard output, everything else to standard error.

mod bench;
mod benchmark;
mod executor;
mod glyphs;
mod output;
mod progress;
mod projection;
mod session;
mod tour;

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use output::{note, say};
use session::Interrupted;

use crate::{
    config::{Config, executor::PRESETS},
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    device::{self, Choice},
    files::remove_unfinished,
    latent::search::Method,
    signals,
    training::{Limit, Start, checkpoint::Source},
    ui,
};

/// Explore latent spaces of code: without a command, the window opens (or, where there is no
/// display, the tour begins).
#[derive(Debug, Parser)]
#[command(name = "glyphspace", version, about, propagate_version = true)]
struct Cli {
    /// Where to compute: auto, cpu, gpu or gpu:N
    #[arg(long, global = true, default_value_t, value_parser = parse::<Choice>)]
    device: Choice,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train, map and solve for a minute, and leave pictures and a report
    Tour(TourArgs),
    /// The Latent Executor: sums such as 71+?=18
    #[command(subcommand)]
    Executor(Executor),
    /// Code Glyphs: Python functions as pictures
    #[command(subcommand)]
    Glyphs(glyphs::Glyphs),
    /// Measure speed
    Bench(bench::BenchArgs),
    /// List the devices to compute on
    Devices,
}

/// What `tour` takes.
#[derive(Clone, Debug, Args)]
struct TourArgs {
    /// The folder to make; without it tour, tour-2, ..
    #[arg(long)]
    out: Option<PathBuf>,
    /// Seconds of training
    #[arg(long, default_value_t = 45.0, value_parser = seconds)]
    train_seconds: f64,
}

#[derive(Debug, Subcommand)]
enum Executor {
    /// Train a model into a new run folder
    Train(TrainArgs),
    /// Judge a model: accuracy and order
    Eval(EvalArgs),
    /// Search the program of a sum
    Solve(SolveArgs),
    /// Draw the loss of a sum over the plane of programs, and the truth beside it
    Map(MapArgs),
    /// Lay programs and states of any number of dimensions out on planes: PCA and t-SNE
    Project(projection::ProjectArgs),
    /// Decode the program at a point and run it
    Decode(DecodeArgs),
    /// Draw the planes of programs and states, and their holes
    Planes(PlanesArgs),
    /// Compare search methods over many sums
    Benchmark(benchmark::BenchmarkArgs),
}

/// What both systems' `train` take.
#[derive(Debug, Args)]
struct RunArgs {
    /// The run's folder: a new one, or the resumed run's own
    #[arg(long)]
    out: PathBuf,
    /// Train for so many seconds (from here on, when resuming)
    #[arg(long, conflicts_with = "steps", value_parser = seconds)]
    seconds: Option<f64>,
    /// Train for so many steps (from here on, when resuming); the learning rate follows schedule_steps
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Seed of all that is drawn at random
    #[arg(long, conflicts_with = "resume")]
    seed: Option<u64>,
    /// Go on with this run, to the bit
    #[arg(long)]
    resume: Option<PathBuf>,
    /// Set a key of the configuration
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "resume")]
    set: Vec<String>,
}

impl RunArgs {
    /// The run to go on with, or the configuration that `configure` makes, with the keys set.
    fn start<C: Config>(&self, configure: impl FnOnce() -> Result<C>) -> Result<Start<C>> {
        if let Some(run) = &self.resume {
            session::warn(Source::Run(run.clone()).warning());
            return Ok(Start::Resume(run.clone()));
        }
        let configured = || -> Result<C> {
            let mut config = configure()?;
            for assignment in &self.set {
                config.set(assignment)?;
            }
            config.check()?;
            Ok(config)
        };
        let config = configured().map_err(|error| WrongUse(format!("{error:#}")))?;
        Ok(Start::Fresh(Box::new(config)))
    }

    fn limit(&self) -> Limit {
        match (self.seconds, self.steps) {
            (Some(secs), _) => Limit::Seconds(secs),
            (_, Some(steps)) => Limit::Steps(steps),
            _ => Limit::Schedule,
        }
    }
}

#[derive(Debug, Args)]
struct TrainArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Sizes and recipe: pocket, lines, four-digits, operators, lpn, t5-mini, t5-small or t5-base
    #[arg(long, default_value = PRESETS[0], conflicts_with = "resume")]
    preset: String,
    /// Latent dimensions
    #[arg(long, conflicts_with = "resume")]
    dims: Option<usize>,
}

#[derive(Debug, Args)]
struct Model {
    /// A run's folder; without it the bundled model
    #[arg(long)]
    run: Option<PathBuf>,
}

/// A model of the Latent Executor.
#[derive(Debug, Args)]
struct ExecutorModel {
    #[command(flatten)]
    model: Model,
    /// Latent dimensions of the bundled model: 2, 10 or 100
    #[arg(long, conflicts_with = "run")]
    dims: Option<usize>,
    /// What the bundled model reads and runs; without it what the sum needs, or two digits
    #[arg(long, value_enum, conflicts_with = "run")]
    language: Option<Language>,
}

#[derive(Debug, Args)]
struct EvalArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct SolveArgs {
    /// A sum such as 71+?=18; 71+?+?=18 has two lines; several are examples of one program
    #[arg(required = true, value_name = "SUM", value_parser = parse::<Task>)]
    examples: Vec<Task>,
    #[command(flatten)]
    model: ExecutorModel,
    /// How to search; without it bo, warm where the model knows too many programs to visit
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Begin with the inverse encoder's proposals and go on around them
    #[arg(long)]
    warm: bool,
    /// Decode and encode the state again between two lines
    #[arg(long)]
    requantise: bool,
    /// Evaluations at most
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    budget: u32,
    /// Seed of the search
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct MapArgs {
    /// The sum, such as 71+?=18
    #[arg(value_parser = one_sum)]
    sum: Task,
    #[command(flatten)]
    model: ExecutorModel,
    /// Three programs, such as -53,0,40: the map is of the slice of the space through their places
    #[arg(long, value_name = "A,B,C", allow_hyphen_values = true, value_parser = three_programs)]
    slice: Option<[Code; 3]>,
    /// Cells a side
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..=2048))]
    size: u32,
    /// Write the picture here: PNG, or JPEG where the ending is .jpg
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write the table here: x, y, loss, code, right
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct PlanesArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// A second run to draw beside it
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Write the picture here; without it planes.png
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct DecodeArgs {
    /// The point, each value from -1 to 1
    #[arg(required = true, num_args = 1.., allow_negative_numbers = true, value_parser = coordinate)]
    point: Vec<f32>,
    #[command(flatten)]
    model: ExecutorModel,
    /// The state to run the program on
    #[arg(
        long,
        default_value_t = 71,
        allow_negative_numbers = true,
        conflicts_with = "sum"
    )]
    state: i32,
    /// A sum to judge the result by
    #[arg(long, value_parser = parse::<Sum>)]
    sum: Option<Sum>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the program; errors become one line and an exit code: 1 when the job could not be done, 2
/// for a wrong command line, 3 for a result that can't be relied on.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(std::env::args_os().map(not_a_flag)) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            return exit_code(say(error.to_string().trim_end()));
        }
        Err(error) => {
            let text = error.to_string();
            let ends = |line: &&str| !line.starts_with("Usage") && !line.starts_with("For more");
            let line = text
                .lines()
                .map(str::trim)
                .take_while(ends)
                .collect::<Vec<_>>()
                .join(" ");
            note(format_args!(
                "glyphspace: {} (see --help)",
                line.trim().trim_start_matches("error: ")
            ));
            return ExitCode::from(2);
        }
    };
    let code = exit_code(run(cli));
    // The engine may be in the middle of something that nobody waits for any more.
    remove_unfinished();
    code
}

/// A sum that begins with a negative number, such as -5+?=3, is no flag: a blank before it says so.
fn not_a_flag(argument: OsString) -> OsString {
    let is_sum = argument.to_str().is_some_and(|text| {
        let negative = text.strip_prefix('-').unwrap_or_default();
        negative.starts_with(|c: char| c.is_ascii_digit()) && negative.contains('=')
    });
    match is_sum {
        true => [OsStr::new(" "), &argument].into_iter().collect(),
        false => argument,
    }
}

fn exit_code(done: Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.chain().any(|cause| cause.is::<Interrupted>()) => {
            // Whatever it was at: no file is to blame.
            note(format_args!("glyphspace: {Interrupted}"));
            ExitCode::from(1)
        }
        Err(error) => {
            note(format_args!("glyphspace: {error:#}"));
            ExitCode::from(if error.is::<WrongUse>() {
                2
            } else if error.is::<Unverified>() {
                3
            } else {
                1
            })
        }
    }
}

/// An error of the command line rather than of the job.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongUse(String);

/// A result that was given, but can't be relied on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unverified(String);

fn run(cli: Cli) -> Result<()> {
    if !matches!(cli.command, Some(Command::Devices)) {
        signals::block()?;
    }
    // Where a machine has no thread or memory left for them, libraries that share work out would panic later.
    rayon::ThreadPoolBuilder::new()
        .build_global()
        .context("can't start the threads to compute with")?;
    match cli.command {
        None => match ui::display() {
            Ok(()) => ui::open(cli.device),
            Err(reason) => {
                note(format_args!(
                    "glyphspace: {reason}; taking the headless tour instead"
                ));
                let args = TourArgs {
                    out: None,
                    train_seconds: 45.0,
                };
                tour::run(&args, cli.device)
            }
        },
        Some(Command::Tour(args)) => tour::run(&args, cli.device),
        Some(Command::Executor(command)) => executor::run(command, cli.device),
        Some(Command::Glyphs(command)) => glyphs::run(command, cli.device),
        Some(Command::Bench(args)) => bench::run(&args, cli.device),
        Some(Command::Devices) => devices(cli.device),
    }
}

fn devices(choice: Choice) -> Result<()> {
    let adapters = device::adapters();
    let (selected, reason) = device::select(choice, &adapters)?;
    let mark = |is_it: bool| if is_it { "*" } else { " " };
    say(format_args!(
        "{} cpu    burn's flex backend on the processor",
        mark(selected.is_none())
    ))?;
    for adapter in &adapters {
        let kind = if adapter.is_software() {
            "software, for drawing only"
        } else {
            "GPU"
        };
        say(format_args!(
            "{} gpu:{}  {} ({kind})",
            mark(selected == Some(adapter)),
            adapter.number,
            adapter.name
        ))?;
    }
    say(format_args!(
        "--device {choice} takes the one marked *: {reason}"
    ))?;
    Ok(())
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| format!("{error}"))
}

/// A task whose program is one number that is added or subtracted, as it was typed.
fn one_sum(text: &str) -> Result<Task, String> {
    parse::<Sum>(text)?;
    parse(text)
}

fn seconds(text: &str) -> Result<f64, String> {
    let secs = text
        .parse()
        .ok()
        .filter(|secs: &f64| secs.is_finite() && *secs > 0.0);
    secs.ok_or_else(|| "expected a number of seconds above 0".into())
}

fn three_programs(text: &str) -> Result<[Code; 3], String> {
    let programs: Option<Vec<Code>> = text.split(',').map(|part| part.parse().ok()).collect();
    let programs = programs.and_then(|programs| programs.try_into().ok());
    programs.ok_or_else(|| "expected three programs such as -53,0,40".into())
}

fn coordinate(text: &str) -> Result<f32, String> {
    let value = text
        .parse()
        .ok()
        .filter(|value: &f32| (-1.0..=1.0).contains(value));
    value.ok_or_else(|| "expected a number from -1 to 1".into())
}
