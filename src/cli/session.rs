//! An engine for one command: orders go in, the fact that ends the command comes out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};

use super::{output::note, progress::Progress};
use crate::{
    config::executor::ExecutorConfig,
    device::Choice,
    engine::{Engine, Notice},
    executor::{
        board::{Board, SearchView},
        job::{Command, Event, ExecutorJob, Question, SolveRequest},
        trainer::Metrics,
    },
    training::{Limit, Start, TrainingView, checkpoint::Source},
};

/// Between two looks at the board.
const TICK: Duration = Duration::from_millis(100);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The engine of a command.
pub struct Session {
    engine: Engine<ExecutorJob>,
    /// What the engine shows.
    pub board: Arc<Board>,
}

impl Session {
    /// Starts an engine with a model, and says what it runs on.
    ///
    /// # Errors
    /// If the device or the model can't be had.
    pub fn open(choice: Choice, source: Source) -> Result<Self> {
        let board = Arc::new(Board::default());
        let for_engine = board.clone();
        let engine = Engine::spawn(
            "engine",
            || (),
            move || ExecutorJob::new(choice, &source, for_engine),
        )?;
        let session = Self { engine, board };
        while session.board.model.get().is_none() {
            session.next()?;
        }
        if let Some(model) = session.board.model.get() {
            note(format_args!(
                "glyphspace: running on {}: {}",
                model.device, model.device_reason
            ));
        }
        Ok(session)
    }

    /// Gives an order and waits for the fact that `pick` takes; meanwhile `watch` may look round.
    ///
    /// # Errors
    /// If the order fails.
    pub fn ask<T>(
        &self,
        command: Command,
        mut pick: impl FnMut(Event) -> Option<T>,
        mut watch: impl FnMut(&Self) -> Result<()>,
    ) -> Result<T> {
        self.engine.send(command)?;
        loop {
            if let Some(picked) = self.next()?.and_then(&mut pick) {
                return Ok(picked);
            }
            watch(self)?;
        }
    }

    /// Trains with a bar; Ctrl-C ends the run after its checkpoint, a second one at once.
    ///
    /// # Errors
    /// If the run fails.
    pub fn train(
        &self,
        start: Start<ExecutorConfig>,
        out: &std::path::Path,
        limit: Limit,
    ) -> Result<u64> {
        let mut bar = Progress::new("training");
        let command = Command::Train {
            start,
            out: out.to_owned(),
            limit,
        };
        let mut is_stopping = false;
        let trained = |event| {
            if let Event::Trained(steps) = event {
                Some(steps)
            } else {
                None
            }
        };
        let steps = self.ask(command, trained, |session| {
            if let Some(view) = session.board.training.get() {
                bar.update(view.done, &describe(&view));
            }
            if INTERRUPTED.load(Ordering::Relaxed) && !is_stopping {
                is_stopping = true;
                session.engine.send(Command::Stop)?;
            }
            Ok(())
        })?;
        bar.finish(&format!("{steps} steps in {}", out.display()));
        Ok(steps)
    }

    /// Searches the program of a sum.
    ///
    /// # Errors
    /// If the device fails.
    pub fn solve(&self, request: SolveRequest) -> Result<Arc<SearchView>> {
        let mut bar = Progress::new(&format!("searching {}", request.sum));
        let budget = request.budget as f64;
        let solved = |event| {
            if let Event::Solved(view) = event {
                Some(view)
            } else {
                None
            }
        };
        let view = self.ask(Command::Solve(request), solved, |session| {
            if let Some(view) = session.board.search.get() {
                bar.update(
                    view.path.len() as f64 / budget,
                    &format!("{} evaluations", view.path.len()),
                );
            }
            refuse_if_interrupted()
        })?;
        bar.finish(&format!("{} evaluations", view.path.len()));
        Ok(view)
    }

    /// Gives an order without waiting for what comes of it.
    ///
    /// # Errors
    /// If the engine has too many.
    pub fn send(&self, command: Command) -> Result<()> {
        Ok(self.engine.send(command)?)
    }

    /// Asks; the answer comes on the board.
    pub fn probe(&self, question: Question) {
        self.engine.probe(question);
    }

    /// Ends the engine.
    pub fn finish(self) {
        self.engine.finish();
    }

    fn next(&self) -> Result<Option<Event>> {
        match self.engine.wait(TICK) {
            None => Ok(None),
            Some(Notice::Event(event)) => Ok(Some(event)),
            Some(Notice::Failed(why)) => Err(anyhow!(why)),
            Some(Notice::Ended(why)) => bail!(why.unwrap_or_else(|| "the engine has ended".into())),
        }
    }
}

/// Lets Ctrl-C end work in order from now on.
///
/// # Errors
/// If the system refuses.
pub fn listen_for_interrupts() -> Result<()> {
    let heard = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        note(format_args!(
            "glyphspace: stopping (Ctrl-C again to stop at once)"
        ));
    };
    ctrlc::set_handler(heard).context("can't listen for Ctrl-C")
}

/// Ends commands that leave nothing behind.
///
/// # Errors
/// After Ctrl-C.
pub fn refuse_if_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted")
    } else {
        Ok(())
    }
}

fn describe(view: &TrainingView<Metrics>) -> String {
    let Some(last) = &view.last else {
        return "preparing".into();
    };
    let eta = view
        .eta_secs
        .map_or_else(String::new, |secs| format!(", {secs:.0} s left"));
    format!(
        "step {}, {:.1} steps/s{eta}, loss {:.3}, result {:.3}",
        last.step, view.steps_per_sec, last.loss, last.result_nll
    )
}
