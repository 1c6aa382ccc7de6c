//! Collects distinct functions in a temporary file, with their origins, the inputs that could not be read,
//! and a sample for the tokenizer.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufReader, BufWriter, Read, Seek, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rand::{Rng, RngExt};
use serde::Serialize;

use super::{
    file::CorpusSource,
    item::{Item, PassedOver},
};
use crate::data::python::{Definitions, Function, PythonError, key};

/// Largest number of functions the tokenizer is trained on.
const SAMPLE: usize = 50_000;
/// Number of unusable files, and of inputs passed over per kind, listed in the report; all are counted.
const MAX_LISTED: usize = 1000;
/// Time between two progress reports within a file.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Phases of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Phase {
    /// Collection of functions.
    Reading,
    /// Training of the tokenizer.
    Training,
    /// Tokenisation.
    Tokenising,
}

/// Progress of a build.
#[derive(Clone, Copy, Debug)]
pub struct BuildProgress {
    /// Current phase.
    pub phase: Phase,
    /// Share of all work done, 0 to 1.
    pub done: f64,
    /// Files read.
    pub files: usize,
    /// Distinct functions found; while tokenising, those kept.
    pub functions: usize,
}

/// Unusable file, or line of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadFile {
    /// Path, for people.
    pub place: String,
    /// Reason.
    pub reason: String,
}

/// Inputs of one kind that were not read, though they may contain functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Kind.
    pub kind: PassedOver,
    /// Number.
    pub count: usize,
    /// First 1000 paths.
    pub places: Vec<String>,
}

/// Error of a cancelled build.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("stopped; nothing was written")]
pub struct Cancelled;

/// Error if the build is cancelled.
pub fn continue_if(goes_on: bool) -> Result<()> {
    ensure!(goes_on, Cancelled);
    Ok(())
}

/// State of the first pass.
pub struct FunctionFinder {
    spool: BufWriter<File>,
    pub sources: Vec<CorpusSource>,
    /// Indices in `sources` by name, licence and path.
    numbers: HashMap<(String, Option<String>, Option<PathBuf>), usize>,
    /// Paths of the sources named after their files.
    paths: Vec<Option<PathBuf>>,
    current: usize,
    keys: HashSet<u64>,
    pub sample: Vec<String>,
    sampled_from: usize,
    sample_bytes: usize,
    pub files: usize,
    pub bad: usize,
    pub bad_files: Vec<BadFile>,
    pub unread: Vec<Unread>,
    pub found: usize,
    pub unique: usize,
    /// Share of the input read, 0 to 1.
    pub done: f64,
    reported: Instant,
}

impl FunctionFinder {
    /// Empty finder.
    pub fn new(spool: File, max_tokens: usize) -> Self {
        Self {
            spool: BufWriter::new(spool),
            sources: Vec::new(),
            numbers: HashMap::new(),
            paths: Vec::new(),
            current: 0,
            keys: HashSet::new(),
            sample: Vec::new(),
            sampled_from: 0,
            // A token has some four bytes: much longer texts will be dropped, so the tokenizer need not see
            // them.
            sample_bytes: 6 * max_tokens,
            files: 0,
            bad: 0,
            bad_files: Vec::new(),
            unread: Vec::new(),
            found: 0,
            unique: 0,
            done: 0.0,
            reported: Instant::now(),
        }
    }

    /// Progress of the first pass.
    pub fn progress(&self, phase: Phase) -> BuildProgress {
        BuildProgress {
            phase,
            done: self.done,
            files: self.files,
            functions: self.unique,
        }
    }

    /// Adds an item.
    ///
    /// # Errors
    /// If the build is cancelled, or the temporary file can't be written.
    pub fn add_item(
        &mut self,
        item: Item,
        rng: &mut impl Rng,
        on_progress: &mut dyn FnMut(BuildProgress) -> bool,
    ) -> Result<()> {
        match item {
            Item::CorpusSource {
                name,
                licence,
                path,
            } => self.select_source(name, licence, path),
            Item::PassedOver { place, kind } => self.pass_over(place, kind),
            Item::Busy => (),
            Item::Text {
                place,
                text,
                function,
                done,
            } => {
                self.files += 1;
                self.sources[self.current].files += 1;
                // A line of a data set is there for its function; a file may well have none.
                let found = text.and_then(|text| match Definitions::find(&text) {
                    Err(PythonError::NoFunction) if function.is_none() => Ok(None),
                    found => Ok(Some(found?)),
                });
                match found {
                    Ok(None) => (),
                    Ok(Some(found)) => self.add_functions(&found, function, rng, on_progress)?,
                    Err(error) => {
                        self.bad += 1;
                        if self.bad_files.len() < MAX_LISTED {
                            let reason = format!("{error:#}");
                            self.bad_files.push(BadFile { place, reason });
                        }
                    }
                }
                self.done = done;
            }
        }
        self.reported = Instant::now();
        continue_if(on_progress(self.progress(Phase::Reading)))
    }

    fn add_functions(
        &mut self,
        found: &Definitions,
        only: Option<String>,
        rng: &mut impl Rng,
        on_progress: &mut dyn FnMut(BuildProgress) -> bool,
    ) -> Result<()> {
        let most = if only.is_some() { 1 } else { usize::MAX };
        for Function { name, source, .. } in found.functions().take(most) {
            let name = only.clone().filter(|only| !only.is_empty()).unwrap_or(name);
            self.add(name, source, rng)?;
            if self.reported.elapsed() > POLL_INTERVAL {
                self.reported = Instant::now();
                continue_if(on_progress(self.progress(Phase::Reading)))?;
            }
        }
        Ok(())
    }

    fn pass_over(&mut self, place: String, kind: PassedOver) {
        let known = self.unread.iter_mut().find(|unread| unread.kind == kind);
        let Some(unread) = known else {
            let (count, places) = (1, vec![place]);
            return self.unread.push(Unread {
                kind,
                count,
                places,
            });
        };
        unread.count += 1;
        if unread.places.len() < MAX_LISTED {
            unread.places.push(place);
        }
    }

    fn select_source(&mut self, name: String, licence: Option<String>, path: Option<PathBuf>) {
        let next = self.sources.len();
        let key = (name, licence, path);
        if let Some(number) = self.numbers.get(&key) {
            self.current = *number;
        } else if next < usize::from(u16::MAX) {
            // The number of sources is limited by the corpus format; further ones of a data set are merged
            // into the last.
            self.current = next;
            self.numbers.insert(key.clone(), next);
            let (name, licence, path) = key;
            self.paths.push(path);
            self.sources.push(CorpusSource {
                name,
                licence,
                files: 0,
                functions: 0,
            });
        }
    }

    /// Disambiguates sources of equal names by as many parent folders as necessary.
    pub fn disambiguate(&mut self) {
        let paths = self.paths.iter().flatten();
        let most = paths.map(|path| path.components().count()).max();
        for parts in 2..=most.unwrap_or(0) {
            let mut named: HashMap<String, usize> = HashMap::new();
            for (source, path) in self.sources.iter().zip(&self.paths) {
                *named.entry(source.name.clone()).or_default() += usize::from(path.is_some());
            }
            for (source, path) in self.sources.iter_mut().zip(&self.paths) {
                if let Some(path) = path.as_ref().filter(|_| named[&source.name] > 1) {
                    let above = path.components().count().saturating_sub(parts);
                    let end: PathBuf = path.components().skip(above).collect();
                    source.name = end.display().to_string();
                }
            }
        }
    }

    fn add(&mut self, name: String, source: String, rng: &mut impl Rng) -> Result<()> {
        self.found += 1;
        if !self.keys.insert(key(&source)) {
            return Ok(());
        }
        self.unique += 1;
        let record = Record {
            origin: self.current,
            name,
            source,
        };
        let written = record.write(&mut self.spool);
        written.context("can't write the temporary file")?;
        if record.source.len() <= self.sample_bytes {
            // Reservoir sampling (Vitter 1985, algorithm R).
            self.sampled_from += 1;
            if self.sample.len() < SAMPLE {
                self.sample.push(record.source);
            } else if let Some(place) = self.sample.get_mut(rng.random_range(0..self.sampled_from))
            {
                *place = record.source;
            }
        }
        Ok(())
    }

    /// Reader of all functions from the first.
    pub fn records(&mut self) -> Result<BufReader<File>> {
        self.spool.flush()?;
        let mut file = self.spool.get_ref().try_clone()?;
        file.rewind()?;
        Ok(BufReader::new(file))
    }
}

/// Record of a function in the temporary file.
pub struct Record {
    pub origin: usize,
    pub name: String,
    pub source: String,
}

impl Record {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for number in [self.origin, self.name.len(), self.source.len()] {
            out.write_all(&(number as u32).to_le_bytes())?;
        }
        out.write_all(self.name.as_bytes())?;
        out.write_all(self.source.as_bytes())
    }

    pub fn read(from: &mut impl Read) -> Result<Self> {
        let mut numbers = [[0; 4]; 3];
        from.read_exact(numbers.as_flattened_mut())?;
        let [origin, name, source] = numbers.map(|bytes| u32::from_le_bytes(bytes) as usize);
        let mut text = |length| -> Result<String> {
            let mut bytes = vec![0; length];
            from.read_exact(&mut bytes)?;
            Ok(String::from_utf8(bytes)?)
        };
        Ok(Self {
            origin,
            name: text(name)?,
            source: text(source)?,
        })
    }
}
