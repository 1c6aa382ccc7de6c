//! A trained Latent Executor and what it can be asked: where numbers lie, what lies at a point,
//! what running it gives.

use std::sync::Arc;

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};

use super::{
    batch::{encode, token_tensor},
    model::LatentExecutor,
    programs::StatePassing,
    trainer::octaves_at,
    views::LatentPlanes,
};
use crate::{
    config::executor::ExecutorConfig,
    data::{
        language::{Code, Execution, Language},
        sums::{Sum, Task},
        tokens::SumTokenizer,
    },
    latent::points::Points,
    nn::bottleneck::FourierBands,
    training::Progress,
};

/// Points a pass: small enough for the caches, large enough to keep the arithmetic busy.
pub(super) const CHUNK: usize = 1024;

/// A model at rest on its device.
pub struct ExecutorInference {
    /// How it was made.
    pub config: ExecutorConfig,
    /// How long it was trained.
    pub progress: Progress,
    pub(super) model: LatentExecutor,
    pub(super) octaves: FourierBands,
    tokenizer: Arc<SumTokenizer>,
    pub(super) device: Device,
}

/// What the model says of some points for a sum, one entry a point.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The programs decoded there; `None` where the decoder yields no number.
    pub code: Vec<Option<Code>>,
    /// What running them from the sum's first number gives.
    pub result: Vec<Option<i32>>,
    /// Negative log likelihood of the sum's result, in nats.
    pub loss: Vec<f32>,
    /// How unsure the decoder is of the program, in nats.
    pub entropy: Vec<f32>,
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

    /// The number of trained values.
    pub fn params(&self) -> usize {
        self.model.num_params()
    }

    /// The numbers it reads and the programs it runs.
    pub fn language(&self) -> Language {
        self.config.language
    }

    /// The places of programs.
    ///
    /// # Errors
    /// If the device fails, or the model doesn't know one of them.
    pub fn code_embeddings(&self, codes: impl IntoIterator<Item = Code>) -> Result<Points> {
        let codes: Vec<Code> = codes.into_iter().collect();
        let place = |codes: &[Code]| -> Result<Tensor<2>> {
            let words = self.tokens_on(codes.iter().copied(), &self.device)?;
            Ok(self.model.code.encode(words))
        };
        self.places(&codes, place)
    }

    /// The places of states.
    ///
    /// # Errors
    /// If the device fails, or the model doesn't know one of them.
    pub fn state_embeddings(&self, states: impl IntoIterator<Item = i32>) -> Result<Points> {
        let states: Vec<i32> = states.into_iter().collect();
        let place = |states: &[i32]| -> Result<Tensor<2>> {
            Ok(self
                .model
                .state
                .encode(self.state_tokens(states.iter().copied())?))
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

    /// The places of the programs and states that people are shown.
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

    /// The programs decoded at points of the code plane.
    ///
    /// # Errors
    /// If the device fails.
    pub fn decode(&self, points: &Points) -> Result<Vec<Option<Code>>> {
        self.in_chunks(points, |points| {
            self.codes(
                self.model
                    .code
                    .decode_greedy(self.model.code.hidden(points, &self.octaves)),
            )
        })
    }

    /// The states decoded at points of the state plane.
    ///
    /// # Errors
    /// If the device fails.
    pub fn decode_states(&self, points: &Points) -> Result<Vec<Option<i32>>> {
        self.in_chunks(points, |points| {
            self.numbers(
                self.model
                    .state
                    .decode_greedy(self.model.state.hidden(points, &self.octaves)),
            )
        })
    }

    /// Decodes the programs at points of the code plane, runs them on the sum's first number, and
    /// says how far from the sum's result that is.
    ///
    /// # Errors
    /// If the device fails.
    pub fn evaluate(&self, points: &Points, sum: Sum) -> Result<Outcome> {
        let task = Task::from(sum);
        let mut outcome = Outcome::default();
        for evaluation in
            self.evaluate_each(points, &vec![&task; points.len()], StatePassing::Latent)?
        {
            outcome.code.extend(evaluation.program);
            outcome.result.extend(evaluation.results);
            outcome.loss.push(evaluation.loss);
            outcome.entropy.push(evaluation.entropy);
        }
        Ok(outcome)
    }

    /// Runs the programs that lie where they are encoded: the result the model gives for each.
    ///
    /// # Errors
    /// If the device fails, or the model doesn't know a state or program.
    pub fn run(&self, executions: &[Execution]) -> Result<Vec<Option<i32>>> {
        let mut results = Vec::with_capacity(executions.len());
        for chunk in executions.chunks(CHUNK) {
            let states = self
                .model
                .state
                .encode(self.state_tokens(chunk.iter().map(|e| e.start))?);
            let codes = self
                .model
                .code
                .encode(self.tokens_on(chunk.iter().map(|e| e.code), &self.device)?);
            let states = self.model.state.hidden(states, &self.octaves);
            let codes = self.model.code.hidden(codes, &self.octaves);
            let hidden = self
                .model
                .state
                .hidden(self.model.execute(states, codes), &self.octaves);
            results.extend(self.numbers(self.model.state.decode_greedy(hidden))?);
        }
        Ok(results)
    }

    /// The points of the programs that the inverse encoder proposes for sums; `None` where the model has
    /// none.
    ///
    /// # Errors
    /// If the device fails.
    pub fn propose(&self, sums: &[Sum]) -> Result<Option<Points>> {
        let encode_tokens = |chunk: &[Sum], number: fn(&Sum) -> i32| -> Result<Tensor<3>> {
            Ok(self
                .model
                .state
                .encode_tokens(self.state_tokens(chunk.iter().map(number))?))
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

    /// [B, L] tokens of states.
    pub(super) fn state_tokens(
        &self,
        states: impl IntoIterator<Item = i32>,
    ) -> Result<Tensor<2, Int>> {
        self.tokens_on(states.into_iter().map(Code::Add), &self.device)
    }

    /// [B, L] tokens of programs, or of states as what adds them.
    pub(super) fn tokens_on(
        &self,
        codes: impl IntoIterator<Item = Code>,
        device: &Device,
    ) -> Result<Tensor<2, Int>> {
        let words = codes.into_iter().map(|code| encode(&self.tokenizer, code));
        token_tensor(words, &self.tokenizer, device)
    }

    /// The programs that [B, L] tokens spell.
    pub(super) fn codes(&self, tokens: Tensor<2, Int>) -> Result<Vec<Option<Code>>> {
        self.read(tokens, |word| self.tokenizer.decode(word))
    }

    /// The numbers that [B, L] tokens spell.
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

impl Outcome {
    /// Adds the entries of further points.
    pub fn extend(&mut self, more: Outcome) {
        self.code.extend(more.code);
        self.result.extend(more.result);
        self.loss.extend(more.loss);
        self.entropy.extend(more.entropy);
    }
}

pub(super) fn read_floats(tensor: Tensor<2>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as()
        .context("the device failed while reading a result")
}
