//! Slot projections: dense layers that narrow each slot step by step, so that all slots together are one latent vector,
//! and widen it again.
//!
//! Shapes: B functions, S slots.

use burn::{module::Module, nn::Linear, tensor::Tensor};

use crate::{
    kernels::leaky_relu,
    nn::{init::Initializer, linear::linear},
};

/// Dense layers with leaky ReLU in between, shared by all slots.
#[derive(Module, Debug)]
pub struct SlotProjection {
    layers: Vec<Linear>,
}

impl SlotProjection {
    /// Projection from width `wide` to `narrow`: each layer halves the width, the last one down to `narrow`. The identity
    /// where the widths are equal.
    pub fn down(wide: usize, narrow: usize, init: &mut Initializer) -> Self {
        Self::through(&widths(wide, narrow), init)
    }

    /// Projection from width `narrow` to `wide`, through the same widths.
    pub fn up(narrow: usize, wide: usize, init: &mut Initializer) -> Self {
        let mut widths = widths(wide, narrow);
        widths.reverse();
        Self::through(&widths, init)
    }

    fn through(widths: &[usize], init: &mut Initializer) -> Self {
        let last = widths.len().saturating_sub(2);
        let layers = widths.windows(2).enumerate().map(|(layer, sizes)| {
            // No ReLU after the last layer: its gain is 1.
            let gain: f32 = if layer == last { 1.0 } else { 2.0 };
            init.linear_biased(sizes[0], sizes[1], (gain / sizes[0] as f32).sqrt())
        });
        Self {
            layers: layers.collect(),
        }
    }

    /// Projected slots [B, S, to] of slots [B, S, from].
    pub fn forward(&self, slots: Tensor<3>) -> Tensor<3> {
        let mut layers = self.layers.iter();
        let Some(first) = layers.next() else {
            return slots;
        };
        layers.fold(linear(first, slots), |x, layer| {
            linear(layer, leaky_relu(x))
        })
    }
}

/// Widths from `wide` by halves to `narrow`.
fn widths(wide: usize, narrow: usize) -> Vec<usize> {
    let halves = std::iter::successors(Some(wide), |&width| {
        (width > narrow).then(|| (width / 2).max(narrow))
    });
    halves.collect()
}
