//! Face of a glyph: a low band of 8x8 places in colour, painted from the function as a whole, and the hue of the detail above
//! it. What is seen at arm's length, or in a thumbnail, is what the function is; its tokens are the detail, in brightness, as an
//! engraving that the colours are seen through. In three channels detail is confetti that hides any face.
//!
//! Shapes: B pictures, P canvas pixels, D = token width.

use burn::{module::Module, nn::Linear, tensor::Tensor};

use super::{
    layout::CANVAS,
    resampling::{block_means, resampled},
};
use crate::{
    kernels::silu,
    nn::{device_constants::table, init::Initializer, linear::linear},
};

/// Places of the low band a side.
pub const PLACES: usize = 8;
/// Hidden units.
const HIDDEN: usize = 128;
/// Red, green and blue of the low band's three values, before the sigmoid: brightness, orange against blue, magenta against
/// green. Of even brightness, detail has room on both sides, and a camera's light changes it little.
const OPPONENTS: [f32; 9] = [0.4, 1.2, 0.6, 0.4, 0.1, -0.8, 0.4, -1.2, 0.6];

/// Low band and palette of a function.
#[derive(Module, Debug)]
pub struct Face {
    hidden: Linear,
    places: Linear,
    palette: Linear,
}

impl Face {
    /// Random weights for functions of `width` values.
    pub fn new(width: usize, init: &mut Initializer) -> Self {
        Self {
            hidden: init.linear_relu(width, HIDDEN),
            places: init.linear_biased(HIDDEN, 3 * PLACES * PLACES, (HIDDEN as f32).powf(-0.5)),
            palette: init.linear_biased(HIDDEN, 3, 0.3 * (HIDDEN as f32).powf(-0.5)),
        }
    }

    /// Canvases [B, 3, P]: the `detail` [B, 1, P] in the hue of the functions [B, D], without a low band of its own, on theirs.
    pub fn forward(&self, detail: Tensor<3>, functions: Tensor<2>) -> Tensor<3> {
        let (device, [batch, ..]) = (detail.device(), detail.dims());
        let hidden = silu(linear(&self.hidden, functions));
        let palette = linear(&self.palette, hidden.clone()).tanh() * 0.5;
        let palette = (palette + 1.0).reshape([batch, 3, 1]);
        let detail = palette.matmul(detail).reshape([batch, 3, CANVAS, CANVAS]);
        let places = linear(&self.places, hidden).tanh();
        let colours = table("opponents", &[], &device, || OPPONENTS.to_vec());
        let colours = colours.reshape([1, 3, 3]);
        let places = colours.matmul(places.reshape([batch, 3, PLACES * PLACES]));
        let places = places.reshape([batch, 3, PLACES, PLACES]);
        let canvas = without_low_band(detail) + resampled(places, "low band", CANVAS);
        canvas.reshape([batch, 3, CANVAS * CANVAS])
    }
}

/// Square pictures [B, C, N, N] less their low band: means of 8x8 blocks, upsampled.
pub fn without_low_band(pictures: Tensor<4>) -> Tensor<4> {
    let size = pictures.dims()[3];
    let low = block_means(pictures.clone(), PLACES);
    pictures - resampled(low, "low band", size)
}
