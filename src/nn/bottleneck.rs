//! The autoencoder inside the autoencoder: hidden states [B, L, D] to a latent point [B, Z] in the
//! box (-1, 1)^Z, and back.
//!
//! A small network is smooth in its inputs and can't tell 199 programs apart on a plane; so the
//! point is lifted by Fourier features first (Tancik et al. 2020, arXiv 2006.10739), brought in
//! one octave after the other while training (as in Park et al. 2021, arXiv 2011.12948): while
//! only the coarse ones are on, the plane has to take an order, which the fine ones then sharpen.

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};

use serde::{Deserialize, Serialize};

use super::{
    fused::{gelu, relu, silu},
    init::Initializer,
    linear::linear,
};

/// The octaves sin and cos(pi 2^k z), k = 0, 1, .., and their weights, 0 to 1.
#[derive(Clone, Debug)]
pub struct FourierBands(Option<Bands>);

/// Both [1, K, 1, 1].
#[derive(Clone, Debug)]
struct Bands {
    pitches: Tensor<4>,
    weights: Tensor<4>,
}

impl FourierBands {
    /// Octaves of these weights on `device`.
    pub fn new(weights: &[f32], device: &Device) -> Self {
        let pitch = |k: usize| std::f32::consts::PI * (1 << k) as f32;
        let pitches: Vec<f32> = (0..weights.len()).map(pitch).collect();
        let row = |values: &[f32]| as_row(Tensor::from_data(values, device));
        let waves = || Bands {
            pitches: row(&pitches),
            weights: row(weights),
        };
        Self((!weights.is_empty()).then(waves))
    }

    /// All `count` octaves in full.
    pub fn full(count: usize, device: &Device) -> Self {
        Self::new(&vec![1.0; count], device)
    }

    /// The same octaves with other weights `[K]`.
    pub fn weighted(&self, weights: Tensor<1>) -> Self {
        let waves = self.0.clone().map(|waves| Bands {
            weights: as_row(weights),
            ..waves
        });
        Self(waves)
    }

    /// The weights of `count` octaves at `progress` (0 to 1) of a run that brings them in over its first `share`.
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

fn as_row(values: Tensor<1>) -> Tensor<4> {
    let count = values.dims()[0];
    values.reshape([1, count, 1, 1])
}

/// Hidden states to latent point and back.
#[derive(Module, Debug)]
pub struct Bottleneck {
    encoder_in: Linear,
    encoder_out: Linear,
    decoder_in: Linear,
    decoder_mid: Option<Linear>,
    decoder_out: Linear,
    length: usize,
    #[module(skip)]
    activation: BottleneckActivation,
}

/// What stands between the layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckActivation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x sigmoid(x).
    Silu,
    /// x times the normal distribution at x.
    Gelu,
}

impl BottleneckActivation {
    fn of(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Relu => relu(x),
            Self::Silu => silu(x),
            Self::Gelu => gelu(x),
        }
    }
}

/// How a bottleneck begins.
#[derive(Clone, Copy, Debug)]
pub struct BottleneckStart {
    /// The first weights' deviation, times the root of their inputs: sqrt(2) keeps the scale through ReLU (He
    /// et al. 2015, arXiv 1502.01852), less keeps the first points out of tanh's flat ends.
    pub gain: f64,
    /// What stands between the layers.
    pub activation: BottleneckActivation,
    /// Whether the way back has a further layer: it tells points of few dimensions apart.
    pub is_deep: bool,
}

impl Bottleneck {
    /// For hidden states of `length` tokens of `d_model`, `dims` latent values, `width` inner units.
    pub fn new(
        length: usize,
        d_model: usize,
        dims: usize,
        width: usize,
        octaves: usize,
        start: BottleneckStart,
        init: &mut Initializer,
    ) -> Self {
        let BottleneckStart {
            gain,
            activation,
            is_deep,
        } = start;
        let lifted = dims * (1 + 2 * octaves);
        let mut layer = |inputs: usize, outputs: usize| {
            init.linear_biased(inputs, outputs, (gain * gain / inputs as f64).sqrt() as f32)
        };
        Self {
            encoder_in: layer(length * d_model, width),
            encoder_out: layer(width, dims),
            decoder_in: layer(lifted, width),
            decoder_mid: is_deep.then(|| layer(width, width)),
            decoder_out: layer(width, length * d_model),
            length,
            activation,
        }
    }

    /// [B, L, D] to [B, Z].
    pub fn encode(&self, hidden: Tensor<3>) -> Tensor<2> {
        let x = self
            .activation
            .of(linear(&self.encoder_in, hidden.flatten(1, 2)));
        linear(&self.encoder_out, x).tanh()
    }

    /// [B, Z] to [B, L, D].
    pub fn decode(&self, point: Tensor<2>, octaves: &FourierBands) -> Tensor<3> {
        let x = self
            .activation
            .of(linear(&self.decoder_in, lifted(point, octaves)));
        let x = match &self.decoder_mid {
            Some(layer) => self.activation.of(linear(layer, x)),
            None => x,
        };
        let x = linear(&self.decoder_out, x);
        let [batch, width] = x.dims();
        x.reshape([batch, self.length, width / self.length])
    }
}

/// Points [B, Z] and, octave by octave, their weighted sines and cosines: [B, (1 + 2 K) Z].
fn lifted(point: Tensor<2>, octaves: &FourierBands) -> Tensor<2> {
    let Some(Bands { pitches, weights }) = octaves.0.clone() else {
        return point;
    };
    let ([batch, dims], [_, count, ..]) = (point.dims(), pitches.dims());
    let angles = point.clone().reshape([batch, 1, 1, dims]) * pitches;
    let waves = Tensor::cat(vec![angles.clone().sin(), angles.cos()], 2) * weights;
    Tensor::cat(vec![point, waves.reshape([batch, count * 2 * dims])], 1)
}
