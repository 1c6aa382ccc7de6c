//! The GPU's kernels: contiguous values, and a cube of units (a workgroup of invocations) for each row, which
//! add up through the memory they share. Nothing here needs subgroups, which not every GPU has.

use burn_cubecl::cubecl::{self, prelude::*};

use super::ActivationKind;

/// The values of `from` over those of `to`.
#[cube(launch)]
pub fn copy(from: &Tensor<f32>, to: &mut Tensor<f32>) {
    if ABSOLUTE_POS >= to.len() {
        terminate!();
    }
    to[ABSOLUTE_POS] = from[ABSOLUTE_POS];
}

/// `kind` at each value of `x`.
#[cube(launch)]
pub fn activation(x: &Tensor<f32>, out: &mut Tensor<f32>, #[comptime] kind: ActivationKind) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let x = x[ABSOLUTE_POS];
    out[ABSOLUTE_POS] = match kind {
        ActivationKind::Relu => x.max(0.0),
        ActivationKind::Exp => x.exp(),
        ActivationKind::Sigmoid => sigmoid(x),
        ActivationKind::Silu => x * sigmoid(x),
        ActivationKind::Gelu => x * normal_below(x),
    };
}

/// `grad` times the slope of `kind` at each value of `x`.
#[cube(launch)]
pub fn activation_backward(
    x: &Tensor<f32>,
    grad: &Tensor<f32>,
    out: &mut Tensor<f32>,
    #[comptime] kind: ActivationKind,
) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let x = x[ABSOLUTE_POS];
    let derivative = match kind {
        ActivationKind::Relu => f32::cast_from(x > 0.0),
        ActivationKind::Exp => x.exp(),
        ActivationKind::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        ActivationKind::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        // 1 / sqrt(2 pi).
        ActivationKind::Gelu => normal_below(x) + x * 0.398_942_3 * (x * x * -0.5f32).exp(),
    };
    out[ABSOLUTE_POS] = grad[ABSOLUTE_POS] * derivative;
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The normal distribution below `x`.
#[cube]
fn normal_below(x: f32) -> f32 {
    0.5 * (1.0 + Erf::erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Cross entropies `nll` [N, 1] and logarithms of the rows' sums of exponentials [N, 1] of `logits` [N, V].
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
    let highest = highest_of_units(highest, units);
    let mean = sum_of_units(sum, units) / width as f32;
    let mut exps = 0.0f32;
    for i in range_stepped(unit, width, units) {
        exps += (logits[first + i] - highest).exp();
    }
    let log_sum = sum_of_units(exps, units).ln() + highest;
    if unit == 0 {
        let named = logits[first + classes[row] as usize];
        nll[row] = log_sum - (1.0 - smoothing) * named - smoothing * mean;
        log_sums[row] = log_sum;
    }
}

/// The gradient `out` [N, V] of the cross entropies, whose own is `grad` [N, 1].
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
    let mut truth = smoothing / width as f32;
    if class == classes[row] as usize {
        truth += 1.0 - smoothing;
    }
    out[ABSOLUTE_POS] = ((logits[ABSOLUTE_POS] - log_sums[row]).exp() - truth) * grad[row];
}

/// The gradient `out` [V, W] of which the `rows` `[N]` were picked, whose own is `grad` [N, W]: a cube adds up what some
/// columns of a row get, always in the same order. Of the rows it looks at as many at a time as it has units, most often
/// for nothing.
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
    let mut of_units = Shared::<[i32]>::new_slice(units);
    let output = Shared::<[Atomic<u32>]>::new_slice(1usize);
    let mut sum = 0.0f32;
    for from in range_stepped(0, rows.len(), units) {
        if unit == 0 {
            output[0].store(0u32);
        }
        sync_cube();
        if from + unit < rows.len() {
            of_units[unit] = rows[from + unit];
            if rows[from + unit] as usize == row {
                output[0].fetch_add(1u32);
            }
        }
        sync_cube();
        if column < width && output[0].load() > 0u32 {
            for i in 0..min(units, rows.len() - from) {
                if of_units[i] as usize == row {
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

/// Rows of `x` [N, W] over their root mean squares, times `gamma` `[W]`; if centred less their means before and plus
/// `beta` `[W]` after.
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
    let mean = mean_of_row(x, first, width, is_centred, units);
    let rms = rms_of_row(x, first, width, mean, epsilon, units);
    for i in range_stepped(unit, width, units) {
        let mut y = (x[first + i] - mean) / rms * gamma[i];
        if is_centred {
            y += beta[i];
        }
        out[first + i] = y;
    }
}

/// The gradients of [`norm()`]'s rows, and of each value's share in that of `gamma`, both [N, W].
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
    let mean = mean_of_row(x, first, width, is_centred, units);
    let rms = rms_of_row(x, first, width, mean, epsilon, units);
    let mut along = 0.0f32;
    let mut sum = 0.0f32;
    for i in range_stepped(unit, width, units) {
        let of_unit = (x[first + i] - mean) / rms;
        let g = grad[first + i];
        gamma_grads[first + i] = g * of_unit;
        along += g * gamma[i] * of_unit;
        sum += g * gamma[i];
    }
    let along = sum_of_units(along, units) / width as f32;
    let mut level = 0.0f32;
    if is_centred {
        level = sum_of_units(sum, units) / width as f32;
    }
    for i in range_stepped(unit, width, units) {
        let of_unit = (x[first + i] - mean) / rms;
        x_grad[first + i] = (grad[first + i] * gamma[i] - level - of_unit * along) / rms;
    }
}

#[cube]
fn mean_of_row(
    x: &Tensor<f32>,
    first: usize,
    width: usize,
    #[comptime] is_centred: bool,
    #[comptime] units: usize,
) -> f32 {
    let mut mean = 0.0f32;
    if is_centred {
        let mut sum = 0.0f32;
        for i in range_stepped(UNIT_POS as usize, width, units) {
            sum += x[first + i];
        }
        mean = sum_of_units(sum, units) / width as f32;
    }
    mean
}

#[cube]
fn rms_of_row(
    x: &Tensor<f32>,
    first: usize,
    width: usize,
    mean: f32,
    epsilon: f32,
    #[comptime] units: usize,
) -> f32 {
    let mut squares = 0.0f32;
    for i in range_stepped(UNIT_POS as usize, width, units) {
        let off = x[first + i] - mean;
        squares += off * off;
    }
    (sum_of_units(squares, units) / width as f32 + epsilon).sqrt()
}

/// How much each query takes of each key: the softmax of `scale` times `scores` [B, H, Lq, Lk] plus `bias`, which has
/// that shape too but may repeat itself.
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
    let highest = highest_of_units(highest, units);
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

/// From the gradients of what is taken [.., Lk] those of the scores with their bias, and times `scale` those of the
/// scores without.
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
    let mut along = 0.0f32;
    for i in range_stepped(unit, width, units) {
        along += attention_weights[first + i] * grad[first + i];
    }
    let along = sum_of_units(along, units);
    for i in range_stepped(unit, width, units) {
        let of_score = attention_weights[first + i] * (grad[first + i] - along);
        score_grad[first + i] = of_score;
        scaled[first + i] = scale * of_score;
    }
}

#[cube]
fn sum_of_units(value: f32, #[comptime] units: usize) -> f32 {
    of_units(value, true, units)
}

#[cube]
fn highest_of_units(value: f32, #[comptime] units: usize) -> f32 {
    of_units(value, false, units)
}

/// The sum, or the highest, of what a cube's units have, a power of two of them.
#[cube]
fn of_units(value: f32, #[comptime] is_sum: bool, #[comptime] units: usize) -> f32 {
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
    // The memory may be used again.
    sync_cube();
    all
}
