//! Networks of pictures and the losses of glyphs against float64 twins (data/vision.json, made by
//! data/make_vision.py), finite differences, and files that don't fit.

use std::{collections::BTreeMap, fs, path::Path};

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Gradients, Int, Tensor, TensorData},
};
use glyphspace::{
    glyphs::networks::{
        generators::{CnnConfig, CnnGenerator, CppnConfig, CppnGenerator},
        losses::{DistancePairs, gram_repulsion, smoothness_and_contrast, vector_distance},
        perceptor::Perceptor,
        resnet_v2::{ResNetV2, ResNetV2Config},
    },
    kernels::{self, Activation},
    nn::{
        conv::{Interpolation, standardised, upsample},
        init::{Initializer, normal},
        losses::{info_nce, unit_rows},
    },
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::nn::{Array, check_close, draws, fill, gradients::check_gradient, values};

type Weights = BTreeMap<String, Array>;

#[derive(Deserialize)]
struct Reference {
    resnet: ResNetReference,
    cnn: CnnReference,
    cppn: CppnReference,
    losses: LossReference,
    enlarged: Enlarged,
}

#[derive(Deserialize)]
struct ResNetReference {
    stem: usize,
    channels: Vec<usize>,
    depths: Vec<usize>,
    groups: usize,
    weights: Weights,
    pictures: Array,
    relu: Outputs,
    swish: Outputs,
    distance: f32,
}

#[derive(Deserialize)]
struct Outputs {
    stages: Vec<Array>,
    #[serde(rename = "final")]
    last: Array,
}

#[derive(Deserialize)]
struct CnnReference {
    latent: usize,
    channels: usize,
    levels: usize,
    blocks: usize,
    groups: usize,
    size: usize,
    weights: Weights,
    z: Array,
    picture: Array,
}

#[derive(Deserialize)]
struct CppnReference {
    latent: usize,
    width: usize,
    blocks: usize,
    frequencies: usize,
    size: usize,
    weights: Weights,
    z: Array,
    picture: Array,
}

#[derive(Deserialize)]
struct LossReference {
    logits: Array,
    tokens: [[i32; 4]; 3],
    is_real: [[bool; 4]; 3],
    smoothing: f32,
    cross_entropy: f32,
    features: Array,
    latents: Array,
    pairs: Vec<[usize; 2]>,
    other_pairs: Vec<[usize; 2]>,
    shared: f32,
    drawn_twice: f32,
    gram_repulsion: f32,
    anchors: Array,
    positives: Array,
    temperature: f64,
    nce: f32,
    pictures: Array,
    smoothness: Vec<f32>,
    contrast: Vec<f32>,
}

#[derive(Deserialize)]
struct Enlarged {
    input: Array,
    bilinear: Array,
    bicubic: Array,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("data/vision.json")).unwrap()
}

/// The module with the twin's weights, which have its own names and all of which it must use.
fn filled<M: Module>(module: M, weights: &Weights) -> M {
    let mut used = Vec::new();
    let module = fill(module, |path, shape| {
        let name = path.join(".");
        let array = weights
            .get(&name)
            .unwrap_or_else(|| panic!("the twin has no {name}"));
        assert_eq!(array.shape, shape, "{name}");
        used.push(name);
        array.values.clone()
    });
    used.sort();
    assert_eq!(used, weights.keys().cloned().collect::<Vec<_>>());
    module
}

fn config(reference: &ResNetReference, activation: Activation) -> ResNetV2Config {
    ResNetV2Config {
        stem: reference.stem,
        channels: reference.channels.clone(),
        depths: reference.depths.clone(),
        groups: reference.groups,
        activation,
    }
}

fn check_same<const D: usize>(got: Tensor<D>, expected: &Array, what: &str) {
    assert_eq!(got.dims().as_slice(), expected.shape, "{what}");
    check_close(&values(got), &expected.values, 2e-4, what);
}

/// Draws of [0, 1) as pictures or vectors.
fn random<const D: usize>(shape: [usize; D], seed: u64) -> TensorData {
    let count = shape.iter().product();
    TensorData::new(draws(count, seed, |rng| rng.random()), shape)
}

#[test]
fn resnet_agrees_with_its_twin_at_every_stage() {
    let (reference, device) = (reference().resnet, Device::flex());
    for (activation, outputs) in [
        (Activation::Relu, &reference.relu),
        (Activation::Silu, &reference.swish),
    ] {
        let fresh = ResNetV2::new(
            &config(&reference, activation),
            &mut Initializer::new(0, &device),
        );
        let network = filled(fresh, &reference.weights);
        let stages = network.stages(reference.pictures.tensor(&device), 3);
        for (index, (got, expected)) in stages.into_iter().zip(&outputs.stages).enumerate() {
            check_same(got, expected, &format!("{activation:?}, stage {index}"));
        }
        let last = network.forward(reference.pictures.tensor(&device));
        check_same(last, &outputs.last, &format!("{activation:?}, final"));
    }
}

#[test]
fn the_published_network_has_the_published_size() {
    assert_eq!(ResNetV2Config::bit_r50x1().parameters(), 23_500_352);
    let reference = reference().resnet;
    for config in [
        ResNetV2Config::small(),
        config(&reference, Activation::Relu),
    ] {
        let network = ResNetV2::new(&config, &mut Initializer::new(0, &Device::flex()));
        assert_eq!(network.num_params(), config.parameters(), "{config:?}");
    }
}

#[test]
fn a_picture_becomes_a_thirty_second_of_its_size() {
    let device = Device::flex();
    let network = ResNetV2::new(&ResNetV2Config::small(), &mut Initializer::new(0, &device));
    let pictures = Tensor::from_data(random([1, 3, 128, 64], 1), &device);
    assert_eq!(network.forward(pictures).dims(), [1, 256, 4, 2]);
}

#[test]
fn kernels_are_standardised_by_the_biased_variance() {
    let device = Device::flex();
    let kernel = TensorData::new(
        vec![1.0_f32, 2.0, 3.0, 6.0, 7.0, 7.0, 7.0, 7.0],
        [2, 1, 2, 2],
    );
    let got = standardised(Tensor::from_data(kernel, &device));
    // Mean 3, biased variance 3.5; and a kernel of equal values has no deviation to divide by.
    let root = 3.5_f32.sqrt();
    let expected = [
        -2.0 / root,
        -1.0 / root,
        0.0,
        3.0 / root,
        0.0,
        0.0,
        0.0,
        0.0,
    ];
    check_close(&values(got), &expected, 1e-6, "kernel");
    // The small term counts: of values 1e-4 apart the variance is 1e-8 / 4.
    let tiny = TensorData::new(vec![0.0_f32, 1e-4], [1, 1, 1, 2]);
    let got = values(standardised(Tensor::from_data(tiny, &device)));
    let expected = 0.5e-4 / (0.25e-8_f32 + 1e-8).sqrt();
    check_close(&got, &[-expected, expected], 1e-4, "tiny kernel");
}

#[test]
fn the_cnn_generator_agrees_with_its_twin() {
    let (twin, device) = (reference().cnn, Device::flex());
    let config = CnnConfig {
        latent: twin.latent,
        channels: twin.channels,
        levels: twin.levels,
        blocks: twin.blocks,
        groups: twin.groups,
        size: twin.size,
    };
    let generator = CnnGenerator::new(&config, &mut Initializer::new(0, &device));
    let picture = filled(generator, &twin.weights).forward(twin.z.tensor(&device));
    check_same(picture, &twin.picture, "picture");
}

#[test]
fn the_cppn_generator_agrees_with_its_twin() {
    let (twin, device) = (reference().cppn, Device::flex());
    let config = CppnConfig {
        latent: twin.latent,
        width: twin.width,
        blocks: twin.blocks,
        frequencies: twin.frequencies,
    };
    let generator = CppnGenerator::new(&config, &mut Initializer::new(0, &device));
    let picture = filled(generator, &twin.weights).forward(twin.z.tensor(&device), twin.size);
    check_same(picture, &twin.picture, "picture");
}

fn small_cnn() -> CnnConfig {
    CnnConfig {
        latent: 16,
        channels: 64,
        levels: 4,
        blocks: 1,
        groups: 2,
        size: 32,
    }
}

fn small_cppn() -> CppnConfig {
    CppnConfig {
        latent: 16,
        width: 64,
        blocks: 3,
        frequencies: 32,
    }
}

#[test]
fn one_cppn_at_two_resolutions_agrees_where_pixels_share_their_centres() {
    let device = Device::flex();
    let generator = CppnGenerator::new(&small_cppn(), &mut Initializer::new(3, &device));
    let z = || Tensor::<2>::from_data(random([2, 16], 4), &device);
    let coarse = values(generator.forward(z(), 5));
    let fine = values(generator.forward(z(), 15));
    for plane in 0..6 {
        for row in 0..5 {
            for column in 0..5 {
                // The middle one of each three by three.
                let middle = plane * 225 + (3 * row + 1) * 15 + 3 * column + 1;
                let at = plane * 25 + row * 5 + column;
                let what = format!("plane {plane}, {row}, {column}");
                check_close(&[fine[middle]], &[coarse[at]], 1e-4, &what);
            }
        }
    }
}

#[test]
fn fresh_generators_paint_different_pictures_with_contrast() {
    let device = Device::flex();
    let mut init = Initializer::new(5, &device);
    let cnn = CnnGenerator::new(&small_cnn(), &mut init);
    let cppn = CppnGenerator::new(&small_cppn(), &mut init);
    let z = TensorData::new(draws(2 * 16, 6, normal), [2, 16]);
    let z = || Tensor::<2>::from_data(z.clone(), &device);
    for (name, pictures) in [("cnn", cnn.forward(z())), ("cppn", cppn.forward(z(), 32))] {
        assert_eq!(pictures.dims(), [2, 3, 32, 32], "{name}");
        let (_, contrast) = smoothness_and_contrast(pictures.clone());
        let all = values(pictures);
        assert!(all.iter().all(|v| (0.0..=1.0).contains(v)), "{name}");
        let extreme = all.iter().filter(|v| !(0.02..=0.98).contains(*v)).count();
        assert!(extreme < all.len() / 10, "{name}: {extreme} saturated");
        let contrast = values(contrast);
        assert!(
            contrast.iter().all(|c| (0.05..0.4).contains(c)),
            "{name}: {contrast:?}"
        );
        let (first, second) = all.split_at(all.len() / 2);
        let apart = first
            .iter()
            .zip(second)
            .map(|(a, b)| (a - b).abs())
            .sum::<f32>();
        assert!(apart / first.len() as f32 > 0.02, "{name}: {apart}");
    }
}

#[test]
fn a_vector_paints_the_same_whatever_is_painted_beside_it() {
    let device = Device::flex();
    let cnn = CnnGenerator::new(&small_cnn(), &mut Initializer::new(5, &device));
    let z = Tensor::<2>::from_data(random([3, 16], 7), &device);
    let alone = values(cnn.forward(z.clone().narrow(0, 1, 1)));
    let beside = values(cnn.forward(z).narrow(0, 1, 1));
    check_close(&alone, &beside, 1e-5, "picture");
}

#[test]
fn gradients_through_the_networks_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let weigh = |picture: Tensor<4>| {
        let weights = random(picture.dims(), 8);
        (picture * Tensor::from_data(weights, &device)).sum()
    };
    let cnn = CnnConfig {
        latent: 3,
        channels: 32,
        levels: 3,
        blocks: 1,
        groups: 2,
        size: 8,
    };
    let cppn = CppnConfig {
        latent: 3,
        width: 16,
        blocks: 2,
        frequencies: 4,
    };
    let mut init = Initializer::new(9, &device);
    let cnn = CnnGenerator::new(&cnn, &mut init);
    let cppn = CppnGenerator::new(&cppn, &mut init);
    let z = || TensorData::new(draws(6, 10, normal), [2, 3]);
    check_gradient::<2>("cnn", z(), 0.05, |z| weigh(cnn.forward(z)));
    check_gradient::<2>("cppn", z(), 0.05, |z| weigh(cppn.forward(z, 4)));
    let swish = ResNetV2Config {
        stem: 4,
        channels: vec![8, 8],
        depths: vec![1, 1],
        groups: 1,
        activation: Activation::Silu,
    };
    let network = ResNetV2::new(&swish, &mut init);
    let picture = random([1, 3, 9, 9], 11);
    check_gradient::<4>("resnet", picture, 0.1, |x| weigh(network.forward(x)));
    let picture = random([1, 2, 3, 2], 12);
    check_gradient::<4>("upsample", picture, 0.02, |x| {
        weigh(upsample(x, 2, Interpolation::Bicubic))
    });
}

#[test]
fn enlarged_pictures_agree_with_the_twin() {
    let (twin, device) = (reference().enlarged, Device::flex());
    for (factor, filling, expected) in [
        (2, Interpolation::Bilinear, &twin.bilinear),
        (4, Interpolation::Bicubic, &twin.bicubic),
    ] {
        let got = upsample(twin.input.tensor(&device), factor, filling);
        check_same(got, expected, &format!("{filling:?}"));
    }
}

/// The smallest safetensors file with these values.
fn write_safetensors(file: &Path, weights: &Weights) {
    let (mut header, mut bytes) = (serde_json::Map::new(), Vec::new());
    for (name, array) in weights {
        let start = bytes.len();
        bytes.extend(array.values.iter().flat_map(|v| v.to_le_bytes()));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": array.shape, "data_offsets": [start, bytes.len()]
        });
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut all = (header.len() as u64).to_le_bytes().to_vec();
    all.extend(header);
    all.extend(bytes);
    fs::write(file, all).unwrap();
}

#[test]
fn a_pretrained_perceptor_is_read_from_timms_names() {
    let (reference, device) = (reference().resnet, Device::flex());
    let config = config(&reference, Activation::Relu);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resnet.safetensors");
    let mut weights = reference.weights;
    let head = Array {
        shape: vec![2],
        values: vec![1.0, 2.0],
    };
    weights.insert("head.fc.bias".into(), head);
    let wrapped = weights.into_iter().map(|(k, v)| (format!("model.{k}"), v));
    write_safetensors(&file, &wrapped.collect());

    let perceptor = Perceptor::read(&file, &config, &device).unwrap();
    assert!(perceptor.description().contains("resnet.safetensors"));
    let pictures: Tensor<4> = reference.pictures.tensor(&device);
    let features = perceptor.features(pictures.clone());
    check_same(features, &reference.relu.stages[2], "features");
    let [a, b] = [0, 1].map(|i| pictures.clone().narrow(0, i, 1));
    let distance = values(perceptor.distance(a.clone(), b.clone()));
    check_close(&distance, &[reference.distance], 1e-4, "distance");
    check_close(
        &values(perceptor.distance(a.clone(), a)),
        &[0.0],
        1e-6,
        "itself",
    );
}

#[test]
fn files_that_are_no_perceptor_are_refused_by_name() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eye.safetensors");
    let check = |expected: &[&str]| {
        let config = config(&reference().resnet, Activation::Relu);
        let error = Perceptor::read(&file, &config, &device)
            .unwrap_err()
            .to_string();
        for part in expected.iter().chain(&["eye.safetensors"]) {
            assert!(error.contains(part), "{error:?} says no {part:?}");
        }
        assert!(!error.contains('\n'), "{error:?}");
    };
    check(&["not readable"]);
    fs::write(&file, "no weights at all").unwrap();
    check(&["not readable"]);

    let weights = || reference().resnet.weights;
    let key = "stages.1.blocks.0.conv2.weight";
    let mut wrong = weights();
    wrong.get_mut(key).unwrap().shape = vec![3, 3, 4, 4];
    write_safetensors(&file, &wrong);
    check(&[key, "[3, 3, 4, 4]", "[4, 4, 3, 3]"]);

    let mut missing = weights();
    missing.remove("norm.bias");
    missing.remove(key);
    write_safetensors(&file, &missing);
    check(&["norm.bias", "1 other", "missing"]);

    write_safetensors(&file, &weights());
    let mut bytes = fs::read(&file).unwrap();
    bytes.truncate(bytes.len() - 100);
    fs::write(&file, bytes).unwrap();
    check(&["not readable"]);
}

/// Counts the parameters that got a gradient or would.
struct Moved<'a> {
    gradients: &'a Gradients,
    count: usize,
}

impl ModuleVisitor for Moved<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let moved = value.is_require_grad() || value.grad(self.gradients).is_some();
        self.count += usize::from(moved);
    }
}

#[test]
fn a_perceptor_is_frozen_but_its_pictures_are_not() {
    let device = Device::flex().autodiff();
    let perceptor = Perceptor::random(&ResNetV2Config::small(), 13, &device);
    assert!(perceptor.description().contains("not pretrained"));
    let pictures = |seed| Tensor::<4>::from_data(random([2, 3, 32, 32], seed), &device);
    let seen = pictures(14).require_grad();
    let distance = perceptor.distance(seen.clone(), pictures(15));
    assert_eq!(distance.dims(), [2]);
    let gradients = distance.sum().backward();
    let slope = values(seen.grad(&gradients).unwrap());
    assert!(slope.iter().all(|s| s.is_finite()) && slope.iter().any(|s| *s != 0.0));
    let mut moved = Moved {
        gradients: &gradients,
        count: 0,
    };
    perceptor.network().visit(&mut moved);
    assert_eq!(moved.count, 0);
}

#[test]
fn a_seed_means_the_same_perceptor_and_another_seed_another() {
    let device = Device::flex();
    let see = |seed| {
        let perceptor = Perceptor::random(&ResNetV2Config::small(), seed, &device);
        values(perceptor.features(Tensor::from_data(random([1, 3, 32, 32], 1), &device)))
    };
    assert_eq!(see(1), see(1));
    assert_ne!(see(1), see(2));
}

#[test]
fn losses_agree_with_their_twins() {
    let (twin, device) = (reference().losses, Device::flex());
    let check = |got: Tensor<1>, expected: f32, what: &str| {
        check_close(&values(got), &[expected], 1e-4, what);
    };
    // The twin leaves padding out by a mask, here it isn't given.
    let logits: Tensor<3> = twin.logits.tensor(&device);
    let real = twin.is_real.as_flattened().iter().enumerate();
    let real: Vec<i32> = real
        .filter(|(_, is)| **is)
        .map(|(place, _)| place as i32)
        .collect();
    let real = Tensor::<1, Int>::from_data(&real[..], &device);
    let tokens = Tensor::<2, Int>::from_data(twin.tokens, &device);
    let cross_entropy = kernels::cross_entropy(
        logits.flatten::<2>(0, 1).select(0, real.clone()),
        tokens.flatten::<1>(0, 1).select(0, real),
        twin.smoothing,
    );
    check(cross_entropy.mean(), twin.cross_entropy, "cross entropy");
    for (latents, expected) in [
        (&twin.pairs, twin.shared),
        (&twin.other_pairs, twin.drawn_twice),
    ] {
        let pairs = DistancePairs {
            pictures: twin.pairs.clone(),
            latents: latents.clone(),
        };
        let features: Tensor<4> = twin.features.tensor(&device);
        let got = vector_distance(features, twin.latents.tensor(&device), sides(&pairs));
        check(got, expected, "vector distance");
    }
    let repulsion = gram_repulsion(twin.features.tensor(&device));
    check(repulsion, twin.gram_repulsion, "repulsion");
    let unit = |rows: &Array| unit_rows(rows.tensor(&device));
    let got = info_nce(unit(&twin.anchors), unit(&twin.positives), twin.temperature);
    check(got, twin.nce, "info_nce");
    let (smoothness, contrast) = smoothness_and_contrast(twin.pictures.tensor(&device));
    check_close(&values(smoothness), &twin.smoothness, 1e-4, "smoothness");
    check_close(&values(contrast), &twin.contrast, 1e-4, "contrast");
}

/// Both sides of pairs.
fn sides(pairs: &DistancePairs) -> [[Tensor<1, Int>; 2]; 2] {
    let rows = |rows: Vec<i32>| Tensor::from_data(rows.as_slice(), &Device::flex());
    pairs.sides().map(|pair| pair.map(rows))
}

#[test]
fn pairs_are_shared_unless_the_fault_is_asked_for() {
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    let shared = DistancePairs::sample(10, 20, true, &mut rng);
    assert_eq!(shared.pictures, shared.latents);
    let fault = DistancePairs::sample(10, 20, false, &mut rng);
    assert_ne!(fault.pictures, fault.latents);
    for pairs in [&shared.pictures, &fault.pictures, &fault.latents] {
        let different: std::collections::BTreeSet<_> = pairs.iter().collect();
        assert_eq!(different.len(), 20);
        assert!(pairs.iter().all(|[a, b]| a < b && *b < 10), "{pairs:?}");
    }
    assert_eq!(
        DistancePairs::sample(4, 100, true, &mut rng).pictures.len(),
        6
    );
    assert!(
        DistancePairs::sample(1, 100, true, &mut rng)
            .pictures
            .is_empty()
    );

    // Pictures that lie just as their latents do: nothing to correct, were it not for the fault.
    let device = Device::flex();
    let latents = || Tensor::<2>::from_data(random([10, 4], 17), &device);
    let loss = |pairs| values(vector_distance(latents() * 3.0, latents(), sides(pairs)))[0];
    assert!(loss(&shared).abs() < 1e-3, "{}", loss(&shared));
    assert!(loss(&fault) > 0.3, "{}", loss(&fault));
}

#[test]
fn gradients_of_the_losses_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let logits = TensorData::new(draws(12, 18, normal), [3, 4]);
    check_gradient::<2>("cross entropy", logits, 0.02, |logits| {
        kernels::cross_entropy(logits, Tensor::from_data([0, 3, 1], &device), 0.1).mean()
    });
    let pairs = DistancePairs::sample(5, 8, true, &mut ChaCha8Rng::seed_from_u64(19));
    let rows = |seed| TensorData::new(draws(15, seed, normal), [5, 3]);
    let given = |seed| Tensor::<2>::from_data(rows(seed), &device);
    check_gradient::<2>("pictures", rows(20), 0.03, |x| {
        vector_distance(x, given(21), sides(&pairs))
    });
    check_gradient::<2>("latents", rows(22), 0.03, |x| {
        vector_distance(given(23), x, sides(&pairs))
    });
    let features = TensorData::new(draws(24, 24, normal), [3, 2, 2, 2]);
    check_gradient::<4>("repulsion", features, 0.03, gram_repulsion);
    check_gradient::<2>("anchors", rows(25), 0.03, |x| {
        info_nce(unit_rows(x), unit_rows(given(26)), 0.5)
    });
    check_gradient::<2>("positives", rows(28), 0.03, |x| {
        info_nce(unit_rows(given(29)), unit_rows(x), 0.5)
    });
    check_gradient::<4>("looks", random([2, 3, 3, 2], 31), 0.03, |x| {
        let (smoothness, contrast) = smoothness_and_contrast(x);
        (smoothness - contrast * 2.0).sum()
    });
}

#[test]
fn poisoned_inputs_stay_visible() {
    let device = Device::flex();
    let mut poisoned = draws(2 * 3 * 32 * 32, 32, |rng| rng.random());
    poisoned[7] = f32::NAN;
    let pictures = || {
        let data = TensorData::new(poisoned.clone(), [2, 3, 32, 32]);
        Tensor::<4>::from_data(data, &device)
    };
    let (smoothness, contrast) = smoothness_and_contrast(pictures());
    for row in [values(smoothness), values(contrast)] {
        assert!(row[0].is_nan() && row[1].is_finite(), "{row:?}");
    }
    let perceptor = Perceptor::random(&ResNetV2Config::small(), 1, &device);
    assert!(values(perceptor.distance(pictures(), pictures()))[0].is_nan());
    assert!(values(gram_repulsion(pictures()))[0].is_nan());
    let cnn = CnnGenerator::new(&small_cnn(), &mut Initializer::new(1, &device));
    let cppn = CppnGenerator::new(&small_cppn(), &mut Initializer::new(1, &device));
    let mut z = draws(16, 33, normal);
    z[3] = f32::NAN;
    let z = || Tensor::<2>::from_data(TensorData::new(z.clone(), [1, 16]), &device);
    for picture in [cnn.forward(z()), cppn.forward(z(), 32)] {
        assert!(values(picture).iter().any(|v| v.is_nan()));
    }
}
