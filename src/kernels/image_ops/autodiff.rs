//! Registration of image operations in burn's autodiff graph. A warp's gradient is its transpose; an overlay is linear.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::checkpoint::strategy::CheckpointStrategy,
    tensor::{FloatTensor, IntTensor},
};

use super::{ImageOps, ImageOpsGradients};
use crate::kernels::fused::autodiff::register;

impl<B: ImageOpsGradients, C: CheckpointStrategy> ImageOps for Autodiff<B, C> {
    fn image_warp(
        images: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        let [(images, node), (maps, _)] = [images, maps].map(FloatTensor::<Self>::into_parts);
        let [_, _, height, width] = images.shape().dims();
        let output = B::image_warp(images, maps.clone(), size);
        let state = (maps, [height, width]);
        register::<B, C, _, 1>([node], state, output, |(maps, size), grad, _| {
            [Some(B::image_warp_backward(grad, maps, size))]
        })
    }

    fn image_overlay(
        images: FloatTensor<Self>,
        params: FloatTensor<Self>,
        noise_offsets: IntTensor<Self>,
        noise_scales: FloatTensor<Self>,
        noise_table: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [(images, node), (params, _), (scales, _), (table, _)] =
            [images, params, noise_scales, noise_table].map(FloatTensor::<Self>::into_parts);
        let output = B::image_overlay(images, params.clone(), noise_offsets, scales, table);
        register::<B, C, _, 1>([node], params, output, |params, grad, _| {
            [Some(B::image_overlay_backward(grad, params))]
        })
    }

    fn image_rectify(corners: FloatTensor<Self>, tilted: FloatTensor<Self>) -> FloatTensor<Self> {
        let [(corners, _), (tilted, _)] = [corners, tilted].map(FloatTensor::<Self>::into_parts);
        FloatTensor::<Self>::new(B::image_rectify(corners, tilted))
    }
}
