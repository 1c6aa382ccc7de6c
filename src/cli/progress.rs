//! Progress on standard error: a bar on a terminal, now and then a line elsewhere.

use std::time::{Duration, Instant};

use super::output::note;
use indicatif::{ProgressBar, ProgressStyle};

/// Interval between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
const PARTS: u64 = 1000;

/// Progress of one piece of work.
pub struct ProgressLine {
    bar: ProgressBar,
    name: String,
    spoken: Option<Instant>,
}

impl ProgressLine {
    /// Begins the progress of the work `name`.
    pub fn new(name: &str) -> Self {
        let bar = ProgressBar::new(PARTS);
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}% {msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        bar.set_prefix(name.to_owned());
        Self {
            bar,
            name: name.to_owned(),
            spoken: None,
        }
    }

    /// Begins another phase: the next update is written in any case.
    pub fn begin_phase(&mut self) {
        self.spoken = None;
    }

    /// Shows a share `done` (0 to 1) with a text.
    pub fn update(&mut self, done: f64, text: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_position((done * PARTS as f64) as u64);
            self.bar.set_message(text.to_owned());
        } else if self.spoken.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
            self.spoken = Some(Instant::now());
            note(format_args!("{} {:3.0}% {text}", self.name, done * 100.0));
        }
    }

    /// Shows the end of the work.
    pub fn finish(self, text: &str) {
        if self.bar.is_hidden() {
            note(format_args!("{} done, {text}", self.name));
        } else {
            self.bar.set_position(PARTS);
            self.bar.finish_with_message(text.to_owned());
        }
    }
}
