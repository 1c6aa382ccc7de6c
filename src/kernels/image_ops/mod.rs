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
mod reference;

use burn::{
    backend::{
        Backend, Dispatch, backend_extension,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Tensor},
};

pub use homography::Homography;

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

/// Forward passes a backend provides for this module's functions, of the same shapes; by default the reference.
#[backend_extension(Flex, Cube, Autodiff)]
pub trait ImageOps: Backend {
    /// Pictures warped by two maps each, in `size` [rows, columns].
    fn image_warp(
        images: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        reference::warp::<Self>(images, maps, size)
    }

    /// Pictures with gains, a patch and noise.
    fn image_overlay(
        images: FloatTensor<Self>,
        params: FloatTensor<Self>,
        noise_offsets: IntTensor<Self>,
        noise_scales: FloatTensor<Self>,
        noise_table: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::overlay::<Self>(images, params, noise_offsets, noise_scales, noise_table)
    }

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
    ) -> FloatTensor<Self> {
        reference::warp_backward::<Self>(grad, maps, size)
    }

    /// Gradient of pictures, from `grad` of the overlaid ones.
    fn image_overlay_backward(
        grad: FloatTensor<Self>,
        params: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::overlay_backward::<Self>(grad, params)
    }
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

#[cfg(test)]
mod tests {
    use burn::{
        backend::{Flex, TensorMetadata, flex::FlexTensor, ops::FloatTensorOps},
        tensor::TensorData,
    };

    use super::*;

    fn given<const D: usize>(shape: [usize; D], seed: usize) -> FlexTensor {
        let count: usize = shape.iter().product();
        let value = |i: usize| ((i * 37 + seed * 101) % 61) as f32 / 61.0;
        FlexTensor::from_data(TensorData::new((0..count).map(value).collect(), shape))
    }

    fn check_close(ours: FlexTensor, expected: FlexTensor, what: &str) {
        assert_eq!(ours.shape(), expected.shape(), "{what}");
        let difference = Flex::float_max(Flex::float_abs(Flex::float_sub(ours, expected)));
        let difference = difference.into_data().as_slice::<f32>().expect("float32")[0];
        // Sampling points may be rounded to another fraction of a pixel.
        assert!(difference < 1e-4, "{what}: {difference}");
    }

    #[test]
    fn warps_and_overlays_are_the_references() {
        let (from, to) = ([6, 9], [5, 8]);
        let turned = Homography::affine(0.3, 0.1, 1.2, [0.1, -0.2]);
        let tilted = [[-0.9, -0.8], [0.8, -1.0], [1.0, 0.7], [-0.7, 0.9]];
        let tilted = Homography::from_corners(tilted).expect("a convex quadrilateral");
        let pairs = [(turned, tilted), (Homography::IDENTITY, turned)];
        let numbers = pairs.iter().flat_map(|(a, b)| [a.numbers(), b.numbers()]);
        let numbers: Vec<f32> = numbers.flatten().collect();
        let maps =
            || FlexTensor::from_data(TensorData::new(numbers.clone(), [2, 2 * HOMOGRAPHY_LEN]));
        let images = || given([2, 3, from[0], from[1]], 1);
        let expected = reference::warp::<Flex>(images(), maps(), to);
        check_close(Flex::image_warp(images(), maps(), to), expected, "warp");
        let grad = || given([2, 3, to[0], to[1]], 2);
        let expected = reference::warp_backward::<Flex>(grad(), maps(), from);
        let ours = Flex::image_warp_backward(grad(), maps(), from);
        check_close(ours, expected, "gradient of a warp");

        // A picture of more than one noise block.
        let images = || given([2, 3, 7, 9], 3);
        let blocks = noise_block_count(3 * 7 * 9);
        let patch = [0.1, -0.2, 0.9, 0.5];
        let params = |soft_edge: f32, is_shown: f32| {
            let rest = [soft_edge, 0.2, 0.5, 0.9, is_shown];
            [&[0.7, 1.1, 1.3], &patch[..], &rest].concat()
        };
        let numbers = [params(0.3, 1.0), params(0.0, 0.0)].concat();
        let params = || FlexTensor::from_data(TensorData::new(numbers.clone(), [2, OVERLAY_LEN]));
        let offsets = TensorData::new((0..2 * blocks as i64).collect(), [2, blocks]);
        let noise = || {
            let offsets = FlexTensor::from_data(offsets.clone());
            (offsets, given([2, blocks], 4), given([200], 5))
        };
        let (offsets, scales, table) = noise();
        let expected = reference::overlay::<Flex>(images(), params(), offsets, scales, table);
        let (offsets, scales, table) = noise();
        let ours = Flex::image_overlay(images(), params(), offsets, scales, table);
        check_close(ours, expected, "overlay");
        let expected = reference::overlay_backward::<Flex>(images(), params());
        let ours = Flex::image_overlay_backward(images(), params());
        check_close(ours, expected, "gradient of an overlay");
    }
}
