//! Launches of the fused operations on a GPU: one kernel where the composition has up to fifteen. Small models are bound
//! by launches there, not by arithmetic. Matrix products are burn's.

use burn::{
    backend::{
        Cube, TensorMetadata,
        ops::{FloatTensorOps, IntTensorOps},
    },
    tensor::{DType, IntDType, Shape},
};
use burn_cubecl::{
    cubecl::prelude::*, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};

use super::{
    Activation, Fused, FusedGradients, Heads, cube_kernels,
    reference::{attention_backward_with, attention_with, sum_rows},
};

/// Most units of a cube: every GPU has as many.
const UNITS: usize = 128;
/// Most cubes in a dimension.
const CUBES: usize = 65_535;

/// Uninitialised tensor of the shape, dtype and device of `x`.
pub fn empty_like(x: &CubeTensor) -> CubeTensor {
    empty(x, x.shape())
}

/// Uninitialised tensor of the dtype and device of `x`.
pub fn empty(x: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, x.dtype)
}

/// At least `count` cubes, in two dimensions where one is too short.
fn cubes(count: usize) -> CubeCount {
    let wide = count.clamp(1, CUBES);
    CubeCount::Static(wide as u32, count.div_ceil(wide).max(1) as u32, 1)
}

/// A cube per row of `width` values, and its units: a power of two.
fn cube_per_row(rows: usize, width: usize) -> (CubeCount, CubeDim, usize) {
    let units = width.next_power_of_two().min(UNITS);
    (cubes(rows), CubeDim::new_1d(units as u32), units)
}

/// A unit per element.
pub fn unit_per_element(count: usize) -> (CubeCount, CubeDim) {
    (cubes(count.div_ceil(UNITS)), CubeDim::new_1d(UNITS as u32))
}

/// `x`, contiguous, as the kernels read it.
pub fn contiguous(x: CubeTensor) -> CubeTensor {
    debug_assert!(matches!(x.dtype, DType::F32 | DType::I32));
    into_contiguous(x)
}

/// `x`, contiguous, as 32-bit integers.
pub fn as_i32(x: CubeTensor) -> CubeTensor {
    contiguous(Cube::int_cast(x, IntDType::I32))
}

/// Layer norm, or RMS norm without `beta`.
fn norm(x: CubeTensor, gamma: CubeTensor, beta: Option<CubeTensor>, epsilon: f64) -> CubeTensor {
    let (x, gamma) = (contiguous(x), contiguous(gamma));
    let is_centred = beta.is_some();
    // Unread unless centred.
    let beta = beta.map_or_else(|| gamma.clone(), contiguous);
    let [rows, width] = x.shape().dims();
    let (count, dim, units) = cube_per_row(rows, width);
    let (client, out) = (x.client.clone(), empty_like(&x));
    cube_kernels::norm::launch(
        &client,
        count,
        dim,
        x.into_tensor_arg(),
        gamma.into_tensor_arg(),
        beta.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        epsilon as f32,
        is_centred,
        units,
    );
    out
}

/// Gradient of `x` [N, W], and that of `gamma` row by row [N, W].
fn norm_backward(
    x: CubeTensor,
    gamma: CubeTensor,
    grad: CubeTensor,
    epsilon: f64,
    is_centred: bool,
) -> (CubeTensor, CubeTensor) {
    let [x, gamma, grad] = [x, gamma, grad].map(contiguous);
    let [rows, width] = x.shape().dims();
    let (count, dim, units) = cube_per_row(rows, width);
    let (client, x_grad, gamma_grads) = (x.client.clone(), empty_like(&x), empty_like(&x));
    cube_kernels::norm_backward::launch(
        &client,
        count,
        dim,
        x.into_tensor_arg(),
        gamma.into_tensor_arg(),
        grad.into_tensor_arg(),
        x_grad.clone().into_tensor_arg(),
        gamma_grads.clone().into_tensor_arg(),
        epsilon as f32,
        is_centred,
        units,
    );
    (x_grad, gamma_grads)
}

/// Softmax of `scale` times `scores` [B, H, Lq, Lk] plus `bias`.
fn attention_weights(scores: CubeTensor, bias: CubeTensor, scale: f32) -> CubeTensor {
    let scores = contiguous(scores);
    let bias = Cube::float_expand(bias, scores.shape());
    let width = scores.shape()[3];
    let rows = scores.shape().num_elements() / width.max(1);
    let (count, dim, units) = cube_per_row(rows, width);
    let (client, out) = (scores.client.clone(), empty_like(&scores));
    cube_kernels::attention_weights::launch(
        &client,
        count,
        dim,
        scores.into_tensor_arg(),
        bias.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        scale,
        units,
    );
    out
}

/// Gradients of the biased scores, and of the products before scaling.
fn attention_weights_backward(
    attention_weights: CubeTensor,
    grad: CubeTensor,
    scale: f32,
) -> (CubeTensor, CubeTensor) {
    let [attention_weights, grad] = [attention_weights, grad].map(contiguous);
    let width = attention_weights.shape()[3];
    let rows = attention_weights.shape().num_elements() / width.max(1);
    let (count, dim, units) = cube_per_row(rows, width);
    let (client, score_grad, scaled) = (
        attention_weights.client.clone(),
        empty_like(&attention_weights),
        empty_like(&attention_weights),
    );
    cube_kernels::attention_weights_backward::launch(
        &client,
        count,
        dim,
        attention_weights.into_tensor_arg(),
        grad.into_tensor_arg(),
        score_grad.clone().into_tensor_arg(),
        scaled.clone().into_tensor_arg(),
        scale,
        width,
        units,
    );
    (score_grad, scaled)
}

/// Copies the elements of `from` into the buffer of `to`.
pub(crate) fn copy(from: CubeTensor, to: CubeTensor) {
    let from = contiguous(from);
    let (count, dim) = unit_per_element(from.shape().num_elements());
    let client = from.client.clone();
    let (from, to) = (from.into_tensor_arg(), to.into_tensor_arg());
    cube_kernels::copy::launch(&client, count, dim, from, to);
}

impl Fused for Cube {
    fn fused_activation(x: CubeTensor, kind: Activation) -> CubeTensor {
        let x = contiguous(x);
        let (count, dim) = unit_per_element(x.shape().num_elements());
        let (client, out) = (x.client.clone(), empty_like(&x));
        let (x, to) = (x.into_tensor_arg(), out.clone().into_tensor_arg());
        cube_kernels::activate::launch(&client, count, dim, x, to, kind);
        out
    }

    fn fused_cross_entropy(
        logits: CubeTensor,
        classes: CubeTensor,
        smoothing: f32,
    ) -> (CubeTensor, CubeTensor) {
        let (logits, classes) = (contiguous(logits), as_i32(classes));
        let [rows, vocabulary] = logits.shape().dims();
        let (count, dim, units) = cube_per_row(rows, vocabulary);
        let column = || empty(&logits, Shape::from([rows, 1]));
        let (client, nll, log_sums) = (logits.client.clone(), column(), column());
        cube_kernels::cross_entropy::launch(
            &client,
            count,
            dim,
            logits.into_tensor_arg(),
            classes.into_tensor_arg(),
            nll.clone().into_tensor_arg(),
            log_sums.clone().into_tensor_arg(),
            smoothing,
            units,
        );
        (nll, log_sums)
    }

    fn fused_layer_norm(
        x: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        epsilon: f64,
    ) -> CubeTensor {
        norm(x, gamma, Some(beta), epsilon)
    }

    fn fused_rms_norm(x: CubeTensor, gamma: CubeTensor, epsilon: f64) -> CubeTensor {
        norm(x, gamma, None, epsilon)
    }

    fn fused_attention(
        query: CubeTensor,
        key: CubeTensor,
        value: CubeTensor,
        bias: CubeTensor,
        heads: Heads,
    ) -> (CubeTensor, CubeTensor) {
        attention_with::<Cube>(query, key, value, heads.count, |scores| {
            attention_weights(scores, bias, heads.scale)
        })
    }
}

impl FusedGradients for Cube {
    fn fused_activation_backward(x: CubeTensor, grad: CubeTensor, kind: Activation) -> CubeTensor {
        let [x, grad] = [x, grad].map(contiguous);
        let (count, dim) = unit_per_element(x.shape().num_elements());
        let (client, out) = (x.client.clone(), empty_like(&x));
        let [x, grad] = [x, grad].map(CubeTensor::into_tensor_arg);
        let to = out.clone().into_tensor_arg();
        cube_kernels::activate_backward::launch(&client, count, dim, x, grad, to, kind);
        out
    }

    fn fused_cross_entropy_backward(
        logits: CubeTensor,
        classes: CubeTensor,
        log_sums: CubeTensor,
        grad: CubeTensor,
        smoothing: f32,
    ) -> CubeTensor {
        let [logits, log_sums, grad] = [logits, log_sums, grad].map(contiguous);
        let classes = as_i32(classes);
        let (count, dim) = unit_per_element(logits.shape().num_elements());
        let (client, out) = (logits.client.clone(), empty_like(&logits));
        cube_kernels::cross_entropy_backward::launch(
            &client,
            count,
            dim,
            logits.into_tensor_arg(),
            classes.into_tensor_arg(),
            log_sums.into_tensor_arg(),
            grad.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            smoothing,
        );
        out
    }

    fn fused_layer_norm_backward(
        x: CubeTensor,
        gamma: CubeTensor,
        grad: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (x_grad, gamma_grads) = norm_backward(x, gamma, grad.clone(), epsilon, true);
        (
            x_grad,
            sum_rows::<Cube>(gamma_grads),
            sum_rows::<Cube>(grad),
        )
    }

    fn fused_rms_norm_backward(
        x: CubeTensor,
        gamma: CubeTensor,
        grad: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor) {
        let (x_grad, gamma_grads) = norm_backward(x, gamma, grad, epsilon, false);
        (x_grad, sum_rows::<Cube>(gamma_grads))
    }

    fn fused_gather_backward(grad: CubeTensor, rows: CubeTensor, count: usize) -> CubeTensor {
        let (grad, rows) = (contiguous(grad), as_i32(rows));
        let width = grad.shape()[1];
        let chunks = width.div_ceil(UNITS).max(1);
        let out = empty(&grad, Shape::from([count, width]));
        let client = grad.client.clone();
        cube_kernels::gather_backward::launch(
            &client,
            cubes(count * chunks),
            CubeDim::new_1d(UNITS as u32),
            grad.into_tensor_arg(),
            rows.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            width,
            UNITS,
        );
        out
    }

    fn fused_attention_backward(
        query: CubeTensor,
        key: CubeTensor,
        value: CubeTensor,
        attention_weights: CubeTensor,
        grad: CubeTensor,
        heads: Heads,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        let softmax_backward = |attention_weights, grad| {
            attention_weights_backward(attention_weights, grad, heads.scale)
        };
        attention_backward_with::<Cube>(
            query,
            key,
            value,
            attention_weights,
            grad,
            heads.count,
            softmax_backward,
        )
    }
}
