//! `glyphspace bench`: times of the program's slow parts.

mod corpus;
mod executor;
mod glyphs;
mod measured;
mod projection;
mod window;

use anyhow::{Result, bail};
use serde_json::{Value, json};

pub use measured::BenchArgs;
use measured::{BenchSystem, Measured, Quantity, name_of, quantiles};

use super::{
    errors::WrongUse,
    output::say,
    session::{OnInterrupt, listen_for_interrupts},
};
use crate::device::Choice;

/// Runs a benchmark.
///
/// # Errors
/// If it fails.
pub fn run(args: &BenchArgs, choice: Choice) -> Result<()> {
    listen_for_interrupts(OnInterrupt::Leave)?;
    let system = args.system()?;
    if let Some(folder) = &args.trace {
        match (args.what, system) {
            (Quantity::Train | Quantity::Map, BenchSystem::Executor) => {
                executor::write_trace(args, folder, choice)?;
            }
            (Quantity::Train, BenchSystem::Glyphs) => glyphs::write_trace(args, folder, choice)?,
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
        (Quantity::Projection, _) => {
            let dims = args.model.dims.unwrap_or(10);
            return projection::run(&args.points, dims, args.json);
        }
        (Quantity::Ui, _) => window::run(args, system, choice)?,
        (Quantity::Corpus, _) => corpus::run(args)?,
        (_, BenchSystem::Executor) => executor::run(args, choice)?,
        (_, BenchSystem::Glyphs) => glyphs::run(args, choice)?,
    };
    print(args, system, measured)
}

fn print(args: &BenchArgs, system: BenchSystem, measured: Measured) -> Result<()> {
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
