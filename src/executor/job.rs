//! The Latent Executor on the engine's thread: how training, search, maps and questions share the
//! device. Each gets one slice a round, so none starves and a
//! question waits for one slice of each at most.

use std::{path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

pub use super::command::{
    BenchmarkOrder, ExecutorCommand, ExecutorEvent, PointQuery, SearchOrder, SolveRequest,
};
use super::{
    benchmark::BenchmarkTask,
    checkpoint,
    evaluation::{ExecutorEvaluator, ExecutorReport},
    inference::ExecutorInference,
    interactive_search::InteractiveSearch,
    map::MapTask,
    system::{ExecutorSystem, ExecutorTrainer},
    views::{ExecutorModelView, ExecutorViews, PointAnswer, Triple},
};
use crate::{
    config::executor::{ExecutorConfig, PRESETS},
    data::sums::Sum,
    device::{self, Choice, Chosen},
    engine::{Job, Work, pair::ViewError},
    latent::{MAP_SIZE, points::Points},
    training::{Limit, Start, Worker, checkpoint::Source},
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
    /// People look at what its surrogate believes.
    shows_posterior: bool,
    evaluator: Option<ExecutorEvaluator>,
    benchmark: Option<BenchmarkTask>,
    map: Option<(MapTask, bool)>,
    /// The window looks at the map of this sum.
    watched: Option<Sum>,
    /// In a space of more than two dimensions, on the slice through these programs.
    sliced: Option<Triple>,
}

impl ExecutorJob {
    /// Opens the device and the model.
    ///
    /// # Errors
    /// If either can't be had.
    pub fn new(choice: Choice, source: &Source, views: Arc<ExecutorViews>) -> Result<Self> {
        Self::on(device::open(choice)?, source, views)
    }

    /// A job on a device that is open.
    ///
    /// # Errors
    /// If the model can't be had.
    pub fn on(chosen: Chosen, source: &Source, views: Arc<ExecutorViews>) -> Result<Self> {
        let (training, curves) = (views.training.clone(), views.curves.clone());
        let load = |device: &Device| checkpoint::load(source, device);
        let job = Self {
            worker: Worker::new(chosen, load, training, curves)?,
            views,
            search: None,
            shows_posterior: false,
            evaluator: None,
            benchmark: None,
            map: None,
            watched: None,
            sliced: None,
        };
        job.show_model(source.origin());
        Ok(job)
    }

    /// The same, with most of training's kernels compiled on a GPU while there is nothing else to do.
    pub fn warming_up(mut self) -> Self {
        self.worker.compile_ahead(|device| {
            ExecutorTrainer::new(ExecutorConfig::preset(PRESETS[0])?, (), device)
        });
        self
    }

    fn show_model(&self, origin: String) {
        let (executor, chosen) = (self.worker.snapshot(), &self.worker.chosen);
        self.views.model.put(ExecutorModelView {
            origin,
            config: executor.config.clone(),
            params: executor.params(),
            steps: executor.progress.step,
            device: chosen.name.clone(),
            device_reason: chosen.reason.clone(),
        });
    }

    fn train(
        &mut self,
        start: Start<ExecutorConfig>,
        out: PathBuf,
        limit: Limit,
        events: &mut Vec<ExecutorEvent>,
    ) -> Result<()> {
        self.worker.train(start, || Ok(()), &out, limit)?;
        // A search of the model before would go on in another space, and an answer lies in it.
        self.forget_search(events);
        self.views.answer.clear();
        self.show_model(out.display().to_string());
        events.push(ExecutorEvent::Started(out));
        self.look_again()
    }

    fn train_step(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<bool> {
        let Some(step) = self.worker.step()? else {
            return Ok(false);
        };
        events.extend(step.warning.map(ExecutorEvent::Warned));
        events.extend(step.saved.map(ExecutorEvent::Saved));
        if step.is_last {
            self.end_run(events)?;
        }
        Ok(true)
    }

    fn end_run(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<()> {
        let Some(ended) = self.worker.end() else {
            return Ok(());
        };
        self.show_model(ended.folder.display().to_string());
        events.push(ExecutorEvent::Saved(ended.saved?));
        events.push(ExecutorEvent::Trained(ended.steps));
        self.look_again()
    }

    /// Planes and map are out of date. A map that was ordered is finished first; while a run trains,
    /// coarse maps follow one another by themselves.
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
        if self
            .views
            .planes
            .get()
            .is_some_and(|planes| planes.step == step && !self.worker.run.is_running())
        {
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
                if let Some(map) = self
                    .views
                    .landscape
                    .get()
                    .filter(|_| is_finest && announced)
                {
                    events.push(ExecutorEvent::Mapped(map));
                }
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
            self.views.run.put(run);
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

    /// Nothing is left of a search of a model that is no longer asked.
    fn forget_search(&mut self, events: &mut Vec<ExecutorEvent>) {
        self.end_search(events);
        self.search = None;
        self.views.search.clear();
        self.views.run.clear();
        self.views.posterior.clear();
    }

    fn follow_search(&mut self, order: SearchOrder, events: &mut Vec<ExecutorEvent>) -> Result<()> {
        match order {
            SearchOrder::Begin(request) => {
                let search = InteractiveSearch::new(&self.worker.current(), request)?;
                self.views.run.clear();
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
                let model = self.views.model.get().context("no model is open")?;
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

    fn evaluate_slice(&mut self, events: &mut Vec<ExecutorEvent>) -> Result<bool> {
        let Some(evaluator) = &mut self.evaluator else {
            return Ok(false);
        };
        if let Some(report) = evaluator.advance()? {
            self.evaluator = None;
            let device = self.worker.chosen.name.clone();
            events.push(ExecutorEvent::Evaluated(Box::new(ExecutorReport {
                device,
                ..report
            })));
        }
        Ok(true)
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

impl Job for ExecutorJob {
    type Command = ExecutorCommand;
    type Probe = PointQuery;
    type Event = ExecutorEvent;

    fn command(&mut self, command: ExecutorCommand, events: &mut Vec<ExecutorEvent>) -> Result<()> {
        match command {
            ExecutorCommand::Open(source) => {
                self.worker
                    .open(|device| checkpoint::load(&source, device))?;
                self.forget_search(events);
                self.views.answer.clear();
                self.views.planes.clear();
                self.views.landscape.clear();
                self.show_model(source.origin());
                events.push(ExecutorEvent::Opened(source.to_string()));
                self.look_again()?;
            }
            ExecutorCommand::Train { start, out, limit } => {
                self.train(start, out, limit, events)?
            }
            ExecutorCommand::Pace(pace) => {
                if self.worker.run.trainer().is_some() {
                    self.worker.run.set_pace(pace);
                    self.look_again()?;
                }
            }
            ExecutorCommand::Stop => self.end_run(events)?,
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
            ExecutorCommand::Evaluate => {
                self.evaluator = Some(ExecutorEvaluator::new(self.worker.current()))
            }
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
        let trained = self.train_step(events)?;
        let searched = self
            .search_slice(events)
            .inspect_err(|_| self.search = None)?;
        let evaluated = self
            .evaluate_slice(events)
            .inspect_err(|_| self.evaluator = None)?;
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
