//! Gaussian blur, each picture with its own width.
//!
//! As two products with banded matrices, down and across: any border rule costs nothing, it is one
//! fast operation on every device, and for pictures of this size no slower than a grouped
//! convolution.

use burn::tensor::{Tensor, TensorData};

/// How far the kernel reaches to each side: 7 by 7.
const REACH: usize = 3;

/// Pictures [B, C, H, W], each blurred by a 7x7 Gaussian of its own standard deviation in pixels (0
/// leaves it as it is). Beyond the border the nearest pixel of the border goes on.
///
/// # Panics
/// Unless there are B deviations.
pub fn blur(images: Tensor<4>, deviations: &[f32]) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    assert_eq!(deviations.len(), batch, "one deviation for each picture");
    let device = images.device().inner();
    let matrix = |side: usize| {
        let values = TensorData::new(matrices(deviations, side), [batch, side, side]);
        Tensor::<3>::from_data(values, &device)
    };
    let down = matrix(height);
    let across = if width == height {
        down.clone()
    } else {
        matrix(width)
    };
    let rows = images.reshape([batch, channels * height, width]);
    let rows = rows.matmul(across.transpose());
    let images = rows.reshape([batch, channels, height, width]);
    down.unsqueeze_dim::<4>(1).matmul(images)
}

/// A matrix [side, side] for each deviation that blurs a column.
fn matrices(deviations: &[f32], side: usize) -> Vec<f32> {
    let mut values = vec![0.0; deviations.len() * side * side];
    for (matrix, deviation) in values.chunks_mut(side * side).zip(deviations) {
        let kernel = kernel(*deviation);
        for (place, row) in matrix.chunks_mut(side).enumerate() {
            for (tap, weight) in kernel.iter().enumerate() {
                row[(place + tap).saturating_sub(REACH).min(side - 1)] += weight;
            }
        }
    }
    values
}

fn kernel(deviation: f32) -> [f32; 2 * REACH + 1] {
    let mut kernel = std::array::from_fn(|tap| {
        let distance = tap.abs_diff(REACH) as f32 / deviation.max(1e-3);
        (-0.5 * distance * distance).exp()
    });
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
    kernel
}
