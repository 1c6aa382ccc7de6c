//! The GPU's kernels: a unit for each pixel, or for each value.

use burn_cubecl::cubecl::{self, prelude::*};

use super::{OF_FRONT, OF_MAP, PIECE, STEPS};

/// A gradient's values are added up in whole parts of the sum of all magnitudes of their plane: sums are the same
/// whatever their order, and every GPU adds whole numbers atomically.
const PARTS: f32 = 1_073_741_824.0;

/// Where a pixel's place lies in the input: the first of the four pixels around it, what is to the right of it and
/// below, and how far the place lies beyond the first's centre.
#[derive(CubeType)]
struct Tap {
    first: usize,
    right: usize,
    below: usize,
    x: f32,
    y: f32,
}

#[derive(CubeType)]
struct SourcePixel {
    x: f32,
    y: f32,
}

#[derive(CubeType)]
struct PixelFraction {
    first: u32,
    beyond: f32,
}

#[cube]
fn centre(i: usize, count: usize) -> f32 {
    f32::cast_from(2 * i + 1) / f32::cast_from(count) - 1.0
}

#[cube]
fn through(maps: &Tensor<f32>, map: usize, u: f32, v: f32) -> SourcePixel {
    let depth = maps[map + 6] * u + (maps[map + 7] * v + maps[map + 8]);
    let nearness = 1.0 / max(depth, 1e-6f32);
    SourcePixel {
        x: (maps[map] * u + (maps[map + 1] * v + maps[map + 2])) * nearness,
        y: (maps[map + 3] * u + (maps[map + 4] * v + maps[map + 5])) * nearness,
    }
}

#[cube]
fn split(place: f32, side: usize) -> PixelFraction {
    let last = f32::cast_from(side - 1);
    let pixel = ((place + 1.0) * f32::cast_from(side) - 1.0) / 2.0;
    let pixel = min(max(pixel, 0.0f32), last);
    let steps = u32::cast_from(pixel * STEPS as f32 + 0.5);
    // Also where the place is no number.
    let first = min(steps / STEPS as u32, u32::cast_from(max(side, 2) - 2));
    let beyond = f32::cast_from(steps - first * STEPS as u32) / STEPS as f32;
    PixelFraction {
        first,
        beyond: min(beyond, 1.0f32),
    }
}

/// The tap of the pixel in row `i` and column `j` of a picture seen in `height` x `width`, in an input of `rows` x
/// `columns`.
#[cube]
#[allow(clippy::too_many_arguments)]
fn tap(
    maps: &Tensor<f32>,
    picture: usize,
    i: usize,
    j: usize,
    height: usize,
    width: usize,
    rows: usize,
    columns: usize,
) -> Tap {
    let map = picture * comptime!(2 * OF_MAP);
    let photo = through(maps, map, centre(j, width), centre(i, height));
    let x = min(max(photo.x, -1.0f32), 1.0f32);
    let y = min(max(photo.y, -1.0f32), 1.0f32);
    let place = through(maps, map + OF_MAP, x, y);
    let across = split(place.x, columns);
    let down = split(place.y, rows);
    Tap {
        first: usize::cast_from(down.first) * columns + usize::cast_from(across.first),
        right: min(columns - 1, 1),
        below: min(rows - 1, 1) * columns,
        x: across.beyond,
        y: down.beyond,
    }
}

/// `seen` [B, C, h, w] of `images` [B, C, H, W] through `maps` [B, 18].
#[cube(launch)]
pub fn warp(images: &Tensor<f32>, maps: &Tensor<f32>, seen: &mut Tensor<f32>) {
    let height = seen.shape(2);
    let width = seen.shape(3);
    let pixels = height * width;
    if ABSOLUTE_POS >= seen.shape(0) * pixels {
        terminate!();
    }
    let picture = ABSOLUTE_POS / pixels;
    let pixel = ABSOLUTE_POS % pixels;
    let (rows, columns) = (images.shape(2), images.shape(3));
    let (i, j) = (pixel / width, pixel % width);
    let tap = tap(maps, picture, i, j, height, width, rows, columns);
    let channels = seen.shape(1);
    for channel in 0..channels {
        let plane = picture * channels + channel;
        let first = plane * rows * columns + tap.first;
        let above = images[first] * (1.0 - tap.x) + images[first + tap.right] * tap.x;
        let under = first + tap.below;
        let under = images[under] * (1.0 - tap.x) + images[under + tap.right] * tap.x;
        seen[plane * pixels + pixel] = above * (1.0 - tap.y) + under * tap.y;
    }
}

/// Adds the gradients of `seen` [B, C, h, w] to those of the images in `parts` [B, C, H, W] of their planes' `sums`
/// [B, C] of magnitudes.
#[cube(launch)]
pub fn warp_backward(
    seen: &Tensor<f32>,
    maps: &Tensor<f32>,
    sums: &Tensor<f32>,
    parts: &mut Tensor<Atomic<i32>>,
) {
    let height = seen.shape(2);
    let width = seen.shape(3);
    let pixels = height * width;
    if ABSOLUTE_POS >= seen.shape(0) * pixels {
        terminate!();
    }
    let picture = ABSOLUTE_POS / pixels;
    let pixel = ABSOLUTE_POS % pixels;
    let (rows, columns) = (parts.shape(2), parts.shape(3));
    let (i, j) = (pixel / width, pixel % width);
    let tap = tap(maps, picture, i, j, height, width, rows, columns);
    let channels = seen.shape(1);
    for channel in 0..channels {
        let plane = picture * channels + channel;
        let sum = sums[plane];
        if sum > 0.0 {
            let first = plane * rows * columns + tap.first;
            let grad = seen[plane * pixels + pixel] / sum * PARTS;
            let above = grad * (1.0 - tap.y);
            let under = grad * tap.y;
            let below = first + tap.below;
            parts[first].fetch_add(i32::cast_from((above * (1.0 - tap.x)).round()));
            parts[first + tap.right].fetch_add(i32::cast_from((above * tap.x).round()));
            parts[below].fetch_add(i32::cast_from((under * (1.0 - tap.x)).round()));
            parts[below + tap.right].fetch_add(i32::cast_from((under * tap.x).round()));
        }
    }
}

/// The gradients `grad` [B, C, H, W] of which [`warp_backward`] made `parts`.
#[cube(launch)]
pub fn whole(parts: &Tensor<i32>, sums: &Tensor<f32>, grad: &mut Tensor<f32>) {
    if ABSOLUTE_POS >= grad.len() {
        terminate!();
    }
    let plane = ABSOLUTE_POS / (grad.shape(2) * grad.shape(3));
    grad[ABSOLUTE_POS] = f32::cast_from(parts[ABSOLUTE_POS]) / PARTS * sums[plane];
}

/// How much a pixel is covered along an axis, 0 across and 1 down.
#[cube]
fn cover(fronts: &Tensor<f32>, front: usize, axis: usize, i: usize, pixels: usize) -> f32 {
    let fade = max(fronts[front + 7], 1.0 / f32::cast_from(pixels));
    let off = centre(i, pixels) - fronts[front + 3 + axis];
    let inside = 0.5 * (fronts[front + 5 + axis] - off.abs());
    min(max(inside / fade + 0.5, 0.0f32), 1.0f32)
}

/// Pictures [B, 3, H, W] behind `fronts` [B, 12]: what is left of them, and, if it `is_painted`, the patch and static.
#[cube(launch)]
pub fn overlay(
    images: &Tensor<f32>,
    fronts: &Tensor<f32>,
    starts: &Tensor<i32>,
    deviations: &Tensor<f32>,
    table: &Tensor<f32>,
    seen: &mut Tensor<f32>,
    #[comptime] is_painted: bool,
) {
    if ABSOLUTE_POS >= seen.len() {
        terminate!();
    }
    let (channels, height, width) = (seen.shape(1), seen.shape(2), seen.shape(3));
    let of_picture = channels * height * width;
    let picture = ABSOLUTE_POS / of_picture;
    let value = ABSOLUTE_POS % of_picture;
    let channel = value / (height * width);
    let front = picture * OF_FRONT;
    let across = cover(fronts, front, 0, value % width, width);
    let down = cover(fronts, front, 1, value / width % height, height) * fronts[front + 11];
    let hidden = down * across;
    let mut made = images[ABSOLUTE_POS] * fronts[front + channel] * (1.0 - hidden);
    if is_painted {
        let piece = picture * (of_picture).div_ceil(PIECE) + value / PIECE;
        let start = starts[piece] as usize;
        made += hidden * fronts[front + 8 + channel];
        made += deviations[piece] * table[start + value % PIECE];
    }
    seen[ABSOLUTE_POS] = made;
}

/// Maps [B, 9] that set pictures upright whose corners were found at `corners` [B, 8].
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
    let to = picture * OF_MAP;
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
        for k in 0..OF_MAP {
            maps[to + k] = f32::cast_from(u32::cast_from(k % 4 == 0));
        }
    }
}
