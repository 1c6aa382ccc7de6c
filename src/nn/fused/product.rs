//! Products of matrices on the CPU.
//!
//! burn 0.22 fills the place of a product with zeros and copies them to another place before it multiplies: 9 % of an
//! executor's step and 13 % of a map.

use std::mem::MaybeUninit;

use gemm::{Parallelism, gemm};
use rayon::prelude::*;

/// Multiplications from which on more threads than one are worth waking.
const FOR_THREADS: usize = 192 * 192 * 192;

/// A matrix in a slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// From its first entry on.
    pub values: &'a [f32],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// From one row to the next, and from one column.
    pub strides: [usize; 2],
}

impl Matrix<'_> {
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

/// Of each pair the left [M, K] times the right [K, N], row by row, one after the other.
///
/// # Panics
/// If K, or a pair's shapes and the first one's, aren't the same, or entries lie outside of the slices.
pub fn products(pairs: &[(Matrix, Matrix)]) -> Vec<f32> {
    let Some((left, right)) = pairs.first() else {
        return Vec::new();
    };
    let ([rows, inner], [same, columns]) = (left.shape, right.shape);
    assert_eq!(inner, same, "columns of the left matrix, rows of the right");
    let is_alike = |(other, another): &(Matrix, Matrix)| {
        (other.shape, another.shape) == (left.shape, right.shape)
            && other.is_whole()
            && another.is_whole()
    };
    assert!(pairs.iter().all(is_alike));
    let each = rows * columns;
    let work = each.saturating_mul(inner).max(1);
    let mut found = Vec::with_capacity(pairs.len() * each);
    let places = &mut found.spare_capacity_mut()[..pairs.len() * each];
    if let [pair] = pairs {
        let parallelism = match work < FOR_THREADS {
            true => Parallelism::None,
            false => Parallelism::Rayon(0),
        };
        product(pair, places, parallelism);
    } else if each > 0 {
        places
            .par_chunks_mut(each)
            .zip(pairs)
            .with_min_len((FOR_THREADS / 2).div_ceil(work))
            .for_each(|(place, pair)| product(pair, place, Parallelism::None));
    }
    // SAFETY: each place was written.
    #[allow(unsafe_code)]
    unsafe {
        found.set_len(pairs.len() * each);
    }
    found
}

/// Writes a pair's product, all of it, to its place.
#[allow(unsafe_code)]
fn product((left, right): &(Matrix, Matrix), place: &mut [MaybeUninit<f32>], by: Parallelism) {
    let ([rows, inner], columns) = (left.shape, right.shape[1]);
    assert_eq!(place.len(), rows * columns);
    let [left_row, left_column] = left.strides.map(|stride| stride as isize);
    let [right_row, right_column] = right.strides.map(|stride| stride as isize);
    // SAFETY: all that is read lies in the slices, as `products` asserts; all of the place is written, and, that being
    // told by `false`, not read.
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            place.as_mut_ptr().cast::<f32>(),
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
            by,
        );
    }
}
