//! Image operations against the compositions they stand for.

use burn::tensor::{Device, Int, Tensor, TensorData};
use glyphspace::kernels::image_ops::{self, Homography, NOISE_BLOCK, noise_block_count};

use super::{ROUNDING, check_same, compositions, given};
use crate::nn::{check_close, values};

/// Differences where sampling points are rounded to a fraction of a pixel.
pub const WARPED: [f32; 2] = [1e-4, 5e-4];

/// Pictures of values from 0 to 1.
pub fn pictures(shape: [usize; 4], seed: u64) -> Tensor<4> {
    (given(shape, seed) * 0.2 + 0.5).clamp(0.0, 1.0)
}

/// Two homographies for each of so many pictures.
pub fn maps(batch: usize) -> Tensor<2> {
    let turned = Homography::affine(0.3, 0.1, 1.2, [0.1, -0.2]);
    let tilted = [[-0.9, -0.8], [0.8, -1.0], [1.0, 0.7], [-0.7, 0.9]];
    let tilted = Homography::from_corners(tilted).expect("a convex quadrilateral");
    let pairs = [[turned, tilted], [Homography::IDENTITY, turned]];
    let pairs = pairs.iter().cycle().take(batch).flatten();
    let numbers: Vec<f32> = pairs.flat_map(Homography::numbers).collect();
    Tensor::from_data(TensorData::new(numbers, [batch, 18]), &Device::flex())
}

/// Gains, patch and noise of so many pictures of so many values: parameters, offsets, scales and table.
pub fn overlays(batch: usize, count: usize) -> (Tensor<2>, Tensor<2, Int>, Tensor<2>, Tensor<1>) {
    let params = |soft_edge: f32, is_shown: f32| {
        let rest = [soft_edge, 0.2, 0.5, 0.9, is_shown];
        [&[0.7, 1.1, 1.3, 0.1, -0.2, 0.9, 0.5][..], &rest].concat()
    };
    let each = [params(0.3, 1.0), params(0.0, 0.0)];
    let params: Vec<f32> = each.iter().cycle().take(batch).flatten().copied().collect();
    let (device, blocks) = (Device::flex(), noise_block_count(count));
    let offsets: Vec<i32> = (0..batch * blocks).map(|i| (i % 77) as i32).collect();
    (
        Tensor::from_data(TensorData::new(params, [batch, 12]), &device),
        Tensor::from_data(TensorData::new(offsets, [batch, blocks]), &device),
        given([batch, blocks], 4).inner(),
        given([77 + NOISE_BLOCK], 5).inner(),
    )
}

#[test]
fn warps_are_two_grids_of_samples() {
    for (from, to) in [([6, 9], [5, 8]), ([16, 16], [16, 16])] {
        check_same(
            "warp",
            WARPED,
            [pictures([3, 3, from[0], from[1]], 1)],
            |[x]| image_ops::warp(x, maps(3), to),
            |[x]| compositions::warp(x, maps(3), to),
        );
    }
}

#[test]
fn overlays_are_gains_patch_and_noise() {
    // More than one block of noise, of which the last is longer than the picture.
    let (params, offsets, scales, table) = overlays(2, 3 * 7 * 9);
    type Overlay = fn(Tensor<4>, Tensor<2>, Tensor<2, Int>, Tensor<2>, Tensor<1>) -> Tensor<4>;
    let with = |overlay: Overlay| {
        let rest = (
            params.clone(),
            offsets.clone(),
            scales.clone(),
            table.clone(),
        );
        move |[x]: [Tensor<4>; 1]| {
            let (params, offsets, scales, table) = rest.clone();
            overlay(x, params, offsets, scales, table)
        }
    };
    check_same(
        "overlay",
        ROUNDING,
        [pictures([2, 3, 7, 9], 3)],
        with(image_ops::overlay),
        with(compositions::overlay),
    );
}

#[test]
fn rectifications_are_those_of_the_host() {
    // Corners of a tilted picture, of nothing, and of one that is not to be rectified.
    let corners = || {
        let corners = [
            [-0.8, -0.9, 0.9, -0.7, 0.7, 0.8, -0.9, 0.85],
            [0.0; 8],
            [-1.0, -1.0, 1.2, -1.0, 1.0, 0.9, -1.0, 1.0],
        ];
        Tensor::<2>::from_data(corners, &Device::flex())
    };
    let tilted = || Tensor::<1>::from_data([1.0, 1.0, 0.0], &Device::flex());
    let got = values(image_ops::rectify(corners(), tilted()));
    let expected = values(compositions::rectify(corners(), tilted()));
    check_close(&got, &expected, 1e-6, "rectify");
}
