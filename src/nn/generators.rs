//! The first Code Glyphs' two painters: a vector to a picture.
//!
//! Both embed the vector by six dense layers with swish, five of which are added to their input.
//! Where the first code had batch norm there is group norm here, so that a glyph depends on its own
//! function alone; where it doubled its CPPN's blocks instead of adding their input, it is added;
//! and the other sums of two are scaled, so that fresh pictures are neither grey nor saturated.
//!
//! Shapes: B vectors, C channels, S rows and columns.

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};

use super::{
    conv::{ConvActivation, Filling, NormAct, SameConv, upsample},
    device_constants::table,
    fused::sigmoid,
    init::Initializer,
    linear::linear,
};

/// Dense layers that embed the vector.
const EMBEDDING: usize = 6;

/// The vector's embedding [B, width].
#[derive(Module, Debug)]
struct Embedding {
    layers: Vec<Linear>,
}

impl Embedding {
    fn new(latent: usize, width: usize, init: &mut Initializer) -> Self {
        let inputs = |layer| if layer == 0 { latent } else { width };
        Self {
            layers: (0..EMBEDDING)
                .map(|layer| init.linear_relu(inputs(layer), width))
                .collect(),
        }
    }

    fn forward(&self, z: Tensor<2>) -> Tensor<2> {
        let swish = |layer: &Linear, x| ConvActivation::Swish.forward(layer.forward(x));
        let first = swish(&self.layers[0], z);
        let rest = self.layers[1..].iter();
        rest.fold(first, |x, layer| (x.clone() + swish(layer, x)) * ROOT_HALF)
    }
}

/// Times a sum of two, as strong as each of them; without it the first level would drown the last.
const ROOT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Sizes of a [`CnnGenerator`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CnnConfig {
    /// Length of the vector.
    pub latent: usize,
    /// Channels of the first, smallest level; half as many in each that follows.
    pub channels: usize,
    /// Levels, each twice the size of the one before: one at least.
    pub levels: usize,
    /// Residual blocks of a level.
    pub blocks: usize,
    /// Groups of the norms; they divide a quarter of the last level's channels.
    pub groups: usize,
    /// Rows and columns of the picture.
    pub size: usize,
}

impl CnnConfig {
    /// As in the first Code Glyphs: 8x8 to 128x128.
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

/// Norm before each of three convolutions, a quarter of the channels inside.
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
            NormAct::new(channels, groups, ConvActivation::LeakyRelu, init)
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

#[derive(Module, Debug)]
struct Level {
    embedding: Embedding,
    blocks: Vec<Residual>,
}

/// Levels of convolutions, coarse to fine, each told the vector anew. It knows where it paints by
/// the zeros round the picture alone, which is why its glyphs are nearly symmetrical.
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
        // The blocks of a level add up to what they are given.
        let gain = (config.blocks.max(1) as f32).powf(-0.5);
        // And each level adds as much as another; without this the sigmoid is saturated.
        let faint = 0.4 * (config.levels as f32).powf(-0.5);
        let levels = (0..config.levels).map(|level| {
            let channels = config.channels >> level;
            Level {
                embedding: Embedding::new(config.latent, channels, init),
                blocks: (0..config.blocks)
                    .map(|_| Residual::new(channels, config.groups, gain, init))
                    .collect(),
            }
        });
        Self {
            levels: levels.collect(),
            output: SameConv::new(config.channels >> last, 3, 1, faint, init),
            size: config.size,
        }
    }

    /// Vectors [B, latent] to pictures [B, 3, S, S] in 0..=1.
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
                    halve_channels(upsample(coarse, 2, Filling::Bilinear)) + embedding
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

/// [B, C, H, W] to [B, C / 2, H, W]: each two neighbouring channels added (Wojna et al. 2017, arXiv
/// 1707.05847), over the root of two so that a level is as strong as the one before.
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
    /// Dense blocks, the first of which reads the places: one at least.
    pub blocks: usize,
    /// Frequencies m at each of the two spreads.
    pub frequencies: usize,
}

impl CppnConfig {
    /// As in the first Code Glyphs.
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
        layers.fold(x, |x, layer| {
            linear(layer, ConvActivation::LeakyRelu.forward(x))
        })
    }
}

/// A function of the place and the vector (Stanley 2007), its places lifted by Fourier features
/// (Tancik et al. 2020, arXiv 2006.10739); so it paints at any resolution.
#[derive(Module, Debug)]
pub struct CppnGenerator {
    embedding: Embedding,
    blocks: Vec<DenseBlock>,
    output: Linear,
    frequencies: usize,
}

impl CppnGenerator {
    /// Random weights by `init`.
    pub fn new(config: &CppnConfig, init: &mut Initializer) -> Self {
        let lifted = 2 * SPREADS.len() * config.frequencies;
        let inputs = |block| if block == 0 { lifted } else { config.width };
        Self {
            embedding: Embedding::new(config.latent, config.width, init),
            blocks: (0..config.blocks)
                .map(|block| DenseBlock::new(inputs(block), config.width, init))
                .collect(),
            output: init.linear_relu(config.width, 3),
            frequencies: config.frequencies,
        }
    }

    /// Vectors [B, latent] to pictures [B, 3, size, size] in 0..=1: the same function seen at
    /// `size` x `size` pixel centres.
    pub fn forward(&self, z: Tensor<2>, size: usize) -> Tensor<4> {
        let batch = z.dims()[0];
        let embedding = self.embedding.forward(z.clone()).unsqueeze_dim::<3>(1);
        let device = z.device();
        let places = pixel_centres(size, &device);
        let turns = table("turns", &[self.frequencies], &device, || {
            fourier_frequencies(self.frequencies)
        });
        let turns = turns.reshape([2, SPREADS.len() * self.frequencies]);
        let angles = places.matmul(turns) * std::f32::consts::TAU;
        let lifted = Tensor::cat(vec![angles.clone().sin(), angles.cos()], 1);

        // The places are the same for all: until the vector comes in, one row of the batch does.
        let first = self.blocks[0].forward(lifted.unsqueeze_dim::<3>(0));
        let mut x = ConvActivation::Swish.forward(first + embedding);
        for block in &self.blocks[1..] {
            x = ConvActivation::Swish.forward(x.clone() + block.forward(x));
        }
        sigmoid(linear(&self.output, x))
            .swap_dims(1, 2)
            .reshape([batch, 3, size, size])
    }
}

/// [size * size, 2]: column and row of each pixel's centre, the picture's sides being 1.
fn pixel_centres(size: usize, device: &Device) -> Tensor<2> {
    let line = table("centres", &[size], device, || {
        let centre = |index: usize| (index as f32 + 0.5) / size as f32;
        (0..size).map(centre).collect()
    });
    let columns = line.clone().reshape([1, size, 1]).repeat_dim(0, size);
    let rows = line.reshape([size, 1, 1]).repeat_dim(1, size);
    Tensor::cat(vec![columns, rows], 2).reshape([size * size, 2])
}

/// Standard deviations of the frequencies, in turns over the picture's side.
const SPREADS: [f64; 2] = [5.0, 1.0];

/// [2, 2 m]: `count` = m normal frequencies at each spread. Made of an even sequence (Roberts 2018,
/// R2: powers of 1 over the plastic number) instead of drawn, so that they are the same for all
/// models and need no saving.
fn fourier_frequencies(count: usize) -> Vec<f32> {
    const PLASTIC: f64 = 1.324_717_957_244_746;
    let (mut across, mut down) = (Vec::new(), Vec::new());
    for spread in SPREADS {
        for index in 1..=count {
            let even = |step: f64| (0.5 + index as f64 / step).fract();
            let radius = spread * (-2.0 * even(PLASTIC).ln()).sqrt();
            let turn = std::f64::consts::TAU * even(PLASTIC * PLASTIC);
            across.push((radius * turn.cos()) as f32);
            down.push((radius * turn.sin()) as f32);
        }
    }
    across.append(&mut down);
    across
}
