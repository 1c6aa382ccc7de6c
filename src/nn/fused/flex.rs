//! On the CPU, in float32: tensors to slices and back.

use burn::{
    backend::{
        Flex, TensorMetadata,
        flex::{FlexTensor, Layout},
        ops::IntTensorOps,
    },
    tensor::{Bytes, DType, Element, IntDType, Shape},
};
use bytemuck::Pod;
use rayon::prelude::*;

use super::{
    ActivationKind, Fused, FusedGradients, Heads,
    attention::{Gradients, Scratch, Sequence, Sizes, attend, attend_backward},
    matmul::{FOR_THREADS, StridedMatrix, matmul},
    rowwise::{
        Activation, Exp, Gelu, Relu, Sigmoid, Silu, SmoothedTarget, apply, entropies,
        entropies_backward, map, normed, normed_backward, own_entropies, scale,
    },
};

/// Sequences that a thread takes at least.
const SEQUENCES: usize = 16;

pub fn values<T: Element + Pod>(x: &FlexTensor) -> &[T] {
    x.as_slice()
        .expect("made contiguous, and float32 or, of classes, int64")
}

/// Those of `x`, which it has alone from now on.
fn values_mut(x: &mut FlexTensor) -> &mut [f32] {
    let (start, end) = x.layout().contiguous_offsets().expect("made contiguous");
    &mut x.storage_mut()[start..end]
}

pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    let layout = Layout::contiguous(shape.into());
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// `x` with its values side by side, and alone in memory if it was.
pub fn contiguous(x: FlexTensor) -> FlexTensor {
    x.to_contiguous()
}

/// The matrices of `x` [.., R, C] as they lie, turned or not.
fn matrices(x: &FlexTensor) -> impl Iterator<Item = StridedMatrix<'_>> {
    let (layout, shape) = (x.layout(), x.shape());
    let strides = layout.strides().iter().map(|stride| stride.unsigned_abs());
    let mut sides: Vec<(usize, usize)> = shape.iter().copied().zip(strides).collect();
    let [(columns, column), (rows, row)] = [(); 2].map(|()| sides.pop().expect("it has two"));
    let count = sides.iter().map(|(count, _)| count).product();
    (0..count).map(move |mut i| {
        let mut from = layout.start_offset();
        for (count, stride) in sides.iter().rev() {
            from += i % count * stride;
            i /= count;
        }
        StridedMatrix {
            values: &x.storage()[from..],
            shape: [rows, columns],
            strides: [row, column],
        }
    })
}

fn mapped(x: FlexTensor, function: impl Activation) -> FlexTensor {
    let mut x = contiguous(x);
    if !x.is_unique() {
        return tensor(map(values(&x), function), x.shape());
    }
    apply(values_mut(&mut x), function);
    x
}

/// `grad`, each value times the slope at that of `x`.
fn scaled(x: FlexTensor, grad: FlexTensor, function: impl Activation) -> FlexTensor {
    let (x, mut grad) = (contiguous(x), contiguous(grad));
    scale(values(&x), values_mut(&mut grad), function);
    grad
}

pub fn as_i64(x: FlexTensor) -> FlexTensor {
    contiguous(Flex::int_cast(x, IntDType::I64))
}

impl Fused for Flex {
    fn fused_activation(x: FlexTensor, kind: ActivationKind) -> FlexTensor {
        match kind {
            ActivationKind::Relu => mapped(x, Relu),
            ActivationKind::Exp => mapped(x, Exp),
            ActivationKind::Sigmoid => mapped(x, Sigmoid),
            ActivationKind::Silu => mapped(x, Silu),
            ActivationKind::Gelu => mapped(x, Gelu),
        }
    }

    fn fused_cross_entropy(
        logits: FlexTensor,
        classes: FlexTensor,
        smoothing: f32,
    ) -> (FlexTensor, FlexTensor) {
        let (logits, classes) = (contiguous(logits), as_i64(classes));
        let [rows, vocabulary] = logits.shape().dims();
        let truth = SmoothedTarget {
            classes: values(&classes),
            vocabulary,
            smoothing,
        };
        let (output, log_sums) = entropies(values(&logits), truth);
        (tensor(output, [rows, 1]), tensor(log_sums, [rows, 1]))
    }

    fn fused_entropy(logits: FlexTensor) -> FlexTensor {
        let logits = contiguous(logits);
        let [rows, vocabulary] = logits.shape().dims();
        tensor(own_entropies(values(&logits), vocabulary), [rows, 1])
    }

    fn fused_layer_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
    ) -> FlexTensor {
        let [x, gamma, beta] = [x, gamma, beta].map(contiguous);
        let made = normed::<true>(values(&x), values(&gamma), values(&beta), epsilon as f32);
        tensor(made, x.shape())
    }

    fn fused_rms_norm(x: FlexTensor, gamma: FlexTensor, epsilon: f64) -> FlexTensor {
        let [x, gamma] = [x, gamma].map(contiguous);
        let made = normed::<false>(values(&x), values(&gamma), &[], epsilon as f32);
        tensor(made, x.shape())
    }

    fn fused_matmul(left: FlexTensor, right: FlexTensor) -> FlexTensor {
        let is_flipped = |x: &FlexTensor| x.layout().strides().iter().any(|&stride| stride < 0);
        let [left, right] = [left, right].map(|x| match is_flipped(&x) {
            true => contiguous(x),
            false => x,
        });
        let (mut shape, other) = (left.shape(), right.shape());
        let last = shape.num_dims() - 1;
        assert_eq!(
            shape[..last - 1],
            other[..last - 1],
            "as many on both sides"
        );
        shape[last] = other[last];
        let pairs: Vec<_> = matrices(&left).zip(matrices(&right)).collect();
        let output = match pairs[..] {
            [(left, right)] => matmul(left, right),
            _ => {
                // Muon's are small: with threads woken for each stack a step takes 1.05 times the processor's time.
                let each = shape[last - 1] * other[last - 1] * shape[last];
                let output = pairs
                    .par_iter()
                    .with_min_len((FOR_THREADS / 2).div_ceil(each.max(1)))
                    .map(|&(left, right)| matmul(left, right));
                output.collect::<Vec<_>>().concat()
            }
        };
        tensor(output, shape)
    }

    fn fused_attention(
        query: FlexTensor,
        key: FlexTensor,
        value: FlexTensor,
        bias: FlexTensor,
        heads: Heads,
    ) -> (FlexTensor, FlexTensor) {
        match is_narrow(&query, heads) {
            true => attention::<8>(query, key, value, bias, heads),
            false => attention::<16>(query, key, value, bias, heads),
        }
    }
}

impl FusedGradients for Flex {
    fn fused_activation_backward(
        x: FlexTensor,
        grad: FlexTensor,
        kind: ActivationKind,
    ) -> FlexTensor {
        match kind {
            ActivationKind::Relu => scaled(x, grad, Relu),
            ActivationKind::Exp => scaled(x, grad, Exp),
            ActivationKind::Sigmoid => scaled(x, grad, Sigmoid),
            ActivationKind::Silu => scaled(x, grad, Silu),
            ActivationKind::Gelu => scaled(x, grad, Gelu),
        }
    }

    fn fused_cross_entropy_backward(
        logits: FlexTensor,
        classes: FlexTensor,
        log_sums: FlexTensor,
        grad: FlexTensor,
        smoothing: f32,
    ) -> FlexTensor {
        let (logits, classes) = (contiguous(logits), as_i64(classes));
        let (log_sums, grad) = (contiguous(log_sums), contiguous(grad));
        let truth = SmoothedTarget {
            classes: values(&classes),
            vocabulary: logits.shape()[1],
            smoothing,
        };
        let (log_sums, grad) = (values(&log_sums), values(&grad));
        let made = entropies_backward(values(&logits), truth, log_sums, grad);
        tensor(made, logits.shape())
    }

    fn fused_layer_norm_backward(
        x: FlexTensor,
        gamma: FlexTensor,
        grad: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let [x, gamma, grad] = [x, gamma, grad].map(contiguous);
        let (rows, weights, grad) = (values(&x), values(&gamma), values(&grad));
        let [x_grad, gamma_grad, beta_grad] =
            normed_backward::<true>(rows, weights, grad, epsilon as f32);
        let width = gamma.shape();
        (
            tensor(x_grad, x.shape()),
            tensor(gamma_grad, width.clone()),
            tensor(beta_grad, width),
        )
    }

    fn fused_rms_norm_backward(
        x: FlexTensor,
        gamma: FlexTensor,
        grad: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor) {
        let [x, gamma, grad] = [x, gamma, grad].map(contiguous);
        let (rows, weights, grad) = (values(&x), values(&gamma), values(&grad));
        let [x_grad, gamma_grad, _] = normed_backward::<false>(rows, weights, grad, epsilon as f32);
        (tensor(x_grad, x.shape()), tensor(gamma_grad, gamma.shape()))
    }

    fn fused_attention_backward(
        query: FlexTensor,
        key: FlexTensor,
        value: FlexTensor,
        attention_weights: FlexTensor,
        grad: FlexTensor,
        heads: Heads,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        match is_narrow(&query, heads) {
            true => attention_backward::<8>(query, key, value, attention_weights, grad, heads),
            false => attention_backward::<16>(query, key, value, attention_weights, grad, heads),
        }
    }
}

/// Whether blocks of eight columns hold a head.
fn is_narrow(query: &FlexTensor, heads: Heads) -> bool {
    query.shape()[2] / heads.count <= 8
}

fn attention<const BLOCK: usize>(
    query: FlexTensor,
    key: FlexTensor,
    value: FlexTensor,
    bias: FlexTensor,
    heads: Heads,
) -> (FlexTensor, FlexTensor) {
    let [query, key, value, bias] = [query, key, value, bias].map(contiguous);
    let (sizes, batch) = sizes(&query, &key, heads);
    let [biases, rest @ ..] = bias.shape().dims::<4>();
    let [of_heads, of_queries, of_keys] = rest;
    let step = |count: usize, step: usize| if count == 1 { 0 } else { step };
    let sizes = Sizes {
        bias: [
            step(of_heads, of_queries * of_keys),
            step(of_queries, of_keys),
            step(of_keys, 1),
        ],
        ..sizes
    };
    let of_batch = step(biases, of_heads * of_queries * of_keys);
    let inputs = Inputs::new(&query, &key, &value, &sizes);
    let bias = values(&bias);

    let (each_found, each_weights) = (sizes.queries * sizes.width, sizes.attention_weights());
    let mut output = vec![0.0; batch * each_found];
    let mut attention_weights = vec![0.0; batch * each_weights];
    output
        .par_chunks_mut(each_found)
        .zip(attention_weights.par_chunks_mut(each_weights))
        .enumerate()
        .with_min_len(SEQUENCES)
        .for_each_init(
            Scratch::<BLOCK>::default,
            |scratch, (i, (output, attention_weights))| {
                let (of, bias) = (inputs.sequence(i), &bias[i * of_batch..]);
                attend(&sizes, of, bias, output, attention_weights, scratch);
            },
        );
    let shape = [batch, heads.count, sizes.queries, sizes.keys];
    (
        tensor(output, query.shape()),
        tensor(attention_weights, shape),
    )
}

fn attention_backward<const BLOCK: usize>(
    query: FlexTensor,
    key: FlexTensor,
    value: FlexTensor,
    attention_weights: FlexTensor,
    grad: FlexTensor,
    heads: Heads,
) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
    let [query, key, value, attention_weights, grad] =
        [query, key, value, attention_weights, grad].map(contiguous);
    let (sizes, _) = sizes(&query, &key, heads);
    let inputs = Inputs::new(&query, &key, &value, &sizes);
    let (was_taken, grad) = (values(&attention_weights), values(&grad));

    let zeros = |like: &FlexTensor| vec![0.0; like.shape().num_elements()];
    let [mut queries, mut keys, mut output, mut scores] =
        [&query, &key, &value, &attention_weights].map(zeros);
    let (each_query, each_key) = (sizes.queries * sizes.width, sizes.keys * sizes.width);
    let each_weights = sizes.attention_weights();
    queries
        .par_chunks_mut(each_query)
        .zip(keys.par_chunks_mut(each_key))
        .zip(output.par_chunks_mut(each_key))
        .zip(scores.par_chunks_mut(each_weights))
        .enumerate()
        .with_min_len(SEQUENCES)
        .for_each_init(Scratch::<BLOCK>::default, |scratch, (i, to)| {
            let (((query, key), value), scores) = to;
            let to = Gradients {
                query,
                key,
                value,
                scores,
            };
            let of = inputs.sequence(i);
            let attention_weights = &was_taken[i * each_weights..][..each_weights];
            let grad = &grad[i * each_query..][..each_query];
            attend_backward(&sizes, of, attention_weights, grad, to, scratch);
        });
    (
        tensor(queries, query.shape()),
        tensor(keys, key.shape()),
        tensor(output, value.shape()),
        tensor(scores, attention_weights.shape()),
    )
}

/// Those of `query` [B, Lq, W] and `key` [B, Lk, W], without a bias; and B.
fn sizes(query: &FlexTensor, key: &FlexTensor, heads: Heads) -> (Sizes, usize) {
    let ([batch, queries, width], [_, keys, _]) = (query.shape().dims(), key.shape().dims());
    let sizes = Sizes {
        queries,
        keys,
        width,
        heads,
        bias: [0; 3],
    };
    (sizes, batch)
}

/// All sequences' inputs, one after the other.
struct Inputs<'a> {
    all: Sequence<'a>,
    each_query: usize,
    each_key: usize,
}

impl<'a> Inputs<'a> {
    fn new(
        query: &'a FlexTensor,
        key: &'a FlexTensor,
        value: &'a FlexTensor,
        sizes: &Sizes,
    ) -> Self {
        let [query, key, value] = [query, key, value].map(values);
        Self {
            all: Sequence { query, key, value },
            each_query: sizes.queries * sizes.width,
            each_key: sizes.keys * sizes.width,
        }
    }

    fn sequence(&self, i: usize) -> Sequence<'a> {
        let keys = i * self.each_key..(i + 1) * self.each_key;
        Sequence {
            query: &self.all.query[i * self.each_query..][..self.each_query],
            key: &self.all.key[keys.clone()],
            value: &self.all.value[keys],
        }
    }
}
