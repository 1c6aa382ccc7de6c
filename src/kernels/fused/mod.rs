//! Fused operations: each one pass over memory, or one kernel, with a gradient of its own.

mod attention;
mod autodiff;
mod blocks;
mod cube;
mod cube_kernels;
mod flex;
mod matmul;
mod reference;
mod rowwise;
mod simd;

pub(crate) use cube::copy;
pub(super) use {
    autodiff::{accumulate, register},
    flex::{as_i64, contiguous, tensor, values},
};

/// Allocation and launch sizes of kernels on a GPU.
pub(super) mod gpu {
    pub use super::cube::{as_i32, contiguous, empty, empty_like, unit_per_element};
}

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

/// Forward passes a backend provides for this module's functions, of the same shapes; by default the reference.
#[backend_extension(Flex, Cube, Autodiff)]
pub trait Fused: Backend {
    /// Activations of `x`.
    fn fused_activation(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self> {
        reference::activation::<Self>(x, kind)
    }

    /// Cross entropies and log-sum-exps, both [N, 1], of `logits` [N, V] and `classes` `[N]`.
    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::cross_entropy::<Self>(logits, classes, smoothing)
    }

    /// Entropies [N, 1] of the softmax of `logits` [N, V], without a gradient.
    fn fused_entropy(logits: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::entropy::<Self>(logits)
    }

    /// Layer norm of rows [N, W] with `gamma` and `beta` `[W]`.
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        Self::layer_norm(x, gamma, Some(beta), epsilon)
    }

    /// RMS norm of rows [N, W] with `gamma` `[W]`.
    fn fused_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        reference::rms_norm::<Self>(x, gamma, epsilon)
    }

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
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::attention::<Self>(query, key, value, bias, heads)
    }
}

/// Backward passes, of backends that compute. Not implemented by autodiff: nothing needs second derivatives, and as
/// part of [`Fused`] these would have all of burn's operations compiled once more for them.
pub trait FusedGradients: Fused {
    /// `grad` times the derivative of the activation at `x`.
    fn fused_activation_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        kind: Activation,
    ) -> FloatTensor<Self> {
        reference::activation_backward::<Self>(x, grad, kind)
    }

    /// Gradient [N, V] of the logits, from `grad` [N, 1] of the cross entropies.
    fn fused_cross_entropy_backward(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        smoothing: f32,
    ) -> FloatTensor<Self> {
        reference::cross_entropy_backward::<Self>(logits, classes, log_sums, grad, smoothing)
    }

    /// Gradients of `x`, `gamma` and `beta`.
    fn fused_layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::layer_norm_backward::<Self>(x, gamma, grad, epsilon)
    }

    /// Gradients of `x` and `gamma`.
    fn fused_rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::rms_norm_backward::<Self>(x, gamma, grad, epsilon)
    }

    /// Gradient [V, W] of V = `count` rows, from `grad` [N, W] of the gathered rows.
    fn fused_gather_backward(
        grad: FloatTensor<Self>,
        rows: IntTensor<Self>,
        count: usize,
    ) -> FloatTensor<Self> {
        reference::gather_backward::<Self>(grad, rows, count)
    }

    /// Gradients of `query`, `key`, `value` and the biased scores [B, H, Lq, Lk].
    fn fused_attention_backward(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        attention_weights: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        heads: Heads,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        reference::attention_backward::<Self>(query, key, value, attention_weights, grad, heads)
    }
}

/// [`Activation::Relu`] of `x`.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Activation::Relu.forward(x)
}

/// [`Activation::Exp`] of `x`.
pub fn exp<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Activation::Exp.forward(x)
}

/// [`Activation::Sigmoid`] of `x`.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Activation::Sigmoid.forward(x)
}

/// [`Activation::Silu`] of `x`.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Activation::Silu.forward(x)
}

/// [`Activation::LeakyRelu`] of `x`.
pub fn leaky_relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Activation::LeakyRelu.forward(x)
}

/// [`Activation::Gelu`] of `x`.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Activation::Gelu.forward(x)
}

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

#[cfg(test)]
mod tests {
    use burn::{
        backend::{Flex, TensorMetadata, flex::FlexTensor, ops::FloatTensorOps},
        tensor::{Device, TensorData},
    };

    use super::*;

    fn given<const D: usize>(shape: [usize; D], seed: usize) -> FlexTensor {
        let count: usize = shape.iter().product();
        let value = |i: usize| ((i * 37 + seed * 101) % 61) as f32 / 15.0 - 2.0;
        let values: Vec<f32> = (0..count).map(value).collect();
        FlexTensor::from_data(TensorData::new(values, shape))
    }

    /// Largest absolute difference of two tensors of one shape.
    fn max_difference(ours: FlexTensor, expected: FlexTensor) -> f32 {
        assert_eq!(ours.shape(), expected.shape());
        let difference = Flex::float_max(Flex::float_abs(Flex::float_sub(ours, expected)));
        difference.into_data().as_slice::<f32>().expect("float32")[0]
    }

    #[test]
    fn the_cpu_computes_what_the_reference_does() {
        let mut differences = Vec::new();
        let x = || given([5, 7], 1);
        let grad = || given([5, 7], 2);
        for kind in [
            Activation::Relu,
            Activation::Exp,
            Activation::Sigmoid,
            Activation::Silu,
            Activation::Gelu,
            Activation::LeakyRelu,
        ] {
            let expected = reference::activation::<Flex>(x(), kind);
            differences.push(max_difference(Flex::fused_activation(x(), kind), expected));
            let expected = reference::activation_backward::<Flex>(x(), grad(), kind);
            differences.push(max_difference(
                Flex::fused_activation_backward(x(), grad(), kind),
                expected,
            ));
        }

        let classes = Tensor::<1, Int>::from_data([3, 0, 6, 6, 2], &Device::flex());
        let classes = || FlexTensor::from_data(classes.to_data());
        let (ours, log_sums) = Flex::fused_cross_entropy(x(), classes(), 0.1);
        let (expected, expected_log_sums) = reference::cross_entropy::<Flex>(x(), classes(), 0.1);
        differences.extend([
            max_difference(ours, expected),
            max_difference(log_sums.clone(), expected_log_sums),
        ]);
        let grad_of_rows = given([5, 1], 3);
        let inputs = || (x(), classes(), log_sums.clone(), grad_of_rows.clone());
        let (logits, of, sums, grads) = inputs();
        let ours = Flex::fused_cross_entropy_backward(logits, of, sums, grads, 0.1);
        let (logits, of, sums, grads) = inputs();
        let expected = reference::cross_entropy_backward::<Flex>(logits, of, sums, grads, 0.1);
        differences.push(max_difference(ours, expected));

        let expected = reference::entropy::<Flex>(x());
        differences.push(max_difference(Flex::fused_entropy(x()), expected));

        let gamma = || given([7], 4);
        let ours = Flex::fused_layer_norm_backward(x(), gamma(), grad(), 1e-5);
        let expected = reference::layer_norm_backward::<Flex>(x(), gamma(), grad(), 1e-5);
        differences.extend([
            max_difference(ours.0, expected.0),
            max_difference(ours.1, expected.1),
            max_difference(ours.2, expected.2),
        ]);
        let expected = reference::rms_norm::<Flex>(x(), gamma(), 1e-5);
        differences.push(max_difference(
            Flex::fused_rms_norm(x(), gamma(), 1e-5),
            expected,
        ));
        let ours = Flex::fused_rms_norm_backward(x(), gamma(), grad(), 1e-5);
        let expected = reference::rms_norm_backward::<Flex>(x(), gamma(), grad(), 1e-5);
        differences.extend([
            max_difference(ours.0, expected.0),
            max_difference(ours.1, expected.1),
        ]);

        let heads = Heads {
            count: 2,
            scale: 0.3,
        };
        let parts = || {
            (
                given([2, 3, 8], 5),
                given([2, 4, 8], 6),
                given([2, 4, 8], 7),
            )
        };
        let bias = given([1, 2, 3, 4], 8);
        let (query, key, value) = parts();
        let (ours, attention_weights) =
            Flex::fused_attention(query, key, value, bias.clone(), heads);
        let (query, key, value) = parts();
        let (expected, expected_weights) =
            reference::attention::<Flex>(query, key, value, bias, heads);
        differences.extend([
            max_difference(ours, expected),
            max_difference(attention_weights.clone(), expected_weights),
        ]);
        let grad = || given([2, 3, 8], 9);
        let (query, key, value) = parts();
        let ours = Flex::fused_attention_backward(
            query,
            key,
            value,
            attention_weights.clone(),
            grad(),
            heads,
        );
        let (query, key, value) = parts();
        let expected = reference::attention_backward::<Flex>(
            query,
            key,
            value,
            attention_weights,
            grad(),
            heads,
        );
        differences.extend([
            max_difference(ours.0, expected.0),
            max_difference(ours.1, expected.1),
            max_difference(ours.2, expected.2),
            max_difference(ours.3, expected.3),
        ]);
        assert!(differences.iter().all(|&d| d < 1e-5), "{differences:?}");
    }
}
