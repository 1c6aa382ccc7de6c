//! A trained Latent Executor and what it can be asked: where numbers lie, what lies at a point,
//! what running it gives.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};

use super::{
    board::Planes,
    model::LatentExecutor,
    objective::{spell, words_tensor},
    trainer::octaves_at,
};
use crate::{
    config::executor::ExecutorConfig,
    data::{
        sums::{CODES, STATES, Sum},
        tokens::{LENGTH, Lexicon, Word},
    },
    latent::points::Points,
    nn::{bottleneck::Octaves, losses::token_nll},
    training::Progress,
};

/// Points a pass: small enough for the caches, large enough to keep the arithmetic busy.
const CHUNK: usize = 1024;

/// A model at rest on its device.
pub struct Executor {
    /// How it was made.
    pub config: ExecutorConfig,
    /// How long it was trained.
    pub progress: Progress,
    model: LatentExecutor,
    octaves: Octaves,
    lexicon: Arc<Lexicon>,
    device: Device,
}

/// What the model says of some points of the code plane, one entry a point.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The programs decoded there; `None` where the decoder yields no number.
    pub code: Vec<Option<i32>>,
    /// What running them from the sum's first number gives.
    pub result: Vec<Option<i32>>,
    /// Negative log likelihood of the sum's result, in nats.
    pub loss: Vec<f32>,
}

/// What the model says of one point for one sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The program decoded there; `None` where the decoder yields no number.
    pub code: Option<i32>,
    /// What running it from the sum's first number gives.
    pub result: Option<i32>,
    /// Negative log likelihood of the sum's result, in nats.
    pub loss: f32,
    /// Where the result lies among the states: Z values.
    pub reached: Vec<f32>,
    /// The loss's gradient by the point's Z values, where it was asked for.
    pub gradient: Option<Vec<f32>>,
}

impl Executor {
    /// Wraps a model without autodiff.
    pub fn new(
        config: ExecutorConfig,
        progress: Progress,
        model: LatentExecutor,
        lexicon: Arc<Lexicon>,
        device: &Device,
    ) -> Self {
        let octaves = octaves_at(&config, progress.position);
        Self {
            config,
            progress,
            model,
            octaves,
            lexicon,
            device: device.clone(),
        }
    }

    /// The number of trained values.
    pub fn params(&self) -> usize {
        self.model.num_params()
    }

    /// The places of the programs -99..=99.
    ///
    /// # Errors
    /// If the device fails.
    pub fn code_places(&self) -> Result<Points> {
        self.points(self.model.code.encode(self.words(CODES)?))
    }

    /// The places of the states 10..=99.
    ///
    /// # Errors
    /// If the device fails.
    pub fn state_places(&self) -> Result<Points> {
        self.places_of_states(STATES)
    }

    /// The places of all programs and states.
    ///
    /// # Errors
    /// If the device fails.
    pub fn planes(&self) -> Result<Planes> {
        Ok(Planes {
            step: self.progress.step,
            codes: self.code_places()?,
            states: self.state_places()?,
        })
    }

    /// The programs decoded at points of the code plane.
    ///
    /// # Errors
    /// If the device fails.
    pub fn decode(&self, points: &Points) -> Result<Vec<Option<i32>>> {
        self.in_chunks(points, |points| {
            self.numbers(
                self.model
                    .code
                    .read(self.model.code.hidden(points, &self.octaves)),
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
                    .read(self.model.state.hidden(points, &self.octaves)),
            )
        })
    }

    /// Decodes the programs at points of the code plane, runs them on the sum's first number, and
    /// says how far from the sum's result that is.
    ///
    /// # Errors
    /// If the device fails.
    pub fn evaluate(&self, points: &Points, sum: Sum) -> Result<Outcome> {
        let LatentExecutor { state, code, .. } = &self.model;
        let start = state.encode(self.words([sum.start])?);
        let start = state.hidden(start, &self.octaves);
        let target = self.words([sum.result])?;
        let mut outcome = Outcome::default();
        for chunk in points.chunks(CHUNK) {
            let count = chunk.len();
            let program = code.hidden(self.tensor(&chunk), &self.octaves);
            let codes = code.read(program.clone());
            outcome.code.extend(self.numbers(codes)?);
            let start = start.clone().repeat_dim(0, count);
            let hidden = state.hidden(self.model.execute(start, program), &self.octaves);
            let target = target.clone().repeat_dim(0, count);
            let (results, logits) = state.read_beside(hidden, target.clone());
            outcome.result.extend(self.numbers(results)?);
            let nll = token_nll(logits, target).sum_dim(1);
            outcome.loss.extend(read_floats(nll)?);
        }
        Ok(outcome)
    }

    /// What lies at each point `[N, Z]` for the sum of the same index, all in one pass.
    ///
    /// # Errors
    /// If the device fails.
    pub fn evaluate_each(&self, points: &Points, sums: &[Sum]) -> Result<Vec<Finding>> {
        let mut findings = Vec::with_capacity(sums.len());
        for (points, sums) in points.chunks(CHUNK).zip(sums.chunks(CHUNK)) {
            let pass = self.pass(&self.model, self.tensor(&points), sums, &self.device)?;
            findings.extend(self.findings(pass)?);
        }
        Ok(findings)
    }

    /// The same with the gradient of each loss by its point.
    ///
    /// # Errors
    /// If the device fails.
    pub fn gradients(&self, points: &Points, sums: &[Sum]) -> Result<Vec<Finding>> {
        let device = self.device.clone().autodiff();
        // The weights are constants here: the way back goes to the points alone.
        let model = self.model.clone().fork(&device).no_grad();
        let mut findings = Vec::with_capacity(sums.len());
        for (points, sums) in points.chunks(CHUNK).zip(sums.chunks(CHUNK)) {
            let shape = [points.len(), points.dims];
            let at = Tensor::<2>::from_data(TensorData::new(points.values, shape), &device)
                .require_grad();
            let pass = self.pass(&model, at.clone(), sums, &device)?;
            let way_back = pass.loss.clone().sum().backward();
            let gradient = at.grad(&way_back).context("the loss has no gradient")?;
            let gradient = read_floats(gradient)?;
            let found = self.findings(pass)?.into_iter();
            let found = found.zip(gradient.chunks(shape[1]));
            findings.extend(found.map(|(finding, gradient)| Finding {
                gradient: Some(gradient.to_vec()),
                ..finding
            }));
        }
        Ok(findings)
    }

    /// Decodes and runs the programs at points [N, Z], each for its sum.
    fn pass(
        &self,
        model: &LatentExecutor,
        points: Tensor<2>,
        sums: &[Sum],
        device: &Device,
    ) -> Result<Pass> {
        let LatentExecutor { state, code, .. } = model;
        let starts = sums.iter().map(|sum| sum.start);
        let distinct: BTreeSet<i32> = starts.clone().collect();
        let row: HashMap<i32, i32> = distinct.iter().copied().zip(0..).collect();
        let rows: Vec<i32> = starts.map(|start| row[&start]).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [sums.len()]), device);
        let start = state.encode(self.words_on(distinct, device)?);
        let start = state.hidden(start, &self.octaves).select(0, rows);
        let target = self.words_on(sums.iter().map(|sum| sum.result), device)?;
        let program = code.hidden(points, &self.octaves);
        let codes = code.read(program.clone());
        let reached = model.execute(start, program);
        let hidden = state.hidden(reached.clone(), &self.octaves);
        let (results, logits) = state.read_beside(hidden, target.clone());
        Ok(Pass {
            codes,
            results,
            reached,
            loss: token_nll(logits, target).sum_dim(1),
        })
    }

    fn findings(&self, pass: Pass) -> Result<Vec<Finding>> {
        let dims = pass.reached.dims()[1];
        let codes = self.numbers(pass.codes)?.into_iter();
        let results = self.numbers(pass.results)?.into_iter();
        let (loss, reached) = (read_floats(pass.loss)?, read_floats(pass.reached)?);
        let all = codes.zip(results).zip(loss).zip(reached.chunks(dims));
        let finding = |(((code, result), loss), reached): (_, &[f32])| Finding {
            code,
            result,
            loss,
            reached: reached.to_vec(),
            gradient: None,
        };
        Ok(all.map(finding).collect())
    }

    /// The places of some states, all 10..=99 of them or fewer.
    ///
    /// # Errors
    /// If the device fails, or a number is none the model can spell.
    pub fn places_of_states(&self, states: impl IntoIterator<Item = i32>) -> Result<Points> {
        self.points(self.model.state.encode(self.words(states)?))
    }

    /// Runs the programs that lie where the codes are encoded: the result the model gives for each
    /// (start, code).
    ///
    /// # Errors
    /// If the device fails.
    pub fn run(&self, pairs: &[(i32, i32)]) -> Result<Vec<Option<i32>>> {
        let mut results = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(CHUNK) {
            let states = self
                .model
                .state
                .encode(self.words(chunk.iter().map(|p| p.0))?);
            let codes = self
                .model
                .code
                .encode(self.words(chunk.iter().map(|p| p.1))?);
            let states = self.model.state.hidden(states, &self.octaves);
            let codes = self.model.code.hidden(codes, &self.octaves);
            let hidden = self
                .model
                .state
                .hidden(self.model.execute(states, codes), &self.octaves);
            results.extend(self.numbers(self.model.state.read(hidden))?);
        }
        Ok(results)
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

    fn words(&self, numbers: impl IntoIterator<Item = i32>) -> Result<Tensor<2, Int>> {
        self.words_on(numbers, &self.device)
    }

    fn words_on(
        &self,
        numbers: impl IntoIterator<Item = i32>,
        device: &Device,
    ) -> Result<Tensor<2, Int>> {
        let word = |number| spell(&self.lexicon, number);
        let words: Vec<Word> = numbers.into_iter().map(word).collect::<Result<_>>()?;
        Ok(words_tensor(&words, device))
    }

    fn numbers(&self, tokens: Tensor<2, Int>) -> Result<Vec<Option<i32>>> {
        let tokens: Vec<i32> = tokens
            .try_into_vec_as()
            .context("the device failed while decoding")?;
        Ok(tokens
            .chunks(LENGTH)
            .map(|word| self.lexicon.decode(word))
            .collect())
    }

    fn tensor(&self, points: &Points) -> Tensor<2> {
        Tensor::from_data(
            TensorData::new(points.values.clone(), [points.len(), points.dims]),
            &self.device,
        )
    }

    fn points(&self, tensor: Tensor<2>) -> Result<Points> {
        let dims = tensor.dims()[1];
        Ok(Points {
            dims,
            values: read_floats(tensor)?,
        })
    }
}

/// Tensors of one pass over N points.
struct Pass {
    /// [N, L] tokens of the decoded programs.
    codes: Tensor<2, Int>,
    /// [N, L] tokens of their results.
    results: Tensor<2, Int>,
    /// [N, Z] places of the results.
    reached: Tensor<2>,
    /// [N, 1] losses.
    loss: Tensor<2>,
}

impl Outcome {
    /// Adds the entries of further points.
    pub fn extend(&mut self, more: Outcome) {
        self.code.extend(more.code);
        self.result.extend(more.result);
        self.loss.extend(more.loss);
    }
}

fn read_floats(tensor: Tensor<2>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as()
        .context("the device failed while reading a result")
}
