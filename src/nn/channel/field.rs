//! What is laid over a picture: a patch that hides a part of it, and static.

use std::sync::LazyLock;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Blow;
use crate::nn::init::normal;

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
    /// Hides what it covers: `paint` [3, H, W] gets the colour times the cover, `keep` [H, W] what is
    /// left of the picture.
    fn lay(&self, keep: &mut [f32], paint: &mut [f32], [height, width]: [usize; 2]) {
        let (columns, rows) = (self.cover(0, width), self.cover(1, height));
        let covers = rows.iter().flat_map(|r| columns.iter().map(move |c| r * c));
        for (place, cover) in covers.enumerate().filter(|(_, cover)| *cover > 0.0) {
            keep[place] = 1.0 - cover;
            for (channel, colour) in self.colour.iter().enumerate() {
                paint[channel * height * width + place] = cover * colour;
            }
        }
    }

    /// The share of each pixel that is covered, along one axis.
    fn cover(&self, axis: usize, pixels: usize) -> Vec<f32> {
        let fade = self.fade.max(1.0 / pixels as f32);
        let share = |i: usize| {
            let place = (2 * i + 1) as f32 / pixels as f32 - 1.0;
            let inside = 0.5 * (self.sides[axis] - (place - self.centre[axis]).abs());
            (inside / fade + 0.5).clamp(0.0, 1.0)
        };
        (0..pixels).map(share).collect()
    }
}

/// What is left of each picture behind its patch, [B, H, W], and what is laid over it, [B, 3, H, W]:
/// the patch's colour and the static.
pub(super) fn layers(blows: &[Blow], size: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
    let pixels = size[0] * size[1];
    let mut keep = vec![1.0; blows.len() * pixels];
    let mut paint = vec![0.0; blows.len() * 3 * pixels];
    let each = keep.chunks_mut(pixels).zip(paint.chunks_mut(3 * pixels));
    for (blow, (keep, paint)) in blows.iter().zip(each) {
        if let Some(patch) = &blow.patch {
            patch.lay(keep, paint, size);
        }
        if blow.deviation > 0.0 {
            add_static(paint, blow.deviation, blow.noise_seed);
        }
    }
    (keep, paint)
}

/// Adds static of this standard deviation to `values`; the same for the same seed.
///
/// Normal values straight from the generator would take as long as a warp: 3.1 million for 64
/// pictures. So pieces of a table of 262,144 are taken, each from a place and with a sign of its own.
/// Each value is normal, pieces overlap rarely (some 70 pairs of the 74,000 in a picture of
/// 3x128x128), and which do says nothing of the picture.
fn add_static(values: &mut [f32], deviation: f32, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for piece in values.chunks_mut(PIECE) {
        let draw: u32 = rng.random();
        let start = (draw >> 1) as usize % (TABLE - PIECE);
        let scale = if draw & 1 == 0 { deviation } else { -deviation };
        for (value, noise) in piece.iter_mut().zip(&NORMALS[start..]) {
            *value += scale * noise;
        }
    }
}

const TABLE: usize = 1 << 18;
const PIECE: usize = 128;

static NORMALS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    (0..TABLE).map(|_| normal(&mut rng)).collect()
});
