//! Where a picture lies in a photo: a small network that finds its four corners, so that it can be
//! set upright before it is read (after the spatial transformers of Jaderberg et al. 2015,
//! arXiv 1506.02025; here the corners are known while training, so they are learnt from directly).

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Tensor, module::conv2d, ops::ConvOptions},
};

use crate::nn::{fused::silu, init::Initializer};

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
            let reach = kernel.dims()[2] / 2;
            let options = ConvOptions::new([2, 2], [reach, reach], [1, 1], 1);
            x = silu(conv2d(x, kernel, None, options));
        }
        let moved = self
            .output
            .forward(silu(self.dense.forward(x.flatten(1, 3))));
        moved + Tensor::from_data([UPRIGHT], &device)
    }
}
