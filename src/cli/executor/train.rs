//! `glyphspace executor train` and `eval`.

use anyhow::Result;
use clap::Args;

use crate::{
    cli::{
        args::{ExecutorModel, RunArgs},
        output::say,
        session::ExecutorSession,
    },
    device::Choice,
    executor::checkpoint,
    executor::config::{ExecutorConfig, PRESETS},
    executor::evaluation::ExecutorReport,
    training::{Metrics, checkpoint::Source},
};

#[derive(Debug, Args)]
pub struct ExecutorTrainArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Sizes and recipe: pocket, lines, four-digits, operators, lpn, t5-mini, t5-small or t5-base
    #[arg(long, default_value = PRESETS[0], conflicts_with_all = ["resume", "from"])]
    preset: String,
    /// Latent dimensions
    #[arg(long, conflicts_with_all = ["resume", "from"])]
    dims: Option<usize>,
}

#[derive(Debug, Args)]
pub struct ExecutorEvalArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn train(args: ExecutorTrainArgs, choice: Choice) -> Result<()> {
    let start = args.run.start(checkpoint::of, || {
        let config = ExecutorConfig::preset(&args.preset)?;
        Ok(match args.dims {
            Some(dims) => config.with_dims(dims),
            None => config,
        })
    })?;
    let session = ExecutorSession::open(choice, Source::Untrained)?;
    session.train(start, (), &args.run.out, args.run.limit(), figures)?;
    session.print_evaluation((), false, print_report)?;
    session.finish();
    Ok(())
}

/// Figures of a step besides its loss, for people.
pub fn figures(row: &Metrics) -> String {
    format!(", result {:.3}", row.get("result_nll").unwrap_or_default())
}

pub fn eval(args: &ExecutorEvalArgs, choice: Choice) -> Result<()> {
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    session.print_evaluation((), args.json, print_report)?;
    session.finish();
    Ok(())
}

fn print_report(report: &ExecutorReport) -> Result<()> {
    say(format_args!(
        "{} dimensions, {} values, {} steps in {:.0} s",
        report.dims, report.params, report.steps, report.train_secs
    ))?;
    say(format_args!(
        "results exact      {:.4} of {} sums held out",
        report.held_out_exact, report.pairs_held_out
    ))?;
    say(format_args!(
        "                   {:.4} of the sums trained on",
        report.train_exact
    ))?;
    say(format_args!(
        "states, codes exact {:.4}, {:.4}",
        report.state_exact, report.code_exact
    ))?;
    if let (Some(valid), Some(codes)) = (report.grid_valid, report.grid_codes) {
        say(format_args!(
            "plane              {valid:.4} decodes to a number, {codes} different ones"
        ))?;
    }
    say(format_args!(
        "order              Spearman {:.3}, neighbours {:.3} of the diagonal apart (95th percentile {:.3})",
        report.order_spearman, report.adjacent_median, report.adjacent_p95
    ))?;
    if let (Some(trust), Some(continuity)) = (report.order_trustworthiness, report.order_continuity)
    {
        say(format_args!(
            "neighbours         by value against by distance: trustworthiness {trust:.4}, continuity {continuity:.4}"
        ))?;
    }
    if let (Some(trust), Some(continuity)) = (report.pca_trustworthiness, report.pca_continuity) {
        say(format_args!(
            "PCA plane          trustworthiness {trust:.4}, continuity {continuity:.4}"
        ))?;
    }
    if let (Some(code), Some(state)) = (
        report.code_largest_empty_square,
        report.state_largest_empty_square,
    ) {
        say(format_args!(
            "largest empty square {code:.3} of the code plane's side, {state:.3} of the state plane's"
        ))?;
    }
    if let (Some(code), Some(state)) = (report.code_largest_void, report.state_largest_void) {
        say(format_args!(
            "largest void       {code:.4} of the code plane, {state:.4} of the state plane"
        ))?;
    }
    if let (Some(latent), Some(requantised)) =
        (&report.lines_exact, &report.lines_exact_requantised)
    {
        let text = |shares: &[f64]| {
            let shares: Vec<String> = shares.iter().map(|share| format!("{share:.3}")).collect();
            shares.join(" ")
        };
        say(format_args!(
            "1, 2, .. lines     {}; requantised {}",
            text(latent),
            text(requantised)
        ))?;
    }
    if let Some(proposals) = report.proposals_exact {
        say(format_args!(
            "inverse encoder    {proposals:.4} of the sums held out"
        ))?;
    }
    Ok(())
}
