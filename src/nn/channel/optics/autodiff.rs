//! The gradients. A warp's is its transpose, and what fades its own.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops},
    },
    tensor::{FloatTensor, IntTensor},
};

use super::{Optics, OpticsGradients};
use crate::nn::fused::{add, enter};

#[derive(Debug)]
struct Warp;

impl<B: OpticsGradients> Backward<B, 1> for Warp {
    /// The maps, and the size to go back to.
    type State = (FloatTensor<B>, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        add::<B, _, 1>(ops, grads, |(maps, size), grad| {
            [B::optics_warp_back(grad, maps, size)]
        });
    }
}

#[derive(Debug)]
struct Fade;

impl<B: OpticsGradients> Backward<B, 1> for Fade {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        add::<B, _, 1>(ops, grads, |fronts, grad| [B::optics_fade(grad, fronts)]);
    }
}

fn size_of(images: &impl TensorMetadata) -> [usize; 2] {
    let [_, _, height, width] = images.shape().dims();
    [height, width]
}

impl<B: OpticsGradients, C: CheckpointStrategy> Optics for Autodiff<B, C> {
    fn optics_warp(
        images: FloatTensor<Self>,
        maps: FloatTensor<Self>,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        let [(images, node), (maps, _)] = [images, maps].map(FloatTensor::<Self>::into_parts);
        let from = size_of(&images);
        let output = B::optics_warp(images, maps.clone(), size);
        enter::<B, C, _, 1>(Warp, [node], (maps, from), output)
    }

    fn optics_veil(
        images: FloatTensor<Self>,
        fronts: FloatTensor<Self>,
        starts: IntTensor<Self>,
        deviations: FloatTensor<Self>,
        table: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [(images, node), (fronts, _), (deviations, _), (table, _)] =
            [images, fronts, deviations, table].map(FloatTensor::<Self>::into_parts);
        let output = B::optics_veil(images, fronts.clone(), starts, deviations, table);
        enter::<B, C, _, 1>(Fade, [node], fronts, output)
    }

    fn optics_upright(corners: FloatTensor<Self>, tilted: FloatTensor<Self>) -> FloatTensor<Self> {
        let [(corners, _), (tilted, _)] = [corners, tilted].map(FloatTensor::<Self>::into_parts);
        FloatTensor::<Self>::new(B::optics_upright(corners, tilted))
    }
}
