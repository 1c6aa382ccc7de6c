//! Gradients against finite differences.

use burn::tensor::{Device, Int, Tensor, TensorData};
use glyphspace::nn::{
    bottleneck::{Bottleneck, FourierBands},
    init::{Initializer, normal},
    losses::{
        box_discrepancy, distance_mismatch, emptiness, neighbour_distance, row_distances,
        saturation, seed_discrepancy, token_nll,
    },
    t5::{T5Sizes, T5Stack},
};

use super::{START, cloud, draws, uniform, values};

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
    assert!(largest > 0.0, "{what}: there is no slope to check");
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
    // A hundred times the discrepancies, so that their differences are not lost in rounding.
    for dims in [2, 10, 100] {
        let points = cloud(4, dims, 9, |rng| 0.4 * normal(rng));
        check_gradient::<2>(
            &format!("box in {dims} dimensions"),
            points,
            0.03,
            |points| box_discrepancy(points) * 100.0,
        );
    }
    let draws = || Tensor::from_data(cloud(20, 2, 8, uniform), &Device::flex().autodiff());
    let points = cloud(4, 2, 9, |rng| 0.4 * normal(rng));
    check_gradient::<2>("seed", points, 0.03, |points| {
        seed_discrepancy(points, draws()) * 100.0
    });
    let given =
        |seed| Tensor::<2>::from_data(cloud(6, 2, seed, uniform), &Device::flex().autodiff());
    check_gradient::<2>("distances", cloud(6, 2, 10, uniform), 0.03, |x| {
        distance_mismatch(
            row_distances(x, given(11)),
            row_distances(given(12), given(13)),
        )
    });
    check_gradient::<2>(
        "neighbours",
        cloud(6, 2, 14, uniform),
        0.03,
        neighbour_distance,
    );
    check_gradient::<2>(
        "emptiness",
        cloud(6, 2, 15, |rng| 0.1 * normal(rng)),
        0.03,
        |places| emptiness(given(16), places) * 10.0,
    );
    let flat = cloud(6, 2, 17, |rng| 0.95 + 0.02 * uniform(rng));
    check_gradient::<2>("saturation", flat, 0.05, saturation);
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
        relative_attention_deviation: 0.35,
        initializer_factor: 1.0,
    };
    let mut init = Initializer::new(3, &device);
    let encoder = T5Stack::new(2, false, &sizes, &mut init);
    let decoder = T5Stack::new(1, true, &sizes, &mut init);
    let bottleneck = Bottleneck::new(3, 6, 2, 8, 2, START, &mut init);
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
    let octaves = FourierBands::new(&[1.0, 0.5], &device);
    let through = |x| read(bottleneck.decode(bottleneck.encode(x), &octaves));
    check_gradient::<3>("bottleneck", hidden(26), 0.02, through);
    let point = TensorData::new(vec![0.31_f32, -0.62], [1, 2]);
    check_gradient::<2>("lifted point", point, 0.02, |z| {
        read(bottleneck.decode(z, &FourierBands::full(2, &device)))
    });
}
