//! Image operations on the CPU, picture by picture.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles each function for every instruction set"
)]

use burn::backend::{Flex, TensorMetadata, flex::FlexTensor};
use macerator::{Simd, with_simd};
use rayon::prelude::*;

use super::{
    HOMOGRAPHY_LEN, Homography, ImageOps, ImageOpsGradients, NOISE_BLOCK, OVERLAY_LEN, SUBPIXELS,
    noise_block_count,
};
use crate::kernels::fused::flex::{as_i64, contiguous, tensor, values};

/// Bilinear taps of a row of pixels: the first of the four pixels around each sampling point, and the point's distances
/// from its centre to the right and below, 0 to 1.
struct Taps {
    first: Vec<u32>,
    right: Vec<f32>,
    below: Vec<f32>,
}

impl Taps {
    /// Taps of a row of `columns` pixels, all 0.
    fn of_row(columns: usize) -> Self {
        Self {
            first: vec![0; columns],
            right: vec![0.0; columns],
            below: vec![0.0; columns],
        }
    }

    /// Offsets from the first pixel of a tap to the one on its right and the one below it.
    fn offsets([height, width]: [usize; 2]) -> [usize; 2] {
        [usize::from(width > 1), if height > 1 { width } else { 0 }]
    }

    fn iter(&self) -> impl Iterator<Item = (usize, f32, f32)> {
        let taps = self.first.iter().zip(&self.right).zip(&self.below);
        taps.map(|((&first, &right), &below)| (first as usize, right, below))
    }

    /// Samples `plane` into `row`.
    fn sample(&self, plane: &[f32], [right, below]: [usize; 2], row: &mut [f32]) {
        for (value, (first, x, y)) in row.iter_mut().zip(self.iter()) {
            let (above, under) = (&plane[first..], &plane[first + below..]);
            let line = |line: &[f32]| line[0] * (1.0 - x) + line[right] * x;
            *value = line(above) * (1.0 - y) + line(under) * y;
        }
    }

    /// Adds the gradient of `row` to that of `plane`.
    fn scatter(&self, row: &[f32], [right, below]: [usize; 2], plane: &mut [f32]) {
        for (grad, (first, x, y)) in row.iter().zip(self.iter()) {
            let (above, under) = (grad * (1.0 - y), grad * y);
            plane[first] += above * (1.0 - x);
            plane[first + right] += above * x;
            plane[first + below] += under * (1.0 - x);
            plane[first + below + right] += under * x;
        }
    }
}

/// Computes the taps of row `i` of a picture of `size` in one of size `from`.
#[with_simd]
fn compute_taps<S: Simd>(
    taps: &mut Taps,
    maps: &[f32],
    i: usize,
    size: [usize; 2],
    from: [usize; 2],
) {
    let centre = |i: usize, n: usize| (2 * i + 1) as f32 / n as f32 - 1.0;
    let v = centre(i, size[0]);
    let (to_photo, to_picture) = maps.split_at(HOMOGRAPHY_LEN);
    let split = |point: f32, side: usize| {
        let pixel = ((point + 1.0) * side as f32 - 1.0) / 2.0;
        let last = (side - 1) as f32;
        // NaN is mapped to the border.
        let pixel = if pixel > 0.0 { pixel } else { 0.0 };
        let pixel = if pixel < last { pixel } else { last };
        let steps = (pixel * SUBPIXELS as f32 + 0.5) as u32;
        let first = (steps / SUBPIXELS as u32).min(side.saturating_sub(2) as u32);
        let fraction = steps - first * SUBPIXELS as u32;
        (first, fraction as f32 / SUBPIXELS as f32)
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
        let photo = project(to_photo, [centre(j, size[1]), v]).map(inside);
        let [x, y] = project(to_picture, photo);
        let ((column, x), (row, y)) = (split(x, from[1]), split(y, from[0]));
        *first = row * width + column;
        *right = x;
        *below = y;
    }
}

/// Point mapped by a homography; behind the camera it is taken as very far away.
#[inline(always)]
fn project(map: &[f32], [u, v]: [f32; 2]) -> [f32; 2] {
    let line = |k: usize| map[3 * k] * u + (map[3 * k + 1] * v + map[3 * k + 2]);
    let depth = line(2);
    let inverse_depth = 1.0 / if depth > 1e-6 { depth } else { 1e-6 };
    [line(0) * inverse_depth, line(1) * inverse_depth]
}

/// Per picture, in parallel: its output, its input and its parameters.
fn by_picture<'a>(
    output: &'a mut [f32],
    input: &'a [f32],
    params: &'a [f32],
    pictures: usize,
) -> impl IndexedParallelIterator<Item = ((&'a mut [f32], &'a [f32]), &'a [f32])> {
    let chunk = |length: usize| (length / pictures.max(1)).max(1);
    let (to, from, with) = (chunk(output.len()), chunk(input.len()), chunk(params.len()));
    output
        .par_chunks_mut(to)
        .zip(input.par_chunks(from))
        .zip(params.par_chunks(with))
}

impl ImageOps for Flex {
    fn image_warp(images: FlexTensor, maps: FlexTensor, size: [usize; 2]) -> FlexTensor {
        let [images, maps] = [images, maps].map(contiguous);
        let [batch, channels, height, width] = images.shape().dims();
        let (from, pixels) = ([height, width], size[0] * size[1]);
        let mut output = vec![0.0; batch * channels * pixels];
        by_picture(&mut output, values(&images), values(&maps), batch).for_each_init(
            || Taps::of_row(size[1]),
            |taps, ((output, picture), maps)| {
                for i in 0..size[0] {
                    compute_taps(taps, maps, i, size, from);
                    let rows = output.chunks_exact_mut(pixels);
                    for (output, plane) in rows.zip(picture.chunks_exact(height * width)) {
                        let row = &mut output[i * size[1]..][..size[1]];
                        taps.sample(plane, Taps::offsets(from), row);
                    }
                }
            },
        );
        tensor(output, [batch, channels, size[0], size[1]])
    }

    fn image_overlay(
        images: FlexTensor,
        params: FlexTensor,
        noise_offsets: FlexTensor,
        noise_scales: FlexTensor,
        noise_table: FlexTensor,
    ) -> FlexTensor {
        let [images, params, scales, table] =
            [images, params, noise_scales, noise_table].map(contiguous);
        let offsets = as_i64(noise_offsets);
        let [batch, channels, height, width] = images.shape().dims();
        let blocks = noise_block_count(channels * height * width);
        let mut output = attenuated(&images, &params);
        let (offsets, table) = (values::<i64>(&offsets), values::<f32>(&table));
        by_picture(&mut output, values(&scales), values(&params), batch)
            .zip(offsets.par_chunks(blocks.max(1)))
            .for_each(|(((output, scales), params), offsets)| {
                OverlayParams::new(params, [height, width]).add_patch(output);
                let blocks = output
                    .chunks_mut(NOISE_BLOCK)
                    .zip(offsets.iter().zip(scales));
                for (block, (&offset, &scale)) in blocks.filter(|(_, (_, scale))| **scale != 0.0) {
                    for (value, noise) in block.iter_mut().zip(&table[offset as usize..]) {
                        *value += scale * noise;
                    }
                }
            });
        tensor(output, images.shape())
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
        tensor(maps.collect(), [corners.shape()[0], HOMOGRAPHY_LEN])
    }
}

impl ImageOpsGradients for Flex {
    fn image_warp_backward(grad: FlexTensor, maps: FlexTensor, size: [usize; 2]) -> FlexTensor {
        let [grad, maps] = [grad, maps].map(contiguous);
        let [batch, channels, height, width] = grad.shape().dims();
        let pixels = size[0] * size[1];
        let mut image_grad = vec![0.0; batch * channels * pixels];
        by_picture(&mut image_grad, values(&grad), values(&maps), batch).for_each_init(
            || Taps::of_row(width),
            |taps, ((picture, grad), maps)| {
                for i in 0..height {
                    compute_taps(taps, maps, i, [height, width], size);
                    let planes = picture.chunks_exact_mut(pixels);
                    for (plane, grad) in planes.zip(grad.chunks_exact(height * width)) {
                        let row = &grad[i * width..][..width];
                        taps.scatter(row, Taps::offsets(size), plane);
                    }
                }
            },
        );
        tensor(image_grad, [batch, channels, size[0], size[1]])
    }

    fn image_overlay_backward(grad: FlexTensor, params: FlexTensor) -> FlexTensor {
        let [grad, params] = [grad, params].map(contiguous);
        tensor(attenuated(&grad, &params), grad.shape())
    }
}

/// Pictures times their gains and the patch's transparency.
fn attenuated(images: &FlexTensor, params: &FlexTensor) -> Vec<f32> {
    let [batch, _, height, width] = images.shape().dims();
    let mut output = vec![0.0; images.shape().num_elements()];
    by_picture(&mut output, values(images), values(params), batch).for_each(
        |((output, picture), params)| {
            OverlayParams::new(params, [height, width]).attenuate(picture, output);
        },
    );
    output
}

/// Overlay of one picture.
struct OverlayParams<'a> {
    gains: &'a [f32],
    colour: &'a [f32],
    /// Coverage of each row and column by the patch.
    rows: Vec<f32>,
    columns: Vec<f32>,
}

impl<'a> OverlayParams<'a> {
    fn new(params: &'a [f32], [height, width]: [usize; 2]) -> Self {
        debug_assert_eq!(params.len(), OVERLAY_LEN);
        let is_shown = params[11];
        let coverage = |axis: usize, pixels: usize| {
            let (centre, side) = (params[3 + axis], params[5 + axis]);
            let soft_edge = params[7].max(1.0 / pixels as f32);
            let share = move |i: usize| {
                let pixel = (2 * i + 1) as f32 / pixels as f32 - 1.0;
                let inside = 0.5 * (side - (pixel - centre).abs());
                (inside / soft_edge + 0.5).clamp(0.0, 1.0)
            };
            (0..pixels).map(share)
        };
        Self {
            gains: &params[..3],
            colour: &params[8..11],
            rows: coverage(1, height).map(|share| share * is_shown).collect(),
            columns: coverage(0, width).collect(),
        }
    }

    /// Writes the picture times gains and transparency to `output`.
    fn attenuate(&self, picture: &[f32], output: &mut [f32]) {
        let (width, pixels) = (self.columns.len(), self.rows.len() * self.columns.len());
        let planes = picture
            .chunks_exact(pixels)
            .zip(output.chunks_exact_mut(pixels));
        for ((plane, output), gain) in planes.zip(self.gains) {
            let rows = plane
                .chunks_exact(width)
                .zip(output.chunks_exact_mut(width));
            for ((row, output), down) in rows.zip(&self.rows) {
                let values = output.iter_mut().zip(row).zip(&self.columns);
                for ((output, value), across) in values {
                    *output = value * gain * (1.0 - down * across);
                }
            }
        }
    }

    /// Adds the patch's colour.
    fn add_patch(&self, output: &mut [f32]) {
        let (width, pixels) = (self.columns.len(), self.rows.len() * self.columns.len());
        for (output, colour) in output.chunks_exact_mut(pixels).zip(self.colour) {
            let rows = output.chunks_exact_mut(width).zip(&self.rows);
            for (row, down) in rows.filter(|(_, down)| **down > 0.0) {
                for (value, across) in row.iter_mut().zip(&self.columns) {
                    *value += down * across * colour;
                }
            }
        }
    }
}
