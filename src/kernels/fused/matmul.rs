//! Matrix product on the CPU, by gemm.
//!
//! burn 0.22 fills the output with zeros and copies them before it multiplies.

use gemm::{Parallelism, gemm};

/// Multiplications from which on a product is worth several threads.
pub const PARALLEL_FROM: usize = 192 * 192 * 192;

/// View of a matrix in a slice.
#[derive(Clone, Copy, Debug)]
pub struct StridedMatrix<'a> {
    /// Elements, from the first one on.
    pub values: &'a [f32],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Elements from one row to the next, and from one column to the next.
    pub strides: [usize; 2],
}

impl StridedMatrix<'_> {
    /// True if all elements lie within the slice.
    fn is_in_bounds(&self) -> bool {
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

/// Product [M, N] of `left` [M, K] and `right` [K, N], row-major.
///
/// # Panics
/// If the two K differ, or a matrix exceeds its slice.
#[allow(unsafe_code)]
pub fn matmul(left: StridedMatrix, right: StridedMatrix) -> Vec<f32> {
    let ([rows, inner], [right_rows, columns]) = (left.shape, right.shape);
    assert_eq!(
        inner, right_rows,
        "columns of the left matrix, rows of the right"
    );
    assert!(left.is_in_bounds() && right.is_in_bounds());
    let work = rows.saturating_mul(columns).saturating_mul(inner);
    let parallelism = match work < PARALLEL_FROM {
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
