//! Code Glyphs on the engine's thread: how training, judging, grids and questions share the device.
//! Each gets one slice a round, so none starves and a question waits for one slice of each at most.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use image::RgbImage;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

pub use super::command::{GlyphsCommand, GlyphsEvent};
use super::{
    config::{GLYPH_PRESETS, GlyphsConfig},
    corpus_functions::{self, CorpusFunction},
    image_io::{fit, squeezed},
    inference::GlyphReader,
    morph::MorphPath,
    pages,
    system::GlyphsSystem,
    views::{GlyphQuery, GlyphView, GlyphsViews, GridView, InvalidInput, Neighbour, Subject},
};
use crate::{
    data::corpus::Corpus,
    device::Chosen,
    embedder::Embedding,
    engine::{Job, Work},
    nn::distortions::DistortionBatch,
    training::{Change, RunViews, SystemJob, WorkView, Worker, checkpoint::Source},
};

/// Functions a slice.
const SLICE: usize = 32;
/// Interval between two pictures of the grid while a run trains.
const GRID_EVERY: Duration = Duration::from_millis(500);

/// The job.
pub struct GlyphsJob {
    worker: Worker<GlyphsSystem>,
    views: Arc<GlyphsViews>,
    nearest_query: Option<NearestQuery>,
    morph: Option<MorphTask>,
    grid: Vec<CorpusFunction>,
    grid_from: Instant,
    is_grid_due: bool,
}

/// A search for the nearest glyphs.
struct NearestQuery {
    function: CorpusFunction,
    embedding: Embedding,
    among: Vec<CorpusFunction>,
    done: usize,
    nearest: Vec<Neighbour>,
    count: usize,
}

/// A morph under way.
struct MorphTask {
    reader: Arc<GlyphReader>,
    path: MorphPath,
    painted: Vec<RgbImage>,
}

impl GlyphsJob {
    /// The job, which compiles most of training's kernels on a GPU while there is nothing else to do.
    pub fn warming_up(mut self) -> Self {
        let config = GlyphsConfig::preset(GLYPH_PRESETS[0]);
        self.worker.compile_ahead(config, || {
            let folder = tempfile::tempdir().context("can't make a temporary folder")?;
            let path = corpus_functions::sample_corpus(folder.path(), &mut || true)?;
            Ok(Arc::new(Corpus::open(&path)?))
        });
        self
    }

    /// Follows another model: what is watched is put into its tokens, and a search among the glyphs of the one before is
    /// given up.
    fn follow_model(&mut self) {
        let reader = self.worker.snapshot();
        for function in &mut self.grid {
            function.tokens = reader.bpe.encode(&function.text);
        }
        let limit = reader.config.max_tokens;
        self.grid.retain(|function| function.tokens.len() <= limit);
        self.is_grid_due = true;
        if self.nearest_query.take().is_some() {
            self.views.run.work.clear();
        }
    }

    /// Follows a change of the model or the run; returns true if there was one.
    fn follow(&mut self, change: Result<Option<Change>>) -> Result<bool> {
        let change = change?;
        match change {
            Some(Change::Opened) => {
                self.follow_model();
                self.views.glyph.clear();
            }
            Some(Change::Started) => self.follow_model(),
            Some(Change::Pace | Change::Ended) => self.is_grid_due = true,
            Some(Change::Step) => {
                self.is_grid_due |= !self.grid.is_empty() && self.grid_from.elapsed() >= GRID_EVERY;
            }
            None => {}
        }
        Ok(change.is_some())
    }

    /// Paints the functions that are watched, if they are out of date and training leaves the time.
    fn grid_slice(&mut self) -> Result<bool> {
        if !self.is_grid_due || self.grid.is_empty() || !self.worker.run.are_views_due() {
            return Ok(false);
        }
        let begun = Instant::now();
        let reader = self.worker.current();
        let rows: Vec<_> = self.grid.iter().map(|f| f.tokens.clone()).collect();
        let glyphs = reader.glyphs(&rows)?;
        let tiles = self.grid.iter().zip(glyphs).map(|(f, glyph)| f.tile(glyph));
        self.views.grid.put(GridView {
            step: reader.progress.step,
            tiles: tiles.collect(),
        });
        self.is_grid_due = false;
        self.grid_from = begun;
        self.worker.run.views_drawn(begun);
        Ok(true)
    }

    fn nearest_slice(&mut self, events: &mut Vec<GlyphsEvent>) -> Result<bool> {
        let Some(nearest_query) = &mut self.nearest_query else {
            return Ok(false);
        };
        let last = (nearest_query.done + SLICE).min(nearest_query.among.len());
        let slice = &nearest_query.among[nearest_query.done..last];
        let rows: Vec<_> = slice.iter().map(|f| f.tokens.clone()).collect();
        let glyphs = self.worker.snapshot().glyphs(&rows)?;
        let embeddings = self.worker.snapshot().embeddings(&glyphs)?;
        for ((function, glyph), embedding) in slice.iter().zip(glyphs).zip(embeddings) {
            let distance = (1.0 - embedding.cosine(&nearest_query.embedding)).max(0.0);
            let tile = function.tile(glyph);
            nearest_query.nearest.push(Neighbour { tile, distance });
        }
        nearest_query
            .nearest
            .sort_by(|a, b| a.distance.total_cmp(&b.distance));
        nearest_query.nearest.truncate(nearest_query.count);
        nearest_query.done = last;
        self.views.run.work.put(WorkView {
            what: format!("looking at {} glyphs", nearest_query.among.len()),
            done: last as f64 / nearest_query.among.len() as f64,
        });
        if last == nearest_query.among.len()
            && let Some(nearest_query) = self.nearest_query.take()
        {
            let glyph = self
                .worker
                .snapshot()
                .glyph(&nearest_query.function.tokens)?;
            events.push(GlyphsEvent::Found(
                nearest_query.function.tile(glyph),
                nearest_query.nearest,
            ));
        }
        Ok(true)
    }

    fn morph_slice(&mut self, events: &mut Vec<GlyphsEvent>) -> Result<bool> {
        let Some(morph) = &mut self.morph else {
            return Ok(false);
        };
        let (first, all) = (morph.painted.len(), morph.path.frames);
        let last = (first + SLICE).min(all);
        let some = morph.reader.morph_frames(&morph.path, first..last)?;
        morph.painted.extend(some);
        self.views.run.work.put(WorkView {
            what: format!("painting {all} pictures"),
            done: last as f64 / all.max(1) as f64,
        });
        if last == all
            && let Some(morph) = self.morph.take()
        {
            self.views.run.work.clear();
            events.push(GlyphsEvent::Morphed(morph.painted));
        }
        Ok(true)
    }

    fn answer(&mut self, question: GlyphQuery) -> Result<GlyphView> {
        let reader = self.worker.current();
        let (glyph, tokens) = match &question.subject {
            Subject::Function(text) => {
                let tokens = reader.tokens(text)?;
                (reader.glyph(&tokens)?, Some(tokens))
            }
            Subject::Picture(picture) => (squeezed(picture), None),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(question.seed);
        let distortions = DistortionBatch::sample(&[question.difficulty], question.parts, &mut rng);
        let mut distorted = reader.distorted(std::slice::from_ref(&glyph), &distortions)?;
        for blot in &question.blots {
            distorted.iter_mut().for_each(|picture| blot.put(picture));
        }
        let is_whole = question.difficulty == 0.0 && question.blots.is_empty();
        let read = match &question.subject {
            Subject::Picture(picture) if is_whole => reader.read_photo(picture)?,
            _ => reader.read(&distorted)?,
        };
        let count = read.len();
        let mut distorted = distorted.into_iter().zip(read);
        let (distorted, read) = distorted.next().context("a picture was read")?;
        let is_hidden = |place: [f32; 2]| {
            let is_covered = || question.blots.iter().any(|blot| blot.covers(place));
            place.iter().any(|x| x.abs() > 1.0) || is_covered()
        };
        let cells = reader.cell_views(&read, is_hidden);
        Ok(GlyphView {
            question,
            glyph,
            distorted,
            cells,
            bits: reader.bits(&read),
            reading: reader.spell(read),
            count,
            tokens,
        })
    }

    fn tokens(&self, functions: &[String]) -> Result<Vec<Vec<u32>>> {
        let tokens = |text: &String| {
            let tokens = self.worker.snapshot().tokens(text);
            tokens.with_context(|| head(text))
        };
        functions.iter().map(tokens).collect()
    }
}

impl SystemJob for GlyphsJob {
    type System = GlyphsSystem;
    type Views = GlyphsViews;

    fn on(chosen: Chosen, source: &Source, views: Arc<GlyphsViews>) -> Result<Self> {
        Ok(Self {
            worker: Worker::new(chosen, source, views.run.clone())?,
            views,
            nearest_query: None,
            morph: None,
            grid: Vec::new(),
            grid_from: Instant::now(),
            is_grid_due: false,
        })
    }

    fn run_views(views: &GlyphsViews) -> &RunViews<GlyphsConfig> {
        &views.run
    }
}

impl Job for GlyphsJob {
    type Command = GlyphsCommand;
    type Probe = GlyphQuery;
    type Event = GlyphsEvent;

    fn command(&mut self, command: GlyphsCommand, events: &mut Vec<GlyphsEvent>) -> Result<()> {
        match command {
            GlyphsCommand::Run(command) => {
                let change = self.worker.command(command, events);
                self.follow(change)?;
            }
            GlyphsCommand::Watch {
                corpus,
                count,
                seed,
            } => {
                let mut functions =
                    corpus_functions::for_model(self.worker.snapshot(), corpus.as_deref())?;
                functions.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                functions.truncate(count);
                functions.sort_by_key(|function| function.tokens.len());
                self.grid = functions;
                self.worker.run.is_watched = true;
                self.is_grid_due = true;
            }
            GlyphsCommand::Encode { functions, size } => {
                let reader = self.worker.current();
                let pages = |text: &String| reader.pages(text).with_context(|| head(text));
                let pages: Vec<_> = functions.iter().map(pages).collect::<Result<_>>()?;
                let mut painted = reader.paint(&pages.concat(), size)?.into_iter();
                let pictures = pages.iter().map(|pages| {
                    let mut glyphs: Vec<_> = painted.by_ref().take(pages.len()).collect();
                    match glyphs.len() {
                        1 => glyphs.remove(0),
                        _ => pages::sheet(&glyphs),
                    }
                });
                events.push(GlyphsEvent::Encoded(pictures.collect()));
            }
            GlyphsCommand::Decode(pictures) => {
                let read = self.worker.current().read_verified(&pictures)?;
                events.push(GlyphsEvent::Decoded(read));
            }
            GlyphsCommand::DecodePhoto(picture) => {
                let reader = self.worker.current();
                let read = match reader.config.parity > 0.0 {
                    true => {
                        let read = reader.read_photo(&picture)?.into_iter();
                        read.map(|read| reader.spell(read)).collect()
                    }
                    false => reader.read_verified(&[fit(&picture)?])?,
                };
                events.push(GlyphsEvent::Decoded(read));
            }
            GlyphsCommand::Morph { functions, frames } => {
                if functions.len() < 2 {
                    bail!(
                        "a morph needs two functions or more, not {}",
                        functions.len()
                    );
                }
                let rows = self.tokens(&functions)?;
                let reader = self.worker.current();
                self.morph = Some(MorphTask {
                    path: reader.morph_path(&rows, frames),
                    reader,
                    painted: Vec::new(),
                });
            }
            GlyphsCommand::Near {
                function,
                corpus,
                count,
            } => {
                let reader = self.worker.current();
                let tokens = reader.tokens(&function)?;
                let glyph = reader.glyph(&tokens)?;
                let embedding = reader.embeddings(&[glyph])?.swap_remove(0);
                let mut among =
                    corpus_functions::for_model(self.worker.snapshot(), corpus.as_deref())?;
                among.retain(|other| other.tokens != tokens);
                among.sort_by_key(|other| other.tokens.len());
                if among.is_empty() {
                    bail!("the corpus has no other function");
                }
                self.nearest_query = Some(NearestQuery {
                    function: CorpusFunction {
                        name: String::new(),
                        text: function,
                        origin: String::new(),
                        tokens,
                        is_validation: false,
                    },
                    embedding,
                    among,
                    done: 0,
                    nearest: Vec::new(),
                    count,
                });
            }
        }
        Ok(())
    }

    fn probe(&mut self, question: GlyphQuery) -> Result<()> {
        match self.answer(question.clone()) {
            Ok(answer) => {
                self.views.invalid_input.clear();
                self.views.glyph.put(answer);
            }
            // Half of what people type is no question yet: said beside it, not as a failure.
            Err(error) => self.views.invalid_input.put(InvalidInput {
                question,
                why: format!("{error:#}"),
            }),
        }
        Ok(())
    }

    fn work(&mut self, events: &mut Vec<GlyphsEvent>) -> Result<Work> {
        let step = self.worker.step(events);
        let trained = self.follow(step)?;
        let painted = !trained
            && self
                .grid_slice()
                .inspect_err(|_| self.is_grid_due = false)?;
        let evaluated = self.worker.evaluate(events)?;
        let searched = self
            .nearest_slice(events)
            .inspect_err(|_| self.nearest_query = None)?;
        let morphed = self
            .morph_slice(events)
            .inspect_err(|_| self.morph = None)?;
        let is_busy =
            trained || painted || evaluated || searched || morphed || self.worker.run.is_running();
        Ok(Work::busy_if(is_busy))
    }

    fn on_idle(&mut self) -> Result<Work> {
        self.worker.warm_up().map(Work::busy_if)
    }
}

/// First line of a function, by which it is named.
fn head(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.trim_end_matches(':').to_owned()
}
