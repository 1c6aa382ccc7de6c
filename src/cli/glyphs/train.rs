//! `glyphspace glyphs train` and `eval`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    cli::{
        args::{Model, RunArgs},
        output::{note, say},
        progress::ProgressLine,
        session::{GlyphsSession, describe, refuse_if_interrupted, stop_on_interrupt},
    },
    config::glyphs::{GLYPH_PRESETS, GlyphsConfig},
    device::Choice,
    glyphs::{
        evaluation::GlyphsReport,
        job::{GlyphsCommand, GlyphsEvent, RunOrder},
    },
    training::checkpoint::Source,
};

#[derive(Debug, Args)]
pub struct GlyphsTrainArgs {
    /// The functions to train on, made by `glyphs corpus build`
    #[arg(long)]
    corpus: PathBuf,
    #[command(flatten)]
    run: RunArgs,
    /// Design and recipe: pocket, base, dense, cppn or paper
    #[arg(long, default_value = GLYPH_PRESETS[0], conflicts_with = "resume")]
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
    let start = args.run.start(|| {
        let mut config = GlyphsConfig::preset(&args.preset)?;
        config.seed = args.run.seed.unwrap_or(config.seed);
        Ok(config)
    })?;
    let session = GlyphsSession::open(choice, Source::Bundled)?;
    let command = GlyphsCommand::Train {
        start,
        corpus: args.corpus.clone(),
        out: args.run.out.clone(),
        limit: args.run.limit(),
    };
    let trained = |event| match event {
        GlyphsEvent::Started(_) => {
            if let Some(perceptor) = session.views.model.get().and_then(|m| m.perceptor.clone()) {
                note(format_args!("glyphspace: {perceptor}"));
            }
            None
        }
        GlyphsEvent::Trained(steps) => Some(steps),
        _ => None,
    };
    let mut bar = ProgressLine::new("training");
    let stop = || GlyphsCommand::Run(RunOrder::Stop);
    let steps = session.request(
        command,
        trained,
        stop_on_interrupt(stop, |session: &GlyphsSession| {
            if let Some(view) = session.views.training.get() {
                let last = view.last.as_ref().map(|last| {
                    let value = |column| last.get(column).unwrap_or_default();
                    format!(
                        "loss {:.3}, unseen: {:.3} of tokens, {:.3} exact at difficulty {:.1}",
                        last.loss(),
                        value("validation_accuracy"),
                        value("validation_exact"),
                        value("difficulty")
                    )
                });
                bar.update(view.done, &describe(&view, last));
            }
        }),
    )?;
    bar.finish(&format!("{steps} steps in {}", args.run.out.display()));
    if refuse_if_interrupted().is_ok() {
        print(&evaluate(&session, Some(args.corpus), vec![0.0, 4.0])?)?;
    }
    session.finish();
    Ok(())
}

pub fn eval(args: &GlyphsEvalArgs, choice: Choice) -> Result<()> {
    let session = GlyphsSession::open(choice, args.model.source())?;
    let report = evaluate(&session, args.corpus.clone(), args.difficulty.clone())?;
    if args.json {
        say(format_args!("{}", serde_json::to_string_pretty(&report)?))?;
    } else {
        print(&report)?;
    }
    session.finish();
    Ok(())
}

fn evaluate(
    session: &GlyphsSession,
    corpus: Option<PathBuf>,
    difficulties: Vec<f64>,
) -> Result<GlyphsReport> {
    let evaluated = |event| match event {
        GlyphsEvent::Evaluated(report) => Some(*report),
        _ => None,
    };
    let mut bar = ProgressLine::new("judging");
    let command = GlyphsCommand::Evaluate {
        corpus,
        difficulties,
    };
    let report = session.request(command, evaluated, |session| {
        if let Some(work) = session.views.work.get() {
            bar.update(work.done, &work.what);
        }
        refuse_if_interrupted()
    })?;
    bar.finish(&format!("{} functions", report.functions));
    Ok(report)
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
        let shares: Vec<String> = exact
            .iter()
            .map(|(difficulty, share)| format!("{share:.4} at {difficulty}"))
            .collect();
        say(format_args!(
            "up to {band:>3} tokens ({} functions): {}",
            report.functions_by_length[band],
            shares.join(", ")
        ))?;
    }
    say(format_args!(
        "copies found {:.4} among {}, near misses distinct {:.4} of {}, distances' Spearman {:.3}",
        report.self_retrieval,
        report.retrieval_among,
        report.near_miss_distinct,
        report.near_misses,
        report.distance_spearman
    ))?;
    say(format_args!(
        "smoothness {:.3} at contrast {:.3}",
        report.smoothness, report.contrast
    ))
}

fn difficulty(text: &str) -> Result<f64, String> {
    let value = text
        .parse()
        .ok()
        .filter(|value: &f64| (0.0..=15.0).contains(value));
    value.ok_or_else(|| "expected numbers from 0 to 15".into())
}
