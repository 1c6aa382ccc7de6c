//! Attention of one sequence on the CPU, head by head.
//!
//! Our sequences are short and heads narrow: products of such matrices cost a general matrix product more in
//! setting out than in arithmetic, and it wants the heads apart. Here all products are sums of weighted rows, eight
//! columns at a time, of packed copies whose rows are padded to a multiple of that.

use macerator::{Simd, with_simd};

use super::{
    Heads,
    lanes::{exp, highest, sum},
};

/// Columns of a product made at once.
const BLOCK: usize = 8;

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

    /// Scores of a sequence.
    pub fn taken(&self) -> usize {
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

/// Rows of a matrix, padded with zeros to whole blocks.
#[derive(Default)]
struct Packed {
    stride: usize,
    values: Vec<f32>,
}

impl Packed {
    #[inline(always)]
    fn clear(&mut self, rows: usize, columns: usize) {
        self.stride = columns.next_multiple_of(BLOCK);
        self.values.clear();
        self.values.resize(rows * self.stride, 0.0);
    }

    /// One head's columns of `x` [L, W].
    #[inline(always)]
    fn take(&mut self, x: &[f32], width: usize, head: usize, from: usize) {
        let rows = x.chunks_exact(width);
        self.clear(rows.len(), head);
        for (row, packed) in rows.zip(self.values.chunks_exact_mut(self.stride)) {
            packed[..head].copy_from_slice(&row[from..from + head]);
        }
    }

    /// The same with rows for columns.
    #[inline(always)]
    fn take_turned(&mut self, x: &[f32], width: usize, head: usize, from: usize) {
        let rows = x.chunks_exact(width);
        self.clear(head, rows.len());
        for (column, row) in rows.enumerate() {
            for (d, &value) in row[from..from + head].iter().enumerate() {
                self.values[d * self.stride + column] = value;
            }
        }
    }

    /// The sum of the first `count` rows, each times its weight, into `out`.
    #[inline(always)]
    fn mix(&self, count: usize, weight: impl Fn(usize) -> f32, out: &mut [f32]) {
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let row = |i: usize| -> &[f32; BLOCK] {
                self.values[i * self.stride + block * BLOCK..]
                    .first_chunk()
                    .expect("rows are padded")
            };
            // Four sums at a time: an addition waits for the one before it.
            let mut sums = [[0.0f32; BLOCK]; 4];
            let whole = count / 4 * 4;
            for from in (0..whole).step_by(4) {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let (weight, row) = (weight(from + i), row(from + i));
                    for (sum, value) in sum.iter_mut().zip(row) {
                        *sum += weight * value;
                    }
                }
            }
            for i in whole..count {
                let (weight, row) = (weight(i), row(i));
                for (sum, value) in sums[0].iter_mut().zip(row) {
                    *sum += weight * value;
                }
            }
            let [a, b, c, d] = sums;
            let mut total = [0.0; BLOCK];
            for (lane, total) in total.iter_mut().enumerate() {
                *total = (a[lane] + b[lane]) + (c[lane] + d[lane]);
            }
            out.copy_from_slice(&total[..out.len()]);
        }
    }
}

/// What is kept from one sequence to the next.
#[derive(Default)]
pub struct Scratch {
    turned: Packed,
    queries: Packed,
    keys: Packed,
    values: Packed,
}

/// `found` [Lq, W], and `taken` [H, Lq, Lk].
#[with_simd]
pub fn attend<'a, S: Simd>(
    sizes: &Sizes,
    of: Sequence<'a>,
    bias: &[f32],
    found: &mut [f32],
    taken: &mut [f32],
    scratch: &mut Scratch,
) {
    let (width, keys, head) = (sizes.width, sizes.keys, sizes.head());
    let Scratch { turned, values, .. } = scratch;
    let each = taken.chunks_exact_mut(sizes.queries * keys);
    for (h, taken) in each.enumerate() {
        let from = h * head;
        turned.take_turned(of.key, width, head, from);
        values.take(of.value, width, head, from);
        for (i, taken) in taken.chunks_exact_mut(keys).enumerate() {
            let query = &of.query[i * width + from..][..head];
            turned.mix(head, |d| query[d] * sizes.heads.scale, taken);
            let [of_head, of_query, of_key] = sizes.bias;
            let bias = &bias[h * of_head + i * of_query..];
            for (j, score) in taken.iter_mut().enumerate() {
                *score += bias[j * of_key];
            }
            soften(taken);
            values.mix(keys, |j| taken[j], &mut found[i * width + from..][..head]);
        }
    }
}

/// Scores to shares.
#[inline(always)]
fn soften(row: &mut [f32]) {
    let highest = highest(row);
    for score in row.iter_mut() {
        *score = exp(*score - highest);
    }
    let over = 1.0 / sum(row.len(), |j| row[j]);
    for share in row.iter_mut() {
        *share *= over;
    }
}

/// The gradients, of which that of `found` is `grad` [Lq, W].
#[with_simd]
pub fn attend_backward<'a, S: Simd>(
    sizes: &Sizes,
    of: Sequence<'a>,
    taken: &[f32],
    grad: &[f32],
    to: Gradients<'a>,
    scratch: &mut Scratch,
) {
    let (width, keys, head, scale) = (sizes.width, sizes.keys, sizes.head(), sizes.heads.scale);
    let queries = sizes.queries;
    let Scratch {
        turned,
        queries: packed_queries,
        keys: packed_keys,
        values: packed_grad,
    } = scratch;
    let scores = to.scores.chunks_exact_mut(queries * keys);
    for (h, (scores, taken)) in scores.zip(taken.chunks_exact(queries * keys)).enumerate() {
        let from = h * head;
        turned.take_turned(of.value, width, head, from);
        packed_queries.take(of.query, width, head, from);
        packed_keys.take(of.key, width, head, from);
        packed_grad.take(grad, width, head, from);
        for (i, (scores, taken)) in scores
            .chunks_exact_mut(keys)
            .zip(taken.chunks_exact(keys))
            .enumerate()
        {
            let grad = &grad[i * width + from..][..head];
            turned.mix(head, |d| grad[d], scores);
            let along = sum(keys, |j| scores[j] * taken[j]);
            for (score, taken) in scores.iter_mut().zip(taken) {
                *score = taken * (*score - along);
            }
            let out = &mut to.query[i * width + from..][..head];
            packed_keys.mix(keys, |j| scores[j] * scale, out);
        }
        for j in 0..keys {
            let out = &mut to.key[j * width + from..][..head];
            packed_queries.mix(queries, |i| scores[i * keys + j] * scale, out);
            let out = &mut to.value[j * width + from..][..head];
            packed_grad.mix(queries, |i| taken[i * keys + j], out);
        }
    }
}
