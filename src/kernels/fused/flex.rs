//! Fused operations on the CPU, in float32: between tensors of flex and slices.

use burn::{
    backend::{
        Flex, TensorMetadata,
        flex::{FlexTensor, Layout},
        ops::{FloatTensorOps, IntTensorOps},
    },
    tensor::{Bytes, DType, Element, IndexingUpdateOp, IntDType, Shape},
};
use bytemuck::Pod;
use rayon::prelude::*;

use super::{
    Activation, Fused, FusedGradients, Heads,
    attention::{Gradients, Scratch, Sequence, Sizes, attend, attend_backward},
    matmul::{PARALLEL_FROM, StridedMatrix, matmul},
    rowwise::{
        self, Elementwise, Exp, Gelu, LeakyRelu, Relu, Sigmoid, Silu, SmoothedTarget, chain, map,
        map_in_place,
    },
};

/// Fewest sequences worth a thread.
const MIN_SEQUENCES: usize = 16;

/// Elements of a contiguous tensor.
pub fn values<T: Element + Pod>(x: &FlexTensor) -> &[T] {
    x.as_slice()
        .expect("output contiguous, and float32 or, of classes, int64")
}

/// Elements of a contiguous tensor, which are no longer shared from now on.
fn values_mut(x: &mut FlexTensor) -> &mut [f32] {
    let (start, end) = x.layout().contiguous_offsets().expect("output contiguous");
    &mut x.storage_mut()[start..end]
}

/// Contiguous float32 tensor.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    let layout = Layout::contiguous(shape.into());
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// `x`, contiguous; still the only owner of its memory if it was.
pub fn contiguous(x: FlexTensor) -> FlexTensor {
    x.to_contiguous()
}

/// Matrices of `x` [.., R, C] in place, by their strides.
fn matrices(x: &FlexTensor) -> impl Iterator<Item = StridedMatrix<'_>> {
    let (layout, shape) = (x.layout(), x.shape());
    let strides = layout.strides().iter().map(|stride| stride.unsigned_abs());
    let mut dims: Vec<(usize, usize)> = shape.iter().copied().zip(strides).collect();
    let [(columns, column), (rows, row)] = [(); 2].map(|()| dims.pop().expect("it has two"));
    let count = dims.iter().map(|(count, _)| count).product();
    (0..count).map(move |mut i| {
        let mut from = layout.start_offset();
        for (count, stride) in dims.iter().rev() {
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

/// Values of `function` at `x`, in place where `x` is not shared.
fn mapped(x: FlexTensor, function: impl Elementwise) -> FlexTensor {
    let mut x = contiguous(x);
    if !x.is_unique() {
        return tensor(map(values(&x), function), x.shape());
    }
    map_in_place(values_mut(&mut x), function);
    x
}

/// `grad` times the derivative of `function` at `x`.
fn chained(x: FlexTensor, grad: FlexTensor, function: impl Elementwise) -> FlexTensor {
    let (x, mut grad) = (contiguous(x), contiguous(grad));
    chain(values(&x), values_mut(&mut grad), function);
    grad
}

/// `x`, contiguous, as 64-bit integers.
pub fn as_i64(x: FlexTensor) -> FlexTensor {
    contiguous(Flex::int_cast(x, IntDType::I64))
}

impl Fused for Flex {
    fn fused_activation(x: FlexTensor, kind: Activation) -> FlexTensor {
        match kind {
            Activation::Relu => mapped(x, Relu),
            Activation::Exp => mapped(x, Exp),
            Activation::Sigmoid => mapped(x, Sigmoid),
            Activation::Silu => mapped(x, Silu),
            Activation::Gelu => mapped(x, Gelu),
            Activation::LeakyRelu => mapped(x, LeakyRelu),
        }
    }

    fn fused_cross_entropy(
        logits: FlexTensor,
        classes: FlexTensor,
        smoothing: f32,
    ) -> (FlexTensor, FlexTensor) {
        let (logits, classes) = (contiguous(logits), as_i64(classes));
        let [rows, vocabulary] = logits.shape().dims();
        let target = SmoothedTarget {
            classes: values(&classes),
            vocabulary,
            smoothing,
        };
        let (losses, log_sums) = rowwise::cross_entropy(values(&logits), target);
        (tensor(losses, [rows, 1]), tensor(log_sums, [rows, 1]))
    }

    fn fused_entropy(logits: FlexTensor) -> FlexTensor {
        let logits = contiguous(logits);
        let [rows, vocabulary] = logits.shape().dims();
        tensor(rowwise::entropy(values(&logits), vocabulary), [rows, 1])
    }

    fn fused_layer_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
    ) -> FlexTensor {
        let [x, gamma, beta] = [x, gamma, beta].map(contiguous);
        let output =
            rowwise::norm::<true>(values(&x), values(&gamma), values(&beta), epsilon as f32);
        tensor(output, x.shape())
    }

    fn fused_rms_norm(x: FlexTensor, gamma: FlexTensor, epsilon: f64) -> FlexTensor {
        let [x, gamma] = [x, gamma].map(contiguous);
        let output = rowwise::norm::<false>(values(&x), values(&gamma), &[], epsilon as f32);
        tensor(output, x.shape())
    }

    fn fused_matmul(left: FlexTensor, right: FlexTensor) -> FlexTensor {
        let has_negative_strides =
            |x: &FlexTensor| x.layout().strides().iter().any(|&stride| stride < 0);
        let [left, right] = [left, right].map(|x| match has_negative_strides(&x) {
            true => contiguous(x),
            false => x,
        });
        let (mut shape, right_shape) = (left.shape(), right.shape());
        let last = shape.num_dims() - 1;
        assert_eq!(
            shape[..last - 1],
            right_shape[..last - 1],
            "as many on both sides"
        );
        shape[last] = right_shape[last];
        let pairs: Vec<_> = matrices(&left).zip(matrices(&right)).collect();
        let output = match pairs[..] {
            [(left, right)] => matmul(left, right),
            _ => {
                // Muon's are small: threads are woken only for as much work as is worth it.
                let work = shape[last - 1] * right_shape[last - 1] * shape[last];
                let output = pairs
                    .par_iter()
                    .with_min_len((PARALLEL_FROM / 2).div_ceil(work.max(1)))
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
    fn fused_activation_backward(x: FlexTensor, grad: FlexTensor, kind: Activation) -> FlexTensor {
        match kind {
            Activation::Relu => chained(x, grad, Relu),
            Activation::Exp => chained(x, grad, Exp),
            Activation::Sigmoid => chained(x, grad, Sigmoid),
            Activation::Silu => chained(x, grad, Silu),
            Activation::Gelu => chained(x, grad, Gelu),
            Activation::LeakyRelu => chained(x, grad, LeakyRelu),
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
        let target = SmoothedTarget {
            classes: values(&classes),
            vocabulary: logits.shape()[1],
            smoothing,
        };
        let (log_sums, grad) = (values(&log_sums), values(&grad));
        let output = rowwise::cross_entropy_backward(values(&logits), target, log_sums, grad);
        tensor(output, logits.shape())
    }

    fn fused_layer_norm_backward(
        x: FlexTensor,
        gamma: FlexTensor,
        grad: FlexTensor,
        epsilon: f64,
    ) -> [FlexTensor; 3] {
        norm_backward::<true>(x, gamma, grad, epsilon)
    }

    fn fused_rms_norm_backward(
        x: FlexTensor,
        gamma: FlexTensor,
        grad: FlexTensor,
        epsilon: f64,
    ) -> [FlexTensor; 2] {
        let [x_grad, gamma_grad, _] = norm_backward::<false>(x, gamma, grad, epsilon);
        [x_grad, gamma_grad]
    }

    fn fused_gather_backward(grad: FlexTensor, rows: FlexTensor, count: usize) -> FlexTensor {
        let shape = Shape::from([count, grad.shape()[1]]);
        let zeros = Flex::float_zeros(shape, &grad.device(), grad.dtype().into());
        Flex::float_select_assign(zeros, 0, rows, grad, IndexingUpdateOp::Add)
    }

    fn fused_attention_backward(
        query: FlexTensor,
        key: FlexTensor,
        value: FlexTensor,
        attention_weights: FlexTensor,
        grad: FlexTensor,
        heads: Heads,
    ) -> [FlexTensor; 4] {
        match is_narrow(&query, heads) {
            true => attention_backward::<8>(query, key, value, attention_weights, grad, heads),
            false => attention_backward::<16>(query, key, value, attention_weights, grad, heads),
        }
    }
}

/// Gradients of rows `x`, of `gamma` and, if `CENTRED`, of `beta`.
fn norm_backward<const CENTRED: bool>(
    x: FlexTensor,
    gamma: FlexTensor,
    grad: FlexTensor,
    epsilon: f64,
) -> [FlexTensor; 3] {
    let [x, gamma, grad] = [x, gamma, grad].map(contiguous);
    let (rows, weights, grad) = (values(&x), values(&gamma), values(&grad));
    let [x_grad, gamma_grad, beta_grad] =
        rowwise::norm_backward::<CENTRED>(rows, weights, grad, epsilon as f32);
    let of_weights = |grad| tensor(grad, gamma.shape());
    [
        tensor(x_grad, x.shape()),
        of_weights(gamma_grad),
        of_weights(beta_grad),
    ]
}

/// True if a head fits into a block of eight columns.
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
    let [bias_batch, bias_heads, bias_queries, bias_keys] = bias.shape().dims::<4>();
    let stride = |count: usize, stride: usize| if count == 1 { 0 } else { stride };
    let sizes = Sizes {
        bias_strides: [
            stride(bias_heads, bias_queries * bias_keys),
            stride(bias_queries, bias_keys),
            stride(bias_keys, 1),
        ],
        ..sizes
    };
    let batch_stride = stride(bias_batch, bias_heads * bias_queries * bias_keys);
    let (inputs, bias) = (sequences(&query, &key, &value), values(&bias));

    let (output_len, weights_len) = (sizes.queries * sizes.width, sizes.weight_count());
    let mut output = vec![0.0; batch * output_len];
    let mut attention_weights = vec![0.0; batch * weights_len];
    output
        .par_chunks_mut(output_len)
        .zip(attention_weights.par_chunks_mut(weights_len))
        .enumerate()
        .with_min_len(MIN_SEQUENCES)
        .for_each_init(
            Scratch::<BLOCK>::default,
            |scratch, (i, (output, attention_weights))| {
                let (of, bias) = (inputs.part(&sizes, i), &bias[i * batch_stride..]);
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
) -> [FlexTensor; 4] {
    let [query, key, value, attention_weights, grad] =
        [query, key, value, attention_weights, grad].map(contiguous);
    let (sizes, _) = sizes(&query, &key, heads);
    let inputs = sequences(&query, &key, &value);
    let (weights, grad) = (values(&attention_weights), values(&grad));

    let zeros = |like: &FlexTensor| vec![0.0; like.shape().num_elements()];
    let [mut query_grad, mut key_grad, mut value_grad, mut score_grad] =
        [&query, &key, &value, &attention_weights].map(zeros);
    let (query_len, key_len) = (sizes.queries * sizes.width, sizes.keys * sizes.width);
    let weights_len = sizes.weight_count();
    query_grad
        .par_chunks_mut(query_len)
        .zip(key_grad.par_chunks_mut(key_len))
        .zip(value_grad.par_chunks_mut(key_len))
        .zip(score_grad.par_chunks_mut(weights_len))
        .enumerate()
        .with_min_len(MIN_SEQUENCES)
        .for_each_init(Scratch::<BLOCK>::default, |scratch, (i, to)| {
            let (((query, key), value), scores) = to;
            let to = Gradients {
                query,
                key,
                value,
                scores,
            };
            let of = inputs.part(&sizes, i);
            let attention_weights = &weights[i * weights_len..][..weights_len];
            let grad = &grad[i * query_len..][..query_len];
            attend_backward(&sizes, of, attention_weights, grad, to, scratch);
        });
    [
        tensor(query_grad, query.shape()),
        tensor(key_grad, key.shape()),
        tensor(value_grad, value.shape()),
        tensor(score_grad, attention_weights.shape()),
    ]
}

/// Sizes of `query` [B, Lq, W] and `key` [B, Lk, W], without a bias; and B.
fn sizes(query: &FlexTensor, key: &FlexTensor, heads: Heads) -> (Sizes, usize) {
    let ([batch, queries, width], [_, keys, _]) = (query.shape().dims(), key.shape().dims());
    let sizes = Sizes {
        queries,
        keys,
        width,
        heads,
        bias_strides: [0; 3],
    };
    (sizes, batch)
}

/// Inputs of all sequences of a batch, one after the other.
fn sequences<'a>(
    query: &'a FlexTensor,
    key: &'a FlexTensor,
    value: &'a FlexTensor,
) -> Sequence<'a> {
    let [query, key, value] = [query, key, value].map(values);
    Sequence { query, key, value }
}
