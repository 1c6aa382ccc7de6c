//! On a GPU: one kernel where the composition has up to fifteen. Small models wait for the launches of their
//! operations there, not for the arithmetic. Matrix products stay burn's.

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
    ActivationKind, Fused, FusedGradients, Heads, kernels,
    reference::{attention_backward_by, attention_by, softmax},
};

/// Units of a cube, at most: what every GPU has.
const UNITS: usize = 128;
/// Cubes in a dimension, at most.
const CUBES: usize = 65_535;

/// Another like `x`, its values yet unknown.
pub fn like(x: &CubeTensor) -> CubeTensor {
    shaped(x, x.shape())
}

pub fn shaped(x: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, x.dtype)
}

/// Cubes enough for so many, in two dimensions where one is too short.
fn cubes(count: usize) -> CubeCount {
    let wide = count.clamp(1, CUBES);
    CubeCount::Static(wide as u32, count.div_ceil(wide).max(1) as u32, 1)
}

/// A cube for each row of `width` values, and its units: a power of two.
fn for_rows(rows: usize, width: usize) -> (CubeCount, CubeDim, usize) {
    let units = width.next_power_of_two().min(UNITS);
    (cubes(rows), CubeDim::new_1d(units as u32), units)
}

/// A unit for each value.
pub fn for_values(count: usize) -> (CubeCount, CubeDim) {
    (cubes(count.div_ceil(UNITS)), CubeDim::new_1d(UNITS as u32))
}

/// `x` with its values side by side, as the kernels read them.
pub fn contiguous(x: CubeTensor) -> CubeTensor {
    debug_assert!(matches!(x.dtype, DType::F32 | DType::I32));
    into_contiguous(x)
}

pub fn as_i32(x: CubeTensor) -> CubeTensor {
    contiguous(Cube::int_cast(x, IntDType::I32))
}

fn norm(x: CubeTensor, gamma: CubeTensor, beta: Option<CubeTensor>, epsilon: f64) -> CubeTensor {
    let (x, gamma) = (contiguous(x), contiguous(gamma));
    let is_centred = beta.is_some();
    // Read only if centred.
    let beta = beta.map_or_else(|| gamma.clone(), contiguous);
    let [rows, width] = x.shape().dims();
    let (count, dim, units) = for_rows(rows, width);
    let (client, out) = (x.client.clone(), like(&x));
    kernels::norm::launch(
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

/// The gradient of `x`, and each value's share in that of `gamma`.
fn norm_backward(
    x: CubeTensor,
    gamma: CubeTensor,
    grad: CubeTensor,
    epsilon: f64,
    is_centred: bool,
) -> (CubeTensor, CubeTensor) {
    let [x, gamma, grad] = [x, gamma, grad].map(contiguous);
    let [rows, width] = x.shape().dims();
    let (count, dim, units) = for_rows(rows, width);
    let (client, x_grad, gamma_grads) = (x.client.clone(), like(&x), like(&x));
    kernels::norm_backward::launch(
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

/// The softmax of `scale` times `scores` [B, H, Lq, Lk] plus `bias`.
fn attention_weights(scores: CubeTensor, bias: CubeTensor, scale: f32) -> CubeTensor {
    let scores = contiguous(scores);
    let bias = Cube::float_expand(bias, scores.shape());
    let width = scores.shape()[3];
    let rows = scores.shape().num_elements() / width.max(1);
    let (count, dim, units) = for_rows(rows, width);
    let (client, out) = (scores.client.clone(), like(&scores));
    kernels::attention_weights::launch(
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

/// The gradients of the scores with their bias, and of those without before they were scaled.
fn attention_weights_backward(
    attention_weights: CubeTensor,
    grad: CubeTensor,
    scale: f32,
) -> (CubeTensor, CubeTensor) {
    let [attention_weights, grad] = [attention_weights, grad].map(contiguous);
    let width = attention_weights.shape()[3];
    let rows = attention_weights.shape().num_elements() / width.max(1);
    let (count, dim, units) = for_rows(rows, width);
    let (client, score_grad, scaled) = (
        attention_weights.client.clone(),
        like(&attention_weights),
        like(&attention_weights),
    );
    kernels::attention_weights_backward::launch(
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

/// Copies the values of `from` over those of `to`, in the buffer it has.
pub(crate) fn copy(from: CubeTensor, to: CubeTensor) {
    let from = contiguous(from);
    let (count, dim) = for_values(from.shape().num_elements());
    let client = from.client.clone();
    let (from, to) = (from.into_tensor_arg(), to.into_tensor_arg());
    kernels::copy::launch(&client, count, dim, from, to);
}

impl Fused for Cube {
    fn fused_activation(x: CubeTensor, kind: ActivationKind) -> CubeTensor {
        let x = contiguous(x);
        let (count, dim) = for_values(x.shape().num_elements());
        let (client, out) = (x.client.clone(), like(&x));
        let (x, to) = (x.into_tensor_arg(), out.clone().into_tensor_arg());
        kernels::activation::launch(&client, count, dim, x, to, kind);
        out
    }

    fn fused_cross_entropy(
        logits: CubeTensor,
        classes: CubeTensor,
        smoothing: f32,
    ) -> (CubeTensor, CubeTensor) {
        let (logits, classes) = (contiguous(logits), as_i32(classes));
        let [rows, vocabulary] = logits.shape().dims();
        let (count, dim, units) = for_rows(rows, vocabulary);
        let made = || shaped(&logits, Shape::from([rows, 1]));
        let (client, nll, log_sums) = (logits.client.clone(), made(), made());
        kernels::cross_entropy::launch(
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
        attention_by::<Cube>(query, key, value, heads.count, |scores| {
            attention_weights(scores, bias, heads.scale)
        })
    }
}

impl FusedGradients for Cube {
    fn fused_activation_backward(
        x: CubeTensor,
        grad: CubeTensor,
        kind: ActivationKind,
    ) -> CubeTensor {
        let [x, grad] = [x, grad].map(contiguous);
        let (count, dim) = for_values(x.shape().num_elements());
        let (client, out) = (x.client.clone(), like(&x));
        let [x, grad] = [x, grad].map(CubeTensor::into_tensor_arg);
        let to = out.clone().into_tensor_arg();
        kernels::activation_backward::launch(&client, count, dim, x, grad, to, kind);
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
        let (count, dim) = for_values(logits.shape().num_elements());
        let (client, out) = (logits.client.clone(), like(&logits));
        kernels::cross_entropy_backward::launch(
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
        (x_grad, softmax::<Cube>(gamma_grads), softmax::<Cube>(grad))
    }

    fn fused_rms_norm_backward(
        x: CubeTensor,
        gamma: CubeTensor,
        grad: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor) {
        let (x_grad, gamma_grads) = norm_backward(x, gamma, grad, epsilon, false);
        (x_grad, softmax::<Cube>(gamma_grads))
    }

    fn fused_gather_backward(grad: CubeTensor, rows: CubeTensor, count: usize) -> CubeTensor {
        let (grad, rows) = (contiguous(grad), as_i32(rows));
        let width = grad.shape()[1];
        let chunks = width.div_ceil(UNITS).max(1);
        let out = shaped(&grad, Shape::from([count, width]));
        let client = grad.client.clone();
        kernels::gather_backward::launch(
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
        let give = |attention_weights, grad| {
            attention_weights_backward(attention_weights, grad, heads.scale)
        };
        attention_backward_by::<Cube>(
            query,
            key,
            value,
            attention_weights,
            grad,
            heads.count,
            give,
        )
    }
}
