//! Networks and losses against outside frameworks (data/t5.json, made by data/make_t5.py), finite
//! differences, and poisoned inputs.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleMapper, Param},
    nn::Linear,
    tensor::{Device, Int, Tensor, TensorData},
};
use glyphspace::nn::{
    adamw::{AdamW, Moments},
    bottleneck::{Bottleneck, Octaves},
    init::{Initializer, normal},
    losses::{Prior, distance_mismatch, mmd, nearest_distances, row_distances, token_nll},
    t5::{Direction, T5Sizes, T5Stack, bucket},
};
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
    serde_json::from_str(include_str!("data/t5.json")).unwrap()
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

/// Flax's name of a parameter of ours.
fn flax_name(path: &[String], is_decoder: bool) -> String {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["final_layer_norm", _] => "final_layer_norm.weight".into(),
        ["relative_attention_bias", _] => {
            "block.0.layer.0.SelfAttention.relative_attention_bias.embedding".into()
        }
        ["block", block, sublayer, ref part @ ..] => {
            let (index, kind) = match sublayer {
                "self_attention" => (0, "SelfAttention"),
                "cross_attention" => (1, "EncDecAttention"),
                "feed_forward" => (if is_decoder { 2 } else { 1 }, "DenseReluDense"),
                _ => panic!("unknown sublayer {sublayer}"),
            };
            match part {
                ["layer_norm", _] => format!("block.{block}.layer.{index}.layer_norm.weight"),
                [.., matrix, "weight"] => {
                    format!("block.{block}.layer.{index}.{kind}.{matrix}.kernel")
                }
                _ => panic!("unknown parameter {path:?}"),
            }
        }
        _ => panic!("unknown parameter {path:?}"),
    }
}

fn sizes(reference: &BTreeMap<String, usize>) -> T5Sizes {
    T5Sizes {
        d_model: reference["d_model"],
        d_kv: reference["d_kv"],
        d_ff: reference["d_ff"],
        num_heads: reference["num_heads"],
        relative_attention_num_buckets: reference["relative_attention_num_buckets"],
        relative_attention_max_distance: reference["relative_attention_max_distance"],
    }
}

/// A stack of ours with flax's weights, all of which it must have a place for.
fn stack(reference: &T5Reference, is_decoder: bool, device: &Device) -> T5Stack {
    let weights = if is_decoder {
        &reference.decoder
    } else {
        &reference.encoder
    };
    let layers = reference.sizes["num_layers"];
    let fresh = T5Stack::new(
        layers,
        is_decoder,
        &sizes(&reference.sizes),
        &mut Initializer::new(0, device),
    );
    let mut used = Vec::new();
    let filled = fill(fresh, |path, shape| {
        let name = flax_name(path, is_decoder);
        let array = weights
            .get(&name)
            .unwrap_or_else(|| panic!("flax has no {name}"));
        assert_eq!(array.shape, shape, "{name}");
        used.push(name);
        array.values.clone()
    });
    used.sort();
    assert_eq!(used, weights.keys().cloned().collect::<Vec<_>>());
    filled
}

#[test]
fn the_encoder_stack_agrees_with_flax() {
    let (t5, device) = (reference().t5, Device::flex());
    let output = stack(&t5, false, &device).encode(t5.encoder_input.tensor(&device));
    check_close(&values(output), &t5.encoder_output.values, 1e-4, "encoder");
}

#[test]
fn the_decoder_stack_agrees_with_flax() {
    let (t5, device) = (reference().t5, Device::flex());
    let memory = t5.encoder_output.tensor(&device);
    let output = stack(&t5, true, &device).decode(t5.decoder_input.tensor(&device), memory);
    check_close(&values(output), &t5.decoder_output.values, 1e-4, "decoder");
}

#[test]
fn a_prefix_is_the_beginning_of_the_whole() {
    let (t5, device) = (reference().t5, Device::flex());
    let encoder = stack(&t5, false, &device);
    let input: Tensor<3> = t5.encoder_input.tensor(&device);
    for keep in [1, 7, 20, 40] {
        let whole = encoder.encode(input.clone()).narrow(1, 0, keep);
        check_close(
            &values(encoder.encode_prefix(input.clone(), keep)),
            &values(whole),
            1e-5,
            "prefix",
        );
    }
}

#[test]
fn position_buckets_agree_with_flax() {
    let buckets = reference().buckets;
    assert_eq!(buckets.tables.len(), 6);
    for table in &buckets.tables {
        let direction = if table.both {
            Direction::Both
        } else {
            Direction::Backward
        };
        for (offset, expected) in (buckets.first_offset..).zip(&table.table) {
            let got = bucket(offset, direction, table.buckets, table.reach);
            let which = (table.buckets, table.reach, direction);
            assert_eq!(got, *expected, "offset {offset} of {which:?}");
        }
    }
}

/// burn's `Linear` and the order in which it visits: weight, bias.
fn linear(params: &BTreeMap<String, Array>, device: &Device) -> Linear {
    let weight = Param::from_tensor(params["weight"].tensor(device)).set_require_grad(true);
    let bias = Param::from_tensor(params["bias"].tensor(device)).set_require_grad(true);
    Linear {
        weight,
        bias: Some(bias),
    }
}

#[test]
fn adamw_with_the_global_clip_agrees_with_optax() {
    let reference = reference().adamw;
    let device = Device::flex().autodiff();
    let AdamWReference {
        betas,
        epsilon,
        weight_decay,
        max_norm,
        ..
    } = reference;
    let optimiser = AdamW {
        betas,
        epsilon,
        weight_decay,
        max_norm,
    };
    let mut module = linear(&reference.start, &device);
    let mut moments = Moments::zeros(module.num_params(), &device.clone().inner());
    for (step, expected) in (1..).zip(&reference.steps) {
        // A loss with just these gradients.
        let weight = module.weight.val() * expected.gradient["weight"].tensor::<2>(&device);
        let bias =
            module.bias.as_ref().unwrap().val() * expected.gradient["bias"].tensor::<1>(&device);
        let gradients = (weight.sum() + bias.sum()).backward();
        let norm;
        (module, norm) = optimiser.step(
            module,
            &gradients,
            &mut moments,
            reference.learning_rate,
            step,
        );
        check_close(&values(norm), &[expected.norm], 1e-5, "norm");
        check_close(
            &values(module.weight.val()),
            &expected.params["weight"].values,
            1e-5,
            "weight",
        );
        check_close(
            &values(module.bias.as_ref().unwrap().val()),
            &expected.params["bias"].values,
            1e-5,
            "bias",
        );
    }
}

#[test]
fn token_likelihoods_agree_with_double_precision() {
    let device = Device::flex();
    let logits = [
        [[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]],
        [[1e4, -1e4, 0.0], [-3.0, 8.0, 8.5]],
    ];
    let tokens = [[0, 2], [1, 1]];
    let nll = token_nll(
        Tensor::from_data(logits, &device),
        Tensor::<2, Int>::from_data(tokens, &device),
    );
    let expected: Vec<f32> = logits
        .iter()
        .flatten()
        .zip(tokens.iter().flatten())
        .map(|(row, token): (&[f32; 3], &i32)| {
            let most = row.iter().map(|l| f64::from(*l)).fold(f64::MIN, f64::max);
            let sum: f64 = row.iter().map(|l| (f64::from(*l) - most).exp()).sum();
            (most + sum.ln() - f64::from(row[*token as usize])) as f32
        })
        .collect();
    check_close(&values(nll), &expected, 1e-5, "token_nll");
    assert_eq!(expected[2], 2e4);
}

fn discrepancy(points: TensorData, prior: TensorData, kind: Prior) -> f32 {
    let device = Device::flex();
    values(mmd(
        Tensor::from_data(points, &device),
        Tensor::from_data(prior, &device),
        kind,
    ))[0]
}

#[test]
fn discrepancy_is_nothing_between_equal_sets_and_grows_with_the_distance() {
    for kind in [Prior::Box, Prior::SeedNormal] {
        for dims in [1, 2, 10] {
            let own = cloud(120, dims, 1, uniform);
            assert!(
                discrepancy(own.clone(), own.clone(), kind).abs() < 1e-5,
                "{kind:?} in {dims} dimensions"
            );
            let at = |shift: f32| {
                discrepancy(
                    cloud(120, dims, 2, |rng| uniform(rng) + shift),
                    own.clone(),
                    kind,
                )
            };
            let (near, far, farther) = (at(0.0), at(0.3), at(1.0));
            assert!(
                near >= -1e-5 && near < far && far < farther,
                "{kind:?} in {dims}: {near} {far} {farther}"
            );
        }
    }
}

#[test]
fn discrepancy_has_a_signal_in_a_hundred_dimensions_where_the_seeds_has_none() {
    let dims = 100;
    let collapsed = || cloud(120, dims, 3, |rng| 0.05 * normal(rng));
    let spread = || cloud(120, dims, 4, uniform);
    let boxed = |points| discrepancy(points, cloud(120, dims, 5, uniform), Prior::Box);
    let seeds = |points| discrepancy(points, cloud(120, dims, 5, normal), Prior::SeedNormal);
    assert!(
        boxed(collapsed()) > 20.0 * boxed(spread()),
        "{} {}",
        boxed(collapsed()),
        boxed(spread())
    );
    assert!(boxed(collapsed()) > 0.5, "{}", boxed(collapsed()));
    assert!(seeds(collapsed()).abs() < 0.002, "{}", seeds(collapsed()));
}

#[test]
fn distances_agree_with_hand_made_ones() {
    let device = Device::flex();
    let points = [[0.0, 0.0], [0.6, 0.8], [0.6, 0.7], [-3.0, 0.0]];
    let other = [[0.0, 0.0], [0.0, 0.0], [0.3, 0.3], [-3.0, 4.0]];
    let tensor = |rows: [[f32; 2]; 4]| Tensor::<2>::from_data(rows, &device);
    check_close(
        &values(row_distances(tensor(points), tensor(other))),
        &[0.0, 1.0, 0.5, 4.0],
        2e-4,
        "row_distances",
    );
    let nearest = [0.85_f32.sqrt(), 0.1, 0.1, 3.0];
    check_close(
        &values(nearest_distances(tensor(points))),
        &nearest,
        1e-3,
        "nearest_distances",
    );
}

#[test]
fn distances_match_whatever_their_scale() {
    let check = |x: [f32; 4], y: [f32; 4], expected: f32| {
        let row = |values| Tensor::<1>::from_data(values, &Device::flex());
        check_close(
            &values(distance_mismatch(row(x), row(y))),
            &[expected],
            1e-4,
            &format!("{x:?} and {y:?}"),
        );
    };
    check([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], 0.0);
    check([1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3, 0.4], 0.0);
    check([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], 2.0);
    check([1.0, 2.0, 2.0, 1.0], [1.0, 1.0, 2.0, 2.0], 1.0);
    // Pearson's correlation of these is 0.8.
    check([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0], 0.2);
}

/// The gradient of `loss` at `at` against differences along every axis.
pub fn check_gradient<const D: usize>(
    what: &str,
    at: TensorData,
    tolerance: f32,
    loss: impl Fn(Tensor<D>) -> Tensor<1>,
) {
    let step = 4e-3;
    let device = Device::flex();
    let point = Tensor::<D>::from_data(at.clone(), &device.clone().autodiff()).require_grad();
    let gradients = loss(point.clone()).backward();
    let slope = values(point.grad(&gradients).unwrap());
    let shape = point.dims();
    let origin = values(point.inner());
    let along = |axis: usize, by: f32| {
        let mut moved = origin.clone();
        moved[axis] += by;
        // Through the autodiff device as well: the module under test may live there.
        let moved = Tensor::from_data(TensorData::new(moved, shape), &device.clone().autodiff());
        values(loss(moved).inner())[0]
    };
    let here = along(0, 0.0);
    let slopes = |axis: usize| {
        let (before, after) = (along(axis, -step), along(axis, step));
        [
            (after - before) / (2.0 * step),
            (here - before) / step,
            (after - here) / step,
        ]
    };
    let measured: Vec<[f32; 3]> = (0..origin.len()).map(slopes).collect();
    let largest = measured
        .iter()
        .fold(0.0_f32, |most, [slope, ..]| most.max(slope.abs()));
    assert!(largest > 0.0, "there is no slope to check");
    for (axis, (slope, measured)) in slope.iter().zip(&measured).enumerate() {
        // Where a ReLU bends within the step, only the slope of the side without the bend is right.
        let distance = measured
            .iter()
            .map(|m| (slope - m).abs())
            .fold(f32::MAX, f32::min);
        assert!(
            distance <= tolerance * largest,
            "{what}, axis {axis}: {slope}, measured {measured:?} of {largest}"
        );
    }
}

#[test]
fn gradients_of_the_losses_agree_with_finite_differences() {
    let tokens = || Tensor::<2, Int>::from_data([[0, 2, 1]], &Device::flex().autodiff());
    let logits = TensorData::new(
        vec![0.3_f32, -1.0, 0.8, 1.5, 0.1, -0.4, -0.2, 0.9, 0.0],
        [1, 3, 3],
    );
    check_gradient::<3>("token_nll", logits, 0.01, |logits| {
        (token_nll(logits, tokens()) * 2.0).sum()
    });
    for (kind, dims) in [
        (Prior::Box, 2),
        (Prior::Box, 10),
        (Prior::Box, 100),
        (Prior::SeedNormal, 2),
    ] {
        let prior = || Tensor::from_data(cloud(20, dims, 8, uniform), &Device::flex().autodiff());
        let points = cloud(4, dims, 9, |rng| 0.4 * normal(rng));
        // A hundred times the discrepancy, so that its differences are not lost in rounding.
        let loss = |points| mmd(points, prior(), kind) * 100.0;
        check_gradient::<2>(
            &format!("{kind:?} in {dims} dimensions"),
            points,
            0.03,
            loss,
        );
    }
    let given =
        |seed| Tensor::<2>::from_data(cloud(6, 2, seed, uniform), &Device::flex().autodiff());
    check_gradient::<2>("distances", cloud(6, 2, 10, uniform), 0.03, |x| {
        distance_mismatch(
            row_distances(x, given(11)),
            row_distances(given(12), given(13)),
        )
    });
}

#[test]
fn gradients_through_the_networks_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let sizes = T5Sizes {
        d_model: 6,
        d_kv: 2,
        d_ff: 8,
        num_heads: 2,
        relative_attention_num_buckets: 8,
        relative_attention_max_distance: 16,
    };
    let mut init = Initializer::new(3, &device);
    let encoder = T5Stack::new(2, false, &sizes, &mut init);
    let decoder = T5Stack::new(1, true, &sizes, &mut init);
    let bottleneck = Bottleneck::new(3, 6, 2, 8, 2, &mut init);
    let hidden = |seed| TensorData::new(draws(3 * 6, seed, normal), [1, 3, 6]);
    let given = |seed| Tensor::<3>::from_data(hidden(seed), &device);
    let read = |out: Tensor<3>| (out * given(20)).sum();
    check_gradient::<3>("encoder", hidden(22), 0.02, |x| read(encoder.encode(x)));
    check_gradient::<3>("decoder", hidden(23), 0.02, |x| {
        read(decoder.decode(x, given(21)))
    });
    check_gradient::<3>("memory", hidden(24), 0.02, |memory| {
        read(decoder.decode(given(25), memory))
    });
    let through = |x| read(bottleneck.decode(bottleneck.encode(x), &Octaves(vec![1.0, 0.5])));
    check_gradient::<3>("bottleneck", hidden(26), 0.02, through);
    let point = TensorData::new(vec![0.31_f32, -0.62], [1, 2]);
    check_gradient::<2>("lifted point", point, 0.02, |z| {
        read(bottleneck.decode(z, &Octaves::full(2)))
    });
}

#[test]
fn poisoned_inputs_stay_visible() {
    let device = Device::flex();
    let mut poisoned = draws(16, 1, uniform);
    poisoned[5] = f32::NAN;
    for kind in [Prior::Box, Prior::SeedNormal] {
        let points = TensorData::new(poisoned.clone(), [8, 2]);
        let got = discrepancy(points, cloud(8, 2, 2, uniform), kind);
        assert!(
            got.is_nan(),
            "{kind:?} makes {got} of points that are no numbers"
        );
    }
    let row = |values: [f32; 3]| Tensor::<1>::from_data(values, &device);
    assert!(
        values(distance_mismatch(
            row([1.0, f32::NAN, 2.0]),
            row([1.0, 2.0, 3.0])
        ))[0]
            .is_nan()
    );
    let logits = Tensor::<3>::from_data([[[0.0, f32::NAN, 1.0], [0.0, 0.0, 1.0]]], &device);
    let nll = values(token_nll(
        logits,
        Tensor::<2, Int>::from_data([[0, 0]], &device),
    ));
    assert!(nll[0].is_nan() && nll[1].is_finite(), "{nll:?}");

    let bottleneck = Bottleneck::new(2, 4, 2, 8, 2, &mut Initializer::new(1, &device));
    let mut hidden = draws(8, 3, normal);
    hidden[2] = f32::NAN;
    let point = values(bottleneck.encode(Tensor::from_data(
        TensorData::new(hidden, [1, 2, 4]),
        &device,
    )));
    assert!(
        point.iter().any(|z| z.is_nan()),
        "hidden states that are no numbers have the place {point:?}"
    );
    let point = Tensor::<2>::from_data([[0.0, f32::NAN]], &device);
    let hidden = values(bottleneck.decode(point, &Octaves::full(2)));
    assert!(
        hidden.iter().any(|h| h.is_nan()),
        "a place that is no number has the hidden states {hidden:?}"
    );
}

#[test]
fn a_poisoned_gradient_is_seen_in_the_norm_and_the_parameters() {
    let device = Device::flex().autodiff();
    let start = reference().adamw.start;
    let module = linear(&start, &device);
    let mut moments = Moments::zeros(module.num_params(), &device.clone().inner());
    let gradients = (module.weight.val() * f32::NAN).sum().backward();
    let optimiser = AdamW {
        betas: (0.9, 0.98),
        epsilon: 1e-8,
        weight_decay: 0.0,
        max_norm: 1.0,
    };
    let (module, norm) = optimiser.step(module, &gradients, &mut moments, 0.1, 1);
    assert!(values(norm)[0].is_nan());
    assert!(values(module.weight.val()).iter().all(|w| w.is_nan()));
}

#[test]
fn octaves_come_in_coarse_to_fine() {
    let check = |progress: f64, share: f64, expected: &[f32]| {
        let Octaves(weights) = Octaves::at(expected.len(), progress, share);
        check_close(&weights, expected, 1e-6, &format!("{progress} of {share}"));
    };
    check(0.0, 0.4, &[0.0; 4]);
    check(0.1, 0.4, &[1.0, 0.0, 0.0, 0.0]);
    check(0.15, 0.4, &[1.0, 0.5, 0.0, 0.0]);
    check(0.3, 0.4, &[1.0, 1.0, 1.0, 0.0]);
    check(0.4, 0.4, &[1.0; 4]);
    check(0.9, 0.4, &[1.0; 4]);
    check(0.0, 0.0, &[1.0; 3]);
    check(0.25, 1.0, &[0.5, 0.0]);
    assert_eq!(Octaves::at(3, 1.0, 0.5), Octaves::full(3));
    assert_eq!(Octaves::at(0, 0.5, 0.5), Octaves(Vec::new()));
}

#[test]
fn a_point_is_lifted_by_weighted_sines_and_cosines() {
    let device = Device::flex();
    // One dimension, two octaves, and layers that pass everything on: what comes out is the features.
    let bottleneck = Bottleneck::new(1, 5, 1, 5, 2, &mut Initializer::new(1, &device));
    let bottleneck = fill(bottleneck, |_, shape| match shape {
        [rows, columns] => (0..rows * columns)
            .map(|i| f32::from(u8::from(i / columns == i % columns)))
            .collect(),
        _ => vec![0.0; shape.iter().product()],
    });
    let angle = std::f32::consts::PI * 0.2;
    let expected = [
        0.2,
        angle.sin(),
        angle.cos(),
        0.5 * (2.0 * angle).sin(),
        0.5 * (2.0 * angle).cos(),
    ];
    let lifted = bottleneck.decode(
        Tensor::from_data([[0.2]], &device),
        &Octaves(vec![1.0, 0.5]),
    );
    check_close(&values(lifted), &expected, 1e-6, "features");
}

#[test]
fn places_stay_in_the_box() {
    let device = Device::flex();
    let bottleneck = Bottleneck::new(2, 4, 3, 8, 0, &mut Initializer::new(1, &device));
    let hidden = TensorData::new(draws(50 * 8, 4, |rng| 100.0 * normal(rng)), [50, 2, 4]);
    let places = values(bottleneck.encode(Tensor::from_data(hidden, &device)));
    assert_eq!(places.len(), 150);
    assert!(places.iter().all(|z| (-1.0..=1.0).contains(z)));
    assert!(places.iter().any(|z| *z > 0.9) && places.iter().any(|z| *z < -0.9));
}
