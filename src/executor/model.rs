//! The Latent Executor's networks.
//!
//! ```text
//! state tokens -> T5 encoder -> bottleneck -> point -> bottleneck -> hidden -> T5 decoder -> tokens
//! code tokens  -> the same, with its own weights                   -> hidden'
//! hidden ++ hidden' -> executor (T5 encoder, first half kept) -> the state's bottleneck and decoder -> result
//! both states as the T5 encoder reads them -> inverse encoder (the same) -> the code's bottleneck -> a program's point
//! ```
//!
//! A result's point is a state's point: the next line of a program runs on it.
//!
//! Shapes: B sequences of L tokens, D = `d_model`, V tokens in the vocabulary, Z latent dimensions.

use burn::{
    module::Module,
    nn::{Embedding, Linear},
    tensor::{Device, Int, Tensor},
};

use crate::{
    data::tokens,
    executor::config::{Decoder, ExecutorConfig},
    kernels::entropy,
    nn::{
        bottleneck::{Bottleneck, BottleneckStart, FourierBands},
        init::Initializer,
        linear::{embedding, linear},
        t5::T5Stack,
    },
};

/// A T5-VAE (Greenlee 2020): text to a latent point and back.
#[derive(Module, Debug)]
pub struct Autoencoder {
    shared: Embedding,
    encoder: T5Stack,
    bottleneck: Bottleneck,
    decoder: T5Stack,
    lm_head: Linear,
    autoregressive: bool,
}

impl Autoencoder {
    fn new(config: &ExecutorConfig, vocabulary: usize, init: &mut Initializer) -> Self {
        let (sizes, d) = (config.t5_sizes(), config.d_model);
        let autoregressive = config.decoder == Decoder::Autoregressive;
        Self {
            shared: init.embedding(vocabulary, d, 1.0),
            encoder: T5Stack::new(config.encoder_layers, false, &sizes, init),
            bottleneck: Bottleneck::new(
                config.length(),
                d,
                config.dims,
                config.bottleneck,
                config.octaves,
                BottleneckStart {
                    gain: config.bottleneck_gain,
                    activation: config.bottleneck_activation,
                    is_deep: config.bottleneck_is_deep,
                },
                init,
            ),
            decoder: T5Stack::new(config.decoder_layers, autoregressive, &sizes, init),
            lm_head: init.linear(
                d,
                vocabulary,
                sizes.initializer_factor * (d as f32).powf(-0.5),
            ),
            autoregressive,
        }
    }

    /// [B, L] tokens to [B, Z] points.
    pub fn encode(&self, tokens: Tensor<2, Int>) -> Tensor<2> {
        self.point(self.encode_tokens(tokens))
    }

    /// [B, L] tokens to the encoder's [B, L, D] hidden states, before the bottleneck.
    pub fn encode_tokens(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.encoder.encode(embedding(&self.shared, tokens))
    }

    /// [B, L, D] hidden states to [B, Z] points.
    pub fn point(&self, hidden: Tensor<3>) -> Tensor<2> {
        self.bottleneck.encode(hidden)
    }

    /// [B, Z] points to [B, L, D] hidden states.
    pub fn hidden(&self, point: Tensor<2>, octaves: &FourierBands) -> Tensor<3> {
        self.bottleneck.decode(point, octaves)
    }

    /// [B, L, D] hidden states to [B, L, V] logits. An autoregressive decoder is shown the `target`
    /// tokens before each (teacher forcing); a one-pass decoder doesn't look at them.
    pub fn logits(&self, hidden: Tensor<3>, target: Tensor<2, Int>) -> Tensor<3> {
        let decoded = if self.autoregressive {
            let [batch, length] = target.dims();
            let begin = Tensor::<2, Int>::full([batch, 1], tokens::PAD, &target.device());
            let shown = Tensor::cat(vec![begin, target.narrow(1, 0, length - 1)], 1);
            self.decoder.decode(embedding(&self.shared, shown), hidden)
        } else {
            self.decoded(hidden)
        };
        linear(&self.lm_head, decoded)
    }

    /// [B, L, D] hidden states to those that a one-pass decoder writes the tokens from [B, L, D].
    fn decoded(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.decoder.encode(hidden)
    }

    /// [B, L, D] hidden states to the likeliest [B, L] tokens, chosen one after the other where the
    /// decoder is autoregressive.
    pub fn decode_greedy(&self, hidden: Tensor<3>) -> Tensor<2, Int> {
        if !self.autoregressive {
            return likeliest(linear(&self.lm_head, self.decoded(hidden)));
        }
        let [batch, length, _] = hidden.dims();
        let mut shown = Tensor::<2, Int>::full([batch, 1], tokens::PAD, &hidden.device());
        for written in 0..length {
            let decoded = self
                .decoder
                .decode(embedding(&self.shared, shown.clone()), hidden.clone());
            let next = likeliest(linear(&self.lm_head, decoded.narrow(1, written, 1)));
            shown = Tensor::cat(vec![shown, next], 1);
        }
        shown.narrow(1, 1, length)
    }

    /// The tokens of [`Self::decode_greedy`] and how unsure of them the decoder is: the entropy [B, 1] of all
    /// tokens together, in nats.
    pub fn decode_with_entropy(&self, hidden: Tensor<3>) -> (Tensor<2, Int>, Tensor<2>) {
        let (tokens, logits) = if self.autoregressive {
            let tokens = self.decode_greedy(hidden.clone());
            (tokens.clone(), self.logits(hidden, tokens))
        } else {
            let logits = linear(&self.lm_head, self.decoded(hidden));
            (likeliest(logits.clone()), logits)
        };
        let [batch, length, _] = logits.dims();
        let entropy = entropy(logits.flatten(0, 1)).reshape([batch, length]);
        (tokens, entropy.sum_dim(1))
    }

    /// The tokens of [`Self::decode_greedy`] and the [`Self::logits`] of `target`, which a one-pass decoder
    /// gets in the same pass.
    pub fn decode_with_logits(
        &self,
        hidden: Tensor<3>,
        target: Tensor<2, Int>,
    ) -> (Tensor<2, Int>, Tensor<3>) {
        let logits = self.logits(hidden.clone(), target);
        let tokens = if self.autoregressive {
            self.decode_greedy(hidden)
        } else {
            likeliest(logits.clone())
        };
        (tokens, logits)
    }
}

/// [B, L, V] logits to the likeliest [B, L] tokens.
fn likeliest(logits: Tensor<3>) -> Tensor<2, Int> {
    logits.argmax(2).squeeze_dim(2)
}

/// Networks of the Latent Executor: both autoencoders, the executor between them, and the inverse encoder.
#[derive(Module, Debug)]
pub struct LatentExecutor {
    /// Reads and writes states.
    pub state: Autoencoder,
    /// Reads and writes programs.
    pub code: Autoencoder,
    executor: T5Stack,
    inverse: Option<T5Stack>,
    reads_decoded: bool,
}

impl LatentExecutor {
    /// New weights drawn by the configuration's seed.
    pub fn new(config: &ExecutorConfig, vocabulary: usize, device: &Device) -> Self {
        let mut init = Initializer::new(config.seed, device);
        Self {
            state: Autoencoder::new(config, vocabulary, &mut init),
            code: Autoencoder::new(config, vocabulary, &mut init),
            executor: T5Stack::new(config.executor_layers, false, &config.t5_sizes(), &mut init),
            inverse: config.has_inverse().then(|| {
                T5Stack::new(config.executor_layers, false, &config.t5_sizes(), &mut init)
            }),
            reads_decoded: config.reads_decoded,
        }
    }

    /// True for a weight between hidden layers, rather than a table's, a head's, a norm's or
    /// that of the narrow way into the latent space.
    pub(super) fn is_hidden(path: &str) -> bool {
        let outer = [
            "shared",
            "relative_attention_bias",
            "lm_head",
            "encoder_out",
        ];
        !path.split('.').any(|name| outer.contains(&name))
    }

    /// Runs programs on states: hidden states of both, [B, L, D] each, to the results' points [B, Z].
    pub fn execute(&self, state: Tensor<3>, code: Tensor<3>) -> Tensor<2> {
        let length = state.dims()[1];
        let (state, code) = match self.reads_decoded {
            true => (self.state.decoded(state), self.code.decoded(code)),
            false => (state, code),
        };
        let both = Tensor::cat(vec![state, code], 1);
        self.state.point(self.executor.encode_prefix(both, length))
    }

    /// Proposes the programs that lead from one state to another: hidden states of both as read in,
    /// [B, L, D] each, to the programs' points [B, Z]; `None` where the model has no inverse encoder.
    pub fn propose(&self, from: Tensor<3>, to: Tensor<3>) -> Option<Tensor<2>> {
        let inverse = self.inverse.as_ref()?;
        let length = from.dims()[1];
        let both = Tensor::cat(vec![from, to], 1);
        Some(self.code.point(inverse.encode_prefix(both, length)))
    }
}

/// Weights of the octaves at a position of the schedule.
pub(super) fn octaves_at(config: &ExecutorConfig, position: u64) -> Vec<f32> {
    let progress = position as f64 / config.schedule_steps as f64;
    FourierBands::weights_at(config.octaves, progress, config.coarse_to_fine)
}
