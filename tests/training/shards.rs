//! Shares of a step side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};
use glyphspace::{
    nn::{flat::flat_gradient, init::Initializer},
    training::DataParallel,
};

fn device() -> Device {
    Device::flex().autodiff()
}

fn network() -> Linear {
    Initializer::new(1, &device()).linear_biased(2, 1, 1.0)
}

/// The gradient of the mean square of what `network` makes of `rows`.
fn gradient(network: Linear, rows: &[[f32; 2]]) -> Vec<f32> {
    let rows = rows
        .iter()
        .map(|row| Tensor::<1>::from_data(*row, &device()));
    let loss = network
        .forward(Tensor::stack::<2>(rows.collect(), 0))
        .square()
        .mean();
    let gradient = flat_gradient(&network, &loss.backward());
    gradient.try_into_vec_as().unwrap()
}

#[test]
fn shares_have_together_the_gradient_of_the_whole() {
    let network = network();
    let rows = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5], [1.0, 1.0]];
    let parts = rows.chunks(2).collect();
    let shards = DataParallel::new(2, &device()).unwrap();
    let shares = shards.map_replicas(&network, parts, gradient);
    let whole = gradient(network, &rows);
    assert_eq!(shares.len(), 2);
    for (i, expected) in whole.iter().enumerate() {
        let mean = (shares[0][i] + shares[1][i]) / 2.0;
        assert!(
            (mean - expected).abs() < 1e-5,
            "{mean}, expected {expected}"
        );
    }
}

#[test]
fn shares_keep_their_order_however_many_threads_there_are() {
    for threads in [1, 2, 5] {
        let shards = DataParallel::new(threads, &device()).unwrap();
        let parts: Vec<usize> = (0..7).collect();
        let done = shards.map_replicas(&network(), parts, |network, part| {
            (network.num_params(), part)
        });
        assert_eq!(done, (0..7).map(|part| (3, part)).collect::<Vec<_>>());
    }
}

#[test]
fn a_share_that_panics_takes_the_step_along() {
    let shards = DataParallel::new(2, &device()).unwrap();
    let parts = vec![1, 0];
    let step = || shards.map_replicas(&network(), parts.clone(), |_, part| 1 / part);
    let panic = catch_unwind(AssertUnwindSafe(step)).unwrap_err();
    assert!(
        panic
            .downcast_ref::<&str>()
            .unwrap()
            .contains("divide by zero")
    );
    let fine = shards.map_replicas(&network(), vec![1, 1], |_, part| 1 / part);
    assert_eq!(fine, [1, 1]);
}
