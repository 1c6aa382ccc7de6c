//! The program without a display: a fresh model trained for a while, then maps and searches with it
//! and with the bundled one, left as pictures, a report and a summary.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use super::{
    args::seconds,
    executor::{planes::draw_map, train::figures},
    output::say,
    session::{ExecutorSession, OnInterrupt, listen_for_interrupts, refuse_if_interrupted},
};
use crate::{
    data::{language::Code, sums::Sum},
    device::Choice,
    executor::config::{ExecutorConfig, PRESETS},
    executor::{evaluation::ExecutorReport, export, job::SolveRequest},
    latent::{MAP_SIZE, search::Method},
    training::run_folder::RunFolder,
    training::{Limit, Start, checkpoint::Source},
};

/// Sums to solve; the first is the one of the pictures.
const SUMS: [Sum; 4] = [
    Sum {
        start: 71,
        result: 18,
    },
    Sum {
        start: 12,
        result: 23,
    },
    Sum {
        start: 45,
        result: 90,
    },
    Sum {
        start: 86,
        result: 13,
    },
];
const BUDGET: usize = 200;

/// Arguments of `tour`.
#[derive(Clone, Debug, Args)]
pub struct TourArgs {
    /// The folder to make; without it tour, tour-2, ..
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Seconds of training
    #[arg(long, default_value_t = 45.0, value_parser = seconds)]
    pub train_seconds: f64,
}

/// Runs the tour.
///
/// # Errors
/// If any part of it fails.
pub fn run(args: &TourArgs, choice: Choice) -> Result<()> {
    listen_for_interrupts(OnInterrupt::Save)?;
    let folder = make_folder(args.out.as_deref())?;
    let run = folder.join("run");
    let session = ExecutorSession::open(choice, Source::Bundled)?;

    let bundled = visit(&session, "bundled", &folder)?;
    let start = Start::Fresh(Box::new(ExecutorConfig::preset(PRESETS[0])?));
    session.train(start, (), &run, Limit::Seconds(args.train_seconds), figures)?;
    refuse_if_interrupted()?;
    if let Some(curves) = session.views.run.curves.get() {
        export::curves_png(&folder.join("curves.png"), &curves)?;
    }
    let fresh = visit(&session, "fresh", &folder)?;
    session.finish();

    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    };
    let summary = summarise(&folder, args.train_seconds, [&bundled, &fresh]);
    let models = json!({ "bundled": bundled.json(), "fresh": fresh.json() });
    write(
        "report.json",
        &serde_json::to_string_pretty(
            &json!({ "train_seconds": args.train_seconds, "models": models }),
        )?,
    )?;
    write("summary.txt", &summary)?;
    say(summary.trim_end())?;
    Ok(())
}

/// Results of one model.
struct TourRun {
    name: &'static str,
    report: ExecutorReport,
    map_secs: f64,
    lowest_code: Option<Code>,
    solved: Vec<(Sum, Option<Code>, usize)>,
}

impl TourRun {
    fn json(&self) -> Value {
        let solved = self.solved.iter().map(|(sum, code, evaluations)| {
            json!({ "sum": sum.to_string(), "code": code, "solved": code.is_some(), "evaluations": evaluations })
        });
        json!({
            "eval": self.report,
            "map_secs": self.map_secs,
            "map_lowest_code": self.lowest_code,
            "solve": solved.collect::<Vec<_>>(),
        })
    }
}

/// Evaluates, maps and searches with the open model.
fn visit(session: &ExecutorSession, name: &'static str, folder: &Path) -> Result<TourRun> {
    let report = session.evaluate(())?;
    let mut solved = Vec::new();
    let mut first = None;
    for sum in SUMS {
        let view = session.solve(SolveRequest::new(sum, Method::Bo, BUDGET, 0))?;
        solved.push((
            sum,
            view.solved.and_then(|index| view.path[index].code),
            view.spent,
        ));
        first.get_or_insert(view);
    }
    let map = draw_map(session, SUMS[0], MAP_SIZE, None)?;
    export::map_png(
        &folder.join(format!("map-{name}.png")),
        &map,
        &SUMS[0].into(),
        first.as_deref(),
    )?;
    export::map_csv(&folder.join(format!("map-{name}.csv")), &map)?;
    export::planes_png(&folder.join(format!("planes-{name}.png")), &map.planes)?;
    let lowest_code = map.lowest().and_then(|(cell, _)| map.code[cell]);
    Ok(TourRun {
        name,
        report,
        map_secs: map.secs,
        lowest_code,
        solved,
    })
}

fn summarise(folder: &Path, train_secs: f64, visits: [&TourRun; 2]) -> String {
    let mut text = format!(
        "Glyphspace tour: a model trained here for {train_secs:.0} s, beside the bundled one\n\n"
    );
    let columns = [
        "model",
        "held out",
        "plane valid",
        "order",
        "map",
        "lowest loss at",
    ];
    // Writing into a String can't fail.
    let _ = writeln!(
        text,
        "{:<8} {:>9} {:>12} {:>6} {:>7} {:>15}",
        columns[0], columns[1], columns[2], columns[3], columns[4], columns[5]
    );
    for visit in visits {
        let lowest = visit
            .lowest_code
            .map_or_else(|| "no number".into(), |code| code.to_string());
        let _ = writeln!(
            text,
            "{:<8} {:>9.4} {:>12.4} {:>6.3} {:>5.2} s {:>15}",
            visit.name,
            visit.report.held_out_exact,
            visit.report.grid_valid.unwrap_or(f64::NAN),
            visit.report.order_spearman,
            visit.map_secs,
            lowest
        );
    }
    text.push('\n');
    for visit in visits {
        for (sum, code, evaluations) in &visit.solved {
            let found = code.map_or_else(|| "not found".into(), |code| format!("found {code}"));
            let _ = writeln!(
                text,
                "{:<8} {sum}: {found} in {evaluations} evaluations",
                visit.name
            );
        }
    }
    let _ = writeln!(
        text,
        "\npictures, tables and report.json are in {}",
        folder.display()
    );
    text
}

/// `tour`, `tour-2`, ..: never one that is there; a folder named by the user must be new.
fn make_folder(out: Option<&Path>) -> Result<PathBuf> {
    let folder = match out {
        Some(out) => out.to_owned(),
        None if !Path::new("tour").exists() => "tour".into(),
        None => (2..)
            .map(|n| PathBuf::from(format!("tour-{n}")))
            .find(|path| !path.exists())
            .context("no free name")?,
    };
    Ok(RunFolder::create(&folder)?.path().to_owned())
}
