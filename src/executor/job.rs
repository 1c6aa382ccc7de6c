//! The Latent Executor on the engine's thread: how training, search, maps and questions share the
//! device. Each gets one slice a round, so none starves and a
//! question waits for one slice of each at most.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};

pub use super::command::{
    BenchmarkOrder, ExecutorCommand, ExecutorEvent, PointQuery, SearchOrder, SolveRequest,
};
use super::{
    benchmark::BenchmarkTask,
    config::{ExecutorConfig, PRESETS},
    inference::ExecutorInference,
    interactive_search::InteractiveSearch,
    map::MapTask,
    system::ExecutorSystem,
    views::{ExecutorViews, PointAnswer, Triple},
};
use crate::{
    data::sums::Sum,
    device::Chosen,
    engine::{Job, Work, jobs::ViewError},
    latent::{MAP_SIZE, points::Points},
    training::{Change, RunViews, SystemJob, Worker, checkpoint::Source},
};

/// Points of a map a slice.
const SLICE: usize = 2048;
/// Points of a map a slice while a run trains: some milliseconds.
const TRAINING_SLICE: usize = 512;
/// Cells a side of the maps drawn while a run trains.
const TRAINING_MAP: usize = 64;

/// The job.
pub struct ExecutorJob {
    worker: Worker<ExecutorSystem>,
    views: Arc<ExecutorViews>,
    search: Option<InteractiveSearch>,
    /// True while the surrogate's posterior is shown.
    shows_posterior: bool,
    benchmark: Option<BenchmarkTask>,
    map: Option<(MapTask, bool)>,
    /// Sum whose map the window shows.
    watched: Option<Sum>,
    /// Programs that span the slice of that map, in a space of more than two dimensions.
    sliced: Option<Triple>,
}

impl ExecutorJob {
    /// The job, which compiles most of training's kernels on a GPU while there is nothing else to do.
    pub fn warming_up(mut self) -> Self {
        let config = ExecutorConfig::preset(PRESETS[0]);
        self.worker.compile_ahead(config, || Ok(()));
        self
    }

    /// Follows a change of the model or the run, which has reported the events from `before` on; returns true if there
    /// was one.
    fn follow(
        &mut self,
        change: Result<Option<Change>>,
        before: usize,
        events: &mut Vec<ExecutorEvent>,
    ) -> Result<bool> {
        let change = change?;
        if let Some(Change::Opened | Change::Started) = change {
            // A search of the model before would go on in another space, and an answer lies in it.
            let reported = events.split_off(before);
            self.forget_search(events);
            events.extend(reported);
            self.views.answer.clear();
        }
        if change == Some(Change::Opened) {
            self.views.planes.clear();
            self.views.landscape.clear();
        }
        if change.is_some_and(|change| change != Change::Step) {
            self.look_again()?;
        }
        Ok(change.is_some())
    }

    /// Marks planes and map as outdated. A requested map is finished first; while a run trains, coarse maps follow one
    /// another by themselves.
    fn look_again(&mut self) -> Result<()> {
        self.worker.run.request_views();
        if self.map.as_ref().is_some_and(|(_, announced)| *announced) {
            return Ok(());
        }
        let executor = self.worker.current();
        self.map = None;
        if !self.worker.run.is_running() {
            self.begin_map(executor, MAP_SIZE)?;
        }
        Ok(())
    }

    /// Begins the map that is watched, if there is one the model can have.
    fn begin_map(&mut self, executor: Arc<ExecutorInference>, size: usize) -> Result<()> {
        let slice = self.sliced.filter(|_| executor.config.dims > 2);
        if let Some(sum) = self.watched
            && (executor.config.dims == 2 || slice.is_some())
        {
            // Said once: the same slice would fail again and again.
            let task = MapTask::new(executor, sum, size, slice).inspect_err(|_| self.sliced = None);
            self.map = Some((task?, false));
        }
        Ok(())
    }

    fn show_planes(&mut self) -> Result<()> {
        let executor = self.worker.current();
        let step = executor.progress.step;
        let shown = self.views.planes.get().map(|planes| planes.step);
        if shown == Some(step) && !self.worker.run.is_running() {
            return Ok(());
        }
        self.views.planes.put(executor.planes()?);
        Ok(())
    }

    /// A slice of a map; while a run trains, and only if it is being watched, planes and a coarse
    /// map again and again.
    fn map_slice(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<bool> {
        if !self.worker.run.are_views_due() {
            return Ok(false);
        }
        let begun = Instant::now();
        let slice = if self.worker.run.is_running() {
            TRAINING_SLICE
        } else {
            SLICE
        };
        if self.worker.run.is_running() && self.worker.run.is_watched && self.map.is_none() {
            self.show_planes()?;
            let executor = self.worker.current();
            self.begin_map(executor, TRAINING_MAP)?;
        } else if let Some((task, announced)) = &mut self.map {
            let announced = *announced;
            if let Some((map, is_finest)) = task.advance(slice)? {
                if is_finest {
                    self.map = None;
                }
                self.views.landscape.put(map);
                let map = self.views.landscape.get();
                let map = map.filter(|_| is_finest && announced);
                events.extend(map.map(ExecutorEvent::Mapped));
            }
        } else {
            return Ok(false);
        }
        self.worker.run.views_drawn(begun);
        Ok(true)
    }

    fn search_slice(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<bool> {
        let executor = self.worker.current();
        let Some(search) = &mut self.search else {
            return Ok(false);
        };
        if !search.advance(&executor)? {
            return Ok(false);
        }
        if let Some(run) = search.run_of_best(&executor)? {
            self.views.program_run.put(run);
        }
        self.show_search();
        if self.search.as_ref().is_some_and(|search| search.view.ended) {
            events.extend(self.views.search.get().map(ExecutorEvent::Solved));
        }
        Ok(true)
    }

    fn show_search(&self) {
        let Some(search) = &self.search else { return };
        self.views.search.put(search.view.clone());
        match self.shows_posterior.then(|| search.posterior()).flatten() {
            Some(posterior) => self.views.posterior.put(posterior),
            None => self.views.posterior.clear(),
        }
    }

    /// Ends the search of a model that is no longer open, and clears its views.
    fn forget_search(&mut self, events: &mut Vec<ExecutorEvent>) {
        self.end_search(events);
        self.search = None;
        self.views.search.clear();
        self.views.program_run.clear();
        self.views.posterior.clear();
    }

    fn follow_search(&mut self, order: SearchOrder, events: &mut Vec<ExecutorEvent>) -> Result<()> {
        match order {
            SearchOrder::Begin(request) => {
                let search = InteractiveSearch::new(&self.worker.current(), request)?;
                self.views.program_run.clear();
                self.search = Some(search);
                self.show_search();
            }
            SearchOrder::Pace(pace) => {
                if let Some(search) = &mut self.search {
                    search.pace = pace;
                }
            }
            SearchOrder::Undo => {
                if self.search.as_mut().is_some_and(InteractiveSearch::undo) {
                    self.show_search();
                }
            }
            SearchOrder::End => self.end_search(events),
            SearchOrder::ShowPosterior(shows) => {
                self.shows_posterior = shows;
                self.show_search();
            }
        }
        Ok(())
    }

    fn benchmark_slice(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<bool> {
        let Some(task) = &mut self.benchmark else {
            return Ok(false);
        };
        let comparison = task.advance()?;
        self.views.benchmark.put(task.view());
        if let Some(comparison) = comparison {
            self.benchmark = None;
            events.push(ExecutorEvent::Compared(Box::new(comparison)));
        }
        Ok(true)
    }

    fn benchmark(&mut self, order: BenchmarkOrder, events: &mut Vec<ExecutorEvent>) -> Result<()> {
        match order {
            BenchmarkOrder::Begin(plan) => {
                if self.benchmark.is_some() {
                    bail!("methods are being compared already");
                }
                let executor = self.worker.current();
                let model = self.views.run.model.get().context("no model is open")?;
                self.benchmark = Some(BenchmarkTask::new(executor, plan, &model)?);
            }
            BenchmarkOrder::Stop => {
                if let Some(mut task) = self.benchmark.take() {
                    events.push(ExecutorEvent::Compared(Box::new(task.finish()?)));
                }
            }
        }
        Ok(())
    }

    /// Ends the search under way, if there is one.
    fn end_search(&mut self, events: &mut Vec<ExecutorEvent>) {
        let Some(search) = self.search.as_mut().filter(|search| !search.view.ended) else {
            return;
        };
        search.view.ended = true;
        self.views.search.put(search.view.clone());
        events.extend(self.views.search.get().map(ExecutorEvent::Solved));
    }

    fn answer(&mut self, question: PointQuery) -> Result<PointAnswer> {
        let executor = self.worker.current();
        let PointQuery {
            point,
            state,
            result,
        } = question;
        let dims = executor.config.dims;
        if point.len() != dims {
            bail!(
                "the point has {} values: expected {dims}, the model's dimensions",
                point.len()
            );
        }
        let states = executor.language().states();
        if !states.contains(&state) {
            bail!(
                "the state is {state}: expected {} to {}",
                states.start(),
                states.end()
            );
        }
        let sum = Sum {
            start: state,
            result: result.unwrap_or(state),
        };
        let outcome = executor.evaluate(&Points::one(&point), sum)?;
        let code = outcome.code[0];
        Ok(PointAnswer {
            point,
            state,
            code,
            result: outcome.result[0],
            truth: code.map(|code| code.run(state)),
            loss: result.map(|_| outcome.loss[0]),
            target: result,
            step: executor.progress.step,
        })
    }
}

impl SystemJob for ExecutorJob {
    type System = ExecutorSystem;
    type Views = ExecutorViews;

    fn on(chosen: Chosen, source: &Source, views: Arc<ExecutorViews>) -> Result<Self> {
        Ok(Self {
            worker: Worker::new(chosen, source, views.run.clone())?,
            views,
            search: None,
            shows_posterior: false,
            benchmark: None,
            map: None,
            watched: None,
            sliced: None,
        })
    }

    fn run_views(views: &ExecutorViews) -> &RunViews<ExecutorConfig> {
        &views.run
    }
}

impl Job for ExecutorJob {
    type Command = ExecutorCommand;
    type Probe = PointQuery;
    type Event = ExecutorEvent;

    fn command(&mut self, command: ExecutorCommand, events: &mut Vec<ExecutorEvent>) -> Result<()> {
        match command {
            ExecutorCommand::Run(command) => {
                let before = events.len();
                let change = self.worker.command(command, events);
                self.follow(change, before, events)?;
            }
            ExecutorCommand::Watch(sum, slice) => {
                self.worker.run.is_watched = true;
                (self.watched, self.sliced) = (sum, slice);
                self.look_again().context(ViewError("can't draw the map"))?;
            }
            ExecutorCommand::Map { sum, size, slice } => {
                let executor = self.worker.current();
                if self.map.as_ref().is_some_and(|(_, announced)| *announced) {
                    bail!("a map is being computed already");
                }
                self.map = Some((MapTask::new(executor, sum, size, slice)?, true));
            }
            ExecutorCommand::Search(order) => self.follow_search(order, events)?,
            ExecutorCommand::Benchmark(order) => self.benchmark(order, events)?,
            ExecutorCommand::Decode(question) => {
                let answer = self.answer(question)?;
                events.push(ExecutorEvent::Decoded(answer));
            }
        }
        Ok(())
    }

    fn probe(&mut self, question: PointQuery) -> Result<()> {
        let answer = self
            .answer(question)
            .context(ViewError("can't decode the point"))?;
        self.views.answer.put(answer);
        Ok(())
    }

    fn work(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<Work> {
        let before = events.len();
        let step = self.worker.step(events);
        let trained = self.follow(step, before, events)?;
        let searched = self
            .search_slice(events)
            .inspect_err(|_| self.search = None)?;
        let evaluated = self.worker.evaluate(events)?;
        if self.worker.run.is_watched && !self.worker.run.is_running() {
            self.show_planes()
                .inspect_err(|_| self.worker.run.is_watched = false)
                .context(ViewError("can't draw the map"))?;
        }
        let mapped = !trained
            && self
                .map_slice(events)
                .inspect_err(|_| self.map = None)
                .context(ViewError("can't draw the map"))?;
        let compared = self
            .benchmark_slice(events)
            .inspect_err(|_| self.benchmark = None)?;
        let waits = self.search.as_ref().and_then(InteractiveSearch::due_in);
        Ok(match waits {
            _ if trained
                || searched
                || evaluated
                || mapped
                || compared
                || self.worker.run.is_running() =>
            {
                Work::Busy
            }
            Some(pause) => Work::Later(pause),
            None => Work::Idle,
        })
    }

    fn on_idle(&mut self) -> Result<Work> {
        self.worker.warm_up().map(Work::busy_if)
    }
}
