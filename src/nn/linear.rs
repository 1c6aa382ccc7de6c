//! Linear layers over sequences and pictures.

use burn::{nn::Linear, tensor::Tensor};

/// [.., inputs] to [.., outputs] as one product over all rows.
///
/// burn 0.22 multiplies each sequence by itself where that makes squarer products, and then has a gradient
/// of the weights for each before it sums them: an executor's step took 1.2 times as long.
pub fn by_row<const D: usize>(layer: &Linear, x: Tensor<D>) -> Tensor<D> {
    let [inputs, outputs] = layer.weight.dims();
    let mut shape = x.dims();
    shape[D - 1] = outputs;
    let rows = x.reshape([-1, inputs as i32]);
    layer.forward(rows).reshape(shape)
}
