//! The same composed of burn's operations, on any backend.

use burn::{
    backend::{
        Backend, TensorMetadata,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::Shape,
};

use super::{ActivationKind, Heads};

pub fn activation<B: Backend>(x: FloatTensor<B>, kind: ActivationKind) -> FloatTensor<B> {
    match kind {
        ActivationKind::Relu => B::relu(x),
        ActivationKind::Exp => B::float_exp(x),
        ActivationKind::Sigmoid => B::sigmoid(x),
        ActivationKind::Silu => B::float_mul(x.clone(), B::sigmoid(x)),
        ActivationKind::Gelu => B::gelu(x),
    }
}

pub fn activation_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    kind: ActivationKind,
) -> FloatTensor<B> {
    match kind {
        ActivationKind::Relu => B::relu_backward(B::relu(x), grad),
        ActivationKind::Exp => B::float_mul(grad, B::float_exp(x)),
        ActivationKind::Sigmoid => B::sigmoid_backward(B::sigmoid(x), grad),
        // s (1 + x (1 - s)).
        ActivationKind::Silu => {
            let s = B::sigmoid(x.clone());
            let rest = B::float_add_scalar(B::float_neg(s.clone()), 1.0.into());
            let derivative = B::float_add_scalar(B::float_mul(x, rest), 1.0.into());
            B::float_mul(grad, B::float_mul(s, derivative))
        }
        ActivationKind::Gelu => B::gelu_backward(x, grad),
    }
}

pub fn cross_entropy<B: Backend>(
    logits: FloatTensor<B>,
    classes: IntTensor<B>,
    smoothing: f32,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let rows = logits.shape()[0];
    let highest = B::float_detach(B::float_max_dim(logits.clone(), 1));
    let exps = B::float_exp(B::float_sub(logits.clone(), highest.clone()));
    let log_sums = B::float_add(B::float_log(B::float_sum_dim(exps, 1)), highest);
    let classes = B::int_reshape(classes, Shape::from([rows, 1]));
    let named = B::float_gather(1, logits.clone(), classes);
    let named = B::float_mul_scalar(named, (1.0 - smoothing).into());
    let all = B::float_mul_scalar(B::float_mean_dim(logits, 1), smoothing.into());
    let truth = B::float_add(named, all);
    (B::float_sub(log_sums.clone(), truth), log_sums)
}

pub fn entropy<B: Backend>(logits: FloatTensor<B>) -> FloatTensor<B> {
    let below = B::float_sub(logits.clone(), B::float_max_dim(logits, 1));
    let exps = B::float_exp(below.clone());
    let sums = B::float_sum_dim(exps.clone(), 1);
    let along = B::float_sum_dim(B::float_mul(exps, below), 1);
    B::float_sub(B::float_log(sums.clone()), B::float_div(along, sums))
}

pub fn cross_entropy_backward<B: Backend>(
    logits: FloatTensor<B>,
    classes: IntTensor<B>,
    log_sums: FloatTensor<B>,
    grad: FloatTensor<B>,
    smoothing: f32,
) -> FloatTensor<B> {
    let [rows, vocabulary] = logits.shape().dims();
    let even = smoothing / vocabulary as f32;
    let likely = B::float_exp(B::float_sub(logits, log_sums));
    let off = B::float_mul(B::float_sub_scalar(likely, even.into()), grad.clone());
    let classes = B::int_reshape(classes, Shape::from([rows, 1]));
    let named = B::float_mul_scalar(grad, (smoothing - 1.0).into());
    B::float_scatter(1, off, classes, named, burn::tensor::IndexingUpdateOp::Add)
}

pub fn gather_backward<B: Backend>(
    grad: FloatTensor<B>,
    rows: IntTensor<B>,
    count: usize,
) -> FloatTensor<B> {
    let shape = Shape::from([count, grad.shape()[1]]);
    let none = B::float_zeros(shape, &grad.device(), grad.dtype().into());
    B::float_select_assign(none, 0, rows, grad, burn::tensor::IndexingUpdateOp::Add)
}

/// [N, W] times or plus `[W]`.
fn wide<B: Backend>(row: FloatTensor<B>) -> FloatTensor<B> {
    let width = row.shape()[0];
    B::float_reshape(row, Shape::from([1, width]))
}

/// The sum over all rows [N, W], `[W]`.
pub fn softmax<B: Backend>(rows: FloatTensor<B>) -> FloatTensor<B> {
    let width = rows.shape()[1];
    B::float_reshape(B::float_sum_dim(rows, 0), Shape::from([width]))
}

/// Rows over their root mean squares, and those.
fn unit<B: Backend>(x: FloatTensor<B>, epsilon: f64) -> (FloatTensor<B>, FloatTensor<B>) {
    let square = B::float_mean_dim(B::float_mul(x.clone(), x.clone()), 1);
    let rms = B::float_sqrt(B::float_add_scalar(square, epsilon.into()));
    (B::float_div(x, rms.clone()), rms)
}

/// The gradient of [`unit()`]'s rows.
fn unit_backward<B: Backend>(
    unit: FloatTensor<B>,
    rms: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let along = B::float_mean_dim(B::float_mul(grad.clone(), unit.clone()), 1);
    B::float_div(B::float_sub(grad, B::float_mul(unit, along)), rms)
}

fn centred<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_sub(x.clone(), B::float_mean_dim(x, 1))
}

pub fn rms_norm<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    B::float_mul(unit::<B>(x, epsilon).0, wide::<B>(gamma))
}

pub fn rms_norm_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (unit, rms) = unit::<B>(x, epsilon);
    let gamma_grad = softmax::<B>(B::float_mul(grad.clone(), unit.clone()));
    let grad = B::float_mul(grad, wide::<B>(gamma));
    (unit_backward::<B>(unit, rms, grad), gamma_grad)
}

pub fn layer_norm_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let beta_grad = softmax::<B>(grad.clone());
    let (x_grad, gamma_grad) = rms_norm_backward::<B>(centred::<B>(x), gamma, grad, epsilon);
    (centred::<B>(x_grad), gamma_grad, beta_grad)
}

/// [B, L, W] to [B, H, L, W / H].
fn split<B: Backend>(x: FloatTensor<B>, heads: usize) -> FloatTensor<B> {
    let [batch, length, width] = x.shape().dims();
    let shape = Shape::from([batch, length, heads, width / heads]);
    B::float_swap_dims(B::float_reshape(x, shape), 1, 2)
}

/// [B, H, L, D] to [B, L, H D].
fn join<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, heads, length, width] = x.shape().dims();
    let shape = Shape::from([batch, length, heads * width]);
    B::float_reshape(B::float_swap_dims(x, 1, 2), shape)
}

fn transposed<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_swap_dims(x, 2, 3)
}

/// Attention whose heads take of each key what `take` makes of the products of `query` and `key`.
pub fn attention_by<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    heads: usize,
    take: impl FnOnce(FloatTensor<B>) -> FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let split = |x| split::<B>(x, heads);
    let attention_weights = take(B::float_matmul(split(query), transposed::<B>(split(key))));
    let output = B::float_matmul(attention_weights.clone(), split(value));
    (join::<B>(output), attention_weights)
}

pub fn attention<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    bias: FloatTensor<B>,
    heads: Heads,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let query = B::float_mul_scalar(query, heads.scale.into());
    attention_by::<B>(query, key, value, heads.count, |scores| {
        B::softmax(B::float_add(scores, bias), 3)
    })
}

/// The gradients of `query`, `key`, `value` and the scores, where `give` makes of what was taken and its gradient
/// those of the scores, and of the products before they were scaled.
pub fn attention_backward_by<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    attention_weights: FloatTensor<B>,
    grad: FloatTensor<B>,
    heads: usize,
    give: impl FnOnce(FloatTensor<B>, FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>),
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let split = |x| split::<B>(x, heads);
    let grad = split(grad);
    let value_grad = B::float_matmul(transposed::<B>(attention_weights.clone()), grad.clone());
    let taken_grad = B::float_matmul(grad, transposed::<B>(split(value)));
    let (score_grad, scaled) = give(attention_weights, taken_grad);
    let query_grad = B::float_matmul(scaled.clone(), split(key));
    let key_grad = B::float_matmul(transposed::<B>(scaled), split(query));
    (
        join::<B>(query_grad),
        join::<B>(key_grad),
        join::<B>(value_grad),
        score_grad,
    )
}

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
    attention_backward_by::<B>(
        query,
        key,
        value,
        attention_weights,
        grad,
        heads.count,
        |attention_weights, grad| {
            let along = B::float_sum_dim(B::float_mul(grad.clone(), attention_weights.clone()), 3);
            let score_grad = B::float_mul(attention_weights, B::float_sub(grad, along));
            let scaled = B::float_mul_scalar(score_grad.clone(), heads.scale.into());
            (score_grad, scaled)
        },
    )
}
