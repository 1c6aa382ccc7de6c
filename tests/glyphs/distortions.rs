//! What training asks of the noisy channel beside the damage itself.

use burn::tensor::{Device, Tensor, TensorData};
use glyphspace::{
    kernels::image_ops,
    nn::distortions::{Distortion, DistortionBatch, DistortionKinds, Homography, warp},
};

use super::rng;
use crate::nn::values;

const SIDE: usize = 64;

/// [1, 1, 64, 64]: `of` the places of the pixels, -1 to 1 across and down.
fn picture(of: impl Fn(f32, f32) -> f32) -> Tensor<4> {
    let place = |i: usize| (2 * i + 1) as f32 / SIDE as f32 - 1.0;
    let pixels = (0..SIDE * SIDE).map(|i| of(place(i % SIDE), place(i / SIDE)));
    let pixels = TensorData::new(pixels.collect::<Vec<_>>(), [1, 1, SIDE, SIDE]);
    Tensor::from_data(pixels, &Device::flex())
}

/// `picture` warped by `there` and then by `back`, in one resampling.
fn warp_there_and_back(picture: Tensor<4>, there: Homography, back: Homography) -> Tensor<4> {
    let maps = [back.numbers(), there.numbers()].concat();
    let maps = TensorData::new(maps, [1, 2 * image_ops::HOMOGRAPHY_LEN]);
    image_ops::warp(picture, Tensor::from_data(maps, &Device::flex()), [SIDE; 2])
}

#[test]
fn there_and_back_in_one_is_one_after_the_other() {
    let waves = picture(|x, y| 0.5 + 0.3 * (3.0 * x + 2.0 * y).sin());
    let there = Homography::affine(0.3, 0.1, 0.8, [0.1, -0.05]);
    // Not quite the way back.
    let back = Homography::affine(0.25, 0.1, 0.85, [0.05, 0.0]).inverse();
    let at_once = values(warp_there_and_back(waves.clone(), there, back));
    let one_by_one = values(warp(warp(waves, &[there]), &[back]));
    // At the borders of picture and photo one has their edge, the other their last pixels' middles.
    let place = |i: usize| (2 * i + 1) as f64 / SIDE as f64 - 1.0;
    let is_inside = |place: [f64; 2]| place.iter().all(|x| x.abs() < 0.95);
    let shared = |i: &usize| {
        let in_photo = back.map([place(i % SIDE), place(i / SIDE)]);
        is_inside(in_photo) && is_inside(there.map(in_photo))
    };
    let inside: Vec<usize> = (0..SIDE * SIDE).filter(shared).collect();
    assert!(inside.len() > SIDE * SIDE / 2, "{} pixels", inside.len());
    for i in inside {
        let (a, b) = (at_once[i], one_by_one[i]);
        assert!((a - b).abs() < 0.002, "pixel {i}: {a}, expected {b}");
    }
}

#[test]
fn what_left_the_photo_does_not_come_back() {
    let ramp = picture(|x, _| (x + 1.0) / 2.0);
    // A quarter of the picture goes out to the right.
    let there = Homography::affine(0.0, 0.0, 1.0, [0.5, 0.0]);
    let seen = warp_there_and_back(ramp.clone(), there, there.inverse());
    let (ramp, seen) = (values(ramp), values(seen));
    let lost = 3 * SIDE / 4;
    for i in 0..SIDE * SIDE {
        // Where it was, the photo's border goes on.
        let expected = if i % SIDE < lost { ramp[i] } else { 0.75 };
        assert!(
            (seen[i] - expected).abs() < 1e-3,
            "pixel {i}: {}, expected {expected}",
            seen[i]
        );
    }
}

#[test]
fn small_pictures_meet_less() {
    let damage = DistortionBatch::sample(&[0.0, 6.0, 15.0], DistortionKinds::ALL, &mut rng(1));
    assert_eq!(damage.distortions[0], Distortion::NONE);
    let small = damage.shrunk(2.0);
    for (small, distortion) in small.distortions.iter().zip(&damage.distortions) {
        let expected = Distortion {
            blur_px: distortion.blur_px / 2.0,
            deviation: distortion.deviation / 2.0,
            quality: None,
            ..*distortion
        };
        assert_eq!(*small, expected);
    }
}

#[test]
fn what_the_lens_does_can_be_left_out_and_pictures_be_picked() {
    let device = Device::flex();
    let flat = DistortionKinds {
        affine: false,
        perspective: false,
        ..DistortionKinds::ALL
    };
    let pictures = Tensor::<4>::full([3, 3, 16, 16], 0.4, &device);
    let damage = DistortionBatch::sample(&[3.0, 6.0, 15.0], flat, &mut rng(1));
    let whole = damage.apply(pictures.clone());
    // 0.4 is 102 of 255: the file keeps it.
    let behind = damage.upload(&pictures).apply_photometric(pictures.clone());
    assert_eq!(whole.to_data(), behind.to_data());
    let last = damage.of(1..3).apply(pictures.narrow(0, 1, 2));
    assert_eq!(whole.narrow(0, 1, 2).to_data(), last.to_data());
}
