//! `glyphspace glyphs train-embedder`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    cli::{
        args::RunArgs,
        output::say,
        session::{CliSession, refuse_if_interrupted},
    },
    device::Choice,
    embedder::{Embedder, config::EmbedderConfig, job::EmbedderJob},
    training::{Metrics, checkpoint::Source},
};

#[derive(Debug, Args)]
pub struct EmbedderTrainArgs {
    /// The functions to train on, made by `glyphs corpus build`
    #[arg(long)]
    corpus: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

pub fn train(args: EmbedderTrainArgs, choice: Choice) -> Result<()> {
    let start = args
        .run
        .start(Embedder::checkpoint, || Ok(EmbedderConfig::default()))?;
    let session = CliSession::<EmbedderJob>::open(choice, Source::Untrained)?;
    let figures = |row: &Metrics| {
        let found = row.get("held_out_found").unwrap_or_default();
        format!(", unseen names found: {found:.3}")
    };
    session.train(start, args.corpus, &args.run.out, args.run.limit(), figures)?;
    if refuse_if_interrupted().is_ok() {
        session.print_evaluation((), false, |report| {
            say(format_args!(
                "tasks written in other ways: mean average precision at R {:.4}",
                report.rewrites_found
            ))
        })?;
    }
    session.finish();
    Ok(())
}
