//! Benchmark of search methods on many sums: searches run in lockstep, so that one pass evaluates a point
//! of each.
//!
//! A method runs over all its seeds and sums before the next one starts, so that wall-clock times are
//! separate. One evaluation is one pass of executor and decoder for one sum; points that share a pass count
//! individually.

mod figures;
mod folder;
mod plan;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use rayon::prelude::*;

use figures::ResultRow;
pub use figures::{Comparison, EvaluationCount, Figures, MILESTONES, Settings, wilson};
use folder::{EarlierResults, Folder};
pub use plan::{Plan, Problem, sample, sample_sums};

use super::{
    inference::ExecutorInference,
    programs::{Evaluation, StatePassing},
    search_run::{self, SearchRun},
    views::{BenchmarkView, ExecutorModelView},
};
use crate::{
    data::sums::Task,
    latent::{
        points::Points,
        search::{Candidate, Space, Strategy},
    },
};

/// Number of searches in lockstep: enough to fill a pass, few enough for the engine to stay responsive.
const LANES: usize = 128;
/// Interval of the interim summaries.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(10);
/// Ceiling of the success rate: share of tasks whose results the model decodes on executing their solution,
/// an upper bound for any search that trusts the model. Additions are taken in even steps.
///
/// # Errors
/// If the device fails.
fn ceiling(executor: &ExecutorInference, problems: &[Problem]) -> Result<f64> {
    let codes = problems.iter().flat_map(|problem| &problem.solution);
    let places = executor.code_embeddings(codes.copied())?;
    let points = Points {
        dims: places.dims * problems[0].task.lines(),
        values: places.values,
    };
    let tasks: Vec<&Task> = problems
        .iter()
        .map(|problem| problem.task.as_ref())
        .collect();
    let evaluations = executor.evaluate_each(&points, &tasks, StatePassing::Latent)?;
    let right = evaluations
        .iter()
        .zip(&tasks)
        .filter(|(evaluation, task)| evaluation.claims(task));
    Ok(right.count() as f64 / tasks.len() as f64)
}

/// Search of the plan: indices of strategy, seed and problem.
type BenchmarkCell = (usize, u64, usize);

/// Benchmark in progress, round by round.
pub struct BenchmarkTask {
    executor: Arc<ExecutorInference>,
    plan: Plan,
    settings: Settings,
    spaces: Vec<Space>,
    folder: Option<Folder>,
    rows: Vec<ResultRow>,
    wall_secs: Vec<(Strategy, f64)>,
    ceiling: f64,
    /// Searches left, the next one last.
    jobs: Vec<BenchmarkCell>,
    /// Running searches, all of one strategy.
    lanes: Vec<(BenchmarkCell, SearchRun)>,
    total: usize,
    begun: Instant,
    done_before: usize,
    summarised: Instant,
}

impl BenchmarkTask {
    /// Starts a benchmark, or resumes the one in the plan's folder.
    ///
    /// # Errors
    /// If a strategy needs proposals and the model has no inverse encoder, the folder holds something else
    /// or results of another model or budget, or the device fails.
    pub fn new(
        executor: Arc<ExecutorInference>,
        plan: Plan,
        model: &ExecutorModelView,
    ) -> Result<Self> {
        let base = search_run::survey(&executor)?;
        let tasks: Vec<Arc<Task>> = plan.problems.iter().map(|p| p.task.clone()).collect();
        let spaces = search_run::spaces(&executor, &base, &tasks)?;
        for (strategy, space) in plan.strategies.iter().zip(spaces.iter().cycle()) {
            SearchRun::new(tasks[0].clone(), *strategy, space, plan.budget, 0)?;
        }
        let settings = Settings::new(&plan, model);
        let (folder, EarlierResults { rows, wall_secs }) = match &plan.out {
            Some(path) => {
                let (folder, earlier) = Folder::open(path, &settings)?;
                (Some(folder), earlier)
            }
            None => (None, EarlierResults::default()),
        };
        let ceiling = ceiling(&executor, &plan.problems)?;

        let is_done: HashSet<_> = rows.iter().map(ResultRow::key).collect();
        let mut jobs = Vec::new();
        for (index, strategy) in plan.strategies.iter().enumerate() {
            for seed in 0..plan.seeds {
                for (number, task) in tasks.iter().enumerate() {
                    if !is_done.contains(&(*strategy, seed, task.clone())) {
                        jobs.push((index, seed, number));
                    }
                }
            }
        }
        jobs.reverse();
        let total = plan.strategies.len() * plan.seeds as usize * tasks.len();
        Ok(Self {
            done_before: total - jobs.len(),
            executor,
            plan,
            settings,
            spaces,
            folder,
            rows,
            wall_secs,
            ceiling,
            jobs,
            lanes: Vec::new(),
            total,
            begun: Instant::now(),
            summarised: Instant::now(),
        })
    }

    /// Advances every running search by one evaluation; returns the comparison at the end.
    ///
    /// # Errors
    /// If the device fails or a result can't be written.
    pub fn advance(&mut self) -> Result<Option<Comparison>> {
        let begun = Instant::now();
        self.fill()?;
        let Some(((strategy, ..), _)) = self.lanes.first() else {
            return self.finish().map(Some);
        };
        let strategy = self.plan.strategies[*strategy];
        let lanes = self.lanes.par_iter_mut();
        let queries: Vec<Option<Candidate>> =
            lanes.map(|(_, search_run)| search_run.ask()).collect();
        let evaluations = self.evaluate(&queries)?;
        let told = self.lanes.par_iter_mut().zip(&queries).zip(&evaluations);
        told.for_each(|((lane, candidate), evaluation)| {
            if let (Some(candidate), Some(evaluation)) = (candidate, evaluation) {
                lane.1.tell(candidate, evaluation);
            }
        });
        let mut ended = Vec::new();
        for ((job, search_run), candidate) in
            std::mem::take(&mut self.lanes).into_iter().zip(queries)
        {
            if candidate.is_some() && search_run.solved.is_none() {
                self.lanes.push((job, search_run));
            } else {
                ended.push(ResultRow::new(strategy, job.1, &search_run));
            }
        }
        if let Some(folder) = &mut self.folder {
            folder.append(&ended)?;
        }
        self.rows.extend(ended);
        match self.wall_secs.iter_mut().find(|(of, _)| *of == strategy) {
            Some((_, secs)) => *secs += begun.elapsed().as_secs_f64(),
            None => {
                let secs = begun.elapsed().as_secs_f64();
                self.wall_secs.push((strategy, secs));
            }
        }
        let is_due = self.summarised.elapsed() > SUMMARY_INTERVAL;
        if let Some(folder) = self.folder.as_ref().filter(|_| is_due) {
            folder.write_summary(&self.comparison())?;
            self.summarised = Instant::now();
        }
        Ok(None)
    }

    /// Ends the benchmark and writes the results so far.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn finish(&mut self) -> Result<Comparison> {
        self.rows.sort_by_key(ResultRow::key);
        let comparison = self.comparison();
        if let Some(folder) = &mut self.folder {
            folder.close(&self.rows, &comparison)?;
        }
        Ok(comparison)
    }

    fn comparison(&self) -> Comparison {
        Comparison::new(
            self.settings.clone(),
            &self.rows,
            &self.wall_secs,
            self.ceiling,
            self.jobs.is_empty() && self.lanes.is_empty(),
        )
    }

    /// Progress of the benchmark.
    pub fn view(&self) -> BenchmarkView {
        let at = self.lanes.first().map(|((strategy, ..), _)| *strategy);
        let strategy = self.plan.strategies[at.unwrap_or(self.plan.strategies.len() - 1)];
        let ended = self.rows.iter().filter(|row| row.strategy == strategy);
        let (ended, solved) = ended.fold((0, 0), |(ended, solved), row| {
            (ended + 1, solved + usize::from(row.solved.is_some()))
        });
        let done = self.total - self.jobs.len() - self.lanes.len();
        let here = done - self.done_before;
        let pace = self.begun.elapsed().as_secs_f64() / here as f64;
        BenchmarkView {
            strategy,
            done,
            total: self.total,
            success: f64::from(solved as u32) / f64::from(ended.max(1)),
            eta_secs: (here > 0).then(|| pace * (self.total - done) as f64),
        }
    }

    /// Starts searches of the current strategy in the free lanes.
    fn fill(&mut self) -> Result<()> {
        while self.lanes.len() < LANES
            && let Some(job) = self.jobs.last().copied()
            && self.lanes.first().is_none_or(|((at, ..), _)| *at == job.0)
        {
            self.jobs.pop();
            let (strategy, seed, number) = job;
            let (task, space) = (
                self.plan.problems[number].task.clone(),
                &self.spaces[number],
            );
            let strategy = self.plan.strategies[strategy];
            let search_run = SearchRun::new(task, strategy, space, self.plan.budget, seed)?;
            self.lanes.push((job, search_run));
        }
        Ok(())
    }

    /// Evaluates the points, in one pass each with and without gradient.
    fn evaluate(&self, queries: &[Option<Candidate>]) -> Result<Vec<Option<Evaluation>>> {
        let mut evaluations = vec![None; queries.len()];
        for wants_gradient in [false, true] {
            let (mut lanes, mut tasks) = (Vec::new(), Vec::new());
            let mut points = Points {
                dims: self.spaces[0].total_dims(),
                values: Vec::new(),
            };
            for (lane, candidate) in queries.iter().enumerate() {
                if let Some(candidate) = candidate
                    .as_ref()
                    .filter(|q| q.wants_gradient == wants_gradient)
                {
                    points.values.extend(&candidate.point);
                    tasks.push(self.lanes[lane].1.task.as_ref());
                    lanes.push(lane);
                }
            }
            let executor = &self.executor;
            let found = match wants_gradient {
                _ if lanes.is_empty() => continue,
                true => executor.gradients(&points, &tasks)?,
                false => executor.evaluate_each(&points, &tasks, StatePassing::Latent)?,
            };
            for (lane, evaluation) in lanes.into_iter().zip(found) {
                evaluations[lane] = Some(evaluation);
            }
        }
        Ok(evaluations)
    }
}
