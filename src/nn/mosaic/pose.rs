//! Where a picture lies in a photo: a small network that finds its four corners, so that it can be
//! set upright before it is read (after the spatial transformers of Jaderberg et al. 2015,
//! arXiv 1506.02025; here the corners are known while training, so they are learnt from directly).

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Tensor, activation::relu},
};

use crate::nn::init::Initializer;

/// Pixels a side that the head looks at.
pub const POSE_SIZE: usize = 64;

/// The corners of a picture that fills the photo.
const UPRIGHT: [f32; 8] = [-1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0];

/// Picture to corners: patches of patches of patches, each layer a product.
#[derive(Module, Debug)]
pub struct PoseHead {
    stem: Linear,
    first: Linear,
    second: Linear,
    hidden: Linear,
    corners: Linear,
}

impl PoseHead {
    /// Random weights; to begin with every picture is taken for upright.
    pub fn new(width: usize, init: &mut Initializer) -> Self {
        let last = POSE_SIZE / 16;
        Self {
            stem: init.linear_relu(3 * 4 * 4, width),
            first: init.linear_relu(4 * width, 2 * width),
            second: init.linear_relu(4 * 2 * width, 4 * width),
            hidden: init.linear_relu(4 * width * last * last, 8 * width),
            corners: init.linear_biased(8 * width, 8, 0.01 / (8.0 * width as f32).sqrt()),
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
        let x = (small * 2.0 - 1.0).permute([0, 2, 3, 1]);
        let x = relu(self.stem.forward(patches(x, 4)));
        let x = relu(self.first.forward(patches(x, 2)));
        let x = relu(self.second.forward(patches(x, 2)));
        let moved = self
            .corners
            .forward(relu(self.hidden.forward(x.flatten(1, 3))));
        moved + Tensor::from_data([UPRIGHT], &device)
    }
}

/// [B, H, W, C] to [B, H / side, W / side, side * side * C].
fn patches(x: Tensor<4>, side: usize) -> Tensor<4> {
    let [batch, height, width, channels] = x.dims();
    x.reshape([batch, height / side, side, width / side, side, channels])
        .permute([0, 1, 3, 2, 4, 5])
        .reshape([batch, height / side, width / side, side * side * channels])
}
