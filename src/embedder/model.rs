//! Networks of the embedder.
//!
//! Shapes: N functions, F buckets, D = `width`.

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::config::EmbedderConfig;
use crate::{
    kernels::cross_entropy,
    nn::{device_constants::constant, init::Initializer},
};

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

/// Rows [N, D] scaled to length 1.
fn unit_rows(rows: Tensor<2>) -> Tensor<2> {
    let length = (rows.clone().square().sum_dim(1) + 1e-12).sqrt();
    rows / length
}

/// InfoNCE `[1]` in nats (van den Oord et al. 2018, arXiv 1807.03748) of pairs of rows [N, D] of length 1, mean of both ways:
/// the positive of each row is its pair, the candidates are the pairs of all, and the logits are cosines over `temperature`.
pub fn info_nce(rows: Tensor<2>, pairs: Tensor<2>, temperature: f64) -> Tensor<1> {
    let own: Vec<i32> = (0..rows.dims()[0] as i32).collect();
    let own = constant(&own, &rows.device());
    let logits = rows.matmul(pairs.transpose()) / temperature;
    let forth = cross_entropy(logits.clone(), own.clone(), 0.0);
    let back = cross_entropy(logits.transpose(), own, 0.0);
    (forth + back).mean() / 2.0
}
