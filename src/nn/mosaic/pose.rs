//! Where a picture lies in a photo: a small network that finds its four corners, so that it can be
//! set upright before it is read (after the spatial transformers of Jaderberg et al. 2015,
//! arXiv 1506.02025; here the corners are known while training, so they are learnt from directly).

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Tensor, module::conv2d, ops::ConvOptions},
};

use crate::nn::{
    conv::with_zeros, device_constants::table, fused::silu, init::Initializer, linear::linear,
};

/// Pixels a side that the head looks at.
pub const POSE_SIZE: usize = 64;

/// The corners of a picture that fills the photo.
const UPRIGHT: [f32; 8] = [-1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0];

/// Picture to corners: three convolutions at stride 2, then two dense layers. Swish, because units of
/// a rectifier die for good while few pictures are tilted; convolutions that overlap, because a head
/// on patches side by side is half as exact.
#[derive(Module, Debug)]
pub struct PoseHead {
    kernels: Vec<Param<Tensor<4>>>,
    dense: Linear,
    output: Linear,
}

impl PoseHead {
    /// Random weights; to begin with every picture is taken for upright.
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

    /// Pictures [B, 3, 128, 128] to [B, 3, 64, 64]: what the head looks at.
    pub fn shrink(pictures: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = pictures.dims();
        pictures
            .reshape([batch, channels, height / 2, 2, width / 2, 2])
            .mean_dim(5)
            .mean_dim(3)
            .reshape([batch, channels, height / 2, width / 2])
    }

    /// Small pictures [B, 3, 64, 64] to where each corner (left top, right top, right bottom, left
    /// bottom; x, y) lies, in half sides from the middle: [B, 8].
    pub fn forward(&self, small: Tensor<4>) -> Tensor<2> {
        let device = small.device();
        let mut x = small * 2.0 - 1.0;
        for kernel in &self.kernels {
            let kernel = kernel.val();
            let [outputs, channels, size, _] = kernel.dims();
            x = silu(if channels <= 4 && outputs <= 16 && size % 4 == 1 {
                halved_by_blocks(x, kernel)
            } else {
                halved(x, kernel)
            });
        }
        let moved = linear(&self.output, silu(linear(&self.dense, x.flatten(1, 3))));
        let upright = table("upright", &[], &device, || UPRIGHT.to_vec());
        moved + upright.unsqueeze()
    }
}

/// The convolution at stride 2 of [B, C, H, W], H and W even, with `kernel` [O, C, K, K], K odd: [B, O, H / 2, W / 2].
fn halved(x: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    let reach = kernel.dims()[2] / 2;
    conv2d(
        x,
        kernel,
        None,
        ConvOptions::new([2, 2], [reach, reach], [1, 1], 1),
    )
}

/// The same as [`halved`], for kernels of 1, 5, 9, .. pixels: at stride 1 over blocks of 2 x 2 pixels as channels.
/// Where no more than 4 channels become no more than 16, burn goes value by value on the CPU; this is a product,
/// which takes 6 % off a training step.
fn halved_by_blocks(x: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let blocks = x
        .reshape([batch, channels, height / 2, 2, width / 2, 2])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([batch, 4 * channels, height / 2, width / 2]);
    let [outputs, _, size, _] = kernel.dims();
    // A row and a column of zeros fill the last blocks.
    let even = with_zeros(kernel, [0, 1], [0, 1]);
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
            let apart = halved_by_blocks(x.clone(), kernel.clone()) - halved(x, kernel);
            let furthest: f32 = apart.abs().max().into_scalar();
            assert!(furthest < 1e-5, "kernels of {size}: {furthest} apart");
        }
    }
}
