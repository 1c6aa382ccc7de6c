//! On the CPU, picture by picture.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles for each of its first parameter"
)]

use burn::backend::{Flex, TensorMetadata, flex::FlexTensor};
use macerator::{Simd, with_simd};
use rayon::prelude::*;

use super::{ImageOps, ImageOpsGradients, OF_FRONT, OF_MAP, PIECE, STEPS, noise_blocks_of};
use crate::nn::{
    distortions::Homography,
    fused::{as_i64, contiguous, tensor, values},
};

/// For each pixel of a row the first of the four pixels around its place in the input, and how far it lies to the right
/// of that one's centre and below it, from 0 to 1.
#[derive(Default)]
struct Taps {
    first: Vec<u32>,
    right: Vec<f32>,
    below: Vec<f32>,
}

impl Taps {
    fn of_row(columns: usize) -> Self {
        Self {
            first: vec![0; columns],
            right: vec![0.0; columns],
            below: vec![0.0; columns],
        }
    }

    /// From the first pixel of a tap to the one at its right and the one below it.
    fn steps([height, width]: [usize; 2]) -> [usize; 2] {
        [usize::from(width > 1), if height > 1 { width } else { 0 }]
    }

    /// What a row of a plane becomes.
    fn take(&self, plane: &[f32], [right, below]: [usize; 2], row: &mut [f32]) {
        let taps = self.first.iter().zip(&self.right).zip(&self.below);
        for (value, ((&first, &x), &y)) in row.iter_mut().zip(taps) {
            let first = first as usize;
            let (above, under) = (&plane[first..], &plane[first + below..]);
            let line = |line: &[f32]| line[0] * (1.0 - x) + line[right] * x;
            *value = line(above) * (1.0 - y) + line(under) * y;
        }
    }

    /// Gives a row's gradient back.
    fn give(&self, row: &[f32], [right, below]: [usize; 2], plane: &mut [f32]) {
        let taps = self.first.iter().zip(&self.right).zip(&self.below);
        for (grad, ((&first, &x), &y)) in row.iter().zip(taps) {
            let first = first as usize;
            let (above, under) = (grad * (1.0 - y), grad * y);
            plane[first] += above * (1.0 - x);
            plane[first + right] += above * x;
            plane[first + below] += under * (1.0 - x);
            plane[first + below + right] += under * x;
        }
    }
}

/// The taps of row `i` of a picture of `size` in one of size `from`.
#[with_simd]
fn lay<S: Simd>(taps: &mut Taps, maps: &[f32], i: usize, size: [usize; 2], from: [usize; 2]) {
    let centre = |i: usize, n: usize| (2 * i + 1) as f32 / n as f32 - 1.0;
    let v = centre(i, size[0]);
    let (seen, there) = maps.split_at(OF_MAP);
    let split = |place: f32, side: usize| {
        let pixel = ((place + 1.0) * side as f32 - 1.0) / 2.0;
        let last = (side - 1) as f32;
        // A place that is no number is the border.
        let pixel = if pixel > 0.0 { pixel } else { 0.0 };
        let pixel = if pixel < last { pixel } else { last };
        let steps = (pixel * STEPS as f32 + 0.5) as u32;
        let first = (steps / STEPS as u32).min(side.saturating_sub(2) as u32);
        let beyond = steps - first * STEPS as u32;
        (first, beyond as f32 / STEPS as f32)
    };
    let width = from[1] as u32;
    let taps = (taps.first.iter_mut())
        .zip(&mut taps.right)
        .zip(&mut taps.below);
    for (j, ((first, right), below)) in taps.enumerate() {
        let inside = |x: f32| {
            if x > -1.0 {
                if x < 1.0 { x } else { 1.0 }
            } else {
                -1.0
            }
        };
        let photo = through(seen, [centre(j, size[1]), v]).map(inside);
        let [x, y] = through(there, photo);
        let ((column, x), (row, y)) = (split(x, from[1]), split(y, from[0]));
        *first = row * width + column;
        *right = x;
        *below = y;
    }
}

/// The place a map leads to; what lies behind the eye is taken as very far away.
#[inline(always)]
fn through(map: &[f32], [u, v]: [f32; 2]) -> [f32; 2] {
    let line = |k: usize| map[3 * k] * u + (map[3 * k + 1] * v + map[3 * k + 2]);
    let depth = line(2);
    let nearness = 1.0 / if depth > 1e-6 { depth } else { 1e-6 };
    [line(0) * nearness, line(1) * nearness]
}

/// Pairs of pictures of two tensors, one of them made, with what each has in `of`.
fn each<'a>(
    made: &'a mut [f32],
    given: &'a [f32],
    of: &'a [f32],
    pictures: usize,
) -> impl IndexedParallelIterator<Item = ((&'a mut [f32], &'a [f32]), &'a [f32])> {
    let part = |length: usize| (length / pictures.max(1)).max(1);
    let (to, from, with) = (part(made.len()), part(given.len()), part(of.len()));
    made.par_chunks_mut(to)
        .zip(given.par_chunks(from))
        .zip(of.par_chunks(with))
}

impl ImageOps for Flex {
    fn image_warp(images: FlexTensor, maps: FlexTensor, size: [usize; 2]) -> FlexTensor {
        let [images, maps] = [images, maps].map(contiguous);
        let [batch, channels, height, width] = images.shape().dims();
        let (from, pixels) = ([height, width], size[0] * size[1]);
        let mut seen = vec![0.0; batch * channels * pixels];
        each(&mut seen, values(&images), values(&maps), batch).for_each_init(
            || Taps::of_row(size[1]),
            |taps, ((seen, picture), maps)| {
                for i in 0..size[0] {
                    lay(taps, maps, i, size, from);
                    let rows = seen.chunks_exact_mut(pixels);
                    for (seen, plane) in rows.zip(picture.chunks_exact(height * width)) {
                        let row = &mut seen[i * size[1]..][..size[1]];
                        taps.take(plane, Taps::steps(from), row);
                    }
                }
            },
        );
        tensor(seen, [batch, channels, size[0], size[1]])
    }

    fn image_overlay(
        images: FlexTensor,
        fronts: FlexTensor,
        starts: FlexTensor,
        deviations: FlexTensor,
        table: FlexTensor,
    ) -> FlexTensor {
        let [images, fronts, deviations, table] =
            [images, fronts, deviations, table].map(contiguous);
        let starts = as_i64(starts);
        let [_, channels, height, width] = images.shape().dims();
        let (size, pieces) = ([height, width], noise_blocks_of(channels * height * width));
        let mut seen = faded(&images, &fronts);
        let (starts, table) = (values::<i64>(&starts), values::<f32>(&table));
        let batch = images.shape()[0];
        each(&mut seen, values(&deviations), values(&fronts), batch)
            .zip(starts.par_chunks(pieces.max(1)))
            .for_each(|(((seen, deviations), front), starts)| {
                let front = OverlayParams::new(front, size);
                front.paint(seen);
                let each = seen.chunks_mut(PIECE).zip(starts.iter().zip(deviations));
                for (piece, (&start, &deviation)) in each.filter(|(_, (_, by))| **by != 0.0) {
                    for (value, noise) in piece.iter_mut().zip(&table[start as usize..]) {
                        *value += deviation * noise;
                    }
                }
            });
        tensor(seen, images.shape())
    }

    fn image_rectify(corners: FlexTensor, tilted: FlexTensor) -> FlexTensor {
        let [corners, tilted] = [corners, tilted].map(contiguous);
        let pictures = values::<f32>(&corners)
            .chunks_exact(8)
            .zip(values::<f32>(&tilted));
        let maps = pictures.flat_map(|(corners, &tilted)| match tilted == 1.0 {
            true => Homography::rectify(corners).numbers(),
            false => Homography::IDENTITY.numbers(),
        });
        tensor(maps.collect(), [corners.shape()[0], OF_MAP])
    }
}

impl ImageOpsGradients for Flex {
    fn image_warp_backward(seen: FlexTensor, maps: FlexTensor, size: [usize; 2]) -> FlexTensor {
        let [seen, maps] = [seen, maps].map(contiguous);
        let [batch, channels, height, width] = seen.shape().dims();
        let pixels = size[0] * size[1];
        let mut images = vec![0.0; batch * channels * pixels];
        each(&mut images, values(&seen), values(&maps), batch).for_each_init(
            || Taps::of_row(width),
            |taps, ((picture, seen), maps)| {
                for i in 0..height {
                    lay(taps, maps, i, [height, width], size);
                    let planes = picture.chunks_exact_mut(pixels);
                    for (plane, seen) in planes.zip(seen.chunks_exact(height * width)) {
                        let row = &seen[i * width..][..width];
                        taps.give(row, Taps::steps(size), plane);
                    }
                }
            },
        );
        tensor(images, [batch, channels, size[0], size[1]])
    }

    fn image_overlay_backward(images: FlexTensor, fronts: FlexTensor) -> FlexTensor {
        let [images, fronts] = [images, fronts].map(contiguous);
        tensor(faded(&images, &fronts), images.shape())
    }
}

/// Pictures with what is left of them behind `fronts`.
fn faded(images: &FlexTensor, fronts: &FlexTensor) -> Vec<f32> {
    let [batch, _, height, width] = images.shape().dims();
    let mut seen = vec![0.0; images.shape().num_elements()];
    each(&mut seen, values(images), values(fronts), batch).for_each(|((seen, picture), front)| {
        let front = OverlayParams::new(front, [height, width]);
        front.fade(picture, seen);
    });
    seen
}

/// What is in front of a picture.
struct OverlayParams<'a> {
    gains: &'a [f32],
    colour: &'a [f32],
    /// How much of each row and column the patch covers.
    rows: Vec<f32>,
    columns: Vec<f32>,
}

impl<'a> OverlayParams<'a> {
    fn new(front: &'a [f32], [height, width]: [usize; 2]) -> Self {
        debug_assert_eq!(front.len(), OF_FRONT);
        let is_shown = front[11];
        let cover = |axis: usize, pixels: usize| {
            let (centre, side) = (front[3 + axis], front[5 + axis]);
            let fade = front[7].max(1.0 / pixels as f32);
            let share = move |i: usize| {
                let place = (2 * i + 1) as f32 / pixels as f32 - 1.0;
                let inside = 0.5 * (side - (place - centre).abs());
                (inside / fade + 0.5).clamp(0.0, 1.0)
            };
            (0..pixels).map(share)
        };
        Self {
            gains: &front[..3],
            colour: &front[8..11],
            rows: cover(1, height).map(|share| share * is_shown).collect(),
            columns: cover(0, width).collect(),
        }
    }

    /// What is left of the picture.
    fn fade(&self, picture: &[f32], seen: &mut [f32]) {
        let (width, pixels) = (self.columns.len(), self.rows.len() * self.columns.len());
        let planes = picture
            .chunks_exact(pixels)
            .zip(seen.chunks_exact_mut(pixels));
        for ((plane, seen), gain) in planes.zip(self.gains) {
            let rows = plane.chunks_exact(width).zip(seen.chunks_exact_mut(width));
            for ((row, seen), down) in rows.zip(&self.rows) {
                let values = seen.iter_mut().zip(row).zip(&self.columns);
                for ((seen, value), across) in values {
                    *seen = value * gain * (1.0 - down * across);
                }
            }
        }
    }

    /// Adds the patch.
    fn paint(&self, seen: &mut [f32]) {
        let (width, pixels) = (self.columns.len(), self.rows.len() * self.columns.len());
        for (seen, colour) in seen.chunks_exact_mut(pixels).zip(self.colour) {
            let rows = seen.chunks_exact_mut(width).zip(&self.rows);
            for (row, down) in rows.filter(|(_, down)| **down > 0.0) {
                for (value, across) in row.iter_mut().zip(&self.columns) {
                    *value += down * across * colour;
                }
            }
        }
    }
}
