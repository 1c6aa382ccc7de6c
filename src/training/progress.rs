//! Limit, pace and progress of a run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::metrics::Metrics;

/// Progress of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Steps taken; also the random state, since what a step draws follows from its number.
    pub step: u64,
    /// Position on the schedule, 0..=`schedule_steps`.
    pub position: u64,
    /// Seconds spent in steps.
    pub train_secs: f64,
}

impl Progress {
    /// Counts a step that was begun at `begun`, on a schedule of `schedule_steps`.
    pub fn advance(&mut self, begun: std::time::Instant, schedule_steps: u64) {
        self.step += 1;
        self.position = (self.position + 1).min(schedule_steps);
        self.train_secs += begun.elapsed().as_secs_f64();
    }
}

/// Limit at which a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// After the schedule's last step.
    Schedule,
    /// After so many steps more.
    Steps(u64),
    /// After so many seconds more; the schedule is gone through in that time.
    Seconds(f64),
}

/// Pace of a run or a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Step after step.
    Running,
    /// Not at all.
    Paused,
    /// One step, then paused.
    OneStep,
}

/// State of a run, to be shown.
#[derive(Clone, Debug)]
pub struct TrainingView {
    /// Folder.
    pub folder: PathBuf,
    /// Pace; `None` when it has ended.
    pub pace: Option<Pace>,
    /// The last step's metrics.
    pub last: Option<Metrics>,
    /// Steps a second, lately.
    pub steps_per_sec: f64,
    /// Share of the work done, 0 to 1.
    pub done: f64,
    /// On a GPU, Ok once a step graph is captured, or the reason why none can be; `None` before that was tried.
    pub captured: Option<Result<(), String>>,
    /// Seconds left.
    pub eta_secs: Option<f64>,
}
