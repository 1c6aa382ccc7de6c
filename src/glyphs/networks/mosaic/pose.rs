//! Pose head: a small network that detects a picture's four corners in a photo, so that it can be rectified before it is
//! recognized (after the spatial transformers of Jaderberg et al. 2015, arXiv 1506.02025; here the true corners supervise
//! the training).

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::Tensor,
};

use super::resampling::block_means;
use crate::{
    kernels::silu,
    nn::{conv::halving_conv, device_constants::table, init::Initializer, linear::linear},
};

/// Pixels a side of the head's input.
pub const POSE_SIZE: usize = 64;

/// Corners of a picture that fills the photo.
const UPRIGHT: [f32; 8] = [-1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0];

/// Corner detector: four convolutions of stride 2, then two dense layers. SiLU, because ReLU units die for good while few
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
            (4 * width, 4 * width, 3),
        ];
        let kernels =
            kernels.map(|(inputs, outputs, size)| init.kernel(inputs, outputs, size, 1.0));
        let last = POSE_SIZE / 16;
        Self {
            kernels: kernels.into(),
            dense: init.linear_relu(4 * width * last * last, 8 * width),
            output: init.linear_biased(8 * width, 8, 0.01 / (8.0 * width as f32).sqrt()),
        }
    }

    /// Head's input [B, 3, 64, 64] of pictures [B, 3, 128, 128]: means of 2x2 pixels.
    pub fn shrink(pictures: Tensor<4>) -> Tensor<4> {
        block_means(pictures, POSE_SIZE)
    }

    /// Corners [B, 8] of small pictures [B, 3, 64, 64]: x and y of the left top, right top, right bottom and left bottom
    /// one, in half sides from the centre.
    pub fn forward(&self, small: Tensor<4>) -> Tensor<2> {
        let device = small.device();
        let mut x = small * 2.0 - 1.0;
        for kernel in &self.kernels {
            x = silu(halving_conv(x, kernel.val()));
        }
        let offsets = linear(&self.output, silu(linear(&self.dense, x.flatten(1, 3))));
        let upright = table("upright", &[], &device, || UPRIGHT.to_vec());
        offsets + upright.unsqueeze()
    }
}
