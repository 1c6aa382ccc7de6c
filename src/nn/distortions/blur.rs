//! Gaussian blur, by a standard deviation for each picture.
//!
//! Computed as two products with banded matrices, down and across: any border rule is free, products are fast on every
//! device, and for pictures of this size no slower than a grouped convolution.

use burn::tensor::Tensor;

use crate::{kernels::matmul, nn::device_constants::table};

/// Pixels of the kernel on each side of its centre.
const RADIUS: usize = 3;
/// Weights of a kernel.
pub(super) const TAPS: usize = 2 * RADIUS + 1;

/// Pictures [B, C, H, W], each blurred by its row of `kernels` [B, 7], see [`blur_kernel`], down and across, with the border
/// replicated.
pub fn blur(images: Tensor<4>, kernels: Tensor<2>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let matrix = |side: usize| {
        let shifts = table("shifts", &[side], &kernels.device(), || shifts(side));
        let shifts = shifts.reshape([TAPS, side * side]);
        matmul(kernels.clone(), shifts).reshape([batch, side, side])
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

/// Shift matrices [7, side, side], one per tap: row i selects the pixel that the tap meets at i.
fn shifts(side: usize) -> Vec<f32> {
    let mut values = vec![0.0; TAPS * side * side];
    for (tap, matrix) in values.chunks_mut(side * side).enumerate() {
        for (pixel, row) in matrix.chunks_mut(side).enumerate() {
            row[(pixel + tap).saturating_sub(RADIUS).min(side - 1)] = 1.0;
        }
    }
    values
}

/// Gaussian kernel of a standard deviation in pixels; 0 for no blur.
pub fn blur_kernel(deviation: f32) -> [f32; TAPS] {
    let mut kernel = std::array::from_fn(|tap| {
        let distance = tap.abs_diff(RADIUS) as f32 / deviation.max(1e-3);
        (-0.5 * distance * distance).exp()
    });
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
    kernel
}
