//! T5's encoder and decoder stacks (Raffel et al. 2020, arXiv 1910.10683, version 1.0 of the code): RMS norm before each
//! layer, no biases, one relative position bias shared by all blocks, ReLU feed-forward, and attention scores that are
//! not divided by sqrt(d_kv).
//!
//! Shapes: B sequences, L tokens, D = `d_model`, H heads of width K = `d_kv`.

use burn::{
    module::Module,
    nn::{Embedding, Linear, RmsNorm},
    tensor::{Device, Tensor},
};

use super::{device_constants::constant, init::Initializer, linear::linear};
use crate::kernels::{Heads, attention, gather, relu, rms_norm};

/// Sizes of a stack, named as in T5's published configurations.
#[derive(Clone, Copy, Debug)]
pub struct T5Sizes {
    /// Width of a token.
    pub d_model: usize,
    /// Width of one attention head.
    pub d_kv: usize,
    /// Inner width of the feed-forward layer.
    pub d_ff: usize,
    /// Attention heads.
    pub num_heads: usize,
    /// Entries of the relative position table.
    pub relative_attention_num_buckets: usize,
    /// Distance from which all tokens share the last entry.
    pub relative_attention_max_distance: usize,
    /// Standard deviation of that table's initial values.
    pub relative_attention_deviation: f32,
    /// Factor of the other initial weights' standard deviation.
    pub initializer_factor: f32,
}

impl T5Sizes {
    /// Standard deviation of the initial weights of a layer of so many inputs.
    fn deviation(&self, inputs: usize) -> f32 {
        self.initializer_factor * (inputs as f32).powf(-0.5)
    }
}

/// Attention mask of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// No mask: every token attends to every token, as in an encoder.
    Both,
    /// Causal mask: tokens attend to themselves and earlier ones, as in an autoregressive decoder.
    Backward,
}

/// Multi-head attention.
#[derive(Module, Debug)]
pub struct T5Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    num_heads: usize,
}

impl T5Attention {
    fn new(sizes: &T5Sizes, init: &mut Initializer) -> Self {
        let (d, inner) = (sizes.d_model, sizes.num_heads * sizes.d_kv);
        // T5's initialisation: the queries carry the 1/sqrt(d_kv) that the scores leave out.
        Self {
            q: init.linear(d, inner, sizes.deviation(d * sizes.d_kv)),
            k: init.linear(d, inner, sizes.deviation(d)),
            v: init.linear(d, inner, sizes.deviation(d)),
            o: init.linear(inner, d, sizes.deviation(inner)),
            num_heads: sizes.num_heads,
        }
    }

    /// Attention [B, Lq, D] of `queries` [B, Lq, D] to `memory` [B, Lk, D], with `bias` [1, H, Lq, Lk].
    fn forward(&self, queries: Tensor<3>, memory: Tensor<3>, bias: Option<Tensor<4>>) -> Tensor<3> {
        let bias = bias.unwrap_or_else(|| Tensor::zeros([1; 4], &queries.device()));
        let q = linear(&self.q, queries);
        let k = linear(&self.k, memory.clone());
        let v = linear(&self.v, memory);
        let heads = Heads {
            count: self.num_heads,
            scale: 1.0,
        };
        linear(&self.o, attention(q, k, v, bias, heads))
    }
}

/// Attention sublayer: pre-norm, residual.
#[derive(Module, Debug)]
pub struct T5LayerAttention {
    attention: T5Attention,
    layer_norm: RmsNorm,
}

/// Feed-forward sublayer: pre-norm, residual.
#[derive(Module, Debug)]
pub struct T5LayerFF {
    wi: Linear,
    wo: Linear,
    layer_norm: RmsNorm,
}

impl T5LayerFF {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let inner = linear(&self.wi, rms_norm(&self.layer_norm, x.clone()));
        x + linear(&self.wo, relu(inner))
    }
}

/// Self-attention, cross-attention in a decoder, feed-forward.
#[derive(Module, Debug)]
pub struct T5Block {
    self_attention: T5LayerAttention,
    cross_attention: Option<T5LayerAttention>,
    feed_forward: T5LayerFF,
}

/// Stack of blocks with its relative position table and final norm.
#[derive(Module, Debug)]
pub struct T5Stack {
    block: Vec<T5Block>,
    relative_attention_bias: Embedding,
    final_layer_norm: RmsNorm,
    relative_attention_max_distance: usize,
}

impl T5Stack {
    /// Encoder, or with `cross` a decoder that also attends to a memory.
    pub fn new(layers: usize, cross: bool, sizes: &T5Sizes, init: &mut Initializer) -> Self {
        let attention = |init: &mut Initializer| T5LayerAttention {
            attention: T5Attention::new(sizes, init),
            layer_norm: init_norm(sizes.d_model, init),
        };
        let (d, inner) = (sizes.d_model, sizes.d_ff);
        let block = (0..layers)
            .map(|_| T5Block {
                self_attention: attention(init),
                cross_attention: cross.then(|| attention(init)),
                feed_forward: T5LayerFF {
                    wi: init.linear(d, inner, sizes.deviation(d)),
                    wo: init.linear(inner, d, sizes.deviation(inner)),
                    layer_norm: init_norm(d, init),
                },
            })
            .collect();
        Self {
            block,
            relative_attention_bias: init.embedding(
                sizes.relative_attention_num_buckets,
                sizes.num_heads,
                sizes.relative_attention_deviation,
            ),
            final_layer_norm: init_norm(d, init),
            relative_attention_max_distance: sizes.relative_attention_max_distance,
        }
    }

    /// Encoder output [B, L, D] of embeddings [B, L, D].
    pub fn encode(&self, x: Tensor<3>) -> Tensor<3> {
        let length = x.dims()[1];
        self.forward(x, length, Direction::Both, None)
    }

    /// First `keep` tokens [B, keep, D] of [`Self::encode`]; the last block computes no others.
    pub fn encode_prefix(&self, x: Tensor<3>, keep: usize) -> Tensor<3> {
        self.forward(x, keep, Direction::Both, None)
    }

    /// Decoder output [B, Lq, D] of embeddings [B, Lq, D], with causal self-attention and attention to `memory`
    /// [B, Lk, D].
    pub fn decode(&self, x: Tensor<3>, memory: Tensor<3>) -> Tensor<3> {
        let length = x.dims()[1];
        self.forward(x, length, Direction::Backward, Some(memory))
    }

    fn forward(
        &self,
        mut x: Tensor<3>,
        keep: usize,
        direction: Direction,
        memory: Option<Tensor<3>>,
    ) -> Tensor<3> {
        let [_, length, _] = x.dims();
        let bias = self.position_bias(length, direction, &x.device());
        for (i, block) in self.block.iter().enumerate() {
            let layer = &block.self_attention;
            let normed = rms_norm(&layer.layer_norm, x.clone());
            let (mut query, mut bias) = (normed.clone(), bias.clone());
            if i + 1 == self.block.len() && keep != length {
                [x, query] = [x, query].map(|tokens| tokens.narrow(1, 0, keep));
                bias = bias.narrow(2, 0, keep);
            }
            x = x + layer.attention.forward(query, normed, Some(bias));
            if let (Some(layer), Some(memory)) = (&block.cross_attention, &memory) {
                let normed = rms_norm(&layer.layer_norm, x.clone());
                x = x + layer.attention.forward(normed, memory.clone(), None);
            }
            x = block.feed_forward.forward(x);
        }
        rms_norm(&self.final_layer_norm, x)
    }

    /// Bias [1, H, L, L] of the attention scores by relative position, causal mask included.
    fn position_bias(&self, length: usize, direction: Direction, device: &Device) -> Tensor<4> {
        let [buckets, heads] = self.relative_attention_bias.weight.dims();
        let mut indices = Vec::with_capacity(length * length);
        let mut is_masked = Vec::with_capacity(length * length);
        for query in 0..length as i32 {
            for key in 0..length as i32 {
                let reach = self.relative_attention_max_distance;
                indices.push(bucket(key - query, direction, buckets, reach) as i32);
                is_masked.push(i32::from(key > query));
            }
        }
        let indices = constant(&indices, device);
        let bias = gather(self.relative_attention_bias.weight.val(), indices);
        let bias = bias
            .reshape([1, length, length, heads])
            .permute([0, 3, 1, 2]);
        match direction {
            Direction::Both => bias,
            Direction::Backward => {
                let mask = constant(&is_masked, device).float() * -1e9;
                bias + mask.reshape([1, 1, length, length])
            }
        }
    }
}

fn init_norm(width: usize, init: &mut Initializer) -> RmsNorm {
    RmsNorm {
        gamma: init.constant(width, 1.0),
        epsilon: 1e-6,
    }
}

/// Relative position bucket of T5: half the table for exact distances, half logarithmic up to `reach`; with
/// [`Direction::Both`] one half for each side.
pub fn bucket(offset: i32, direction: Direction, buckets: usize, reach: usize) -> usize {
    let (first, buckets, distance) = match direction {
        Direction::Both => {
            let half = buckets / 2;
            let first = if offset > 0 { half } else { 0 };
            (first, half, offset.unsigned_abs() as usize)
        }
        Direction::Backward => (0, buckets, (-offset).max(0) as usize),
    };
    let exact = buckets / 2;
    if distance < exact {
        return first + distance;
    }
    let share = (distance as f32 / exact as f32).ln() / (reach as f32 / exact as f32).ln();
    first + (exact + (share * (buckets - exact) as f32) as usize).min(buckets - 1)
}
