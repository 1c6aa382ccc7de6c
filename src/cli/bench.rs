//! `glyphspace bench`: how long the things take that people wait for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::json;

use super::{BenchArgs, output::say, projection, session::ExecutorSession};
use crate::{
    config::executor::{ExecutorConfig, PRESETS},
    data::{language::Language, sums::Sum},
    device::Choice,
    executor::{
        benchmark::sample_sums,
        job::{Command, Event, Question, SolveRequest},
    },
    latent::{MAP_SIZE, order::quantile, search::Method},
    training::{Limit, Start},
};

const SUM: Sum = Sum {
    start: 71,
    result: 18,
};
/// Pointer movements a second, as a mouse makes them.
const PROBES_PER_SEC: u64 = 60;

const SEARCHED: usize = 100;
const SEARCH_SEED: u64 = 7;
const BUDGET: usize = 200;

/// What is measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum What {
    /// A training step of the pocket preset
    Train,
    /// A loss map of 256 x 256 cells
    Map,
    /// From the pointer to the decoded text, idle
    Decode,
    /// The same while a model trains
    DecodeTraining,
    /// Bayesian optimisation over 100 sums, and how often it succeeds
    Search,
    /// t-SNE of many points
    Projection,
}

pub fn run(args: &BenchArgs, choice: Choice) -> Result<()> {
    if let What::Projection = args.what {
        let dims = args.model.dims.unwrap_or(10);
        return projection::bench(&args.points, dims, args.json);
    }
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    let device = session
        .board
        .model
        .get()
        .map(|model| model.device.clone())
        .unwrap_or_default();
    let mut found = None;
    let mut millis = match args.what {
        What::Train | What::Projection => train(&session)?,
        What::Map => maps(&session)?,
        What::Decode => probes(&session)?,
        What::DecodeTraining => probes_while_training(&session)?,
        What::Search => {
            let (millis, evaluations) = searches(&session)?;
            found = Some(evaluations);
            millis
        }
    };
    session.finish();
    millis.sort_by(f64::total_cmp);
    let (median, p95) = (quantile(&millis, 0.5), quantile(&millis, 0.95));
    let what = args
        .what
        .to_possible_value()
        .map(|value| value.get_name().to_owned());
    let search = found.map(|evaluations: Vec<Option<usize>>| {
        let success = evaluations.iter().flatten().count() as f64 / evaluations.len() as f64;
        let mut tried: Vec<f64> = evaluations
            .iter()
            .map(|e| e.unwrap_or(BUDGET + 1) as f64)
            .collect();
        tried.sort_by(f64::total_cmp);
        (success, quantile(&tried, 0.5))
    });
    if args.json {
        let mut result = json!({ "what": what, "median_ms": median, "p95_ms": p95, "runs": millis.len(), "device": device });
        if let Some((success, evaluations)) = search {
            result["success_at"] = json!({ BUDGET.to_string(): success });
            result["median_evaluations"] = json!(evaluations);
        }
        say(result)?;
    } else {
        let what = what.unwrap_or_default();
        say(format_args!(
            "{what}: median {median:.1} ms, 95th percentile {p95:.1} ms, {} runs on {device}",
            millis.len()
        ))?;
        if let Some((success, evaluations)) = search {
            say(format_args!(
                "found within {BUDGET} evaluations: {success:.2} of the sums, median {evaluations:.0} evaluations"
            ))?;
        }
    }
    Ok(())
}

/// Milliseconds of each step of a short run, the first ones left out.
fn train(session: &ExecutorSession) -> Result<Vec<f64>> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    session.train(fresh()?, &folder.path().join("run"), Limit::Steps(120))?;
    let curve = session.board.curves.get().context("no metrics")?;
    let secs: Vec<f64> = curve.iter().map(|m| m.train_secs).collect();
    Ok(secs
        .windows(2)
        .skip(20)
        .map(|pair| (pair[1] - pair[0]) * 1e3)
        .collect())
}

fn maps(session: &ExecutorSession) -> Result<Vec<f64>> {
    let mapped = |event| {
        if let Event::Mapped(map) = event {
            Some(map.secs * 1e3)
        } else {
            None
        }
    };
    (0..5)
        .map(|_| {
            session.ask(
                Command::Map {
                    sum: SUM,
                    size: MAP_SIZE,
                    slice: None,
                },
                mapped,
                |_| Ok(()),
            )
        })
        .collect()
}

/// Moves a pointer over the plane for a while; milliseconds from each question to its answer, or to
/// the answer of a later one that superseded it.
fn probes(session: &ExecutorSession) -> Result<Vec<f64>> {
    let mut millis = Vec::new();
    let mut waiting: Vec<(u64, Instant)> = Vec::new();
    for tick in 0..PROBES_PER_SEC * 5 {
        let due = Instant::now() + Duration::from_millis(1000 / PROBES_PER_SEC);
        let turn = tick as f32 / 60.0;
        // The point carries the tick, so that an answer tells which question it is for.
        let point = vec![
            0.8 * turn.cos(),
            tick as f32 / (PROBES_PER_SEC * 5) as f32 - 0.5,
        ];
        session.probe(Question {
            point: point.clone(),
            state: SUM.start,
            result: Some(SUM.result),
        });
        waiting.push((u64::from(point[1].to_bits()), Instant::now()));
        while Instant::now() < due {
            if let Some(answer) = session.board.answer.get() {
                let answered = u64::from(answer.point[1].to_bits());
                if let Some(index) = waiting.iter().position(|(key, _)| *key == answered) {
                    millis.extend(
                        waiting
                            .drain(..=index)
                            .map(|(_, asked)| asked.elapsed().as_secs_f64() * 1e3),
                    );
                }
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    Ok(millis)
}

fn probes_while_training(session: &ExecutorSession) -> Result<Vec<f64>> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let out = folder.path().join("run");
    let started = |event| {
        if let Event::Started(_) = event {
            Some(())
        } else {
            None
        }
    };
    // The window watches while it trains: planes and maps are part of the load.
    session.ask(
        Command::Train {
            start: fresh()?,
            out,
            limit: Limit::Schedule,
        },
        started,
        |_| Ok(()),
    )?;
    session.send(Command::Watch(Some(SUM), None))?;
    std::thread::sleep(Duration::from_secs(1));
    let millis = probes(session)?;
    let trained = |event| {
        if let Event::Trained(_) = event {
            Some(())
        } else {
            None
        }
    };
    session.ask(Command::Stop, trained, |_| Ok(()))?;
    Ok(millis)
}

/// Milliseconds of each search over a seeded choice of sums, and the evaluations each needed.
fn searches(session: &ExecutorSession) -> Result<(Vec<f64>, Vec<Option<usize>>)> {
    let sums = sample_sums(Language::TwoDigits, SEARCHED, SEARCH_SEED);
    let mut results = Vec::new();
    for sum in sums {
        let begun = Instant::now();
        let view = session.solve(SolveRequest::new(sum, Method::Bo, BUDGET, 0))?;
        results.push((
            begun.elapsed().as_secs_f64() * 1e3,
            view.solved.map(|_| view.spent),
        ));
    }
    Ok(results.into_iter().unzip())
}

fn fresh() -> Result<Start<ExecutorConfig>> {
    Ok(Start::Fresh(Box::new(ExecutorConfig::preset(PRESETS[0])?)))
}
