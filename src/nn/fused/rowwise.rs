//! Values and rows on the CPU, one pass each.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles for each of its first parameter"
)]

use macerator::{Simd, with_simd};

use super::simd::{dot, exp, highest, normal_below, normal_density, sigmoid, sum};

/// Values made at once, before they go to memory that needs no clearing first.
const CHUNK: usize = 512;

/// A function and its slope.
pub trait Activation {
    fn value(&self, x: f32) -> f32;
    fn derivative(&self, x: f32) -> f32;
}

pub struct Relu;

impl Activation for Relu {
    #[inline(always)]
    fn value(&self, x: f32) -> f32 {
        if x < 0.0 { 0.0 } else { x }
    }

    #[inline(always)]
    fn derivative(&self, x: f32) -> f32 {
        if x > 0.0 { 1.0 } else { 0.0 }
    }
}

pub struct Exp;

impl Activation for Exp {
    #[inline(always)]
    fn value(&self, x: f32) -> f32 {
        exp(x)
    }

    #[inline(always)]
    fn derivative(&self, x: f32) -> f32 {
        exp(x)
    }
}

pub struct Sigmoid;

impl Activation for Sigmoid {
    #[inline(always)]
    fn value(&self, x: f32) -> f32 {
        sigmoid(x)
    }

    #[inline(always)]
    fn derivative(&self, x: f32) -> f32 {
        let s = sigmoid(x);
        s * (1.0 - s)
    }
}

pub struct Silu;

impl Activation for Silu {
    #[inline(always)]
    fn value(&self, x: f32) -> f32 {
        x * sigmoid(x)
    }

    #[inline(always)]
    fn derivative(&self, x: f32) -> f32 {
        let s = sigmoid(x);
        s * (1.0 + x * (1.0 - s))
    }
}

pub struct Gelu;

impl Activation for Gelu {
    #[inline(always)]
    fn value(&self, x: f32) -> f32 {
        x * normal_below(x)
    }

    #[inline(always)]
    fn derivative(&self, x: f32) -> f32 {
        normal_below(x) + x * normal_density(x)
    }
}

/// `function` at each value of `x`.
#[with_simd]
pub fn map<S: Simd, F: Activation>(x: &[f32], function: F) -> Vec<f32> {
    let mut made = Vec::with_capacity(x.len());
    let mut buffer = [0.0; CHUNK];
    for x in x.chunks(CHUNK) {
        for (value, &x) in buffer.iter_mut().zip(x) {
            *value = function.value(x);
        }
        made.extend_from_slice(&buffer[..x.len()]);
    }
    made
}

/// The same in the place of `x`.
#[with_simd]
pub fn apply<S: Simd, F: Activation>(x: &mut [f32], function: F) {
    for x in x {
        *x = function.value(*x);
    }
}

/// `grad` times the slope of `function` at each value of `x`.
#[with_simd]
pub fn scale<S: Simd, F: Activation>(x: &[f32], grad: &mut [f32], function: F) {
    for (grad, &x) in grad.iter_mut().zip(x) {
        *grad *= function.derivative(x);
    }
}

/// What rows of logits are judged by.
#[derive(Clone, Copy)]
pub struct SmoothedTarget<'a> {
    pub classes: &'a [i64],
    pub vocabulary: usize,
    pub smoothing: f32,
}

/// Cross entropies and logarithms of sums, a row each.
#[with_simd]
pub fn entropies<'a, S: Simd>(logits: &[f32], truth: SmoothedTarget<'a>) -> (Vec<f32>, Vec<f32>) {
    let SmoothedTarget {
        classes,
        vocabulary,
        smoothing,
    } = truth;
    let mut exps = vec![0.0; vocabulary];
    let [mut entropies, mut log_sums] = [(); 2].map(|()| Vec::with_capacity(classes.len()));
    for (row, &class) in logits.chunks_exact(vocabulary).zip(classes) {
        let highest = highest(row);
        for (value, &logit) in exps.iter_mut().zip(row) {
            *value = exp(logit - highest);
        }
        let log_sum = sum(&exps, |x| x).ln() + highest;
        let mean = match smoothing {
            0.0 => 0.0,
            _ => sum(row, |x| x) / vocabulary as f32,
        };
        entropies.push(log_sum - (1.0 - smoothing) * row[class as usize] - smoothing * mean);
        log_sums.push(log_sum);
    }
    (entropies, log_sums)
}

/// Entropies of the softmax of rows of so many logits.
#[with_simd]
pub fn own_entropies<S: Simd>(logits: &[f32], vocabulary: usize) -> Vec<f32> {
    let [mut below, mut exps] = [(); 2].map(|()| vec![0.0; vocabulary]);
    let rows = logits.chunks_exact(vocabulary).map(|row| {
        let highest = highest(row);
        for ((below, value), logit) in below.iter_mut().zip(&mut exps).zip(row) {
            *below = logit - highest;
            *value = exp(*below);
        }
        let sum = sum(&exps, |x| x);
        sum.ln() - dot(&exps, &below) / sum
    });
    rows.collect()
}

/// The gradient of the logits.
#[with_simd]
pub fn entropies_backward<'a, S: Simd>(
    logits: &[f32],
    truth: SmoothedTarget<'a>,
    log_sums: &[f32],
    grads: &[f32],
) -> Vec<f32> {
    let SmoothedTarget {
        classes,
        vocabulary,
        smoothing,
    } = truth;
    let even = smoothing / vocabulary as f32;
    let mut made = Vec::with_capacity(logits.len());
    let mut buffer = vec![0.0; vocabulary];
    for (i, row) in logits.chunks_exact(vocabulary).enumerate() {
        let (log_sum, grad) = (log_sums[i], grads[i]);
        for (value, &logit) in buffer.iter_mut().zip(row) {
            *value = (exp(logit - log_sum) - even) * grad;
        }
        buffer[classes[i] as usize] -= (1.0 - smoothing) * grad;
        made.extend_from_slice(&buffer);
    }
    made
}

/// A row's mean, 0 if it isn't to be `CENTRED`, and one over its deviation from it.
#[inline(always)]
fn moments<const CENTRED: bool>(row: &[f32], epsilon: f32) -> (f32, f32) {
    let over = 1.0 / row.len() as f32;
    let mean = match CENTRED {
        true => sum(row, |x| x) * over,
        false => 0.0,
    };
    let variance = sum(row, |x| (x - mean) * (x - mean)) * over;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// Rows normalised, times gamma, plus beta unless it is empty.
#[with_simd]
pub fn normed<S: Simd, const CENTRED: bool>(
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
) -> Vec<f32> {
    let width = gamma.len();
    let mut made = Vec::with_capacity(x.len());
    let mut buffer = vec![0.0; width];
    for row in x.chunks_exact(width) {
        let (mean, over) = moments::<CENTRED>(row, epsilon);
        for ((value, &x), gamma) in buffer.iter_mut().zip(row).zip(gamma) {
            *value = (x - mean) * over * gamma;
        }
        for (value, beta) in buffer.iter_mut().zip(beta) {
            *value += beta;
        }
        made.extend_from_slice(&buffer);
    }
    made
}

/// The gradients of rows, gamma and, if they are `CENTRED`, beta.
#[with_simd]
pub fn normed_backward<S: Simd, const CENTRED: bool>(
    x: &[f32],
    gamma: &[f32],
    grads: &[f32],
    epsilon: f32,
) -> [Vec<f32>; 3] {
    let width = gamma.len();
    let over_width = 1.0 / width as f32;
    let mut made = Vec::with_capacity(x.len());
    let [mut buffer, mut unit, mut gamma_grad, mut beta_grad] =
        [(); 4].map(|()| vec![0.0f32; width]);
    for (row, grad) in x.chunks_exact(width).zip(grads.chunks_exact(width)) {
        let (mean, over) = moments::<CENTRED>(row, epsilon);
        // A loop each: of all at once a compiler can't tell that none writes what another reads.
        for (unit, x) in unit.iter_mut().zip(row) {
            *unit = (x - mean) * over;
        }
        for ((value, grad), gamma) in buffer.iter_mut().zip(grad).zip(gamma) {
            *value = grad * gamma;
        }
        for ((sum, grad), unit) in gamma_grad.iter_mut().zip(grad).zip(&unit) {
            *sum += grad * unit;
        }
        let along = dot(&buffer, &unit) * over_width;
        let mut level = 0.0;
        if CENTRED {
            for (sum, grad) in beta_grad.iter_mut().zip(grad) {
                *sum += grad;
            }
            level = sum(&buffer, |x| x) * over_width;
        }
        for (value, unit) in buffer.iter_mut().zip(&unit) {
            *value = (*value - level - unit * along) * over;
        }
        made.extend_from_slice(&buffer);
    }
    [made, gamma_grad, beta_grad]
}
