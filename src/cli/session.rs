//! Engine of one command: commands go in, the event that ends the command comes out.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};

use super::{
    errors::Interrupted,
    output::{note, say},
    progress::ProgressLine,
};
use crate::{
    data::language::Language,
    device::Choice,
    engine::{Engine, Notice},
    executor::{
        job::{ExecutorCommand, ExecutorEvent, ExecutorJob, SearchOrder, SolveRequest},
        views::SearchView,
    },
    files::remove_unfinished,
    glyphs::job::GlyphsJob,
    signals,
    training::{
        EventOf, Limit, Metrics, ReportOf, RunCommand, RunEvent, RunViews, ServedSystem, Start,
        System, SystemJob, TrainingView, checkpoint::Source,
    },
};

/// Longest wait for an event before the caller looks at the views.
const TICK: Duration = Duration::from_millis(100);

/// After Ctrl-C, how long a command that has nothing to put away may take to end by itself.
const GRACE: Duration = Duration::from_millis(750);
/// A second Ctrl-C sooner than this is the first one heard twice: a terminal sends it to a program and to the script
/// that passes it on.
const AGAIN: Duration = Duration::from_millis(500);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// True once the program is being ended while work still goes on, which may fail for that.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Session of one command: an engine, and the views it publishes.
pub struct CliSession<J: SystemJob> {
    engine: Engine<J>,
    /// Views the engine publishes.
    pub views: Arc<J::Views>,
}

/// A session of the Latent Executor.
pub type ExecutorSession = CliSession<ExecutorJob>;
/// A session of Code Glyphs.
pub type GlyphsSession = CliSession<GlyphsJob>;

impl ExecutorSession {
    /// Language of the open model.
    pub fn language(&self) -> Language {
        let model = self.views.run.model.get();
        model.map_or(Language::default(), |model| model.config.language)
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

impl<J: SystemJob> CliSession<J> {
    /// Starts an engine with a model, and prints its device with the reason for it.
    ///
    /// # Errors
    /// If the device or the model can't be had.
    pub fn open(choice: Choice, source: Source) -> Result<Self> {
        let warning = source.warning();
        let views = Arc::<J::Views>::default();
        let for_engine = views.clone();
        let engine = Engine::spawn("engine", || (), move || J::new(choice, &source, for_engine))?;
        let session = Self { engine, views };
        let model = loop {
            if let Some(model) = session.run_views().model.get() {
                break model;
            }
            session.next()?;
            refuse_if_interrupted()?;
        };
        note(format_args!(
            "glyphspace: running on {}: {}",
            model.device, model.device_reason
        ));
        warn(warning);
        Ok(session)
    }

    /// Views of the model and the run.
    pub fn run_views(&self) -> &RunViews<<J::System as System>::Config> {
        J::run_views(&self.views)
    }

    /// Trains with a bar that says `figures` of the last step; Ctrl-C ends the run after its checkpoint, a second one at
    /// once. Returns the steps taken.
    ///
    /// # Errors
    /// If the run fails.
    pub fn train(
        &self,
        start: Start<<J::System as System>::Config>,
        data: <J::System as ServedSystem>::DataSource,
        out: &Path,
        limit: Limit,
        figures: impl Fn(&Metrics) -> String,
    ) -> Result<u64> {
        let command = RunCommand::Train {
            start,
            data,
            out: out.to_owned(),
            limit,
        };
        let trained = |event| match run_event::<J>(event)? {
            RunEvent::Started(_) => {
                let model = self.run_views().model.get()?;
                note(format_args!("glyphspace: {}", model.note.as_ref()?));
                None
            }
            RunEvent::Trained(steps) => Some(steps),
            _ => None,
        };
        let mut bar = ProgressLine::new("training");
        let watch = |session: &Self| {
            if let Some(view) = session.run_views().training.get() {
                bar.update(view.done, &describe(&view, &figures));
            }
        };
        let watch = stop_on_interrupt(|| RunCommand::Stop.into(), watch);
        let steps = self.request(command.into(), trained, watch)?;
        bar.finish(&format!("{steps} steps in {}", out.display()));
        Ok(steps)
    }

    /// Evaluates the model, with a bar.
    ///
    /// # Errors
    /// If the evaluation fails or is interrupted.
    pub fn evaluate(
        &self,
        plan: <J::System as ServedSystem>::EvaluationPlan,
    ) -> Result<ReportOf<J::System>> {
        let evaluated = |event| match run_event::<J>(event)? {
            RunEvent::Evaluated(report) => Some(*report),
            _ => None,
        };
        let mut bar = ProgressLine::new("judging");
        let command = RunCommand::Evaluate(plan).into();
        let report = self.request_on_bar(command, evaluated, &mut bar, 1.0)?;
        let work = self.run_views().work.get();
        bar.finish(work.as_ref().map_or("", |work| &work.what));
        Ok(report)
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

    /// Evaluates the model and prints the report, as JSON or by `print`.
    ///
    /// # Errors
    /// If the evaluation fails or is interrupted.
    pub fn print_evaluation(
        &self,
        plan: <J::System as ServedSystem>::EvaluationPlan,
        json: bool,
        print: impl Fn(&ReportOf<J::System>) -> Result<()>,
    ) -> Result<()> {
        let report = self.evaluate(plan)?;
        match json {
            true => say(format_args!("{}", serde_json::to_string_pretty(&report)?)),
            false => print(&report),
        }
    }

    /// [`Self::request`] with the job's progress on a part of the bar, from its beginning; Ctrl-C ends it.
    ///
    /// # Errors
    /// If the command fails or is interrupted.
    pub fn request_on_bar<T>(
        &self,
        command: J::Command,
        gather: impl FnMut(J::Event) -> Option<T>,
        bar: &mut ProgressLine,
        part: f64,
    ) -> Result<T> {
        self.request(command, gather, |session| {
            if let Some(work) = session.run_views().work.get() {
                bar.update(work.done * part, &work.what);
            }
            refuse_if_interrupted()
        })
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
                    LEAVING.store(true, Ordering::Relaxed);
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

/// True once the program is being ended: what fails from then on is of no interest.
pub fn is_leaving() -> bool {
    LEAVING.load(Ordering::Relaxed)
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

/// Callback for [`CliSession::request`] that watches long work; at Ctrl-C it sends the command that ends the work in order.
pub fn stop_on_interrupt<J: SystemJob>(
    stop: impl Fn() -> J::Command,
    mut watch: impl FnMut(&CliSession<J>),
) -> impl FnMut(&CliSession<J>) -> Result<()> {
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

fn run_event<J: SystemJob>(event: J::Event) -> Option<EventOf<J::System>> {
    event.into()
}

/// Line about a run, with the figures of the last step, which begin with a comma.
fn describe(view: &TrainingView, figures: impl Fn(&Metrics) -> String) -> String {
    let Some(row) = &view.last else {
        return "preparing".into();
    };
    let eta = view
        .eta_secs
        .map_or_else(String::new, |secs| format!(", {secs:.0} s left"));
    format!(
        "step {}, {:.1} steps/s{eta}, loss {:.3}{}",
        row.step(),
        view.steps_per_sec,
        row.loss(),
        figures(row)
    )
}
