//! Resampling of square pictures, as products with a matrix on both axes.

use burn::tensor::Tensor;

use crate::nn::device_constants::table;

/// Cubic B-spline around 0, of width 4.
pub fn b_spline(x: f32) -> f32 {
    match x.abs() {
        x if x < 1.0 => 2.0 / 3.0 - x * x + x * x * x / 2.0,
        x if x < 2.0 => (2.0 - x).powi(3) / 6.0,
        _ => 0.0,
    }
}

/// Resampling matrix [`size`, `from`] of a line by cubic B-splines, which also smooth it; the border is replicated.
pub fn resampling_matrix(from: usize, size: usize) -> Vec<f32> {
    let step = from as f32 / size as f32;
    // Of a smaller picture each pixel is the mean of many.
    let width = step.max(1.0);
    let mut weights = vec![0.0; size * from];
    for (i, row) in weights.chunks_mut(from).enumerate() {
        let centre = (i as f32 + 0.5) * step - 0.5;
        let reach = (2.0 * width).ceil() as i32;
        for at in centre.floor() as i32 - reach..=centre.floor() as i32 + reach {
            let column = at.clamp(0, from as i32 - 1) as usize;
            row[column] += b_spline((centre - at as f32) / width);
        }
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
    weights
}

/// Square pictures [B, C, N, N], resampled to [B, C, `size`, `size`]; the matrix is kept by `name`, of one N each.
pub fn resampled(pictures: Tensor<4>, name: &'static str, size: usize) -> Tensor<4> {
    let [.., from] = pictures.dims();
    let matrix = table(name, &[size], &pictures.device(), || {
        resampling_matrix(from, size)
    });
    both_axes(pictures, matrix.reshape([size, from]))
}

/// Square pictures [B, C, N, N] as means of their blocks, [B, C, `size`, `size`].
pub fn block_means(pictures: Tensor<4>, size: usize) -> Tensor<4> {
    let [batch, channels, side, _] = pictures.dims();
    let block = side / size;
    pictures
        .reshape([batch, channels, size, block, size, block])
        .mean_dim(5)
        .mean_dim(3)
        .reshape([batch, channels, size, size])
}

/// Square pictures [B, C, N, N] with their rows and columns multiplied by `matrix` [M, N]: [B, C, M, M].
fn both_axes(pictures: Tensor<4>, matrix: Tensor<2>) -> Tensor<4> {
    let ([batch, channels, from, _], [to, _]) = (pictures.dims(), matrix.dims());
    let x = pictures
        .reshape([batch * channels * from, from])
        .matmul(matrix.clone().transpose())
        .reshape([batch * channels, from, to]);
    let x = matrix.unsqueeze::<3>().matmul(x);
    x.reshape([batch, channels, to, to])
}
