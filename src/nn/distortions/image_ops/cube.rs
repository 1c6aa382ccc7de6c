//! On a GPU.

use burn::{
    backend::{
        Cube, TensorMetadata,
        ops::{FloatTensorOps, IntTensorOps},
    },
    tensor::{IntDType, Shape},
};
use burn_cubecl::tensor::CubeTensor;

use super::{ImageOps, ImageOpsGradients, OF_MAP, kernels};
use crate::nn::fused::gpu::{as_i32, contiguous, for_values, like, shaped};

fn sized(images: &CubeTensor, size: [usize; 2]) -> Shape {
    let [batch, channels, ..] = images.shape().dims::<4>();
    Shape::from([batch, channels, size[0], size[1]])
}

/// Without what is painted, where there is none.
fn overlay(images: CubeTensor, fronts: CubeTensor, paint: Option<[CubeTensor; 3]>) -> CubeTensor {
    let [images, fronts] = [images, fronts].map(contiguous);
    let (count, dim) = for_values(images.shape().num_elements());
    let (client, seen) = (images.client.clone(), like(&images));
    let is_painted = paint.is_some();
    // Read only if it is.
    let [starts, deviations, table] = paint.unwrap_or_else(|| [(); 3].map(|()| fronts.clone()));
    kernels::overlay::launch(
        &client,
        count,
        dim,
        images.into_tensor_arg(),
        fronts.into_tensor_arg(),
        starts.into_tensor_arg(),
        deviations.into_tensor_arg(),
        table.into_tensor_arg(),
        seen.clone().into_tensor_arg(),
        is_painted,
    );
    seen
}

impl ImageOps for Cube {
    fn image_warp(images: CubeTensor, maps: CubeTensor, size: [usize; 2]) -> CubeTensor {
        let [images, maps] = [images, maps].map(contiguous);
        let seen = shaped(&images, sized(&images, size));
        let (count, dim) = for_values(images.shape()[0] * size[0] * size[1]);
        let (client, to) = (images.client.clone(), seen.clone().into_tensor_arg());
        let [images, maps] = [images, maps].map(CubeTensor::into_tensor_arg);
        kernels::warp::launch(&client, count, dim, images, maps, to);
        seen
    }

    fn image_overlay(
        images: CubeTensor,
        fronts: CubeTensor,
        starts: CubeTensor,
        deviations: CubeTensor,
        table: CubeTensor,
    ) -> CubeTensor {
        let [deviations, table] = [deviations, table].map(contiguous);
        overlay(images, fronts, Some([as_i32(starts), deviations, table]))
    }

    fn image_rectify(corners: CubeTensor, tilted: CubeTensor) -> CubeTensor {
        let [corners, tilted] = [corners, tilted].map(contiguous);
        let batch = corners.shape()[0];
        let maps = shaped(&corners, Shape::from([batch, OF_MAP]));
        let (count, dim) = for_values(batch);
        let (client, to) = (corners.client.clone(), maps.clone().into_tensor_arg());
        let [corners, tilted] = [corners, tilted].map(CubeTensor::into_tensor_arg);
        kernels::rectify::launch(&client, count, dim, corners, tilted, to);
        maps
    }
}

impl ImageOpsGradients for Cube {
    fn image_warp_backward(seen: CubeTensor, maps: CubeTensor, size: [usize; 2]) -> CubeTensor {
        let [seen, maps] = [seen, maps].map(contiguous);
        let [batch, channels, height, width] = seen.shape().dims();
        let rows = Shape::from([batch * channels, height * width]);
        let magnitudes = Cube::float_abs(Cube::float_reshape(seen.clone(), rows));
        let sums = contiguous(Cube::float_sum_dim(magnitudes, 1));
        let shape = sized(&seen, size);
        let parts = Cube::int_zeros(shape.clone(), &seen.device, IntDType::I32);
        let client = seen.client.clone();
        let (count, dim) = for_values(batch * height * width);
        kernels::warp_backward::launch(
            &client,
            count,
            dim,
            seen.clone().into_tensor_arg(),
            maps.into_tensor_arg(),
            sums.clone().into_tensor_arg(),
            parts.clone().into_tensor_arg(),
        );
        let grad = shaped(&seen, shape);
        let (count, dim) = for_values(grad.shape().num_elements());
        let [parts, sums] = [parts, sums].map(CubeTensor::into_tensor_arg);
        let to = grad.clone().into_tensor_arg();
        kernels::whole::launch(&client, count, dim, parts, sums, to);
        grad
    }

    fn image_overlay_backward(images: CubeTensor, fronts: CubeTensor) -> CubeTensor {
        overlay(images, fronts, None)
    }
}
