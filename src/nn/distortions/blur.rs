//! Gaussian blur, each picture with its own width.
//!
//! As two products with banded matrices, down and across: any border rule costs nothing, it is one
//! fast operation on every device, and for pictures of this size no slower than a grouped
//! convolution.

use burn::tensor::{Tensor, TensorData};

use crate::nn::{device_constants::table, fused::matmul};

/// How far the kernel reaches to each side: 7 by 7.
const REACH: usize = 3;
/// Weights of a kernel.
pub(super) const TAPS: usize = 2 * REACH + 1;

/// Pictures [B, C, H, W], each blurred by a 7x7 Gaussian of its own standard deviation in pixels (0
/// leaves it as it is). Beyond the border the nearest pixel of the border goes on.
///
/// # Panics
/// Unless there are B deviations.
pub fn blur(images: Tensor<4>, deviations: &[f32]) -> Tensor<4> {
    let batch = images.dims()[0];
    assert_eq!(deviations.len(), batch, "one deviation for each picture");
    let kernels = deviations.iter().flat_map(|deviation| kernel(*deviation));
    let kernels = TensorData::new(kernels.collect(), [batch, TAPS]);
    let kernels = Tensor::from_data(kernels, &images.device().inner());
    blurred(images, kernels)
}

/// Pictures [B, C, H, W], each blurred by its kernel of [B, 7], down and across.
pub(super) fn blurred(images: Tensor<4>, kernels: Tensor<2>) -> Tensor<4> {
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

/// For each tap of a kernel a matrix [side, side] that takes of a column's values those the tap meets.
fn shifts(side: usize) -> Vec<f32> {
    let mut values = vec![0.0; TAPS * side * side];
    for (tap, matrix) in values.chunks_mut(side * side).enumerate() {
        for (place, row) in matrix.chunks_mut(side).enumerate() {
            row[(place + tap).saturating_sub(REACH).min(side - 1)] = 1.0;
        }
    }
    values
}

/// The Gaussian of a standard deviation in pixels.
pub(super) fn kernel(deviation: f32) -> [f32; TAPS] {
    let mut kernel = std::array::from_fn(|tap| {
        let distance = tap.abs_diff(REACH) as f32 / deviation.max(1e-3);
        (-0.5 * distance * distance).exp()
    });
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
    kernel
}
