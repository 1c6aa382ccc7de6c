//! What a training step draws, written down where it is drawn, so that another framework can be given
//! the same weights and the same draws (see tests/peers).
//!
//! A tape belongs to its thread: shares of a step that are computed side by side would mix theirs, so
//! who records has them computed one after the other.

use std::{cell::RefCell, fs::File, io::Write, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Trainer;

/// The name of what was drawn, and its values.
type Draw = (&'static str, Value);

thread_local! {
    static DRAW_LOG: RefCell<Option<Vec<Draw>>> = const { RefCell::new(None) };
}

/// Writes down what was drawn; nothing happens where nobody records.
pub fn log(name: &'static str, values: impl FnOnce() -> Value) {
    DRAW_LOG.with_borrow_mut(|draw_log| {
        if let Some(draws) = draw_log {
            draws.push((name, values()));
        }
    });
}

/// What `work` makes, and what was drawn on this thread meanwhile, in order.
fn record<R>(work: impl FnOnce() -> R) -> (R, Vec<Draw>) {
    DRAW_LOG.set(Some(Vec::new()));
    let made = work();
    (made, DRAW_LOG.take().unwrap_or_default())
}

/// Takes `steps` steps and writes each as a line of JSON to a new file: `metrics`, the step's row, and
/// `draws`, a list of names and values in the order in which they were drawn.
///
/// # Errors
/// If a step fails or the file can't be written.
pub fn write_steps(
    trainer: &mut impl Trainer,
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
