//! What is open of the Latent Executor: its board, the sum being looked at, the pins.

mod pointing;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    app::System,
    bundled::Bundled,
    engine_client::{Cause, EngineClient, Message},
    pending::Pending,
    widgets::PaceOrder,
};
use crate::{
    config::executor::{ExecutorConfig, PRESETS},
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    device::Choice,
    engine::{pair::Either, run_folder::RunFolder},
    executor::{
        command::{can_propose, default_strategy},
        job::{ExecutorCommand, ExecutorEvent, SearchOrder, SolveRequest},
        programs::StatePassing,
        views::{ExecutorModelView, ExecutorViews, LatentPlanes, PointAnswer, ProgramRun, Triple},
    },
    latent::search::{Method, Strategy},
    training::{Limit, Pace, Start, checkpoint::Source},
};

/// What people set for the next run.
#[derive(Clone, Debug)]
pub struct ExecutorTrainForm {
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
    /// Whether it begins with the inverse encoder's proposals.
    pub is_warm: bool,
    /// Evaluations it may use.
    pub budget: usize,
    /// Seed.
    pub seed: u64,
    /// Seconds between two evaluations.
    pub pause_secs: f32,
}

/// An answer people keep in sight.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The answer.
    pub answer: PointAnswer,
    /// Where it was asked for, if that was on a slice: the slice's programs, and the place on it.
    pub on_slice: Option<(Triple, [f32; 2])>,
}

/// What the large map shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// The sum's loss.
    #[default]
    Loss,
    /// The same, greyed out where the decoder is off its manifold.
    Sure,
    /// What the search's surrogate expects.
    Mean,
    /// How sure it is.
    Uncertainty,
    /// What a visit promises.
    Acquisition,
}

/// What the window has open.
pub struct UiSession {
    /// The engine, and what was said.
    pub client: EngineClient,
    /// What the engine shows.
    pub views: Arc<ExecutorViews>,
    /// The sum as typed.
    pub sum_text: String,
    /// The sum, or why it can't be read; where a program of several lines is looked for, its first example.
    pub sum: Result<Sum, String>,
    /// The program looked for, if it has several lines or examples.
    pub task: Option<Task>,
    /// The model the program brings along that holds the typed sum where the open one doesn't.
    pub offer: Option<Bundled>,
    /// Answers people keep in sight.
    pub pins: Vec<Pinned>,
    /// A click to pin once its answer is there.
    clicked: Option<pointing::ClickedPoint>,
    /// True if the last click left the last pin.
    has_click_pinned: bool,
    /// The point of the plane, or of a slice, that was last asked about.
    pub pointer: Option<[f32; 2]>,
    /// The same in the space.
    place: Option<Vec<f32>>,
    /// What the engine was asked about last belongs to this model and these planes.
    asked_of: (Option<Arc<ExecutorModelView>>, Option<Arc<LatentPlanes>>),
    /// A model that was ordered to be opened.
    opening: Option<Source>,
    /// The programs people chose for the slice of a space of more than two dimensions.
    slice: Option<Triple>,
    /// Settings of the next run.
    pub train: ExecutorTrainForm,
    /// An order to the run that the engine hasn't followed yet.
    pub pending: Pending,
    /// Settings of the next search.
    pub search: SearchForm,
    /// What the large map shows.
    pub layer: Layer,
    /// A run's folder to open, as typed.
    pub open_path: String,
}

impl UiSession {
    /// Starts the engine on the bundled model.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(context: &egui::Context, choice: Choice, is_drawn_by_cpu: bool) -> Result<Self> {
        let sum = Sum {
            start: 71,
            result: 18,
        };
        let client = EngineClient::new(context, choice, is_drawn_by_cpu)?;
        let mut session = Self {
            views: client.executor.clone(),
            client,
            sum_text: sum.to_string(),
            sum: Ok(sum),
            task: None,
            offer: None,
            pins: Vec::new(),
            clicked: None,
            has_click_pinned: false,
            pointer: None,
            place: None,
            asked_of: (None, None),
            opening: None,
            slice: None,
            train: ExecutorTrainForm {
                preset: 0,
                secs: 60.0,
                seed: 0,
                out: String::new(),
            },
            pending: Pending::default(),
            search: SearchForm {
                method: Method::Bo,
                is_warm: false,
                budget: 200,
                seed: 0,
                pause_secs: 0.1,
            },
            layer: Layer::Loss,
            open_path: String::new(),
        };
        session.watch();
        Ok(session)
    }

    /// Computes on another device from now on, with the model that is open.
    pub fn choose_device(&mut self, choice: Choice) {
        self.client.choose_device(choice);
        self.views = self.client.executor.clone();
        self.layer = Layer::Loss;
        self.watch();
        self.ask_again();
    }

    /// Takes in what the engine reports.
    pub fn hear(&mut self, event: ExecutorEvent) {
        match event {
            ExecutorEvent::Opened(name) => {
                if let Some(source) = self.opening.take() {
                    self.client.executor_source = source;
                }
                self.pins.clear();
                self.leave();
                self.choose_strategy();
                self.read_sum();
                // Another language has other programs for a slice.
                self.watch();
                self.say(format!("opened {name}"), false);
            }
            ExecutorEvent::Started(folder) => {
                self.pending.started();
                self.pins.clear();
                self.leave();
                self.choose_strategy();
                self.read_sum();
                self.say(format!("training into {}", folder.display()), false)
            }
            ExecutorEvent::Saved(place) => self.say(format!("saved {}", place.display()), false),
            ExecutorEvent::Trained(steps) => {
                self.pending.ended();
                self.say(format!("trained {steps} steps"), false);
            }
            ExecutorEvent::Solved(view) => match view.solved {
                Some(_) => self.say(
                    format!("{}: found in {} evaluations", view.task, view.spent),
                    false,
                ),
                None => self.say(
                    format!("{}: not found in {} evaluations", view.task, view.spent),
                    false,
                ),
            },
            ExecutorEvent::Evaluated(report) => {
                self.say(
                    format!(
                        "{:.2} % of the held-out sums are exact",
                        100.0 * report.held_out_exact
                    ),
                    false,
                );
            }
            ExecutorEvent::Mapped(_) | ExecutorEvent::Decoded(_) | ExecutorEvent::Compared(_) => {}
        }
    }

    /// A search the open model is good at, without proposals it doesn't make.
    fn choose_strategy(&mut self) {
        if let Some(model) = self.views.model.get() {
            let Strategy { method, is_warm } = default_strategy(&model.config);
            (self.search.method, self.search.is_warm) = (method, is_warm);
        }
    }

    /// True where the open model proposes programs for what is looked for.
    pub fn has_proposals(&self) -> bool {
        let (model, task) = (self.views.model.get(), self.looked_for());
        model.is_some_and(|model| can_propose(&model.config, task.as_ref()))
    }

    /// The search of the form, without proposals where there are none; nothing where it can't begin without them.
    pub fn strategy(&self) -> Option<Strategy> {
        let SearchForm {
            method, is_warm, ..
        } = self.search;
        let has_proposals = self.has_proposals();
        let strategy = Strategy {
            method,
            is_warm: is_warm && has_proposals,
        };
        (has_proposals || !strategy.needs_proposals()).then_some(strategy)
    }

    /// Says something until something else is said.
    pub fn say(&mut self, text: String, is_error: bool) {
        self.client.say(System::Executor, text, is_error);
    }

    /// Says that something went wrong.
    pub fn fail(&mut self, error: &anyhow::Error) {
        let cause = Cause::of(error);
        self.client
            .fail(System::Executor, cause, format!("{error:#}"));
    }

    /// The newest message of either system.
    pub fn message(&self) -> Option<&Message> {
        self.client.message()
    }

    fn send(&mut self, command: ExecutorCommand) {
        self.client.send(Either::First(command));
    }

    /// Reads the typed sum; a new one gets its map.
    pub fn read_sum(&mut self) {
        let examples = self.sum_text.split([';', ',']).map(str::parse);
        let typed = examples
            .collect::<Result<Vec<Task>, _>>()
            .and_then(Task::all_of);
        let language = self.language();
        self.offer = typed.as_ref().ok().and_then(|task| self.offer_for(task));
        let task = typed.and_then(|task| language.check(&task).map(|()| task));
        let read = match &task {
            Ok(task) => Ok(task.examples[0]),
            Err(error) => Err(error.to_string()),
        };
        self.task = task.ok().filter(|task| *task != task.examples[0].into());
        if read != self.sum {
            self.sum = read;
            self.watch();
            self.ask_again();
        }
    }

    /// The bundled model to open for a task that the open one doesn't hold, or was trained on fewer lines.
    fn offer_for(&self, task: &Task) -> Option<Bundled> {
        let model = self.views.model.get()?;
        let is_held = model.config.language.check(task).is_ok()
            && (task.lines() == 1 || model.config.lines > 1);
        Bundled::holding(task).filter(|_| !is_held)
    }

    /// What is looked for: the typed sum, if it can be read.
    pub fn looked_for(&self) -> Option<Task> {
        let sum = self.sum.as_ref().ok()?;
        Some(self.task.clone().unwrap_or((*sum).into()))
    }

    /// What the search's best program of several lines does, while that task is the one looked at.
    pub fn run(&self) -> Option<Arc<ProgramRun>> {
        let search = self.views.search.get()?;
        let is_looked_at = self.task.as_ref() == Some(search.task.as_ref());
        self.views.run.get().filter(|_| is_looked_at)
    }

    /// What the open model reads.
    pub fn language(&self) -> Language {
        let model = self.views.model.get();
        model.map_or(Language::default(), |model| model.config.language)
    }

    fn watch(&mut self) {
        let sum = self.sum.as_ref().ok().copied();
        self.send(ExecutorCommand::Watch(sum, Some(self.programs())));
    }

    /// The programs the slice goes through: those chosen, else the sum's solution and two others spread
    /// over the range.
    pub fn programs(&self) -> Triple {
        let (language, count) = (self.language(), self.language().code_count());
        let solution = self.sum.as_ref().map_or(Code::Add(0), |sum| sum.solution());
        let at = language.index_of(solution).unwrap_or_default();
        let on = |thirds: usize| {
            let code = language.code_at((at + thirds * count / 3) % count);
            code.unwrap_or(solution)
        };
        let is_known = |code: &Code| language.index_of(*code).is_some();
        let known = self.slice.filter(|slice| slice.iter().all(is_known));
        known.unwrap_or([0, 1, 2].map(on))
    }

    /// Shows the slice through these programs.
    pub fn slice_through(&mut self, programs: Triple) {
        self.slice = Some(programs);
        self.watch();
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
                self.send(ExecutorCommand::Train {
                    start: Start::Fresh(Box::new(config)),
                    out,
                    limit,
                });
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Begins a run, changes its pace or ends it.
    pub fn order(&mut self, order: PaceOrder) {
        let pace = self.views.training.get().and_then(|run| run.pace);
        self.pending.give(order, pace, &self.client);
        match order {
            PaceOrder::Train => self.begin_run(),
            PaceOrder::Pace(pace) => self.send(ExecutorCommand::Pace(pace)),
            PaceOrder::Stop => self.send(ExecutorCommand::Stop),
        }
    }

    /// True if a search can begin.
    pub fn can_solve(&self) -> bool {
        let search = self.views.search.get();
        let is_on = search.is_some_and(|search| !search.ended);
        self.sum.is_ok() && self.strategy().is_some() && !is_on
    }

    /// Takes back what went wrong with an order: its settings are being changed.
    pub fn forgive(&mut self) {
        self.client.forgive(System::Executor, Cause::Order);
    }

    /// Begins a search for the sum's program.
    pub fn solve(&mut self) {
        if let (Some(task), Some(strategy)) = (self.looked_for(), self.strategy()) {
            let SearchForm {
                budget,
                seed,
                pause_secs,
                ..
            } = self.search;
            let is_chained = task.lines() > 1;
            let model = self.views.model.get();
            if is_chained && model.is_some_and(|model| model.config.lines == 1) {
                self.say("this model was trained on single lines".into(), false);
            }
            let pause = Duration::from_secs_f32(pause_secs);
            self.send(ExecutorCommand::Search(SearchOrder::Begin(SolveRequest {
                task,
                strategy,
                budget,
                seed,
                pause,
                between: StatePassing::Latent,
            })));
        }
    }

    /// Changes the search's pace, or ends it.
    pub fn search_pace(&mut self, pace: Option<Pace>) {
        self.send(ExecutorCommand::Search(match pace {
            Some(pace) => SearchOrder::Pace(pace),
            None => SearchOrder::End,
        }));
    }

    /// Takes the search's last evaluation back.
    pub fn undo(&mut self) {
        self.send(ExecutorCommand::Search(SearchOrder::Undo));
    }

    /// Shows another layer on the large map.
    pub fn show_layer(&mut self, layer: Layer) {
        if std::mem::replace(&mut self.layer, layer) != layer {
            let shows = !matches!(layer, Layer::Loss | Layer::Sure);
            self.send(ExecutorCommand::Search(SearchOrder::ShowPosterior(shows)));
        }
    }

    /// Judges the model on the held-out sums.
    pub fn judge(&mut self) {
        self.send(ExecutorCommand::Evaluate);
    }

    /// Opens a run's folder, or the bundled model where the path is empty.
    pub fn open(&mut self, path: &str) {
        self.open_source(if path.trim().is_empty() {
            Source::Bundled
        } else {
            Source::Run(path.trim().into())
        });
    }

    /// Opens a model the program brings along.
    pub fn open_bundled(&mut self, model: Bundled) {
        match model.source() {
            Ok(source) => self.open_source(source),
            Err(error) => self.fail(&error),
        }
    }

    /// Opens a model; what is open stays until it is there.
    pub fn open_source(&mut self, source: Source) {
        self.opening = Some(source.clone());
        self.send(ExecutorCommand::Open(source));
    }
}
