//! BiT's ResNet-v2 (Kolesnikov et al. 2020, arXiv 1912.11370): pre-activation bottlenecks (He et al.
//! 2016, arXiv 1603.05027) with group norm and standardised kernels. Fields are named as in timm,
//! so that the keys of its `resnetv2_50x1_bit` files are the paths of our parameters.
//!
//! Shapes: B pictures, C channels, H rows, W columns.

use burn::{
    module::Module,
    tensor::{Tensor, module::max_pool2d, ops::MaxPoolOptions},
};

use crate::{
    kernels::Activation,
    nn::{
        conv::{NormAct, StdConv, pad_zeros},
        init::Initializer,
    },
};

/// Sizes of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResNetV2Config {
    /// Channels after the first convolution.
    pub stem: usize,
    /// Channels of each stage; a quarter of them inside its bottlenecks.
    pub channels: Vec<usize>,
    /// Bottlenecks of each stage.
    pub depths: Vec<usize>,
    /// Groups of the norms; they divide the stem's channels and a quarter of each stage's.
    pub groups: usize,
    /// Activation after each norm: ReLU as published; SiLU in the first Code Glyphs.
    pub activation: Activation,
}

impl ResNetV2Config {
    /// Published R50x1: 2048 channels at a 32nd of the picture's size.
    pub fn bit_r50x1() -> Self {
        Self {
            stem: 64,
            channels: vec![256, 512, 1024, 2048],
            depths: vec![3, 4, 6, 3],
            groups: 32,
            activation: Activation::Relu,
        }
    }

    /// Four shallow stages for a CPU: 256 channels at a 32nd of the picture's size.
    pub fn small() -> Self {
        Self {
            stem: 16,
            channels: vec![32, 64, 128, 256],
            depths: vec![1, 1, 1, 1],
            groups: 8,
            activation: Activation::Relu,
        }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        let mut inputs = self.stem;
        let mut count = 3 * 7 * 7 * self.stem;
        for (outputs, depth) in self.channels.iter().zip(&self.depths) {
            let inner = outputs / 4;
            count += inputs * outputs;
            for _ in 0..*depth {
                let norms = 2 * (inputs + inner + inner);
                count += norms + inner * (inputs + 9 * inner + outputs);
                inputs = *outputs;
            }
        }
        count + 2 * inputs
    }
}

/// First convolution; a module of its own for its name.
#[derive(Module, Debug)]
struct Stem {
    conv: StdConv,
}

/// Projection of a bottleneck's shortcut to its output's shape; a module of its own for its name.
#[derive(Module, Debug)]
struct Downsample {
    conv: StdConv,
}

/// Pre-norm bottleneck block: three convolutions and a shortcut.
#[derive(Module, Debug)]
struct BottleneckBlock {
    downsample: Option<Downsample>,
    norm1: NormAct,
    conv1: StdConv,
    norm2: NormAct,
    conv2: StdConv,
    norm3: NormAct,
    conv3: StdConv,
}

impl BottleneckBlock {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let active = self.norm1.forward(x.clone());
        // The projection is applied to the activated input, the identity to the raw one.
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.conv.forward(active.clone()),
            None => x,
        };
        let x = self.conv1.forward(active);
        let x = self.conv2.forward(self.norm2.forward(x));
        self.conv3.forward(self.norm3.forward(x)) + shortcut
    }
}

#[derive(Module, Debug)]
struct ResNetStage {
    blocks: Vec<BottleneckBlock>,
}

/// ResNet-v2 without a head.
#[derive(Module, Debug)]
pub struct ResNetV2 {
    stem: Stem,
    stages: Vec<ResNetStage>,
    norm: NormAct,
}

impl ResNetV2 {
    /// Random weights by `init`.
    ///
    /// # Panics
    /// When the groups don't divide the channels, or a stage lacks its depth.
    pub fn new(config: &ResNetV2Config, init: &mut Initializer) -> Self {
        assert_eq!(
            config.channels.len(),
            config.depths.len(),
            "a stage has channels and a depth"
        );
        let norm = |channels, init: &mut Initializer| {
            NormAct::new(channels, config.groups, config.activation, init)
        };
        let stem = Stem {
            conv: StdConv::new(3, config.stem, 7, 2, init),
        };
        let mut inputs = config.stem;
        let mut stages = Vec::new();
        for (index, (&outputs, &depth)) in config.channels.iter().zip(&config.depths).enumerate() {
            let inner = outputs / 4;
            let mut blocks = Vec::new();
            for block in 0..depth {
                // The stem has reduced the picture to a quarter, so the first stage keeps its size.
                let stride = if block == 0 && index > 0 { 2 } else { 1 };
                blocks.push(BottleneckBlock {
                    downsample: (block == 0).then(|| Downsample {
                        conv: StdConv::new(inputs, outputs, 1, stride, init),
                    }),
                    norm1: norm(inputs, init),
                    conv1: StdConv::new(inputs, inner, 1, 1, init),
                    norm2: norm(inner, init),
                    conv2: StdConv::new(inner, inner, 3, stride, init),
                    norm3: norm(inner, init),
                    conv3: StdConv::new(inner, outputs, 1, 1, init),
                });
                inputs = outputs;
            }
            stages.push(ResNetStage { blocks });
        }
        Self {
            stem,
            stages,
            norm: norm(inputs, init),
        }
    }

    /// Features [B, C, h, w] of pictures [B, 3, H, W] in 0..=1, normed and activated: C channels of the last stage, and for
    /// four stages h = H / 32, rounded up or down at each halving.
    pub fn forward(&self, pictures: Tensor<4>) -> Tensor<4> {
        let outputs = self.stages(pictures, self.stages.len());
        let last = outputs.into_iter().next_back();
        self.norm.forward(last.expect("a network has a stage"))
    }

    /// Outputs of the first `count` stages, before any norm, of pictures [B, 3, H, W] in 0..=1. The third's is the
    /// perceptual feature of the first Code Glyphs.
    ///
    /// # Panics
    /// When there are fewer stages.
    pub fn stages(&self, pictures: Tensor<4>, count: usize) -> Vec<Tensor<4>> {
        let x = self.stem.conv.forward(pictures * 2.0 - 1.0);
        // Zeros, not the pool's own padding: they win over negative values.
        let x = pad_zeros(x, [1, 1], [1, 1]);
        let mut x = max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]));
        let mut outputs = Vec::with_capacity(count);
        for stage in &self.stages[..count] {
            for block in &stage.blocks {
                x = block.forward(x);
            }
            outputs.push(x.clone());
        }
        outputs
    }

    /// Number of stages.
    pub fn stage_count(&self) -> usize {
        self.stages.len()
    }
}
