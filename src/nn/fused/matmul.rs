//! Products of matrices on the CPU.
//!
//! burn 0.22 fills the place of a product with zeros and copies them to another place before it multiplies: 9 % of an
//! executor's step and 13 % of a map.

use gemm::{Parallelism, gemm};

/// Multiplications from which on more threads than one are worth waking.
pub const FOR_THREADS: usize = 192 * 192 * 192;

/// A matrix in a slice.
#[derive(Clone, Copy, Debug)]
pub struct StridedMatrix<'a> {
    /// From its first entry on.
    pub values: &'a [f32],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// From one row to the next, and from one column.
    pub strides: [usize; 2],
}

impl StridedMatrix<'_> {
    /// Whether all its entries are in its slice.
    fn is_whole(&self) -> bool {
        let last = self
            .shape
            .iter()
            .zip(self.strides)
            .try_fold(0, |last, (&count, stride)| {
                count.checked_sub(1).map(|steps| last + steps * stride)
            });
        last.is_none_or(|last| last < self.values.len())
    }
}

/// `left` [M, K] times `right` [K, N], row by row.
///
/// # Panics
/// If K isn't the same, or entries lie outside of the slices.
#[allow(unsafe_code)]
pub fn matmul(left: StridedMatrix, right: StridedMatrix) -> Vec<f32> {
    let ([rows, inner], [same, columns]) = (left.shape, right.shape);
    assert_eq!(inner, same, "columns of the left matrix, rows of the right");
    assert!(left.is_whole() && right.is_whole());
    let work = rows.saturating_mul(columns).saturating_mul(inner);
    let parallelism = match work < FOR_THREADS {
        true => Parallelism::None,
        false => Parallelism::Rayon(0),
    };
    let [left_row, left_column] = left.strides.map(|stride| stride as isize);
    let [right_row, right_column] = right.strides.map(|stride| stride as isize);
    let mut output: Vec<f32> = Vec::with_capacity(rows * columns);
    // SAFETY: all that is read lies in the slices, as asserted; all of `output` is written, and, that being told by
    // `false`, not read.
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            output.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.values.as_ptr(),
            left_column,
            left_row,
            right.values.as_ptr(),
            right_column,
            right_row,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
        output.set_len(rows * columns);
    }
    output
}
