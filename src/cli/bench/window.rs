//! The window's frames.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{
    glyphs,
    measured::{BenchArgs, BenchSystem, Measured, quantiles, temporary},
};
use crate::{
    cli::session::refuse_if_interrupted,
    device::Choice,
    executor::config::PRESETS,
    glyphs::config::GLYPH_PRESETS,
    ui::{self, frames},
};

/// Seconds after which caches are filled: memory is compared with what it was then.
const SETTLED_SECS: usize = 60;

/// Draws the window, without a display, while the preset trains.
pub fn run(args: &BenchArgs, system: BenchSystem, choice: Choice) -> Result<Measured> {
    let folder = temporary()?;
    let corpus = glyphs::corpus(args.corpus.as_deref(), folder.path())?;
    let (shown, presets) = match system {
        BenchSystem::Executor => (ui::system::SystemPage::Executor, &PRESETS[..]),
        BenchSystem::Glyphs => (ui::system::SystemPage::Glyphs, &GLYPH_PRESETS[..]),
    };
    let order = frames::FramesPlan {
        system: shown,
        preset: args.number_of_preset(presets)?,
        corpus: &corpus,
        out: &folder.path().join("run"),
        length: args.secs.map(Duration::from_secs),
    };
    let found = frames::while_training(choice, &order, &mut refuse_if_interrupted)?;
    let (cpu_median, cpu_p95) = quantiles(&found.cpu_millis);
    let memory = MemoryGrowth::of(&found.memory);
    let mut measured = Measured::new(found.millis).with(json!({
        "adapter": found.adapter,
        "cpu_median_ms": cpu_median,
        "cpu_p95_ms": cpu_p95,
        "memory": memory.as_ref().map(|memory| json!({
            "settled_mb": memory.settled_mb,
            "most_mb": memory.most_mb,
            "growth_percent": memory.growth_percent(),
        })),
        "sizes": { "points": frames::SIZE, "frames_per_sec": frames::PER_SEC, "steps": found.steps },
    }));
    measured.lines = vec![
        format!(
            "drawn by {} to the last pixel; {cpu_median:.1} ms of it, 95th percentile {cpu_p95:.1} ms, before",
            found.adapter
        ),
        format!(
            "{} times a second at most, at {:.0} x {:.0}, beside {} training steps",
            frames::PER_SEC,
            frames::SIZE[0],
            frames::SIZE[1],
            found.steps
        ),
    ];
    measured.lines.extend(memory.map(|memory| {
        format!(
            "memory {:.0} MB at first, {:.0} MB at most since: {:+.1} %",
            memory.settled_mb,
            memory.most_mb,
            memory.growth_percent()
        )
    }));
    measured.device = found.device;
    measured.run.clone_from(&args.preset);
    Ok(measured)
}

/// Memory of the process while frames were drawn.
struct MemoryGrowth {
    /// Once caches are filled, or at first where the frames end before.
    settled_mb: f64,
    /// The most since then.
    most_mb: f64,
}

impl MemoryGrowth {
    /// From one value a second, in bytes.
    fn of(bytes: &[u64]) -> Option<Self> {
        let since = bytes.get(SETTLED_SECS..).filter(|rest| !rest.is_empty());
        let since = since.unwrap_or(bytes);
        let mb = |bytes: u64| bytes as f64 / 1e6;
        Some(Self {
            settled_mb: mb(*since.first()?),
            most_mb: mb(*since.iter().max()?),
        })
    }

    fn growth_percent(&self) -> f64 {
        100.0 * (self.most_mb / self.settled_mb - 1.0)
    }
}
