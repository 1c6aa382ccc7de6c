//! What is open: the engine and its board, the sum being looked at, the pins, and what was said.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    config::executor::{ExecutorConfig, PRESETS},
    data::sums::Sum,
    device::Choice,
    engine::{Engine, Notice, run_folder::RunFolder},
    executor::{
        board::{Answer, Board},
        job::{Command, Event, ExecutorJob, Question, SolveRequest},
    },
    latent::search::Method,
    training::{Limit, Pace, Start, checkpoint::Source},
};

/// Between two repaints for what the engine publishes.
const REPAINT: Duration = Duration::from_millis(33);
/// The same where the processor draws the window: it has a model to train.
const REPAINT_SOFTWARE: Duration = Duration::from_millis(150);
/// How long a message stays.
const MESSAGE: Duration = Duration::from_secs(8);

/// A message for people.
#[derive(Clone, Debug)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
    since: Instant,
}

/// What people set for the next run.
#[derive(Clone, Debug)]
pub struct TrainForm {
    /// Index in [`PRESETS`].
    pub preset: usize,
    /// Seconds of training.
    pub secs: f64,
    /// Seed of the run.
    pub seed: u64,
    /// The run's folder; empty for a new one in `runs`.
    pub out: String,
}

/// What people set for the next search.
#[derive(Clone, Debug)]
pub struct SearchForm {
    /// How to look.
    pub method: Method,
    /// Evaluations it may use.
    pub budget: usize,
    /// Seed.
    pub seed: u64,
    /// Seconds between two evaluations.
    pub pause_secs: f32,
}

/// What the window has open.
pub struct Session {
    /// What the engine shows.
    pub board: Arc<Board>,
    /// Where it computes.
    pub choice: Choice,
    /// The sum as typed.
    pub sum_text: String,
    /// The sum, or why it can't be read.
    pub sum: Result<Sum, String>,
    /// Answers people keep in sight.
    pub pins: Vec<Answer>,
    /// The point last asked about.
    pub pointer: Option<[f32; 2]>,
    /// Settings of the next run.
    pub train: TrainForm,
    /// Settings of the next search.
    pub search: SearchForm,
    /// A run's folder to open, as typed.
    pub open_path: String,
    engine: Option<Engine<ExecutorJob>>,
    context: egui::Context,
    repaint: Duration,
    source: Source,
    message: Option<Message>,
}

impl Session {
    /// Starts the engine on the bundled model.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(context: &egui::Context, choice: Choice, is_drawn_by_cpu: bool) -> Result<Self> {
        let sum = Sum {
            start: 71,
            result: 18,
        };
        let mut session = Self {
            board: Arc::default(),
            choice,
            sum_text: sum.to_string(),
            sum: Ok(sum),
            pins: Vec::new(),
            pointer: None,
            train: TrainForm {
                preset: 0,
                secs: 240.0,
                seed: 0,
                out: String::new(),
            },
            search: SearchForm {
                method: Method::Bo,
                budget: 200,
                seed: 0,
                pause_secs: 0.1,
            },
            open_path: String::new(),
            engine: None,
            context: context.clone(),
            repaint: if is_drawn_by_cpu {
                REPAINT_SOFTWARE
            } else {
                REPAINT
            },
            source: Source::Bundled,
            message: None,
        };
        session.start_engine()?;
        Ok(session)
    }

    fn start_engine(&mut self) -> Result<()> {
        // Dropping the old engine tells it to end; it puts its run away by itself, nobody waits.
        self.board = Arc::default();
        let (board, choice, source) = (self.board.clone(), self.choice, self.source.clone());
        let (context, repaint) = (self.context.clone(), self.repaint);
        let wake = move || context.request_repaint_after(repaint);
        self.engine = Some(Engine::spawn("engine", wake, move || {
            ExecutorJob::new(choice, &source, board)
        })?);
        self.watch();
        Ok(())
    }

    /// Computes on another device from now on, with the model that is open.
    pub fn choose_device(&mut self, choice: Choice) {
        let before = std::mem::replace(&mut self.choice, choice);
        if let Err(error) = self.start_engine() {
            self.choice = before;
            self.say(format!("{error:#}"), true);
        }
    }

    /// Takes in what the engine reports.
    pub fn listen(&mut self) {
        while let Some(notice) = self.engine.as_ref().and_then(Engine::notice) {
            match notice {
                Notice::Event(event) => self.hear(event),
                Notice::Failed(why) => self.say(why, true),
                Notice::Ended(why) => {
                    self.engine = None;
                    self.say(why.unwrap_or_else(|| "the engine has ended".into()), true);
                }
            }
        }
        if self
            .message
            .as_ref()
            .is_some_and(|message| message.since.elapsed() > MESSAGE && !message.is_error)
        {
            self.message = None;
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Opened(name) => self.say(format!("opened {name}"), false),
            Event::Started(folder) => {
                self.say(format!("training into {}", folder.display()), false)
            }
            Event::Saved(place) => self.say(format!("saved {}", place.display()), false),
            Event::Trained(steps) => self.say(format!("trained {steps} steps"), false),
            Event::Solved(view) => match view.solved {
                Some(index) => self.say(
                    format!("{}: found in {} evaluations", view.sum, index + 1),
                    false,
                ),
                None => self.say(
                    format!("{}: not found in {} evaluations", view.sum, view.path.len()),
                    false,
                ),
            },
            Event::Judged(report) => {
                self.say(
                    format!(
                        "{:.2} % of the held-out sums are exact",
                        100.0 * report.held_out_exact
                    ),
                    false,
                );
            }
            Event::Mapped(_) | Event::Decoded(_) => {}
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

    fn send(&mut self, command: Command) {
        let sent = match &self.engine {
            Some(engine) => engine.send(command).map_err(|busy| busy.to_string()),
            None => Err("the engine has ended: choose a device to start it again".into()),
        };
        if let Err(why) = sent {
            self.say(why, true);
        }
    }

    /// Whether the engine is at work.
    pub fn is_alive(&self) -> bool {
        self.engine.is_some()
    }

    /// Reads the typed sum; a new one gets its map.
    pub fn read_sum(&mut self) {
        let read = self
            .sum_text
            .parse::<Sum>()
            .map_err(|error| error.to_string());
        if read != self.sum {
            self.sum = read;
            self.watch();
            self.ask_again();
        }
    }

    fn watch(&mut self) {
        self.send(Command::Watch(self.sum.as_ref().ok().copied()));
    }

    /// Asks what lies at a point of the code plane.
    pub fn ask(&mut self, point: [f32; 2]) {
        if self.pointer != Some(point) {
            self.pointer = Some(point);
            self.ask_again();
        }
    }

    fn ask_again(&self) {
        if let (Some(engine), Some(point), Ok(sum)) = (&self.engine, self.pointer, &self.sum) {
            engine.probe(Question {
                point: point.to_vec(),
                state: sum.start,
                result: Some(sum.result),
            });
        }
    }

    /// Keeps the newest answer in sight.
    pub fn pin(&mut self) {
        if let Some(answer) = self.board.answer.get() {
            self.pins.push(answer.as_ref().clone());
        }
    }

    /// Begins a run with what the form says.
    pub fn begin_run(&mut self) {
        let out = match self.train.out.trim() {
            "" => RunFolder::unused(&PathBuf::from("runs").join("executor")),
            path => path.into(),
        };
        match ExecutorConfig::preset(PRESETS[self.train.preset]) {
            Ok(config) => {
                let config = ExecutorConfig {
                    seed: self.train.seed,
                    ..config
                };
                let limit = Limit::Seconds(self.train.secs);
                self.send(Command::Train {
                    start: Start::Fresh(Box::new(config)),
                    out,
                    limit,
                });
            }
            Err(error) => self.say(format!("{error:#}"), true),
        }
    }

    /// Changes the run's pace.
    pub fn pace(&mut self, pace: Pace) {
        self.send(Command::Pace(pace));
    }

    /// Ends the run.
    pub fn stop_run(&mut self) {
        self.send(Command::Stop);
    }

    /// Begins a search for the sum's program.
    pub fn solve(&mut self) {
        if let Ok(sum) = self.sum {
            let SearchForm {
                method,
                budget,
                seed,
                pause_secs,
            } = self.search;
            let pause = Duration::from_secs_f32(pause_secs);
            self.send(Command::Solve(SolveRequest {
                sum,
                method,
                budget,
                seed,
                pause,
            }));
        }
    }

    /// Changes the search's pace, or ends it.
    pub fn search_pace(&mut self, pace: Option<Pace>) {
        self.send(Command::SearchPace(pace));
    }

    /// Judges the model on the held-out sums.
    pub fn judge(&mut self) {
        self.send(Command::Judge);
    }

    /// Opens a run's folder, or the bundled model where the path is empty.
    pub fn open(&mut self, path: &str) {
        let source = if path.trim().is_empty() {
            Source::Bundled
        } else {
            Source::Run(path.trim().into())
        };
        self.source = source.clone();
        self.pins.clear();
        self.send(Command::Open(source));
    }

    /// Ends the engine after it has saved what is in training.
    pub fn finish(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.finish();
        }
    }
}
