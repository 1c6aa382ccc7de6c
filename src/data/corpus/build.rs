//! From sources to a corpus, in two passes: functions are found and laid down in a temporary file, and
//! the tokenizer is trained on a sample of them; then they are tokenised, chosen and shuffled.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufReader, BufWriter, Read, Seek, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{
    file::{Corpus, Source, folder_of},
    read::{Input, Item},
};
use crate::data::{
    bpe::Bpe,
    python::{PythonError, functions, key},
};

/// Functions the tokenizer is trained on, at most.
const SAMPLE: usize = 50_000;
/// Functions tokenised at a time.
const BATCH: usize = 2048;
/// Bad files named in the report; all are counted.
const NAMED: usize = 1000;

/// What to make.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Longer functions are left out.
    pub max_tokens: usize,
    /// So many functions at most, chosen by the seed.
    pub limit: Option<usize>,
    /// Tokens of the tokenizer to train.
    pub vocabulary: usize,
    /// Use this tokenizer, and train none.
    pub tokenizer: Option<Bpe>,
    /// Decides on sample and order.
    pub seed: u64,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            max_tokens: 128,
            limit: None,
            vocabulary: 2048,
            tokenizer: None,
            seed: 0,
        }
    }
}

/// What a build is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Phase {
    /// Finding functions.
    Reading,
    /// Training the tokenizer.
    Training,
    /// Tokenising.
    Tokenising,
}

/// How far a build is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What it is at.
    pub phase: Phase,
    /// Share of all work that is done, 0 to 1.
    pub done: f64,
    /// Files read.
    pub files: usize,
    /// Functions found, without duplicates; when tokenising, those kept.
    pub functions: usize,
}

/// A file, or a line of a data set, without use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadFile {
    /// Where it is.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What was made of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Files (or lines of data sets) read, the bad ones included.
    pub files: usize,
    /// How many of them are bad.
    pub bad: usize,
    /// The first 1000 bad ones.
    pub bad_files: Vec<BadFile>,
    /// Functions found.
    pub found: usize,
    /// Left out: the same tokens as one before.
    pub duplicates: usize,
    /// Left out: more tokens than wanted.
    pub too_long: usize,
    /// Left out: beyond the limit.
    pub beyond_limit: usize,
    /// Functions in the corpus.
    pub kept: usize,
    /// Tokens in the corpus.
    pub tokens: usize,
    /// Tokens of the tokenizer.
    pub vocabulary: usize,
    /// The tokenizer's fingerprint.
    pub tokenizer: String,
    /// The sources, and what the corpus has of each.
    pub sources: Vec<Source>,
}

/// The build was called off.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("stopped; nothing was written")]
pub struct Cancelled;

/// Builds the corpus file `out`. `tell` hears how far it is; when it answers false, the build ends with
/// [`Cancelled`]. Until all is done, what is at `out` stays as it is.
///
/// # Errors
/// If an input is missing or of no known form, if there is no function in any, or if `out` can't be
/// written. Bad files within an input are no error: they are in the report.
pub fn build(
    inputs: &[Input],
    out: &Path,
    options: &BuildOptions,
    tell: &mut dyn FnMut(Progress) -> bool,
) -> Result<BuildReport> {
    for input in inputs {
        input.check()?;
    }
    // Before all work: is the tokenizer usable, and the folder there?
    let size = options.vocabulary;
    Corpus::check(
        options.tokenizer.as_ref().map_or(size, Bpe::size),
        options.max_tokens,
    )?;
    let spool = tempfile::tempfile_in(folder_of(out));
    let spool = spool.with_context(|| format!("can't write {}", out.display()))?;

    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let mut found = Finder::new(spool, options.max_tokens);
    for (i, input) in inputs.iter().enumerate() {
        input.read(&mut |item| {
            let Some(done) = found.take(item, &mut rng)? else {
                return Ok(());
            };
            let done = READING * (i as f64 + done) / inputs.len() as f64;
            listen(tell(found.progress(Phase::Reading, done)))
        })?;
    }
    ensure!(
        found.unique > 0,
        "no Python function in {} ({} files read, {} of them bad{})",
        inputs
            .iter()
            .map(Input::name)
            .collect::<Vec<_>>()
            .join(", "),
        found.files,
        found.bad,
        found.bad_files.first().map_or(String::new(), |bad| format!(
            "; {}: {}",
            bad.place, bad.reason
        ))
    );

    listen(tell(found.progress(Phase::Training, READING)))?;
    let bpe = match &options.tokenizer {
        Some(bpe) => bpe.clone(),
        None => Bpe::train(
            std::mem::take(&mut found.sample).into_iter(),
            options.vocabulary,
        )?,
    };
    let (corpus, too_long, beyond_limit) = tokenise(&mut found, bpe, options, &mut rng, tell)?;
    ensure!(
        !corpus.is_empty(),
        "none of the {} functions has at most {} tokens",
        found.unique,
        options.max_tokens
    );
    corpus.write(out)?;
    Ok(BuildReport {
        files: found.files,
        bad: found.bad,
        bad_files: found.bad_files,
        found: found.found,
        duplicates: found.found - found.unique,
        too_long,
        beyond_limit,
        kept: corpus.len(),
        tokens: (0..corpus.len()).map(|i| corpus.tokens(i).len()).sum(),
        vocabulary: corpus.bpe().size(),
        tokenizer: corpus.bpe().fingerprint(),
        sources: corpus.sources().to_vec(),
    })
}

/// Shares of the work that are done after reading and after training.
const READING: f64 = 0.6;
const TRAINING: f64 = 0.75;

fn listen(goes_on: bool) -> Result<()> {
    if goes_on {
        Ok(())
    } else {
        Err(Cancelled.into())
    }
}

/// The second pass: the corpus, how many were too long and how many beyond the limit.
fn tokenise(
    found: &mut Finder,
    bpe: Bpe,
    options: &BuildOptions,
    rng: &mut ChaCha8Rng,
    tell: &mut dyn FnMut(Progress) -> bool,
) -> Result<(Corpus, usize, usize)> {
    let mut fitting = Corpus::new(bpe.clone(), options.max_tokens, found.sources.clone())?;
    let mut origins = Vec::new();
    let mut done = 0;
    let mut records = found.records()?;
    while done < found.unique {
        let batch: Vec<Record> = (done..found.unique.min(done + BATCH))
            .map(|_| Record::read(&mut records))
            .collect::<Result<_>>()?;
        done += batch.len();
        let texts: Vec<String> = batch.iter().map(|record| record.source.clone()).collect();
        for (record, tokens) in batch.iter().zip(bpe.encode_all(&texts)) {
            if tokens.len() <= options.max_tokens {
                fitting.push(record.origin, &record.name, &tokens)?;
                origins.push(record.origin);
            }
        }
        listen(tell(Progress {
            phase: Phase::Tokenising,
            done: TRAINING + (1.0 - TRAINING) * done as f64 / found.unique as f64,
            files: found.files,
            functions: fitting.len(),
        }))?;
    }

    let mut order: Vec<usize> = (0..fitting.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order.truncate(options.limit.unwrap_or(usize::MAX));
    let mut corpus = Corpus::new(bpe, options.max_tokens, found.sources.clone())?;
    for i in &order {
        let tokens: Vec<u32> = fitting.tokens(*i).iter().copied().map(u32::from).collect();
        corpus.push(origins[*i], fitting.name(*i), &tokens)?;
    }
    Ok((corpus, done - fitting.len(), fitting.len() - order.len()))
}

/// The first pass: what was found so far.
struct Finder {
    spool: BufWriter<File>,
    sources: Vec<Source>,
    numbers: HashMap<String, usize>,
    current: usize,
    keys: HashSet<u64>,
    sample: Vec<String>,
    sampled_from: usize,
    sample_bytes: usize,
    files: usize,
    bad: usize,
    bad_files: Vec<BadFile>,
    found: usize,
    unique: usize,
}

impl Finder {
    fn new(spool: File, max_tokens: usize) -> Self {
        Self {
            spool: BufWriter::new(spool),
            sources: Vec::new(),
            numbers: HashMap::new(),
            current: 0,
            keys: HashSet::new(),
            sample: Vec::new(),
            sampled_from: 0,
            // A token is some four bytes: what is much longer won't be kept, so it need not be learnt from.
            sample_bytes: 6 * max_tokens,
            files: 0,
            bad: 0,
            bad_files: Vec::new(),
            found: 0,
            unique: 0,
        }
    }

    fn progress(&self, phase: Phase, done: f64) -> Progress {
        Progress {
            phase,
            done,
            files: self.files,
            functions: self.unique,
        }
    }

    /// Takes an item in; the share of the input behind us after a text.
    fn take(&mut self, item: Item, rng: &mut impl Rng) -> Result<Option<f64>> {
        let (place, text, function, done) = match item {
            Item::Source { name, licence } => {
                self.enter(name, licence);
                return Ok(None);
            }
            Item::Text {
                place,
                text,
                function,
                done,
            } => (place, text, function, done),
        };
        self.files += 1;
        self.sources[self.current].files += 1;
        let found = text.and_then(|text| match functions(&text) {
            // In a data set each line is there for its function; a file may well have none.
            Err(PythonError::NoFunction) if function.is_none() => Ok(Vec::new()),
            found => Ok(found?),
        });
        match found {
            Err(error) => {
                self.bad += 1;
                if self.bad_files.len() < NAMED {
                    let reason = format!("{error:#}");
                    self.bad_files.push(BadFile { place, reason });
                }
            }
            Ok(mut found) => {
                if let Some(name) = function {
                    found.truncate(1);
                    if let Some(first) = found.first_mut().filter(|_| !name.is_empty()) {
                        first.name = name;
                    }
                }
                for function in found {
                    self.add(function.name, function.source, rng)?;
                }
            }
        }
        Ok(Some(done))
    }

    fn enter(&mut self, name: String, licence: Option<String>) {
        let next = self.sources.len();
        // As many sources as a corpus counts; a data set of more has the rest under its last.
        if next < usize::from(u16::MAX) || self.numbers.contains_key(&name) {
            self.current = *self.numbers.entry(name.clone()).or_insert(next);
            if self.current == next {
                self.sources.push(Source {
                    name,
                    licence,
                    files: 0,
                    functions: 0,
                });
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
        record
            .write(&mut self.spool)
            .context("can't write the temporary file")?;
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

    fn records(&mut self) -> Result<BufReader<File>> {
        self.spool.flush()?;
        let mut file = self.spool.get_ref().try_clone()?;
        file.rewind()?;
        Ok(BufReader::new(file))
    }
}

/// A function in the temporary file.
struct Record {
    origin: usize,
    name: String,
    source: String,
}

impl Record {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for number in [self.origin, self.name.len(), self.source.len()] {
            out.write_all(&(number as u32).to_le_bytes())?;
        }
        out.write_all(self.name.as_bytes())?;
        out.write_all(self.source.as_bytes())
    }

    fn read(from: &mut impl Read) -> Result<Self> {
        let mut numbers = [0; 12];
        from.read_exact(&mut numbers)?;
        let number = |i: usize| {
            numbers[4 * i..][..4]
                .iter()
                .rev()
                .fold(0, |n, b| n << 8 | usize::from(*b))
        };
        let mut text = |length| -> Result<String> {
            let mut bytes = vec![0; length];
            from.read_exact(&mut bytes)?;
            Ok(String::from_utf8(bytes)?)
        };
        Ok(Self {
            origin: number(0),
            name: text(number(1))?,
            source: text(number(2))?,
        })
    }
}
