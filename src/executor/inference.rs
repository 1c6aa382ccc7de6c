//! Inference with a trained Latent Executor: embeddings, decoding and execution.

use std::sync::Arc;

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};

use super::{
    batch::{encode, token_tensor},
    model::{LatentExecutor, octaves_at},
    planes::LatentPlanes,
};
use crate::{
    data::{
        language::{Code, Execution, Language},
        sums::Sum,
        tokens::SumTokenizer,
    },
    executor::config::ExecutorConfig,
    latent::points::Points,
    nn::bottleneck::FourierBands,
    training::Progress,
};

/// Points per pass: few enough for the caches, enough to keep the arithmetic units busy.
pub(super) const CHUNK: usize = 1024;

/// Trained model on its device, without autodiff.
pub struct ExecutorInference {
    /// Configuration of its training.
    pub config: ExecutorConfig,
    /// Progress of its training.
    pub progress: Progress,
    pub(super) model: LatentExecutor,
    pub(super) octaves: FourierBands,
    tokenizer: Arc<SumTokenizer>,
    pub(super) device: Device,
}

impl ExecutorInference {
    /// Wraps a model without autodiff.
    pub fn new(
        config: ExecutorConfig,
        progress: Progress,
        model: LatentExecutor,
        tokenizer: Arc<SumTokenizer>,
        device: &Device,
    ) -> Self {
        let octaves = FourierBands::new(&octaves_at(&config, progress.position), device);
        Self {
            config,
            progress,
            model,
            octaves,
            tokenizer,
            device: device.clone(),
        }
    }

    /// Number of parameters.
    pub fn params(&self) -> usize {
        self.model.num_params()
    }

    /// Numbers it reads and programs it runs.
    pub fn language(&self) -> Language {
        self.config.language
    }

    /// Embeddings of programs.
    ///
    /// # Errors
    /// If the device fails, or a program is not in the language.
    pub fn code_embeddings(&self, codes: impl IntoIterator<Item = Code>) -> Result<Points> {
        let codes: Vec<Code> = codes.into_iter().collect();
        let place = |codes: &[Code]| -> Result<Tensor<2>> {
            let words = self.tokens_on(codes.iter().copied(), &self.device)?;
            Ok(self.model.code.encode(words))
        };
        self.places(&codes, place)
    }

    /// Embeddings of states.
    ///
    /// # Errors
    /// If the device fails, or a state is not in the language.
    pub fn state_embeddings(&self, states: impl IntoIterator<Item = i32>) -> Result<Points> {
        let states: Vec<i32> = states.into_iter().collect();
        let place = |states: &[i32]| -> Result<Tensor<2>> {
            let words = self.state_tokens(states.iter().copied())?;
            Ok(self.model.state.encode(words))
        };
        self.places(&states, place)
    }

    fn places<T>(&self, items: &[T], place: impl Fn(&[T]) -> Result<Tensor<2>>) -> Result<Points> {
        let mut values = Vec::with_capacity(items.len() * self.config.dims);
        for chunk in items.chunks(CHUNK) {
            values.extend(read_floats(place(chunk)?)?);
        }
        Ok(Points {
            dims: self.config.dims,
            values,
        })
    }

    /// Embeddings of the programs and states shown to people.
    ///
    /// # Errors
    /// If the device fails.
    pub fn planes(&self) -> Result<LatentPlanes> {
        Ok(LatentPlanes {
            step: self.progress.step,
            language: self.language(),
            codes: self.code_embeddings(self.language().shown_codes())?,
            states: self.state_embeddings(self.language().shown_states())?,
        })
    }

    /// Programs decoded at points of the code space.
    ///
    /// # Errors
    /// If the device fails.
    pub fn decode(&self, points: &Points) -> Result<Vec<Option<Code>>> {
        let code = &self.model.code;
        self.in_chunks(points, |points| {
            self.codes(code.decode_greedy(code.hidden(points, &self.octaves)))
        })
    }

    /// States decoded at points of the state space.
    ///
    /// # Errors
    /// If the device fails.
    pub fn decode_states(&self, points: &Points) -> Result<Vec<Option<i32>>> {
        let state = &self.model.state;
        self.in_chunks(points, |points| {
            self.numbers(state.decode_greedy(state.hidden(points, &self.octaves)))
        })
    }

    /// Executes programs at their embeddings: the decoded result of each.
    ///
    /// # Errors
    /// If the device fails, or a state or program is not in the language.
    pub fn run(&self, executions: &[Execution]) -> Result<Vec<Option<i32>>> {
        let (LatentExecutor { state, code, .. }, octaves) = (&self.model, &self.octaves);
        let mut results = Vec::with_capacity(executions.len());
        for chunk in executions.chunks(CHUNK) {
            let states = state.encode(self.state_tokens(chunk.iter().map(|e| e.start))?);
            let codes = code.encode(self.tokens_on(chunk.iter().map(|e| e.code), &self.device)?);
            let (states, codes) = (state.hidden(states, octaves), code.hidden(codes, octaves));
            let reached = self.model.execute(states, codes);
            let decoded = state.decode_greedy(state.hidden(reached, octaves));
            results.extend(self.numbers(decoded)?);
        }
        Ok(results)
    }

    /// Points of the programs that the inverse encoder proposes for sums; `None` if the model has no
    /// inverse encoder.
    ///
    /// # Errors
    /// If the device fails.
    pub fn propose(&self, sums: &[Sum]) -> Result<Option<Points>> {
        let encode_tokens = |chunk: &[Sum], number: fn(&Sum) -> i32| -> Result<Tensor<3>> {
            let words = self.state_tokens(chunk.iter().map(number))?;
            Ok(self.model.state.encode_tokens(words))
        };
        let mut proposed = Points {
            dims: self.config.dims,
            values: Vec::new(),
        };
        for chunk in sums.chunks(CHUNK) {
            let from = encode_tokens(chunk, |sum| sum.start)?;
            let to = encode_tokens(chunk, |sum| sum.result)?;
            let Some(points) = self.model.propose(from, to) else {
                return Ok(None);
            };
            proposed.values.extend(read_floats(points)?);
        }
        Ok(Some(proposed))
    }

    fn in_chunks<T>(
        &self,
        points: &Points,
        mut ask: impl FnMut(Tensor<2>) -> Result<Vec<T>>,
    ) -> Result<Vec<T>> {
        let mut answers = Vec::with_capacity(points.len());
        for chunk in points.chunks(CHUNK) {
            answers.extend(ask(self.tensor(&chunk))?);
        }
        Ok(answers)
    }

    /// Tokens of states, [B, L].
    pub(super) fn state_tokens(
        &self,
        states: impl IntoIterator<Item = i32>,
    ) -> Result<Tensor<2, Int>> {
        self.tokens_on(states.into_iter().map(Code::Add), &self.device)
    }

    /// Tokens of programs, [B, L]; a state is encoded as the program that adds it.
    pub(super) fn tokens_on(
        &self,
        codes: impl IntoIterator<Item = Code>,
        device: &Device,
    ) -> Result<Tensor<2, Int>> {
        let words = codes.into_iter().map(|code| encode(&self.tokenizer, code));
        token_tensor(words, &self.tokenizer, device)
    }

    /// Programs of [B, L] tokens.
    pub(super) fn codes(&self, tokens: Tensor<2, Int>) -> Result<Vec<Option<Code>>> {
        self.read(tokens, |word| self.tokenizer.decode(word))
    }

    /// Numbers of [B, L] tokens.
    pub(super) fn numbers(&self, tokens: Tensor<2, Int>) -> Result<Vec<Option<i32>>> {
        self.read(tokens, |word| self.tokenizer.decode_number(word))
    }

    fn read<T>(&self, tokens: Tensor<2, Int>, decode: impl Fn(&[i32]) -> T) -> Result<Vec<T>> {
        let tokens: Vec<i32> = tokens
            .try_into_vec_as()
            .context("the device failed while decoding")?;
        let words = tokens.chunks(self.language().word_length());
        Ok(words.map(decode).collect())
    }

    pub(super) fn tensor(&self, points: &Points) -> Tensor<2> {
        Tensor::from_data(
            TensorData::new(points.values.clone(), [points.len(), points.dims]),
            &self.device,
        )
    }
}

pub(super) fn read_floats(tensor: Tensor<2>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as()
        .context("the device failed while reading a result")
}
