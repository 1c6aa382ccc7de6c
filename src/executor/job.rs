//! The Latent Executor on the engine's thread: how training, search, maps and questions share the
//! device. Each gets one slice a round, so none starves and a
//! question waits for one slice of each at most.

use std::{path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};

pub use super::command::{BenchmarkOrder, Command, Event, Question, SearchOrder, SolveRequest};
use super::{
    benchmark::BenchmarkTask,
    board::{Answer, Board, ModelView, Triple},
    checkpoint,
    hunt::Hunt,
    inference::Executor,
    map::MapTask,
    report::{Judgement, Report},
    trainer::Trainer,
};
use crate::{
    config::executor::{ExecutorConfig, PRESETS},
    data::sums::Sum,
    device::{self, Choice, Chosen},
    engine::{Job, Work, pair::ViewError},
    latent::{MAP_SIZE, points::Points},
    training::{Lane, Limit, Start, WarmUp, checkpoint::Source},
};

/// Points of a map a slice.
const SLICE: usize = 2048;
/// The same while a run trains: some milliseconds.
const TRAINING_SLICE: usize = 512;
/// Cells a side of the maps drawn while a run trains.
const TRAINING_MAP: usize = 64;

/// The job.
pub struct ExecutorJob {
    chosen: Chosen,
    board: Arc<Board>,
    executor: Arc<Executor>,
    lane: Lane<Trainer>,
    hunt: Option<Hunt>,
    /// People look at what its surrogate believes.
    shows_beliefs: bool,
    judgement: Option<Judgement>,
    benchmark: Option<BenchmarkTask>,
    map: Option<(MapTask, bool)>,
    /// The window looks at the map of this sum.
    watched: Option<Sum>,
    /// In a space of more than two dimensions, on the slice through these programs.
    sliced: Option<Triple>,
    /// The last round was a training step.
    has_stepped: bool,
    warm_up: WarmUp<Trainer>,
}

impl ExecutorJob {
    /// Opens the device and the model.
    ///
    /// # Errors
    /// If either can't be had.
    pub fn new(choice: Choice, source: &Source, board: Arc<Board>) -> Result<Self> {
        Self::on(device::open(choice)?, source, board)
    }

    /// The same on a device that is open.
    ///
    /// # Errors
    /// If the model can't be had.
    pub fn on(chosen: Chosen, source: &Source, board: Arc<Board>) -> Result<Self> {
        let executor = Arc::new(checkpoint::load(source, &chosen.device)?);
        let lane = Lane::new(board.training.clone(), board.curves.clone());
        let job = Self {
            chosen,
            board,
            executor,
            lane,
            hunt: None,
            shows_beliefs: false,
            judgement: None,
            benchmark: None,
            map: None,
            watched: None,
            sliced: None,
            has_stepped: false,
            warm_up: WarmUp::default(),
        };
        job.show_model(source.origin());
        Ok(job)
    }

    /// The same, with most of training's kernels compiled on a GPU while there is nothing else to do.
    pub fn warming_up(mut self) -> Self {
        if self.chosen.is_gpu {
            let device = self.chosen.device.clone();
            self.warm_up =
                WarmUp::new(move || Trainer::new(ExecutorConfig::preset(PRESETS[0])?, &device));
        }
        self
    }

    fn show_model(&self, origin: String) {
        self.board.model.put(ModelView {
            origin,
            config: self.executor.config.clone(),
            params: self.executor.params(),
            steps: self.executor.progress.step,
            device: self.chosen.name.clone(),
            device_reason: self.chosen.reason.clone(),
        });
    }

    /// The model as it is now, in the middle of a run too.
    fn current(&mut self) -> Arc<Executor> {
        if let Some(trainer) = self.lane.trainer()
            && trainer.progress != self.executor.progress
        {
            self.executor = Arc::new(trainer.snapshot());
        }
        self.executor.clone()
    }

    fn train(
        &mut self,
        start: Start<ExecutorConfig>,
        out: PathBuf,
        limit: Limit,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        self.warm_up = WarmUp::default();
        self.lane
            .begin(|| Trainer::run(start, &out, limit, &self.chosen.device))?;
        // A search of the model before would go on in another space, and an answer lies in it.
        self.forget_hunt(events);
        self.board.answer.clear();
        if let Some(trainer) = self.lane.trainer() {
            self.executor = Arc::new(trainer.snapshot());
        }
        self.show_model(out.display().to_string());
        events.push(Event::Started(out));
        self.look_again()
    }

    fn train_step(&mut self, events: &mut Vec<Event>) -> Result<bool> {
        let Some(step) = self.lane.step()? else {
            return Ok(false);
        };
        events.extend(step.saved.map(Event::Saved));
        if step.is_last {
            self.end_run(events)?;
        }
        Ok(true)
    }

    fn end_run(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let Some((run, saved)) = self.lane.end() else {
            return Ok(());
        };
        self.executor = Arc::new(run.trainer.snapshot());
        self.show_model(run.folder().display().to_string());
        events.push(Event::Saved(saved?));
        events.push(Event::Trained(run.trainer.progress.step));
        self.look_again()
    }

    /// Planes and map are out of date. A map that was ordered is finished first; while a run trains,
    /// coarse maps follow one another by themselves.
    fn look_again(&mut self) -> Result<()> {
        self.lane.wants_pictures();
        if self.map.as_ref().is_some_and(|(_, announced)| *announced) {
            return Ok(());
        }
        let executor = self.current();
        self.map = None;
        if !self.lane.is_running() {
            self.begin_map(executor, MAP_SIZE)?;
        }
        Ok(())
    }

    /// Begins the map that is watched, if there is one the model can have.
    fn begin_map(&mut self, executor: Arc<Executor>, size: usize) -> Result<()> {
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
        let executor = self.current();
        let step = executor.progress.step;
        if self
            .board
            .planes
            .get()
            .is_some_and(|planes| planes.step == step && !self.lane.is_running())
        {
            return Ok(());
        }
        self.board.planes.put(executor.planes()?);
        Ok(())
    }

    /// A slice of a map; while a run trains, and only if it is being watched, planes and a coarse
    /// map again and again.
    fn map_slice(&mut self, events: &mut Vec<Event>) -> Result<bool> {
        if !self.lane.are_pictures_due() {
            return Ok(false);
        }
        let begun = Instant::now();
        let slice = if self.lane.is_running() {
            TRAINING_SLICE
        } else {
            SLICE
        };
        if self.lane.is_running() && self.lane.is_watched && self.map.is_none() {
            self.show_planes()?;
            let executor = self.current();
            self.begin_map(executor, TRAINING_MAP)?;
        } else if let Some((task, announced)) = &mut self.map {
            let announced = *announced;
            if let Some((map, is_finest)) = task.advance(slice)? {
                if is_finest {
                    self.map = None;
                }
                self.board.landscape.put(map);
                if let Some(map) = self
                    .board
                    .landscape
                    .get()
                    .filter(|_| is_finest && announced)
                {
                    events.push(Event::Mapped(map));
                }
            }
        } else {
            return Ok(false);
        }
        self.lane.pictures_drawn(begun);
        Ok(true)
    }

    fn hunt_slice(&mut self, events: &mut Vec<Event>) -> Result<bool> {
        let executor = self.current();
        let Some(hunt) = &mut self.hunt else {
            return Ok(false);
        };
        if !hunt.advance(&executor)? {
            return Ok(false);
        }
        if let Some(run) = hunt.run_of_best(&executor)? {
            self.board.run.put(run);
        }
        self.show_hunt();
        if self.hunt.as_ref().is_some_and(|hunt| hunt.view.ended) {
            events.extend(self.board.search.get().map(Event::Solved));
        }
        Ok(true)
    }

    fn show_hunt(&self) {
        let Some(hunt) = &self.hunt else { return };
        self.board.search.put(hunt.view.clone());
        match self.shows_beliefs.then(|| hunt.beliefs()).flatten() {
            Some(beliefs) => self.board.beliefs.put(beliefs),
            None => self.board.beliefs.clear(),
        }
    }

    /// Nothing is left of a search of a model that is no longer asked.
    fn forget_hunt(&mut self, events: &mut Vec<Event>) {
        self.end_hunt(events);
        self.hunt = None;
        self.board.search.clear();
        self.board.run.clear();
        self.board.beliefs.clear();
    }

    fn search(&mut self, order: SearchOrder, events: &mut Vec<Event>) -> Result<()> {
        match order {
            SearchOrder::Begin(request) => {
                let hunt = Hunt::new(&self.current(), request)?;
                self.board.run.clear();
                self.hunt = Some(hunt);
                self.show_hunt();
            }
            SearchOrder::Pace(pace) => {
                if let Some(hunt) = &mut self.hunt {
                    hunt.pace = pace;
                }
            }
            SearchOrder::Undo => {
                if self.hunt.as_mut().is_some_and(Hunt::undo) {
                    self.show_hunt();
                }
            }
            SearchOrder::End => self.end_hunt(events),
            SearchOrder::ShowBeliefs(shows) => {
                self.shows_beliefs = shows;
                self.show_hunt();
            }
        }
        Ok(())
    }

    fn benchmark_slice(&mut self, events: &mut Vec<Event>) -> Result<bool> {
        let Some(task) = &mut self.benchmark else {
            return Ok(false);
        };
        let comparison = task.advance()?;
        self.board.benchmark.put(task.view());
        if let Some(comparison) = comparison {
            self.benchmark = None;
            events.push(Event::Compared(Box::new(comparison)));
        }
        Ok(true)
    }

    fn benchmark(&mut self, order: BenchmarkOrder, events: &mut Vec<Event>) -> Result<()> {
        match order {
            BenchmarkOrder::Begin(plan) => {
                if self.benchmark.is_some() {
                    bail!("methods are being compared already");
                }
                let executor = self.current();
                let model = self.board.model.get().context("no model is open")?;
                self.benchmark = Some(BenchmarkTask::new(executor, plan, &model)?);
            }
            BenchmarkOrder::Stop => {
                if let Some(mut task) = self.benchmark.take() {
                    events.push(Event::Compared(Box::new(task.finish()?)));
                }
            }
        }
        Ok(())
    }

    fn judge_slice(&mut self, events: &mut Vec<Event>) -> Result<bool> {
        let Some(judgement) = &mut self.judgement else {
            return Ok(false);
        };
        if let Some(report) = judgement.advance()? {
            self.judgement = None;
            let device = self.chosen.name.clone();
            events.push(Event::Judged(Box::new(Report { device, ..report })));
        }
        Ok(true)
    }

    /// Ends the search under way, if there is one.
    fn end_hunt(&mut self, events: &mut Vec<Event>) {
        let Some(hunt) = self.hunt.as_mut().filter(|hunt| !hunt.view.ended) else {
            return;
        };
        hunt.view.ended = true;
        self.board.search.put(hunt.view.clone());
        events.extend(self.board.search.get().map(Event::Solved));
    }

    fn answer(&mut self, question: Question) -> Result<Answer> {
        let executor = self.current();
        let Question {
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
        Ok(Answer {
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
    type Command = Command;
    type Probe = Question;
    type Event = Event;

    fn command(&mut self, command: Command, events: &mut Vec<Event>) -> Result<()> {
        match command {
            Command::Open(source) => {
                if self.lane.trainer().is_some() {
                    bail!("a run is in training: stop it before opening another model");
                }
                self.executor = Arc::new(checkpoint::load(&source, &self.chosen.device)?);
                self.forget_hunt(events);
                self.board.answer.clear();
                self.board.planes.clear();
                self.board.landscape.clear();
                self.show_model(source.origin());
                events.push(Event::Opened(source.to_string()));
                self.look_again()?;
            }
            Command::Train { start, out, limit } => self.train(start, out, limit, events)?,
            Command::Pace(pace) => {
                if self.lane.trainer().is_some() {
                    self.lane.set_pace(pace);
                    self.look_again()?;
                }
            }
            Command::Stop => self.end_run(events)?,
            Command::Watch(sum, slice) => {
                self.lane.is_watched = true;
                (self.watched, self.sliced) = (sum, slice);
                self.look_again().context(ViewError("can't draw the map"))?;
            }
            Command::Map { sum, size, slice } => {
                let executor = self.current();
                if self.map.as_ref().is_some_and(|(_, announced)| *announced) {
                    bail!("a map is being computed already");
                }
                self.map = Some((MapTask::new(executor, sum, size, slice)?, true));
            }
            Command::Search(order) => self.search(order, events)?,
            Command::Benchmark(order) => self.benchmark(order, events)?,
            Command::Judge => self.judgement = Some(Judgement::new(self.current())),
            Command::Decode(question) => {
                let answer = self.answer(question)?;
                events.push(Event::Decoded(answer));
            }
        }
        Ok(())
    }

    fn probe(&mut self, question: Question) -> Result<()> {
        let answer = self
            .answer(question)
            .context(ViewError("can't decode the point"))?;
        self.board.answer.put(answer);
        Ok(())
    }

    fn work(&mut self, events: &mut Vec<Event>) -> Result<Work> {
        // A step in one round, views in the next: a question waits for one of them at most.
        let trained = !self.has_stepped && self.train_step(events)?;
        self.has_stepped = trained;
        let hunted = self.hunt_slice(events).inspect_err(|_| self.hunt = None)?;
        let judged = self
            .judge_slice(events)
            .inspect_err(|_| self.judgement = None)?;
        if self.lane.is_watched && !self.lane.is_running() {
            self.show_planes()
                .inspect_err(|_| self.lane.is_watched = false)
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
        let waits = self.hunt.as_ref().and_then(Hunt::due_in);
        Ok(match waits {
            _ if trained || hunted || judged || mapped || compared || self.lane.is_running() => {
                Work::Busy
            }
            Some(pause) => Work::Later(pause),
            None => Work::Idle,
        })
    }

    fn rest(&mut self) -> Result<Work> {
        self.warm_up.step().map(Work::busy_if)
    }
}
