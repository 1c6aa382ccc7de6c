//! Upsampling of square pictures, as products with a matrix on both axes.

use burn::tensor::Tensor;

use crate::nn::device_constants::table;

/// Upsampling matrix [`size`, `from`] of a line by cubic B-splines, which also smooth it; the border is replicated.
pub fn upsampling_matrix(from: usize, size: usize) -> Vec<f32> {
    let kernel = |x: f32| match x.abs() {
        x if x < 1.0 => 2.0 / 3.0 - x * x + x * x * x / 2.0,
        x if x < 2.0 => (2.0 - x).powi(3) / 6.0,
        _ => 0.0,
    };
    let mut weights = vec![0.0; size * from];
    for i in 0..size {
        let centre = (i as f32 + 0.5) * from as f32 / size as f32 - 0.5;
        for tap in -1..=2 {
            let at = centre.floor() as i32 + tap;
            let column = at.clamp(0, from as i32 - 1) as usize;
            weights[i * from + column] += kernel(centre - at as f32);
        }
    }
    weights
}

/// Square pictures [B, C, N, N], upsampled to [B, C, `size`, `size`]; the matrix is kept by `name`, of one N each.
pub fn upsampled(pictures: Tensor<4>, name: &'static str, size: usize) -> Tensor<4> {
    let [.., from] = pictures.dims();
    let matrix = table(name, &[size], &pictures.device(), || {
        upsampling_matrix(from, size)
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
pub fn both_axes(pictures: Tensor<4>, matrix: Tensor<2>) -> Tensor<4> {
    let ([batch, channels, from, _], [to, _]) = (pictures.dims(), matrix.dims());
    let x = pictures
        .reshape([batch * channels * from, from])
        .matmul(matrix.clone().transpose())
        .reshape([batch * channels, from, to]);
    let x = matrix.unsqueeze::<3>().matmul(x);
    x.reshape([batch, channels, to, to])
}
