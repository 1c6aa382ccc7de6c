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
        return Points::plane([]);
    }
    if points.values.iter().any(|value| !value.is_finite()) {
        return Points::plane(vec![[f32::NAN; 2]; n]);
    }
    let values = DMatrix::from_row_iterator(n, dims, points.values.iter().map(|v| f64::from(*v)));
    let mean = values.row_mean();
    let centred = DMatrix::from_fn(n, dims, |row, axis| values[(row, axis)] - mean[axis]);
    let spread = SymmetricEigen::new(centred.transpose() * &centred);
    let mut order: Vec<usize> = (0..dims).collect();
    order.sort_by(|a, b| spread.eigenvalues[*b].total_cmp(&spread.eigenvalues[*a]));
    let weights = |axis: usize| -> Vec<f64> {
        let weights = spread.eigenvectors.column(axis);
        let larger = |a: f64, b: &f64| if b.abs() > a.abs() { *b } else { a };
        let sign = weights.iter().fold(0.0, larger).signum();
        weights.iter().map(|w| w * sign).collect()
    };
    // A space of one dimension has no second axis.
    let axes = [0, 1].map(|rank| order.get(rank).map_or(Vec::new(), |axis| weights(*axis)));
    let along = |row: usize, weights: &[f64]| -> f32 {
        let products = weights
            .iter()
            .zip(0..)
            .map(|(w, axis)| w * centred[(row, axis)]);
        products.sum::<f64>() as f32
    };
    Points::plane((0..n).map(|row| [0, 1].map(|axis| along(row, &axes[axis]))))
}
