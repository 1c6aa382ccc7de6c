//! The command line: the jobs of the window through the same engine, without a display.
//! Results go to standard output, everything else to standard error.

mod args;
mod bench;
mod choices;
mod errors;
mod executor;
mod glyphs;
mod output;
mod progress;
mod session;
mod tour;

use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use args::parse;
use errors::{Interrupted, Unverified, WrongUse};
use output::{note, say};

use crate::{
    device::{self, Choice},
    files::remove_unfinished,
    signals, ui,
};

/// Explore latent spaces of code: without a command, the window opens (or, where there is no
/// display, the tour begins).
#[derive(Debug, Parser)]
#[command(name = "glyphspace", version, about, propagate_version = true)]
struct Cli {
    /// Compute device: auto, cpu, gpu or gpu:N
    #[arg(long, global = true, default_value_t, value_parser = parse::<Choice>)]
    device: Choice,
    #[command(subcommand)]
    command: Option<CliCommand>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Train, map and solve for a minute, and leave pictures and a report
    Tour(tour::TourArgs),
    /// The Latent Executor: sums such as 71+?=18
    #[command(subcommand)]
    Executor(executor::ExecutorSubcommand),
    /// Code Glyphs: Python functions as pictures
    #[command(subcommand)]
    Glyphs(glyphs::GlyphsSubcommand),
    /// Measure speed
    Bench(bench::BenchArgs),
    /// List the devices to compute on
    Devices,
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
        Err(_) if session::is_leaving() => ExitCode::from(1),
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

fn run(cli: Cli) -> Result<()> {
    if !matches!(cli.command, Some(CliCommand::Devices)) {
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
                let args = tour::TourArgs {
                    out: None,
                    train_seconds: 45.0,
                };
                tour::run(&args, cli.device)
            }
        },
        Some(CliCommand::Tour(args)) => tour::run(&args, cli.device),
        Some(CliCommand::Executor(command)) => executor::run(command, cli.device),
        Some(CliCommand::Glyphs(command)) => glyphs::run(command, cli.device),
        Some(CliCommand::Bench(args)) => bench::run(&args, cli.device),
        Some(CliCommand::Devices) => devices(cli.device),
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
