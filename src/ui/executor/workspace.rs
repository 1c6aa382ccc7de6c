//! Open state of the Latent Executor: the typed sum, the place pointed at, settings of the next run and search.

use std::{sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    bundled::Bundled,
    layers::Layer,
    pointing::{Pointing, SlicePoint},
};
use crate::{
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    executor::{
        command::{can_propose, default_strategy},
        config::{ExecutorConfig, PRESETS},
        job::{ExecutorCommand, ExecutorEvent, ExecutorJob, SearchOrder, SolveRequest},
        programs::StatePassing,
        system::ExecutorSystem,
        views::{ExecutorViews, PointAnswer, ProgramRun, Triple},
    },
    latent::search::{Method, Strategy},
    training::{EventOf, Pace, RunCommand, RunEvent, checkpoint::Source},
    ui::{
        engine_client::{Cause, EngineClient, source_at},
        pending::{Pending, RunRequest},
        run_panel::RunForm,
        system::SystemPage,
    },
};

/// Settings of the next search.
#[derive(Clone, Debug)]
pub struct SearchForm {
    /// Search method.
    pub method: Method,
    /// True for a start from the inverse encoder's proposals.
    pub is_warm: bool,
    /// Maximum number of evaluations.
    pub budget: usize,
    /// Seed.
    pub seed: u64,
    /// Seconds between two evaluations.
    pub pause_secs: f32,
}

/// Open state of the Latent Executor.
pub struct ExecutorWorkspace {
    /// Views the engine publishes.
    pub views: Arc<ExecutorViews>,
    /// The sum as typed.
    pub sum_text: String,
    /// The sum, or why it can't be read; of a program of several lines its first example.
    pub sum: Result<Sum, String>,
    /// The program searched for, if it has several lines or examples.
    pub task: Option<Task>,
    /// Bundled model that holds the typed sum where the open one doesn't.
    pub offer: Option<Bundled>,
    /// The place pointed at, and the pins.
    pub pointing: Pointing,
    /// Model under way to be opened.
    opening: Option<Source>,
    /// Chosen programs of the slice of a space of more than two dimensions.
    slice: Option<Triple>,
    /// Settings of the next run.
    pub train: RunForm,
    /// An order to the run that the engine hasn't followed yet.
    pub pending: Pending,
    /// Settings of the next search.
    pub search: SearchForm,
    /// Layer of the large map.
    pub layer: Layer,
    /// Path of a run's folder to open, as typed.
    pub open_path: String,
}

impl ExecutorWorkspace {
    /// Workspace of the engine's bundled model.
    pub fn new(client: &mut EngineClient) -> Self {
        let sum = Sum {
            start: 71,
            result: 18,
        };
        let workspace = Self {
            views: client.executor.clone(),
            sum_text: sum.to_string(),
            sum: Ok(sum),
            task: None,
            offer: None,
            pointing: Pointing::default(),
            opening: None,
            slice: None,
            train: RunForm::new(60.0),
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
        workspace.watch(client);
        workspace
    }

    /// Follows the client to a new engine, with the model that is open.
    pub fn on_engine_started(&mut self, client: &mut EngineClient) {
        self.views = client.executor.clone();
        self.layer = Layer::Loss;
        self.pointing.forget_clicks();
        self.watch(client);
        self.ask_again(client);
    }

    /// Handles an event of the engine.
    pub fn on_event(&mut self, event: ExecutorEvent, client: &mut EngineClient) {
        match event {
            ExecutorEvent::Run(event) => self.on_run_event(&event, client),
            ExecutorEvent::Solved(view) => {
                let found = match view.solved {
                    Some(_) => "found",
                    None => "not found",
                };
                let text = format!("{}: {found} in {} evaluations", view.task, view.spent);
                client.set_status(SystemPage::Executor, text);
            }
            ExecutorEvent::Decoded(answer) => self.pointing.on_decoded(answer),
            ExecutorEvent::Mapped(_) | ExecutorEvent::Compared(_) => {}
        }
    }

    fn on_run_event(&mut self, event: &EventOf<ExecutorSystem>, client: &mut EngineClient) {
        self.pending.on_event(event);
        let text = match event {
            RunEvent::Evaluated(report) => Some(format!(
                "{:.2} % of the held-out sums are exact",
                100.0 * report.held_out_exact
            )),
            event => event.text(),
        };
        if let Some(text) = text {
            client.set_status(SystemPage::Executor, text);
        }
        match event {
            RunEvent::Opened(_) => {
                if let Some(source) = self.opening.take() {
                    client.executor_source = source;
                }
                self.on_model_changed(client);
                // Another language has other programs for a slice.
                self.watch(client);
            }
            RunEvent::Started(_) => self.on_model_changed(client),
            _ => {}
        }
    }

    fn on_model_changed(&mut self, client: &mut EngineClient) {
        self.pointing.clear();
        self.choose_strategy();
        self.read_sum(client);
    }

    /// Sets the search to the open model's default strategy, without proposals it doesn't make.
    fn choose_strategy(&mut self) {
        if let Some(model) = self.views.run.model.get() {
            let Strategy { method, is_warm } = default_strategy(&model.config);
            (self.search.method, self.search.is_warm) = (method, is_warm);
        }
    }

    /// True where the open model proposes programs for the task.
    pub fn has_proposals(&self) -> bool {
        let (model, task) = (self.views.run.model.get(), self.task_to_solve());
        model.is_some_and(|model| can_propose(&model.config, task.as_ref()))
    }

    /// Search strategy of the form, without proposals where there are none; `None` where it needs them.
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

    fn send(&self, command: ExecutorCommand, client: &mut EngineClient) {
        client.send::<ExecutorJob>(command);
    }

    fn report_error(&self, error: &anyhow::Error, client: &mut EngineClient) {
        client.report_error(SystemPage::Executor, Cause::of(error), format!("{error:#}"));
    }

    /// Parses the typed sum; a new one gets its map.
    pub fn read_sum(&mut self, client: &mut EngineClient) {
        let examples = self.sum_text.split([';', ',']).map(str::parse);
        let typed = examples
            .collect::<Result<Vec<Task>, _>>()
            .and_then(Task::all_of);
        let language = self.language();
        self.offer = typed.as_ref().ok().and_then(|task| self.offer_for(task));
        let task = typed.and_then(|task| task.check(language).map(|()| task));
        let read = match &task {
            Ok(task) => Ok(task.examples[0]),
            Err(error) => Err(error.to_string()),
        };
        self.task = task.ok().filter(|task| *task != task.examples[0].into());
        if read != self.sum {
            self.sum = read;
            self.watch(client);
            self.ask_again(client);
        }
    }

    /// The bundled model to open for a task that the open one doesn't hold, or was trained on fewer lines.
    fn offer_for(&self, task: &Task) -> Option<Bundled> {
        let model = self.views.run.model.get()?;
        let is_held = task.check(model.config.language).is_ok()
            && (task.lines() == 1 || model.config.lines > 1);
        Bundled::holding(task).filter(|_| !is_held)
    }

    /// The task to solve: the typed sum, if it can be read.
    pub fn task_to_solve(&self) -> Option<Task> {
        let sum = self.sum.as_ref().ok()?;
        Some(self.task.clone().unwrap_or((*sum).into()))
    }

    /// Run of the search's best program of several lines, while its task is the typed one.
    pub fn run(&self) -> Option<Arc<ProgramRun>> {
        let search = self.views.search.get()?;
        let is_current = self.task.as_ref() == Some(search.task.as_ref());
        self.views.program_run.get().filter(|_| is_current)
    }

    /// Language of the open model.
    pub fn language(&self) -> Language {
        let model = self.views.run.model.get();
        model.map_or(Language::default(), |model| model.config.language)
    }

    fn watch(&self, client: &mut EngineClient) {
        let sum = self.sum.as_ref().ok().copied();
        self.send(ExecutorCommand::Watch(sum, Some(self.programs())), client);
    }

    /// Follows the engine: asks again once the model has moved.
    pub fn follow(&mut self, client: &EngineClient) {
        if self.pointing.is_outdated(&self.views) {
            self.ask_again(client);
        }
    }

    /// Asks for the program at a place of the latent space, with the cross at `cursor` if the place is on a map.
    pub fn ask(&mut self, cursor: Option<[f32; 2]>, place: Vec<f32>, client: &EngineClient) {
        if self.pointing.move_to(cursor, place) {
            self.ask_again(client);
        }
    }

    /// Repeats the last query.
    pub fn ask_again(&self, client: &EngineClient) {
        let sum = self.sum.as_ref().ok();
        if let Some(query) = sum.and_then(|sum| self.pointing.query(*sum)) {
            client.probe::<ExecutorJob>(query);
        }
    }

    /// Has the program at a place decoded and the answer pinned. A command, not a probe: moves of the pointer don't
    /// supersede it.
    pub fn pin(
        &mut self,
        place: Vec<f32>,
        on_slice: Option<SlicePoint>,
        client: &mut EngineClient,
    ) {
        if let Ok(sum) = self.sum {
            let query = self.pointing.click(place, on_slice, sum);
            self.send(ExecutorCommand::Decode(query), client);
        }
    }

    /// The answer for the place pointed at, once it is there.
    pub fn answer(&self) -> Option<Arc<PointAnswer>> {
        self.pointing.answer(&self.views, *self.sum.as_ref().ok()?)
    }

    /// The newest answer for the sum and the model; while the pointer moves it may be of a place before.
    pub fn last_answer(&self) -> Option<Arc<PointAnswer>> {
        self.pointing
            .last_answer(&self.views, *self.sum.as_ref().ok()?)
    }

    /// Programs the slice goes through: those chosen, else the sum's solution and two others spread
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
    pub fn slice_through(&mut self, programs: Triple, client: &mut EngineClient) {
        self.slice = Some(programs);
        self.watch(client);
    }

    /// Begins a run with the form's settings.
    pub fn begin_run(&mut self, client: &mut EngineClient) {
        match ExecutorConfig::preset(PRESETS[self.train.preset]) {
            Ok(config) => {
                let config = ExecutorConfig {
                    seed: self.train.seed,
                    ..config
                };
                let command = self.train.command(config, (), "executor");
                self.send(command.into(), client);
            }
            Err(error) => self.report_error(&error, client),
        }
    }

    /// Begins a run, changes its pace or ends it.
    pub fn order(&mut self, order: RunRequest, client: &mut EngineClient) {
        self.pending.give(order, self.views.run.pace(), client);
        match order {
            RunRequest::Train => self.begin_run(client),
            RunRequest::Pace(pace) => self.send(RunCommand::Pace(pace).into(), client),
            RunRequest::Stop => self.send(RunCommand::Stop.into(), client),
        }
    }

    /// True if a search can begin.
    pub fn can_solve(&self) -> bool {
        let search = self.views.search.get();
        let is_on = search.is_some_and(|search| !search.ended);
        self.sum.is_ok() && self.strategy().is_some() && !is_on
    }

    /// Begins a search for the sum's program.
    pub fn solve(&mut self, client: &mut EngineClient) {
        if let (Some(task), Some(strategy)) = (self.task_to_solve(), self.strategy()) {
            let SearchForm {
                budget,
                seed,
                pause_secs,
                ..
            } = self.search;
            let is_chained = task.lines() > 1;
            let model = self.views.run.model.get();
            if is_chained && model.is_some_and(|model| model.config.lines == 1) {
                let text = "this model was trained on single lines".into();
                client.set_status(SystemPage::Executor, text);
            }
            let pause = Duration::from_secs_f32(pause_secs);
            let order = SearchOrder::Begin(SolveRequest {
                task,
                strategy,
                budget,
                seed,
                pause,
                between: StatePassing::Latent,
            });
            self.send(ExecutorCommand::Search(order), client);
        }
    }

    /// Changes the search's pace, or ends it.
    pub fn search_pace(&mut self, pace: Option<Pace>, client: &mut EngineClient) {
        let order = pace.map_or(SearchOrder::End, SearchOrder::Pace);
        self.send(ExecutorCommand::Search(order), client);
    }

    /// Undoes the search's last evaluation.
    pub fn undo(&mut self, client: &mut EngineClient) {
        self.send(ExecutorCommand::Search(SearchOrder::Undo), client);
    }

    /// Shows another layer on the large map.
    pub fn show_layer(&mut self, layer: Layer, client: &mut EngineClient) {
        if std::mem::replace(&mut self.layer, layer) != layer {
            let shows = !matches!(layer, Layer::Loss | Layer::Sure);
            let order = SearchOrder::ShowPosterior(shows);
            self.send(ExecutorCommand::Search(order), client);
        }
    }

    /// Evaluates the model on the held-out sums.
    pub fn evaluate(&mut self, client: &mut EngineClient) {
        self.send(RunCommand::Evaluate(()).into(), client);
    }

    /// Opens a run's folder, or the bundled model where the path is empty.
    pub fn open(&mut self, path: &str, client: &mut EngineClient) {
        self.open_source(source_at(path), client);
    }

    /// Opens a bundled model.
    pub fn open_bundled(&mut self, model: Bundled, client: &mut EngineClient) {
        match model.source() {
            Ok(source) => self.open_source(source, client),
            Err(error) => self.report_error(&error, client),
        }
    }

    /// Opens a model; the open one stays until it is there.
    fn open_source(&mut self, source: Source, client: &mut EngineClient) {
        self.opening = Some(source.clone());
        self.send(RunCommand::Open(source).into(), client);
    }
}
