//! Reference compositions of burn's operations, for any backend.

use burn::{
    backend::{
        Backend, TensorMetadata,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::Shape,
};

use super::{Activation, Heads, LEAKY_SLOPE};

/// Activations of `x`.
pub fn activation<B: Backend>(x: FloatTensor<B>, kind: Activation) -> FloatTensor<B> {
    match kind {
        Activation::Relu => B::relu(x),
        Activation::Exp => B::float_exp(x),
        Activation::Sigmoid => B::sigmoid(x),
        Activation::Silu => B::float_mul(x.clone(), B::sigmoid(x)),
        Activation::Gelu => B::gelu(x),
        Activation::LeakyRelu => B::leaky_relu(x, LEAKY_SLOPE.into()),
    }
}

/// `grad` times the derivative of the activation at `x`.
pub fn activation_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    kind: Activation,
) -> FloatTensor<B> {
    match kind {
        Activation::Relu => B::relu_backward(B::relu(x), grad),
        Activation::Exp => B::float_mul(grad, B::float_exp(x)),
        Activation::Sigmoid => B::sigmoid_backward(B::sigmoid(x), grad),
        // s (1 + x (1 - s)).
        Activation::Silu => {
            let s = B::sigmoid(x.clone());
            let rest = B::float_add_scalar(B::float_neg(s.clone()), 1.0.into());
            let derivative = B::float_add_scalar(B::float_mul(x, rest), 1.0.into());
            B::float_mul(grad, B::float_mul(s, derivative))
        }
        Activation::Gelu => B::gelu_backward(x, grad),
        // 1 above 0 and the slope below.
        Activation::LeakyRelu => {
            let above = B::float_mul_scalar(B::float_sign(x), (0.5 * (1.0 - LEAKY_SLOPE)).into());
            B::float_mul(
                grad,
                B::float_add_scalar(above, (0.5 * (1.0 + LEAKY_SLOPE)).into()),
            )
        }
    }
}

/// Cross entropies and log-sum-exps, both [N, 1], of `logits` [N, V] and `classes` `[N]`.
pub fn cross_entropy<B: Backend>(
    logits: FloatTensor<B>,
    classes: IntTensor<B>,
    smoothing: f32,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let rows = logits.shape()[0];
    let max = B::float_detach(B::float_max_dim(logits.clone(), 1));
    let exps = B::float_exp(B::float_sub(logits.clone(), max.clone()));
    let log_sums = B::float_add(B::float_log(B::float_sum_dim(exps, 1)), max);
    let classes = B::int_reshape(classes, Shape::from([rows, 1]));
    let target = B::float_gather(1, logits.clone(), classes);
    let target = B::float_mul_scalar(target, (1.0 - smoothing).into());
    let mean = B::float_mul_scalar(B::float_mean_dim(logits, 1), smoothing.into());
    let expected = B::float_add(target, mean);
    (B::float_sub(log_sums.clone(), expected), log_sums)
}

/// Entropies [N, 1] of the softmax of `logits` [N, V].
pub fn entropy<B: Backend>(logits: FloatTensor<B>) -> FloatTensor<B> {
    let shifted = B::float_sub(logits.clone(), B::float_max_dim(logits, 1));
    let exps = B::float_exp(shifted.clone());
    let sums = B::float_sum_dim(exps.clone(), 1);
    let weighted = B::float_sum_dim(B::float_mul(exps, shifted), 1);
    B::float_sub(B::float_log(sums.clone()), B::float_div(weighted, sums))
}

/// Gradient of `logits` [N, V], from `grad` [N, 1] of the cross entropies.
pub fn cross_entropy_backward<B: Backend>(
    logits: FloatTensor<B>,
    classes: IntTensor<B>,
    log_sums: FloatTensor<B>,
    grad: FloatTensor<B>,
    smoothing: f32,
) -> FloatTensor<B> {
    let [rows, vocabulary] = logits.shape().dims();
    let uniform = smoothing / vocabulary as f32;
    let probabilities = B::float_exp(B::float_sub(logits, log_sums));
    let spread = B::float_mul(
        B::float_sub_scalar(probabilities, uniform.into()),
        grad.clone(),
    );
    let classes = B::int_reshape(classes, Shape::from([rows, 1]));
    let target = B::float_mul_scalar(grad, (smoothing - 1.0).into());
    B::float_scatter(
        1,
        spread,
        classes,
        target,
        burn::tensor::IndexingUpdateOp::Add,
    )
}

/// Gradient [V, W] of V = `count` rows, from `grad` [N, W] of the gathered `rows` `[N]`.
pub fn gather_backward<B: Backend>(
    grad: FloatTensor<B>,
    rows: IntTensor<B>,
    count: usize,
) -> FloatTensor<B> {
    let shape = Shape::from([count, grad.shape()[1]]);
    let zeros = B::float_zeros(shape, &grad.device(), grad.dtype().into());
    B::float_select_assign(zeros, 0, rows, grad, burn::tensor::IndexingUpdateOp::Add)
}

/// `[W]` as [1, W], to be broadcast over rows [N, W].
fn as_row<B: Backend>(row: FloatTensor<B>) -> FloatTensor<B> {
    let width = row.shape()[0];
    B::float_reshape(row, Shape::from([1, width]))
}

/// Sum over rows [N, W], `[W]`.
pub fn sum_rows<B: Backend>(rows: FloatTensor<B>) -> FloatTensor<B> {
    let width = rows.shape()[1];
    B::float_reshape(B::float_sum_dim(rows, 0), Shape::from([width]))
}

/// Rows [N, W] over their root mean squares, and those [N, 1].
fn normalize<B: Backend>(x: FloatTensor<B>, epsilon: f64) -> (FloatTensor<B>, FloatTensor<B>) {
    let square = B::float_mean_dim(B::float_mul(x.clone(), x.clone()), 1);
    let rms = B::float_sqrt(B::float_add_scalar(square, epsilon.into()));
    (B::float_div(x, rms.clone()), rms)
}

/// Gradient of the rows of [`normalize()`].
fn normalize_backward<B: Backend>(
    unit: FloatTensor<B>,
    rms: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let radial = B::float_mean_dim(B::float_mul(grad.clone(), unit.clone()), 1);
    B::float_div(B::float_sub(grad, B::float_mul(unit, radial)), rms)
}

/// Rows [N, W] less their means.
fn centred<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_sub(x.clone(), B::float_mean_dim(x, 1))
}

/// RMS norm of rows [N, W] with `gamma` `[W]`.
pub fn rms_norm<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    B::float_mul(normalize::<B>(x, epsilon).0, as_row::<B>(gamma))
}

/// Gradients of rows [N, W] and `gamma` `[W]`.
pub fn rms_norm_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (unit, rms) = normalize::<B>(x, epsilon);
    let gamma_grad = sum_rows::<B>(B::float_mul(grad.clone(), unit.clone()));
    let grad = B::float_mul(grad, as_row::<B>(gamma));
    (normalize_backward::<B>(unit, rms, grad), gamma_grad)
}

/// Gradients of rows [N, W], `gamma` and `beta` `[W]`.
pub fn layer_norm_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let beta_grad = sum_rows::<B>(grad.clone());
    let (x_grad, gamma_grad) = rms_norm_backward::<B>(centred::<B>(x), gamma, grad, epsilon);
    (centred::<B>(x_grad), gamma_grad, beta_grad)
}

/// [B, L, W] as heads [B, H, L, W / H].
fn split_heads<B: Backend>(x: FloatTensor<B>, heads: usize) -> FloatTensor<B> {
    let [batch, length, width] = x.shape().dims();
    let shape = Shape::from([batch, length, heads, width / heads]);
    B::float_swap_dims(B::float_reshape(x, shape), 1, 2)
}

/// Heads [B, H, L, D] as [B, L, H D].
fn join_heads<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, heads, length, width] = x.shape().dims();
    let shape = Shape::from([batch, length, heads * width]);
    B::float_reshape(B::float_swap_dims(x, 1, 2), shape)
}

/// Matrices [.., R, C] as [.., C, R].
fn transposed<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_swap_dims(x, 2, 3)
}

/// Attention output and weights, with `softmax` from the products of queries and keys to the weights.
pub fn attention_with<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    heads: usize,
    softmax: impl FnOnce(FloatTensor<B>) -> FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let split = |x| split_heads::<B>(x, heads);
    let attention_weights = softmax(B::float_matmul(split(query), transposed::<B>(split(key))));
    let output = B::float_matmul(attention_weights.clone(), split(value));
    (join_heads::<B>(output), attention_weights)
}

/// Attention output [B, Lq, W] and attention weights [B, H, Lq, Lk].
pub fn attention<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    bias: FloatTensor<B>,
    heads: Heads,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let query = B::float_mul_scalar(query, heads.scale.into());
    attention_with::<B>(query, key, value, heads.count, |scores| {
        B::softmax(B::float_add(scores, bias), 3)
    })
}

/// Gradients of `query`, `key`, `value` and the biased scores. `softmax_backward` maps the attention weights and their
/// gradient to the gradients of the biased scores and of the products before scaling.
pub fn attention_backward_with<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    attention_weights: FloatTensor<B>,
    grad: FloatTensor<B>,
    heads: usize,
    softmax_backward: impl FnOnce(FloatTensor<B>, FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>),
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let split = |x| split_heads::<B>(x, heads);
    let grad = split(grad);
    let value_grad = B::float_matmul(transposed::<B>(attention_weights.clone()), grad.clone());
    let weight_grad = B::float_matmul(grad, transposed::<B>(split(value)));
    let (score_grad, scaled) = softmax_backward(attention_weights, weight_grad);
    let query_grad = B::float_matmul(scaled.clone(), split(key));
    let key_grad = B::float_matmul(transposed::<B>(scaled), split(query));
    (
        join_heads::<B>(query_grad),
        join_heads::<B>(key_grad),
        join_heads::<B>(value_grad),
        score_grad,
    )
}

/// Gradients of `query`, `key`, `value` and the biased scores, from `grad` [B, Lq, W].
pub fn attention_backward<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    attention_weights: FloatTensor<B>,
    grad: FloatTensor<B>,
    heads: Heads,
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    attention_backward_with::<B>(
        query,
        key,
        value,
        attention_weights,
        grad,
        heads.count,
        |attention_weights, grad| {
            let mean = B::float_sum_dim(B::float_mul(grad.clone(), attention_weights.clone()), 3);
            let score_grad = B::float_mul(attention_weights, B::float_sub(grad, mean));
            let scaled = B::float_mul_scalar(score_grad.clone(), heads.scale.into());
            (score_grad, scaled)
        },
    )
}
