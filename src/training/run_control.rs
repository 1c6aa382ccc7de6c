//! Control of a run from a job on the engine's thread: pace, step by step beside everything else the job does, and views.

use std::{
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Pace, Run, RunViews, System, Trainer};

/// Interval between two views of a run.
const VIEW_EVERY: Duration = Duration::from_millis(100);
/// Share of the time that views of the model may take while it trains.
const VIEWS_SHARE: f64 = 0.2;

/// The run under way, or none.
pub struct RunController<S: System> {
    /// True while somebody looks on; else the curves are shown at the end only.
    pub is_watched: bool,
    run: Option<Run<S>>,
    views: Arc<RunViews<S::Config>>,
    viewed: Instant,
    views_from: Instant,
    has_warned: bool,
}

/// Outcome of a step.
#[derive(Clone, Debug)]
pub struct StepOutcome {
    /// Checkpoint written after it.
    pub saved: Option<PathBuf>,
    /// True if the limit is reached: the run is to be ended.
    pub is_last: bool,
    /// Warning, given once, that steps can't be captured, with the reason.
    pub warning: Option<String>,
}

impl<S: System> RunController<S> {
    /// A controller without a run, which will show runs in these views.
    pub fn new(views: Arc<RunViews<S::Config>>) -> Self {
        let now = Instant::now();
        Self {
            is_watched: false,
            run: None,
            views,
            viewed: now,
            views_from: now,
            has_warned: false,
        }
    }

    /// Begins the run that `make` returns.
    ///
    /// # Errors
    /// If there is one already, or it can't be made.
    pub fn begin(&mut self, make: impl FnOnce() -> Result<Run<S>>) -> Result<()> {
        if self.run.is_some() {
            bail!("a run is in training already: stop it first");
        }
        self.run = Some(make()?);
        self.has_warned = false;
        self.show(false);
        Ok(())
    }

    /// The trainer of the run.
    pub fn trainer(&self) -> Option<&Trainer<S>> {
        self.run.as_ref().map(|run| &run.trainer)
    }

    /// The trainer of the run, for changes between two steps.
    pub fn trainer_mut(&mut self) -> Option<&mut Trainer<S>> {
        self.run.as_mut().map(|run| &mut run.trainer)
    }

    /// True if there is a run that isn't paused.
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

    /// Takes a step, if a run is under way and not paused.
    ///
    /// # Errors
    /// If it fails; the run is over then, and its last whole checkpoint stays what it is.
    pub fn step(&mut self) -> Result<Option<StepOutcome>> {
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
        Ok(Some(StepOutcome {
            saved,
            is_last,
            warning: self.warning(),
        }))
    }

    /// The reason why steps can't be captured, once a run.
    fn warning(&mut self) -> Option<String> {
        let Err(why) = self.run.as_ref()?.trainer.is_captured()? else {
            return None;
        };
        let is_said = std::mem::replace(&mut self.has_warned, true);
        (!is_said).then(|| {
            format!("training steps can't be captured on this device and take several times as long: {why:#}")
        })
    }

    /// Ends the run, if there is one, with its last checkpoint.
    pub fn end(&mut self) -> Option<(Run<S>, Result<PathBuf>)> {
        let mut run = self.run.take()?;
        let saved = run.save();
        self.views.training.put(run.view(true));
        self.views.curves.put(std::mem::take(&mut run.curve));
        Some((run, saved))
    }

    /// True if training leaves time for views of the model.
    pub fn are_views_due(&self) -> bool {
        Instant::now() >= self.views_from
    }

    /// Makes views due: those there are, are out of date.
    pub fn request_views(&mut self) {
        self.views_from = Instant::now();
    }

    /// Delays the next views, which took from `begun` to now, until training has had its share.
    pub fn views_drawn(&mut self, begun: Instant) {
        if self.is_running() {
            let wait = begun.elapsed().mul_f64((1.0 - VIEWS_SHARE) / VIEWS_SHARE);
            self.views_from = Instant::now() + wait;
        }
    }

    fn show(&mut self, has_ended: bool) {
        let Some(run) = &self.run else { return };
        self.viewed = Instant::now();
        self.views.training.put(run.view(has_ended));
        if self.is_watched {
            self.views.curves.put(run.curve.clone());
        }
    }
}

impl<S: System> Drop for RunController<S> {
    /// Saves a run that is under way when the program ends.
    fn drop(&mut self) {
        if let Some(run) = &mut self.run
            && let Err(error) = run.save()
        {
            // Where nobody can read it (the terminal may be gone), it is lost.
            drop(writeln!(std::io::stderr(), "glyphspace: {error:#}"));
        }
    }
}
