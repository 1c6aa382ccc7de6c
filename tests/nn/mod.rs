//! Networks and losses against outside frameworks (data/t5.json, made by data/make_t5.py), finite
//! differences, and poisoned inputs.

mod adamw;
mod bottleneck;
mod conv;
pub mod gradients;
mod losses;
mod muon;
mod t5;

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Device, Tensor, TensorData},
};
use glyphspace::{kernels::Activation, nn::bottleneck::BottleneckStart};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    t5: T5Reference,
    buckets: Buckets,
    adamw: AdamWReference,
}

#[derive(Deserialize)]
struct T5Reference {
    sizes: BTreeMap<String, usize>,
    encoder: BTreeMap<String, Array>,
    decoder: BTreeMap<String, Array>,
    encoder_input: Array,
    encoder_output: Array,
    decoder_input: Array,
    decoder_output: Array,
}

#[derive(Deserialize)]
struct Buckets {
    first_offset: i32,
    tables: Vec<BucketTable>,
}

#[derive(Deserialize)]
struct BucketTable {
    buckets: usize,
    reach: usize,
    both: bool,
    table: Vec<usize>,
}

#[derive(Deserialize)]
struct AdamWReference {
    learning_rate: f64,
    betas: (f64, f64),
    epsilon: f64,
    weight_decay: f64,
    max_norm: f64,
    start: BTreeMap<String, Array>,
    steps: Vec<AdamWStep>,
}

#[derive(Deserialize)]
struct AdamWStep {
    gradient: BTreeMap<String, Array>,
    norm: f32,
    params: BTreeMap<String, Array>,
}

#[derive(Deserialize)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Array {
    pub fn tensor<const D: usize>(&self, device: &Device) -> Tensor<D> {
        Tensor::from_data(
            TensorData::new(self.values.clone(), self.shape.clone()),
            device,
        )
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../data/t5.json")).unwrap()
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().unwrap()
}

pub fn check_close(got: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let distance = (got - expected).abs();
        assert!(
            distance <= tolerance * expected.abs().max(1.0),
            "{what}, entry {i}: {got}, expected {expected}"
        );
    }
}

pub fn draws(count: usize, seed: u64, mut draw: impl FnMut(&mut ChaCha8Rng) -> f32) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| draw(&mut rng)).collect()
}

/// `count` points of `dims` draws each.
fn cloud(
    count: usize,
    dims: usize,
    seed: u64,
    draw: impl FnMut(&mut ChaCha8Rng) -> f32,
) -> TensorData {
    TensorData::new(draws(count * dims, seed, draw), [count, dims])
}

fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    rng.random_range(-1.0..1.0)
}

/// Gives a module's parameters the values that `of` has for their path and shape.
struct Fill<F> {
    path: Vec<String>,
    of: F,
}

impl<F: FnMut(&[String], &[usize]) -> Vec<f32>> ModuleMapper for Fill<F> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        let values = (self.of)(&self.path, &shape);
        param.map(|old| Tensor::from_data(TensorData::new(values, shape), &old.device()))
    }
}

pub fn fill<M: Module>(module: M, of: impl FnMut(&[String], &[usize]) -> Vec<f32>) -> M {
    module.map(&mut Fill {
        path: Vec::new(),
        of,
    })
}

/// How a bottleneck begins where it doesn't matter.
pub const START: BottleneckStart = BottleneckStart {
    gain: 1.2,
    activation: Activation::Relu,
    is_deep: true,
};
