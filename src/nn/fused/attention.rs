//! Attention of one sequence on the CPU, head by head.
//!
//! Our sequences are short and heads narrow: products of such matrices cost a general matrix product more in
//! setting out than in arithmetic, and it wants the heads apart. Here all products are sums of weighted rows, eight or
//! sixteen columns at a time, of packed copies whose rows are padded to a multiple of that. Where a head's columns and
//! its keys' scores are a block each, both stay in registers.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles for each of its first parameter"
)]

use std::ops::Range;

use macerator::{Simd, with_simd};

use super::{
    Heads,
    simd::{dot, exp, highest, sum},
};

/// Lengths, widths and scale of a sequence's attention.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub queries: usize,
    pub keys: usize,
    /// Of all heads.
    pub width: usize,
    pub heads: Heads,
    /// From one of the bias's entries to the next, along heads, queries and keys; 0 where it has one for all.
    pub bias: [usize; 3],
}

impl Sizes {
    fn head(&self) -> usize {
        self.width / self.heads.count
    }

    /// Whether a head's columns are a block and its keys fit into one.
    fn are_blocks(&self, block: usize) -> bool {
        self.head() == block && self.keys <= block
    }

    /// Scores of a sequence.
    pub fn attention_weights(&self) -> usize {
        self.heads.count * self.queries * self.keys
    }
}

/// A sequence's inputs: [Lq, W] and twice [Lk, W].
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    pub query: &'a [f32],
    pub key: &'a [f32],
    pub value: &'a [f32],
}

/// Where a sequence's gradients go: shapes as the inputs', and [H, Lq, Lk].
pub struct Gradients<'a> {
    pub query: &'a mut [f32],
    pub key: &'a mut [f32],
    pub value: &'a mut [f32],
    pub scores: &'a mut [f32],
}

/// Rows of a matrix, padded with zeros to whole blocks of columns, which are made at once.
#[derive(Default)]
struct Packed<const BLOCK: usize> {
    stride: usize,
    values: Vec<f32>,
}

impl<const BLOCK: usize> Packed<BLOCK> {
    #[inline(always)]
    fn clear(&mut self, rows: usize, columns: usize) {
        self.stride = columns.next_multiple_of(BLOCK);
        self.values.clear();
        self.values.resize(rows * self.stride, 0.0);
    }

    /// `columns` of `x`, `width` wide.
    #[inline(always)]
    fn take(&mut self, x: &[f32], width: usize, columns: Range<usize>) {
        let rows = x.chunks_exact(width);
        self.clear(rows.len(), columns.len());
        for (row, packed) in rows.zip(self.values.chunks_exact_mut(self.stride)) {
            packed[..columns.len()].copy_from_slice(&row[columns.clone()]);
        }
    }

    /// The same with rows for columns.
    #[inline(always)]
    fn pack_transposed(&mut self, x: &[f32], width: usize, columns: Range<usize>) {
        let rows = x.chunks_exact(width);
        self.clear(columns.len(), rows.len());
        for (column, row) in rows.enumerate() {
            for (d, &value) in row[columns.clone()].iter().enumerate() {
                self.values[d * self.stride + column] = value;
            }
        }
    }

    /// Row `i` from a block on.
    #[inline(always)]
    fn block(&self, i: usize, block: usize) -> &[f32; BLOCK] {
        self.values[i * self.stride + block * BLOCK..]
            .first_chunk()
            .expect("rows are whole blocks")
    }

    #[inline(always)]
    fn block_mut(&mut self, i: usize, block: usize) -> &mut [f32; BLOCK] {
        self.values[i * self.stride + block * BLOCK..]
            .first_chunk_mut()
            .expect("rows are whole blocks")
    }

    /// The sum of the rows, each times its weight, and of that `scale` times, into `out`.
    #[inline(always)]
    fn weighted_sum(&self, weights: &[f32], scale: f32, out: &mut [f32]) {
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let mixed = mixed(weights, scale, |i| self.block(i, block));
            out.copy_from_slice(&mixed[..out.len()]);
        }
    }

    /// Adds to rows j the rows of `other`, each i times `weights` [I, J] at i, j: the weights' columns are not
    /// gone down, of which each value would lie in another line of memory. Sums are made in copies: a compiler
    /// that can't tell two rows apart adds value by value.
    #[inline(always)]
    fn add_transposed_product(&mut self, weights: &[f32], columns: usize, other: &Self) {
        for block in 0..self.stride / BLOCK {
            let mut fours = weights.chunks_exact(4 * columns);
            let mut from = 0;
            for four in &mut fours {
                let rows = [0, 1, 2, 3].map(|i| *other.block(from + i, block));
                let (ab, cd) = four.split_at(2 * columns);
                let ((a, b), (c, d)) = (ab.split_at(columns), cd.split_at(columns));
                for j in 0..columns {
                    let mut sum = *self.block(j, block);
                    add(&mut sum, a[j], &rows[0]);
                    add(&mut sum, b[j], &rows[1]);
                    add(&mut sum, c[j], &rows[2]);
                    add(&mut sum, d[j], &rows[3]);
                    *self.block_mut(j, block) = sum;
                }
                from += 4;
            }
            for (i, weights) in fours.remainder().chunks_exact(columns).enumerate() {
                let row = *other.block(from + i, block);
                for (j, &weight) in weights.iter().enumerate() {
                    let mut sum = *self.block(j, block);
                    add(&mut sum, weight, &row);
                    *self.block_mut(j, block) = sum;
                }
            }
        }
    }

    /// Writes `scale` times the rows into those `columns` of `x`, `width` wide.
    #[inline(always)]
    fn give(&self, x: &mut [f32], width: usize, columns: Range<usize>, scale: f32) {
        let rows = self.values.chunks_exact(self.stride);
        for (row, packed) in x.chunks_exact_mut(width).zip(rows) {
            for (value, packed) in row[columns.clone()].iter_mut().zip(packed) {
                *value = packed * scale;
            }
        }
    }
}

/// The sum of rows, each times its weight, and of that `scale` times.
#[inline(always)]
fn mixed<'a, const BLOCK: usize>(
    weights: &[f32],
    scale: f32,
    row: impl Fn(usize) -> &'a [f32; BLOCK],
) -> [f32; BLOCK] {
    let (fours, rest) = weights.as_chunks::<4>();
    // Four sums at a time: an addition waits for the one before it.
    let [mut a, mut b, mut c, mut d] = [[0.0f32; BLOCK]; 4];
    for (i, weights) in fours.iter().enumerate() {
        add(&mut a, weights[0], row(4 * i));
        add(&mut b, weights[1], row(4 * i + 1));
        add(&mut c, weights[2], row(4 * i + 2));
        add(&mut d, weights[3], row(4 * i + 3));
    }
    for (i, &weight) in rest.iter().enumerate() {
        add(&mut a, weight, row(4 * fours.len() + i));
    }
    for lane in 0..BLOCK {
        a[lane] = ((a[lane] + b[lane]) + (c[lane] + d[lane])) * scale;
    }
    a
}

/// Row `i` of `x`, `width` wide, from `column` on.
#[inline(always)]
fn part<const BLOCK: usize>(x: &[f32], width: usize, i: usize, column: usize) -> &[f32; BLOCK] {
    x[i * width + column..]
        .first_chunk()
        .expect("a head is a block")
}

/// The same, to be written.
#[inline(always)]
fn part_mut<const BLOCK: usize>(
    x: &mut [f32],
    width: usize,
    i: usize,
    column: usize,
) -> &mut [f32; BLOCK] {
    x[i * width + column..]
        .first_chunk_mut()
        .expect("a head is a block")
}

/// A block's columns of `rows` rows of `x` as rows.
#[inline(always)]
fn transposed<const BLOCK: usize>(
    x: &[f32],
    width: usize,
    rows: usize,
    column: usize,
) -> [[f32; BLOCK]; BLOCK] {
    let mut transposed = [[0.0; BLOCK]; BLOCK];
    for i in 0..rows {
        let row = part::<BLOCK>(x, width, i, column);
        for (transposed, value) in transposed.iter_mut().zip(row) {
            transposed[i] = *value;
        }
    }
    transposed
}

/// The lanes joined, halves with each other.
#[inline(always)]
fn reduce<const BLOCK: usize>(mut lanes: [f32; BLOCK], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = BLOCK / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn add<const BLOCK: usize>(sum: &mut [f32; BLOCK], weight: f32, row: &[f32; BLOCK]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += weight * value;
    }
}

/// What is kept from one sequence to the next.
#[derive(Default)]
pub struct Scratch<const BLOCK: usize> {
    transposed: Packed<BLOCK>,
    queries: Packed<BLOCK>,
    keys: Packed<BLOCK>,
    values: Packed<BLOCK>,
    gathered: Packed<BLOCK>,
}

/// `output` [Lq, W], and `attention_weights` [H, Lq, Lk].
#[with_simd]
pub fn attend<'a, S: Simd, const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence<'a>,
    bias: &[f32],
    output: &mut [f32],
    attention_weights: &mut [f32],
    scratch: &mut Scratch<BLOCK>,
) {
    if sizes.are_blocks(BLOCK) {
        return attend_blocked::<BLOCK>(sizes, of, bias, output, attention_weights);
    }
    let (width, keys, head) = (sizes.width, sizes.keys, sizes.head());
    let Scratch {
        transposed, values, ..
    } = scratch;
    let each = attention_weights.chunks_exact_mut(sizes.queries * keys);
    for (h, attention_weights) in each.enumerate() {
        let own = h * head..(h + 1) * head;
        transposed.pack_transposed(of.key, width, own.clone());
        values.take(of.value, width, own.clone());
        let rows = of
            .query
            .chunks_exact(width)
            .zip(output.chunks_exact_mut(width));
        for (i, (attention_weights, (query, output))) in attention_weights
            .chunks_exact_mut(keys)
            .zip(rows)
            .enumerate()
        {
            transposed.weighted_sum(&query[own.clone()], sizes.heads.scale, attention_weights);
            let [of_head, of_query, of_key] = sizes.bias;
            let bias = &bias[h * of_head + i * of_query..];
            for (j, score) in attention_weights.iter_mut().enumerate() {
                *score += bias[j * of_key];
            }
            softmax(attention_weights);
            values.weighted_sum(attention_weights, 1.0, &mut output[own.clone()]);
        }
    }
}

/// Scores to shares.
#[inline(always)]
fn softmax(row: &mut [f32]) {
    let highest = highest(row);
    for score in row.iter_mut() {
        *score = exp(*score - highest);
    }
    let over = 1.0 / sum(row, |x| x);
    for share in row.iter_mut() {
        *share *= over;
    }
}

/// The gradients, of which that of `output` is `grad` [Lq, W].
#[with_simd]
pub fn attend_backward<'a, S: Simd, const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence<'a>,
    attention_weights: &[f32],
    grad: &[f32],
    to: Gradients<'a>,
    scratch: &mut Scratch<BLOCK>,
) {
    if sizes.are_blocks(BLOCK) {
        return attend_blocked_backward::<BLOCK>(sizes, of, attention_weights, grad, to);
    }
    let (width, keys, head, scale) = (sizes.width, sizes.keys, sizes.head(), sizes.heads.scale);
    let each = sizes.queries * keys;
    let heads = to
        .scores
        .chunks_exact_mut(each)
        .zip(attention_weights.chunks_exact(each));
    for (h, (scores, attention_weights)) in heads.enumerate() {
        let own = h * head..(h + 1) * head;
        scratch
            .transposed
            .pack_transposed(of.value, width, own.clone());
        scratch.queries.take(of.query, width, own.clone());
        scratch.keys.take(of.key, width, own.clone());
        scratch.values.take(grad, width, own.clone());
        let rows = scores
            .chunks_exact_mut(keys)
            .zip(attention_weights.chunks_exact(keys));
        let ends = grad
            .chunks_exact(width)
            .zip(to.query.chunks_exact_mut(width));
        for ((scores, attention_weights), (grad, query)) in rows.zip(ends) {
            scratch
                .transposed
                .weighted_sum(&grad[own.clone()], 1.0, scores);
            let along = dot(scores, attention_weights);
            for (score, attention_weights) in scores.iter_mut().zip(attention_weights) {
                *score = attention_weights * (*score - along);
            }
            scratch
                .keys
                .weighted_sum(scores, scale, &mut query[own.clone()]);
        }
        scratch.gathered.clear(keys, head);
        let gathered = &mut scratch.gathered;
        gathered.add_transposed_product(scores, keys, &scratch.queries);
        gathered.give(to.key, width, own.clone(), scale);
        gathered.clear(keys, head);
        gathered.add_transposed_product(attention_weights, keys, &scratch.values);
        gathered.give(to.value, width, own, 1.0);
    }
}

/// `keys` entries of a bias, `step` apart, and whatever after them: a block is read at once where there is one.
#[inline(always)]
fn row_of<const BLOCK: usize>(bias: &[f32], step: usize, keys: usize) -> [f32; BLOCK] {
    match (step, bias.first_chunk()) {
        (0, _) => [bias[0]; BLOCK],
        (1, Some(row)) => *row,
        _ => {
            let mut row = [0.0; BLOCK];
            for (j, value) in row[..keys].iter_mut().enumerate() {
                *value = bias[j * step];
            }
            row
        }
    }
}

#[inline(always)]
fn attend_blocked<const BLOCK: usize>(
    sizes: &Sizes,
    of: Sequence,
    bias: &[f32],
    output: &mut [f32],
    attention_weights: &mut [f32],
) {
    let (width, keys) = (sizes.width, sizes.keys);
    let [of_head, of_query, of_key] = sizes.bias;
    for h in 0..sizes.heads.count {
        let own = h * BLOCK;
        let transposed = transposed::<BLOCK>(of.key, width, keys, own);
        // Each of these waits for the one before it, but not for those of other queries.
        for first in (0..sizes.queries).step_by(BLOCK) {
            let mut rows = [[0.0; BLOCK]; BLOCK];
            let rows = &mut rows[..BLOCK.min(sizes.queries - first)];
            for (i, scores) in rows.iter_mut().enumerate() {
                let query = part::<BLOCK>(of.query, width, first + i, own);
                *scores = mixed(query, sizes.heads.scale, |d| &transposed[d]);
                let bias = &bias[h * of_head + (first + i) * of_query..];
                let biases = row_of::<BLOCK>(bias, of_key, keys);
                for j in 0..BLOCK {
                    scores[j] = match j < keys {
                        true => scores[j] + biases[j],
                        false => f32::NEG_INFINITY,
                    };
                }
            }
            for row in rows.iter_mut() {
                let highest = reduce(*row, |a, b| if b > a { b } else { a });
                for share in row.iter_mut() {
                    *share = exp(*share - highest);
                }
                let over = 1.0 / reduce(*row, |a, b| a + b);
                for share in row {
                    *share *= over;
                }
            }
            for (i, shares) in rows.iter().enumerate() {
                // What is written beyond the row's end the next one writes over.
                let row = &mut attention_weights[(h * sizes.queries + first + i) * keys..];
                match row.first_chunk_mut::<BLOCK>() {
                    Some(row) => *row = *shares,
                    None => row[..keys].copy_from_slice(&shares[..keys]),
                }
                let mixed = mixed(&shares[..keys], 1.0, |j| {
                    part::<BLOCK>(of.value, width, j, own)
                });
                *part_mut(output, width, first + i, own) = mixed;
            }
        }
    }
}

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
        let own = h * BLOCK;
        let transposed = transposed::<BLOCK>(of.value, width, keys, own);
        let [mut key_grads, mut value_grads] = [[[0.0; BLOCK]; BLOCK]; 2];
        for i in 0..sizes.queries {
            let row = (h * sizes.queries + i) * keys;
            let mut shares = [0.0; BLOCK];
            for (share, &attention_weights) in
                shares.iter_mut().zip(&attention_weights[row..row + keys])
            {
                *share = attention_weights;
            }
            let query = part::<BLOCK>(of.query, width, i, own);
            let grad = part::<BLOCK>(grad, width, i, own);
            let mut scores = mixed(grad, 1.0, |d| &transposed[d]);
            let mut along = scores;
            for (along, share) in along.iter_mut().zip(shares) {
                *along *= share;
            }
            let along = reduce(along, |a, b| a + b);
            for (score, share) in scores.iter_mut().zip(shares) {
                *score = share * (*score - along);
            }
            let each = to.scores[row..row + keys].iter_mut().zip(scores);
            each.for_each(|(to, score)| *to = score);
            *part_mut(to.query, width, i, own) = mixed(&scores[..keys], scale, |j| {
                part::<BLOCK>(of.key, width, j, own)
            });
            for j in 0..keys {
                add(&mut key_grads[j], scores[j], query);
                add(&mut value_grads[j], shares[j], grad);
            }
        }
        for j in 0..keys {
            for (to, grad) in part_mut::<BLOCK>(to.key, width, j, own)
                .iter_mut()
                .zip(key_grads[j])
            {
                *to = grad * scale;
            }
            *part_mut(to.value, width, j, own) = value_grads[j];
        }
    }
}
