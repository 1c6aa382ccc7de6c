//! Image operations of the distortions, each with its own gradient.
//!
//! `grid_sample_2d` is some forty operations under autodiff, and pictures of patches and noise, made on the host, would
//! have to be uploaded to a GPU at every step. These take some hundred numbers a picture.
//!
//! Shapes: B pictures, C channels, H rows, W columns, N = [`noise_block_count`] of a picture.

mod autodiff;
mod cube;
mod cube_kernels;
mod flex;
mod homography;

use burn::{
    backend::{
        Backend, Dispatch, backend_extension,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Tensor},
};

pub use homography::{CORNERS, Homography};

/// Elements of a homography, row-major.
pub const HOMOGRAPHY_LEN: usize = 9;
/// Parameters of a picture's overlay: gains of the three channels; the patch's centre (x, y), sides (x, y), soft edge and
/// colour; 1 if there is a patch.
pub const OVERLAY_LEN: usize = 12;
/// Consecutive values of a picture whose noise is consecutive in the noise table.
pub const NOISE_BLOCK: usize = 128;

/// Sampling points are rounded to this fraction of a pixel, so that a map that is off the identity by the last bit is
/// the identity.
const SUBPIXELS: usize = 65536;

/// Number of noise blocks of `values` values.
pub fn noise_block_count(values: usize) -> usize {
    values.div_ceil(NOISE_BLOCK)
}

/// Forward passes of this module's functions, of the same shapes; gradients are [`ImageOpsGradients`].
#[backend_extension(Flex, Cube, Autodiff)]
pub trait ImageOps: Backend {
    /// Pictures warped by two maps each, in `size` [rows, columns].
    fn image_warp(
        images: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self>;

    /// Pictures with gains, a patch and noise.
    fn image_overlay(
        images: FloatTensor<Self>,
        params: FloatTensor<Self>,
        noise_offsets: IntTensor<Self>,
        noise_scales: FloatTensor<Self>,
        noise_table: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Homographies that rectify pictures.
    fn image_rectify(corners: FloatTensor<Self>, tilted: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Backward passes, of backends that compute.
pub trait ImageOpsGradients: ImageOps {
    /// Gradient of pictures of `size`, from `grad` of the warped ones: the transpose of the warp.
    fn image_warp_backward(
        grad: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self>;

    /// Gradient of pictures, from `grad` of the overlaid ones.
    fn image_overlay_backward(
        grad: FloatTensor<Self>,
        params: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Pictures [B, C, h, w] of `size` = [h, w], sampled from `images` [B, C, H, W] through the two homographies of each in
/// `maps` [B, 18]: the first from output to photo coordinates, which are clamped to the photo, the second from these to
/// the picture. Bilinear, with the border replicated.
pub fn warp(images: Tensor<4>, maps: Tensor<2>, size: [usize; 2]) -> Tensor<4> {
    let (images, maps) = (images.into_dispatch(), maps.into_dispatch());
    Tensor::from_dispatch(Dispatch::image_warp(images, maps, size))
}

/// `images` [B, 3, H, W] times channel gains, occluded by a patch (both in `params` [B, 12]), plus noise: block by block
/// `noise_scales` [B, N] times the values of `noise_table` from `noise_offsets` [B, N] on.
pub fn overlay(
    images: Tensor<4>,
    params: Tensor<2>,
    noise_offsets: Tensor<2, Int>,
    noise_scales: Tensor<2>,
    noise_table: Tensor<1>,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::image_overlay(
        images.into_dispatch(),
        params.into_dispatch(),
        noise_offsets.into_dispatch(),
        noise_scales.into_dispatch(),
        noise_table.into_dispatch(),
    ))
}

/// Homographies [B, 9] that rectify pictures whose corners were detected at `corners` [B, 8] of a photo: the identity
/// where these form no convex quadrilateral, or `tilted` `[B]` isn't 1. Without a gradient.
pub fn rectify(corners: Tensor<2>, tilted: Tensor<1>) -> Tensor<2> {
    let (corners, tilted) = (corners.into_dispatch(), tilted.into_dispatch());
    Tensor::from_dispatch(Dispatch::image_rectify(corners, tilted))
}
