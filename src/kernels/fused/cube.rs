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

use super::{Activation, Fused, FusedGradients, Heads, cube_kernels};

/// Most units of a cube: every GPU has as many.
const UNITS: usize = 128;
/// Most cubes in a dimension.
const CUBES: usize = 65_535;

/// Cubes of a launch and units of a cube.
type Grid = (CubeCount, CubeDim);

/// Launches a kernel of the module `cube_kernels` on a [`Grid`], with tensors to read, tensors to write and further
/// arguments.
macro_rules! launch {
    ($kernel:ident, $grid:expr, [$($input:expr),+], [$output:expr $(, $another:expr)*] $(, $rest:expr)*) => {{
        let (count, dim) = $grid;
        let client = $output.client.clone();
        cube_kernels::$kernel::launch(
            &client,
            count,
            dim,
            $($input.into_tensor_arg(),)+
            $output.clone().into_tensor_arg(),
            $($another.clone().into_tensor_arg(),)*
            $($rest),*
        )
    }};
}

pub(in crate::kernels) use launch;

/// Uninitialised tensor of the shape, dtype and device of `x`.
pub fn empty_like(x: &CubeTensor) -> CubeTensor {
    empty(x, x.shape())
}

/// Uninitialised tensor of the dtype and device of `x`.
pub fn empty(x: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape.into(), x.dtype)
}

/// At least `count` cubes, in two dimensions where one is too short.
fn cubes(count: usize) -> CubeCount {
    let wide = count.clamp(1, CUBES);
    CubeCount::Static(wide as u32, count.div_ceil(wide).max(1) as u32, 1)
}

/// Grid of a cube per row, the last dimension of `x`, and its units: a power of two.
fn cube_per_row(x: &CubeTensor) -> (Grid, usize) {
    let shape = x.shape();
    let width = shape[shape.num_dims() - 1];
    let units = width.next_power_of_two().min(UNITS);
    let rows = shape.num_elements() / width.max(1);
    ((cubes(rows), CubeDim::new_1d(units as u32)), units)
}

/// Grid of a unit per element.
pub fn unit_per_element(count: usize) -> Grid {
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
    let (grid, units) = cube_per_row(&x);
    let out = empty_like(&x);
    let epsilon = epsilon as f32;
    launch!(
        norm,
        grid,
        [x, gamma, beta],
        [out],
        epsilon,
        is_centred,
        units
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
) -> [CubeTensor; 2] {
    let [x, gamma, grad] = [x, gamma, grad].map(contiguous);
    let (grid, units) = cube_per_row(&x);
    let (x_grad, gamma_grads) = (empty_like(&x), empty_like(&x));
    launch!(
        norm_backward,
        grid,
        [x, gamma, grad],
        [x_grad, gamma_grads],
        epsilon as f32,
        is_centred,
        units
    );
    [x_grad, gamma_grads]
}

/// Sum over rows [N, W], `[W]`.
fn sum_rows(rows: CubeTensor) -> CubeTensor {
    let width = rows.shape()[1];
    Cube::float_reshape(Cube::float_sum_dim(rows, 0), Shape::from([width]))
}

/// [B, L, W] as heads [B, H, L, W / H].
fn split_heads(x: CubeTensor, heads: usize) -> CubeTensor {
    let [batch, length, width] = x.shape().dims();
    let shape = Shape::from([batch, length, heads, width / heads]);
    Cube::float_swap_dims(Cube::float_reshape(x, shape), 1, 2)
}

/// Heads [B, H, L, D] as [B, L, H D].
fn join_heads(x: CubeTensor) -> CubeTensor {
    let [batch, heads, length, width] = x.shape().dims();
    let shape = Shape::from([batch, length, heads * width]);
    Cube::float_reshape(Cube::float_swap_dims(x, 1, 2), shape)
}

/// Matrices [B, H, R, C] as [B, H, C, R].
fn transposed(x: CubeTensor) -> CubeTensor {
    Cube::float_swap_dims(x, 2, 3)
}

/// Copies the elements of `from` into the buffer of `to`.
pub(crate) fn copy(from: CubeTensor, to: CubeTensor) {
    let from = contiguous(from);
    let grid = unit_per_element(from.shape().num_elements());
    launch!(copy, grid, [from], [to]);
}

impl Fused for Cube {
    fn fused_activation(x: CubeTensor, kind: Activation) -> CubeTensor {
        let x = contiguous(x);
        let (grid, out) = (unit_per_element(x.shape().num_elements()), empty_like(&x));
        launch!(activate, grid, [x], [out], kind);
        out
    }

    fn fused_cross_entropy(
        logits: CubeTensor,
        classes: CubeTensor,
        smoothing: f32,
    ) -> (CubeTensor, CubeTensor) {
        let (logits, classes) = (contiguous(logits), as_i32(classes));
        let (grid, units) = cube_per_row(&logits);
        let column = || empty(&logits, [logits.shape()[0], 1]);
        let (nll, log_sums) = (column(), column());
        launch!(
            cross_entropy,
            grid,
            [logits, classes],
            [nll, log_sums],
            smoothing,
            units
        );
        (nll, log_sums)
    }

    fn fused_entropy(logits: CubeTensor) -> CubeTensor {
        let shifted = Cube::float_sub(logits.clone(), Cube::float_max_dim(logits, 1));
        let exps = Cube::float_exp(shifted.clone());
        let sums = Cube::float_sum_dim(exps.clone(), 1);
        let weighted = Cube::float_sum_dim(Cube::float_mul(exps, shifted), 1);
        Cube::float_sub(
            Cube::float_log(sums.clone()),
            Cube::float_div(weighted, sums),
        )
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
        let split = |x| split_heads(x, heads.count);
        let scores = contiguous(Cube::float_matmul(split(query), transposed(split(key))));
        let bias = Cube::float_expand(bias, scores.shape());
        let (grid, units) = cube_per_row(&scores);
        let weights = empty_like(&scores);
        let scale = heads.scale;
        launch!(
            attention_weights,
            grid,
            [scores, bias],
            [weights],
            scale,
            units
        );
        let output = Cube::float_matmul(weights.clone(), split(value));
        (join_heads(output), weights)
    }
}

impl FusedGradients for Cube {
    fn fused_activation_backward(x: CubeTensor, grad: CubeTensor, kind: Activation) -> CubeTensor {
        let [x, grad] = [x, grad].map(contiguous);
        let (grid, out) = (unit_per_element(x.shape().num_elements()), empty_like(&x));
        launch!(activate_backward, grid, [x, grad], [out], kind);
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
        let grid = unit_per_element(logits.shape().num_elements());
        let out = empty_like(&logits);
        launch!(
            cross_entropy_backward,
            grid,
            [logits, classes, log_sums, grad],
            [out],
            smoothing
        );
        out
    }

    fn fused_layer_norm_backward(
        x: CubeTensor,
        gamma: CubeTensor,
        grad: CubeTensor,
        epsilon: f64,
    ) -> [CubeTensor; 3] {
        let [x_grad, gamma_grads] = norm_backward(x, gamma, grad.clone(), epsilon, true);
        [x_grad, sum_rows(gamma_grads), sum_rows(grad)]
    }

    fn fused_rms_norm_backward(
        x: CubeTensor,
        gamma: CubeTensor,
        grad: CubeTensor,
        epsilon: f64,
    ) -> [CubeTensor; 2] {
        let [x_grad, gamma_grads] = norm_backward(x, gamma, grad, epsilon, false);
        [x_grad, sum_rows(gamma_grads)]
    }

    fn fused_gather_backward(grad: CubeTensor, rows: CubeTensor, count: usize) -> CubeTensor {
        let (grad, rows) = (contiguous(grad), as_i32(rows));
        let width = grad.shape()[1];
        let chunks = width.div_ceil(UNITS).max(1);
        let out = empty(&grad, [count, width]);
        let grid = (cubes(count * chunks), CubeDim::new_1d(UNITS as u32));
        launch!(gather_backward, grid, [grad, rows], [out], width, UNITS);
        out
    }

    fn fused_attention_backward(
        query: CubeTensor,
        key: CubeTensor,
        value: CubeTensor,
        attention_weights: CubeTensor,
        grad: CubeTensor,
        heads: Heads,
    ) -> [CubeTensor; 4] {
        let split = |x| split_heads(x, heads.count);
        let grad = split(grad);
        let value_grad = Cube::float_matmul(transposed(attention_weights.clone()), grad.clone());
        let weight_grad = Cube::float_matmul(grad, transposed(split(value)));
        let [weights, weight_grad] = [attention_weights, weight_grad].map(contiguous);
        let (grid, units) = cube_per_row(&weights);
        let (score_grad, scaled) = (empty_like(&weights), empty_like(&weights));
        let width = weights.shape()[3];
        launch!(
            attention_weights_backward,
            grid,
            [weights, weight_grad],
            [score_grad, scaled],
            heads.scale,
            width,
            units
        );
        let query_grad = Cube::float_matmul(scaled.clone(), split(key));
        let key_grad = Cube::float_matmul(transposed(scaled), split(query));
        let [query, key, value] = [query_grad, key_grad, value_grad].map(join_heads);
        [query, key, value, score_grad]
    }
}
