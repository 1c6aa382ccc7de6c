//! GPU kernels of the image operations: a unit per pixel, or per value.

use burn_cubecl::cubecl::{self, prelude::*};

use super::{HOMOGRAPHY_LEN, NOISE_BLOCK, OVERLAY_LEN, SUBPIXELS};

/// Gradients are accumulated in fixed point, in units of the sum of all magnitudes of their plane over this: sums don't
/// depend on their order, and every GPU has atomic addition of integers.
const FIXED_POINT_ONE: f32 = 1_073_741_824.0;

/// Bilinear tap: the first of the four pixels around a sampling point, the offsets to the pixel on its right and below
/// it, and the point's distances from its centre, 0 to 1.
#[derive(CubeType)]
struct Tap {
    first: usize,
    right: usize,
    below: usize,
    x: f32,
    y: f32,
}

/// Point of a picture, in coordinates from -1 to 1.
#[derive(CubeType)]
struct Point {
    x: f32,
    y: f32,
}

/// First of two neighbouring pixels along an axis, and the weight of the second.
#[derive(CubeType)]
struct AxisTap {
    first: u32,
    fraction: f32,
}

/// Centre of pixel `i` of `count`.
#[cube]
fn centre(i: usize, count: usize) -> f32 {
    f32::cast_from(2 * i + 1) / f32::cast_from(count) - 1.0
}

/// Point (u, v) mapped by the homography at `map`.
#[cube]
fn project(maps: &Tensor<f32>, map: usize, u: f32, v: f32) -> Point {
    let depth = maps[map + 6] * u + (maps[map + 7] * v + maps[map + 8]);
    let inverse_depth = 1.0 / max(depth, 1e-6f32);
    Point {
        x: (maps[map] * u + (maps[map + 1] * v + maps[map + 2])) * inverse_depth,
        y: (maps[map + 3] * u + (maps[map + 4] * v + maps[map + 5])) * inverse_depth,
    }
}

/// Tap of `point` along an axis of `side` pixels.
#[cube]
fn split(point: f32, side: usize) -> AxisTap {
    let last = f32::cast_from(side - 1);
    let pixel = ((point + 1.0) * f32::cast_from(side) - 1.0) / 2.0;
    let pixel = min(max(pixel, 0.0f32), last);
    let steps = u32::cast_from(pixel * SUBPIXELS as f32 + 0.5);
    // Also in bounds for NaN.
    let first = min(steps / SUBPIXELS as u32, u32::cast_from(max(side, 2) - 2));
    let fraction = f32::cast_from(steps - first * SUBPIXELS as u32) / SUBPIXELS as f32;
    AxisTap {
        first,
        fraction: min(fraction, 1.0f32),
    }
}

/// Tap of `pixel` of an output of `height` x `width`, in an input of `rows` x `columns`.
#[cube]
fn tap(
    maps: &Tensor<f32>,
    picture: usize,
    pixel: usize,
    height: usize,
    width: usize,
    rows: usize,
    columns: usize,
) -> Tap {
    let map = picture * comptime!(2 * HOMOGRAPHY_LEN);
    let (u, v) = (centre(pixel % width, width), centre(pixel / width, height));
    let photo = project(maps, map, u, v);
    let x = min(max(photo.x, -1.0f32), 1.0f32);
    let y = min(max(photo.y, -1.0f32), 1.0f32);
    let source = project(maps, map + HOMOGRAPHY_LEN, x, y);
    let across = split(source.x, columns);
    let down = split(source.y, rows);
    Tap {
        first: usize::cast_from(down.first) * columns + usize::cast_from(across.first),
        right: min(columns - 1, 1),
        below: min(rows - 1, 1) * columns,
        x: across.fraction,
        y: down.fraction,
    }
}

/// Pictures `out` [B, C, h, w] of `images` [B, C, H, W] through `maps` [B, 18].
#[cube(launch)]
pub fn warp(images: &Tensor<f32>, maps: &Tensor<f32>, out: &mut Tensor<f32>) {
    let height = out.shape(2);
    let width = out.shape(3);
    let pixels = height * width;
    if ABSOLUTE_POS >= out.shape(0) * pixels {
        terminate!();
    }
    let picture = ABSOLUTE_POS / pixels;
    let pixel = ABSOLUTE_POS % pixels;
    let (rows, columns) = (images.shape(2), images.shape(3));
    let tap = tap(maps, picture, pixel, height, width, rows, columns);
    let channels = out.shape(1);
    for channel in 0..channels {
        let plane = picture * channels + channel;
        let first = plane * rows * columns + tap.first;
        let above = images[first] * (1.0 - tap.x) + images[first + tap.right] * tap.x;
        let under = first + tap.below;
        let under = images[under] * (1.0 - tap.x) + images[under + tap.right] * tap.x;
        out[plane * pixels + pixel] = above * (1.0 - tap.y) + under * tap.y;
    }
}

/// Accumulates `grad` [B, C, h, w] in `fixed_point` [B, C, H, W], scaled by the `sums` [B, C] of its planes' magnitudes.
#[cube(launch)]
pub fn warp_backward(
    grad: &Tensor<f32>,
    maps: &Tensor<f32>,
    sums: &Tensor<f32>,
    fixed_point: &mut Tensor<Atomic<i32>>,
) {
    let height = grad.shape(2);
    let width = grad.shape(3);
    let pixels = height * width;
    if ABSOLUTE_POS >= grad.shape(0) * pixels {
        terminate!();
    }
    let picture = ABSOLUTE_POS / pixels;
    let pixel = ABSOLUTE_POS % pixels;
    let (rows, columns) = (fixed_point.shape(2), fixed_point.shape(3));
    let tap = tap(maps, picture, pixel, height, width, rows, columns);
    let channels = grad.shape(1);
    for channel in 0..channels {
        let plane = picture * channels + channel;
        let sum = sums[plane];
        if sum > 0.0 {
            let first = plane * rows * columns + tap.first;
            let share = grad[plane * pixels + pixel] / sum * FIXED_POINT_ONE;
            let above = share * (1.0 - tap.y);
            let under = share * tap.y;
            let below = first + tap.below;
            fixed_point[first].fetch_add(i32::cast_from((above * (1.0 - tap.x)).round()));
            fixed_point[first + tap.right].fetch_add(i32::cast_from((above * tap.x).round()));
            fixed_point[below].fetch_add(i32::cast_from((under * (1.0 - tap.x)).round()));
            fixed_point[below + tap.right].fetch_add(i32::cast_from((under * tap.x).round()));
        }
    }
}

/// Gradients `grad` [B, C, H, W] from the `fixed_point` of [`warp_backward`].
#[cube(launch)]
pub fn from_fixed_point(fixed_point: &Tensor<i32>, sums: &Tensor<f32>, grad: &mut Tensor<f32>) {
    if ABSOLUTE_POS >= grad.len() {
        terminate!();
    }
    let plane = ABSOLUTE_POS / (grad.shape(2) * grad.shape(3));
    grad[ABSOLUTE_POS] = f32::cast_from(fixed_point[ABSOLUTE_POS]) / FIXED_POINT_ONE * sums[plane];
}

/// Coverage of pixel `i` by the patch along an axis, 0 across and 1 down.
#[cube]
fn coverage(params: &Tensor<f32>, first: usize, axis: usize, i: usize, pixels: usize) -> f32 {
    let soft_edge = max(params[first + 7], 1.0 / f32::cast_from(pixels));
    let distance = centre(i, pixels) - params[first + 3 + axis];
    let inside = 0.5 * (params[first + 5 + axis] - distance.abs());
    min(max(inside / soft_edge + 0.5, 0.0f32), 1.0f32)
}

/// Pictures [B, 3, H, W] with the gains and occlusion of `params` [B, 12], and if `is_additive` patch colour and noise.
#[cube(launch)]
pub fn overlay(
    images: &Tensor<f32>,
    params: &Tensor<f32>,
    noise_offsets: &Tensor<i32>,
    noise_scales: &Tensor<f32>,
    noise_table: &Tensor<f32>,
    out: &mut Tensor<f32>,
    #[comptime] is_additive: bool,
) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let (channels, height, width) = (out.shape(1), out.shape(2), out.shape(3));
    let picture_len = channels * height * width;
    let picture = ABSOLUTE_POS / picture_len;
    let value = ABSOLUTE_POS % picture_len;
    let channel = value / (height * width);
    let first = picture * OVERLAY_LEN;
    let across = coverage(params, first, 0, value % width, width);
    let down = coverage(params, first, 1, value / width % height, height) * params[first + 11];
    let hidden = down * across;
    let mut blended = images[ABSOLUTE_POS] * params[first + channel] * (1.0 - hidden);
    if is_additive {
        let block = picture * (picture_len).div_ceil(NOISE_BLOCK) + value / NOISE_BLOCK;
        let offset = noise_offsets[block] as usize;
        blended += hidden * params[first + 8 + channel];
        blended += noise_scales[block] * noise_table[offset + value % NOISE_BLOCK];
    }
    out[ABSOLUTE_POS] = blended;
}

/// Homographies `maps` [B, 9] that rectify pictures with `corners` [B, 8] where `tilted` `[B]` is 1.
#[cube(launch)]
pub fn rectify(corners: &Tensor<f32>, tilted: &Tensor<f32>, maps: &mut Tensor<f32>) {
    let picture = ABSOLUTE_POS;
    if picture >= tilted.len() {
        terminate!();
    }
    let from = picture * 8;
    let (ax, ay) = (corners[from], corners[from + 1]);
    let (bx, by) = (corners[from + 2], corners[from + 3]);
    let (cx, cy) = (corners[from + 4], corners[from + 5]);
    let (dx, dy) = (corners[from + 6], corners[from + 7]);
    let at_b = (bx - ax) * (cy - by) - (by - ay) * (cx - bx);
    let at_c = (cx - bx) * (dy - cy) - (cy - by) * (dx - cx);
    let at_d = (dx - cx) * (ay - dy) - (dy - cy) * (ax - dx);
    let at_a = (ax - dx) * (by - ay) - (ay - dy) * (bx - ax);
    let least = min(min(at_a, at_b), min(at_c, at_d));
    let most = max(max(at_a, at_b), max(at_c, at_d));
    let is_convex = least > 1e-9f32 || most < -1e-9f32;

    let (x1, x2, x3) = (bx - cx, dx - cx, ax - bx + cx - dx);
    let (y1, y2, y3) = (by - cy, dy - cy, ay - by + cy - dy);
    let det = x1 * y2 - x2 * y1;
    let g = (x3 * y2 - x2 * y3) / det;
    let h = (x1 * y3 - x3 * y1) / det;
    let (x_across, x_down) = (bx - ax + g * bx, dx - ax + h * dx);
    let (y_across, y_down) = (by - ay + g * by, dy - ay + h * dy);
    let last = (g + h) * 0.5 + 1.0;
    let to = picture * HOMOGRAPHY_LEN;
    if is_convex && tilted[picture] == 1.0 {
        maps[to] = x_across * 0.5 / last;
        maps[to + 1] = x_down * 0.5 / last;
        maps[to + 2] = ((x_across + x_down) * 0.5 + ax) / last;
        maps[to + 3] = y_across * 0.5 / last;
        maps[to + 4] = y_down * 0.5 / last;
        maps[to + 5] = ((y_across + y_down) * 0.5 + ay) / last;
        maps[to + 6] = g * 0.5 / last;
        maps[to + 7] = h * 0.5 / last;
        maps[to + 8] = 1.0;
    } else {
        for k in 0..HOMOGRAPHY_LEN {
            maps[to + k] = f32::cast_from(u32::cast_from(k % 4 == 0));
        }
    }
}
