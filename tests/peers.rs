//! Agreement with PyTorch: losses it found with our weights and draws, kept by `tests/peers/compare.py --agree --write`.

use std::sync::Arc;

use burn::tensor::Device;
use glyphspace::{
    data::corpus::Corpus,
    executor::{checkpoint, config::ExecutorConfig, system::ExecutorSystem},
    glyphs::{config::GlyphsConfig, corpus_functions::sample_corpus, system::GlyphsSystem},
    latent::points::Points,
    training::{System, Trainer, checkpoint::Source, config::Config},
};
use serde_json::Value;

/// Largest difference, relative where a loss is above 1; see compare.py for the learning rates it needs.
const TOLERANCE: f64 = 1e-3;

fn kept(row: &str) -> Value {
    let kept: Value = serde_json::from_str(include_str!("data/peers.json")).unwrap();
    kept[row].clone()
}

fn numbers(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

fn check(ours: &[f64], theirs: &[f64]) {
    assert!(ours.len() == theirs.len() && ours.len() >= 20);
    for (number, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let apart = (a - b).abs() / a.abs().max(1.0);
        assert!(apart < TOLERANCE, "loss {number} is {a}, PyTorch's {b}");
    }
}

fn check_steps<S: System>(row: &str, config: anyhow::Result<S::Config>, data: S::Data) {
    let (kept, mut config) = (kept(row), config.unwrap());
    let rate = kept["learning_rate"].clone();
    config.set_value("learning_rate", rate).unwrap();
    let mut trainer = Trainer::<S>::new(config, data, &Device::flex()).unwrap();
    let theirs = numbers(&kept["losses"]);
    let ours = theirs.iter().map(|_| trainer.step().unwrap().loss());
    check(&ours.collect::<Vec<_>>(), &theirs);
}

#[test]
fn a_training_step_of_the_executor_is_pytorchs() {
    check_steps::<ExecutorSystem>("train-executor", ExecutorConfig::preset("pocket"), ());
}

#[test]
fn a_training_step_of_glyphs_is_pytorchs() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample_corpus(folder.path(), &mut || true).unwrap();
    check_steps::<GlyphsSystem>(
        "train-glyphs",
        GlyphsConfig::preset("plain"),
        Arc::new(Corpus::open(&path).unwrap()),
    );
}

#[test]
fn a_loss_map_is_pytorchs() {
    let kept = kept("map");
    let executor = checkpoint::load(&Source::Bundled, &Device::flex()).unwrap();
    let places = kept["points"].as_array().unwrap().iter();
    let values = places.flat_map(numbers).map(|value| value as f32).collect();
    let points = Points { dims: 2, values };
    let outcome = executor
        .evaluate(&points, "71+?=18".parse().unwrap())
        .unwrap();
    let ours: Vec<f64> = outcome.loss.iter().map(|loss| f64::from(*loss)).collect();
    check(&ours, &numbers(&kept["losses"]));
}
