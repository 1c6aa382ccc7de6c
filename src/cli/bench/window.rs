//! The window's frames.

use anyhow::Result;
use serde_json::json;

use super::{BenchArgs, Measured, System, glyphs, temporary};
use crate::{
    cli::session::refuse_if_interrupted,
    config::{executor::PRESETS, glyphs::GLYPH_PRESETS},
    device::Choice,
    ui::{app, frames},
};

/// Draws the window, without a display, while the preset trains.
pub fn run(args: &BenchArgs, system: System, choice: Choice) -> Result<Measured> {
    let folder = temporary()?;
    let corpus = glyphs::corpus(args.corpus.as_deref(), folder.path())?;
    let (shown, presets) = match system {
        System::Executor => (app::System::Executor, &PRESETS[..]),
        System::Glyphs => (app::System::Glyphs, &GLYPH_PRESETS[..]),
    };
    let order = frames::Order {
        system: shown,
        preset: args.number_of_preset(presets)?,
        corpus: &corpus,
        out: &folder.path().join("run"),
    };
    let found = frames::while_training(choice, &order, &mut refuse_if_interrupted)?;
    let mut measured = Measured::new(found.millis).with(json!({
        "sizes": { "points": frames::SIZE, "frames_per_sec": frames::PER_SEC, "steps": found.steps },
    }));
    measured.lines = vec![format!(
        "drawn {} times a second at {:.0} x {:.0}, beside {} training steps",
        frames::PER_SEC,
        frames::SIZE[0],
        frames::SIZE[1],
        found.steps
    )];
    measured.device = found.device;
    measured.run.clone_from(&args.preset);
    Ok(measured)
}
