//! Initial weights, drawn on the host so that a seed means the same on every device.

use burn::{
    module::Param,
    nn::{Embedding, LayerNorm, LayerNormConfig, Linear},
    tensor::{Device, Tensor, TensorData},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random weights of one network, drawn in the order in which its layers are built.
pub struct Initializer {
    rng: ChaCha8Rng,
    device: Device,
}

impl Initializer {
    /// Initializer by `seed`, for weights on `device`.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            device: device.clone(),
        }
    }

    /// Tensor of normal values with the given standard deviation.
    pub fn normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        deviation: f32,
    ) -> Param<Tensor<D>> {
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| normal(&mut self.rng) * deviation)
            .collect();
        self.param(TensorData::new(values, shape))
    }

    /// Vector filled with one value.
    pub fn constant(&mut self, length: usize, value: f32) -> Param<Tensor<1>> {
        self.vector(vec![value; length])
    }

    /// Vector of these values.
    pub fn vector(&mut self, values: Vec<f32>) -> Param<Tensor<1>> {
        let length = values.len();
        self.param(TensorData::new(values, [length]))
    }

    /// Linear layer without bias.
    pub fn linear(&mut self, inputs: usize, outputs: usize, deviation: f32) -> Linear {
        Linear {
            weight: self.normal([inputs, outputs], deviation),
            bias: None,
        }
    }

    /// Linear layer with a zero bias.
    pub fn linear_biased(&mut self, inputs: usize, outputs: usize, deviation: f32) -> Linear {
        Linear {
            weight: self.normal([inputs, outputs], deviation),
            bias: Some(self.constant(outputs, 0.0)),
        }
    }

    /// Linear layer with a zero bias, scaled for ReLU (He et al. 2015, arXiv 1502.01852).
    pub fn linear_relu(&mut self, inputs: usize, outputs: usize) -> Linear {
        self.linear_biased(inputs, outputs, (2.0 / inputs as f32).sqrt())
    }

    /// Convolution kernels [outputs, inputs, size, size], scaled for ReLU and by `gain`.
    pub fn kernel(
        &mut self,
        inputs: usize,
        outputs: usize,
        size: usize,
        gain: f32,
    ) -> Param<Tensor<4>> {
        let deviation = gain * (2.0 / (inputs * size * size) as f32).sqrt();
        self.normal([outputs, inputs, size, size], deviation)
    }

    /// Layer norm.
    pub fn layer_norm(&mut self, width: usize, epsilon: f64) -> LayerNorm {
        LayerNormConfig::new(width)
            .with_epsilon(epsilon)
            .init(&self.device)
    }

    /// Embedding table.
    pub fn embedding(&mut self, entries: usize, width: usize, deviation: f32) -> Embedding {
        Embedding {
            weight: self.normal([entries, width], deviation),
        }
    }

    fn param<const D: usize>(&self, data: TensorData) -> Param<Tensor<D>> {
        Param::from_data(data, &self.device)
    }
}

/// Random value of the standard normal distribution (Box and Muller 1958).
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let (radius, angle): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
    (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
}
