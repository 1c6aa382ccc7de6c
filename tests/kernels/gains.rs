//! Time of each operation over that of its composition, on the CPU at the sizes of a step of the pocket presets.

use std::time::Instant;

use burn::{
    nn::RmsNorm,
    tensor::{Device, Int, Tensor},
};
use glyphspace::{
    kernels::{
        Activation, Heads, attention, cross_entropy, entropy, gather, image_ops, layer_norm,
        matmul, permute_rows, rms_norm,
    },
    nn::init::Initializer,
};

use super::{
    check_same, compositions, given,
    images::{WARPED, maps, overlays, pictures},
};
use crate::nn::{check_close, values};

/// Repetitions, whose medians are compared.
const REPETITIONS: usize = 41;
/// Tokens of a shard of the pocket glyphs, and widths of their networks.
const ROWS: usize = 1536;
const WIDTH: usize = 64;
const INNER: usize = 256;
const VOCABULARY: usize = 1024;

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// Median milliseconds of `first` and `second`, which take turns.
fn medians(mut first: impl FnMut(), mut second: impl FnMut()) -> [f64; 2] {
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..REPETITIONS {
        times[0].push(seconds(&mut first));
        times[1].push(seconds(&mut second));
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[REPETITIONS / 2] * 1e3
    })
}

fn line([ours, plain]: [f64; 2]) -> String {
    format!("{:5.2}x ({ours:.3} ms for {plain:.3})", plain / ours)
}

/// Checks that `ours` and `plain` agree, values and gradients, and prints the composition's time over the operation's.
fn gain<const D: usize, const N: usize, const E: usize>(
    what: &str,
    inputs: [Tensor<D>; N],
    ours: impl Fn([Tensor<D>; N]) -> Tensor<E>,
    plain: impl Fn([Tensor<D>; N]) -> Tensor<E>,
) {
    check_same(what, WARPED, inputs.clone(), &ours, &plain);
    let tracked = || inputs.clone().map(|x| x.detach().require_grad());
    let weights = given(ours(inputs.clone()).dims(), 99);
    let backward = |made: Tensor<E>| drop((made * weights.clone()).sum().backward());
    let forward = medians(|| drop(ours(tracked())), || drop(plain(tracked())));
    let both = medians(|| backward(ours(tracked())), || backward(plain(tracked())));
    println!(
        "{what:34} forward {}, with backward {}",
        line(forward),
        line(both)
    );
}

/// [`gain`] of an operation without a gradient.
fn forward_gain<const E: usize>(
    what: &str,
    ours: impl Fn() -> Tensor<E>,
    plain: impl Fn() -> Tensor<E>,
) {
    check_close(&values(ours()), &values(plain()), 2e-5, what);
    let times = medians(|| drop(ours()), || drop(plain()));
    println!("{what:34} forward {}", line(times));
}

fn indices(values: impl Iterator<Item = usize>) -> Tensor<1, Int> {
    let values: Vec<i32> = values.map(|value| value as i32).collect();
    Tensor::from_data(&values[..], &Device::flex())
}

#[test]
#[ignore = "measures time: on a quiet machine, `cargo test --release -- --ignored --nocapture gains`"]
fn gains() {
    for kind in [
        Activation::Relu,
        Activation::Exp,
        Activation::Sigmoid,
        Activation::Silu,
        Activation::Gelu,
        Activation::LeakyRelu,
    ] {
        gain(
            &format!("{kind:?}"),
            [given([ROWS, INNER], 1)],
            |[x]| kind.forward(x),
            |[x]| compositions::activation(kind, x),
        );
    }

    let classes = indices((0..ROWS).map(|i| i * 37 % VOCABULARY));
    let logits = given([ROWS, VOCABULARY], 2);
    gain(
        "cross_entropy",
        [logits.clone()],
        |[logits]| cross_entropy(logits, classes.clone(), 1e-4),
        |[logits]| compositions::cross_entropy(logits, classes.clone(), 1e-4),
    );
    let logits = logits.inner();
    forward_gain(
        "entropy",
        || entropy(logits.clone()),
        || compositions::entropy(logits.clone()),
    );

    let mut init = Initializer::new(4, &Device::flex().autodiff());
    let norm = init.layer_norm(WIDTH, 1e-5);
    gain(
        "layer_norm",
        [given([ROWS, WIDTH], 3)],
        |[x]| layer_norm(&norm, x, 1e-5),
        |[x]| norm.forward(x),
    );
    let norm = RmsNorm {
        gamma: init.constant(WIDTH, 1.5),
        epsilon: 1e-6,
    };
    gain(
        "rms_norm",
        [given([ROWS, WIDTH], 4)],
        |[x]| rms_norm(&norm, x),
        |[x]| norm.forward(x),
    );

    // The pocket executor's sums, and the pocket glyphs' functions.
    for [batch, length, width] in [[64, 8, 32], [32, 48, 64]] {
        let heads = Heads {
            count: 4,
            scale: 0.25,
        };
        let bias = given([1, 4, length, length], 5);
        gain(
            &format!("attention of {length} tokens"),
            [6, 7, 8].map(|seed| given([batch, length, width], seed)),
            |[query, key, value]| attention(query, key, value, bias.clone(), heads),
            |inputs| compositions::attention(inputs, bias.clone(), heads),
        );
    }

    for [rows, inner, columns] in [[512, 32, 128], [ROWS, WIDTH, INNER]] {
        gain(
            &format!("matmul {rows} x {inner} x {columns}"),
            [given([rows, inner], 9), given([inner, columns], 10) * 0.1],
            |[left, right]| matmul(left, right),
            |[left, right]| left.matmul(right),
        );
    }
    let rows = indices((0..ROWS).map(|i| i * 37 % VOCABULARY));
    gain(
        "gather",
        [given([VOCABULARY, WIDTH], 11)],
        |[x]| gather(x, rows.clone()),
        |[x]| x.select(0, rows.clone()),
    );
    // Inverse to each other: 5 times 1229 is 1 modulo 1536.
    let permutation = indices((0..ROWS).map(|i| i * 5 % ROWS));
    let inverse = indices((0..ROWS).map(|i| i * 1229 % ROWS));
    gain(
        "permute_rows",
        [given([ROWS, WIDTH], 12)],
        |[x]| permute_rows(x, permutation.clone(), inverse.clone()),
        |[x]| x.select(0, permutation.clone()),
    );

    let (batch, size) = (32, 128);
    let glyphs = || [pictures([batch, 3, size, size], 13)];
    gain(
        "image_ops::warp",
        glyphs(),
        |[x]| image_ops::warp(x, maps(batch), [size; 2]),
        |[x]| compositions::warp(x, maps(batch), [size; 2]),
    );
    let parts = overlays(batch, 3 * size * size);
    gain(
        "image_ops::overlay",
        glyphs(),
        |[x]| {
            let (params, offsets, scales, table) = parts.clone();
            image_ops::overlay(x, params, offsets, scales, table)
        },
        |[x]| {
            let (params, offsets, scales, table) = parts.clone();
            compositions::overlay(x, params, offsets, scales, table)
        },
    );
    let corners = given([batch, 8], 14).inner() * 0.1;
    let corners = corners
        + Tensor::from_data(
            [[-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9]],
            &Device::flex(),
        );
    let tilted = Tensor::<1>::ones([batch], &Device::flex());
    forward_gain(
        "image_ops::rectify",
        || image_ops::rectify(corners.clone(), tilted.clone()),
        || compositions::rectify(corners.clone(), tilted.clone()),
    );
}
