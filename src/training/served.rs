//! A system on the engine: commands to its model and run, events, and views.

use std::{fmt::Debug, path::PathBuf, sync::Arc};

use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;

use super::{Limit, Metrics, MetricsTable, Pace, Start, System, TrainingView, checkpoint::Source};
use crate::{
    device::{self, Choice, Chosen},
    engine::{Job, latest::Latest},
};

/// A system whose model is opened, trained and evaluated by [`RunCommand`]s.
pub trait ServedSystem: System<Snapshot: 'static> {
    /// Source of a run's data, such as a corpus's path.
    type DataSource: Debug + Send + 'static;
    /// Settings of an evaluation.
    type EvaluationPlan: Debug + Send + 'static;
    /// An evaluation under way.
    type Evaluator: Evaluator;

    /// The model of `source` on `device`.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit its configuration.
    fn load(source: &Source, device: &Device) -> Result<Self::Snapshot>;

    /// The data of a run.
    ///
    /// # Errors
    /// If it can't be read.
    fn open_data(source: &Self::DataSource) -> Result<Self::Data>;

    /// Begins an evaluation of the model.
    ///
    /// # Errors
    /// If its data can't be read.
    fn evaluator(
        snapshot: Arc<Self::Snapshot>,
        plan: Self::EvaluationPlan,
    ) -> Result<Self::Evaluator>;

    /// Configuration of a model, and its number of parameters.
    fn describe(snapshot: &Self::Snapshot) -> (&Self::Config, usize);

    /// Note about a run for people: a frozen network its losses use.
    fn note(&self) -> Option<String> {
        None
    }
}

/// An evaluation in slices, so that the engine answers in between.
pub trait Evaluator {
    /// Result.
    type Report: Debug + Serialize + Send + 'static;

    /// Evaluates a slice; returns the report, with the name of the `device`, after the last one.
    ///
    /// # Errors
    /// If the device fails.
    fn advance(&mut self, device: &str) -> Result<Option<Self::Report>>;

    /// Progress so far.
    fn progress(&self) -> WorkView;
}

/// Command to the model or the run of a system, with configuration `C`, data source `D` and evaluation plan `E`.
#[derive(Debug)]
pub enum RunCommand<C, D, E> {
    /// Opens another model.
    Open(Source),
    /// Begins a run in a new folder, or goes on in the resumed one's.
    Train {
        /// New weights, or the run to resume.
        start: Start<C>,
        /// Source of the data.
        data: D,
        /// The run's folder.
        out: PathBuf,
        /// Limit at which it ends.
        limit: Limit,
    },
    /// Changes the run's pace.
    Pace(Pace),
    /// Changes the run's peak learning rate.
    LearningRate(f64),
    /// Ends the run after its checkpoint.
    Stop,
    /// Evaluates the model.
    Evaluate(E),
}

/// Event of the model or the run of a system, with evaluations reported as `R`.
#[derive(Debug)]
pub enum RunEvent<R> {
    /// Another model is open.
    Opened(String),
    /// A run has begun in this folder.
    Started(PathBuf),
    /// Something works less well than it should; said once.
    Warned(String),
    /// A checkpoint was written.
    Saved(PathBuf),
    /// A run has ended after so many steps.
    Trained(u64),
    /// The model was evaluated.
    Evaluated(Box<R>),
}

impl<R> RunEvent<R> {
    /// Line about the event; `None` for an evaluation, whose report says more.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Self::Opened(name) => format!("opened {name}"),
            Self::Started(folder) => format!("training into {}", folder.display()),
            Self::Warned(text) => text.clone(),
            Self::Saved(folder) => format!("saved {}", folder.display()),
            Self::Trained(steps) => format!("trained {steps} steps"),
            Self::Evaluated(_) => return None,
        })
    }
}

/// [`RunCommand`] of a system.
pub type CommandOf<S> = RunCommand<
    <S as System>::Config,
    <S as ServedSystem>::DataSource,
    <S as ServedSystem>::EvaluationPlan,
>;
/// Report of a system's evaluation.
pub type ReportOf<S> = <<S as ServedSystem>::Evaluator as Evaluator>::Report;
/// [`RunEvent`] of a system.
pub type EventOf<S> = RunEvent<ReportOf<S>>;

/// The job of a system on the engine. Its commands and events wrap those of the model and the run: see `wrap_run`.
pub trait SystemJob:
    Job<Command: From<CommandOf<Self::System>>, Event: Into<Option<EventOf<Self::System>>>>
{
    /// The system.
    type System: ServedSystem;
    /// Views of everything it computes.
    type Views: Default + Send + Sync + 'static;

    /// A job on an open device, with the model of `source`.
    ///
    /// # Errors
    /// If the model can't be loaded.
    fn on(chosen: Chosen, source: &Source, views: Arc<Self::Views>) -> Result<Self>;

    /// A job on the device of choice.
    ///
    /// # Errors
    /// If the device can't be opened or the model not loaded.
    fn new(choice: Choice, source: &Source, views: Arc<Self::Views>) -> Result<Self> {
        Self::on(device::open(choice)?, source, views)
    }

    /// The views of the model and the run.
    fn run_views(views: &Self::Views) -> &RunViews<<Self::System as System>::Config>;
}

/// Conversions of a system's [`RunCommand`] and [`RunEvent`] to and from the variant `Run` of its own commands and events.
macro_rules! wrap_run {
    ($system:ident, $command:ident, $event:ident) => {
        impl From<$crate::training::CommandOf<$system>> for $command {
            fn from(command: $crate::training::CommandOf<$system>) -> Self {
                Self::Run(command)
            }
        }

        impl From<$crate::training::EventOf<$system>> for $event {
            fn from(event: $crate::training::EventOf<$system>) -> Self {
                Self::Run(event)
            }
        }

        impl From<$event> for Option<$crate::training::EventOf<$system>> {
            fn from(event: $event) -> Self {
                match event {
                    $event::Run(event) => Some(event),
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use wrap_run;

/// Views of a system's model and run.
#[derive(Debug)]
pub struct RunViews<C> {
    /// The open model.
    pub model: Latest<ModelView<C>>,
    /// The run in training.
    pub training: Latest<TrainingView>,
    /// Metrics.
    pub curves: Latest<MetricsTable>,
    /// Progress of long work, such as an evaluation.
    pub work: Latest<WorkView>,
}

impl<C> Default for RunViews<C> {
    fn default() -> Self {
        Self {
            model: Latest::default(),
            training: Latest::default(),
            curves: Latest::default(),
            work: Latest::default(),
        }
    }
}

impl<C> RunViews<C> {
    /// Pace of the run in training; `None` without one.
    pub fn pace(&self) -> Option<Pace> {
        self.training.get()?.pace
    }

    /// Steps taken by the run shown last.
    pub fn steps(&self) -> Option<u64> {
        self.training.get()?.last.as_ref().map(Metrics::step)
    }
}

/// The open model.
#[derive(Clone, Debug)]
pub struct ModelView<C> {
    /// Source.
    pub origin: String,
    /// Configuration.
    pub config: C,
    /// Number of parameters.
    pub params: usize,
    /// Training steps.
    pub steps: u64,
    /// Note about the run in training, for people.
    pub note: Option<String>,
    /// Name of the device.
    pub device: String,
    /// Reason for the choice of the device.
    pub device_reason: String,
}

/// Progress of long work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkView {
    /// Description of the work.
    pub what: String,
    /// Share done, 0 to 1.
    pub done: f64,
}
