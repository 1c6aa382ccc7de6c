//! Search with a pace and undo, for people who watch it.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    command::SolveRequest,
    inference::ExecutorInference,
    programs::StatePassing,
    search_run::{self, SearchRun},
    views::{EvaluationView, PosteriorView, ProgramRun, SearchView},
};
use crate::{
    data::language::Code,
    latent::{field::Field, points::Points, search::Posterior},
    training::Pace,
};

/// Cells a side of the fields of beliefs.
const BELIEFS: usize = 64;
/// Evaluations that can be undone.
const KEPT: usize = 256;

/// A search at work.
pub struct InteractiveSearch {
    /// View.
    pub view: SearchView,
    /// Pace.
    pub pace: Pace,
    dims: usize,
    search_run: SearchRun,
    /// Copies of the search before each of the last evaluations.
    before: VecDeque<SearchRun>,
    pause: Duration,
    next: Instant,
    between: StatePassing,
    /// The best program whose run was shown.
    shown: Vec<Option<Code>>,
}

impl InteractiveSearch {
    /// Begins a search.
    ///
    /// # Errors
    /// If the device fails, or the strategy needs proposals that the model doesn't make.
    pub fn new(executor: &ExecutorInference, request: SolveRequest) -> Result<Self> {
        let SolveRequest {
            task,
            strategy,
            budget,
            seed,
            pause,
            between,
        } = request;
        task.check(executor.language())?;
        let task = Arc::new(task);
        let base = search_run::survey(executor)?;
        let space = search_run::spaces(executor, &base, std::slice::from_ref(&task))?.remove(0);
        Ok(Self {
            view: SearchView {
                task: task.clone(),
                strategy,
                path: Vec::new(),
                budget,
                spent: 0,
                solved: None,
                ended: false,
            },
            pace: Pace::Running,
            dims: executor.config.dims,
            search_run: SearchRun::new(task, strategy, &space, budget, seed)?,
            before: VecDeque::new(),
            pause,
            next: Instant::now(),
            between,
            shown: Vec::new(),
        })
    }

    /// Time until the next evaluation is due; none if none will come by itself.
    pub fn due_in(&self) -> Option<Duration> {
        (!self.view.ended && self.pace == Pace::Running)
            .then(|| self.next.saturating_duration_since(Instant::now()))
    }

    /// Makes one evaluation if it is due; true if it was.
    ///
    /// # Errors
    /// If the device fails.
    pub fn advance(&mut self, executor: &ExecutorInference) -> Result<bool> {
        if self.pace == Pace::Paused || self.view.ended || Instant::now() < self.next {
            return Ok(false);
        }
        self.next = Instant::now() + self.pause;
        if self.pace == Pace::OneStep {
            self.pace = Pace::Paused;
        }
        let before = self.search_run.fork();
        let Some(candidate) = self.search_run.ask() else {
            self.view.ended = true;
            return Ok(true);
        };
        let (point, tasks) = (Points::one(&candidate.point), [self.view.task.as_ref()]);
        let found = if candidate.wants_gradient {
            executor.gradients(&point, &tasks)?
        } else {
            executor.evaluate_each(&point, &tasks, self.between)?
        };
        for evaluation in found {
            self.search_run.tell(&candidate, &evaluation);
            self.view.path.push(EvaluationView {
                point: candidate.point.clone(),
                loss: evaluation.loss,
                code: evaluation.program[0],
                program: evaluation.program,
                cost: candidate.cost(),
            });
        }
        self.before.push_back(before);
        if self.before.len() > KEPT {
            self.before.pop_front();
        }
        self.look();
        Ok(true)
    }

    /// Execution of the best program so far on every state, if it is a new one and has several lines.
    ///
    /// # Errors
    /// If the device fails.
    pub fn run_of_best(&mut self, executor: &ExecutorInference) -> Result<Option<ProgramRun>> {
        let best = self.view.solved.map(|index| &self.view.path[index]);
        let Some(best) = best.or(self.view.best()) else {
            return Ok(None);
        };
        let program: Option<Vec<Code>> = best.program.iter().copied().collect();
        let Some(program) = program.filter(|p| p.len() > 1 && best.program != self.shown) else {
            return Ok(None);
        };
        let starts = executor.language().shown_states();
        let trace = |between| executor.trace(&best.point, &starts, between);
        let run = ProgramRun {
            program,
            latent: trace(StatePassing::Latent)?,
            requantised: trace(StatePassing::Requantized)?,
        };
        self.shown.clone_from(&best.program);
        Ok(Some(run))
    }

    /// Takes the last evaluation back and holds; true if there was one.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.before.pop_back() else {
            return false;
        };
        self.search_run = before;
        self.view.path.pop();
        self.pace = Pace::Paused;
        self.look();
        true
    }

    /// Surrogate's posterior over the plane; None where it has no surrogate or another number of dimensions than two.
    pub fn posterior(&self) -> Option<PosteriorView> {
        let is_plane = self.dims == 2 && self.view.task.lines() == 1;
        let grid = is_plane.then(|| Points::grid(BELIEFS))?;
        let posterior = self.search_run.posterior(&grid)?;
        let field = |value: fn(&Posterior) -> f64| {
            Arc::new(Field {
                values: posterior
                    .iter()
                    .map(|belief| value(belief) as f32)
                    .collect(),
                ..Field::pending(BELIEFS)
            })
        };
        Some(PosteriorView {
            task: self.view.task.clone(),
            evaluations: self.view.path.len(),
            mean: field(|belief| belief.mean),
            uncertainty: field(|belief| belief.deviation),
            acquisition: field(|belief| belief.acquisition),
        })
    }

    fn look(&mut self) {
        let solved = self.search_run.solved.is_some();
        self.view.spent = self.search_run.spent;
        self.view.solved = solved.then(|| self.view.path.len() - 1);
        self.view.ended = solved || self.search_run.spent >= self.view.budget;
    }
}
