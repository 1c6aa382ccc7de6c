//! Operations on a GPU, or on Vulkan in software: against those on the CPU, values and gradients.

use burn::{
    nn::RmsNorm,
    tensor::{Device, Int, Tensor, TensorData},
};
use glyphspace::{
    kernels::{
        Heads, attention, cross_entropy, exp, gather, gelu, layer_norm, leaky_relu, relu, rms_norm,
        sigmoid, silu,
    },
    nn::{
        distortions::{Distortion, DistortionBatch, DistortionKinds, warp},
        init::Initializer,
    },
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::data;
use crate::nn::{check_close, values};

const EPSILON: f64 = 1e-5;

/// The first adapter and the CPU.
fn devices() -> Option<[Device; 2]> {
    let gpu = crate::device::gpu()?;
    Some([gpu.device.autodiff(), Device::flex().autodiff()])
}

#[test]
fn a_gpu_damages_pictures_the_same() {
    let Some(devices) = devices() else {
        return;
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let damage = DistortionBatch::sample(&[15.0, 0.0, 4.0], DistortionKinds::ALL, &mut rng);
    // JPEG rounds: what lies on the edge of a step falls to either side.
    let distortions = damage.distortions.iter().map(|distortion| Distortion {
        quality: None,
        ..*distortion
    });
    let damage = DistortionBatch {
        distortions: distortions.collect(),
    };
    // The second are no corners of anything.
    let corners = [
        [-0.8, -0.9, 0.9, -0.7, 0.7, 0.8, -0.9, 0.85],
        [0.0; 8],
        [-1.0, -1.0, 1.2, -1.0, 1.0, 0.9, -1.0, 1.0],
    ];
    for [height, width] in [[40, 64], [7, 9]] {
        let pictures = data([3, 3, height, width], 5);
        check_same::<4, 4>(
            &devices,
            "pictures",
            std::slice::from_ref(&pictures),
            |x, _| {
                let warped = warp(sigmoid(x[0].clone()), &damage.homographies());
                damage.upload(&warped).apply_photometric(warped)
            },
        );
        check_same::<4, 4>(&devices, "set upright", &[pictures], |x, device| {
            let device = device.clone().inner();
            // The last one stayed upright.
            let tilted = Tensor::from_data([1.0, 1.0, 0.0], &device);
            let corners = Tensor::from_data(corners, &device);
            let pictures = sigmoid(x[0].clone());
            damage
                .upload(&pictures)
                .apply_and_rectify(pictures, corners, tilted)
        });
    }
}

/// What `f` makes of `inputs`, and the gradients of all inputs, on one device as on the other.
fn check_same<const D: usize, const E: usize>(
    devices: &[Device; 2],
    what: &str,
    inputs: &[TensorData],
    f: impl Fn(Vec<Tensor<D>>, &Device) -> Tensor<E>,
) {
    let [gpu, cpu] = devices.each_ref().map(|device| {
        let inputs = inputs.iter().cloned();
        let inputs = inputs.map(|data| Tensor::<D>::from_data(data, device).require_grad());
        let inputs: Vec<_> = inputs.collect();
        let made = f(inputs.clone(), device);
        let weights = Tensor::from_data(data(made.dims(), 99), device);
        let gradients = (made.clone() * weights).sum().backward();
        let of = |x: &Tensor<D>| values(x.grad(&gradients).expect("it counts"));
        let gradients: Vec<_> = inputs.iter().map(of).collect();
        (values(made.inner()), gradients)
    });
    check_close(&gpu.0, &cpu.0, 2e-5, what);
    for (input, (gpu, cpu)) in gpu.1.iter().zip(&cpu.1).enumerate() {
        check_close(gpu, cpu, 5e-5, &format!("{what}, input {input}"));
    }
}

#[test]
fn a_gpu_makes_the_same_of_them() {
    let Some(devices) = devices() else {
        return;
    };
    // Less than a cube's units, more, and more rows than one dimension has cubes.
    for shape in [[3, 7], [2, 300], [70_000, 2]] {
        let x = [data(shape, 1)];
        check_same::<2, 2>(&devices, "relu", &x, |x, _| relu(x[0].clone()));
        check_same::<2, 2>(&devices, "exp", &x, |x, _| exp(x[0].clone()));
        check_same::<2, 2>(&devices, "sigmoid", &x, |x, _| sigmoid(x[0].clone()));
        check_same::<2, 2>(&devices, "silu", &x, |x, _| silu(x[0].clone()));
        check_same::<2, 2>(&devices, "gelu", &x, |x, _| gelu(x[0].clone()));
        check_same::<2, 2>(&devices, "leaky relu", &x, |x, _| leaky_relu(x[0].clone()));

        let classes: Vec<i32> = (0..shape[0]).map(|i| (i * 5 % shape[1]) as i32).collect();
        for smoothing in [0.0, 0.1] {
            check_same::<2, 1>(&devices, "cross entropy", &x, |x, device| {
                let classes = Tensor::<1, Int>::from_data(&classes[..], device);
                cross_entropy(x[0].clone(), classes, smoothing)
            });
        }
        check_same::<2, 2>(&devices, "layer norm", &x, |x, device| {
            let norm = Initializer::new(4, device).layer_norm(shape[1], EPSILON);
            layer_norm(&norm, x[0].clone(), EPSILON)
        });
        // Weights by themselves: their gradients count too.
        check_same::<2, 2>(&devices, "rms norm", &x, |x, device| {
            let gamma = Initializer::new(4, device).constant(shape[1], 1.5);
            let norm = RmsNorm {
                gamma,
                epsilon: EPSILON,
            };
            rms_norm(&norm, x[0].clone())
        });
    }
    // More rows picked than a cube has units, and more columns; one of them never.
    for [count, width, picked] in [[4, 3, 300], [3, 300, 5]] {
        let rows: Vec<i32> = (0..picked).map(|i| (i * i % 3 % count) as i32).collect();
        check_same::<2, 2>(&devices, "rows", &[data([count, width], 1)], |x, device| {
            gather(x[0].clone(), Tensor::from_data(&rows[..], device))
        });
    }
    // A gradient that is one value for all.
    let slopes = devices.each_ref().map(|device| {
        let x = Tensor::<2>::from_data(data([3, 7], 1), device).require_grad();
        let gradients = gelu(x.clone()).sum().backward();
        values(x.grad(&gradients).expect("it counts"))
    });
    check_close(&slopes[0], &slopes[1], 5e-5, "the gradient of a sum");
    for [queries, keys, count, head] in [[4, 4, 4, 8], [3, 150, 2, 5]] {
        let heads = Heads { count, scale: 0.4 };
        let shape = |length| [2, length, count * head];
        let parts = [shape(queries), shape(keys), shape(keys)];
        let parts = parts.map(|shape| data(shape, shape[1] as u64));
        for bias in [[1, 1, 1, 1], [2, 1, 1, keys], [1, count, queries, keys]] {
            let what = format!("attention of {queries} to {keys}, bias {bias:?}");
            check_same::<3, 3>(&devices, &what, &parts, |parts, device| {
                let bias = Tensor::from_data(data(bias, 10), device);
                let [query, key, value] = parts.try_into().expect("three");
                attention(query, key, value, bias, heads)
            });
        }
        // As T5's position tables come: turned, and only the first queries' part.
        check_same::<3, 3>(
            &devices,
            "attention, turned bias",
            &parts,
            |parts, device| {
                let table = Tensor::<4>::from_data(data([1, 6, keys, count], 11), device);
                let bias = table.permute([0, 3, 1, 2]).narrow(2, 1, queries);
                let [query, key, value] = parts.try_into().expect("three");
                attention(query, key, value, bias, heads)
            },
        );
    }
}

#[test]
fn a_gpu_finds_the_gradients_of_weights_and_biases() {
    let Some(devices) = devices() else {
        return;
    };
    let norms = devices.each_ref().map(|device| {
        let norm = Initializer::new(6, device).layer_norm(40, EPSILON);
        let made = layer_norm(
            &norm,
            Tensor::<2>::from_data(data([9, 40], 1), device),
            EPSILON,
        );
        let gradients = (made.clone() * made).sum().backward();
        let weights = [Some(norm.gamma), norm.beta].map(|weight| weight.expect("it has both"));
        weights.map(|weight| values(weight.val().grad(&gradients).expect("it counts")))
    });
    check_close(&norms[0].concat(), &norms[1].concat(), 5e-5, "layer norm");
    for bias in [[1, 1, 1, 1], [2, 1, 1, 6], [2, 2, 5, 6]] {
        check_same::<4, 3>(&devices, "bias", &[data(bias, 10)], |bias, device| {
            let part = |length, seed| Tensor::from_data(data([2, length, 8], seed), device);
            let heads = Heads {
                count: 2,
                scale: 0.3,
            };
            attention(part(5, 1), part(6, 2), part(6, 3), bias[0].clone(), heads)
        });
    }
}
