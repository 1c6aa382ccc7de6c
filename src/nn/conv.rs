//! Layers of convolutional networks: standardised convolutions, group norm, upsampling.
//!
//! Shapes: B pictures, C channels, H rows, W columns.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, module::conv2d, ops::ConvOptions},
};

use super::{device_constants::table, init::Initializer};
use crate::kernels::{Activation, matmul};

/// Convolution [B, O, ceil(H / stride), ceil(W / stride)] of [B, C, H, W] with kernels `weight` [O, C, K, K], K odd, and a zero
/// padding of half a kernel.
pub fn conv(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, stride: usize) -> Tensor<4> {
    let padding = weight.dims()[2] / 2;
    let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
    conv2d(x, weight, bias, options)
}

/// Convolution [B, O, H / 2, W / 2] of stride 2 without bias of [B, C, H, W], H and W even, with kernels `weight` [O, C, K, K], K
/// odd. Some are computed with stride 1 over blocks of 2x2 pixels as channels: from at most 4 channels to at most 16,
/// burn computes value by value on the CPU, this is a product.
pub fn halving_conv(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    let [outputs, channels, size, _] = weight.dims();
    if channels > 4 || outputs > 16 || size % 4 != 1 {
        return conv(x, weight, None, 2);
    }
    let [batch, _, height, width] = x.dims();
    let blocks = x
        .reshape([batch, channels, height / 2, 2, width / 2, 2])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([batch, 4 * channels, height / 2, width / 2]);
    // A row and a column of zeros complete the last blocks.
    let half = size.div_ceil(2);
    let weight = pad_zeros(weight, [0, 1], [0, 1])
        .reshape([outputs, channels, half, 2, half, 2])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([outputs, 4 * channels, half, half]);
    conv(blocks, weight, None, 1)
}

/// Convolution with bias and zero padding that keeps the picture's size; kernels are odd.
#[derive(Module, Debug)]
pub struct SameConv {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

impl SameConv {
    /// Kernels of `size` x `size`, scaled for ReLU and by `gain`; no bias yet.
    pub fn new(
        inputs: usize,
        outputs: usize,
        size: usize,
        gain: f32,
        init: &mut Initializer,
    ) -> Self {
        Self {
            weight: init.kernel(inputs, outputs, size, gain),
            bias: init.constant(outputs, 0.0),
        }
    }

    /// [B, inputs, H, W] to [B, outputs, H, W].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv(x, self.weight.val(), Some(self.bias.val()), 1)
    }
}

/// Convolution without bias whose kernels are standardised (Qiao et al. 2019, arXiv 1903.10520).
#[derive(Module, Debug)]
pub struct StdConv {
    weight: Param<Tensor<4>>,
    stride: usize,
}

impl StdConv {
    /// Kernels of `size` x `size` with this `stride` and a zero padding of `size / 2`.
    pub fn new(
        inputs: usize,
        outputs: usize,
        size: usize,
        stride: usize,
        init: &mut Initializer,
    ) -> Self {
        Self {
            weight: init.kernel(inputs, outputs, size, 1.0),
            stride,
        }
    }

    /// [B, inputs, H, W] to [B, outputs, H / stride, W / stride], rounded up.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv(x, standardised(self.weight.val()), None, self.stride)
    }
}

/// Kernels [outputs, inputs, H, W], standardised per output to mean 0 and biased variance 1; 1e-8 is added to the
/// variance, as in timm's BiT.
pub fn standardised(weight: Tensor<4>) -> Tensor<4> {
    let shape = weight.dims();
    let rows = weight.flatten::<2>(1, 3);
    let centred = rows.clone() - rows.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    (centred / (variance + 1e-8).sqrt()).reshape(shape)
}

/// Group norm (Wu and He 2018, arXiv 1803.08494; 1e-5 is added to the variance), then activation. Pictures of a batch
/// don't depend on each other, unlike with batch norm.
#[derive(Module, Debug)]
pub struct NormAct {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    groups: usize,
    #[module(skip)]
    activation: Activation,
}

impl NormAct {
    /// Norm of `channels` in `groups` of equal size.
    ///
    /// # Panics
    /// When the groups don't divide the channels.
    pub fn new(
        channels: usize,
        groups: usize,
        activation: Activation,
        init: &mut Initializer,
    ) -> Self {
        assert!(
            channels > 0 && channels.is_multiple_of(groups),
            "{channels} channels can't be split into {groups} groups"
        );
        Self {
            weight: init.constant(channels, 1.0),
            bias: init.constant(channels, 0.0),
            groups,
            activation,
        }
    }

    /// [B, C, H, W] to [B, C, H, W].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let entries = channels / self.groups * height * width;
        let rows = x.reshape([batch, self.groups, entries]);
        let centred = rows.clone() - rows.mean_dim(2);
        let variance = centred.clone().square().mean_dim(2);
        let normed = (centred / (variance + 1e-5).sqrt()).reshape([batch, channels, height, width]);
        let by_channel = |param: &Param<Tensor<1>>| param.val().reshape([1, channels, 1, 1]);
        let scaled = normed * by_channel(&self.weight) + by_channel(&self.bias);
        self.activation.forward(scaled)
    }
}

/// Interpolation of [`upsample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// Line between the two nearest pixels.
    Bilinear,
    /// Cubic through the four nearest (Keys 1981, a = -0.75 as in PyTorch); may overshoot.
    Bicubic,
}

/// Upsampled pictures [B, C, H factor, W factor] of [B, C, H, W], with pixel centres aligned and the border replicated.
///
/// Two products with matrices: burn 0.22 has no backward of smooth interpolation on GPUs.
pub fn upsample(x: Tensor<4>, factor: usize, interpolation: Interpolation) -> Tensor<4> {
    let across = upsample_last(x, factor, interpolation).swap_dims(2, 3);
    upsample_last(across, factor, interpolation).swap_dims(2, 3)
}

/// [B, C, H, W] padded with so many rows of zeros above and below and columns on the left and right. burn's own padding
/// uploads its zeros, which a captured step may not.
pub fn pad_zeros(x: Tensor<4>, [above, below]: [usize; 2], [left, right]: [usize; 2]) -> Tensor<4> {
    let device = x.device();
    let pad = |x: Tensor<4>, dim: usize, [before, after]: [usize; 2]| {
        let zeros = |count: usize| {
            let mut shape = x.dims();
            shape[dim] = count;
            (count > 0).then(|| Tensor::zeros(shape, &device))
        };
        let parts = [zeros(before), Some(x.clone()), zeros(after)];
        Tensor::cat(parts.into_iter().flatten().collect(), dim)
    };
    pad(pad(x, 3, [left, right]), 2, [above, below])
}

fn upsample_last(x: Tensor<4>, factor: usize, interpolation: Interpolation) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let name = match interpolation {
        Interpolation::Bilinear => "bilinear",
        Interpolation::Bicubic => "bicubic",
    };
    let matrix = table(name, &[width, factor], &x.device(), || {
        interpolation_matrix(width, factor, interpolation)
    });
    let matrix = matrix.reshape([width, width * factor]);
    let rows = matmul(x.reshape([batch * channels * height, width]), matrix);
    rows.reshape([batch, channels, height, width * factor])
}

/// Interpolation matrix [from, from * factor] of a row.
fn interpolation_matrix(from: usize, factor: usize, interpolation: Interpolation) -> Vec<f32> {
    let to = from * factor;
    let mut weights = vec![0.0_f32; from * to];
    for output in 0..to {
        let centre = (output as f64 + 0.5) / factor as f64 - 0.5;
        let left = centre.floor();
        let reach = match interpolation {
            Interpolation::Bilinear => 0..2,
            Interpolation::Bicubic => -1..3,
        };
        for step in reach {
            let pixel = left + f64::from(step);
            let weight = match interpolation {
                Interpolation::Bilinear => 1.0 - (centre - pixel).abs(),
                Interpolation::Bicubic => keys((centre - pixel).abs()),
            };
            let pixel = pixel.clamp(0.0, (from - 1) as f64) as usize;
            weights[pixel * to + output] += weight as f32;
        }
    }
    weights
}

/// Cubic convolution kernel (Keys 1981) at a distance of 0 to 2 pixels.
fn keys(distance: f64) -> f64 {
    let a = -0.75;
    if distance <= 1.0 {
        ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0
    } else {
        a * (((distance - 5.0) * distance + 8.0) * distance - 4.0)
    }
}
