//! `glyphspace executor project`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        args::{ExecutorModel, perplexity},
        output::say,
        progress::ProgressLine,
        session::{ExecutorSession, refuse_if_interrupted, until_interrupted},
    },
    device::Choice,
    executor::{
        export,
        job::ExecutorCommand,
        projection::{Group, Projected},
    },
    latent::projection::{NEIGHBOURS, Projection, TsneStage},
    training::run_folder::RunFolder,
};

/// Arguments of `executor project`.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// Perplexities of t-SNE, one picture each; lowered where there are too few points for one
    #[arg(long, value_delimiter = ',', default_value = "2,5,30,50,100", value_parser = perplexity)]
    perplexity: Vec<f32>,
    /// Seed of t-SNE
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The folder to make
    #[arg(long)]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn project(args: &ProjectArgs, choice: Choice) -> Result<()> {
    let mut perplexities = args.perplexity.clone();
    perplexities.sort_by(f32::total_cmp);
    perplexities.dedup();
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    session.send(ExecutorCommand::Watch(None, None))?;
    let planes = loop {
        if let Some(planes) = session.views.planes.get() {
            break planes;
        }
        session.next()?;
        refuse_if_interrupted()?;
    };
    session.finish();
    let folder = RunFolder::create(&args.out)?;

    let kinds = Projection::all(&perplexities);
    let mut bar = ProgressLine::new("projecting");
    let all = (Group::ALL.len() * kinds.len()) as f64;
    let mut done = Vec::new();
    for group in Group::ALL {
        for &kind in &kinds {
            let before = done.len() as f64;
            let mut watch = |stage: TsneStage<'_>| {
                let share = stage.step as f64 / stage.steps.max(1) as f64;
                bar.update((before + share) / all, &format!("{} {kind}", group.id()));
                until_interrupted()
            };
            match Projected::new(&planes, group, kind, args.seed, &mut watch) {
                Some(projected) => done.push(projected),
                None => bail!("interrupted"),
            }
        }
    }
    bar.finish(&format!("{} layouts", done.len()));
    let (picture, table) = (
        folder.path().join("projections.png"),
        folder.path().join("projections.csv"),
    );
    export::projections_png(&picture, &done)?;
    export::projections_csv(&table, &done)?;

    if args.json {
        let layout = |p: &Projected| {
            json!({
                "kind": p.group.id(),
                "projection": p.kind.id(),
                "trustworthiness": p.trust.map(|trust| trust.trustworthiness),
                "continuity": p.trust.map(|trust| trust.continuity),
            })
        };
        let layouts: Vec<_> = done.iter().map(layout).collect();
        return say(json!({
            "dims": planes.codes.dims,
            "seed": args.seed,
            "neighbours": NEIGHBOURS,
            "projections": layouts,
            "png": picture,
            "csv": table,
        }));
    }
    say("kind   projection              trustworthiness  continuity")?;
    for p in &done {
        let text = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{v:.4}"));
        say(format_args!(
            "{:6} {:23} {:15}  {}",
            p.group.id(),
            p.kind.name_of(p.places.len()),
            text(p.trust.map(|trust| trust.trustworthiness)),
            text(p.trust.map(|trust| trust.continuity))
        ))?;
    }
    for path in [&picture, &table] {
        say(format_args!("wrote {}", path.display()))?;
    }
    Ok(())
}
