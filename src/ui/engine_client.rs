//! What both systems share in the window: the one engine, its boards, and what was said.

use std::{
    cell::Cell,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::Result;

use super::app::System;
use crate::{
    at_exit::AtExit,
    device::{self, Adapter, Choice},
    engine::{
        Activity, Engine, Job, Notice, Stage,
        pair::{Either, Pair, ViewError},
    },
    executor::{
        self,
        job::{ExecutorCommand, ExecutorJob},
    },
    glyphs::{self, job::GlyphsJob},
    training::checkpoint::Source,
};

/// Between two repaints for what the engine publishes.
const REPAINT: Duration = Duration::from_millis(33);
/// The same where the processor draws the window: it has a model to train.
const REPAINT_SOFTWARE: Duration = Duration::from_millis(150);
/// Longest wait for an engine that has nothing to save, when the window is gone.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait for a run to be saved where a library ends the process. The window's thread stands still by then: an
/// engine that waits for it would do so for ever.
const LONGEST_SAVE: Duration = Duration::from_secs(60);
/// Shortest call of the engine's that people are told of.
const LONG_CALL: Duration = Duration::from_secs(1);
/// How long a message stays.
const MESSAGE: Duration = Duration::from_secs(8);

/// The Latent Executor first, Code Glyphs second.
type Both = Pair<ExecutorJob, GlyphsJob>;

/// A fact from either system.
pub type Event = <Both as Job>::Event;

/// An engine to be ended when the window is gone.
pub struct Leftover {
    engine: Engine<Both>,
    has_run: bool,
    _at_exit: Option<AtExit>,
}

/// Engines that are still at work when the window is gone. Dropped, it ends them and waits for that: with a run in
/// training until the run is saved, else for a moment only.
pub struct Leftovers(Receiver<Leftover>);

impl Leftovers {
    /// With the end of the wire for [`EngineClient::leave_engines_to`].
    pub fn new() -> (Sender<Leftover>, Self) {
        let (leave, left) = channel();
        (leave, Self(left))
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        for Leftover {
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

/// A message for people.
#[derive(Clone, Debug)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// True if something went wrong.
    pub is_error: bool,
    cause: Cause,
    since: Instant,
}

/// What a message is about, which says when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something people ordered: over with their next order.
    Order,
    /// A picture or an answer: over once another one is asked for.
    View,
    /// The engine itself: over once it starts again.
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

/// The engine and what it shows.
pub struct EngineClient {
    /// What the Latent Executor shows.
    pub executor: Arc<executor::views::ExecutorViews>,
    /// What Code Glyphs show.
    pub glyphs: Arc<glyphs::views::GlyphsViews>,
    /// Where they compute.
    pub choice: Choice,
    /// The Latent Executor's model.
    pub executor_source: Source,
    /// The model of Code Glyphs.
    pub glyphs_source: Source,
    /// The graphics adapters of this machine.
    pub adapters: Vec<Adapter>,
    engine: Option<Engine<Both>>,
    /// Saves the engine's run where the process ends without the desk being dropped.
    at_exit: Option<AtExit>,
    /// Takes the engines that are still at work when the desk is gone.
    leftovers: Option<Sender<Leftover>>,
    context: egui::Context,
    repaint: Duration,
    /// The newest message of each system.
    messages: [Option<Message>; 2],
    /// When something was asked last.
    asked: Cell<Instant>,
    refusals: u64,
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
            leftovers: None,
            context: context.clone(),
            repaint: if is_drawn_by_cpu {
                REPAINT_SOFTWARE
            } else {
                REPAINT
            },
            messages: [None, None],
            asked: Cell::new(Instant::now()),
            refusals: 0,
        };
        client.start()?;
        Ok(client)
    }

    /// Passes engines that are still at work to whoever can wait for them, in place of waiting for them.
    /// The run is saved, too, when the process is ended by a library.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn leave_engines_to(&mut self, leftovers: Sender<Leftover>) -> Result<()> {
        self.leftovers = Some(leftovers);
        self.save_at_exit()
    }

    fn save_at_exit(&mut self) -> Result<()> {
        let ender = self.engine.as_mut().and_then(Engine::ender);
        let (executor, glyphs) = (self.executor.clone(), self.glyphs.clone());
        let hook = ender.map(|ender| {
            AtExit::new(move || {
                if has_run(&executor, &glyphs) {
                    ender.finish_within(LONGEST_SAVE);
                }
            })
        });
        self.at_exit = hook.transpose()?;
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        // The old engine puts its runs away by itself, nobody waits.
        self.leave_engine();
        self.refusals += 1;
        (self.executor, self.glyphs) = Default::default();
        self.messages = [None, None];
        let choice = self.choice;
        let (executor, executor_source) = (self.executor.clone(), self.executor_source.clone());
        let (glyphs, glyphs_source) = (self.glyphs.clone(), self.glyphs_source.clone());
        let (context, repaint) = (self.context.clone(), self.repaint);
        let wake = move || context.request_repaint_after(repaint);
        self.engine = Some(Engine::spawn("engine", wake, move || {
            let chosen = device::open(choice)?;
            let first = ExecutorJob::on(chosen.clone(), &executor_source, executor)?;
            Ok(Pair::new(first.warming_up(), move || {
                GlyphsJob::on(chosen.clone(), &glyphs_source, glyphs.clone())
                    .map(GlyphsJob::warming_up)
            }))
        })?);
        match self.leftovers {
            Some(_) => self.save_at_exit(),
            None => Ok(()),
        }
    }

    /// Computes on another device from now on, with the models that are open and on new boards.
    pub fn choose_device(&mut self, choice: Choice) {
        let before = std::mem::replace(&mut self.choice, choice);
        if let Err(error) = self.start() {
            self.choice = before;
            self.fail_in_both(&format!("{error:#}"));
        }
    }

    /// True until the engine has ended.
    pub fn has_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// The next fact, or failure, of a system; the engine's own failures are said.
    pub fn event(&mut self) -> Option<Event> {
        while let Some(notice) = self.engine.as_ref().and_then(Engine::notice) {
            match notice {
                Notice::Event(event) => return Some(event),
                Notice::Failed(why) => self.fail_in_both(&why),
                Notice::Ended(why) => {
                    self.engine = None;
                    self.fail_in_both(why.as_deref().unwrap_or("the engine has ended"));
                }
            }
        }
        let asked = self.asked.get();
        let is_old = |message: &mut Message| match (message.is_error, message.cause) {
            (true, Cause::View) => message.since < asked,
            (true, Cause::Order | Cause::Engine) => false,
            (false, _) => message.since.elapsed() > MESSAGE,
        };
        for message in &mut self.messages {
            message.take_if(is_old);
        }
        None
    }

    /// Gives an order, or says why that can't be. What went wrong with orders before is over.
    pub fn send(&mut self, command: <Both as Job>::Command) {
        let (system, cause) = match &command {
            // Given by the window itself whenever what it looks at changes.
            Either::First(ExecutorCommand::Watch(..)) => (System::Executor, Cause::View),
            Either::First(_) => (System::Executor, Cause::Order),
            Either::Second(glyphs::job::GlyphsCommand::Watch { .. }) => {
                (System::Glyphs, Cause::View)
            }
            Either::Second(_) => (System::Glyphs, Cause::Order),
        };
        self.forgive(system, cause);
        let sent = match &self.engine {
            Some(engine) => engine.send(command).map_err(|busy| busy.to_string()),
            None => Err("the engine has ended: choose a device to start it again".into()),
        };
        if let Err(why) = sent {
            self.fail(system, cause, why);
        }
    }

    /// Asks; a question not yet answered, of either system, is forgotten.
    pub fn probe(&self, question: <Both as Job>::Probe) {
        self.asked.set(Instant::now());
        if let Some(engine) = &self.engine {
            engine.probe(question);
        }
    }

    /// Says something of a system until something else is said of it, or `is_error` and the next order is given.
    pub fn say(&mut self, system: System, text: String, is_error: bool) {
        self.put(system, text, is_error, Cause::Order);
    }

    /// Says what went wrong with a system until its cause is over.
    pub fn fail(&mut self, system: System, cause: Cause, text: String) {
        self.put(system, text, true, cause);
    }

    fn fail_in_both(&mut self, text: &str) {
        for system in System::ALL {
            self.fail(system, Cause::Engine, text.into());
        }
    }

    fn put(&mut self, system: System, text: String, is_error: bool, cause: Cause) {
        self.refusals += u64::from(is_error);
        let since = Instant::now();
        self.messages[system as usize] = Some(Message {
            text,
            is_error,
            cause,
            since,
        });
    }

    /// Takes back what went wrong for this cause.
    pub fn forgive(&mut self, system: System, cause: Cause) {
        self.messages[system as usize]
            .take_if(|message| message.is_error && message.cause == cause);
    }

    /// The newest message of a system.
    pub fn message_of(&self, system: System) -> Option<&Message> {
        self.messages[system as usize].as_ref()
    }

    /// The newest message of either system.
    pub fn message(&self) -> Option<&Message> {
        let messages = self.messages.iter().flatten();
        messages.max_by_key(|message| message.since)
    }

    /// Drops the message of a system.
    pub fn dismiss_of(&mut self, system: System) {
        self.messages[system as usize] = None;
    }

    /// Drops all messages.
    pub fn dismiss(&mut self) {
        self.messages = [None, None];
    }

    /// Failures so far, and engines replaced: orders of before may never be followed.
    pub fn refusals(&self) -> u64 {
        self.refusals
    }

    /// The adapter the engine computes on, if that is a driver that runs on the CPU.
    pub fn software_adapter(&self) -> Option<&Adapter> {
        let (adapter, _) = device::select(self.choice, &self.adapters).ok()?;
        adapter.filter(|adapter| adapter.is_software())
    }

    /// True while the engine is in a call.
    pub fn is_busy(&self) -> bool {
        self.engine
            .as_ref()
            .is_some_and(|engine| engine.activity().is_some())
    }

    /// The engine's call under way, if it has gone on for long enough to be told of.
    pub fn long_call(&self) -> Option<Activity> {
        let activity = self.engine.as_ref()?.activity()?;
        // Nobody asked for what it does at rest.
        (activity.stage != Stage::OnIdle && activity.since.elapsed() >= LONG_CALL)
            .then_some(activity)
    }

    /// The long call under way, for people.
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

    fn leave_engine(&mut self) {
        let has_run = has_run(&self.executor, &self.glyphs);
        let at_exit = self.at_exit.take();
        if let (Some(engine), Some(leftovers)) = (self.engine.take(), &self.leftovers) {
            engine.close();
            let left = Leftover {
                engine,
                has_run,
                _at_exit: at_exit,
            };
            // Without a receiver the program is ending already.
            drop(leftovers.send(left));
        }
    }

    /// Ends the engine after it has saved what is in training.
    pub fn finish(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.finish();
        }
    }
}

/// True while a run of either system has steps to save, paused ones too: a run begins with a checkpoint.
fn has_run(executor: &executor::views::ExecutorViews, glyphs: &glyphs::views::GlyphsViews) -> bool {
    let (executor, glyphs) = (executor.training.get(), glyphs.training.get());
    executor.is_some_and(|run| run.pace.is_some() && run.last.is_some())
        || glyphs.is_some_and(|run| run.pace.is_some() && run.last.is_some())
}

impl Drop for EngineClient {
    fn drop(&mut self) {
        self.leave_engine();
    }
}
