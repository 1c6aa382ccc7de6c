//! What networks of pictures are made of: standardised convolutions, group norm, upsampling.
//!
//! Shapes: B pictures, C channels, H rows, W columns.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, activation::leaky_relu, module::conv2d, ops::ConvOptions},
};

use super::{
    device_constants::table,
    fused::{matmul, relu, silu},
    init::Initializer,
};

/// What bends between two layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConvActivation {
    /// max(0, x), as published with ResNet-v2.
    #[default]
    Relu,
    /// x sigmoid(x), smooth, as the first Code Glyphs had it.
    Swish,
    /// x, and 0.2 x below 0, as in the first Code Glyphs' generators.
    LeakyRelu,
}

impl ConvActivation {
    /// Of every entry.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => relu(x),
            Self::Swish => silu(x),
            Self::LeakyRelu => leaky_relu(x, 0.2),
        }
    }
}

/// A convolution with a bias that keeps the picture's size (zeros round it; odd kernels).
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
        let weight = self.weight.val();
        let padding = weight.dims()[2] / 2;
        let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
        conv2d(x, weight, Some(self.bias.val()), options)
    }
}

/// A convolution without bias whose kernels are standardised (Qiao et al. 2019, arXiv 1903.10520).
#[derive(Module, Debug)]
pub struct StdConv {
    weight: Param<Tensor<4>>,
    stride: usize,
}

impl StdConv {
    /// Kernels of `size` x `size` that move by `stride`, with `size / 2` zeros round the picture.
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
        let weight = self.weight.val();
        let padding = weight.dims()[2] / 2;
        let options = ConvOptions::new([self.stride, self.stride], [padding, padding], [1, 1], 1);
        conv2d(x, standardised(weight), None, options)
    }
}

/// Kernels [outputs, inputs, H, W], each output's with mean 0 and biased variance 1; 1e-8 is added
/// to the variance, as timm does for BiT.
pub fn standardised(weight: Tensor<4>) -> Tensor<4> {
    let shape = weight.dims();
    let rows = weight.flatten::<2>(1, 3);
    let centred = rows.clone() - rows.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    (centred / (variance + 1e-8).sqrt()).reshape(shape)
}

/// Group norm (Wu and He 2018, arXiv 1803.08494; 1e-5 is added to the variance), then activation.
/// Unlike batch norm it lets no picture of a batch change another.
#[derive(Module, Debug)]
pub struct NormAct {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    groups: usize,
    #[module(skip)]
    activation: ConvActivation,
}

impl NormAct {
    /// For `channels` in `groups` of equal size.
    ///
    /// # Panics
    /// When the groups don't divide the channels.
    pub fn new(
        channels: usize,
        groups: usize,
        activation: ConvActivation,
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

/// How [`upsample`] fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Straight between the two nearest pixels.
    Bilinear,
    /// A cubic through the four nearest (Keys 1981, a = -0.75 as in PyTorch); may overshoot.
    Bicubic,
}

/// Enlarges [B, C, H, W] to [B, C, H factor, W factor]; pixels are squares whose centres are
/// compared, and the border's colour goes on outside.
///
/// By two products with matrices: burn 0.22 has no backward of smooth interpolation on GPUs.
pub fn upsample(x: Tensor<4>, factor: usize, filling: Filling) -> Tensor<4> {
    enlarge_last(
        enlarge_last(x, factor, filling).swap_dims(2, 3),
        factor,
        filling,
    )
    .swap_dims(2, 3)
}

/// [B, C, H, W] with so many rows of zeros above and below and columns to the left and right. (burn's own padding brings
/// its zeros from the host.)
pub fn with_zeros(
    x: Tensor<4>,
    [above, below]: [usize; 2],
    [left, right]: [usize; 2],
) -> Tensor<4> {
    let device = x.device();
    let beside = |x: Tensor<4>, dim: usize, [before, after]: [usize; 2]| {
        let zeros = |count: usize| {
            let mut shape = x.dims();
            shape[dim] = count;
            (count > 0).then(|| Tensor::zeros(shape, &device))
        };
        let parts = [zeros(before), Some(x.clone()), zeros(after)];
        Tensor::cat(parts.into_iter().flatten().collect(), dim)
    };
    beside(beside(x, 3, [left, right]), 2, [above, below])
}

fn enlarge_last(x: Tensor<4>, factor: usize, filling: Filling) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let name = match filling {
        Filling::Bilinear => "bilinear",
        Filling::Bicubic => "bicubic",
    };
    let matrix = table(name, &[width, factor], &x.device(), || {
        filling_matrix(width, factor, filling)
    });
    let matrix = matrix.reshape([width, width * factor]);
    matmul(x.reshape([batch * channels * height, width]), matrix).reshape([
        batch,
        channels,
        height,
        width * factor,
    ])
}

/// [from, from * factor]: how much each pixel gives to each of the enlarged row.
fn filling_matrix(from: usize, factor: usize, filling: Filling) -> Vec<f32> {
    let to = from * factor;
    let mut shares = vec![0.0_f32; from * to];
    for place in 0..to {
        let centre = (place as f64 + 0.5) / factor as f64 - 0.5;
        let left = centre.floor();
        let reach = match filling {
            Filling::Bilinear => 0..2,
            Filling::Bicubic => -1..3,
        };
        for step in reach {
            let pixel = left + f64::from(step);
            let share = match filling {
                Filling::Bilinear => 1.0 - (centre - pixel).abs(),
                Filling::Bicubic => keys((centre - pixel).abs()),
            };
            let pixel = pixel.clamp(0.0, (from - 1) as f64) as usize;
            shares[pixel * to + place] += share as f32;
        }
    }
    shares
}

/// Keys' cubic kernel at a distance of 0 to 2 pixels.
fn keys(distance: f64) -> f64 {
    let a = -0.75;
    if distance <= 1.0 {
        ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0
    } else {
        a * (((distance - 5.0) * distance + 8.0) * distance - 4.0)
    }
}
