//! Fused operations: each one pass over memory, or one kernel, with a gradient of its own.

mod attention;
pub(super) mod autodiff;
mod blocks;
pub(super) mod cube;
mod cube_kernels;
pub(super) mod flex;
mod matmul;
mod rowwise;
mod simd;

use burn::{
    backend::{
        Backend, Dispatch, backend_extension,
        tensor::{FloatTensor, IntTensor},
    },
    nn::{LayerNorm, RmsNorm},
    tensor::{Int, Tensor},
};
use serde::{Deserialize, Serialize};

/// Elementwise activation function. Configurations name the first three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x sigmoid(x), also called swish (Elfwing et al. 2018, arXiv 1702.03118).
    Silu,
    /// x times the normal distribution function at x (Hendrycks and Gimpel 2016, arXiv 1606.08415), exact.
    Gelu,
    /// x, and 0.2 x below 0.
    #[serde(skip)]
    LeakyRelu,
    /// e^x.
    #[serde(skip)]
    Exp,
    /// 1 / (1 + e^-x).
    #[serde(skip)]
    Sigmoid,
}

impl Activation {
    /// Activations of `x`, of its shape.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        Tensor::from_dispatch(Dispatch::fused_activation(x.into_dispatch(), self))
    }
}

/// Slope of [`Activation::LeakyRelu`] below 0.
const LEAKY_SLOPE: f32 = 0.2;

/// Heads of [`attention()`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heads {
    /// Number of heads, side by side in the inputs' width.
    pub count: usize,
    /// Factor of the products of queries and keys, before the bias.
    pub scale: f32,
}

/// Forward passes of this module's functions, of the same shapes; gradients are [`FusedGradients`].
#[backend_extension(Flex, Cube, Autodiff)]
pub trait Fused: Backend {
    /// Activations of `x`.
    fn fused_activation(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self>;

    /// Cross entropies and log-sum-exps, both [N, 1], of `logits` [N, V] and `classes` `[N]`.
    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Entropies [N, 1] of the softmax of `logits` [N, V], without a gradient.
    fn fused_entropy(logits: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Layer norm of rows [N, W] with `gamma` and `beta` `[W]`.
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// RMS norm of rows [N, W] with `gamma` `[W]`.
    fn fused_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// Rows `[N]` of `x` [V, W], [N, W].
    fn fused_gather(x: FloatTensor<Self>, rows: IntTensor<Self>) -> FloatTensor<Self> {
        Self::float_select(x, 0, rows)
    }

    /// Permutation `x[permutation]` of the rows of `x` [V, W]; `inverse` `[V]` permutes the gradient.
    fn fused_permute_rows(
        x: FloatTensor<Self>,
        permutation: IntTensor<Self>,
        inverse: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let _ = inverse;
        Self::float_select(x, 0, permutation)
    }

    /// Matrix product of [.., M, K] and [.., K, N].
    fn fused_matmul(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(left, right)
    }

    /// Attention output [B, Lq, W] and attention weights [B, H, Lq, Lk].
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        heads: Heads,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// Backward passes, of backends that compute. Not implemented by autodiff: nothing needs second derivatives, and as
/// part of [`Fused`] these would have all of burn's operations compiled once more for them.
pub trait FusedGradients: Fused {
    /// `grad` times the derivative of the activation at `x`.
    fn fused_activation_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        kind: Activation,
    ) -> FloatTensor<Self>;

    /// Gradient [N, V] of the logits, from `grad` [N, 1] of the cross entropies.
    fn fused_cross_entropy_backward(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        smoothing: f32,
    ) -> FloatTensor<Self>;

    /// Gradients of `x`, `gamma` and `beta`.
    fn fused_layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> [FloatTensor<Self>; 3];

    /// Gradients of `x` and `gamma`.
    fn fused_rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> [FloatTensor<Self>; 2];

    /// Gradient [V, W] of V = `count` rows, from `grad` [N, W] of the gathered rows.
    fn fused_gather_backward(
        grad: FloatTensor<Self>,
        rows: IntTensor<Self>,
        count: usize,
    ) -> FloatTensor<Self>;

    /// Gradients of `query`, `key`, `value` and the biased scores [B, H, Lq, Lk].
    fn fused_attention_backward(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        attention_weights: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        heads: Heads,
    ) -> [FloatTensor<Self>; 4];
}

/// Defines a function for each of these activations.
macro_rules! activations {
    ($($name:ident: $kind:ident),+) => {$(
        #[doc = concat!("[`Activation::", stringify!($kind), "`] of `x`.")]
        pub fn $name<const D: usize>(x: Tensor<D>) -> Tensor<D> {
            Activation::$kind.forward(x)
        }
    )+};
}

activations!(relu: Relu, exp: Exp, sigmoid: Sigmoid, silu: Silu, leaky_relu: LeakyRelu, gelu: Gelu);

/// Cross entropies `[N]` in nats of `logits` [N, V] and `classes` `[N]`, with label smoothing (Szegedy et al. 2016,
/// arXiv 1512.00567): the target is `smoothing` times the uniform distribution and for the rest the class.
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>, smoothing: f32) -> Tensor<1> {
    let (logits, classes) = (logits.into_dispatch(), classes.into_dispatch());
    let (entropies, _) = Dispatch::fused_cross_entropy(logits, classes, smoothing);
    Tensor::<2>::from_dispatch(entropies).squeeze_dim(1)
}

/// Entropies `[N]` in nats of the softmax of `logits` [N, V], without a gradient.
pub fn entropy(logits: Tensor<2>) -> Tensor<1> {
    let entropies = Dispatch::fused_entropy(logits.into_dispatch());
    Tensor::<2>::from_dispatch(entropies).squeeze_dim(1)
}

/// Layer norm of [.., W] (Ba et al. 2016, arXiv 1607.06450). `epsilon` is that of `norm`, which burn keeps private.
pub fn layer_norm<const D: usize>(norm: &LayerNorm, x: Tensor<D>, epsilon: f64) -> Tensor<D> {
    let Some(beta) = &norm.beta else {
        return norm.forward(x);
    };
    let (shape, gamma) = (x.dims(), norm.gamma.val());
    let rows = x.reshape([-1, gamma.dims()[0] as i32]).into_dispatch();
    let (gamma, beta) = (gamma.into_dispatch(), beta.val().into_dispatch());
    Tensor::<2>::from_dispatch(Dispatch::fused_layer_norm(rows, gamma, beta, epsilon))
        .reshape(shape)
}

/// RMS norm of [.., W] (Zhang and Sennrich 2019, arXiv 1910.07467).
pub fn rms_norm<const D: usize>(norm: &RmsNorm, x: Tensor<D>) -> Tensor<D> {
    let (shape, gamma) = (x.dims(), norm.gamma.val());
    let rows = x.reshape([-1, gamma.dims()[0] as i32]).into_dispatch();
    let normed = Dispatch::fused_rms_norm(rows, gamma.into_dispatch(), norm.epsilon);
    Tensor::<2>::from_dispatch(normed).reshape(shape)
}

/// Rows [N, ..] of `x` [V, ..] by their indices `rows` `[N]` (burn's `select`). Its gradient is summed in parallel and
/// always in the same order; burn's sums it one row after the other on a GPU.
pub fn gather<const D: usize>(x: Tensor<D>, rows: Tensor<1, Int>) -> Tensor<D> {
    let mut shape = x.dims();
    let matrix = x.reshape([shape[0], shape[1..].iter().product()]);
    shape[0] = rows.dims()[0];
    let gathered = Dispatch::fused_gather(matrix.into_dispatch(), rows.into_dispatch());
    Tensor::<2>::from_dispatch(gathered).reshape(shape)
}

/// Permutation of rows: `y = x[permutation]` of `x` [V, W], y [N, W], backward `dx = dy[inverse]`. `permutation` `[N]` and
/// `inverse` `[V]` must be inverse to each other but for rows whose gradient is 0: a row of `x` that occurs more than once
/// in y, or never, gets the gradient of the one row of y that `inverse` names.
pub fn permute_rows(
    x: Tensor<2>,
    permutation: Tensor<1, Int>,
    inverse: Tensor<1, Int>,
) -> Tensor<2> {
    let (permutation, inverse) = (permutation.into_dispatch(), inverse.into_dispatch());
    let permuted = Dispatch::fused_permute_rows(x.into_dispatch(), permutation, inverse);
    Tensor::from_dispatch(permuted)
}

/// Matrix products [.., M, N] of `left` [.., M, K] and `right` [.., K, N], without broadcasting.
pub fn matmul<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
    let (left, right) = (left.into_dispatch(), right.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_matmul(left, right))
}

/// Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762), [B, Lq, W]: `query` [B, Lq, W], `key` and
/// `value` [B, Lk, W], with `heads` side by side in W. `bias`, which broadcasts to [B, H, Lq, Lk], is added to the
/// scores.
pub fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    bias: Tensor<4>,
    heads: Heads,
) -> Tensor<3> {
    let [query, key, value] = [query, key, value].map(Tensor::into_dispatch);
    let (output, _) = Dispatch::fused_attention(query, key, value, bias.into_dispatch(), heads);
    Tensor::from_dispatch(output)
}
