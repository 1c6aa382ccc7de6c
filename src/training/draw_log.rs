//! Log of a training step's random draws, so that another framework can be given the same weights and draws (tests/peers).
//!
//! A log belongs to its thread: shards computed in parallel would each have one, so a trace computes them one after the
//! other.

use std::{cell::RefCell, fs::File, io::Write, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{System, Trainer};

/// Name and values of a random draw.
type Draw = (&'static str, Value);

thread_local! {
    static DRAW_LOG: RefCell<Option<Vec<Draw>>> = const { RefCell::new(None) };
}

/// Logs a draw; does nothing where nobody records.
pub fn log(name: &'static str, values: impl FnOnce() -> Value) {
    DRAW_LOG.with_borrow_mut(|draw_log| {
        if let Some(draws) = draw_log {
            draws.push((name, values()));
        }
    });
}

/// The result of `work`, and the draws of this thread meanwhile, in order.
fn record<R>(work: impl FnOnce() -> R) -> (R, Vec<Draw>) {
    DRAW_LOG.set(Some(Vec::new()));
    let made = work();
    (made, DRAW_LOG.take().unwrap_or_default())
}

/// Runs `steps` steps and writes each as a line of JSON to a new file: `metrics`, the step's row, and
/// `draws`, a list of names and values in the order in which they were drawn.
///
/// # Errors
/// If a step fails or the file can't be written.
pub fn write_steps(
    trainer: &mut Trainer<impl System>,
    steps: u64,
    path: &Path,
    mut after_step: impl FnMut(u64) -> Result<()>,
) -> Result<()> {
    let cant_write = || format!("can't write {}", path.display());
    let mut file = File::create_new(path).with_context(cant_write)?;
    for step in 1..=steps {
        let (metrics, draws) = record(|| trainer.step());
        let line = json!({ "metrics": metrics?, "draws": draws });
        writeln!(file, "{line}").with_context(cant_write)?;
        after_step(step)?;
    }
    Ok(())
}
