//! The way to a latent point and back.

use burn::tensor::{Device, Tensor, TensorData};
use glyphspace::nn::{
    bottleneck::{Bottleneck, FourierBands},
    init::{Initializer, normal},
};

use super::{START, check_close, draws, fill, values};

#[test]
fn octaves_come_in_coarse_to_fine() {
    let check = |progress: f64, share: f64, expected: &[f32]| {
        let weights = FourierBands::weights_at(expected.len(), progress, share);
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
    check(1.0, 0.5, &[1.0; 3]);
    check(0.5, 0.5, &[]);
}

#[test]
fn a_point_is_lifted_by_weighted_sines_and_cosines() {
    let device = Device::flex();
    // One dimension, two octaves, and layers that pass everything on: what comes out is the features.
    let bottleneck = Bottleneck::new(1, 5, 1, 5, 2, START, &mut Initializer::new(1, &device));
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
        &FourierBands::new(&[1.0, 0.5], &device),
    );
    check_close(&values(lifted), &expected, 1e-6, "features");
}

#[test]
fn places_stay_in_the_box() {
    let device = Device::flex();
    let bottleneck = Bottleneck::new(2, 4, 3, 8, 0, START, &mut Initializer::new(1, &device));
    let hidden = TensorData::new(draws(50 * 8, 4, |rng| 100.0 * normal(rng)), [50, 2, 4]);
    let places = values(bottleneck.encode(Tensor::from_data(hidden, &device)));
    assert_eq!(places.len(), 150);
    assert!(places.iter().all(|z| (-1.0..=1.0).contains(z)));
    assert!(places.iter().any(|z| *z > 0.9) && places.iter().any(|z| *z < -0.9));
}
