//! Benchmarks of the Latent Executor.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::measured::{BenchArgs, Measured, Quantity, quantiles, temporary, with_progress};
use crate::{
    cli::session::{ExecutorSession, refuse_if_interrupted},
    data::{language::Language, sums::Sum},
    device::{self, Choice},
    executor::config::{ExecutorConfig, PRESETS},
    executor::{
        benchmark::sample_sums,
        job::{ExecutorCommand, ExecutorEvent, PointQuery, SolveRequest},
        system::ExecutorSystem,
        trace,
    },
    latent::{MAP_SIZE, order::quantile, search::Method},
    training::{Limit, RunCommand, RunEvent, Start, trace::training},
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
/// Maps drawn.
const MAPS: usize = 5;
/// Steps of a run that are measured, and those before them that are not.
const STEPS: u64 = 100;
const WARM_UP: u64 = 20;

pub fn run(args: &BenchArgs, choice: Choice) -> Result<Measured> {
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    let model = session.views.run.model.get().context("no model")?;
    let mut measured = match args.what {
        Quantity::Train => return train(&session, args),
        Quantity::Map => mapped(&session, model.params)?,
        Quantity::Decode => Measured::new(probes(&session)?),
        Quantity::DecodeTraining => Measured::new(probes_while_training(&session)?),
        Quantity::Search => searched(&session)?,
        Quantity::Projection | Quantity::Glyph | Quantity::Corpus | Quantity::Ui => {
            bail!("this is not measured of a Latent Executor")
        }
    };
    measured.device.clone_from(&model.device);
    measured.run = model.origin.clone();
    session.finish();
    Ok(measured)
}

/// Writes the data another framework needs to take the same steps, or to draw the same map.
pub fn write_trace(args: &BenchArgs, to: &Path, choice: Choice) -> Result<()> {
    let device = device::open(choice)?.device;
    match args.what {
        Quantity::Map => trace::model(&args.model.source(1)?, to, &device),
        _ => {
            let steps = args.steps.unwrap_or(STEPS);
            with_progress(steps, |watch| {
                training::<ExecutorSystem>(config(args)?, (), steps, to, &device, watch)
            })
        }
    }
}

fn config(args: &BenchArgs) -> Result<ExecutorConfig> {
    args.configured(ExecutorConfig::preset)
}

/// Each step of a short run, the first ones left out.
fn train(session: &ExecutorSession, args: &BenchArgs) -> Result<Measured> {
    let config = config(args)?;
    let sizes = json!({ "dims": config.dims, "batch": config.batch });
    Measured::of_run(session, args, config, (), (STEPS, WARM_UP), sizes)
}

fn mapped(session: &ExecutorSession, params: usize) -> Result<Measured> {
    let (millis, first): (Vec<f64>, Vec<f64>) = maps(session)?.into_iter().unzip();
    let (first, _) = quantiles(&first);
    let mut measured = Measured::new(millis).with(json!({
        "first_picture_ms": first,
        "sizes": { "cells": MAP_SIZE * MAP_SIZE, "params": params },
    }));
    measured
        .lines
        .push(format!("first coarse picture: median {first:.1} ms"));
    Ok(measured)
}

fn searched(session: &ExecutorSession) -> Result<Measured> {
    let (millis, evaluations) = searches(session)?;
    let success = evaluations.iter().flatten().count() as f64 / evaluations.len() as f64;
    let tried = evaluations.iter().map(|e| e.unwrap_or(BUDGET + 1) as f64);
    let mut tried: Vec<f64> = tried.collect();
    tried.sort_by(f64::total_cmp);
    let median = quantile(&tried, 0.5);
    let mut measured = Measured::new(millis).with(json!({
        "success_at": { BUDGET.to_string(): success },
        "median_evaluations": median,
        "sizes": { "sums": SEARCHED, "budget": BUDGET },
    }));
    measured.lines.push(format!(
        "found within {BUDGET} evaluations: {success:.2} of the sums, median {median:.0} evaluations"
    ));
    Ok(measured)
}

/// Milliseconds of each map, and until its first coarse picture.
fn maps(session: &ExecutorSession) -> Result<Vec<(f64, f64)>> {
    let mapped = |event| match event {
        ExecutorEvent::Mapped(map) => Some((map.secs * 1e3, map.first_secs * 1e3)),
        _ => None,
    };
    (0..MAPS)
        .map(|_| {
            session.request(
                ExecutorCommand::Map {
                    sum: SUM,
                    size: MAP_SIZE,
                    slice: None,
                },
                mapped,
                |_| refuse_if_interrupted(),
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
        session.probe(PointQuery {
            point: point.clone(),
            state: SUM.start,
            result: Some(SUM.result),
        });
        refuse_if_interrupted()?;
        waiting.push((u64::from(point[1].to_bits()), Instant::now()));
        while Instant::now() < due {
            if let Some(answer) = session.views.answer.get() {
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
    let folder = temporary()?;
    let train = RunCommand::Train {
        start: Start::Fresh(Box::new(ExecutorConfig::preset(PRESETS[0])?)),
        data: (),
        out: folder.path().join("run"),
        limit: Limit::Schedule,
    };
    let started = |event| matches!(event, ExecutorEvent::Run(RunEvent::Started(_))).then_some(());
    session.request(train.into(), started, |_| refuse_if_interrupted())?;
    // The window watches while it trains: planes and maps are part of the load.
    session.send(ExecutorCommand::Watch(Some(SUM), None))?;
    std::thread::sleep(Duration::from_secs(1));
    let millis = probes(session);
    let trained = |event| matches!(event, ExecutorEvent::Run(RunEvent::Trained(_))).then_some(());
    session.request(RunCommand::Stop.into(), trained, |_| Ok(()))?;
    millis
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
