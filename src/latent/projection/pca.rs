//! Principal component analysis: projection onto the two directions of largest variance.
//!
//! Computed from the eigenvectors of the covariance matrix: exact, and fast for the few hundred dimensions
//! of a latent space. (linfa-reduction iterates from a random start instead.)

use nalgebra::{DMatrix, SymmetricEigen};

use crate::latent::points::Points;

/// Coordinates along the first two principal axes about the mean: N x 2, in the points' units. The sign of
/// each axis makes its largest weight positive, as in scikit-learn. An axis without variance is zero;
/// points that are not finite yield NaN coordinates.
pub fn pca(points: &Points) -> Points {
    let (n, dims) = (points.len(), points.dims);
    if n == 0 || dims == 0 {
        return Points {
            dims: 2,
            values: Vec::new(),
        };
    }
    if points.values.iter().any(|value| !value.is_finite()) {
        return Points {
            dims: 2,
            values: vec![f32::NAN; 2 * n],
        };
    }
    let values = DMatrix::from_row_iterator(n, dims, points.values.iter().map(|v| f64::from(*v)));
    let mean = values.row_mean();
    let centred = DMatrix::from_fn(n, dims, |row, axis| values[(row, axis)] - mean[axis]);
    let spread = SymmetricEigen::new(centred.transpose() * &centred);
    let mut order: Vec<usize> = (0..dims).collect();
    order.sort_by(|a, b| spread.eigenvalues[*b].total_cmp(&spread.eigenvalues[*a]));
    let axes: Vec<Vec<f64>> = order
        .into_iter()
        .take(2)
        .map(|axis| {
            let weights = spread.eigenvectors.column(axis);
            let largest = weights
                .iter()
                .fold(0.0, |a: f64, b| if b.abs() > a.abs() { *b } else { a });
            weights.iter().map(|w| w * largest.signum()).collect()
        })
        .collect();
    let along = |row: usize, axis: usize| {
        let weights = axes.get(axis).map_or(&[][..], Vec::as_slice);
        let product = weights
            .iter()
            .enumerate()
            .map(|(axis, w)| w * centred[(row, axis)]);
        product.sum::<f64>() as f32
    };
    Points {
        dims: 2,
        values: (0..n)
            .flat_map(|row| [along(row, 0), along(row, 1)])
            .collect(),
    }
}
