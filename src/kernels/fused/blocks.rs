//! Matrices as blocks of columns, small enough for registers: packing, weighted sums and reductions.

use std::ops::Range;

/// Matrix whose rows are padded with zeros to whole blocks of columns.
#[derive(Default)]
pub struct Packed<const BLOCK: usize> {
    stride: usize,
    values: Vec<f32>,
}

impl<const BLOCK: usize> Packed<BLOCK> {
    /// Resets the matrix to zeros of these sizes.
    #[inline(always)]
    pub fn reset(&mut self, rows: usize, columns: usize) {
        self.stride = columns.next_multiple_of(BLOCK);
        self.values.clear();
        self.values.resize(rows * self.stride, 0.0);
    }

    /// Packs `columns` of `x`, rows of `width`.
    #[inline(always)]
    pub fn pack(&mut self, x: &[f32], width: usize, columns: Range<usize>) {
        let rows = x.chunks_exact(width);
        self.reset(rows.len(), columns.len());
        for (row, packed) in rows.zip(self.values.chunks_exact_mut(self.stride)) {
            packed[..columns.len()].copy_from_slice(&row[columns.clone()]);
        }
    }

    /// Packs `columns` of `x`, rows of `width`, as rows.
    #[inline(always)]
    pub fn pack_transposed(&mut self, x: &[f32], width: usize, columns: Range<usize>) {
        let rows = x.chunks_exact(width);
        self.reset(columns.len(), rows.len());
        for (column, row) in rows.enumerate() {
            for (d, &value) in row[columns.clone()].iter().enumerate() {
                self.values[d * self.stride + column] = value;
            }
        }
    }

    /// Block `block` of row `i`.
    #[inline(always)]
    pub fn block(&self, i: usize, block: usize) -> &[f32; BLOCK] {
        self.values[i * self.stride + block * BLOCK..]
            .first_chunk()
            .expect("rows are whole blocks")
    }

    /// Block `block` of row `i`, to write.
    #[inline(always)]
    pub fn block_mut(&mut self, i: usize, block: usize) -> &mut [f32; BLOCK] {
        self.values[i * self.stride + block * BLOCK..]
            .first_chunk_mut()
            .expect("rows are whole blocks")
    }

    /// Writes `scale` times the weighted sum of the rows to `out`.
    #[inline(always)]
    pub fn weighted_sum(&self, weights: &[f32], scale: f32, out: &mut [f32]) {
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let sum = weighted_sum(weights, scale, |i| self.block(i, block));
            out.copy_from_slice(&sum[..out.len()]);
        }
    }

    /// Adds the product of transposed `weights` [I, J] and `other` [I, ..] to the rows [J, ..]. The weights are read row
    /// by row: each element of a column is in a cache line of its own. Sums are kept in copies: where the compiler can't
    /// prove that two rows don't alias, it adds element by element.
    #[inline(always)]
    pub fn add_transposed_product(&mut self, weights: &[f32], columns: usize, other: &Self) {
        for block in 0..self.stride / BLOCK {
            let mut quads = weights.chunks_exact(4 * columns);
            let mut from = 0;
            for quad in &mut quads {
                let rows = [0, 1, 2, 3].map(|i| *other.block(from + i, block));
                let (ab, cd) = quad.split_at(2 * columns);
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
            for (i, weights) in quads.remainder().chunks_exact(columns).enumerate() {
                let row = *other.block(from + i, block);
                for (j, &weight) in weights.iter().enumerate() {
                    let mut sum = *self.block(j, block);
                    add(&mut sum, weight, &row);
                    *self.block_mut(j, block) = sum;
                }
            }
        }
    }

    /// Writes `scale` times the rows to `columns` of `x`, rows of `width`.
    #[inline(always)]
    pub fn unpack(&self, x: &mut [f32], width: usize, columns: Range<usize>, scale: f32) {
        let rows = self.values.chunks_exact(self.stride);
        for (row, packed) in x.chunks_exact_mut(width).zip(rows) {
            for (value, packed) in row[columns.clone()].iter_mut().zip(packed) {
                *value = packed * scale;
            }
        }
    }
}

/// `scale` times the weighted sum of rows.
#[inline(always)]
pub fn weighted_sum<'a, const BLOCK: usize>(
    weights: &[f32],
    scale: f32,
    row: impl Fn(usize) -> &'a [f32; BLOCK],
) -> [f32; BLOCK] {
    let (quads, rest) = weights.as_chunks::<4>();
    // Four independent sums: an addition waits for the one before it.
    let [mut a, mut b, mut c, mut d] = [[0.0f32; BLOCK]; 4];
    for (i, weights) in quads.iter().enumerate() {
        add(&mut a, weights[0], row(4 * i));
        add(&mut b, weights[1], row(4 * i + 1));
        add(&mut c, weights[2], row(4 * i + 2));
        add(&mut d, weights[3], row(4 * i + 3));
    }
    for (i, &weight) in rest.iter().enumerate() {
        add(&mut a, weight, row(4 * quads.len() + i));
    }
    for lane in 0..BLOCK {
        a[lane] = ((a[lane] + b[lane]) + (c[lane] + d[lane])) * scale;
    }
    a
}

/// Block of row `i` of `x`, rows of `width`, from `column` on.
#[inline(always)]
pub fn row_block<const BLOCK: usize>(
    x: &[f32],
    width: usize,
    i: usize,
    column: usize,
) -> &[f32; BLOCK] {
    x[i * width + column..]
        .first_chunk()
        .expect("a head is a block")
}

/// Block of row `i` of `x`, rows of `width`, from `column` on, to write.
#[inline(always)]
pub fn row_block_mut<const BLOCK: usize>(
    x: &mut [f32],
    width: usize,
    i: usize,
    column: usize,
) -> &mut [f32; BLOCK] {
    x[i * width + column..]
        .first_chunk_mut()
        .expect("a head is a block")
}

/// Block of columns of the first `rows` rows of `x`, transposed.
#[inline(always)]
pub fn transposed<const BLOCK: usize>(
    x: &[f32],
    width: usize,
    rows: usize,
    column: usize,
) -> [[f32; BLOCK]; BLOCK] {
    let mut transposed = [[0.0; BLOCK]; BLOCK];
    for i in 0..rows {
        let row = row_block::<BLOCK>(x, width, i, column);
        for (transposed, value) in transposed.iter_mut().zip(row) {
            transposed[i] = *value;
        }
    }
    transposed
}

/// Reduction of the lanes by `join`, half with half.
#[inline(always)]
pub fn reduce<const BLOCK: usize>(mut lanes: [f32; BLOCK], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = BLOCK / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Adds `weight` times `row` to `sum`.
#[inline(always)]
pub fn add<const BLOCK: usize>(sum: &mut [f32; BLOCK], weight: f32, row: &[f32; BLOCK]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += weight * value;
    }
}
