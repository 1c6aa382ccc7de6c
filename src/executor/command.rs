//! Commands to the Latent Executor, queries, and the events it reports.

use std::{sync::Arc, time::Duration};

use super::{
    benchmark::{Comparison, Plan},
    programs::StatePassing,
    system::ExecutorSystem,
    views::{Landscape, PointAnswer, SearchView, Triple},
};
use crate::{
    data::{
        language::Language,
        sums::{Sum, Task},
    },
    executor::config::ExecutorConfig,
    latent::search::{Method, Strategy},
    training::{CommandOf, EventOf, Pace, wrap_run},
};

/// Commands to the engine.
#[derive(Debug)]
pub enum ExecutorCommand {
    /// Command to the model or the run.
    Run(CommandOf<ExecutorSystem>),
    /// Shows the planes as they change and keeps a map of this sum, or of none. In a space of more
    /// than two dimensions the map is of the slice through these programs; a plane needs none.
    Watch(Option<Sum>, Option<Triple>),
    /// Maps a sum once.
    Map {
        /// The sum.
        sum: Sum,
        /// Cells a side.
        size: usize,
        /// The programs a slice goes through; none for the whole plane.
        slice: Option<Triple>,
    },
    /// Searches the program of a sum.
    Search(SearchOrder),
    /// Compares methods.
    Benchmark(BenchmarkOrder),
    /// Asks what lies at a point, and reports it as a fact.
    Decode(PointQuery),
}

/// Orders to the search.
#[derive(Debug)]
pub enum SearchOrder {
    /// Begins, in place of the one before.
    Begin(SolveRequest),
    /// Changes its pace.
    Pace(Pace),
    /// Takes the last evaluation back and holds.
    Undo,
    /// Ends it.
    End,
    /// Shows what its surrogate believes of the plane after each evaluation, or no longer.
    ShowPosterior(bool),
}

/// Orders to the benchmark of methods.
#[derive(Debug)]
pub enum BenchmarkOrder {
    /// Begins it, or goes on with it where its folder says so.
    Begin(Plan),
    /// Ends it in order; what is done is kept.
    Stop,
}

/// A search to begin.
#[derive(Clone, Debug)]
pub struct SolveRequest {
    /// The task.
    pub task: Task,
    /// Method and start.
    pub strategy: Strategy,
    /// Evaluations it may use.
    pub budget: usize,
    /// Seed of the method.
    pub seed: u64,
    /// Time between two evaluations, so that people can watch.
    pub pause: Duration,
    /// State passed between two lines.
    pub between: StatePassing,
}

impl SolveRequest {
    /// A search that makes no pauses.
    pub fn new(
        task: impl Into<Task>,
        strategy: impl Into<Strategy>,
        budget: usize,
        seed: u64,
    ) -> Self {
        Self {
            task: task.into(),
            strategy: strategy.into(),
            budget,
            seed,
            pause: Duration::ZERO,
            between: StatePassing::Latent,
        }
    }
}

/// The search that a model solves most sums with, in the fewest evaluations.
pub fn default_strategy(config: &ExecutorConfig) -> Strategy {
    match config.language {
        // A Latent Program Network is trained for it.
        _ if config.inner_step_weight > 0.0 => Strategy::cold(Method::Gradient),
        // So few programs that their places can be visited.
        Language::Operators => Strategy::cold(Method::Bo),
        Language::TwoDigits if config.lines == 1 => Strategy::cold(Method::Bo),
        Language::TwoDigits | Language::FourDigits if config.has_inverse() => {
            Strategy::warm(Method::Bo)
        }
        Language::TwoDigits | Language::FourDigits => Strategy::cold(Method::HillClimb),
    }
}

/// True where a model's inverse encoder proposes programs for a task: it knows additions only.
pub fn can_propose(config: &ExecutorConfig, task: Option<&Task>) -> bool {
    config.has_inverse() && task.is_none_or(Task::may_add)
}

/// A point of the code plane, and what to run its program on.
#[derive(Clone, Debug, PartialEq)]
pub struct PointQuery {
    /// The point.
    pub point: Vec<f32>,
    /// The state.
    pub state: i32,
    /// The number to reach, if there is one.
    pub result: Option<i32>,
}

/// Facts the engine reports.
#[derive(Debug)]
pub enum ExecutorEvent {
    /// Event of the model or the run.
    Run(EventOf<ExecutorSystem>),
    /// A map is complete.
    Mapped(Arc<Landscape>),
    /// A search has ended.
    Solved(Arc<SearchView>),
    /// Methods were compared, to the end or until stopped.
    Compared(Box<Comparison>),
    /// A question was answered.
    Decoded(PointAnswer),
}

wrap_run!(ExecutorSystem, ExecutorCommand, ExecutorEvent);
