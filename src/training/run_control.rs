//! A run's lane on the engine's thread: a job takes its steps slice by slice beside everything else
//! it does, and shows what comes of them.

use std::{
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Pace, Run, Trainer, TrainingView};
use crate::engine::latest::Latest;

/// Between two views of a run: the window shows no more, the terminal needs no more.
const VIEW_EVERY: Duration = Duration::from_millis(100);
/// Share of the time that pictures of the model may take while it trains.
const VIEWS_SHARE: f64 = 0.2;

/// A run under way, or none.
pub struct RunController<T: Trainer> {
    /// Whether somebody looks on; else the curves are shown at the end only.
    pub is_watched: bool,
    run: Option<Run<T>>,
    training: Arc<Latest<TrainingView<T::Metrics>>>,
    curves: Arc<Latest<Vec<T::Metrics>>>,
    viewed: Instant,
    views_from: Instant,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct Step {
    /// The checkpoint that was written with it.
    pub saved: Option<PathBuf>,
    /// Whether the limit is reached: the run is to be ended.
    pub is_last: bool,
}

impl<T: Trainer> RunController<T> {
    /// A lane without a run, which will show runs in these slots.
    pub fn new(
        training: Arc<Latest<TrainingView<T::Metrics>>>,
        curves: Arc<Latest<Vec<T::Metrics>>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            is_watched: false,
            run: None,
            training,
            curves,
            viewed: now,
            views_from: now,
        }
    }

    /// Begins the run that `make` makes.
    ///
    /// # Errors
    /// If there is one already, or it can't be made.
    pub fn begin(&mut self, make: impl FnOnce() -> Result<Run<T>>) -> Result<()> {
        if self.run.is_some() {
            bail!("a run is in training already: stop it first");
        }
        self.run = Some(make()?);
        self.show(false);
        Ok(())
    }

    /// What is trained.
    pub fn trainer(&self) -> Option<&T> {
        self.run.as_ref().map(|run| &run.trainer)
    }

    /// The same, to change what may be changed between two steps.
    pub fn trainer_mut(&mut self) -> Option<&mut T> {
        self.run.as_mut().map(|run| &mut run.trainer)
    }

    /// Whether there is a run and it isn't paused.
    pub fn is_running(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| run.pace != Pace::Paused)
    }

    /// Changes the run's pace, if there is one.
    pub fn set_pace(&mut self, pace: Pace) {
        if let Some(run) = &mut self.run {
            run.set_pace(pace);
            self.show(false);
        }
    }

    /// A step, if a run is going on.
    ///
    /// # Errors
    /// If it fails; the run is over then, and its last whole checkpoint stays what it is.
    pub fn step(&mut self) -> Result<Option<Step>> {
        let Some(run) = self.run.as_mut().filter(|run| run.pace != Pace::Paused) else {
            return Ok(None);
        };
        let stepped = if run.is_done() { Ok(None) } else { run.step() };
        let (is_last, is_paused) = (run.is_done(), run.pace == Pace::Paused);
        if stepped.is_err() {
            self.show(true);
            self.run = None;
        } else if !is_last && (is_paused || self.viewed.elapsed() >= VIEW_EVERY) {
            self.show(false);
        }
        let saved = stepped.context("the run was ended")?;
        Ok(Some(Step { saved, is_last }))
    }

    /// Ends the run, if there is one, with its last checkpoint.
    pub fn end(&mut self) -> Option<(Run<T>, Result<PathBuf>)> {
        let mut run = self.run.take()?;
        let saved = run.save();
        self.training.put(run.view(true));
        self.curves.put(std::mem::take(&mut run.curve));
        Some((run, saved))
    }

    /// Whether training leaves time for pictures of the model.
    pub fn are_views_due(&self) -> bool {
        Instant::now() >= self.views_from
    }

    /// Pictures are out of date: the next ones don't wait.
    pub fn request_views(&mut self) {
        self.views_from = Instant::now();
    }

    /// Pictures took from `begun` to now; while a run trains, the next ones wait until it has had
    /// its share.
    pub fn views_drawn(&mut self, begun: Instant) {
        if self.is_running() {
            let wait = begun.elapsed().mul_f64((1.0 - VIEWS_SHARE) / VIEWS_SHARE);
            self.views_from = Instant::now() + wait;
        }
    }

    fn show(&mut self, has_ended: bool) {
        let Some(run) = &self.run else { return };
        self.viewed = Instant::now();
        self.training.put(run.view(has_ended));
        if self.is_watched {
            self.curves.put(run.curve.clone());
        }
    }
}

impl<T: Trainer> Drop for RunController<T> {
    /// A run that is under way when the program ends keeps what it has learnt.
    fn drop(&mut self) {
        if let Some(run) = &mut self.run
            && let Err(error) = run.save()
        {
            // Where nobody can read it (the terminal may be gone), it is lost.
            drop(writeln!(std::io::stderr(), "glyphspace: {error:#}"));
        }
    }
}
