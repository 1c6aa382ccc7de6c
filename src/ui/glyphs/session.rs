//! What is open of Code Glyphs: the function or picture looked at, the channel, the path of a morph,
//! the settings of the next run.

use std::{path::PathBuf, sync::Arc};

use image::RgbImage;

use super::{
    background_tasks::{BackgroundTask, Done},
    corpus::Building,
    written::{self, FunctionChoice, Listed, Written},
};
use crate::{
    config::glyphs::{GLYPH_PRESETS, GlyphsConfig},
    engine::{pair::Either, run_folder::RunFolder},
    glyphs::{
        job::{GlyphsCommand, GlyphsEvent, RunOrder},
        views::{GlyphQuery, GlyphView, GlyphsViews, GridView, Neighbour, Subject, Tile},
    },
    nn::distortions::DistortionKinds,
    training::{Limit, Pace, Start, checkpoint::Source},
    ui::{app::System, engine_client::EngineClient, pending::Pending, widgets::PaceOrder},
};

/// Glyphs in the live grid.
const GRID: usize = 64;
/// Neighbours listed.
const NEAREST: usize = 8;
/// Pictures of a morph.
const FRAMES: usize = 60;

const FIRST_FUNCTION: &str = "def clamp(value, low, high):
    if value < low:
        return low
    return min(value, high)
";

/// Settings of the next run.
#[derive(Clone, Debug)]
pub struct GlyphsTrainForm {
    /// The corpus, as typed.
    pub corpus: String,
    /// Index in [`GLYPH_PRESETS`].
    pub preset: usize,
    /// Seconds of training.
    pub secs: f64,
    /// Seed of the run.
    pub seed: u64,
    /// Highest learning rate; of the run under way too.
    pub learning_rate: f64,
    /// The run's folder; empty for a new one in `runs`.
    pub out: String,
}

/// A path through functions and the pictures on the way.
#[derive(Clone, Debug, Default)]
pub struct MorphView {
    /// The functions, in order.
    pub path: Vec<Tile>,
    /// The pictures, when they are painted.
    pub frames: Option<Arc<Vec<RgbImage>>>,
    /// Which of them is shown.
    pub at: usize,
    /// Whether they are shown one after the other.
    pub is_playing: bool,
    /// Path to save them at, as typed; empty for a dialog.
    pub save_path: String,
}

/// What is open.
pub struct GlyphsUiSession {
    /// What the engine shows.
    pub views: Arc<GlyphsViews>,
    /// The editor's text.
    pub text: String,
    /// The function in it that is painted, or why there is none.
    pub written: Result<Written, String>,
    /// The last function that was painted: a text half typed keeps the choice.
    last_written: Option<Written>,
    /// A long file whose functions can be put into the editor.
    pub listed: Option<Listed>,
    /// A picture with its file's name, looked at in place of the function.
    pub picture: Option<(String, RgbImage)>,
    /// Path of a picture or Python file to open, as typed.
    pub file_path: String,
    /// Path to save a glyph at, as typed; empty for a dialog.
    pub save_path: String,
    /// Difficulty of the channel, 0 to 15.
    pub difficulty: f64,
    /// Its parts.
    pub parts: DistortionKinds,
    /// Seed of its draws.
    pub seed: u64,
    /// Functions near to another: it, and they.
    pub nearest: Option<(Tile, Vec<Neighbour>)>,
    /// The morph.
    pub morph: MorphView,
    /// Settings of the next run.
    pub train: GlyphsTrainForm,
    /// An order to the run that the engine hasn't followed yet.
    pub pending: Pending,
    /// The corpus being built for the next run.
    pub building: Option<Building>,
    /// A run's folder to open, as typed.
    pub open_path: String,
    /// The corpus of the grid; none for the bundled sample.
    corpus: Option<PathBuf>,
    /// The corpus of a run that is about to begin.
    next_corpus: Option<PathBuf>,
    grid_seed: u64,
    grid: Option<Arc<GridView>>,
}

impl Default for GlyphsUiSession {
    fn default() -> Self {
        let mut session = Self {
            views: Arc::default(),
            text: String::new(),
            written: Err(String::new()),
            picture: None,
            last_written: None,
            listed: None,
            file_path: String::new(),
            save_path: String::new(),
            difficulty: 0.0,
            parts: DistortionKinds::ALL,
            seed: 0,
            nearest: None,
            morph: MorphView::default(),
            train: GlyphsTrainForm {
                corpus: String::new(),
                preset: 0,
                secs: 600.0,
                seed: 0,
                learning_rate: preset_rate(0),
                out: String::new(),
            },
            pending: Pending::default(),
            building: None,
            open_path: String::new(),
            corpus: None,
            next_corpus: None,
            grid_seed: 0,
            grid: None,
        };
        session.write(FIRST_FUNCTION.into());
        session
    }
}

/// A preset's highest learning rate.
pub fn preset_rate(preset: usize) -> f64 {
    GlyphsConfig::preset(GLYPH_PRESETS[preset]).map_or(1e-3, |config| config.learning_rate)
}

impl GlyphsUiSession {
    /// Puts another text into the editor.
    pub fn write(&mut self, text: String) {
        self.text = text;
        self.last_written = None;
        self.listed = None;
        self.read();
    }

    /// Looks again at what stands in the editor; true if there is something else to paint.
    pub fn read(&mut self) -> bool {
        let before = self.subject();
        self.written = written::read(&self.text, self.last_written.as_ref());
        if let Ok(written) = &self.written {
            self.last_written = Some(written.clone());
        }
        self.picture = None;
        self.subject() != before
    }

    /// The functions to choose from, of the editor's text or of a long file, and the number of the one chosen; none where
    /// there is no choice.
    pub fn choices(&self) -> Option<(Vec<FunctionChoice>, usize)> {
        let (choices, chosen) = match (&self.listed, &self.written) {
            (Some(listed), _) => {
                let choices = listed.functions.iter().map(FunctionChoice::of).collect();
                (choices, listed.chosen)
            }
            (None, Ok(written)) => (written.choices.clone(), written.chosen),
            (None, Err(_)) => return None,
        };
        (choices.len() > 1).then_some((choices, chosen))
    }

    /// Chooses one of [`Self::choices`].
    pub fn choose(&mut self, number: usize, client: &EngineClient) {
        if let Some(listed) = &mut self.listed {
            if let Some(function) = listed.functions.get(number) {
                listed.chosen = number;
                self.text.clone_from(&function.source);
                self.last_written = None;
            }
        } else if let Some(written) = &mut self.last_written
            && let Some(choice) = written.choices.get(number)
        {
            written.name.clone_from(&choice.name);
            written.chosen = number;
        }
        self.read();
        self.ask_again(client);
    }

    /// Parts of what was written or opened that are not in the glyph, for people.
    pub fn left_out(&self) -> String {
        match (&self.listed, &self.written) {
            (Some(listed), _) => listed.left_out(),
            (None, Ok(written)) => written.left_out.clone(),
            (None, Err(_)) => String::new(),
        }
    }

    /// Opens a function in the editor.
    pub fn open_function(&mut self, text: &str, client: &EngineClient) {
        self.write(text.to_owned());
        self.ask_again(client);
    }

    /// Keeps up with the engine: a new one is told what to show, and the glyph follows the model.
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
        match (&self.picture, &self.written) {
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
        })
    }

    /// Asks what becomes of what is looked at.
    pub fn ask_again(&self, client: &EngineClient) {
        if let Some(question) = self.question() {
            client.probe(Either::Second(question));
        }
    }

    /// The newest answer, if it is about what is looked at now, whatever the channel.
    pub fn answer(&self) -> Option<Arc<GlyphView>> {
        let answer = self.views.glyph.get()?;
        (Some(&answer.question.subject) == self.subject().as_ref()).then_some(answer)
    }

    /// Why there is no answer to the question asked now.
    pub fn refusal(&self) -> Option<String> {
        let refusal = self.views.invalid_input.get()?;
        (Some(&refusal.question) == self.question().as_ref()).then(|| refusal.why.clone())
    }

    /// The function looked at with its glyph, once that is painted.
    pub fn tile(&self) -> Option<Tile> {
        let answer = self.answer()?;
        let written = self.written.as_ref().ok()?;
        matches!(answer.question.subject, Subject::Function(_)).then(|| Tile {
            name: written.name.clone(),
            text: written.source.clone(),
            origin: "the editor".into(),
            glyph: answer.glyph.clone(),
        })
    }

    fn watch(&self, client: &mut EngineClient) {
        client.send(Either::Second(GlyphsCommand::Watch {
            corpus: self.corpus.clone(),
            count: GRID,
            seed: self.grid_seed,
        }));
    }

    /// Shows other functions in the grid.
    pub fn watch_others(&mut self, client: &mut EngineClient) {
        self.grid_seed += 1;
        self.watch(client);
    }

    /// Looks for the functions whose glyphs are nearest to that of the one in the editor.
    pub fn look_near(&mut self, client: &mut EngineClient) {
        if let Ok(written) = &self.written {
            client.send(Either::Second(GlyphsCommand::Near {
                function: written.source.clone(),
                corpus: self.corpus.clone(),
                count: NEAREST,
            }));
        }
    }

    /// Lays a function into the path of the morph, at its end.
    pub fn lay(&mut self, tile: Tile) {
        self.morph.path.push(tile);
    }

    /// Paints the way through the path.
    pub fn paint_morph(&mut self, client: &mut EngineClient) {
        let functions = self.morph.path.iter().map(|tile| tile.text.clone());
        client.send(Either::Second(GlyphsCommand::Morph {
            functions: functions.collect(),
            frames: FRAMES,
        }));
    }

    /// Begins a run with what the form says, on the corpus it names.
    pub fn begin_run(&mut self, client: &mut EngineClient) {
        let form = &self.train;
        let corpus = PathBuf::from(form.corpus.trim());
        let out = self.run_folder();
        match GlyphsConfig::preset(GLYPH_PRESETS[form.preset]) {
            Ok(config) => {
                let config = GlyphsConfig {
                    seed: form.seed,
                    learning_rate: form.learning_rate,
                    ..config
                };
                client.send(Either::Second(GlyphsCommand::Train {
                    start: Start::Fresh(Box::new(config)),
                    corpus: corpus.clone(),
                    out,
                    limit: Limit::Seconds(form.secs),
                }));
                self.next_corpus = Some(corpus);
            }
            Err(error) => client.say(System::Glyphs, format!("{error:#}"), true),
        }
    }

    /// The folder of the next run.
    fn run_folder(&self) -> PathBuf {
        match self.train.out.trim() {
            "" => RunFolder::unused(&PathBuf::from("runs").join("glyphs")),
            path => path.into(),
        }
    }

    /// Begins a run, changes its pace or ends it. Where no corpus is named, one is made first.
    pub fn order(
        &mut self,
        order: PaceOrder,
        client: &mut EngineClient,
        tasks: &mut Vec<BackgroundTask>,
    ) {
        if order == PaceOrder::Train && self.train.corpus.trim().is_empty() {
            let folder = self.run_folder();
            let beside = folder.parent().map(PathBuf::from).unwrap_or_default();
            let building = self.building.insert(Building::default());
            tasks.push(BackgroundTask::BuildCorpus(beside, building.clone()));
            return;
        }
        self.pending.give(order, self.pace(), client);
        match order {
            PaceOrder::Train => self.begin_run(client),
            PaceOrder::Pace(pace) => {
                client.send(Either::Second(GlyphsCommand::Run(RunOrder::Pace(pace))))
            }
            PaceOrder::Stop => client.send(Either::Second(GlyphsCommand::Run(RunOrder::Stop))),
        }
    }

    /// Changes the learning rate of the run under way.
    pub fn change_rate(&self, client: &mut EngineClient) {
        let order = RunOrder::LearningRate(self.train.learning_rate);
        client.send(Either::Second(GlyphsCommand::Run(order)));
    }

    /// How fast the run under way goes on, if there is one.
    pub fn pace(&self) -> Option<Pace> {
        self.views.training.get().and_then(|run| run.pace)
    }

    /// Opens a run's folder, or the bundled model where the path is empty.
    pub fn open(&mut self, path: &str, client: &mut EngineClient) {
        let source = match path.trim() {
            "" => Source::Bundled,
            path => Source::Run(path.into()),
        };
        client.glyphs_source = source.clone();
        client.send(Either::Second(GlyphsCommand::Open(source)));
    }

    /// Takes in what the engine reports.
    pub fn hear(&mut self, event: GlyphsEvent, client: &mut EngineClient) {
        match event {
            GlyphsEvent::Opened(name) => {
                client.say(System::Glyphs, format!("opened {name}"), false);
                self.ask_again(client);
            }
            GlyphsEvent::Started(folder) => {
                self.pending.started();
                let text = format!("training into {}", folder.display());
                client.say(System::Glyphs, text, false);
                // What is trained on is what one wants to see.
                self.corpus = self.next_corpus.take().or(self.corpus.take());
                self.watch(client);
                self.ask_again(client);
            }
            GlyphsEvent::Saved(place) => {
                client.say(System::Glyphs, format!("saved {}", place.display()), false)
            }
            GlyphsEvent::Trained(steps) => {
                self.pending.ended();
                client.say(System::Glyphs, format!("trained {steps} steps"), false);
                self.ask_again(client);
            }
            GlyphsEvent::Morphed(frames) => {
                self.morph.frames = Some(Arc::new(frames));
                self.morph.at = 0;
            }
            GlyphsEvent::Found(tile, nearest) => {
                self.nearest = Some((tile, nearest));
            }
            GlyphsEvent::Encoded(_) | GlyphsEvent::Decoded(_) | GlyphsEvent::Evaluated(_) => {}
        }
    }

    /// Takes in what became of an errand.
    pub fn take(&mut self, done: Done, client: &mut EngineClient) {
        match done {
            Done::Picture(name, picture) => {
                self.picture = Some((name, picture));
                self.ask_again(client);
            }
            Done::Source(text) => self.open_function(&text, client),
            Done::Functions(file, functions) => {
                self.write(String::new());
                self.listed = Some(Listed {
                    file,
                    functions,
                    chosen: 0,
                });
                self.choose(0, client);
            }
            Done::Run(folder) => {
                self.open_path = folder.display().to_string();
                self.open(&folder.display().to_string(), client);
            }
            Done::Corpus(path) => self.train.corpus = path.display().to_string(),
            Done::Built(building, built) => {
                // One that was called off has nothing to say.
                let is_ours = |ours: &Building| ours.is(&building);
                if self.building.as_ref().is_some_and(is_ours) {
                    self.building = None;
                    match built {
                        Ok(path) => {
                            self.train.corpus = path.display().to_string();
                            self.pending.give(PaceOrder::Train, None, client);
                            self.begin_run(client);
                        }
                        Err(why) => client.say(System::Glyphs, why, true),
                    }
                }
            }
            Done::Wrote(text) => client.say(System::Glyphs, text, false),
            Done::Failed(why) => client.say(System::Glyphs, why, true),
        }
    }
}
