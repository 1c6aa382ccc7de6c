//! Linear layers over sequences and pictures, and token embeddings.

use burn::{
    nn::{Embedding, Linear},
    tensor::{Int, Tensor},
};

use crate::kernels::{gather, matmul};

/// Linear map of [.., inputs] to [.., outputs], as one product over all rows.
///
/// burn 0.22 batches the product over sequences where that makes squarer products, and then computes a weight gradient
/// for each of them before it sums these.
pub fn linear<const D: usize>(layer: &Linear, x: Tensor<D>) -> Tensor<D> {
    let [inputs, outputs] = layer.weight.dims();
    let mut shape = x.dims();
    shape[D - 1] = outputs;
    let rows = matmul(x.reshape([-1, inputs as i32]), layer.weight.val());
    match &layer.bias {
        Some(bias) => rows + bias.val().unsqueeze(),
        None => rows,
    }
    .reshape(shape)
}

/// Embeddings [B, L, D] of tokens [B, L].
pub fn embedding(table: &Embedding, tokens: Tensor<2, Int>) -> Tensor<3> {
    let ([batch, length], weight) = (tokens.dims(), table.weight.val());
    let width = weight.dims()[1];
    gather(weight, tokens.flatten(0, 1)).reshape([batch, length, width])
}
