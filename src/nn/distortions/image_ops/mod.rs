//! What light does on its way from the picture to the reader, each as one operation with its own gradient.
//!
//! burn's `grid_sample_2d` is some forty operations under autodiff, and pictures of patches and static, made on the
//! host, would have to travel to a GPU at every step. Here only some hundred numbers a picture do.
//!
//! Shapes: B pictures, C channels, H rows, W columns, P = [`noise_blocks_of`] a picture.

mod autodiff;
mod cube;
mod flex;
mod kernels;

use burn::{
    backend::{
        Backend, Dispatch, backend_extension,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Tensor},
};

/// Numbers of a homography, row by row.
pub const OF_MAP: usize = 9;
/// Numbers of what is in front of a picture: the gains of its channels, the patch's centre, sides, fade and colour, and
/// 1 if there is one.
pub const OF_FRONT: usize = 12;
/// Values that take their static from neighbours in the table.
pub const PIECE: usize = 128;

/// Places are rounded to this part of a pixel, so that a map by the last bit off the identity is the identity.
const STEPS: usize = 65536;

/// Pieces of static for so many values.
pub fn noise_blocks_of(values: usize) -> usize {
    values.div_ceil(PIECE)
}

/// What a backend does for this module's functions; shapes as there.
#[backend_extension(Flex, Cube, Autodiff)]
pub trait ImageOps: Backend {
    /// Pictures through maps, in `size` [rows, columns].
    fn image_warp(
        images: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self>;

    /// Pictures behind what is in front of them.
    fn image_overlay(
        images: FloatTensor<Self>,
        fronts: FloatTensor<Self>,
        starts: IntTensor<Self>,
        deviations: FloatTensor<Self>,
        table: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Maps that set pictures upright.
    fn image_rectify(corners: FloatTensor<Self>, tilted: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// What a backend does for their gradients, if it is one that computes.
pub trait ImageOpsGradients: ImageOps {
    /// The transpose of a warp: from the gradient of what is seen that of pictures of `size`.
    fn image_warp_backward(
        seen: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self>;

    /// The part that pictures have in what is seen behind a veil: each value times its own.
    fn image_overlay_backward(
        images: FloatTensor<Self>,
        fronts: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// `images` [B, C, H, W] through two maps each, [B, 18], in `size` [rows, columns]. The first map tells where in the
/// photo an output pixel lies, inside of it at any rate, the second where in the picture that is. Bilinear; beyond the
/// border the nearest pixel of the border goes on.
pub fn warp(images: Tensor<4>, maps: Tensor<2>, size: [usize; 2]) -> Tensor<4> {
    let (images, maps) = (images.into_dispatch(), maps.into_dispatch());
    Tensor::from_dispatch(Dispatch::image_warp(images, maps, size))
}

/// `images` [B, 3, H, W] behind `fronts` [B, 12], with static of these `deviations` [B, P] piece by piece, taken from
/// the `table` of normal values at `starts` [B, P].
pub fn overlay(
    images: Tensor<4>,
    fronts: Tensor<2>,
    starts: Tensor<2, Int>,
    deviations: Tensor<2>,
    table: Tensor<1>,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::image_overlay(
        images.into_dispatch(),
        fronts.into_dispatch(),
        starts.into_dispatch(),
        deviations.into_dispatch(),
        table.into_dispatch(),
    ))
}

/// From `corners` [B, 8] found in photos the maps [B, 9] that set their pictures upright: the identity where they are
/// no corners of anything, or `tilted` `[B]` isn't 1. No gradient comes through.
pub fn rectify(corners: Tensor<2>, tilted: Tensor<1>) -> Tensor<2> {
    let (corners, tilted) = (corners.into_dispatch(), tilted.into_dispatch());
    Tensor::from_dispatch(Dispatch::image_rectify(corners, tilted))
}
