//! Occluding patches and Gaussian noise.

use burn::tensor::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    kernels::image_ops::{NOISE_BLOCK, noise_block_count},
    nn::{device_constants::table, init::normal},
};

/// Rectangular patch of one colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patch {
    /// Centre (x, y), where -1 and 1 are the picture's edges.
    pub centre: [f32; 2],
    /// Width and height, where 1 is the picture's.
    pub sides: [f32; 2],
    /// Width of its soft edge, where 1 is the picture's side; 0 for a hard edge.
    pub fade: f32,
    /// Red, green and blue.
    pub colour: [f32; 3],
}

impl Patch {
    /// Parameters of the patch, the last nine of [`image_ops::OVERLAY_LEN`](crate::kernels::image_ops::OVERLAY_LEN).
    pub(super) fn numbers(&self) -> [f32; 9] {
        let Self {
            centre: [x, y],
            sides: [width, height],
            fade,
            colour: [red, green, blue],
        } = *self;
        [x, y, width, height, fade, red, green, blue, 1.0]
    }
}

/// Noise of `values` values of this standard deviation by `seed`, block by block: offset in [`noise_table`] and scale.
///
/// Normal values straight from the generator would take as long as a warp: 3.1 million for 64 pictures. So blocks of a
/// table of 262,144 are used, each with an offset and sign of its own. Each value is normal, blocks rarely overlap (some
/// 70 pairs of the 74,000 in a picture of 3x128x128), and the overlaps don't depend on the picture.
pub(super) fn noise_blocks(
    values: usize,
    deviation: f32,
    seed: u64,
) -> impl Iterator<Item = (i32, f32)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..noise_block_count(values)).map(move |_| match deviation {
        0.0 => (0, 0.0),
        _ => {
            let draw: u32 = rng.random();
            let offset = (draw >> 1) as usize % (TABLE - NOISE_BLOCK);
            let sign = if draw & 1 == 0 { 1.0 } else { -1.0 };
            (offset as i32, sign * deviation)
        }
    })
}

/// Standard normal values `[262144]`.
pub(super) fn noise_table(device: &Device) -> Tensor<1> {
    table("static", &[], device, || {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        (0..TABLE).map(|_| normal(&mut rng)).collect()
    })
}

/// Values of the table.
const TABLE: usize = 1 << 18;
