//! Launches of the image operations on a GPU.

use burn::{
    backend::{
        Cube, TensorMetadata,
        ops::{FloatTensorOps, IntTensorOps},
    },
    tensor::{IntDType, Shape},
};
use burn_cubecl::tensor::CubeTensor;

use super::{HOMOGRAPHY_LEN, ImageOps, ImageOpsGradients, cube_kernels};
use crate::kernels::fused::cube::{
    as_i32, contiguous, empty, empty_like, launch, unit_per_element,
};

/// Shape of as many pictures of `size`.
fn resized(images: &CubeTensor, size: [usize; 2]) -> Shape {
    let [batch, channels, ..] = images.shape().dims::<4>();
    Shape::from([batch, channels, size[0], size[1]])
}

/// Overlay with `noise` (offsets, scales, table) and the patch's colour, or the factors of the pictures alone.
fn overlay(images: CubeTensor, params: CubeTensor, noise: Option<[CubeTensor; 3]>) -> CubeTensor {
    let [images, params] = [images, params].map(contiguous);
    let grid = unit_per_element(images.shape().num_elements());
    let out = empty_like(&images);
    let is_additive = noise.is_some();
    // Unread otherwise.
    let [offsets, scales, table] = noise.unwrap_or_else(|| [(); 3].map(|()| params.clone()));
    launch!(
        overlay,
        grid,
        [images, params, offsets, scales, table],
        [out],
        is_additive
    );
    out
}

impl ImageOps for Cube {
    fn image_warp(images: CubeTensor, maps: CubeTensor, size: [usize; 2]) -> CubeTensor {
        let [images, maps] = [images, maps].map(contiguous);
        let out = empty(&images, resized(&images, size));
        let grid = unit_per_element(images.shape()[0] * size[0] * size[1]);
        launch!(warp, grid, [images, maps], [out]);
        out
    }

    fn image_overlay(
        images: CubeTensor,
        params: CubeTensor,
        noise_offsets: CubeTensor,
        noise_scales: CubeTensor,
        noise_table: CubeTensor,
    ) -> CubeTensor {
        let [scales, table] = [noise_scales, noise_table].map(contiguous);
        overlay(images, params, Some([as_i32(noise_offsets), scales, table]))
    }

    fn image_rectify(corners: CubeTensor, tilted: CubeTensor) -> CubeTensor {
        let [corners, tilted] = [corners, tilted].map(contiguous);
        let batch = corners.shape()[0];
        let maps = empty(&corners, [batch, HOMOGRAPHY_LEN]);
        launch!(rectify, unit_per_element(batch), [corners, tilted], [maps]);
        maps
    }
}

impl ImageOpsGradients for Cube {
    fn image_warp_backward(grad: CubeTensor, maps: CubeTensor, size: [usize; 2]) -> CubeTensor {
        let [grad, maps] = [grad, maps].map(contiguous);
        let [batch, channels, height, width] = grad.shape().dims();
        let rows = Shape::from([batch * channels, height * width]);
        let magnitudes = Cube::float_abs(Cube::float_reshape(grad.clone(), rows));
        let sums = contiguous(Cube::float_sum_dim(magnitudes, 1));
        let shape = resized(&grad, size);
        let fixed_point = Cube::int_zeros(shape.clone(), &grad.device, IntDType::I32);
        let grid = unit_per_element(batch * height * width);
        launch!(
            warp_backward,
            grid,
            [grad.clone(), maps, sums.clone()],
            [fixed_point]
        );
        let image_grad = empty(&grad, shape);
        let grid = unit_per_element(image_grad.shape().num_elements());
        launch!(from_fixed_point, grid, [fixed_point, sums], [image_grad]);
        image_grad
    }

    fn image_overlay_backward(grad: CubeTensor, params: CubeTensor) -> CubeTensor {
        overlay(grad, params, None)
    }
}
