//! The engine: its wires with a job made for the purpose, and the Latent Executor's job on it.

mod executor;
mod jobs;
mod wires;

use std::time::{Duration, Instant};

use glyphspace::engine::{Engine, Job, Notice};

/// What a wait for the engine may take on a busy machine before it counts as never.
const PATIENCE: Duration = Duration::from_secs(30);

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn next<J: Job>(engine: &Engine<J>) -> Notice<J::Event> {
    engine.wait(PATIENCE).expect("a notice")
}
