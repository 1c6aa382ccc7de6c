//! Attention of one sequence on the CPU, head by head.
//!
//! Sequences are short and heads narrow: for such matrices a general matrix product spends more on its setup than on
//! arithmetic, and needs each head contiguous. Here all products are weighted sums of rows, eight or sixteen columns at
//! a time, of packed copies whose rows are padded to a multiple of that. Where the columns of a head and the scores of
//! its keys are a block each, both stay in registers.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles each function for every instruction set"
)]

use macerator::{Simd, with_simd};

use super::{
    Heads,
    blocks::{Packed, add, reduce, row_block, row_block_mut, transposed, weighted_sum},
    simd::{dot, exp, max, sum},
};

/// Sizes of one sequence's attention.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub queries: usize,
    pub keys: usize,
    /// Width of all heads together.
    pub width: usize,
    pub heads: Heads,
    /// Strides of the bias along heads, queries and keys; 0 where it is broadcast.
    pub bias_strides: [usize; 3],
}

impl Sizes {
    fn head_width(&self) -> usize {
        self.width / self.heads.count
    }

    /// True if a head is one block wide and its keys fit into one.
    fn fits_block(&self, block: usize) -> bool {
        self.head_width() == block && self.keys <= block
    }

    /// Number of attention weights of a sequence.
    pub fn weight_count(&self) -> usize {
        self.heads.count * self.queries * self.keys
    }
}

/// Inputs of one sequence: `query` [Lq, W], `key` and `value` [Lk, W].
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    pub query: &'a [f32],
    pub key: &'a [f32],
    pub value: &'a [f32],
}

impl Sequence<'_> {
    /// Sequence `i` of those of a batch, one after the other.
    pub fn part(&self, sizes: &Sizes, i: usize) -> Self {
        let [queries, keys] = [sizes.queries, sizes.keys].map(|length| length * sizes.width);
        Self {
            query: &self.query[i * queries..][..queries],
            key: &self.key[i * keys..][..keys],
            value: &self.value[i * keys..][..keys],
        }
    }
}

/// Gradients of one sequence's inputs, of their shapes, and of its biased scores [H, Lq, Lk].
pub struct Gradients<'a> {
    pub query: &'a mut [f32],
    pub key: &'a mut [f32],
    pub value: &'a mut [f32],
    pub scores: &'a mut [f32],
}

/// Buffers reused from one sequence to the next.
#[derive(Default)]
pub struct Scratch<const BLOCK: usize> {
    transposed: Packed<BLOCK>,
    queries: Packed<BLOCK>,
    keys: Packed<BLOCK>,
    values: Packed<BLOCK>,
    product: Packed<BLOCK>,
}

/// Attention of one sequence, to `output` [Lq, W] and `attention_weights` [H, Lq, Lk].
#[with_simd]
pub fn attend<'a, S: Simd, const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence<'a>,
    bias: &[f32],
    output: &mut [f32],
    attention_weights: &mut [f32],
    scratch: &mut Scratch<BLOCK>,
) {
    if sizes.fits_block(BLOCK) {
        return attend_blocked::<BLOCK>(sizes, of, bias, output, attention_weights);
    }
    let (width, keys, head) = (sizes.width, sizes.keys, sizes.head_width());
    let Scratch {
        transposed, values, ..
    } = scratch;
    let each = attention_weights.chunks_exact_mut(sizes.queries * keys);
    for (h, attention_weights) in each.enumerate() {
        let columns = h * head..(h + 1) * head;
        transposed.pack_transposed(of.key, width, columns.clone());
        values.pack(of.value, width, columns.clone());
        let rows = of
            .query
            .chunks_exact(width)
            .zip(output.chunks_exact_mut(width));
        for (i, (attention_weights, (query, output))) in attention_weights
            .chunks_exact_mut(keys)
            .zip(rows)
            .enumerate()
        {
            transposed.weighted_sum(
                &query[columns.clone()],
                sizes.heads.scale,
                attention_weights,
            );
            let [head_stride, query_stride, key_stride] = sizes.bias_strides;
            let bias = &bias[h * head_stride + i * query_stride..];
            for (j, score) in attention_weights.iter_mut().enumerate() {
                *score += bias[j * key_stride];
            }
            softmax(attention_weights);
            values.weighted_sum(attention_weights, 1.0, &mut output[columns.clone()]);
        }
    }
}

/// Replaces scores by their softmax.
#[inline(always)]
fn softmax(row: &mut [f32]) {
    let max = max(row);
    for score in row.iter_mut() {
        *score = exp(*score - max);
    }
    let scale = 1.0 / sum(row, |x| x);
    for weight in row.iter_mut() {
        *weight *= scale;
    }
}

/// Gradients `to` of one sequence, from `grad` [Lq, W] of its output.
#[with_simd]
pub fn attend_backward<'a, S: Simd, const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence<'a>,
    attention_weights: &[f32],
    grad: &[f32],
    to: Gradients<'a>,
    scratch: &mut Scratch<BLOCK>,
) {
    if sizes.fits_block(BLOCK) {
        return attend_blocked_backward::<BLOCK>(sizes, of, attention_weights, grad, to);
    }
    let (width, keys, head, scale) = (
        sizes.width,
        sizes.keys,
        sizes.head_width(),
        sizes.heads.scale,
    );
    let each = sizes.queries * keys;
    let heads = to
        .scores
        .chunks_exact_mut(each)
        .zip(attention_weights.chunks_exact(each));
    for (h, (scores, attention_weights)) in heads.enumerate() {
        let columns = h * head..(h + 1) * head;
        scratch
            .transposed
            .pack_transposed(of.value, width, columns.clone());
        scratch.queries.pack(of.query, width, columns.clone());
        scratch.keys.pack(of.key, width, columns.clone());
        scratch.values.pack(grad, width, columns.clone());
        let rows = scores
            .chunks_exact_mut(keys)
            .zip(attention_weights.chunks_exact(keys));
        let ends = grad
            .chunks_exact(width)
            .zip(to.query.chunks_exact_mut(width));
        for ((scores, attention_weights), (grad, query)) in rows.zip(ends) {
            scratch
                .transposed
                .weighted_sum(&grad[columns.clone()], 1.0, scores);
            let mean = dot(scores, attention_weights);
            for (score, weight) in scores.iter_mut().zip(attention_weights) {
                *score = weight * (*score - mean);
            }
            scratch
                .keys
                .weighted_sum(scores, scale, &mut query[columns.clone()]);
        }
        scratch.product.reset(keys, head);
        let product = &mut scratch.product;
        product.add_transposed_product(scores, keys, &scratch.queries);
        product.unpack(to.key, width, columns.clone(), scale);
        product.reset(keys, head);
        product.add_transposed_product(attention_weights, keys, &scratch.values);
        product.unpack(to.value, width, columns, 1.0);
    }
}

/// The first `keys` elements of a bias by its stride; the rest of the block is unspecified, so that a contiguous row is
/// read at once.
#[inline(always)]
fn bias_row<const BLOCK: usize>(bias: &[f32], stride: usize, keys: usize) -> [f32; BLOCK] {
    match (stride, bias.first_chunk()) {
        (0, _) => [bias[0]; BLOCK],
        (1, Some(row)) => *row,
        _ => {
            let mut row = [0.0; BLOCK];
            for (j, value) in row[..keys].iter_mut().enumerate() {
                *value = bias[j * stride];
            }
            row
        }
    }
}

/// [`attend`] where [`Sizes::fits_block`].
#[inline(always)]
fn attend_blocked<const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence,
    bias: &[f32],
    output: &mut [f32],
    attention_weights: &mut [f32],
) {
    let (width, keys) = (sizes.width, sizes.keys);
    let [head_stride, query_stride, key_stride] = sizes.bias_strides;
    for h in 0..sizes.heads.count {
        let column = h * BLOCK;
        let transposed = transposed::<BLOCK>(of.key, width, keys, column);
        // Stage by stage over a block of queries: the stages of one query depend on each other, queries don't.
        for first in (0..sizes.queries).step_by(BLOCK) {
            let mut rows = [[0.0; BLOCK]; BLOCK];
            let rows = &mut rows[..BLOCK.min(sizes.queries - first)];
            for (i, scores) in rows.iter_mut().enumerate() {
                let query = row_block::<BLOCK>(of.query, width, first + i, column);
                *scores = weighted_sum(query, sizes.heads.scale, |d| &transposed[d]);
                let bias = &bias[h * head_stride + (first + i) * query_stride..];
                let biases = bias_row::<BLOCK>(bias, key_stride, keys);
                for j in 0..BLOCK {
                    scores[j] = match j < keys {
                        true => scores[j] + biases[j],
                        false => f32::NEG_INFINITY,
                    };
                }
            }
            for row in rows.iter_mut() {
                let max = reduce(*row, |a, b| if b > a { b } else { a });
                for weight in row.iter_mut() {
                    *weight = exp(*weight - max);
                }
                let scale = 1.0 / reduce(*row, |a, b| a + b);
                for weight in row {
                    *weight *= scale;
                }
            }
            for (i, weights) in rows.iter().enumerate() {
                // The next row overwrites what a whole block writes beyond this one.
                let row = &mut attention_weights[(h * sizes.queries + first + i) * keys..];
                match row.first_chunk_mut::<BLOCK>() {
                    Some(row) => *row = *weights,
                    None => row[..keys].copy_from_slice(&weights[..keys]),
                }
                let sum = weighted_sum(&weights[..keys], 1.0, |j| {
                    row_block::<BLOCK>(of.value, width, j, column)
                });
                *row_block_mut(output, width, first + i, column) = sum;
            }
        }
    }
}

/// [`attend_backward`] where [`Sizes::fits_block`].
#[inline(always)]
fn attend_blocked_backward<const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence,
    attention_weights: &[f32],
    grad: &[f32],
    to: Gradients,
) {
    let (width, keys, scale) = (sizes.width, sizes.keys, sizes.heads.scale);
    for h in 0..sizes.heads.count {
        let column = h * BLOCK;
        let transposed = transposed::<BLOCK>(of.value, width, keys, column);
        let [mut key_grads, mut value_grads] = [[[0.0; BLOCK]; BLOCK]; 2];
        for i in 0..sizes.queries {
            let row = (h * sizes.queries + i) * keys;
            let mut weights = [0.0; BLOCK];
            let row_weights = &attention_weights[row..row + keys];
            for (weight, &row_weight) in weights.iter_mut().zip(row_weights) {
                *weight = row_weight;
            }
            let query = row_block::<BLOCK>(of.query, width, i, column);
            let grad = row_block::<BLOCK>(grad, width, i, column);
            let mut scores = weighted_sum(grad, 1.0, |d| &transposed[d]);
            let mut products = scores;
            for (product, weight) in products.iter_mut().zip(weights) {
                *product *= weight;
            }
            let mean = reduce(products, |a, b| a + b);
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score = weight * (*score - mean);
            }
            let each = to.scores[row..row + keys].iter_mut().zip(scores);
            each.for_each(|(to, score)| *to = score);
            *row_block_mut(to.query, width, i, column) =
                weighted_sum(&scores[..keys], scale, |j| {
                    row_block::<BLOCK>(of.key, width, j, column)
                });
            for j in 0..keys {
                add(&mut key_grads[j], scores[j], query);
                add(&mut value_grads[j], weights[j], grad);
            }
        }
        for j in 0..keys {
            for (to, grad) in row_block_mut::<BLOCK>(to.key, width, j, column)
                .iter_mut()
                .zip(key_grads[j])
            {
                *to = grad * scale;
            }
            *row_block_mut(to.value, width, j, column) = value_grads[j];
        }
    }
}
