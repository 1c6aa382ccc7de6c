//! Opening and training a model in a system's job on the engine's thread, the same for every system.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};
use burn::tensor::Device;

use super::{
    Limit, MetricsTable, Run, RunController, Start, StepOutcome, System, Trainer, TrainingView,
    WarmUp,
};
use crate::{device::Chosen, engine::latest::Latest, nn::device_constants::ConstantsLease};

/// A system's model on a device, at rest or in training.
pub struct Worker<S: System> {
    /// The device.
    pub chosen: Chosen,
    /// The run in training, if there is one.
    pub run: RunController<S>,
    snapshot: Arc<S::Snapshot>,
    /// True after a round with a training step: views have the next one, so that a question waits for one of them at
    /// most.
    has_stepped: bool,
    warm_up: WarmUp<S>,
    /// Dropped after the run, whose captured steps read the constants.
    _constants: ConstantsLease,
}

/// A run that has ended.
#[derive(Debug)]
pub struct EndedRun {
    /// Its folder.
    pub folder: PathBuf,
    /// Steps it has taken in all.
    pub steps: u64,
    /// The last checkpoint.
    pub saved: Result<PathBuf>,
}

impl<S: System> Worker<S> {
    /// A worker with the model that `load` makes on the device; its runs are shown in `training` and `curves`.
    ///
    /// # Errors
    /// If the model can't be loaded.
    pub fn new(
        chosen: Chosen,
        load: impl FnOnce(&Device) -> Result<S::Snapshot>,
        training: Arc<Latest<TrainingView>>,
        curves: Arc<Latest<MetricsTable>>,
    ) -> Result<Self> {
        let snapshot = Arc::new(load(&chosen.device)?);
        let constants = ConstantsLease::new(&chosen.device);
        Ok(Self {
            chosen,
            run: RunController::new(training, curves),
            snapshot,
            has_stepped: false,
            warm_up: WarmUp::default(),
            _constants: constants,
        })
    }

    /// Has most of training's kernels compiled on a GPU while there is nothing else to do, in steps of the trainer that
    /// `make` makes.
    pub fn compile_ahead(&mut self, make: impl FnOnce(&Device) -> Result<Trainer<S>> + 'static) {
        if self.chosen.is_gpu {
            let device = self.chosen.device.clone();
            self.warm_up = WarmUp::new(move || make(&device));
        }
    }

    /// One step of that; true if there was one.
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

    /// Replaces the model by the one that `load` makes.
    ///
    /// # Errors
    /// If a run is in training, or the model can't be loaded.
    pub fn open(&mut self, load: impl FnOnce(&Device) -> Result<S::Snapshot>) -> Result<()> {
        if self.run.trainer().is_some() {
            bail!("a run is in training: stop it before opening another model");
        }
        self.snapshot = Arc::new(load(&self.chosen.device)?);
        Ok(())
    }

    /// Begins a run on the data that `load` makes, in the folder `out`; its model is the one asked from now on.
    ///
    /// # Errors
    /// If a run is in training, or this one can't begin.
    pub fn train(
        &mut self,
        start: Start<S::Config>,
        load: impl FnOnce() -> Result<S::Data>,
        out: &Path,
        limit: Limit,
    ) -> Result<()> {
        self.warm_up = WarmUp::default();
        let device = &self.chosen.device;
        self.run
            .begin(|| Run::start(start, load()?, out, limit, device))?;
        if let Some(trainer) = self.run.trainer() {
            self.snapshot = Arc::new(trainer.snapshot());
        }
        Ok(())
    }

    /// A training step in every other round, while a run is going on.
    ///
    /// # Errors
    /// If it fails; the run is over then.
    pub fn step(&mut self) -> Result<Option<StepOutcome>> {
        let outcome = match self.has_stepped {
            true => None,
            false => self.run.step()?,
        };
        self.has_stepped = outcome.is_some();
        Ok(outcome)
    }

    /// Ends the run, if there is one, after its checkpoint.
    pub fn end(&mut self) -> Option<EndedRun> {
        let (run, saved) = self.run.end()?;
        self.snapshot = Arc::new(run.trainer.snapshot());
        Some(EndedRun {
            folder: run.folder().to_owned(),
            steps: run.trainer.progress.step,
            saved,
        })
    }
}
