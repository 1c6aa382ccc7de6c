//! Pose head: a small network that detects a picture's four corners in a photo, so that it can be rectified before it is
//! recognized (after the spatial transformers of Jaderberg et al. 2015, arXiv 1506.02025; here the true corners supervise
//! the training).

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Tensor, module::conv2d, ops::ConvOptions},
};

use crate::{
    kernels::silu,
    nn::{conv::pad_zeros, device_constants::table, init::Initializer, linear::linear},
};

/// Pixels a side of the head's input.
pub const POSE_SIZE: usize = 64;

/// Corners of a picture that fills the photo.
const UPRIGHT: [f32; 8] = [-1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0];

/// Corner detector: three convolutions of stride 2, then two dense layers. SiLU, because ReLU units die for good while few
/// pictures are tilted; overlapping convolutions, because a head on disjoint patches is half as exact.
#[derive(Module, Debug)]
pub struct PoseHead {
    kernels: Vec<Param<Tensor<4>>>,
    dense: Linear,
    output: Linear,
}

impl PoseHead {
    /// Random weights; before training all pictures are detected as upright.
    pub fn new(width: usize, init: &mut Initializer) -> Self {
        let kernels = [
            (3, width, 5),
            (width, 2 * width, 3),
            (2 * width, 4 * width, 3),
        ];
        let kernels =
            kernels.map(|(inputs, outputs, size)| init.kernel(inputs, outputs, size, 1.0));
        let last = POSE_SIZE / 8;
        Self {
            kernels: kernels.into(),
            dense: init.linear_relu(4 * width * last * last, 8 * width),
            output: init.linear_biased(8 * width, 8, 0.01 / (8.0 * width as f32).sqrt()),
        }
    }

    /// Head's input [B, 3, 64, 64] of pictures [B, 3, 128, 128]: means of 2x2 pixels.
    pub fn shrink(pictures: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = pictures.dims();
        pictures
            .reshape([batch, channels, height / 2, 2, width / 2, 2])
            .mean_dim(5)
            .mean_dim(3)
            .reshape([batch, channels, height / 2, width / 2])
    }

    /// Corners [B, 8] of small pictures [B, 3, 64, 64]: x and y of the left top, right top, right bottom and left bottom
    /// one, in half sides from the centre.
    pub fn forward(&self, small: Tensor<4>) -> Tensor<2> {
        let device = small.device();
        let mut x = small * 2.0 - 1.0;
        for kernel in &self.kernels {
            let kernel = kernel.val();
            let [outputs, channels, size, _] = kernel.dims();
            x = silu(if channels <= 4 && outputs <= 16 && size % 4 == 1 {
                conv_stride_2_by_blocks(x, kernel)
            } else {
                conv_stride_2(x, kernel)
            });
        }
        let offsets = linear(&self.output, silu(linear(&self.dense, x.flatten(1, 3))));
        let upright = table("upright", &[], &device, || UPRIGHT.to_vec());
        offsets + upright.unsqueeze()
    }
}

/// Convolution [B, O, H / 2, W / 2] of stride 2 of [B, C, H, W], H and W even, with `kernel` [O, C, K, K], K odd.
fn conv_stride_2(x: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    let reach = kernel.dims()[2] / 2;
    conv2d(
        x,
        kernel,
        None,
        ConvOptions::new([2, 2], [reach, reach], [1, 1], 1),
    )
}

/// [`conv_stride_2`] for kernels of 1, 5, 9, .. pixels: of stride 1 over blocks of 2x2 pixels as channels. From at most 4
/// channels to at most 16, burn computes value by value on the CPU; this is a product, which saves 6 % of a training step
/// (2026-11-22).
fn conv_stride_2_by_blocks(x: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let blocks = x
        .reshape([batch, channels, height / 2, 2, width / 2, 2])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([batch, 4 * channels, height / 2, width / 2]);
    let [outputs, _, size, _] = kernel.dims();
    // A row and a column of zeros complete the last blocks.
    let even = pad_zeros(kernel, [0, 1], [0, 1]);
    let kernel = even
        .reshape([outputs, channels, size.div_ceil(2), 2, size.div_ceil(2), 2])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([outputs, 4 * channels, size.div_ceil(2), size.div_ceil(2)]);
    let reach = size / 4;
    conv2d(
        blocks,
        kernel,
        None,
        ConvOptions::new([1, 1], [reach, reach], [1, 1], 1),
    )
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn blocks_give_the_convolution_they_stand_for() {
        let given = |shape: [usize; 4]| {
            let count: usize = shape.iter().product();
            let values: Vec<f32> = (0..count)
                .map(|i| (i * 37 % 61) as f32 / 30.0 - 1.0)
                .collect();
            Tensor::from_data(TensorData::new(values, shape), &Device::flex())
        };
        for (size, height, width) in [(1, 4, 6), (5, 8, 8), (5, 2, 12), (9, 12, 10)] {
            let x = given([2, 3, height, width]);
            let kernel = given([4, 3, size, size]);
            let difference =
                conv_stride_2_by_blocks(x.clone(), kernel.clone()) - conv_stride_2(x, kernel);
            let difference: f32 = difference.abs().max().into_scalar();
            assert!(difference < 1e-5, "kernels of {size}: {difference}");
        }
    }
}
