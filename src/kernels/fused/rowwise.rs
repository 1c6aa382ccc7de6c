//! Elementwise functions, losses and norms on the CPU, in one pass each.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles each function for every instruction set"
)]

use macerator::{Simd, with_simd};

use super::{
    LEAKY_SLOPE,
    simd::{dot, exp, max, normal_cdf, normal_pdf, sigmoid, sum},
};

/// Values computed at a time in a buffer, then appended: the output needs no zeroing.
const CHUNK: usize = 512;

/// Elementwise function and its derivative.
pub trait Elementwise {
    fn value(&self, x: f32) -> f32;
    fn derivative(&self, x: f32) -> f32;
}

/// Defines elementwise functions: their values and derivatives.
macro_rules! elementwise {
    ($($name:ident($x:ident): $value:expr, $derivative:expr;)+) => {$(
        pub struct $name;

        impl Elementwise for $name {
            #[inline(always)]
            fn value(&self, $x: f32) -> f32 {
                $value
            }

            #[inline(always)]
            fn derivative(&self, $x: f32) -> f32 {
                $derivative
            }
        }
    )+};
}

elementwise! {
    Relu(x): if x < 0.0 { 0.0 } else { x }, if x > 0.0 { 1.0 } else { 0.0 };
    LeakyRelu(x): if x < 0.0 { x * LEAKY_SLOPE } else { x }, if x < 0.0 { LEAKY_SLOPE } else { 1.0 };
    Exp(x): exp(x), exp(x);
    Sigmoid(x): sigmoid(x), {
        let s = sigmoid(x);
        s * (1.0 - s)
    };
    Silu(x): x * sigmoid(x), {
        let s = sigmoid(x);
        s * (1.0 + x * (1.0 - s))
    };
    Gelu(x): x * normal_cdf(x), normal_cdf(x) + x * normal_pdf(x);
}

/// Values of `function` at `x`.
#[with_simd]
pub fn map<S: Simd, F: Elementwise>(x: &[f32], function: F) -> Vec<f32> {
    let mut out = Vec::with_capacity(x.len());
    let mut buffer = [0.0; CHUNK];
    for x in x.chunks(CHUNK) {
        for (value, &x) in buffer.iter_mut().zip(x) {
            *value = function.value(x);
        }
        out.extend_from_slice(&buffer[..x.len()]);
    }
    out
}

/// Replaces `x` by the values of `function`.
#[with_simd]
pub fn map_in_place<S: Simd, F: Elementwise>(x: &mut [f32], function: F) {
    for x in x {
        *x = function.value(*x);
    }
}

/// Multiplies `grad` by the derivative of `function` at `x`.
#[with_simd]
pub fn chain<S: Simd, F: Elementwise>(x: &[f32], grad: &mut [f32], function: F) {
    for (grad, &x) in grad.iter_mut().zip(x) {
        *grad *= function.derivative(x);
    }
}

/// Targets of rows of logits: one-hot at `classes`, mixed with the uniform distribution by `smoothing`.
#[derive(Clone, Copy)]
pub struct SmoothedTarget<'a> {
    pub classes: &'a [i64],
    pub vocabulary: usize,
    pub smoothing: f32,
}

/// Cross entropies and log-sum-exps of rows of logits.
#[with_simd]
pub fn cross_entropy<'a, S: Simd>(
    logits: &[f32],
    target: SmoothedTarget<'a>,
) -> (Vec<f32>, Vec<f32>) {
    let (classes, vocabulary, smoothing) = (target.classes, target.vocabulary, target.smoothing);
    let mut exps = vec![0.0; vocabulary];
    let [mut losses, mut log_sums] = [(); 2].map(|()| Vec::with_capacity(classes.len()));
    for (row, &class) in logits.chunks_exact(vocabulary).zip(classes) {
        let max = max(row);
        for (value, &logit) in exps.iter_mut().zip(row) {
            *value = exp(logit - max);
        }
        let log_sum = sum(&exps, |x| x).ln() + max;
        let mean = match smoothing {
            0.0 => 0.0,
            _ => sum(row, |x| x) / vocabulary as f32,
        };
        losses.push(log_sum - (1.0 - smoothing) * row[class as usize] - smoothing * mean);
        log_sums.push(log_sum);
    }
    (losses, log_sums)
}

/// Entropies of the softmax of rows of `vocabulary` logits.
#[with_simd]
pub fn entropy<S: Simd>(logits: &[f32], vocabulary: usize) -> Vec<f32> {
    let [mut shifted, mut exps] = [(); 2].map(|()| vec![0.0; vocabulary]);
    let rows = logits.chunks_exact(vocabulary).map(|row| {
        let max = max(row);
        for ((shifted, value), logit) in shifted.iter_mut().zip(&mut exps).zip(row) {
            *shifted = logit - max;
            *value = exp(*shifted);
        }
        let sum = sum(&exps, |x| x);
        sum.ln() - dot(&exps, &shifted) / sum
    });
    rows.collect()
}

/// Gradient of rows of logits, from `grads` of their cross entropies.
#[with_simd]
pub fn cross_entropy_backward<'a, S: Simd>(
    logits: &[f32],
    target: SmoothedTarget<'a>,
    log_sums: &[f32],
    grads: &[f32],
) -> Vec<f32> {
    let (classes, vocabulary, smoothing) = (target.classes, target.vocabulary, target.smoothing);
    let uniform = smoothing / vocabulary as f32;
    let mut out = Vec::with_capacity(logits.len());
    let mut buffer = vec![0.0; vocabulary];
    for (i, row) in logits.chunks_exact(vocabulary).enumerate() {
        let (log_sum, grad) = (log_sums[i], grads[i]);
        for (value, &logit) in buffer.iter_mut().zip(row) {
            *value = (exp(logit - log_sum) - uniform) * grad;
        }
        buffer[classes[i] as usize] -= (1.0 - smoothing) * grad;
        out.extend_from_slice(&buffer);
    }
    out
}

/// Mean of a row, 0 unless it is to be `CENTRED`, and inverse standard deviation.
#[inline(always)]
fn moments<const CENTRED: bool>(row: &[f32], epsilon: f32) -> (f32, f32) {
    let inverse_width = 1.0 / row.len() as f32;
    let mean = match CENTRED {
        true => sum(row, |x| x) * inverse_width,
        false => 0.0,
    };
    let variance = sum(row, |x| (x - mean) * (x - mean)) * inverse_width;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// Layer norm of rows if `CENTRED`, else RMS norm; `beta` may be empty.
#[with_simd]
pub fn norm<S: Simd, const CENTRED: bool>(
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
) -> Vec<f32> {
    let width = gamma.len();
    let mut out = Vec::with_capacity(x.len());
    let mut buffer = vec![0.0; width];
    for row in x.chunks_exact(width) {
        let (mean, inverse_std) = moments::<CENTRED>(row, epsilon);
        for ((value, &x), gamma) in buffer.iter_mut().zip(row).zip(gamma) {
            *value = (x - mean) * inverse_std * gamma;
        }
        for (value, beta) in buffer.iter_mut().zip(beta) {
            *value += beta;
        }
        out.extend_from_slice(&buffer);
    }
    out
}

/// Gradients of rows, gamma and, if `CENTRED`, beta.
#[with_simd]
pub fn norm_backward<S: Simd, const CENTRED: bool>(
    x: &[f32],
    gamma: &[f32],
    grads: &[f32],
    epsilon: f32,
) -> [Vec<f32>; 3] {
    let width = gamma.len();
    let inverse_width = 1.0 / width as f32;
    let mut out = Vec::with_capacity(x.len());
    let [mut buffer, mut unit, mut gamma_grad, mut beta_grad] =
        [(); 4].map(|()| vec![0.0f32; width]);
    for (row, grad) in x.chunks_exact(width).zip(grads.chunks_exact(width)) {
        let (mean, inverse_std) = moments::<CENTRED>(row, epsilon);
        // Separate loops: the compiler can't prove that the slices of one loop don't alias.
        for (unit, x) in unit.iter_mut().zip(row) {
            *unit = (x - mean) * inverse_std;
        }
        for ((value, grad), gamma) in buffer.iter_mut().zip(grad).zip(gamma) {
            *value = grad * gamma;
        }
        for ((sum, grad), unit) in gamma_grad.iter_mut().zip(grad).zip(&unit) {
            *sum += grad * unit;
        }
        let radial = dot(&buffer, &unit) * inverse_width;
        let mut mean_grad = 0.0;
        if CENTRED {
            for (sum, grad) in beta_grad.iter_mut().zip(grad) {
                *sum += grad;
            }
            mean_grad = sum(&buffer, |x| x) * inverse_width;
        }
        for (value, unit) in buffer.iter_mut().zip(&unit) {
            *value = (*value - mean_grad - unit * radial) * inverse_std;
        }
        out.extend_from_slice(&buffer);
    }
    [out, gamma_grad, beta_grad]
}
