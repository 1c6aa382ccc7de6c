//! Training runs on the CPU.

mod captured;
mod checkpoints;
mod faults;
mod learning;
pub mod parity;
mod programs;
mod resuming;
mod runs;
mod shards;

use std::{collections::BTreeMap, path::Path};

use burn::tensor::Device;
use glyphspace::{
    executor::config::ExecutorConfig,
    executor::system::ExecutorRun,
    training::config::Config as _,
    training::{Limit, Metrics, Start},
};

/// The pocket preset, smaller still, with some keys set.
fn small(assignments: &[&str]) -> ExecutorConfig {
    smaller("pocket", assignments)
}

/// A preset, smaller, with some keys set.
fn smaller(preset: &str, assignments: &[&str]) -> ExecutorConfig {
    let mut config = ExecutorConfig::preset(preset).unwrap();
    let sizes = [
        "d_model=16",
        "d_kv=8",
        "num_heads=2",
        "d_ff=32",
        "bottleneck=24",
        "batch=32",
        "warmup_steps=10",
    ];
    for assignment in sizes.iter().chain(assignments) {
        config.set(assignment).unwrap();
    }
    config
}

fn fresh(config: &ExecutorConfig) -> Start<ExecutorConfig> {
    Start::Fresh(Box::new(config.clone()))
}

/// Takes `steps` more steps and saves.
fn train(start: Start<ExecutorConfig>, out: &Path, steps: u64) {
    let mut run = ExecutorRun::start(start, (), out, Limit::Steps(steps), &Device::flex()).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.save().unwrap();
}

/// The rows of a run's metrics without the seconds, as they were written.
pub fn curve(run: &Path) -> Vec<BTreeMap<String, String>> {
    let rows = csv::Reader::from_path(run.join("metrics.csv"))
        .unwrap()
        .into_deserialize();
    rows.map(|row| {
        let mut row: BTreeMap<String, String> = row.unwrap();
        assert!(row.remove("train_secs").is_some());
        assert!(row.contains_key("loss") && row.contains_key("gradient_norm"));
        row
    })
    .collect()
}

/// A step's figures on one device as on another.
pub fn check_alike(metrics: &Metrics, expected: &Metrics) {
    let figures = |metrics: &Metrics| {
        let serde_json::Value::Object(row) = serde_json::to_value(metrics).unwrap() else {
            unreachable!("a row is flat")
        };
        row
    };
    let expected = figures(expected);
    for (name, value) in figures(metrics) {
        if ["train_secs", "gradient_norm"].contains(&name.as_str()) {
            continue;
        }
        let (value, expected) = (value.as_f64().unwrap(), expected[&name].as_f64().unwrap());
        let is_alike = (value - expected).abs() < 2e-3 * expected.abs().max(0.1);
        assert!(is_alike, "{name}: {value}, on the CPU {expected}");
    }
}
