//! Client of the engine, which both systems share: commands, probes, events, views and status messages.

use std::{
    cell::Cell,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::Result;

use super::system::SystemPage;
use crate::{
    at_exit::AtExit,
    device::{self, Adapter, Choice},
    engine::{
        Activity, Engine, Notice, Stage,
        jobs::{AnyMessage, JobSet, ViewError},
    },
    executor::{
        job::{ExecutorCommand, ExecutorJob},
        views::ExecutorViews,
    },
    glyphs::{
        job::{GlyphsCommand, GlyphsJob},
        views::GlyphsViews,
    },
    training::{RunViews, SystemJob, checkpoint::Source},
};

/// Interval between two repaints for what the engine publishes.
const REPAINT: Duration = Duration::from_millis(33);
/// Interval between two repaints where the processor draws the window: it has a model to train.
const REPAINT_SOFTWARE: Duration = Duration::from_millis(150);
/// Longest wait for an engine that has nothing to save, when the window is gone.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait for a run to be saved where a library ends the process. The window's thread stands still by then: an
/// engine that waits for it would do so for ever.
const LONGEST_SAVE: Duration = Duration::from_secs(60);
/// Shortest call of the engine that the status line reports.
const LONG_CALL: Duration = Duration::from_secs(1);
/// Time a message stays.
const MESSAGE: Duration = Duration::from_secs(8);

/// Jobs of the systems.
type Jobs = JobSet<SystemPage>;

/// The job behind a page of the window.
pub trait PageJob: SystemJob {
    /// The page.
    const PAGE: SystemPage;

    /// True for a command that the window gives by itself whenever what it looks at changes, or by a click that asks.
    fn is_for_view(command: &Self::Command) -> bool;
}

impl PageJob for ExecutorJob {
    const PAGE: SystemPage = SystemPage::Executor;

    fn is_for_view(command: &ExecutorCommand) -> bool {
        matches!(
            command,
            ExecutorCommand::Watch(..) | ExecutorCommand::Decode(_)
        )
    }
}

impl PageJob for GlyphsJob {
    const PAGE: SystemPage = SystemPage::Glyphs;

    fn is_for_view(command: &GlyphsCommand) -> bool {
        matches!(command, GlyphsCommand::Watch { .. })
    }
}

/// An engine to be ended when the window is gone.
pub struct RetiredEngine {
    engine: Engine<Jobs>,
    has_run: bool,
    _at_exit: Option<AtExit>,
}

/// Engines that are still at work when the window is gone. Dropped, it ends them and waits for that: with a run in
/// training until the run is saved, else for a moment only.
pub struct RetiredEngines(Receiver<RetiredEngine>);

impl RetiredEngines {
    /// Empty collection, with the sender for [`EngineClient::retire_engines_to`].
    pub fn new() -> (Sender<RetiredEngine>, Self) {
        let (sender, receiver) = channel();
        (sender, Self(receiver))
    }
}

impl Drop for RetiredEngines {
    fn drop(&mut self) {
        for RetiredEngine {
            engine, has_run, ..
        } in self.0.try_iter()
        {
            match has_run {
                true => engine.finish(),
                false => drop(engine.finish_within(LAST_WAIT)),
            }
        }
    }
}

/// Message in the status line.
#[derive(Clone, Debug)]
pub struct Message {
    /// The text.
    pub text: String,
    /// True for an error.
    pub is_error: bool,
    cause: Cause,
    since: Instant,
}

/// Subject of an error, which decides how long its message stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A command: until the next command.
    Order,
    /// A picture or an answer: until another one is asked for.
    View,
    /// The engine itself: until it starts again.
    Engine,
}

impl Cause {
    /// The cause of an engine's error.
    pub fn of(error: &anyhow::Error) -> Self {
        match error.is::<ViewError>() {
            true => Self::View,
            false => Self::Order,
        }
    }
}

/// Client of the engine: its views, its commands and its messages.
pub struct EngineClient {
    /// Views of the Latent Executor.
    pub executor: Arc<ExecutorViews>,
    /// Views of Code Glyphs.
    pub glyphs: Arc<GlyphsViews>,
    /// Chosen device.
    pub choice: Choice,
    /// Source of the Latent Executor's model.
    pub executor_source: Source,
    /// Source of the model of Code Glyphs.
    pub glyphs_source: Source,
    /// The graphics adapters of this machine.
    pub adapters: Vec<Adapter>,
    engine: Option<Engine<Jobs>>,
    /// Saves the engine's run where the process ends without a drop of the client.
    at_exit: Option<AtExit>,
    /// Receives the engines that are still at work when the client is dropped.
    retired: Option<Sender<RetiredEngine>>,
    context: egui::Context,
    repaint: Duration,
    /// The newest message of each system.
    messages: [Option<Message>; SystemPage::ALL.len()],
    /// Time of the last probe.
    probed: Cell<Instant>,
    failures: u64,
}

impl EngineClient {
    /// Starts the engine on the bundled models.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(context: &egui::Context, choice: Choice, is_drawn_by_cpu: bool) -> Result<Self> {
        let mut client = Self {
            executor: Arc::default(),
            glyphs: Arc::default(),
            choice,
            executor_source: Source::Bundled,
            glyphs_source: Source::Bundled,
            adapters: device::adapters(),
            engine: None,
            at_exit: None,
            retired: None,
            context: context.clone(),
            repaint: if is_drawn_by_cpu {
                REPAINT_SOFTWARE
            } else {
                REPAINT
            },
            messages: Default::default(),
            probed: Cell::new(Instant::now()),
            failures: 0,
        };
        client.start()?;
        Ok(client)
    }

    /// Sends engines that are still at work to a receiver that can wait for them. The run is saved, too, when the
    /// process is ended by a library.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn retire_engines_to(&mut self, retired: Sender<RetiredEngine>) -> Result<()> {
        self.retired = Some(retired);
        self.save_at_exit()
    }

    fn save_at_exit(&mut self) -> Result<()> {
        let ender = self.engine.as_mut().and_then(Engine::ender);
        let (executor, glyphs) = (self.executor.clone(), self.glyphs.clone());
        let hook = ender.map(|ender| {
            AtExit::new(move || {
                if has_run(&executor.run) || has_run(&glyphs.run) {
                    ender.finish_within(LONGEST_SAVE);
                }
            })
        });
        self.at_exit = hook.transpose()?;
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        // The old engine puts its runs away by itself, nobody waits.
        self.retire_engine();
        self.failures += 1;
        (self.executor, self.glyphs) = Default::default();
        self.messages = Default::default();
        let choice = self.choice;
        let (executor, executor_source) = (self.executor.clone(), self.executor_source.clone());
        let (glyphs, glyphs_source) = (self.glyphs.clone(), self.glyphs_source.clone());
        let (context, repaint) = (self.context.clone(), self.repaint);
        let wake = move || context.request_repaint_after(repaint);
        self.engine = Some(Engine::spawn("engine", wake, move || {
            let chosen = device::open(choice)?;
            let for_glyphs = chosen.clone();
            let mut jobs = Jobs::default();
            jobs.add(SystemPage::Executor, move || {
                ExecutorJob::on(chosen.clone(), &executor_source, executor.clone())
                    .map(ExecutorJob::warming_up)
            });
            jobs.add(SystemPage::Glyphs, move || {
                GlyphsJob::on(for_glyphs.clone(), &glyphs_source, glyphs.clone())
                    .map(GlyphsJob::warming_up)
            });
            jobs.open(SystemPage::Executor)?;
            Ok(jobs)
        })?);
        match self.retired {
            Some(_) => self.save_at_exit(),
            None => Ok(()),
        }
    }

    /// Restarts the engine on another device, with the models that are open and with new views.
    pub fn choose_device(&mut self, choice: Choice) {
        let before = std::mem::replace(&mut self.choice, choice);
        if let Err(error) = self.start() {
            self.choice = before;
            self.report_engine_error(&format!("{error:#}"));
        }
    }

    /// True until the engine has ended.
    pub fn has_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// Returns the next event, or failure, of a system; failures of the engine itself become messages. Once there is
    /// none, messages that are over are dropped.
    pub fn poll_event(&mut self) -> Option<(SystemPage, Result<AnyMessage>)> {
        while let Some(notice) = self.engine.as_ref().and_then(Engine::notice) {
            match notice {
                Notice::Event(event) => return Some(event),
                Notice::Failed(why) => self.report_engine_error(&why),
                Notice::Ended(why) => {
                    self.engine = None;
                    self.report_engine_error(why.as_deref().unwrap_or("the engine has ended"));
                }
            }
        }
        let probed = self.probed.get();
        let is_old = |message: &mut Message| match (message.is_error, message.cause) {
            (true, Cause::View) => message.since < probed,
            (true, Cause::Order | Cause::Engine) => false,
            (false, _) => message.since.elapsed() > MESSAGE,
        };
        for message in &mut self.messages {
            message.take_if(is_old);
        }
        None
    }

    /// Sends a command; a failure to send becomes a message. Clears the errors of earlier commands.
    pub fn send<J: PageJob>(&mut self, command: J::Command) {
        let cause = match J::is_for_view(&command) {
            true => Cause::View,
            false => Cause::Order,
        };
        self.clear_error(J::PAGE, cause);
        let sent = match &self.engine {
            Some(engine) => engine
                .send((J::PAGE, Box::new(command)))
                .map_err(|busy| busy.to_string()),
            None => Err("the engine has ended: choose a device to start it again".into()),
        };
        if let Err(why) = sent {
            self.report_error(J::PAGE, cause, why);
        }
    }

    /// Sends a probe, which supersedes one of any system that has no answer yet.
    pub fn probe<J: PageJob>(&self, question: J::Probe) {
        self.probed.set(Instant::now());
        if let Some(engine) = &self.engine {
            engine.probe((J::PAGE, Box::new(question)));
        }
    }

    /// Shows a status of a system, for a while or until its next message.
    pub fn set_status(&mut self, system: SystemPage, text: String) {
        self.set_message(system, text, false, Cause::Order);
    }

    /// Shows an error of a system until its cause is over.
    pub fn report_error(&mut self, system: SystemPage, cause: Cause, text: String) {
        self.failures += 1;
        self.set_message(system, text, true, cause);
    }

    fn report_engine_error(&mut self, text: &str) {
        for system in SystemPage::ALL {
            self.report_error(system, Cause::Engine, text.into());
        }
    }

    fn set_message(&mut self, system: SystemPage, text: String, is_error: bool, cause: Cause) {
        let since = Instant::now();
        self.messages[system as usize] = Some(Message {
            text,
            is_error,
            cause,
            since,
        });
    }

    /// Clears a system's error of this cause.
    pub fn clear_error(&mut self, system: SystemPage, cause: Cause) {
        self.messages[system as usize]
            .take_if(|message| message.is_error && message.cause == cause);
    }

    /// The newest message of a system.
    pub fn message_of(&self, system: SystemPage) -> Option<&Message> {
        self.messages[system as usize].as_ref()
    }

    /// The newest message of either system.
    pub fn message(&self) -> Option<&Message> {
        let messages = self.messages.iter().flatten();
        messages.max_by_key(|message| message.since)
    }

    /// Drops the message of a system.
    pub fn dismiss_of(&mut self, system: SystemPage) {
        self.messages[system as usize] = None;
    }

    /// Drops all messages.
    pub fn dismiss(&mut self) {
        self.messages = Default::default();
    }

    /// Number of failures and restarts so far: a command sent before the latest one may never be carried out.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The adapter the engine computes on, if that is a driver that runs on the CPU.
    pub fn software_adapter(&self) -> Option<&Adapter> {
        let (adapter, _) = device::select(self.choice, &self.adapters).ok()?;
        adapter.filter(|adapter| adapter.is_software())
    }

    /// Name of the device a system's model is on, once it is loaded.
    pub fn device_of(&self, system: SystemPage) -> Option<String> {
        Some(match system {
            SystemPage::Executor => self.executor.run.model.get()?.device.clone(),
            SystemPage::Glyphs => self.glyphs.run.model.get()?.device.clone(),
        })
    }

    /// True while the engine is in a call.
    pub fn is_busy(&self) -> bool {
        self.engine
            .as_ref()
            .is_some_and(|engine| engine.activity().is_some())
    }

    /// The engine's call under way, if it has gone on for long enough to be reported.
    fn long_call(&self) -> Option<Activity> {
        let activity = self.engine.as_ref()?.activity()?;
        // Idle work was ordered by nobody.
        (activity.stage != Stage::OnIdle && activity.since.elapsed() >= LONG_CALL)
            .then_some(activity)
    }

    /// The long call under way, for the status line.
    pub fn long_call_text(&self) -> Option<String> {
        let Activity { stage, since } = self.long_call()?;
        let what = match stage {
            Stage::Opening => "Loading the model for",
            Stage::Command | Stage::Probe | Stage::Work | Stage::OnIdle => "Computing for",
        };
        let is_on_cpu = matches!(
            device::select(self.choice, &self.adapters),
            Ok((None, _)) | Err(_)
        );
        let why = match is_on_cpu {
            true => "",
            false => ": kernels are compiled at their first use",
        };
        Some(format!("{what} {} s{why}", since.elapsed().as_secs()))
    }

    fn retire_engine(&mut self) {
        let has_run = has_run(&self.executor.run) || has_run(&self.glyphs.run);
        let at_exit = self.at_exit.take();
        if let (Some(engine), Some(retired)) = (self.engine.take(), &self.retired) {
            engine.close();
            let engine = RetiredEngine {
                engine,
                has_run,
                _at_exit: at_exit,
            };
            // Without a receiver the program is ending already.
            drop(retired.send(engine));
        }
    }

    /// Ends the engine after it has saved the run under way.
    pub fn finish(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.finish();
        }
    }
}

/// Source of a model at a typed path: the bundled one where it is empty, else a run's folder.
pub fn source_at(path: &str) -> Source {
    match path.trim() {
        "" => Source::Bundled,
        path => Source::Run(path.into()),
    }
}

/// True while a run has steps to save, also while it is paused: a run begins with a checkpoint.
fn has_run<C>(views: &RunViews<C>) -> bool {
    views.pace().is_some() && views.steps().is_some()
}

impl Drop for EngineClient {
    fn drop(&mut self) {
        self.retire_engine();
    }
}
