//! What both systems share in the window: the one engine, its boards, and what was said.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    device::{self, Choice},
    engine::{Engine, Job, Notice, pair::Pair},
    executor::{self, job::ExecutorJob},
    glyphs::{self, job::GlyphsJob},
    training::checkpoint::Source,
};

/// Between two repaints for what the engine publishes.
const REPAINT: Duration = Duration::from_millis(33);
/// The same where the processor draws the window: it has a model to train.
const REPAINT_SOFTWARE: Duration = Duration::from_millis(150);
/// How long a message stays.
const MESSAGE: Duration = Duration::from_secs(8);

/// The Latent Executor first, Code Glyphs second.
type Both = Pair<ExecutorJob, GlyphsJob>;

/// A fact from either system.
pub type Event = <Both as Job>::Event;

/// A message for people.
#[derive(Clone, Debug)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
    since: Instant,
}

/// The engine and what it shows.
pub struct Desk {
    /// What the Latent Executor shows.
    pub executor: Arc<executor::board::Board>,
    /// What Code Glyphs show.
    pub glyphs: Arc<glyphs::board::Board>,
    /// Where they compute.
    pub choice: Choice,
    /// The Latent Executor's model.
    pub executor_source: Source,
    /// The model of Code Glyphs.
    pub glyphs_source: Source,
    engine: Option<Engine<Both>>,
    context: egui::Context,
    repaint: Duration,
    message: Option<Message>,
}

impl Desk {
    /// Starts the engine on the bundled models.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(context: &egui::Context, choice: Choice, is_drawn_by_cpu: bool) -> Result<Self> {
        let mut desk = Self {
            executor: Arc::default(),
            glyphs: Arc::default(),
            choice,
            executor_source: Source::Bundled,
            glyphs_source: Source::Bundled,
            engine: None,
            context: context.clone(),
            repaint: if is_drawn_by_cpu {
                REPAINT_SOFTWARE
            } else {
                REPAINT
            },
            message: None,
        };
        desk.start()?;
        Ok(desk)
    }

    fn start(&mut self) -> Result<()> {
        // Dropping the old engine tells it to end; it puts its runs away by itself, nobody waits.
        (self.executor, self.glyphs) = Default::default();
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
        Ok(())
    }

    /// Computes on another device from now on, with the models that are open and on new boards.
    pub fn choose_device(&mut self, choice: Choice) {
        let before = std::mem::replace(&mut self.choice, choice);
        if let Err(error) = self.start() {
            self.choice = before;
            self.say(format!("{error:#}"), true);
        }
    }

    /// The next fact; failures are said.
    pub fn event(&mut self) -> Option<Event> {
        while let Some(notice) = self.engine.as_ref().and_then(Engine::notice) {
            match notice {
                Notice::Event(event) => return Some(event),
                Notice::Failed(why) => self.say(why, true),
                Notice::Ended(why) => {
                    self.engine = None;
                    self.say(why.unwrap_or_else(|| "the engine has ended".into()), true);
                }
            }
        }
        let is_old = |message: &Message| message.since.elapsed() > MESSAGE && !message.is_error;
        if self.message.as_ref().is_some_and(is_old) {
            self.message = None;
        }
        None
    }

    /// Gives an order, or says why that can't be.
    pub fn send(&mut self, command: <Both as Job>::Command) {
        let sent = match &self.engine {
            Some(engine) => engine.send(command).map_err(|busy| busy.to_string()),
            None => Err("the engine has ended: choose a device to start it again".into()),
        };
        if let Err(why) = sent {
            self.say(why, true);
        }
    }

    /// Asks; a question not yet answered, of either system, is forgotten.
    pub fn probe(&self, question: <Both as Job>::Probe) {
        if let Some(engine) = &self.engine {
            engine.probe(question);
        }
    }

    /// Says something until something else is said.
    pub fn say(&mut self, text: String, is_error: bool) {
        self.message = Some(Message {
            text,
            is_error,
            since: Instant::now(),
        });
    }

    /// What was said last.
    pub fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// Forgets what was said.
    pub fn dismiss(&mut self) {
        self.message = None;
    }

    /// Ends the engine after it has saved what is in training.
    pub fn finish(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.finish();
        }
    }
}
