//! Training, the same for every [`System`]: a [`Trainer`] takes steps, a [`Run`] gives it a folder, a limit and a pace, and
//! a [checkpoint] lets it go on to the last bit.
//!
//! ```text
//! System::shards -> System::plan -> HostInputs -> DeviceInputs -> System::losses -> Losses -> gradient -> AdamW
//!                  (random draws)     (one upload)               (captured on a GPU)        -> Metrics
//! ```

mod captured_step;
pub mod checkpoint;
mod checksums;
pub mod config;
mod data_parallel;
pub mod draw_log;
mod host_inputs;
mod losses;
pub mod metrics;
mod progress;
mod run;
mod run_control;
pub mod run_folder;
mod served;
mod start;
mod system;
pub mod trace;
mod train_state;
mod trainer;
mod warm_up;
mod worker;

pub use data_parallel::DataParallel;
pub use host_inputs::{DeviceInputs, HostInputs, Span};
pub use losses::Losses;
pub use metrics::{MetricValue, Metrics, MetricsTable};
pub use progress::{Limit, Pace, Progress, TrainingView};
pub use run::Run;
pub use run_control::{RunController, StepOutcome};
pub(crate) use served::wrap_run;
pub use served::{
    CommandOf, Evaluator, EventOf, ModelView, ReportOf, RunCommand, RunEvent, RunViews,
    ServedSystem, SystemJob, WorkView,
};
pub use start::Start;
pub use system::System;
pub use train_state::{StepLosses, TrainState};
pub use trainer::Trainer;
pub use warm_up::WarmUp;
pub use worker::{Change, Worker};
