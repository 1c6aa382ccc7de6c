//! What is laid over a picture: a patch that hides a part of it, and static.

use burn::tensor::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::image_ops::{PIECE, noise_blocks_of};
use crate::nn::{device_constants::table, init::normal};

/// A rectangle of one colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patch {
    /// Its centre, across and down, where -1 and 1 are the picture's edges.
    pub centre: [f32; 2],
    /// Its width and height, where 1 is the picture's.
    pub sides: [f32; 2],
    /// How wide its edges fade, where 1 is the picture's side; 0 for a hard edge.
    pub fade: f32,
    /// Red, green and blue.
    pub colour: [f32; 3],
}

impl Patch {
    /// Its numbers, as [`super::optics`] has them.
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

/// Static for `values` values of this standard deviation, piece by piece: where it begins in the table of normal
/// values, and by how much it is multiplied. The same for the same seed.
///
/// Normal values straight from the generator would take as long as a warp: 3.1 million for 64
/// pictures. So pieces of a table of 262,144 are taken, each from a place and with a sign of its own.
/// Each value is normal, pieces overlap rarely (some 70 pairs of the 74,000 in a picture of
/// 3x128x128), and which do says nothing of the picture.
pub(super) fn noise_blocks(
    values: usize,
    deviation: f32,
    seed: u64,
) -> impl Iterator<Item = (i32, f32)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..noise_blocks_of(values)).map(move |_| match deviation {
        0.0 => (0, 0.0),
        _ => {
            let draw: u32 = rng.random();
            let start = (draw >> 1) as usize % (TABLE - PIECE);
            let sign = if draw & 1 == 0 { 1.0 } else { -1.0 };
            (start as i32, sign * deviation)
        }
    })
}

/// The table, `[262144]`.
pub(super) fn normals(device: &Device) -> Tensor<1> {
    table("static", &[], device, || {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        (0..TABLE).map(|_| normal(&mut rng)).collect()
    })
}

const TABLE: usize = 1 << 18;
