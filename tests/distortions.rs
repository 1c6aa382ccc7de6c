//! Distortions against numpy, scipy and Pillow (data/channel.json, made by data/make_channel.py), finite differences, and
//! the statistics of their random parameters.

use burn::tensor::{Device, Tensor, TensorData};
use glyphspace::{
    kernels::image_ops,
    nn::distortions::{
        self, Distortion, DistortionBatch, DistortionKinds, HARDEST, Homography, Patch,
        blur_kernel, dct, jpeg_steps, rounded, warp,
    },
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    pictures: Array,
    affine: Affine,
    affine_corners: [[f64; 2]; 4],
    corners: [[f64; 2]; 4],
    warped: Array,
    warped_size: Array,
    deviations: Vec<f32>,
    blurred: Array,
    file: Array,
    jpeg: Vec<Jpeg>,
}

#[derive(Deserialize)]
struct Affine {
    rotation: f64,
    shear: f64,
    zoom: f64,
    shift: [f64; 2],
}

#[derive(Deserialize)]
struct Jpeg {
    quality: f32,
    picture: Array,
}

#[derive(Deserialize)]
struct Array {
    shape: [usize; 4],
    values: Vec<f32>,
}

impl Array {
    fn tensor(&self) -> Tensor<4> {
        tensor(self.values.clone(), self.shape)
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("data/channel.json")).unwrap()
}

fn tensor(values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().unwrap()
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn noise(shape: [usize; 4], seed: u64) -> Tensor<4> {
    let mut rng = rng(seed);
    let count = shape.iter().product();
    tensor((0..count).map(|_| rng.random()).collect(), shape)
}

/// Slow waves of values from .2 to .8.
fn smooth(batch: usize, side: usize) -> Tensor<4> {
    let place = |i: usize| (i % side, i / side % side, i / (side * side));
    let wave = |i: usize| {
        let (x, y, plane) = place(i);
        let turn = (x as f32 + 0.7 * y as f32) * 6.0 / side as f32 + plane as f32;
        0.5 + 0.3 * turn.sin()
    };
    let values = (0..batch * 3 * side * side).map(wave).collect();
    tensor(values, [batch, 3, side, side])
}

fn greatest_distance(a: Tensor<4>, b: Tensor<4>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b).abs().max().into_scalar()
}

fn check_close(got: Tensor<4>, expected: Tensor<4>, tolerance: f32, what: &str) {
    let distance = greatest_distance(got, expected);
    assert!(distance <= tolerance, "{what}: off by {distance}");
}

fn maps(reference: &Reference) -> [Homography; 2] {
    let Affine {
        rotation,
        shear,
        zoom,
        shift,
    } = reference.affine;
    [
        Homography::affine(rotation, shear, zoom, shift),
        Homography::from_corners(reference.corners).unwrap(),
    ]
}

fn one(distortion: Distortion) -> DistortionBatch {
    DistortionBatch {
        distortions: vec![distortion],
    }
}

/// Pictures of another size.
fn warp_to(images: Tensor<4>, maps: &[Homography], size: [usize; 2]) -> Tensor<4> {
    let maps = maps.iter();
    let numbers = maps.flat_map(|map| [map.numbers(), Homography::IDENTITY.numbers()]);
    let numbers = TensorData::new(numbers.flatten().collect(), [images.dims()[0], 18]);
    image_ops::warp(images, Tensor::from_data(numbers, &Device::flex()), size)
}

/// Pictures blurred by these standard deviations.
fn blur(images: Tensor<4>, deviations: &[f32]) -> Tensor<4> {
    let kernels: Vec<[f32; 7]> = deviations.iter().map(|of| blur_kernel(*of)).collect();
    let kernels = TensorData::new(kernels.concat(), [deviations.len(), 7]);
    distortions::blur(images, Tensor::from_data(kernels, &Device::flex()))
}

/// Pictures after JPEG compression of these qualities.
fn jpeg(images: Tensor<4>, qualities: &[Option<f32>]) -> Tensor<4> {
    let rows = |values: Vec<f32>| {
        let columns = values.len() / qualities.len();
        let rows = TensorData::new(values, [qualities.len(), columns]);
        Tensor::from_data(rows, &Device::flex())
    };
    let steps = qualities.iter().flat_map(|quality| jpeg_steps(*quality));
    let is_on = qualities.iter().map(|quality| f32::from(quality.is_some()));
    distortions::jpeg(images, rows(steps.collect()), rows(is_on.collect()))
}

#[test]
fn warps_agree_with_scipy() {
    let reference = reference();
    let (pictures, maps) = (reference.pictures.tensor(), maps(&reference));
    let expected = reference.warped.tensor();
    check_close(warp(pictures.clone(), &maps), expected, 1e-4, "same size");
    let expected = reference.warped_size.tensor();
    let [_, _, height, width] = expected.dims();
    let got = warp_to(pictures, &maps, [height, width]);
    check_close(got, expected, 1e-4, "another size");
}

#[test]
fn blur_agrees_with_scipy() {
    let reference = reference();
    let got = blur(reference.pictures.tensor(), &reference.deviations);
    check_close(got, reference.blurred.tensor(), 1e-5, "blur");
    let pictures = noise([2, 3, 9, 12], 0);
    check_close(
        blur(pictures.clone(), &[0.0, 0.0]),
        pictures,
        0.0,
        "no blur",
    );
}

#[test]
fn jpeg_agrees_with_pillow() {
    let reference = reference();
    let file = reference.file.tensor() / 255.0;
    for Jpeg { quality, picture } in &reference.jpeg {
        let got = jpeg(file.clone(), &[Some(*quality)]);
        check_close(got, picture.tensor(), 1e-3, &format!("quality {quality}"));
    }
}

#[test]
fn the_cosine_transform_is_orthonormal() {
    let waves = dct();
    for (i, a) in waves.iter().enumerate() {
        for (j, b) in waves.iter().enumerate() {
            let product: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            assert!((product - f32::from(i == j)).abs() < 1e-6, "{i} {j}");
        }
    }
}

#[test]
fn corners_say_where_the_picture_lies() {
    let reference = reference();
    let [affine, tilted] = maps(&reference);
    for (map, expected) in [
        (affine, reference.affine_corners),
        (tilted, reference.corners),
        (
            affine.then(&affine.inverse()),
            Homography::IDENTITY.corners(),
        ),
        (
            Homography::from_corners(affine.corners()).unwrap(),
            affine.corners(),
        ),
    ] {
        for (got, expected) in map.corners().iter().zip(expected) {
            let distance = (got[0] - expected[0]).hypot(got[1] - expected[1]);
            assert!(distance < 1e-9, "{got:?}, expected {expected:?}");
        }
    }
    let bow_tie = [[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]];
    let dent = [[-1.0, -1.0], [1.0, -1.0], [-0.5, -0.5], [-1.0, 1.0]];
    let line = [[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
    for corners in [bow_tie, dent, line, [[f64::NAN; 2]; 4]] {
        assert_eq!(Homography::from_corners(corners), None, "{corners:?}");
    }
}

#[test]
fn a_picture_comes_back_from_a_warp() {
    let pictures = smooth(2, 64);
    let moved = [
        Homography::affine(0.5, 0.2, 0.7, [0.05, -0.1]),
        Homography::from_corners([[-0.8, -0.9], [0.9, -0.7], [0.7, 0.8], [-0.9, 0.85]]).unwrap(),
    ];
    let back = moved.map(|map| map.inverse());
    let got = warp(warp(pictures.clone(), &moved), &back);
    let inside = |t: Tensor<4>| t.slice([0..2, 0..3, 3..61, 3..61]);
    check_close(
        inside(got),
        inside(pictures.clone()),
        0.03,
        "there and back",
    );
    let twice = warp(warp(pictures.clone(), &moved), &moved);
    let at_once = warp(pictures, &moved.map(|map| map.then(&map)));
    let centre = |t: Tensor<4>| t.slice([0..2, 0..3, 20..44, 20..44]);
    check_close(centre(twice), centre(at_once), 0.03, "composed");
}

#[test]
fn poses_out_of_their_minds_give_pixels() {
    let behind = Homography::from_corners([[-9.0, -9.0], [1.0, -1.2], [1.0, 1.2], [-1.0, 1.0]]);
    let far = Homography::affine(1.0, 0.0, 1e-6, [40.0, 0.0]);
    let near = Homography::affine(1.0, 0.0, 1e9, [0.0, 1e12]);
    let pictures = noise([3, 3, 8, 8], 1);
    let got = values(warp(pictures, &[behind.unwrap(), far, near]));
    assert!(got.iter().all(|value| (0.0..=1.0).contains(value)));
    let pixel = noise([1, 3, 1, 1], 2);
    check_close(warp(pixel.clone(), &[far]), pixel, 1e-6, "one pixel");
}

/// Gradient of sum(weights * f(x)) at x against finite differences at some of its values.
fn check_gradient(what: &str, at: Tensor<4>, f: impl Fn(Tensor<4>) -> Tensor<4>) {
    let weights = noise(f(at.clone()).dims(), 77) - 0.5;
    let point = at.clone().autodiff().require_grad();
    let gradients = (f(point.clone()) * weights.clone()).sum().backward();
    let slopes = values(point.grad(&gradients).unwrap());
    let (origin, step) = (values(at.clone()), 10.0 / 255.0);
    let along = |axis: usize, by: f32| {
        let mut moved = origin.clone();
        moved[axis] += by;
        let sum = (f(tensor(moved, at.dims())) * weights.clone()).sum();
        sum.into_scalar::<f32>()
    };
    for axis in (0..origin.len()).step_by(7) {
        let expected = (along(axis, step) - along(axis, -step)) / (2.0 * step);
        let got = slopes[axis];
        assert!(
            (got - expected).abs() < 1e-3,
            "{what}, value {axis}: {got}, expected {expected}"
        );
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (reference, pictures) = (reference(), noise([2, 3, 8, 9], 3));
    let maps = maps(&reference);
    check_gradient("warp", pictures.clone(), |x| warp(x, &maps));
    check_gradient("warp_to", pictures.clone(), |x| warp_to(x, &maps, [5, 12]));
    check_gradient("blur", pictures.clone(), |x| blur(x, &[0.6, 3.0]));
    let distortion = Distortion {
        homography: maps[0],
        blur_px: 1.0,
        scale: [0.8, 1.1, 0.9],
        patch: Some(Patch {
            centre: [0.3, 0.2],
            sides: [0.4, 0.5],
            fade: 0.2,
            colour: [0.2, 0.5, 0.9],
        }),
        deviation: 0.02,
        noise_seed: 5,
        quality: None,
    };
    let damage = DistortionBatch {
        distortions: vec![distortion; 2],
    };
    // Whole levels, and steps of whole levels: the file's rounding is the identity there.
    let levels = (pictures * 100.0 + 70.0).round() / 255.0;
    check_gradient("channel", levels, |x| damage.apply(x));
}

#[test]
fn roundings_pass_the_gradient_straight_through() {
    let pictures = noise([2, 3, 20, 28], 4);
    let weights = noise([2, 3, 20, 28], 5);
    for f in [rounded, |x| jpeg(x, &[Some(20.0), None])] {
        let point = pictures.clone().autodiff().require_grad();
        let out = f(point.clone());
        assert!(greatest_distance(out.clone().inner(), pictures.clone()) > 1e-4);
        let gradients = (out * weights.clone()).sum().backward();
        let got = point.grad(&gradients).unwrap();
        check_close(got, weights.clone(), 1e-6, "gradient");
    }
}

#[test]
fn difficulty_0_is_the_file_alone() {
    let pictures = noise([2, 3, 32, 24], 6);
    let damage = DistortionBatch::sample(&[0.0, HARDEST], DistortionKinds::ALL, &mut rng(7));
    assert_eq!(damage.distortions[0], Distortion::NONE);
    let (got, hard) = {
        let got = damage.apply(pictures.clone());
        (got.clone().narrow(0, 0, 1), got.narrow(0, 1, 1))
    };
    let levels = (pictures.clone() * 255.0).round() / 255.0;
    check_close(got, levels.clone().narrow(0, 0, 1), 1e-6, "difficulty 0");
    assert!(greatest_distance(hard, levels.clone().narrow(0, 1, 1)) > 0.1);
    let none = DistortionBatch::sample(&[HARDEST; 2], DistortionKinds::NONE, &mut rng(8));
    check_close(none.apply(pictures), levels, 1e-6, "no parts");
}

#[test]
fn pictures_do_not_meet() {
    let pictures = smooth(3, 24);
    let damage = DistortionBatch::sample(&[9.0, 3.0, 15.0], DistortionKinds::ALL, &mut rng(9));
    let together = damage.apply(pictures.clone());
    for (i, distortion) in damage.distortions.iter().enumerate() {
        let alone = one(*distortion).apply(pictures.clone().narrow(0, i, 1));
        let distance = (alone - together.clone().narrow(0, i, 1)).abs();
        // A value on the edge of a quantisation step may fall to either side.
        let same = values(distance).iter().filter(|d| **d < 1e-4).count();
        assert!(same > 1700, "picture {i}: {same} of 1728 the same");
    }
}

#[test]
fn a_seed_means_the_same_damage() {
    let pictures = smooth(2, 32);
    let draw = |seed| DistortionBatch::sample(&[10.0, 5.0], DistortionKinds::ALL, &mut rng(seed));
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let (once, again) = (
        draw(1).apply(pictures.clone()),
        draw(1).apply(pictures.clone()),
    );
    check_close(once, again, 0.0, "the same seed");
    let parts = DistortionKinds {
        noise: true,
        jpeg: true,
        ..DistortionKinds::NONE
    };
    let all = draw(3).distortions;
    for (some, all) in DistortionBatch::sample(&[10.0, 5.0], parts, &mut rng(3))
        .distortions
        .iter()
        .zip(all)
    {
        let left = Distortion {
            deviation: all.deviation,
            noise_seed: all.noise_seed,
            quality: all.quality,
            ..Distortion::NONE
        };
        assert_eq!(*some, left, "the parts that are on are drawn the same");
    }
}

#[test]
fn the_hardest_channel_gives_pixels() {
    let pictures = noise([24, 3, 40, 40], 10);
    let damage = DistortionBatch::sample(&[HARDEST; 24], DistortionKinds::ALL, &mut rng(11));
    let point = pictures.autodiff().require_grad();
    let out = damage.apply(point.clone());
    let gradients = out.clone().sum().backward();
    let slopes = values(point.grad(&gradients).unwrap());
    assert!(slopes.iter().all(|slope| slope.is_finite()));
    assert!(slopes.iter().any(|slope| slope.abs() > 0.1));
    assert!(values(out.inner()).iter().all(|v| (0.0..=1.0).contains(v)));
}

/// Mean, standard deviation, least and greatest.
fn summary(values: impl Iterator<Item = f64>) -> [f64; 4] {
    let values: Vec<f64> = values.collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let centre = mean(&values);
    let squares: Vec<f64> = values.iter().map(|v| (v - centre).powi(2)).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [centre, mean(&squares).sqrt(), least, greatest]
}

fn check_uniform(what: &str, low: f64, high: f64, values: impl Iterator<Item = f64>) {
    let (width, got) = (high - low, summary(values));
    let expected = [(low + high) / 2.0, width / 12f64.sqrt(), low, high];
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() < 0.02 * width,
            "{what}: {got}, expected {expected}"
        );
    }
    assert!(
        got[2] >= low - 1e-4 && got[3] <= high + 1e-4,
        "{what} {got:?}"
    );
}

/// Normal, clamped at two deviations, which are `most`.
fn check_bell(what: &str, most: f64, values: impl Iterator<Item = f64>) {
    let got = summary(values);
    let expected = [0.0, 0.959_4 * most / 2.0, -most, most];
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() < 0.03 * most,
            "{what}: {got}, expected {expected}"
        );
    }
    assert!(
        got[2] >= -most - 1e-6 && got[3] <= most + 1e-6,
        "{what} {got:?}"
    );
}

#[test]
fn magnitudes_are_drawn_as_said_and_grow_with_difficulty() {
    for level in [1.0, 0.4] {
        let draw = |parts| {
            DistortionBatch::sample(&[level * HARDEST; 4000], parts, &mut rng(12)).distortions
        };
        let distortions = draw(DistortionKinds::ALL);
        let all = |f: fn(&Distortion) -> f64| distortions.iter().map(f);
        check_uniform("blur", 0.0, 3.8 * level, all(|b| b.blur_px.into()));
        check_uniform("static", 0.0, 0.5 * level, all(|b| b.deviation.into()));
        let (low, high) = (1.0 - 0.65 * level, 1.0 + 0.6 * level);
        check_uniform("scale", low, high, all(|b| b.scale[1].into()));
        let quality = |b: &Distortion| f64::from(b.quality.unwrap());
        check_uniform("quality", 100.0 - 90.0 * level, 100.0, all(quality));
        let side = |b: &Distortion| f64::from(b.patch.unwrap().sides[0]);
        check_uniform("patch", 0.0, 0.35 * level, all(side));

        let affine = draw(DistortionKinds {
            affine: true,
            ..DistortionKinds::NONE
        });
        let corners: Vec<_> = affine.iter().map(|b| b.homography.corners()).collect();
        let shift = |axis: usize| {
            let centres = corners.iter().map(move |c| (c[0][axis] + c[2][axis]) / 2.0);
            check_bell("shift", 0.4 * level, centres);
        };
        shift(0);
        shift(1);
        let edge = |c: &[[f64; 2]; 4]| [c[1][0] - c[0][0], c[1][1] - c[0][1]];
        let turns = corners
            .iter()
            .map(edge)
            .map(|e| e[1].atan2(e[0]).to_degrees());
        check_bell("rotation", 30.0 * level, turns);
        let zooms = corners
            .iter()
            .map(edge)
            .map(|e| (e[0].hypot(e[1]) / 2.0).ln());
        check_bell("zoom", 1.5f64.ln() * level, zooms);

        let tilted = draw(DistortionKinds {
            perspective: true,
            ..DistortionKinds::NONE
        });
        let moves = tilted.iter().map(|b| b.homography.corners()[2][0] - 1.0);
        check_bell("perspective", 0.2 * level, moves);
    }
}

#[test]
fn static_is_normal_and_alike_nowhere() {
    let (deviation, side) = (0.05, 96);
    let distortion = |noise_seed| Distortion {
        deviation,
        noise_seed,
        ..Distortion::NONE
    };
    let damage = DistortionBatch {
        distortions: vec![distortion(1), distortion(2)],
    };
    let grey = tensor(vec![0.5; 2 * 3 * side * side], [2, 3, side, side]);
    let base = values(rounded(grey.clone()))[0];
    let noise: Vec<f64> = values(damage.apply(grey))
        .iter()
        .map(|value| f64::from((value - base) / deviation))
        .collect();
    let [mean, spread, ..] = summary(noise.iter().copied());
    assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.03);
    let moment = |power: i32| noise.iter().map(|n| n.powi(power)).sum::<f64>() / noise.len() as f64;
    assert!((moment(4) - 3.0).abs() < 0.15, "kurtosis {}", moment(4));
    let half = noise.len() / 2;
    for distance in [1, side, side * side, half] {
        let pairs = noise.iter().zip(&noise[distance..]);
        let likeness = pairs.map(|(a, b)| a * b).sum::<f64>() / (noise.len() - distance) as f64;
        assert!(likeness.abs() < 0.03, "at {distance}: {likeness}");
    }
}

#[test]
fn a_patch_hides_what_is_behind_it() {
    let patch = Patch {
        centre: [0.5, -0.5],
        sides: [0.25, 0.5],
        fade: 0.0,
        colour: [1.0, 0.0, 0.6],
    };
    let picture = (noise([1, 3, 16, 16], 13) * 255.0).round() / 255.0;
    let damage = one(Distortion {
        patch: Some(patch),
        ..Distortion::NONE
    });
    let (before, after) = (values(picture.clone()), values(damage.apply(picture)));
    for (i, (before, after)) in before.iter().zip(after).enumerate() {
        let (x, y, channel) = (i % 16, i / 16 % 16, i / 256);
        let is_hidden = (10..14).contains(&x) && (0..8).contains(&y);
        let expected = if is_hidden {
            patch.colour[channel]
        } else {
            *before
        };
        assert!(
            (after - expected).abs() < 1e-6,
            "{x} {y}: {after}, expected {expected}"
        );
    }
}
