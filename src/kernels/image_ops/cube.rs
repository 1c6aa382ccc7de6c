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
use crate::kernels::fused::gpu::{as_i32, contiguous, empty, empty_like, unit_per_element};

/// Shape of as many pictures of `size`.
fn resized(images: &CubeTensor, size: [usize; 2]) -> Shape {
    let [batch, channels, ..] = images.shape().dims::<4>();
    Shape::from([batch, channels, size[0], size[1]])
}

/// Overlay with `noise` (offsets, scales, table) and the patch's colour, or the factors of the pictures alone.
fn overlay(images: CubeTensor, params: CubeTensor, noise: Option<[CubeTensor; 3]>) -> CubeTensor {
    let [images, params] = [images, params].map(contiguous);
    let (count, dim) = unit_per_element(images.shape().num_elements());
    let (client, out) = (images.client.clone(), empty_like(&images));
    let is_additive = noise.is_some();
    // Unread otherwise.
    let [offsets, scales, table] = noise.unwrap_or_else(|| [(); 3].map(|()| params.clone()));
    cube_kernels::overlay::launch(
        &client,
        count,
        dim,
        images.into_tensor_arg(),
        params.into_tensor_arg(),
        offsets.into_tensor_arg(),
        scales.into_tensor_arg(),
        table.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        is_additive,
    );
    out
}

impl ImageOps for Cube {
    fn image_warp(images: CubeTensor, maps: CubeTensor, size: [usize; 2]) -> CubeTensor {
        let [images, maps] = [images, maps].map(contiguous);
        let out = empty(&images, resized(&images, size));
        let (count, dim) = unit_per_element(images.shape()[0] * size[0] * size[1]);
        let (client, to) = (images.client.clone(), out.clone().into_tensor_arg());
        let [images, maps] = [images, maps].map(CubeTensor::into_tensor_arg);
        cube_kernels::warp::launch(&client, count, dim, images, maps, to);
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
        let maps = empty(&corners, Shape::from([batch, HOMOGRAPHY_LEN]));
        let (count, dim) = unit_per_element(batch);
        let (client, to) = (corners.client.clone(), maps.clone().into_tensor_arg());
        let [corners, tilted] = [corners, tilted].map(CubeTensor::into_tensor_arg);
        cube_kernels::rectify::launch(&client, count, dim, corners, tilted, to);
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
        let client = grad.client.clone();
        let (count, dim) = unit_per_element(batch * height * width);
        cube_kernels::warp_backward::launch(
            &client,
            count,
            dim,
            grad.clone().into_tensor_arg(),
            maps.into_tensor_arg(),
            sums.clone().into_tensor_arg(),
            fixed_point.clone().into_tensor_arg(),
        );
        let image_grad = empty(&grad, shape);
        let (count, dim) = unit_per_element(image_grad.shape().num_elements());
        let [fixed_point, sums] = [fixed_point, sums].map(CubeTensor::into_tensor_arg);
        let to = image_grad.clone().into_tensor_arg();
        cube_kernels::from_fixed_point::launch(&client, count, dim, fixed_point, sums, to);
        image_grad
    }

    fn image_overlay_backward(grad: CubeTensor, params: CubeTensor) -> CubeTensor {
        overlay(grad, params, None)
    }
}
