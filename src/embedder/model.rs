//! Networks of the embedder.
//!
//! Shapes: N functions, F buckets, D = `width`.

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::config::EmbedderConfig;
use crate::nn::{init::Initializer, losses::unit_rows};

/// Weights of the idioms and their projection.
#[derive(Module, Debug)]
pub struct EmbedderModel {
    /// Logarithms of the weights, `[F]`.
    log_weights: Param<Tensor<1>>,
    /// Projection of the weighed idioms to the dense part, [F, D].
    projection: Param<Tensor<2>>,
}

impl EmbedderModel {
    /// Weights of before training, `[F]`, with a random projection.
    pub fn new(config: &EmbedderConfig, weights: &[f32], device: &Device) -> Self {
        let mut init = Initializer::new(config.seed, device);
        let log_weights = weights
            .iter()
            .map(|weight| weight.max(f32::MIN_POSITIVE).ln());
        Self {
            log_weights: init.vector(log_weights.collect()),
            projection: init.normal(
                [config.buckets, config.width],
                (config.width as f32).powf(-0.5),
            ),
        }
    }

    /// Counts of idioms [N, F] to embeddings [N, F + D] of length 1, of whose square the `dense` share is the dense part's.
    pub fn embed(&self, counts: Tensor<2>, dense: f64) -> Tensor<2> {
        let weighed = unit_rows(counts * self.log_weights.val().exp().unsqueeze());
        let whole = unit_rows(weighed.clone().matmul(self.projection.val()));
        Tensor::cat(
            vec![weighed * (1.0 - dense).sqrt(), whole * dense.sqrt()],
            1,
        )
    }

    /// Weights `[F]` and projection [F, D].
    pub fn tensors(&self) -> (Tensor<1>, Tensor<2>) {
        (self.log_weights.val().exp(), self.projection.val())
    }
}
