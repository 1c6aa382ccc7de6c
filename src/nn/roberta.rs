//! RoBERTa's blocks (Liu et al. 2019, arXiv 1907.11692): LayerNorm after each sublayer, learned
//! positions that start after the padding token's id, gelu, biases everywhere. Fields are named as in
//! the published checkpoints.
//!
//! Shapes: B sequences, L tokens, D = `hidden_size`, V = `vocab_size`.

use burn::{
    module::{Module, Param},
    nn::{Embedding, LayerNorm, Linear},
    tensor::{Int, Tensor},
};

use super::{device_constants::table, init::Initializer, linear::linear};
use crate::kernels::{Heads, attention, gather, gelu, layer_norm, matmul};

/// Index of the first position: after the padding token's id, which is 1 in the published vocabularies.
const FIRST_POSITION: usize = 2;
const LAYER_NORM_EPS: f64 = 1e-5;

/// Sizes of a stack, named as in the published configurations.
#[derive(Clone, Copy, Debug)]
pub struct RobertaSizes {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of a token.
    pub hidden_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: usize,
    /// Inner width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Longest sequence; the published `max_position_embeddings` is two more.
    pub max_tokens: usize,
    /// Bits of a token's number that have embeddings of their own, added to the token's; 0 as published. Tokens that stand
    /// for any symbol of a code are learnt by them in a tenth of the steps: each bit is met in every token.
    pub bits: usize,
}

/// Token, position and type embeddings, summed and normalised.
#[derive(Module, Debug)]
pub struct RobertaEmbeddings {
    word_embeddings: Embedding,
    bit_embeddings: Option<Param<Tensor<2>>>,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
}

impl RobertaEmbeddings {
    /// Deviations of the initial embeddings, and of those of bits.
    fn new(sizes: &RobertaSizes, [deviation, of_bits]: [f32; 2], init: &mut Initializer) -> Self {
        let d = sizes.hidden_size;
        Self {
            word_embeddings: init.embedding(sizes.vocab_size, d, deviation),
            bit_embeddings: (sizes.bits > 0).then(|| init.normal([sizes.bits, d], of_bits)),
            position_embeddings: init.embedding(sizes.max_tokens + FIRST_POSITION, d, deviation),
            token_type_embeddings: init.embedding(1, d, deviation),
            layer_norm: init.layer_norm(d, LAYER_NORM_EPS),
        }
    }

    /// Embeddings [V, D] of the vocabulary.
    fn words(&self) -> Tensor<2> {
        let words = self.word_embeddings.weight.val();
        let Some(bits) = &self.bit_embeddings else {
            return words;
        };
        let (bits, vocabulary) = (bits.val(), words.dims()[0]);
        let count = bits.dims()[0];
        let signs = table("bits", &[vocabulary, count], &words.device(), || {
            let is_set = |i: usize| ((i / count) >> (i % count)) & 1 == 1;
            let sign = |i| if is_set(i) { 1.0 } else { -1.0 };
            (0..vocabulary * count).map(sign).collect()
        });
        words + signs.reshape([vocabulary, count]).matmul(bits)
    }

    /// Embeddings [B, L, D] of words [B, L, D], with positions and type added.
    fn forward(&self, words: Tensor<3>) -> Tensor<3> {
        let [_, length, _] = words.dims();
        let positions = self.position_embeddings.weight.val();
        let positions = positions.narrow(0, FIRST_POSITION, length).unsqueeze();
        let kind = self.token_type_embeddings.weight.val().unsqueeze();
        layer_norm(&self.layer_norm, words + positions + kind, LAYER_NORM_EPS)
    }
}

#[derive(Module, Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    num_attention_heads: usize,
}

/// Dense layer with residual connection and layer norm.
#[derive(Module, Debug)]
struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
}

impl Output {
    fn forward(&self, hidden: Tensor<3>, input: Tensor<3>) -> Tensor<3> {
        let sum = linear(&self.dense, hidden) + input;
        layer_norm(&self.layer_norm, sum, LAYER_NORM_EPS)
    }
}

/// Self-attention and feed-forward.
#[derive(Module, Debug)]
pub struct RobertaLayer {
    attention: SelfAttention,
    attention_output: Output,
    intermediate: Linear,
    output: Output,
}

impl RobertaLayer {
    fn new(sizes: &RobertaSizes, init: &mut Initializer) -> Self {
        let (d, inner) = (sizes.hidden_size, sizes.intermediate_size);
        // The published .02 belongs to a width of 768; smaller stacks keep its scale, 1/sqrt(3 D).
        let mut linear = |inputs: usize, outputs| {
            init.linear_biased(inputs, outputs, (inputs as f32).powf(-0.5))
        };
        let attention = SelfAttention {
            query: linear(d, d),
            key: linear(d, d),
            value: linear(d, d),
            num_attention_heads: sizes.num_attention_heads,
        };
        let (dense, intermediate, out) = (linear(d, d), linear(d, inner), linear(inner, d));
        let mut output = |dense| Output {
            dense,
            layer_norm: init.layer_norm(d, LAYER_NORM_EPS),
        };
        Self {
            attention,
            attention_output: output(dense),
            intermediate,
            output: output(out),
        }
    }

    /// Block output [B, L, D]; `key_mask` [B, 1, 1, L] is added to the scores.
    fn forward(&self, x: Tensor<3>, key_mask: Tensor<4>) -> Tensor<3> {
        let layers = &self.attention;
        let [query, key, value] =
            [&layers.query, &layers.key, &layers.value].map(|layer| linear(layer, x.clone()));
        let heads = Heads {
            count: layers.num_attention_heads,
            scale: ((x.dims()[2] / layers.num_attention_heads) as f32).powf(-0.5),
        };
        let context = attention(query, key, value, key_mask, heads);
        let x = self.attention_output.forward(context, x);
        let inner = gelu(linear(&self.intermediate, x.clone()));
        self.output.forward(inner, x)
    }
}

/// Embeddings and blocks.
#[derive(Module, Debug)]
pub struct RobertaModel {
    embeddings: RobertaEmbeddings,
    layer: Vec<RobertaLayer>,
}

impl RobertaModel {
    /// Random weights.
    pub fn new(sizes: &RobertaSizes, init: &mut Initializer) -> Self {
        Self::with_bits(sizes, 1.0, init)
    }

    /// Random weights; the bits' embeddings have this share of the tokens' deviation.
    fn with_bits(sizes: &RobertaSizes, share: f32, init: &mut Initializer) -> Self {
        let deviation = (sizes.hidden_size as f32).powf(-0.5);
        let layers = 0..sizes.num_hidden_layers;
        Self {
            embeddings: RobertaEmbeddings::new(sizes, [deviation, share * deviation], init),
            layer: layers.map(|_| RobertaLayer::new(sizes, init)).collect(),
        }
    }

    /// Hidden states [B, L, D] of tokens [B, L]; `mask` [B, L] is 1 at tokens that are attended to.
    pub fn forward(&self, tokens: Tensor<2, Int>, mask: Tensor<2>) -> Tensor<3> {
        let [batch, length] = tokens.dims();
        let words = gather(self.embeddings.words(), tokens.reshape([batch * length]));
        let width = words.dims()[1];
        self.forward_embedded(words.reshape([batch, length, width]), mask)
    }

    /// Hidden states [B, L, D] of token embeddings [B, L, D], see [`Self::forward`].
    pub fn forward_embedded(&self, embedding: Tensor<3>, mask: Tensor<2>) -> Tensor<3> {
        let [batch, length] = mask.dims();
        let key_mask = ((mask - 1.0) * 1e9).reshape([batch, 1, 1, length]);
        let x = self.embeddings.forward(embedding);
        let blocks = self.layer.iter();
        blocks.fold(x, |x, block| block.forward(x, key_mask.clone()))
    }
}

#[derive(Module, Debug)]
struct LmHead {
    dense: Linear,
    layer_norm: LayerNorm,
    bias: Param<Tensor<1>>,
}

/// Stack with a language-modelling head, whose output matrix is tied to the word embeddings.
#[derive(Module, Debug)]
pub struct RobertaForMaskedLm {
    roberta: RobertaModel,
    lm_head: LmHead,
}

impl RobertaForMaskedLm {
    /// Random weights.
    pub fn new(sizes: &RobertaSizes, init: &mut Initializer) -> Self {
        let d = sizes.hidden_size;
        Self {
            // The logits are about 1 at first.
            roberta: RobertaModel::with_bits(sizes, 0.3, init),
            lm_head: LmHead {
                dense: init.linear_biased(d, d, (d as f32).powf(-0.5)),
                layer_norm: init.layer_norm(d, LAYER_NORM_EPS),
                bias: init.constant(sizes.vocab_size, 0.0),
            },
        }
    }

    /// Hidden states [B, L, D] of token embeddings [B, L, D].
    pub fn hidden(&self, embedding: Tensor<3>, mask: Tensor<2>) -> Tensor<3> {
        self.roberta.forward_embedded(embedding, mask)
    }

    /// Logits [B, L, V] of hidden states [B, L, D].
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let head = &self.lm_head;
        let [batch, length, width] = hidden.dims();
        let x = gelu(linear(&head.dense, hidden));
        let x = layer_norm(&head.layer_norm, x, LAYER_NORM_EPS);
        let words = self.roberta.embeddings.words();
        let vocabulary = words.dims()[0];
        // One large product instead of one per sequence.
        let logits = matmul(x.reshape([batch * length, width]), words.transpose());
        (logits + head.bias.val().unsqueeze()).reshape([batch, length, vocabulary])
    }
}
