//! `glyphspace glyphs train` and `eval`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    cli::{
        args::{Model, RunArgs},
        output::say,
        session::{GlyphsSession, refuse_if_interrupted},
    },
    device::Choice,
    glyphs::checkpoint,
    glyphs::config::{GLYPH_PRESETS, GlyphsConfig},
    glyphs::evaluation::{ByDifficulty, GlyphsEvaluationPlan, GlyphsReport},
    training::{Metrics, checkpoint::Source},
};

#[derive(Debug, Args)]
pub struct GlyphsTrainArgs {
    /// The functions to train on, made by `glyphs corpus build`
    #[arg(long)]
    corpus: PathBuf,
    #[command(flatten)]
    run: RunArgs,
    /// Design and recipe: pocket, base, dense, cppn or paper
    #[arg(long, default_value = GLYPH_PRESETS[0], conflicts_with_all = ["resume", "from"])]
    preset: String,
}

#[derive(Debug, Args)]
pub struct GlyphsEvalArgs {
    #[command(flatten)]
    model: Model,
    /// The functions to judge by; without it the bundled sample
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Difficulties of the noisy channel, 0 to 15
    #[arg(long, value_delimiter = ',', default_value = "0,4,8,15", value_parser = difficulty)]
    difficulty: Vec<f64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn train(args: GlyphsTrainArgs, choice: Choice) -> Result<()> {
    let start = args
        .run
        .start(checkpoint::of, || GlyphsConfig::preset(&args.preset))?;
    let session = GlyphsSession::open(choice, Source::Untrained)?;
    let RunArgs { out, .. } = &args.run;
    let figures = |row: &Metrics| {
        let value = |column| row.get(column).unwrap_or_default();
        format!(
            ", unseen: {:.3} of tokens, {:.3} exact at difficulty {:.1}",
            value("validation_accuracy"),
            value("validation_exact"),
            value("difficulty")
        )
    };
    session.train(start, args.corpus.clone(), out, args.run.limit(), figures)?;
    if refuse_if_interrupted().is_ok() {
        let plan = GlyphsEvaluationPlan {
            corpus: Some(args.corpus),
            difficulties: vec![0.0, 4.0],
        };
        session.print_evaluation(plan, false, print)?;
    }
    session.finish();
    Ok(())
}

pub fn eval(args: &GlyphsEvalArgs, choice: Choice) -> Result<()> {
    let session = GlyphsSession::open(choice, args.model.source())?;
    let plan = GlyphsEvaluationPlan {
        corpus: args.corpus.clone(),
        difficulties: args.difficulty.clone(),
    };
    session.print_evaluation(plan, args.json, print)?;
    session.finish();
    Ok(())
}

fn print(report: &GlyphsReport) -> Result<()> {
    say(format_args!(
        "{} values, {} steps in {:.0} s, functions of up to {} tokens",
        report.params, report.steps, report.train_secs, report.max_tokens
    ))?;
    for (split, exact) in &report.exact {
        for (difficulty, share) in exact {
            let tokens = report.token_accuracy[split][difficulty];
            say(format_args!(
                "{split:<10} difficulty {difficulty:>2}: {share:.4} exact, {tokens:.4} of the tokens"
            ))?;
        }
    }
    for (band, exact) in &report.exact_by_length {
        say(format_args!(
            "up to {band:>3} tokens ({} functions): {}",
            report.functions_by_length[band],
            in_words(exact)
        ))?;
    }
    for (band, exact) in &report.qr_exact_by_length {
        say(format_args!(
            "up to {band:>3} tokens, QR code of the text: {}",
            in_words(exact)
        ))?;
    }
    for (band, verified) in &report.verified_by_length {
        say(format_args!(
            "up to {band:>3} tokens verified: {}",
            in_words(verified)
        ))?;
    }
    say(format_args!(
        "called verified and wrong: {}, largest calibration error {:.4}",
        report.verified_wrong, report.certainty_error
    ))?;
    say(format_args!(
        "characters beyond ASCII: {:.4} exact of {} functions",
        report.unicode_exact, report.unicode_functions
    ))?;
    say(format_args!(
        "morphs: {:.4} of the points parse, {:.4} of those that are neither end",
        report.morph_parses, report.morph_parses_between
    ))?;
    say(format_args!(
        "families: {:.4} of {} thumbnails are nearest to one of their own",
        report.family_nearest, report.family_functions
    ))?;
    say(format_args!(
        "copies found {:.4} among {}, near misses distinct {:.4} of {}, distances' Spearman {:.3}",
        report.self_retrieval,
        report.retrieval_among,
        report.near_miss_distinct,
        report.near_misses,
        report.distance_spearman
    ))?;
    say(format_args!(
        "tasks written in other ways: mean average precision at R {:.4}, by tf-idf of their tokens {:.4}",
        report.rewrites_found, report.rewrites_found_tf_idf
    ))?;
    say(format_args!(
        "smoothness {:.3} at contrast {:.3}",
        report.smoothness, report.contrast
    ))
}

/// Shares by difficulty in one line.
fn in_words(shares: &ByDifficulty) -> String {
    let shares = shares.iter();
    let shares = shares.map(|(difficulty, share)| format!("{share:.4} at {difficulty}"));
    shares.collect::<Vec<_>>().join(", ")
}

fn difficulty(text: &str) -> Result<f64, String> {
    let value = text
        .parse()
        .ok()
        .filter(|value: &f64| (0.0..=15.0).contains(value));
    value.ok_or_else(|| "expected numbers from 0 to 15".into())
}
