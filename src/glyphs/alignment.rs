//! Alignment of a photo with a painted glyph, to a fraction of a pixel: Lucas and Kanade 1981, by Gauss-Newton steps over the
//! eight parameters of a homography. Slopes are those of the painted glyph, which has no noise (Baker and Matthews 2004,
//! "Lucas-Kanade 20 years on", International Journal of Computer Vision 56): those of a noisy photo would shrink every step.
//!
//! A first reading is right in most cells while its picture lies a few pixels off. Painted again, it shows where the cells
//! should be.

use image::RgbImage;
use nalgebra::{SMatrix, SVector};

use super::photo::Photo;
use crate::{
    glyphs::config::GLYPH_SIZE,
    nn::distortions::{CORNERS, Homography},
};

/// Gauss-Newton steps.
const STEPS: usize = 6;
/// Side in pixels of the blocks whose means are left out: light, and a glyph's face.
const BLOCK: usize = 16;
/// Residual beyond which a value counts less (Cauchy's weight), in units of the picture's deviation.
const OUTLIER: f32 = 2.0;
/// Least share of the photo's deviation that is taken for the glyph's.
const LEAST_GAIN: f32 = 0.2;
/// Part of the diagonal added to it (Levenberg-Marquardt).
const DAMPING: f64 = 1e-3;
/// Largest motion of a corner in a step, in half sides: more is no alignment.
const LARGEST: f64 = 0.15;

/// Map from the view to the photo, nearer to what shows `painted`; `weights` [128 128] of its pixels. The map as it was where
/// the photo has nothing in common with it.
pub fn aligned(
    photo: &Photo,
    mut map: Homography,
    painted: &RgbImage,
    weights: &[f32],
) -> Homography {
    let painted = Values::new(painted);
    for _ in 0..STEPS {
        let view = Values::new(&photo.view(&map, GLYPH_SIZE));
        let Some(motion) = motion(&view, &painted, weights) else {
            break;
        };
        map = map.then(&motion);
    }
    map
}

/// Values of a picture in units of their deviation, without the means of what is around, by channel and pixel.
struct Values(Vec<f32>);

impl Values {
    fn new(picture: &RgbImage) -> Self {
        let size = GLYPH_SIZE;
        let mut values = vec![0.0; 3 * size * size];
        for (at, pixel) in picture.pixels().enumerate() {
            for (channel, value) in pixel.0.iter().enumerate() {
                values[channel * size * size + at] = f32::from(*value) / 255.0;
            }
        }
        for channel in values.chunks_mut(size * size) {
            let low = smoothed(&smoothed(channel));
            channel.iter_mut().zip(low).for_each(|(x, low)| *x -= low);
            let square: f32 = channel.iter().map(|x| x * x).sum();
            let deviation = (square / (size * size) as f32).sqrt().max(1e-3);
            channel.iter_mut().for_each(|x| *x /= deviation);
        }
        Self(values)
    }
}

/// Means of the values around each pixel, along rows, transposed: twice gives both axes.
fn smoothed(values: &[f32]) -> Vec<f32> {
    let size = GLYPH_SIZE;
    let mut means = vec![0.0; size * size];
    for (row, line) in values.chunks(size).enumerate() {
        let mut sums = vec![0.0; size + 1];
        for (at, value) in line.iter().enumerate() {
            sums[at + 1] = sums[at] + value;
        }
        for column in 0..size {
            let (from, to) = (
                column.saturating_sub(BLOCK / 2),
                (column + BLOCK / 2 + 1).min(size),
            );
            means[column * size + row] = (sums[to] - sums[from]) / (to - from) as f32;
        }
    }
    means
}

/// Motion of the view that brings it nearer to what is painted; `None` if there is none, or too much.
fn motion(view: &Values, painted: &Values, weights: &[f32]) -> Option<Homography> {
    let size = GLYPH_SIZE;
    let mut normal = SMatrix::<f64, 8, 8>::zeros();
    let mut right = SVector::<f64, 8>::zeros();
    let half = size as f32 / 2.0;
    for channel in 0..3 {
        let base = channel * size * size;
        let (view, painted) = (
            &view.0[base..base + size * size],
            &painted.0[base..base + size * size],
        );
        // What of the photo's deviation is the glyph's, and not noise.
        let common: f32 = view.iter().zip(painted).map(|(a, b)| a * b).sum();
        let gain = (common / (size * size) as f32).clamp(LEAST_GAIN, 1.0);
        for row in 1..size - 1 {
            for column in 1..size - 1 {
                let at = row * size + column;
                let residual = gain * painted[at] - view[at];
                let outlier = residual / OUTLIER;
                let weight = weights[at] / (1.0 + outlier * outlier);
                if weight < 1e-3 {
                    continue;
                }
                // Central differences, a half side.
                let dx = gain * (painted[at + 1] - painted[at - 1]) * half / 2.0;
                let dy = gain * (painted[at + size] - painted[at - size]) * half / 2.0;
                let place = |at: usize| (at as f32 + 0.5) / half - 1.0;
                let (x, y) = (place(column), place(row));
                let along = dx * x + dy * y;
                let slope = SVector::<f32, 8>::from([
                    dx * x,
                    dx * y,
                    dx,
                    dy * x,
                    dy * y,
                    dy,
                    -along * x,
                    -along * y,
                ]);
                let weighted = (slope * weight).cast::<f64>();
                normal.ger(1.0, &weighted, &slope.cast(), 1.0);
                right.axpy(f64::from(residual), &weighted, 1.0);
            }
        }
    }
    for i in 0..8 {
        normal[(i, i)] *= 1.0 + DAMPING;
        normal[(i, i)] += 1e-9;
    }
    let p = normal.cholesky()?.solve(&right);
    let corners = CORNERS.map(|[x, y]| {
        let along = p[6] * x + p[7] * y + 1.0;
        [
            ((1.0 + p[0]) * x + p[1] * y + p[2]) / along,
            (p[3] * x + (1.0 + p[4]) * y + p[5]) / along,
        ]
    });
    let is_near = corners.iter().zip(CORNERS).all(|(corner, whole)| {
        let [dx, dy] = [corner[0] - whole[0], corner[1] - whole[1]];
        dx.hypot(dy) < LARGEST
    });
    Homography::rectify_corners(corners).filter(|_| is_near)
}
