//! Registration of image operations in burn's autodiff graph. A warp's gradient is its transpose; an overlay is linear.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops},
    },
    tensor::{FloatTensor, IntTensor},
};

use super::{ImageOps, ImageOpsGradients};
use crate::kernels::fused::{accumulate, register};

#[derive(Debug)]
struct WarpGrad;

impl<B: ImageOpsGradients> Backward<B, 1> for WarpGrad {
    /// The maps, and the size of the input.
    type State = (FloatTensor<B>, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 1>(ops, grads, |(maps, size), grad| {
            [B::image_warp_backward(grad, maps, size)]
        });
    }
}

#[derive(Debug)]
struct OverlayGrad;

impl<B: ImageOpsGradients> Backward<B, 1> for OverlayGrad {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 1>(ops, grads, |params, grad| {
            [B::image_overlay_backward(grad, params)]
        });
    }
}

fn size_of(images: &impl TensorMetadata) -> [usize; 2] {
    let [_, _, height, width] = images.shape().dims();
    [height, width]
}

impl<B: ImageOpsGradients, C: CheckpointStrategy> ImageOps for Autodiff<B, C> {
    fn image_warp(
        images: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        let [(images, node), (maps, _)] = [images, maps].map(FloatTensor::<Self>::into_parts);
        let from = size_of(&images);
        let output = B::image_warp(images, maps.clone(), size);
        register::<B, C, _, 1>(WarpGrad, [node], (maps, from), output)
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
        register::<B, C, _, 1>(OverlayGrad, [node], params, output)
    }

    fn image_rectify(corners: FloatTensor<Self>, tilted: FloatTensor<Self>) -> FloatTensor<Self> {
        let [(corners, _), (tilted, _)] = [corners, tilted].map(FloatTensor::<Self>::into_parts);
        FloatTensor::<Self>::new(B::image_rectify(corners, tilted))
    }
}
