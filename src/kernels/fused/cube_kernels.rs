//! GPU kernels of the fused operations. Inputs are contiguous; a cube of units (a workgroup of invocations) has a row
//! and reduces it in shared memory. None needs subgroups, which not every GPU has.

use burn_cubecl::cubecl::{self, prelude::*};

use super::{Activation, LEAKY_SLOPE};

/// Copies `from` to `to`.
#[cube(launch)]
pub fn copy(from: &Tensor<f32>, to: &mut Tensor<f32>) {
    if ABSOLUTE_POS >= to.len() {
        terminate!();
    }
    to[ABSOLUTE_POS] = from[ABSOLUTE_POS];
}

/// Activations `out` of `x`.
#[cube(launch)]
pub fn activate(x: &Tensor<f32>, out: &mut Tensor<f32>, #[comptime] kind: Activation) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let x = x[ABSOLUTE_POS];
    out[ABSOLUTE_POS] = match kind {
        Activation::Relu => x.max(0.0),
        Activation::Exp => x.exp(),
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => x * sigmoid(x),
        Activation::Gelu => x * normal_cdf(x),
        Activation::LeakyRelu => select(x < 0.0, x * LEAKY_SLOPE, x),
    };
}

/// `grad` times the derivative of the activation at `x`.
#[cube(launch)]
pub fn activate_backward(
    x: &Tensor<f32>,
    grad: &Tensor<f32>,
    out: &mut Tensor<f32>,
    #[comptime] kind: Activation,
) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let x = x[ABSOLUTE_POS];
    let derivative = match kind {
        Activation::Relu => f32::cast_from(x > 0.0),
        Activation::Exp => x.exp(),
        Activation::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        Activation::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        // 1 / sqrt(2 pi).
        Activation::Gelu => normal_cdf(x) + x * 0.398_942_3 * (x * x * -0.5f32).exp(),
        Activation::LeakyRelu => select(x < 0.0, 1.0f32 * LEAKY_SLOPE, 1.0f32),
    };
    out[ABSOLUTE_POS] = grad[ABSOLUTE_POS] * derivative;
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Normal distribution function at `x`.
#[cube]
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + Erf::erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Cross entropies `nll` [N, 1] and log-sum-exps `log_sums` [N, 1] of `logits` [N, V].
#[cube(launch)]
pub fn cross_entropy(
    logits: &Tensor<f32>,
    classes: &Tensor<i32>,
    nll: &mut Tensor<f32>,
    log_sums: &mut Tensor<f32>,
    smoothing: f32,
    #[comptime] units: usize,
) {
    let row = CUBE_POS;
    if row >= classes.len() {
        terminate!();
    }
    let width = logits.len() / classes.len();
    let first = row * width;
    let unit = UNIT_POS as usize;
    let mut highest = logits[first];
    let mut sum = 0.0f32;
    for i in range_stepped(unit, width, units) {
        let x = logits[first + i];
        highest = max(highest, x);
        sum += x;
    }
    let highest = max_of_units(highest, units);
    let mean = sum_of_units(sum, units) / width as f32;
    let mut exps = 0.0f32;
    for i in range_stepped(unit, width, units) {
        exps += (logits[first + i] - highest).exp();
    }
    let log_sum = sum_of_units(exps, units).ln() + highest;
    if unit == 0 {
        let target = logits[first + classes[row] as usize];
        nll[row] = log_sum - (1.0 - smoothing) * target - smoothing * mean;
        log_sums[row] = log_sum;
    }
}

/// Gradient `out` [N, V] of the logits, from `grad` [N, 1] of the cross entropies.
#[cube(launch)]
pub fn cross_entropy_backward(
    logits: &Tensor<f32>,
    classes: &Tensor<i32>,
    log_sums: &Tensor<f32>,
    grad: &Tensor<f32>,
    out: &mut Tensor<f32>,
    smoothing: f32,
) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let width = out.len() / classes.len();
    let row = ABSOLUTE_POS / width;
    let class = ABSOLUTE_POS % width;
    let mut target = smoothing / width as f32;
    if class == classes[row] as usize {
        target += 1.0 - smoothing;
    }
    out[ABSOLUTE_POS] = ((logits[ABSOLUTE_POS] - log_sums[row]).exp() - target) * grad[row];
}

/// Gradient `out` [V, W] of the table, from `grad` [N, W] of the gathered `rows` `[N]`. A cube sums some columns of one
/// row of the table, always in the same order; it scans the indices as many at a time as it has units and reads a
/// gradient only where one of them names its row.
#[cube(launch)]
pub fn gather_backward(
    grad: &Tensor<f32>,
    rows: &Tensor<i32>,
    out: &mut Tensor<f32>,
    width: usize,
    #[comptime] units: usize,
) {
    let chunks = width.div_ceil(units);
    let row = CUBE_POS / chunks;
    if row * width >= out.len() {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let column = CUBE_POS % chunks * units + unit;
    let mut indices = Shared::<[i32]>::new_slice(units);
    let matches = Shared::<[Atomic<u32>]>::new_slice(1usize);
    let mut sum = 0.0f32;
    for from in range_stepped(0, rows.len(), units) {
        if unit == 0 {
            matches[0].store(0u32);
        }
        sync_cube();
        if from + unit < rows.len() {
            indices[unit] = rows[from + unit];
            if rows[from + unit] as usize == row {
                matches[0].fetch_add(1u32);
            }
        }
        sync_cube();
        if column < width && matches[0].load() > 0u32 {
            for i in 0..min(units, rows.len() - from) {
                if indices[i] as usize == row {
                    sum += grad[(from + i) * width + column];
                }
            }
        }
        sync_cube();
    }
    if column < width {
        out[row * width + column] = sum;
    }
}

/// Norm of rows [N, W]: RMS norm with `gamma` `[W]`, or if centred layer norm with `gamma` and `beta` `[W]`.
#[cube(launch)]
pub fn norm(
    x: &Tensor<f32>,
    gamma: &Tensor<f32>,
    beta: &Tensor<f32>,
    out: &mut Tensor<f32>,
    epsilon: f32,
    #[comptime] is_centred: bool,
    #[comptime] units: usize,
) {
    let width = gamma.len();
    let first = CUBE_POS * width;
    if first >= out.len() {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let moments = moments(x, first, width, epsilon, is_centred, units);
    let (mean, rms) = (moments.mean, moments.rms);
    for i in range_stepped(unit, width, units) {
        let mut y = (x[first + i] - mean) / rms * gamma[i];
        if is_centred {
            y += beta[i];
        }
        out[first + i] = y;
    }
}

/// Gradients of the rows of [`norm()`], and of `gamma` row by row, both [N, W].
#[cube(launch)]
pub fn norm_backward(
    x: &Tensor<f32>,
    gamma: &Tensor<f32>,
    grad: &Tensor<f32>,
    x_grad: &mut Tensor<f32>,
    gamma_grads: &mut Tensor<f32>,
    epsilon: f32,
    #[comptime] is_centred: bool,
    #[comptime] units: usize,
) {
    let width = gamma.len();
    let first = CUBE_POS * width;
    if first >= x_grad.len() {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let moments = moments(x, first, width, epsilon, is_centred, units);
    let (mean, rms) = (moments.mean, moments.rms);
    let mut radial = 0.0f32;
    let mut sum = 0.0f32;
    for i in range_stepped(unit, width, units) {
        let normed = (x[first + i] - mean) / rms;
        let g = grad[first + i];
        gamma_grads[first + i] = g * normed;
        radial += g * gamma[i] * normed;
        sum += g * gamma[i];
    }
    let radial = sum_of_units(radial, units) / width as f32;
    let mut mean_grad = 0.0f32;
    if is_centred {
        mean_grad = sum_of_units(sum, units) / width as f32;
    }
    for i in range_stepped(unit, width, units) {
        let normed = (x[first + i] - mean) / rms;
        x_grad[first + i] = (grad[first + i] * gamma[i] - mean_grad - normed * radial) / rms;
    }
}

/// Mean of a row, 0 unless it is centred, and its root mean square about the mean.
#[derive(CubeType)]
struct Moments {
    mean: f32,
    rms: f32,
}

#[cube]
fn moments(
    x: &Tensor<f32>,
    first: usize,
    width: usize,
    epsilon: f32,
    #[comptime] is_centred: bool,
    #[comptime] units: usize,
) -> Moments {
    let unit = UNIT_POS as usize;
    let mut mean = 0.0f32;
    if is_centred {
        let mut sum = 0.0f32;
        for i in range_stepped(unit, width, units) {
            sum += x[first + i];
        }
        mean = sum_of_units(sum, units) / width as f32;
    }
    let mut squares = 0.0f32;
    for i in range_stepped(unit, width, units) {
        let centred = x[first + i] - mean;
        squares += centred * centred;
    }
    let rms = (sum_of_units(squares, units) / width as f32 + epsilon).sqrt();
    Moments { mean, rms }
}

/// Attention weights `out`: softmax of `scale` times `scores` [B, H, Lq, Lk] plus `bias`, which is expanded to that
/// shape by strides of 0.
#[cube(launch)]
pub fn attention_weights(
    scores: &Tensor<f32>,
    bias: &Tensor<f32>,
    out: &mut Tensor<f32>,
    scale: f32,
    #[comptime] units: usize,
) {
    let width = bias.shape(3);
    let first = CUBE_POS * width;
    if first >= out.len() {
        terminate!();
    }
    let queries = bias.shape(2);
    let heads = bias.shape(1);
    let from = CUBE_POS / queries / heads * bias.stride(0)
        + CUBE_POS / queries % heads * bias.stride(1)
        + CUBE_POS % queries * bias.stride(2);
    let unit = UNIT_POS as usize;
    let mut highest = scale * scores[first] + bias[from];
    for i in range_stepped(unit, width, units) {
        highest = max(
            highest,
            scale * scores[first + i] + bias[from + i * bias.stride(3)],
        );
    }
    let highest = max_of_units(highest, units);
    let mut sum = 0.0f32;
    for i in range_stepped(unit, width, units) {
        let score = scale * scores[first + i] + bias[from + i * bias.stride(3)];
        let exp = (score - highest).exp();
        out[first + i] = exp;
        sum += exp;
    }
    let sum = sum_of_units(sum, units);
    for i in range_stepped(unit, width, units) {
        out[first + i] /= sum;
    }
}

/// Gradients `score_grad` of the biased scores, from `grad` [.., Lk] of the attention weights, and times `scale` those
/// of the products of queries and keys.
#[cube(launch)]
pub fn attention_weights_backward(
    attention_weights: &Tensor<f32>,
    grad: &Tensor<f32>,
    score_grad: &mut Tensor<f32>,
    scaled: &mut Tensor<f32>,
    scale: f32,
    width: usize,
    #[comptime] units: usize,
) {
    let first = CUBE_POS * width;
    if first >= score_grad.len() {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut mean = 0.0f32;
    for i in range_stepped(unit, width, units) {
        mean += attention_weights[first + i] * grad[first + i];
    }
    let mean = sum_of_units(mean, units);
    for i in range_stepped(unit, width, units) {
        let gradient = attention_weights[first + i] * (grad[first + i] - mean);
        score_grad[first + i] = gradient;
        scaled[first + i] = scale * gradient;
    }
}

#[cube]
fn sum_of_units(value: f32, #[comptime] units: usize) -> f32 {
    reduce(value, true, units)
}

#[cube]
fn max_of_units(value: f32, #[comptime] units: usize) -> f32 {
    reduce(value, false, units)
}

/// Sum or maximum over the units of a cube, a power of two.
#[cube]
fn reduce(value: f32, #[comptime] is_sum: bool, #[comptime] units: usize) -> f32 {
    let mut shared = Shared::<[f32]>::new_slice(units);
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    #[unroll]
    for level in 0..comptime!(units.ilog2() as usize) {
        let half = comptime!(units >> (level + 1));
        if unit < half {
            let other = shared[unit + half];
            if is_sum {
                shared[unit] += other;
            } else {
                shared[unit] = max(shared[unit], other);
            }
        }
        sync_cube();
    }
    let all = shared[0];
    // The next reduction may reuse the memory.
    sync_cube();
    all
}
