//! Benchmarks of Code Glyphs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::measured::{BenchArgs, Measured, Quantity, quantiles, temporary, with_progress};
use crate::{
    cli::session::{GlyphsSession, refuse_if_interrupted},
    data::corpus::Corpus,
    device::{self, Choice},
    glyphs::config::{GLYPH_SIZE, GlyphsConfig},
    glyphs::{
        checkpoint, corpus_functions,
        job::{GlyphsCommand, GlyphsEvent},
        system::GlyphsSystem,
    },
    training::{checkpoint::Source, trace::training},
};

/// Functions painted and read.
const FUNCTIONS: usize = 100;
/// Functions before them, which warm the caches.
const FIRST: usize = 5;
/// Steps of a run that are measured, and those before them that are not.
const STEPS: u64 = 40;
const WARM_UP: u64 = 10;
/// Steps of a trace.
const TRACED: u64 = 100;

pub fn run(args: &BenchArgs, choice: Choice) -> Result<Measured> {
    match args.what {
        Quantity::Train => train(args, choice),
        _ => glyphs(args, choice),
    }
}

/// Writes the data another framework needs to take the same steps.
pub fn write_trace(args: &BenchArgs, to: &Path, choice: Choice) -> Result<()> {
    let device = device::open(choice)?.device;
    let steps = args.steps.unwrap_or(TRACED);
    let folder = temporary()?;
    let path = corpus(args.corpus.as_deref(), folder.path())?;
    let (config, corpus) = (config(args)?, Arc::new(Corpus::open(&path)?));
    with_progress(steps, |watch| {
        training::<GlyphsSystem>(config, corpus, steps, to, &device, watch)
    })
}

/// The corpus to train on: the one asked for, or one of the bundled sample, in the bundled model's
/// tokens, which is made in `folder`.
pub fn corpus(asked: Option<&Path>, folder: &Path) -> Result<PathBuf> {
    match asked {
        Some(path) => Ok(path.to_owned()),
        None => corpus_functions::sample_corpus(folder, &mut || refuse_if_interrupted().is_ok()),
    }
}

fn config(args: &BenchArgs) -> Result<GlyphsConfig> {
    args.configured(GlyphsConfig::preset)
}

/// Each step of a short run, the first ones left out.
fn train(args: &BenchArgs, choice: Choice) -> Result<Measured> {
    let config = config(args)?;
    let folder = temporary()?;
    let path = corpus(args.corpus.as_deref(), folder.path())?;
    let functions = Corpus::open(&path)?;
    let session = GlyphsSession::open(choice, Source::Bundled)?;
    let sizes = json!({
        "batch": config.batch,
        "batch_tokens": config.batch_tokens,
        "functions": functions.len(),
        "vocabulary": functions.bpe().size(),
    });
    let measured = Measured::of_run(&session, args, config, path, (STEPS, WARM_UP), sizes)?;
    session.finish();
    Ok(measured)
}

/// Functions, one after the other, to glyphs and back, from the question to the answer.
fn glyphs(args: &BenchArgs, choice: Choice) -> Result<Measured> {
    let source = args.model.model.source();
    let bpe = checkpoint::tokenizer_of(&source)?;
    let session = GlyphsSession::open(choice, source)?;
    let model = session.views.run.model.get().context("no model")?;
    let limit = model.config.max_tokens;
    let asked = corpus_functions::of_corpus(args.corpus.as_deref(), &bpe, limit, 0.0)?;
    let encoded = |event| match event {
        GlyphsEvent::Encoded(mut glyphs) => glyphs.pop(),
        _ => None,
    };
    let decoded = |event| match event {
        GlyphsEvent::Decoded(mut read) => read.pop(),
        _ => None,
    };
    let (mut encode, mut decode, mut exact) = (Vec::new(), Vec::new(), 0);
    for (nth, function) in asked.iter().take(FIRST + FUNCTIONS).enumerate() {
        let command = GlyphsCommand::Encode {
            functions: vec![function.text.clone()],
            size: GLYPH_SIZE,
        };
        let begun = Instant::now();
        let glyph = session.request(command, encoded, |_| refuse_if_interrupted())?;
        let painted = Instant::now();
        let command = GlyphsCommand::Decode(vec![glyph]);
        let read = session.request(command, decoded, |_| refuse_if_interrupted())?;
        if nth >= FIRST {
            encode.push((painted - begun).as_secs_f64() * 1e3);
            decode.push(painted.elapsed().as_secs_f64() * 1e3);
            exact += usize::from(read.decoded.tokens == function.tokens);
        }
    }
    if encode.is_empty() {
        bail!(
            "{} functions are too few: expected more than {FIRST}",
            asked.len()
        );
    }
    let count = encode.len();
    let both: Vec<f64> = encode.iter().zip(&decode).map(|(a, b)| a + b).collect();
    let part = |name: &str, millis: &[f64]| {
        let (median, p95) = quantiles(millis);
        let line = format!("{name}: median {median:.1} ms, 95th percentile {p95:.1} ms");
        (json!({ "median_ms": median, "p95_ms": p95 }), line)
    };
    let (painting, reading) = (part("encode", &encode), part("decode", &decode));
    let mut measured = Measured::new(both).with(json!({
        "encode": painting.0,
        "decode": reading.0,
        "exact": exact as f64 / count as f64,
        "sizes": { "params": model.params, "functions": count, "max_tokens": limit },
    }));
    measured.lines = vec![
        painting.1,
        reading.1,
        format!("{exact} of {count} functions read without a fault"),
    ];
    measured.device.clone_from(&model.device);
    measured.run.clone_from(&model.origin);
    session.finish();
    Ok(measured)
}
