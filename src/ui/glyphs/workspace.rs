//! Open state of Code Glyphs: the function or picture that is shown, the channel, the path of a morph, the settings of
//! the next run.

use std::{path::PathBuf, sync::Arc};

use image::RgbImage;

use super::{
    background_tasks::{BackgroundTask, TaskResult},
    corpus::CorpusBuild,
    editor_text::{self, EditedFunction, FileFunctions, FunctionChoice},
};
use crate::{
    glyphs::{
        config::{GLYPH_PRESETS, GlyphsConfig},
        job::{GlyphsCommand, GlyphsEvent, GlyphsJob},
        views::{
            Blot, BlotKind, DistortionKinds, GlyphQuery, GlyphView, GlyphsViews, GridView,
            Neighbour, Subject, Tile,
        },
    },
    training::{Pace, RunCommand, RunEvent, checkpoint::Source},
    ui::{
        engine_client::{Cause, EngineClient, source_at},
        pending::{Pending, RunRequest},
        run_panel::RunForm,
        system::SystemPage,
    },
};

/// Glyphs in the live grid.
const GRID: usize = 64;
/// Neighbours in the list of the nearest functions.
const NEAREST: usize = 8;
/// Pictures of a morph.
const FRAMES: usize = 60;

/// Name of the folders of new runs.
const RUNS: &str = "glyphs";

const FIRST_FUNCTION: &str = "def clamp(value, low, high):
    if value < low:
        return low
    return min(value, high)
";

/// A path through functions and the pictures on the way.
#[derive(Clone, Debug, Default)]
pub struct MorphView {
    /// The functions, in order.
    pub path: Vec<Tile>,
    /// The pictures, when they are painted.
    pub frames: Option<Arc<Vec<RgbImage>>>,
    /// Index of the picture that is shown.
    pub at: usize,
    /// True while they are shown one after the other.
    pub is_playing: bool,
    /// Path to save them at, as typed; empty for a dialog.
    pub save_path: String,
}

/// Open state of Code Glyphs.
pub struct GlyphsWorkspace {
    /// Views the engine publishes.
    pub views: Arc<GlyphsViews>,
    /// The editor's text.
    pub text: String,
    /// The painted function of the text, or why there is none.
    pub function: Result<EditedFunction, String>,
    /// The last function that was painted: a text half typed keeps the choice.
    last_function: Option<EditedFunction>,
    /// A long file whose functions can be put into the editor.
    pub file_functions: Option<FileFunctions>,
    /// Picture to read in place of the function, with its file's name.
    pub picture: Option<(String, Arc<RgbImage>)>,
    /// Path of a picture or Python file to open, as typed.
    pub file_path: String,
    /// Path to save a glyph at, as typed; empty for a dialog.
    pub save_path: String,
    /// Difficulty of the channel, 0 to 15.
    pub difficulty: f64,
    /// Kinds of distortion of the channel.
    pub parts: DistortionKinds,
    /// Seed of the channel.
    pub seed: u64,
    /// Damage by hand.
    pub blots: Vec<Blot>,
    /// Kind of damage the pointer does.
    pub blot_kind: BlotKind,
    /// A function, and the functions nearest to it.
    pub nearest: Option<(Tile, Vec<Neighbour>)>,
    /// The morph.
    pub morph: MorphView,
    /// Settings of the next run.
    pub train: RunForm,
    /// Corpus of the next run, as typed.
    pub train_corpus: String,
    /// Highest learning rate, of the next run and of the one under way.
    pub learning_rate: f64,
    /// An order to the run that the engine hasn't followed yet.
    pub pending: Pending,
    /// The corpus being built for the next run.
    pub corpus_build: Option<CorpusBuild>,
    /// A run's folder to open, as typed.
    pub open_path: String,
    /// Model under way to be opened.
    opening: Option<Source>,
    /// The corpus of the grid; none for the bundled sample.
    corpus: Option<PathBuf>,
    /// The corpus of a run that is about to begin.
    next_corpus: Option<PathBuf>,
    grid_seed: u64,
    grid: Option<Arc<GridView>>,
}

impl Default for GlyphsWorkspace {
    fn default() -> Self {
        let mut workspace = Self {
            views: Arc::default(),
            text: String::new(),
            function: Err(String::new()),
            picture: None,
            last_function: None,
            file_functions: None,
            file_path: String::new(),
            save_path: String::new(),
            difficulty: 0.0,
            parts: DistortionKinds::ALL,
            seed: 0,
            blots: Vec::new(),
            blot_kind: BlotKind::Scrape,
            nearest: None,
            morph: MorphView::default(),
            train: RunForm::new(600.0),
            train_corpus: String::new(),
            learning_rate: preset_rate(0),
            pending: Pending::default(),
            corpus_build: None,
            open_path: String::new(),
            opening: None,
            corpus: None,
            next_corpus: None,
            grid_seed: 0,
            grid: None,
        };
        workspace.write(FIRST_FUNCTION.into());
        workspace
    }
}

/// Highest learning rate of a preset.
pub fn preset_rate(preset: usize) -> f64 {
    GlyphsConfig::preset(GLYPH_PRESETS[preset]).map_or(1e-3, |config| config.learning_rate)
}

impl GlyphsWorkspace {
    /// Puts another text into the editor.
    pub fn write(&mut self, text: String) {
        self.text = text;
        self.last_function = None;
        self.file_functions = None;
        self.read();
    }

    /// Parses the editor's text; true if there is another function to paint.
    pub fn read(&mut self) -> bool {
        let before = self.subject();
        self.function = editor_text::read(&self.text, self.last_function.as_ref());
        if let Ok(written) = &self.function {
            self.last_function = Some(written.clone());
        }
        self.picture = None;
        self.subject() != before
    }

    /// Functions to choose from, of the editor's text or of a long file, and the index of the chosen one; none where there
    /// is no choice.
    pub fn choices(&self) -> Option<(Vec<FunctionChoice>, usize)> {
        let (choices, chosen) = match (&self.file_functions, &self.function) {
            (Some(file_functions), _) => {
                let choices = file_functions
                    .functions
                    .iter()
                    .map(FunctionChoice::of)
                    .collect();
                (choices, file_functions.chosen)
            }
            (None, Ok(written)) => (written.choices.clone(), written.chosen),
            (None, Err(_)) => return None,
        };
        (choices.len() > 1).then_some((choices, chosen))
    }

    /// Chooses one of [`Self::choices`].
    pub fn choose(&mut self, number: usize, client: &EngineClient) {
        if let Some(file_functions) = &mut self.file_functions {
            if let Some(function) = file_functions.functions.get(number) {
                file_functions.chosen = number;
                self.text.clone_from(&function.source);
                self.last_function = None;
            }
        } else if let Some(written) = &mut self.last_function
            && let Some(choice) = written.choices.get(number)
        {
            written.name.clone_from(&choice.name);
            written.chosen = number;
        }
        self.read();
        self.ask_again(client);
    }

    /// Parts of the text or file that are not in the glyph, for display.
    pub fn left_out(&self) -> String {
        match (&self.file_functions, &self.function) {
            (Some(file_functions), _) => file_functions.left_out(),
            (None, Ok(written)) => written.left_out.clone(),
            (None, Err(_)) => String::new(),
        }
    }

    /// Opens a function in the editor.
    pub fn open_function(&mut self, text: &str, client: &EngineClient) {
        self.write(text.to_owned());
        self.ask_again(client);
    }

    /// Follows the engine: sends a new one the corpus to watch, and repeats the query once the model has moved.
    pub fn follow(&mut self, client: &mut EngineClient) {
        if !Arc::ptr_eq(&self.views, &client.glyphs) {
            self.views = client.glyphs.clone();
            self.watch(client);
            self.ask_again(client);
        }
        let grid = self.views.grid.get();
        if grid.as_ref().map(|grid| grid.step) != self.grid.as_ref().map(|grid| grid.step) {
            self.ask_again(client);
        }
        self.grid = grid;
    }

    fn subject(&self) -> Option<Subject> {
        match (&self.picture, &self.function) {
            (Some((_, picture)), _) => Some(Subject::Picture(picture.clone())),
            (None, Ok(written)) => Some(Subject::Function(written.source.clone())),
            (None, Err(_)) => None,
        }
    }

    fn question(&self) -> Option<GlyphQuery> {
        Some(GlyphQuery {
            subject: self.subject()?,
            difficulty: self.difficulty,
            parts: self.parts,
            seed: self.seed,
            blots: self.blots.clone(),
        })
    }

    /// Asks for the glyph of the function, or for the reading of the picture.
    pub fn ask_again(&self, client: &EngineClient) {
        if let Some(question) = self.question() {
            client.probe::<GlyphsJob>(question);
        }
    }

    /// The newest answer, if it is for the function or picture shown now, whatever the channel.
    pub fn answer(&self) -> Option<Arc<GlyphView>> {
        let answer = self.views.glyph.get()?;
        (Some(&answer.question.subject) == self.subject().as_ref()).then_some(answer)
    }

    /// Reason why there is no answer to the current query.
    pub fn refusal(&self) -> Option<String> {
        let refusal = self.views.invalid_input.get()?;
        (Some(&refusal.question) == self.question().as_ref()).then(|| refusal.why.clone())
    }

    /// The function shown with its glyph, once that is painted.
    pub fn tile(&self) -> Option<Tile> {
        let answer = self.answer()?;
        let written = self.function.as_ref().ok()?;
        matches!(answer.question.subject, Subject::Function(_)).then(|| Tile {
            name: written.name.clone(),
            text: written.source.clone(),
            origin: "the editor".into(),
            glyph: answer.glyph.clone(),
        })
    }

    fn watch(&self, client: &mut EngineClient) {
        client.send::<GlyphsJob>(GlyphsCommand::Watch {
            corpus: self.corpus.clone(),
            count: GRID,
            seed: self.grid_seed,
        });
    }

    /// Shows other functions in the grid.
    pub fn watch_others(&mut self, client: &mut EngineClient) {
        self.grid_seed += 1;
        self.watch(client);
    }

    /// Searches for the functions whose glyphs are nearest to that of the one in the editor.
    pub fn find_nearest(&mut self, client: &mut EngineClient) {
        if let Ok(written) = &self.function {
            client.send::<GlyphsJob>(GlyphsCommand::Near {
                function: written.source.clone(),
                corpus: self.corpus.clone(),
                count: NEAREST,
            });
        }
    }

    /// Appends a function to the path of the morph.
    pub fn append_to_path(&mut self, tile: Tile) {
        self.morph.path.push(tile);
    }

    /// Paints the morph along the path.
    pub fn paint_morph(&mut self, client: &mut EngineClient) {
        let functions = self.morph.path.iter().map(|tile| tile.text.clone());
        client.send::<GlyphsJob>(GlyphsCommand::Morph {
            functions: functions.collect(),
            frames: FRAMES,
        });
    }

    /// Begins a run with the form's settings and corpus.
    pub fn begin_run(&mut self, client: &mut EngineClient) {
        let form = &self.train;
        let corpus = PathBuf::from(self.train_corpus.trim());
        match GlyphsConfig::preset(GLYPH_PRESETS[form.preset]) {
            Ok(config) => {
                let config = GlyphsConfig {
                    seed: form.seed,
                    learning_rate: self.learning_rate,
                    ..config
                };
                let command = form.command(config, corpus.clone(), RUNS);
                client.send::<GlyphsJob>(command.into());
                self.next_corpus = Some(corpus);
            }
            Err(error) => report_error(client, format!("{error:#}")),
        }
    }

    /// Begins a run, changes its pace or ends it. Without a named corpus the default one is built first.
    pub fn order(
        &mut self,
        order: RunRequest,
        client: &mut EngineClient,
        tasks: &mut Vec<BackgroundTask>,
    ) {
        if order == RunRequest::Train && self.train_corpus.trim().is_empty() {
            let folder = self.train.folder(RUNS);
            let beside = folder.parent().map(PathBuf::from).unwrap_or_default();
            let build = self.corpus_build.insert(CorpusBuild::default());
            tasks.push(BackgroundTask::BuildCorpus(beside, build.clone()));
            return;
        }
        self.pending.give(order, self.pace(), client);
        match order {
            RunRequest::Train => self.begin_run(client),
            RunRequest::Pace(pace) => client.send::<GlyphsJob>(RunCommand::Pace(pace).into()),
            RunRequest::Stop => client.send::<GlyphsJob>(RunCommand::Stop.into()),
        }
    }

    /// Changes the learning rate of the run under way.
    pub fn change_rate(&self, client: &mut EngineClient) {
        let command = RunCommand::LearningRate(self.learning_rate);
        client.send::<GlyphsJob>(command.into());
    }

    /// Pace of the run under way, if there is one.
    pub fn pace(&self) -> Option<Pace> {
        self.views.run.pace()
    }

    /// Opens a run's folder, or the bundled model where the path is empty.
    pub fn open(&mut self, path: &str, client: &mut EngineClient) {
        let source = source_at(path);
        self.opening = Some(source.clone());
        client.send::<GlyphsJob>(RunCommand::Open(source).into());
    }

    /// Handles an event of the engine.
    pub fn on_event(&mut self, event: GlyphsEvent, client: &mut EngineClient) {
        match event {
            GlyphsEvent::Run(event) => {
                self.pending.on_event(&event);
                if let Some(text) = event.text() {
                    client.set_status(SystemPage::Glyphs, text);
                }
                if let RunEvent::Opened(_) = event
                    && let Some(source) = self.opening.take()
                {
                    client.glyphs_source = source;
                }
                if let RunEvent::Started(_) = event {
                    // The grid shows the corpus of the run.
                    self.corpus = self.next_corpus.take().or(self.corpus.take());
                    self.watch(client);
                }
                if let RunEvent::Opened(_) | RunEvent::Started(_) | RunEvent::Trained(_) = event {
                    self.ask_again(client);
                }
            }
            GlyphsEvent::Morphed(frames) => {
                self.morph.frames = Some(Arc::new(frames));
                self.morph.at = 0;
            }
            GlyphsEvent::Found(tile, nearest) => {
                self.nearest = Some((tile, nearest));
            }
            GlyphsEvent::Encoded(_) | GlyphsEvent::Decoded(_) => {}
        }
    }

    /// Handles the result of a background task.
    pub fn on_task_done(&mut self, result: TaskResult, client: &mut EngineClient) {
        match result {
            TaskResult::Picture(name, picture) => {
                self.picture = Some((name, picture));
                self.ask_again(client);
            }
            TaskResult::Source(text) => self.open_function(&text, client),
            TaskResult::Functions(file, functions) => {
                self.write(String::new());
                self.file_functions = Some(FileFunctions {
                    file,
                    functions,
                    chosen: 0,
                });
                self.choose(0, client);
            }
            TaskResult::Run(folder) => {
                self.open_path = folder.display().to_string();
                self.open(&folder.display().to_string(), client);
            }
            TaskResult::Corpus(path) => self.train_corpus = path.display().to_string(),
            TaskResult::Built(build, built) => {
                // A cancelled build has no result.
                let is_current = |current: &CorpusBuild| current.is_same(&build);
                if self.corpus_build.as_ref().is_some_and(is_current) {
                    self.corpus_build = None;
                    match built {
                        Ok(path) => {
                            self.train_corpus = path.display().to_string();
                            self.pending.give(RunRequest::Train, None, client);
                            self.begin_run(client);
                        }
                        Err(why) => report_error(client, why),
                    }
                }
            }
            TaskResult::Wrote(text) => client.set_status(SystemPage::Glyphs, text),
            TaskResult::Failed(why) => report_error(client, why),
        }
    }
}

fn report_error(client: &mut EngineClient, text: String) {
    client.report_error(SystemPage::Glyphs, Cause::Order, text);
}
