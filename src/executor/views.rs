//! Views of the engine's state for the window and the command line: plain data, no tensors.

use std::sync::Arc;

use serde::Serialize;

pub use super::planes::{Cut, LatentPlanes, Triple};
use super::{
    format::{code_text, number_text},
    programs::Trace,
};
use crate::{
    data::{
        language::Code,
        sums::{Sum, Task},
    },
    engine::latest::Latest,
    executor::config::ExecutorConfig,
    latent::{field::Field, search::Strategy},
    training::{ModelView, RunViews},
};

/// Latest views of the Latent Executor, as the engine publishes them.
#[derive(Debug, Default)]
pub struct ExecutorViews {
    /// Model and run.
    pub run: Arc<RunViews<ExecutorConfig>>,
    /// Embeddings of its numbers.
    pub planes: Latest<LatentPlanes>,
    /// Map of the current sum.
    pub landscape: Latest<Landscape>,
    /// Current search, or the last one.
    pub search: Latest<SearchView>,
    /// Surrogate's posterior over the plane, if it was requested and the search has one.
    pub posterior: Latest<PosteriorView>,
    /// Current benchmark of search methods.
    pub benchmark: Latest<BenchmarkView>,
    /// Execution of the search's best multi-line program, line by line.
    pub program_run: Latest<ProgramRun>,
    /// Answer at the pointer.
    pub answer: Latest<PointAnswer>,
}

/// Open model.
pub type ExecutorModelView = ModelView<ExecutorConfig>;

/// Loss landscape of a sum over the code plane or a slice, with the ground truth.
#[derive(Clone, Debug)]
pub struct Landscape {
    /// The sum.
    pub sum: Sum,
    /// Training step of the model.
    pub step: u64,
    /// Slice of the space; `None` for the whole plane.
    pub cut: Option<Cut>,
    /// Negative log likelihood of the sum's result in nats; missing where no number is decoded.
    pub loss: Arc<Field>,
    /// 1 where the decoded program truly solves the sum, else 0; missing where no number is decoded.
    pub truth: Arc<Field>,
    /// Decoded programs, cell by cell.
    pub code: Vec<Option<Code>>,
    /// Entropies of the decoded programs, in nats.
    pub entropy: Vec<f32>,
    /// Loss with the cells missing where the decoder is off its manifold: the entropy is high, or the
    /// nearest embedding is farther than the spacing of an even lattice.
    pub sure_loss: Arc<Field>,
    /// Embeddings of programs and states.
    pub planes: LatentPlanes,
    /// Computing time in seconds, including the coarser maps.
    pub secs: f64,
    /// Seconds until the first coarse map.
    pub first_secs: f64,
}

/// Entropy in nats below which the decoder is confident. Of ten sums' maps, eight have their lowest cell in
/// the solution's region with this limit, and five without.
const CONFIDENT_ENTROPY: f32 = 0.1;
impl Landscape {
    /// Cell of the lowest loss, with that loss, among those with a confident decoder: in the valleys
    /// between two programs the executor may promise a result that neither gives.
    pub fn lowest(&self) -> Option<(usize, f32)> {
        let cells = self.loss.values.iter().copied().enumerate();
        let sure = cells
            .filter(|(cell, loss)| self.entropy[*cell] < CONFIDENT_ENTROPY && loss.is_finite());
        sure.min_by(|a, b| a.1.total_cmp(&b.1))
            .or(self.loss.lowest())
    }
}

/// Evaluation of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluationView {
    /// Point.
    pub point: Vec<f32>,
    /// Mean negative log likelihood of the results, in nats.
    pub loss: f32,
    /// Decoded program; its first line, if there are several.
    pub code: Option<Code>,
    /// All lines of the decoded program.
    pub program: Vec<Option<Code>>,
    /// Cost in evaluations.
    pub cost: usize,
}

impl EvaluationView {
    /// Text of the answer: the numbers for the task's holes and, if one is subtracted, also the program,
    /// which adds it negated.
    pub fn text(&self, task: &Task) -> String {
        let line = |line: &Option<Code>| line.map_or_else(|| "no number".into(), code_text);
        let lines: Vec<String> = self.program.iter().map(line).collect();
        let program = lines.join(", ");
        match self.answer(task).filter(|_| task.subtracts()) {
            Some(answer) => {
                let numbers: Vec<String> = answer.into_iter().map(number_text).collect();
                format!("{} (program {program})", numbers.join(", "))
            }
            None => program,
        }
    }

    /// Numbers for the task's holes; see [`Task::answer`].
    pub fn answer(&self, task: &Task) -> Option<Vec<i32>> {
        let program: Option<Vec<Code>> = self.program.iter().copied().collect();
        task.answer(&program?)
    }
}

/// Search for the program of a task.
#[derive(Clone, Debug)]
pub struct SearchView {
    /// The task.
    pub task: Arc<Task>,
    /// Search strategy.
    pub strategy: Strategy,
    /// Evaluated points in order.
    pub path: Vec<EvaluationView>,
    /// Budget of evaluations.
    pub budget: usize,
    /// Evaluations spent; a gradient counts as several.
    pub spent: usize,
    /// Index in the path of the evaluation that solves the task, by integer arithmetic.
    pub solved: Option<usize>,
    /// True once the search has ended.
    pub ended: bool,
}

impl SearchView {
    /// Evaluation of the lowest loss.
    pub fn best(&self) -> Option<&EvaluationView> {
        self.path.iter().min_by(|a, b| a.loss.total_cmp(&b.loss))
    }
}

/// Execution of a multi-line program on every state.
#[derive(Clone, Debug)]
pub struct ProgramRun {
    /// Lines of the program.
    pub program: Vec<Code>,
    /// One trace per state, with the latent state passed on unchanged.
    pub latent: Vec<Trace>,
    /// One trace per state, with the state requantised between lines.
    pub requantised: Vec<Trace>,
}

/// Posterior of a search's surrogate over the plane, in standardised log(1 + loss).
#[derive(Clone, Debug)]
pub struct PosteriorView {
    /// Task of the search.
    pub task: Arc<Task>,
    /// Number of observations.
    pub evaluations: usize,
    /// Posterior mean of the loss.
    pub mean: Arc<Field>,
    /// Posterior standard deviation of the loss.
    pub uncertainty: Arc<Field>,
    /// Log expected improvement.
    pub acquisition: Arc<Field>,
}

/// Benchmark of search methods in progress.
#[derive(Clone, Debug, Default)]
pub struct BenchmarkView {
    /// Current strategy.
    pub strategy: Strategy,
    /// Finished searches, those of an earlier call included.
    pub done: usize,
    /// Searches of all strategies.
    pub total: usize,
    /// Success rate of this strategy's finished searches.
    pub success: f64,
    /// Estimated remaining time in seconds.
    pub eta_secs: Option<f64>,
}

/// Model's answer at a point of the code space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointAnswer {
    /// The point.
    pub point: Vec<f32>,
    /// State the program was executed on.
    pub state: i32,
    /// Decoded program; `None` if the decoder yields no number.
    pub code: Option<Code>,
    /// Model's result of the program on the state.
    pub result: Option<i32>,
    /// True result.
    pub truth: Option<i32>,
    /// Negative log likelihood of the sum's result, if a sum is given.
    pub loss: Option<f32>,
    /// Result of the sum, if one is given.
    #[serde(skip)]
    pub target: Option<i32>,
    /// Training step of the model.
    #[serde(skip)]
    pub step: u64,
}
