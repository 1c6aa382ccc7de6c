//! Builds a corpus from sources in two passes: functions are collected in a temporary file and the
//! tokenizer is trained on a sample; then functions are tokenised, selected and shuffled.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{
    file::{Corpus, CorpusSource},
    finder::{BadFile, BuildProgress, FunctionFinder, Phase, Record, Unread, continue_if},
    read::Input,
};
use crate::{
    data::bpe::Bpe,
    files::{check_output, scratch_folder},
};

/// Number of functions tokenised at a time.
const BATCH: usize = 2048;

/// Options of a build.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Largest number of tokens; longer functions are dropped.
    pub max_tokens: usize,
    /// Largest number of functions, selected by the seed.
    pub limit: Option<usize>,
    /// Vocabulary size of the tokenizer to train.
    pub vocabulary: usize,
    /// Existing tokenizer to use instead of training one.
    pub tokenizer: Option<Bpe>,
    /// Seed of the sample and the order.
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

/// Report of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Files (or lines of data sets) read, unusable ones included.
    pub files: usize,
    /// Number of unusable ones among them.
    pub bad: usize,
    /// First 1000 unusable ones.
    pub bad_files: Vec<BadFile>,
    /// Inputs that were not read at all.
    pub passed_over: Vec<Unread>,
    /// Functions found.
    pub found: usize,
    /// Functions dropped as duplicates: equal tokens to an earlier one.
    pub duplicates: usize,
    /// Functions dropped for their length.
    pub too_long: usize,
    /// Functions dropped beyond the limit.
    pub beyond_limit: usize,
    /// Functions in the corpus.
    pub kept: usize,
    /// Tokens in the corpus.
    pub tokens: usize,
    /// Vocabulary size of the tokenizer.
    pub vocabulary: usize,
    /// Fingerprint of the tokenizer.
    pub tokenizer: String,
    /// Sources, with their shares of the corpus.
    pub sources: Vec<CorpusSource>,
}

/// Build of the corpus file `out`. `on_progress` is called with the progress; if it returns false, the build
/// ends with [`Cancelled`](super::Cancelled). An existing file at `out` is replaced only on success.
///
/// # Errors
/// If an input is missing or of unknown form, no input has a function, or `out` can't be written. Unusable
/// files within an input are no error: the report lists them.
pub fn build(
    inputs: &[Input],
    out: &Path,
    options: &BuildOptions,
    on_progress: &mut dyn FnMut(BuildProgress) -> bool,
) -> Result<BuildReport> {
    for input in inputs {
        input.check()?;
    }
    // Fail before any work if the tokenizer is unusable or the folder is missing.
    let tokenizer = options.tokenizer.as_ref();
    let size = tokenizer.map_or(options.vocabulary, Bpe::size);
    Corpus::check(size, options.max_tokens)?;
    check_out(inputs, out)?;
    let spool = scratch_folder(out)
        .and_then(|folder| Ok(tempfile::tempfile_in(folder)?))
        .with_context(|| format!("can't write {}", out.display()))?;

    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let mut found = FunctionFinder::new(spool, options.max_tokens);
    for (i, input) in inputs.iter().enumerate() {
        let share = READING / inputs.len() as f64;
        input.read(&mut |item| {
            found.add_item(item, &mut rng, &mut |mut now| {
                now.done = share * (i as f64 + now.done);
                on_progress(now)
            })
        })?;
        found.done = 0.0;
    }
    found.disambiguate();
    ensure!(found.unique > 0, nothing_found(inputs, &found));

    found.done = READING;
    continue_if(on_progress(found.progress(Phase::Training)))?;
    let sample = std::mem::take(&mut found.sample).into_iter();
    let bpe = match tokenizer {
        Some(bpe) => bpe.clone(),
        None => Bpe::train(sample, options.vocabulary)?,
    };
    let (corpus, too_long, beyond_limit) =
        tokenise(&mut found, bpe, options, &mut rng, on_progress)?;
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
        passed_over: found.unread,
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

/// Message for inputs without a function.
fn nothing_found(inputs: &[Input], found: &FunctionFinder) -> String {
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let bad = found.bad_files.iter().take(1);
    let bad: String = bad
        .map(|bad| format!("; {}: {}", bad.place, bad.reason))
        .collect();
    let unread = found.unread.iter().take(1).map(|unread| {
        let places = unread.places.join(", ");
        format!(
            "; passed over: {}",
            places.chars().take(200).collect::<String>()
        )
    });
    format!(
        "no Python function in {} ({} files read, {} of them bad{bad}{})",
        names.join(", "),
        found.files,
        found.bad,
        unread.collect::<String>()
    )
}

/// Rejects an output that can't be written, or would replace an input.
fn check_out(inputs: &[Input], out: &Path) -> Result<()> {
    let paths: Vec<&Path> = inputs.iter().filter_map(Input::path).collect();
    check_output(out, &paths)?;
    if out.is_file()
        && let Some(input) = inputs.iter().find(|input| input.holds(out))
    {
        bail!(
            "can't write {}: it is one of the files of {}, which are read",
            out.display(),
            input.name()
        );
    }
    Ok(())
}

/// Shares of the work done after reading and after training.
const READING: f64 = 0.6;
const TRAINING: f64 = 0.75;

/// Second pass: the corpus, and the numbers of functions too long and beyond the limit.
fn tokenise(
    found: &mut FunctionFinder,
    bpe: Bpe,
    options: &BuildOptions,
    rng: &mut ChaCha8Rng,
    on_progress: &mut dyn FnMut(BuildProgress) -> bool,
) -> Result<(Corpus, usize, usize)> {
    let mut fitting = Corpus::new(bpe.clone(), options.max_tokens, found.sources.clone())?;
    let mut origins = Vec::new();
    let mut done = 0;
    let mut records = found.records()?;
    let most_bytes = options.max_tokens * bpe.max_token_bytes();
    while done < found.unique {
        let count = BATCH.min(found.unique - done);
        let batch = (0..count).map(|_| Record::read(&mut records));
        let mut batch: Vec<Record> = batch.collect::<Result<_>>()?;
        done += count;
        // The longest token bounds the text of a function that is short enough.
        batch.retain(|record| record.source.len() <= most_bytes);
        let take = |record: &mut Record| std::mem::take(&mut record.source);
        let texts: Vec<String> = batch.iter_mut().map(take).collect();
        for (record, tokens) in batch.iter().zip(bpe.encode_all(&texts)) {
            if tokens.len() <= options.max_tokens {
                fitting.push(record.origin, &record.name, &tokens)?;
                origins.push(record.origin);
            }
        }
        continue_if(on_progress(BuildProgress {
            done: TRAINING + (1.0 - TRAINING) * done as f64 / found.unique as f64,
            functions: fitting.len(),
            ..found.progress(Phase::Tokenising)
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
