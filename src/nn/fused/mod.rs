//! Operations that burn composes of many, each as one with its own gradient.
//!
//! On the CPU most of a training step of small models is memory traffic between element-wise operations, and
//! scalar exponentials and error functions inside them. There these run in one pass and eight values at a time.
//! A GPU waits for launches: there each is a kernel, beside the products of attention and the sums of weights'
//! gradients. Backends without any of this do with the plain compositions.

mod attention;
mod autodiff;
mod cube;
mod flex;
mod kernels;
mod matmul;
mod reference;
mod rowwise;
mod simd;

pub(crate) use cube::copy;
pub(super) use {
    autodiff::{add, register},
    flex::{as_i64, contiguous, tensor, values},
};

/// What other operations' kernels are launched with.
pub(super) mod gpu {
    pub use super::cube::{as_i32, contiguous, for_values, like, shaped};
}

use burn::{
    backend::{
        Backend, Dispatch, backend_extension,
        tensor::{FloatTensor, IntTensor},
    },
    nn::{LayerNorm, RmsNorm},
    tensor::{Int, Tensor},
};

/// A function of each value by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActivationKind {
    /// The greater of x and 0.
    Relu,
    /// e^x.
    Exp,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// x sigmoid(x) (Elfwing et al. 2018, arXiv 1702.03118).
    Silu,
    /// x times the normal distribution at x (Hendrycks and Gimpel 2016, arXiv 1606.08415), exact.
    Gelu,
}

/// How [`attention()`] looks at its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heads {
    /// Heads side by side in the inputs' width.
    pub count: usize,
    /// What the scores are multiplied by.
    pub scale: f32,
}

/// What a backend does for this module's functions; shapes as there.
#[backend_extension(Flex, Cube, Autodiff)]
pub trait Fused: Backend {
    /// `kind` at each value.
    fn fused_activation(x: FloatTensor<Self>, kind: ActivationKind) -> FloatTensor<Self> {
        reference::activation::<Self>(x, kind)
    }

    /// Rows [N, V] and classes `[N]` to cross entropies and the logarithms of the rows' sums of exponentials,
    /// both [N, 1].
    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::cross_entropy::<Self>(logits, classes, smoothing)
    }

    /// Rows [N, V] of logits to their softmax's entropies [N, 1], through which no gradient goes.
    fn fused_entropy(logits: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::entropy::<Self>(logits)
    }

    /// Rows [N, W] less their means, over their deviations, times `gamma` `[W]`, plus `beta` `[W]`.
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        Self::layer_norm(x, gamma, Some(beta), epsilon)
    }

    /// Rows [N, W] over their root mean squares, times `gamma` `[W]`.
    fn fused_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        reference::rms_norm::<Self>(x, gamma, epsilon)
    }

    /// Of `x` [V, W] these `rows` `[N]`.
    fn fused_gather(x: FloatTensor<Self>, rows: IntTensor<Self>) -> FloatTensor<Self> {
        Self::float_select(x, 0, rows)
    }

    /// Of `x` [V, W] these `rows` `[N]`, whose gradient goes `back` `[V]`.
    fn fused_permute_rows(
        x: FloatTensor<Self>,
        rows: IntTensor<Self>,
        back: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let _ = back;
        Self::float_select(x, 0, rows)
    }

    /// [.., M, K] times [.., K, N].
    fn fused_matmul(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(left, right)
    }

    /// What was found [B, Lq, W], and how much of each key each query took [B, H, Lq, Lk].
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

/// What a backend does for their gradients, if it is one that computes. Not of autodiff: no gradient's gradient is asked
/// for, and were these among what any backend can do, all of burn's operations would be built once more for them.
pub trait FusedGradients: Fused {
    /// `grad` times the slope of `kind` at each value of `x`.
    fn fused_activation_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        kind: ActivationKind,
    ) -> FloatTensor<Self> {
        reference::activation_backward::<Self>(x, grad, kind)
    }

    /// The gradient [N, V] of the cross entropies, whose own is `grad` [N, 1].
    fn fused_cross_entropy_backward(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        smoothing: f32,
    ) -> FloatTensor<Self> {
        reference::cross_entropy_backward::<Self>(logits, classes, log_sums, grad, smoothing)
    }

    /// The gradients of `x`, `gamma` and `beta`.
    fn fused_layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::layer_norm_backward::<Self>(x, gamma, grad, epsilon)
    }

    /// The gradients of `x` and `gamma`.
    fn fused_rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::rms_norm_backward::<Self>(x, gamma, grad, epsilon)
    }

    /// The gradient [V, W], of V = `count` rows, where that of those picked is `grad` [N, W].
    fn fused_gather_backward(
        grad: FloatTensor<Self>,
        rows: IntTensor<Self>,
        count: usize,
    ) -> FloatTensor<Self> {
        reference::gather_backward::<Self>(grad, rows, count)
    }

    /// The gradients of `query`, `key`, `value` and the scores [B, H, Lq, Lk] with their bias.
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

fn activation<const D: usize>(x: Tensor<D>, kind: ActivationKind) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_activation(x.into_dispatch(), kind))
}

/// [`ActivationKind::Relu`] of each value.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation(x, ActivationKind::Relu)
}

/// e^x of each value.
pub fn exp<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation(x, ActivationKind::Exp)
}

/// [`ActivationKind::Sigmoid`] of each value.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation(x, ActivationKind::Sigmoid)
}

/// [`ActivationKind::Silu`] of each value.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation(x, ActivationKind::Silu)
}

/// [`ActivationKind::Gelu`] of each value.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation(x, ActivationKind::Gelu)
}

/// Cross entropies in nats: `logits` [N, V] and `classes` `[N]` to `[N]`. The truth is `smoothing` times an even
/// mixture of all classes and for the rest the one named (Szegedy et al. 2016, arXiv 1512.00567).
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>, smoothing: f32) -> Tensor<1> {
    let (logits, classes) = (logits.into_dispatch(), classes.into_dispatch());
    let (entropies, _) = Dispatch::fused_cross_entropy(logits, classes, smoothing);
    Tensor::<2>::from_dispatch(entropies).squeeze_dim(1)
}

/// Entropies in nats of the softmax of `logits` [N, V], `[N]`; no gradient goes through them.
pub fn entropy(logits: Tensor<2>) -> Tensor<1> {
    let entropies = Dispatch::fused_entropy(logits.into_dispatch());
    Tensor::<2>::from_dispatch(entropies).squeeze_dim(1)
}

/// [.., W] normalised by `norm`, whose epsilon burn keeps to itself (Ba et al. 2016, arXiv 1607.06450).
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

/// [.., W] normalised by `norm` (Zhang and Sennrich 2019, arXiv 1910.07467).
pub fn rms_norm<const D: usize>(norm: &RmsNorm, x: Tensor<D>) -> Tensor<D> {
    let (shape, gamma) = (x.dims(), norm.gamma.val());
    let rows = x.reshape([-1, gamma.dims()[0] as i32]).into_dispatch();
    let normed = Dispatch::fused_rms_norm(rows, gamma.into_dispatch(), norm.epsilon);
    Tensor::<2>::from_dispatch(normed).reshape(shape)
}

/// Of `x` [V, ..] these `rows` `[N]`, in their order: [N, ..]. burn adds their gradients up one after the other on a
/// GPU.
pub fn gather<const D: usize>(x: Tensor<D>, rows: Tensor<1, Int>) -> Tensor<D> {
    let mut shape = x.dims();
    let wide = x.reshape([shape[0], shape[1..].iter().product()]);
    shape[0] = rows.dims()[0];
    let picked = Dispatch::fused_gather(wide.into_dispatch(), rows.into_dispatch());
    Tensor::<2>::from_dispatch(picked).reshape(shape)
}

/// Of `x` [V, W] these `rows` `[N]`, as [`gather`] has them, where it is known of each row of `x` which of those picked it
/// is: `back` `[V]`. That one's gradient it gets, and no other's; so rows that are picked more than once or never should
/// count for nothing.
pub fn permute_rows(x: Tensor<2>, rows: Tensor<1, Int>, back: Tensor<1, Int>) -> Tensor<2> {
    let (rows, back) = (rows.into_dispatch(), back.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_permute_rows(x.into_dispatch(), rows, back))
}

/// `left` [.., M, K] times `right` [.., K, N], of which there are as many.
pub fn matmul<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
    let (left, right) = (left.into_dispatch(), right.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_matmul(left, right))
}

/// Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762) of `heads` side by side: `query`
/// [B, Lq, W], `key` and `value` [B, Lk, W] to [B, Lq, W]. To the scores [B, H, Lq, Lk] a `bias` is added, of as
/// many or of 1 in each dimension.
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

    /// The greatest distance of two tensors of one shape.
    fn apart(ours: FlexTensor, plain: FlexTensor) -> f32 {
        assert_eq!(ours.shape(), plain.shape());
        let furthest = Flex::float_max(Flex::float_abs(Flex::float_sub(ours, plain)));
        furthest.into_data().as_slice::<f32>().expect("float32")[0]
    }

    #[test]
    fn every_backend_computes_the_same() {
        let mut off = Vec::new();
        let x = || given([5, 7], 1);
        let grad = || given([5, 7], 2);
        for kind in [
            ActivationKind::Relu,
            ActivationKind::Exp,
            ActivationKind::Sigmoid,
            ActivationKind::Silu,
            ActivationKind::Gelu,
        ] {
            let plain = reference::activation::<Flex>(x(), kind);
            off.push(apart(Flex::fused_activation(x(), kind), plain));
            let plain = reference::activation_backward::<Flex>(x(), grad(), kind);
            off.push(apart(
                Flex::fused_activation_backward(x(), grad(), kind),
                plain,
            ));
        }

        let classes = Tensor::<1, Int>::from_data([3, 0, 6, 6, 2], &Device::flex());
        let classes = || FlexTensor::from_data(classes.to_data());
        let (ours, log_sums) = Flex::fused_cross_entropy(x(), classes(), 0.1);
        let (plain, plain_log_sums) = reference::cross_entropy::<Flex>(x(), classes(), 0.1);
        off.extend([apart(ours, plain), apart(log_sums.clone(), plain_log_sums)]);
        let grad_of_rows = given([5, 1], 3);
        let inputs = || (x(), classes(), log_sums.clone(), grad_of_rows.clone());
        let (logits, of, sums, grads) = inputs();
        let ours = Flex::fused_cross_entropy_backward(logits, of, sums, grads, 0.1);
        let (logits, of, sums, grads) = inputs();
        let plain = reference::cross_entropy_backward::<Flex>(logits, of, sums, grads, 0.1);
        off.push(apart(ours, plain));

        let plain = reference::entropy::<Flex>(x());
        off.push(apart(Flex::fused_entropy(x()), plain));

        let gamma = || given([7], 4);
        let ours = Flex::fused_layer_norm_backward(x(), gamma(), grad(), 1e-5);
        let plain = reference::layer_norm_backward::<Flex>(x(), gamma(), grad(), 1e-5);
        off.extend([
            apart(ours.0, plain.0),
            apart(ours.1, plain.1),
            apart(ours.2, plain.2),
        ]);
        let plain = reference::rms_norm::<Flex>(x(), gamma(), 1e-5);
        off.push(apart(Flex::fused_rms_norm(x(), gamma(), 1e-5), plain));
        let ours = Flex::fused_rms_norm_backward(x(), gamma(), grad(), 1e-5);
        let plain = reference::rms_norm_backward::<Flex>(x(), gamma(), grad(), 1e-5);
        off.extend([apart(ours.0, plain.0), apart(ours.1, plain.1)]);

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
        let (plain, plain_taken) = reference::attention::<Flex>(query, key, value, bias, heads);
        off.extend([
            apart(ours, plain),
            apart(attention_weights.clone(), plain_taken),
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
        let plain = reference::attention_backward::<Flex>(
            query,
            key,
            value,
            attention_weights,
            grad(),
            heads,
        );
        off.extend([
            apart(ours.0, plain.0),
            apart(ours.1, plain.1),
            apart(ours.2, plain.2),
            apart(ours.3, plain.3),
        ]);
        assert!(off.iter().all(|&off| off < 1e-5), "{off:?}");
    }
}
