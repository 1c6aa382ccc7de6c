//! What the window and the command line may see of the engine's work: plain data, no tensors.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    export::{code_text, number_text},
    programs::Trace,
    trainer::ExecutorMetrics,
};
use crate::{
    config::executor::ExecutorConfig,
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    engine::latest::Latest,
    latent::{field::Field, points::Points, projection::Slice, search::Strategy},
    training::TrainingView,
};

/// The newest of everything.
#[derive(Debug, Default)]
pub struct ExecutorViews {
    /// The model that is asked.
    pub model: Latest<ExecutorModelView>,
    /// Where its numbers lie.
    pub planes: Latest<LatentPlanes>,
    /// The map of the sum being looked at.
    pub landscape: Latest<Landscape>,
    /// The run in training.
    pub training: Arc<Latest<TrainingView<ExecutorMetrics>>>,
    /// Its metrics.
    pub curves: Arc<Latest<Vec<ExecutorMetrics>>>,
    /// The search under way, or the last one.
    pub search: Latest<SearchView>,
    /// What that search believes of the plane, where people asked for it and it has a surrogate.
    pub posterior: Latest<PosteriorView>,
    /// The comparison of methods under way.
    pub benchmark: Latest<BenchmarkView>,
    /// What the search's best program of several lines does, line by line.
    pub run: Latest<ProgramRun>,
    /// What lies under the pointer.
    pub answer: Latest<PointAnswer>,
}

/// The model that is asked.
#[derive(Clone, Debug)]
pub struct ExecutorModelView {
    /// Where it comes from.
    pub origin: String,
    /// How it was made.
    pub config: ExecutorConfig,
    /// Trained values.
    pub params: usize,
    /// Steps it was trained for.
    pub steps: u64,
    /// The device it runs on.
    pub device: String,
    /// Why that one.
    pub device_reason: String,
}

/// The places of programs and states.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentPlanes {
    /// Steps of the model they belong to.
    pub step: u64,
    /// What the numbers are.
    pub language: Language,
    /// Of the programs shown of the language.
    pub codes: Points,
    /// Of the states shown of the language.
    pub states: Points,
}

/// The three programs a slice of the space goes through.
pub type Triple = [Code; 3];

/// Where a map of a space of more than two dimensions lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// The programs it goes through.
    pub programs: Triple,
    /// The slice through their places.
    pub slice: Slice,
}

impl LatentPlanes {
    /// The slice through three programs' places.
    ///
    /// # Errors
    /// If one of them isn't a program, or their places span no plane.
    pub fn cut(&self, programs: Triple) -> Result<Cut> {
        let shown = self.language.shown_codes();
        let place = |program: Code| {
            let index = shown.iter().position(|code| *code == program);
            index
                .and_then(|index| self.codes.iter().nth(index))
                .with_context(|| format!("{program} is none of the programs shown"))
        };
        let [a, b, c] = programs;
        Cut::through(programs, [place(a)?, place(b)?, place(c)?])
    }
}

impl Cut {
    /// The slice through the places of three programs.
    ///
    /// # Errors
    /// If they span no plane.
    pub fn through(programs: Triple, places: [&[f32]; 3]) -> Result<Self> {
        let [a, b, c] = programs;
        let slice = Slice::through(places).with_context(|| format!("programs {a}, {b} and {c}"))?;
        Ok(Self { programs, slice })
    }
}

/// A sum's loss over the code plane or a slice of the space, and beside it the truth.
#[derive(Clone, Debug)]
pub struct Landscape {
    /// The sum.
    pub sum: Sum,
    /// Steps of the model it belongs to.
    pub step: u64,
    /// The slice it is of; none where it is of the whole plane.
    pub cut: Option<Cut>,
    /// Negative log likelihood of the sum's result in nats; missing where no number is decoded.
    pub loss: Arc<Field>,
    /// 1 where the decoded program really solves the sum, 0 where it doesn't; missing as above.
    pub truth: Arc<Field>,
    /// The decoded programs, cell by cell.
    pub code: Vec<Option<Code>>,
    /// How unsure the decoder is of them, in nats.
    pub entropy: Vec<f32>,
    /// The loss with the cells missing where the decoder is off its manifold: unsure of the program, or
    /// farther from all of them than the spacing of as many places on an even lattice.
    pub sure_loss: Arc<Field>,
    /// Where the programs and states lie.
    pub planes: LatentPlanes,
    /// Seconds it took to compute, with the coarser ones before it.
    pub secs: f64,
    /// Seconds until there was a first coarse one to see.
    pub first_secs: f64,
}

/// Entropy in nats below which the decoder is sure. Of ten sums' maps, eight have their lowest cell in the
/// solution's region with it, and five without.
const SURE: f32 = 0.1;
impl Landscape {
    /// The cell with the lowest loss, and that loss, among those whose program the decoder is sure of: in
    /// the valleys between two programs the executor may promise what neither gives.
    pub fn lowest(&self) -> Option<(usize, f32)> {
        let cells = self.loss.values.iter().copied().enumerate();
        let sure = cells.filter(|(cell, loss)| self.entropy[*cell] < SURE && loss.is_finite());
        sure.min_by(|a, b| a.1.total_cmp(&b.1))
            .or(self.loss.lowest())
    }
}

/// One evaluation of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluationView {
    /// Where.
    pub point: Vec<f32>,
    /// Negative log likelihood of the results there, their mean, in nats.
    pub loss: f32,
    /// The program decoded there; its first line, where it has several.
    pub code: Option<Code>,
    /// All its lines.
    pub program: Vec<Option<Code>>,
    /// Evaluations it counts as.
    pub cost: usize,
}

impl EvaluationView {
    /// The numbers it puts into a task's holes, as people write them; where one is subtracted, the program too, which
    /// adds it negated.
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

    /// The numbers it puts into a task's holes; see [`Task::answer`].
    pub fn answer(&self, task: &Task) -> Option<Vec<i32>> {
        let program: Option<Vec<Code>> = self.program.iter().copied().collect();
        task.answer(&program?)
    }
}

/// A search for the program of a task.
#[derive(Clone, Debug)]
pub struct SearchView {
    /// The task.
    pub task: Arc<Task>,
    /// How it looks.
    pub strategy: Strategy,
    /// Where it looked.
    pub path: Vec<EvaluationView>,
    /// Evaluations it may use.
    pub budget: usize,
    /// Evaluations it has used: a gradient counts as several.
    pub spent: usize,
    /// Index in the path of the evaluation whose program solves the task, by integer arithmetic.
    pub solved: Option<usize>,
    /// Whether it has ended.
    pub ended: bool,
}

impl SearchView {
    /// The evaluation with the lowest loss.
    pub fn best(&self) -> Option<&EvaluationView> {
        self.path.iter().min_by(|a, b| a.loss.total_cmp(&b.loss))
    }
}

/// What a program of several lines does to every state.
#[derive(Clone, Debug)]
pub struct ProgramRun {
    /// Its lines.
    pub program: Vec<Code>,
    /// One trace a state, each line run on the point the one before left.
    pub latent: Vec<Trace>,
    /// The same with each state decoded and encoded again between two lines.
    pub requantised: Vec<Trace>,
}

/// What a search's surrogate believes of the plane, in standardised log(1 + loss).
#[derive(Clone, Debug)]
pub struct PosteriorView {
    /// What is searched.
    pub task: Arc<Task>,
    /// Evaluations it rests on.
    pub evaluations: usize,
    /// The expected loss.
    pub mean: Arc<Field>,
    /// Its standard deviation.
    pub uncertainty: Arc<Field>,
    /// The logarithm of the expected improvement.
    pub acquisition: Arc<Field>,
}

/// A comparison of methods under way.
#[derive(Clone, Debug, Default)]
pub struct BenchmarkView {
    /// The strategy at work.
    pub strategy: Strategy,
    /// Searches that have ended, those of an earlier call too.
    pub done: usize,
    /// Searches of all strategies.
    pub total: usize,
    /// Share of the ended searches of this strategy that found a program.
    pub success: f64,
    /// Seconds still to go at the pace so far.
    pub eta_secs: Option<f64>,
}

/// What lies at a point of the code plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointAnswer {
    /// The point.
    pub point: Vec<f32>,
    /// The state the program was run on.
    pub state: i32,
    /// The decoded program; `None` where the decoder yields no number.
    pub code: Option<Code>,
    /// What the model says that state + code is.
    pub result: Option<i32>,
    /// What it really is.
    pub truth: Option<i32>,
    /// Negative log likelihood of the sum's result, where a sum is given.
    pub loss: Option<f32>,
    /// The sum's result, where one is given.
    #[serde(skip)]
    pub target: Option<i32>,
    /// Steps of the model that was asked.
    #[serde(skip)]
    pub step: u64,
}
