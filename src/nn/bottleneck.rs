//! Bottleneck autoencoder: from hidden states [B, L, D] to a latent point [B, Z] in the box (-1, 1)^Z, and back.
//!
//! A small network is smooth in its inputs and can't tell 199 programs apart on a plane. So the decoder sees Fourier
//! features of the point (Tancik et al. 2020, arXiv 2006.10739), annealed from coarse to fine octaves while training (as
//! in Park et al. 2021, arXiv 2011.12948): the coarse ones alone impose an order on the plane, the fine ones sharpen it.

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};

use super::{init::Initializer, linear::linear};
use crate::kernels::Activation;

/// Fourier features sin and cos(pi 2^k z) of octaves k = 0, 1, .., and their weights, 0 to 1.
#[derive(Clone, Debug)]
pub struct FourierBands(Option<Bands>);

/// Angular frequencies and weights, both [1, K, 1, 1].
#[derive(Clone, Debug)]
struct Bands {
    frequencies: Tensor<4>,
    weights: Tensor<4>,
}

impl FourierBands {
    /// Octaves with these weights on `device`.
    pub fn new(weights: &[f32], device: &Device) -> Self {
        let frequency = |k: usize| std::f32::consts::PI * (1 << k) as f32;
        let frequencies: Vec<f32> = (0..weights.len()).map(frequency).collect();
        let row = |values: &[f32]| as_row(Tensor::from_data(values, device));
        let bands = || Bands {
            frequencies: row(&frequencies),
            weights: row(weights),
        };
        Self((!weights.is_empty()).then(bands))
    }

    /// All of `count` octaves with weight 1.
    pub fn full(count: usize, device: &Device) -> Self {
        Self::new(&vec![1.0; count], device)
    }

    /// Octaves of `self` with other weights `[K]`.
    pub fn weighted(&self, weights: Tensor<1>) -> Self {
        let bands = self.0.clone().map(|bands| Bands {
            weights: as_row(weights),
            ..bands
        });
        Self(bands)
    }

    /// Weights of `count` octaves at `progress` (0 to 1) of a run that anneals them over its first `share`.
    pub fn weights_at(count: usize, progress: f64, share: f64) -> Vec<f32> {
        if share <= 0.0 {
            return vec![1.0; count];
        }
        let reached = count as f64 * progress / share;
        let weight = |k: usize| {
            (1.0 - (std::f64::consts::PI * (reached - k as f64).clamp(0.0, 1.0)).cos()) / 2.0
        };
        (0..count).map(|k| weight(k) as f32).collect()
    }
}

/// `[K]` as [1, K, 1, 1].
fn as_row(values: Tensor<1>) -> Tensor<4> {
    let count = values.dims()[0];
    values.reshape([1, count, 1, 1])
}

/// Autoencoder of hidden states, through a latent point.
#[derive(Module, Debug)]
pub struct Bottleneck {
    encoder_in: Linear,
    encoder_out: Linear,
    decoder_in: Linear,
    decoder_mid: Option<Linear>,
    decoder_out: Linear,
    length: usize,
    #[module(skip)]
    activation: Activation,
}

/// Initialisation and depth of a [`Bottleneck`].
#[derive(Clone, Copy, Debug)]
pub struct BottleneckStart {
    /// Gain of the initial weights: standard deviation times the root of the number of inputs. sqrt(2) keeps the scale
    /// through ReLU (He et al. 2015, arXiv 1502.01852), less keeps the first points out of tanh's saturation.
    pub gain: f64,
    /// Activation between the layers.
    pub activation: Activation,
    /// Further layer of the decoder, which tells points of few dimensions apart.
    pub is_deep: bool,
}

impl Bottleneck {
    /// Autoencoder of `length` tokens of `d_model` each, with `dims` latent values and `width` inner units.
    pub fn new(
        length: usize,
        d_model: usize,
        dims: usize,
        width: usize,
        octaves: usize,
        start: BottleneckStart,
        init: &mut Initializer,
    ) -> Self {
        let features = dims * (1 + 2 * octaves);
        let mut layer = |inputs: usize, outputs: usize| {
            let deviation = (start.gain * start.gain / inputs as f64).sqrt() as f32;
            init.linear_biased(inputs, outputs, deviation)
        };
        Self {
            encoder_in: layer(length * d_model, width),
            encoder_out: layer(width, dims),
            decoder_in: layer(features, width),
            decoder_mid: start.is_deep.then(|| layer(width, width)),
            decoder_out: layer(width, length * d_model),
            length,
            activation: start.activation,
        }
    }

    /// Latent points [B, Z] of hidden states [B, L, D].
    pub fn encode(&self, hidden: Tensor<3>) -> Tensor<2> {
        let x = linear(&self.encoder_in, hidden.flatten(1, 2));
        linear(&self.encoder_out, self.activation.forward(x)).tanh()
    }

    /// Hidden states [B, L, D] of latent points [B, Z].
    pub fn decode(&self, point: Tensor<2>, octaves: &FourierBands) -> Tensor<3> {
        let x = linear(&self.decoder_in, with_fourier_features(point, octaves));
        let x = self.activation.forward(x);
        let x = match &self.decoder_mid {
            Some(layer) => self.activation.forward(linear(layer, x)),
            None => x,
        };
        let x = linear(&self.decoder_out, x);
        let [batch, width] = x.dims();
        x.reshape([batch, self.length, width / self.length])
    }
}

/// Points [B, Z] concatenated with their Fourier features, octave by octave: [B, (1 + 2 K) Z].
fn with_fourier_features(point: Tensor<2>, octaves: &FourierBands) -> Tensor<2> {
    let Some(bands) = octaves.0.clone() else {
        return point;
    };
    let ([batch, dims], [_, count, ..]) = (point.dims(), bands.frequencies.dims());
    let angles = point.clone().reshape([batch, 1, 1, dims]) * bands.frequencies;
    let features = Tensor::cat(vec![angles.clone().sin(), angles.cos()], 2) * bands.weights;
    Tensor::cat(vec![point, features.reshape([batch, count * 2 * dims])], 1)
}
