//! Generators of the first Code Glyphs: from a latent vector to a picture.
//!
//! Both embed the vector by six dense layers with SiLU, five of which are residual. Differences from the first code:
//! group norm for batch norm, so that a glyph depends on its own function alone; residual connections in the CPPN, whose
//! blocks were doubled; and scaled residual sums, so that pictures of an untrained generator are neither grey nor
//! saturated.
//!
//! Shapes: B vectors, C channels, S rows and columns.

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};

use crate::{
    kernels::{Activation, leaky_relu, sigmoid, silu},
    nn::{
        conv::{Interpolation, NormAct, SameConv, upsample},
        device_constants::table,
        init::Initializer,
        linear::linear,
    },
};

/// Dense layers of the embedding.
const EMBEDDING_LAYERS: usize = 6;

/// Embedding [B, width] of the latent vector.
#[derive(Module, Debug)]
struct LatentEmbedding {
    layers: Vec<Linear>,
}

impl LatentEmbedding {
    fn new(latent: usize, width: usize, init: &mut Initializer) -> Self {
        let inputs = |layer| if layer == 0 { latent } else { width };
        Self {
            layers: (0..EMBEDDING_LAYERS)
                .map(|layer| init.linear_relu(inputs(layer), width))
                .collect(),
        }
    }

    fn forward(&self, z: Tensor<2>) -> Tensor<2> {
        let dense = |layer: &Linear, x| silu(layer.forward(x));
        let first = dense(&self.layers[0], z);
        let rest = self.layers[1..].iter();
        rest.fold(first, |x, layer| (x.clone() + dense(layer, x)) * ROOT_HALF)
    }
}

/// Factor of a sum of two that keeps its variance; without it the first level would dominate the last.
const ROOT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Sizes of a [`CnnGenerator`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CnnConfig {
    /// Length of the vector.
    pub latent: usize,
    /// Channels of the first, smallest level; half as many in each following one.
    pub channels: usize,
    /// Levels, each twice the size of the one before; at least one.
    pub levels: usize,
    /// Residual blocks of a level.
    pub blocks: usize,
    /// Groups of the norms; they divide a quarter of the last level's channels.
    pub groups: usize,
    /// Rows and columns of the picture.
    pub size: usize,
}

impl CnnConfig {
    /// Sizes of the first Code Glyphs: 8x8 to 128x128.
    pub fn paper() -> Self {
        Self {
            latent: 2048,
            channels: 2048,
            levels: 5,
            blocks: 5,
            groups: 8,
            size: 128,
        }
    }
}

/// Pre-norm bottleneck block: three convolutions, a quarter of the channels inside.
#[derive(Module, Debug)]
struct Residual {
    norm1: NormAct,
    conv1: SameConv,
    norm2: NormAct,
    conv2: SameConv,
    norm3: NormAct,
    conv3: SameConv,
}

impl Residual {
    fn new(channels: usize, groups: usize, gain: f32, init: &mut Initializer) -> Self {
        let inner = channels / 4;
        let norm = |channels, init: &mut Initializer| {
            NormAct::new(channels, groups, Activation::LeakyRelu, init)
        };
        Self {
            norm1: norm(channels, init),
            conv1: SameConv::new(channels, inner, 1, 1.0, init),
            norm2: norm(inner, init),
            conv2: SameConv::new(inner, inner, 3, 1.0, init),
            norm3: norm(inner, init),
            conv3: SameConv::new(inner, channels, 1, gain, init),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.conv1.forward(self.norm1.forward(x.clone()));
        let y = self.conv2.forward(self.norm2.forward(y));
        x + self.conv3.forward(self.norm3.forward(y))
    }
}

/// Level of a [`CnnGenerator`].
#[derive(Module, Debug)]
struct Level {
    embedding: LatentEmbedding,
    blocks: Vec<Residual>,
}

/// Convolutional generator: levels of blocks, coarse to fine, each conditioned on the vector. Its only positional cue is
/// zero padding, which is why its glyphs are nearly symmetrical.
#[derive(Module, Debug)]
pub struct CnnGenerator {
    levels: Vec<Level>,
    output: SameConv,
    size: usize,
}

impl CnnGenerator {
    /// Random weights by `init`.
    ///
    /// # Panics
    /// When the levels don't divide the size or the channels, or the groups a level's inner ones.
    pub fn new(config: &CnnConfig, init: &mut Initializer) -> Self {
        let last = config.levels - 1;
        assert!(
            config.size.is_multiple_of(1 << last) && config.channels.is_multiple_of(4 << last),
            "{} levels halve {} rows and a quarter of {} channels {last} times",
            config.levels,
            config.size,
            config.channels
        );
        // The residual branches of a level have the variance of its input.
        let gain = (config.blocks.max(1) as f32).powf(-0.5);
        // All levels contribute equally; without this the sigmoid is saturated.
        let output_gain = 0.4 * (config.levels as f32).powf(-0.5);
        let levels = (0..config.levels).map(|level| {
            let channels = config.channels >> level;
            Level {
                embedding: LatentEmbedding::new(config.latent, channels, init),
                blocks: (0..config.blocks)
                    .map(|_| Residual::new(channels, config.groups, gain, init))
                    .collect(),
            }
        });
        Self {
            levels: levels.collect(),
            output: SameConv::new(config.channels >> last, 3, 1, output_gain, init),
            size: config.size,
        }
    }

    /// Pictures [B, 3, S, S] in 0..=1 of vectors [B, latent].
    pub fn forward(&self, z: Tensor<2>) -> Tensor<4> {
        let mut size = self.size >> (self.levels.len() - 1);
        let mut painted: Option<Tensor<4>> = None;
        for level in &self.levels {
            let embedding = level.embedding.forward(z.clone());
            let [batch, channels] = embedding.dims();
            let embedding = embedding.reshape([batch, channels, 1, 1]);
            let mut x = match painted {
                None => embedding.expand([batch, channels, size, size]),
                Some(coarse) => {
                    size *= 2;
                    halve_channels(upsample(coarse, 2, Interpolation::Bilinear)) + embedding
                }
            };
            for block in &level.blocks {
                x = block.forward(x);
            }
            painted = Some(x);
        }
        sigmoid(self.output.forward(painted.expect("there is a level")))
    }
}

/// [B, C / 2, H, W] of [B, C, H, W]: sums of each two neighbouring channels (Wojna et al. 2017, arXiv 1707.05847) over the
/// root of two, which keeps the variance.
fn halve_channels(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, channels / 2, 2, height, width])
        .sum_dim(2)
        .squeeze_dim::<4>(2)
        * ROOT_HALF
}

/// Sizes of a [`CppnGenerator`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CppnConfig {
    /// Length of the vector.
    pub latent: usize,
    /// Width of the dense layers; a quarter of it inside the blocks.
    pub width: usize,
    /// Dense blocks, the first of which has the coordinates as its input; at least one.
    pub blocks: usize,
    /// Frequencies m at each of the two spreads.
    pub frequencies: usize,
}

impl CppnConfig {
    /// Sizes of the first Code Glyphs.
    pub fn paper() -> Self {
        Self {
            latent: 2048,
            width: 256,
            blocks: 5,
            frequencies: 128,
        }
    }
}

/// Three dense layers, each after a leaky ReLU.
#[derive(Module, Debug)]
struct DenseBlock {
    layers: Vec<Linear>,
}

impl DenseBlock {
    fn new(inputs: usize, width: usize, init: &mut Initializer) -> Self {
        let inner = width / 4;
        let sizes = [(inputs, inner), (inner, inner), (inner, width)];
        Self {
            layers: sizes
                .map(|(inputs, outputs)| init.linear_relu(inputs, outputs))
                .into(),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let layers = self.layers.iter();
        layers.fold(x, |x, layer| linear(layer, leaky_relu(x)))
    }
}

/// Compositional pattern-producing network (Stanley 2007): a function of coordinates, as Fourier features (Tancik et al.
/// 2020, arXiv 2006.10739), and the vector; its resolution is free.
#[derive(Module, Debug)]
pub struct CppnGenerator {
    embedding: LatentEmbedding,
    blocks: Vec<DenseBlock>,
    output: Linear,
    frequencies: usize,
}

impl CppnGenerator {
    /// Random weights by `init`.
    pub fn new(config: &CppnConfig, init: &mut Initializer) -> Self {
        let features = 2 * SPREADS.len() * config.frequencies;
        let inputs = |block| if block == 0 { features } else { config.width };
        Self {
            embedding: LatentEmbedding::new(config.latent, config.width, init),
            blocks: (0..config.blocks)
                .map(|block| DenseBlock::new(inputs(block), config.width, init))
                .collect(),
            output: init.linear_relu(config.width, 3),
            frequencies: config.frequencies,
        }
    }

    /// Pictures [B, 3, size, size] in 0..=1 of vectors [B, latent], sampled at `size` x `size` pixel centres.
    pub fn forward(&self, z: Tensor<2>, size: usize) -> Tensor<4> {
        let batch = z.dims()[0];
        let embedding = self.embedding.forward(z.clone()).unsqueeze_dim::<3>(1);
        let device = z.device();
        let coordinates = pixel_centres(size, &device);
        let frequencies = table("turns", &[self.frequencies], &device, || {
            fourier_frequencies(self.frequencies)
        });
        let frequencies = frequencies.reshape([2, SPREADS.len() * self.frequencies]);
        let angles = coordinates.matmul(frequencies) * std::f32::consts::TAU;
        let features = Tensor::cat(vec![angles.clone().sin(), angles.cos()], 1);

        // Coordinates are the same for the whole batch: one row of it until the vector is added.
        let first = self.blocks[0].forward(features.unsqueeze_dim::<3>(0));
        let mut x = silu(first + embedding);
        for block in &self.blocks[1..] {
            x = silu(x.clone() + block.forward(x));
        }
        sigmoid(linear(&self.output, x))
            .swap_dims(1, 2)
            .reshape([batch, 3, size, size])
    }
}

/// Pixel centres [size * size, 2]: column and row, with sides of 1.
fn pixel_centres(size: usize, device: &Device) -> Tensor<2> {
    let line = table("centres", &[size], device, || {
        let centre = |index: usize| (index as f32 + 0.5) / size as f32;
        (0..size).map(centre).collect()
    });
    let columns = line.clone().reshape([1, size, 1]).repeat_dim(0, size);
    let rows = line.reshape([size, 1, 1]).repeat_dim(1, size);
    Tensor::cat(vec![columns, rows], 2).reshape([size * size, 2])
}

/// Standard deviations of the frequencies, in cycles per side of the picture.
const SPREADS: [f64; 2] = [5.0, 1.0];

/// Frequencies [2, 2 m]: `count` = m of normal distribution at each spread. From a low-discrepancy sequence (Roberts 2018,
/// R2: powers of 1 over the plastic number), so that they are the same for all models and are not saved.
fn fourier_frequencies(count: usize) -> Vec<f32> {
    const PLASTIC: f64 = 1.324_717_957_244_746;
    let (mut across, mut down) = (Vec::new(), Vec::new());
    for spread in SPREADS {
        for index in 1..=count {
            let sequence = |step: f64| (0.5 + index as f64 / step).fract();
            let radius = spread * (-2.0 * sequence(PLASTIC).ln()).sqrt();
            let angle = std::f64::consts::TAU * sequence(PLASTIC * PLASTIC);
            across.push((radius * angle.cos()) as f32);
            down.push((radius * angle.sin()) as f32);
        }
    }
    across.append(&mut down);
    across
}
