//! What every system's training has in common: a trainer takes steps, a run gives it a folder, a
//! limit and a pace, and a checkpoint lets it go on to the last bit.
//!
//! A system brings a [`Trainer`]: how it is made, what a step does and which files it needs to go on
//! are its own; [`checkpoint::files`] has those every trainer needs.

mod captured_step;
pub mod checkpoint;
mod data_parallel;
pub mod draw_log;
mod host_inputs;
mod run;
mod run_control;
mod train_state;
mod warm_up;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use data_parallel::DataParallel;
pub use host_inputs::{DeviceInputs, HostInputs, Span};
pub use run::Run;
pub use run_control::{RunController, Step};
pub use train_state::TrainState;
pub use warm_up::WarmUp;

/// Where a run stands.
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
    /// One step more, begun at `begun`, on a schedule of `schedule_steps`.
    pub fn advance(&mut self, begun: std::time::Instant, schedule_steps: u64) {
        self.step += 1;
        self.position = (self.position + 1).min(schedule_steps);
        self.train_secs += begun.elapsed().as_secs_f64();
    }
}

/// One row of metrics.csv: the figures of one step. What else it has is the system's own; it must be
/// flat to be a row.
pub trait MetricsRow: Copy + Serialize + DeserializeOwned {
    /// The step, counted from 1.
    fn step(&self) -> u64;
    /// What is minimised.
    fn loss(&self) -> f32;
    /// The learning rate of the step.
    fn learning_rate(&self) -> f64;
    /// The gradient's norm before clipping.
    fn gradient_norm(&self) -> f32;
}

/// A model in training, step by step.
pub trait Trainer {
    /// A step's figures.
    type Metrics: MetricsRow;

    /// One step, which also advances the progress.
    ///
    /// # Errors
    /// If the device fails.
    fn step(&mut self) -> Result<Self::Metrics>;

    /// How far it got.
    fn progress(&self) -> &Progress;

    /// The same, for a run limited in seconds, which moves the position.
    fn progress_mut(&mut self) -> &mut Progress;

    /// Steps of the schedule.
    fn schedule_steps(&self) -> u64;

    /// The files of a checkpoint, names and contents: all that is needed to go on to the last bit,
    /// and to ask the model. Those of [`checkpoint::files`], and any the system adds.
    ///
    /// # Errors
    /// If one can't be packed.
    fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>>;
}

/// Values of a step, row by row; waits for them.
///
/// # Errors
/// If the device failed.
pub fn read<const D: usize>(values: Tensor<D>) -> Result<Vec<f32>> {
    values
        .try_into_vec_as()
        .context("the device failed in a training step")
}

/// What a run starts from.
#[derive(Clone, Debug)]
pub enum Start<C> {
    /// New weights.
    Fresh(Box<C>),
    /// The newest checkpoint of the run in this folder.
    Resume(PathBuf),
}

impl<C> Start<C> {
    /// The folder of the run that goes on.
    pub fn resumed(&self) -> Option<&Path> {
        match self {
            Start::Fresh(_) => None,
            Start::Resume(run) => Some(run),
        }
    }
}

/// When a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// After the schedule's last step.
    Schedule,
    /// After so many steps more.
    Steps(u64),
    /// After so many seconds more; the schedule is gone through in that time.
    Seconds(f64),
}

/// How fast work goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Step after step.
    Running,
    /// Not at all.
    Paused,
    /// One step, then paused.
    OneStep,
}

/// What can be shown of a run; `M` is the system's row of metrics.
#[derive(Clone, Debug)]
pub struct TrainingView<M> {
    /// Its folder.
    pub folder: PathBuf,
    /// How fast it goes on; `None` when it has ended.
    pub pace: Option<Pace>,
    /// The last step's metrics.
    pub last: Option<M>,
    /// Steps a second, lately.
    pub steps_per_sec: f64,
    /// Share of the work done, 0 to 1.
    pub done: f64,
    /// Seconds left.
    pub eta_secs: Option<f64>,
}
