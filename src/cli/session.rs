//! Engine of one command: commands go in, the event that ends the command comes out.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};

use super::{errors::Interrupted, output::note, progress::ProgressLine};
use crate::{
    config::executor::ExecutorConfig,
    data::language::Language,
    device::Choice,
    engine::{Engine, Job, Notice},
    executor::{
        job::{ExecutorCommand, ExecutorEvent, ExecutorJob, SearchOrder, SolveRequest},
        views::{ExecutorViews, SearchView},
    },
    files::remove_unfinished,
    glyphs::{self, job::GlyphsJob},
    signals,
    training::{Limit, Start, TrainingView, checkpoint::Source},
};

/// Longest wait for an event before the caller looks at the views.
const TICK: Duration = Duration::from_millis(100);

/// After Ctrl-C, how long a command that has nothing to put away may take to end by itself.
const GRACE: Duration = Duration::from_millis(750);
/// A second Ctrl-C sooner than this is the first one heard twice: a terminal sends it to a program and to the script
/// that passes it on.
const AGAIN: Duration = Duration::from_millis(500);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Engine of a command, with its views.
pub struct CliSession<J: Job, B> {
    engine: Engine<J>,
    /// Views the engine publishes.
    pub views: Arc<B>,
}

/// A session of the Latent Executor.
pub type ExecutorSession = CliSession<ExecutorJob, ExecutorViews>;

impl ExecutorSession {
    /// Starts an engine with a model, and prints its device.
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

    /// Language of the open model.
    pub fn language(&self) -> Language {
        let model = self.views.model.get();
        model.map_or(Language::default(), |model| model.config.language)
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
        let mut bar = ProgressLine::new("training");
        let steps = self.request(
            command,
            trained,
            stop_on_interrupt(
                || ExecutorCommand::Stop,
                |session: &Self| {
                    if let Some(view) = session.views.training.get() {
                        let last = view.last.as_ref().map(|last| {
                            format!(
                                "loss {:.3}, result {:.3}",
                                last.loss(),
                                last.get("result_nll").unwrap_or_default()
                            )
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
        let mut bar = ProgressLine::new(&format!("searching {}", request.task));
        let budget = request.budget as f64;
        let solved = |event| match event {
            ExecutorEvent::Solved(view) => Some(view),
            _ => None,
        };
        let view = self.request(
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
    /// Starts an engine with a model, and prints its device.
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
    /// Starts the engine, waits for its `device` with the reason for it, and prints both.
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

    /// Sends a command and waits for the event that `gather` accepts; `watch` is called while it waits.
    ///
    /// # Errors
    /// If the command or `watch` fails.
    pub fn request<T>(
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

    /// Sends a command without waiting for its events.
    ///
    /// # Errors
    /// If too many are waiting.
    pub fn send(&self, command: J::Command) -> Result<()> {
        Ok(self.engine.send(command)?)
    }

    /// Sends a probe, which is answered in the views.
    pub fn probe(&self, question: J::Probe) {
        self.engine.probe(question);
    }

    /// Ends the engine.
    pub fn finish(self) {
        self.engine.finish();
    }

    /// The next event, or none after a moment.
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

/// Prints a warning, if there is one.
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

/// Handles Ctrl-C from now on: the first one ends work in order.
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

/// Ends the program at once.
fn leave(code: i32) -> ! {
    remove_unfinished();
    std::process::exit(code)
}

/// Check for Ctrl-C, for commands that leave nothing behind.
///
/// # Errors
/// After Ctrl-C.
pub fn refuse_if_interrupted() -> Result<()> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        true => Err(Interrupted.into()),
        false => Ok(()),
    }
}

/// [`refuse_if_interrupted`] for layouts.
pub fn until_interrupted() -> ControlFlow<()> {
    match refuse_if_interrupted() {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Callback for [`CliSession::request`] that watches a run; Ctrl-C ends the run after its checkpoint.
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

/// Line about a run; `last` has the figures of the last step.
pub fn describe(view: &TrainingView, last: Option<String>) -> String {
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
