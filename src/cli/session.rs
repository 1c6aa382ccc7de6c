//! An engine for one command: orders go in, the fact that ends the command comes out.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};

use super::{output::note, progress::Progress};
use crate::{
    config::executor::ExecutorConfig,
    device::Choice,
    engine::{Engine, Job, Notice},
    executor::{
        job::{ExecutorCommand, ExecutorEvent, ExecutorJob, SearchOrder, SolveRequest},
        views::{ExecutorViews, SearchView},
    },
    files::remove_unfinished,
    glyphs::{self, job::GlyphsJob},
    signals,
    training::{Limit, MetricsRow, Start, TrainingView, checkpoint::Source},
};

/// Between two looks at the board.
const TICK: Duration = Duration::from_millis(100);

/// After Ctrl-C, how long a command that has nothing to put away may take to end by itself.
const GRACE: Duration = Duration::from_millis(750);
/// A second Ctrl-C sooner than this is the first one heard twice: a terminal sends it to a program and to the script
/// that passes it on.
const AGAIN: Duration = Duration::from_millis(500);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The engine of a command, with what it shows.
pub struct CliSession<J: Job, B> {
    engine: Engine<J>,
    /// What the engine shows.
    pub views: Arc<B>,
}

/// A session of the Latent Executor.
pub type ExecutorSession = CliSession<ExecutorJob, ExecutorViews>;

impl ExecutorSession {
    /// Starts an engine with a model, and says what it runs on.
    ///
    /// # Errors
    /// If the device or the model can't be had.
    pub fn open(choice: Choice, source: Source) -> Result<Self> {
        let warning = source.warning();
        let make = move |views| ExecutorJob::new(choice, &source, views);
        let session = Self::start(make, |views| {
            let model = views.model.get()?;
            Some((model.device.clone(), model.device_reason.clone()))
        })?;
        warn(warning);
        Ok(session)
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
        let command = ExecutorCommand::Train {
            start,
            out: out.to_owned(),
            limit,
        };
        let trained = |event| match event {
            ExecutorEvent::Trained(steps) => Some(steps),
            _ => None,
        };
        let mut bar = Progress::new("training");
        let steps = self.ask(
            command,
            trained,
            stop_on_interrupt(
                || ExecutorCommand::Stop,
                |session: &Self| {
                    if let Some(view) = session.views.training.get() {
                        let last = view.last.map(|last| {
                            format!("loss {:.3}, result {:.3}", last.loss, last.result_nll)
                        });
                        bar.update(view.done, &describe(&view, last));
                    }
                },
            ),
        )?;
        bar.finish(&format!("{steps} steps in {}", out.display()));
        Ok(steps)
    }

    /// Searches the program of a sum.
    ///
    /// # Errors
    /// If the device fails.
    pub fn solve(&self, request: SolveRequest) -> Result<Arc<SearchView>> {
        let mut bar = Progress::new(&format!("searching {}", request.task));
        let budget = request.budget as f64;
        let solved = |event| {
            if let ExecutorEvent::Solved(view) = event {
                Some(view)
            } else {
                None
            }
        };
        let view = self.ask(
            ExecutorCommand::Search(SearchOrder::Begin(request)),
            solved,
            |session| {
                if let Some(view) = session.views.search.get() {
                    bar.update(
                        view.spent as f64 / budget,
                        &format!("{} evaluations", view.spent),
                    );
                }
                refuse_if_interrupted()
            },
        )?;
        bar.finish(&format!("{} evaluations", view.spent));
        Ok(view)
    }
}

/// A session of Code Glyphs.
pub type GlyphsSession = CliSession<GlyphsJob, glyphs::views::GlyphsViews>;

impl GlyphsSession {
    /// Starts an engine with a model, and says what it runs on.
    ///
    /// # Errors
    /// If the device or the model can't be had.
    pub fn open(choice: Choice, source: Source) -> Result<Self> {
        let warning = source.warning();
        let make = move |views| GlyphsJob::new(choice, &source, views);
        let session = Self::start(make, |views| {
            let model = views.model.get()?;
            Some((model.device.clone(), model.device_reason.clone()))
        })?;
        warn(warning);
        Ok(session)
    }
}

impl<J: Job, B: Default + Send + Sync + 'static> CliSession<J, B> {
    /// Starts the engine, waits for the `device` it shows with its reason, and says it.
    fn start(
        make: impl FnOnce(Arc<B>) -> Result<J> + Send + 'static,
        device: impl Fn(&B) -> Option<(String, String)>,
    ) -> Result<Self> {
        let views = Arc::<B>::default();
        let for_engine = views.clone();
        let engine = Engine::spawn("engine", || (), move || make(for_engine))?;
        let session = Self { engine, views };
        loop {
            if let Some((device, reason)) = device(&session.views) {
                note(format_args!("glyphspace: running on {device}: {reason}"));
                return Ok(session);
            }
            session.next()?;
            refuse_if_interrupted()?;
        }
    }

    /// Gives an order and waits for the fact that `gather` takes; meanwhile `watch` may look round.
    ///
    /// # Errors
    /// If the order fails.
    pub fn ask<T>(
        &self,
        command: J::Command,
        mut gather: impl FnMut(J::Event) -> Option<T>,
        mut watch: impl FnMut(&Self) -> Result<()>,
    ) -> Result<T> {
        self.engine.send(command)?;
        loop {
            if let Some(picked) = self.next()?.and_then(&mut gather) {
                return Ok(picked);
            }
            watch(self)?;
        }
    }

    /// Gives an order without waiting for what comes of it.
    ///
    /// # Errors
    /// If the engine has too many.
    pub fn send(&self, command: J::Command) -> Result<()> {
        Ok(self.engine.send(command)?)
    }

    /// Asks; the answer comes on the board.
    pub fn probe(&self, question: J::Probe) {
        self.engine.probe(question);
    }

    /// Ends the engine.
    pub fn finish(self) {
        self.engine.finish();
    }

    /// The next fact, or none after a moment.
    ///
    /// # Errors
    /// If something failed.
    pub fn next(&self) -> Result<Option<J::Event>> {
        match self.engine.wait(TICK) {
            None => Ok(None),
            Some(Notice::Event(event)) => Ok(Some(event)),
            Some(Notice::Failed(why)) => Err(anyhow!(why)),
            Some(Notice::Ended(why)) => bail!(why.unwrap_or_else(|| "the engine has ended".into())),
        }
    }
}

/// Says what is to be known of the files that are used, if there is something.
pub fn warn(warning: Option<String>) {
    if let Some(warning) = warning {
        note(format_args!("glyphspace: {warning}"));
    }
}

/// Unsaved work of a command at the time of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupt {
    /// A run under way: its checkpoint is written before the program ends.
    Save,
    /// Nothing that isn't in its place already: whatever it is at, the program ends soon.
    Leave,
}

/// Lets Ctrl-C end work in order from now on.
///
/// # Errors
/// If the system refuses.
pub fn listen_for_interrupts(order: OnInterrupt) -> Result<()> {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let heard = move || {
        let first = *FIRST.get_or_init(Instant::now);
        if !INTERRUPTED.load(Ordering::Relaxed) {
            // Said before others act on it: the program may end in the next moment.
            note(format_args!(
                "glyphspace: stopping (Ctrl-C again to stop at once)"
            ));
            INTERRUPTED.store(true, Ordering::Relaxed);
            if order == OnInterrupt::Leave {
                std::thread::spawn(|| {
                    std::thread::sleep(GRACE);
                    note(format_args!("glyphspace: {Interrupted}"));
                    leave(1);
                });
            }
        } else if first.elapsed() >= AGAIN {
            leave(130);
        }
    };
    signals::listen(heard)
}

/// Ends the program wherever it is.
fn leave(code: i32) -> ! {
    remove_unfinished();
    std::process::exit(code)
}

/// The command was broken off by Ctrl-C, or by a signal that asks for the same.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Ends commands that leave nothing behind.
///
/// # Errors
/// After Ctrl-C.
pub fn refuse_if_interrupted() -> Result<()> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        true => Err(Interrupted.into()),
        false => Ok(()),
    }
}

/// Looks on while a run trains; Ctrl-C ends it after its checkpoint.
pub fn stop_on_interrupt<J: Job, B: Default + Send + Sync + 'static>(
    stop: impl Fn() -> J::Command,
    mut watch: impl FnMut(&CliSession<J, B>),
) -> impl FnMut(&CliSession<J, B>) -> Result<()> {
    let mut is_stopping = false;
    move |session| {
        watch(session);
        if INTERRUPTED.load(Ordering::Relaxed) && !is_stopping {
            is_stopping = true;
            session.send(stop())?;
        }
        Ok(())
    }
}

/// A run in a line; `last` says what the last step brought.
pub fn describe<M: MetricsRow>(view: &TrainingView<M>, last: Option<String>) -> String {
    let (Some(row), Some(last)) = (&view.last, last) else {
        return "preparing".into();
    };
    let eta = view
        .eta_secs
        .map_or_else(String::new, |secs| format!(", {secs:.0} s left"));
    format!(
        "step {}, {:.1} steps/s{eta}, {last}",
        row.step(),
        view.steps_per_sec
    )
}
