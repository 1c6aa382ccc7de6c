//! A system's model on a device, at rest or in training: opened, trained and evaluated by commands, for any system.

use std::sync::Arc;

use anyhow::{Result, bail};

use super::{
    CommandOf, Evaluator, EventOf, Limit, ModelView, Run, RunCommand, RunController, RunEvent,
    RunViews, ServedSystem, Start, Trainer, WarmUp, checkpoint::Source, config::Config,
};
use crate::{device::Chosen, nn::device_constants::ConstantsLease};

/// Model and run of a system.
pub struct Worker<S: ServedSystem> {
    /// The device.
    pub chosen: Chosen,
    /// The run in training, if there is one.
    pub run: RunController<S>,
    views: Arc<RunViews<S::Config>>,
    snapshot: Arc<S::Snapshot>,
    evaluator: Option<S::Evaluator>,
    /// True after a round with a training step: views have the next one, so that a question waits for one of them at
    /// most.
    has_stepped: bool,
    warm_up: WarmUp<S>,
    /// Dropped after the run, whose captured steps read the constants.
    _constants: ConstantsLease,
}

/// Change of the model or the run by a command or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One step more.
    Step,
    /// Another pace.
    Pace,
    /// The run has ended; the model is its last.
    Ended,
    /// Another model is open.
    Opened,
    /// A run of another model has begun.
    Started,
}

impl<S: ServedSystem> Worker<S> {
    /// A worker with the model of `source`.
    ///
    /// # Errors
    /// If the model can't be loaded.
    pub fn new(chosen: Chosen, source: &Source, views: Arc<RunViews<S::Config>>) -> Result<Self> {
        let constants = ConstantsLease::new(&chosen.device);
        let worker = Self {
            run: RunController::new(views.clone()),
            snapshot: Arc::new(S::load(source, &chosen.device)?),
            chosen,
            views,
            evaluator: None,
            has_stepped: false,
            warm_up: WarmUp::default(),
            _constants: constants,
        };
        worker.show_model(source.origin());
        Ok(worker)
    }

    /// Compiles most of training's kernels on a GPU while there is nothing else to do, in steps of a fresh run of
    /// `config` on the data that `load` makes.
    pub fn compile_ahead(
        &mut self,
        config: Result<S::Config>,
        load: impl FnOnce() -> Result<S::Data> + 'static,
    ) {
        if self.chosen.is_gpu {
            let device = self.chosen.device.clone();
            self.warm_up = WarmUp::new(move || Trainer::new(config?, load()?, &device));
        }
    }

    /// Takes one step of [`Self::compile_ahead`]; true if one was left.
    ///
    /// # Errors
    /// If it fails; then none is left.
    pub fn warm_up(&mut self) -> Result<bool> {
        self.warm_up.step()
    }

    /// The model as of the last step.
    pub fn current(&mut self) -> Arc<S::Snapshot> {
        if let Some(trainer) = self.run.trainer()
            && trainer.progress != S::progress_of(&self.snapshot)
        {
            self.snapshot = Arc::new(trainer.snapshot());
        }
        self.snapshot.clone()
    }

    /// The model that was asked last, which a run may have left behind by some steps.
    pub fn snapshot(&self) -> &S::Snapshot {
        &self.snapshot
    }

    /// Follows a command; returns the change it has made at once.
    ///
    /// # Errors
    /// If it can't be followed.
    pub fn command<E: From<EventOf<S>>>(
        &mut self,
        command: CommandOf<S>,
        events: &mut Vec<E>,
    ) -> Result<Option<Change>> {
        Ok(Some(match command {
            RunCommand::Open(source) => {
                if self.run.trainer().is_some() {
                    bail!("a run is in training: stop it before opening another model");
                }
                self.snapshot = Arc::new(S::load(&source, &self.chosen.device)?);
                self.show_model(source.origin());
                events.push(RunEvent::Opened(source.to_string()).into());
                Change::Opened
            }
            RunCommand::Train {
                start,
                data,
                out,
                limit,
            } => {
                self.train(start, &data, &out, limit)?;
                self.show_model(out.display().to_string());
                events.push(RunEvent::Started(out).into());
                Change::Started
            }
            RunCommand::Pace(pace) => {
                if self.run.trainer().is_none() {
                    return Ok(None);
                }
                self.run.set_pace(pace);
                Change::Pace
            }
            RunCommand::LearningRate(rate) => {
                if !(rate.is_finite() && rate > 0.0) {
                    bail!("the learning rate is {rate}: expected a number above 0");
                }
                if let Some(trainer) = self.run.trainer_mut() {
                    trainer.config.set_value("learning_rate", rate.into())?;
                }
                return Ok(None);
            }
            RunCommand::Stop => return self.end(events),
            RunCommand::Evaluate(plan) => {
                self.evaluator = Some(S::evaluator(self.current(), plan)?);
                return Ok(None);
            }
        }))
    }

    fn train(
        &mut self,
        start: Start<S::Config>,
        data: &S::DataSource,
        out: &std::path::Path,
        limit: Limit,
    ) -> Result<()> {
        self.warm_up = WarmUp::default();
        let device = &self.chosen.device;
        self.run
            .begin(|| Run::start(start, S::open_data(data)?, out, limit, device))?;
        if let Some(trainer) = self.run.trainer() {
            self.snapshot = Arc::new(trainer.snapshot());
        }
        Ok(())
    }

    /// A training step in every other round, while a run is going on; returns the change it has made.
    ///
    /// # Errors
    /// If it fails; the run is over then.
    pub fn step<E: From<EventOf<S>>>(&mut self, events: &mut Vec<E>) -> Result<Option<Change>> {
        let step = match self.has_stepped {
            true => None,
            false => self.run.step()?,
        };
        self.has_stepped = step.is_some();
        let Some(step) = step else {
            return Ok(None);
        };
        events.extend(step.warning.map(|text| RunEvent::Warned(text).into()));
        events.extend(step.saved.map(|folder| RunEvent::Saved(folder).into()));
        match step.is_last {
            true => self.end(events),
            false => Ok(Some(Change::Step)),
        }
    }

    /// Ends the run, if there is one, after its checkpoint.
    fn end<E: From<EventOf<S>>>(&mut self, events: &mut Vec<E>) -> Result<Option<Change>> {
        let Some((run, saved)) = self.run.end() else {
            return Ok(None);
        };
        self.snapshot = Arc::new(run.trainer.snapshot());
        self.show_model(run.folder().display().to_string());
        events.push(RunEvent::Saved(saved?).into());
        events.push(RunEvent::Trained(run.trainer.progress.step).into());
        Ok(Some(Change::Ended))
    }

    /// A slice of the evaluation; true if there is one.
    ///
    /// # Errors
    /// If it fails; the evaluation is over then.
    pub fn evaluate<E: From<EventOf<S>>>(&mut self, events: &mut Vec<E>) -> Result<bool> {
        let Some(mut evaluator) = self.evaluator.take() else {
            return Ok(false);
        };
        let report = evaluator.advance(&self.chosen.name)?;
        self.views.work.put(evaluator.progress());
        match report {
            Some(report) => events.push(RunEvent::Evaluated(Box::new(report)).into()),
            None => self.evaluator = Some(evaluator),
        }
        Ok(true)
    }

    fn show_model(&self, origin: String) {
        let (config, params) = S::describe(&self.snapshot);
        let trainer = self.run.trainer();
        self.views.model.put(ModelView {
            origin,
            config: config.clone(),
            params,
            steps: S::progress_of(&self.snapshot).step,
            note: trainer.and_then(|trainer| trainer.system.note()),
            device: self.chosen.name.clone(),
            device_reason: self.chosen.reason.clone(),
        });
    }
}
