//! Execution of programs of any number of lines, line by line on the latent state of the previous one.
//!
//! A joint point is the concatenation of one point of the code's latent space per line.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData},
};

use super::{
    inference::{CHUNK, ExecutorInference, read_floats},
    model::LatentExecutor,
};
use crate::{
    data::{
        language::Code,
        sums::{Sum, Task},
    },
    latent::points::Points,
    nn::losses::token_nll,
};

/// Latent state passed from one line to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatePassing {
    /// Output latent of the line, unchanged.
    #[default]
    Latent,
    /// State decoded from it and encoded again: small errors are rounded away, a wrong state is kept.
    Requantized,
}

/// Execution of a program on one state, line by line.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Initial state.
    pub start: i32,
    /// States decoded after each line; `None` if no number is decoded.
    pub states: Vec<Option<i32>>,
    /// True states, by integer arithmetic.
    pub truth: Vec<i32>,
    /// Negative log likelihood of the true states in nats; `None` if the true result is no state.
    pub loss: Vec<Option<f32>>,
}

/// Model's evaluation of one point for one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Program decoded there, line by line; `None` if the decoder yields no number.
    pub program: Vec<Option<Code>>,
    /// Result of its execution on each example.
    pub results: Vec<Option<i32>>,
    /// Mean negative log likelihood of the examples' results, in nats.
    pub loss: f32,
    /// Entropy of the decoded program, in nats.
    pub entropy: f32,
    /// Latents of the results: Z values per example.
    pub reached: Vec<f32>,
    /// Gradient of the loss with respect to the point, if it was requested.
    pub gradient: Option<Vec<f32>>,
}

impl Evaluation {
    /// True if the decoded program solves the task, by integer arithmetic.
    pub fn solves(&self, task: &Task) -> bool {
        let program: Option<Vec<Code>> = self.program.iter().copied().collect();
        program.is_some_and(|program| task.is_solved_by(&program))
    }

    /// True if the model decodes every example's result: its claim to a solution.
    pub fn claims(&self, task: &Task) -> bool {
        let results = task.examples.iter().map(|example| Some(example.result));
        results.eq(self.results.iter().copied())
    }
}

/// Model's answers at some points for a sum, one entry per point.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Programs decoded there; `None` if the decoder yields no number.
    pub code: Vec<Option<Code>>,
    /// Results of their execution on the sum's first number.
    pub result: Vec<Option<i32>>,
    /// Negative log likelihoods of the sum's result, in nats.
    pub loss: Vec<f32>,
    /// Entropies of the decoded programs, in nats.
    pub entropy: Vec<f32>,
}

impl Outcome {
    /// Appends the entries of further points.
    pub fn extend(&mut self, more: Outcome) {
        self.code.extend(more.code);
        self.result.extend(more.result);
        self.loss.extend(more.loss);
        self.entropy.extend(more.entropy);
    }
}

/// Tensors of one pass over N points with R examples in total.
struct Pass {
    /// Tokens of the decoded programs, line by line, each [N, L].
    codes: Vec<Tensor<2, Int>>,
    /// Entropy of all lines' tokens, [N, 1].
    entropy: Tensor<2>,
    /// Tokens of the results, [R, L].
    results: Tensor<2, Int>,
    /// Latents of the results, [R, Z].
    reached: Tensor<2>,
    /// Losses, [N, 1].
    loss: Tensor<2>,
}

impl ExecutorInference {
    /// Decodes the programs at points of the code space, executes them on the sum's first number and scores
    /// the results.
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

    /// Decodes the programs at joint points, executes each on its task's examples and scores the results.
    /// One task per point, all with the same number of lines, in one pass.
    ///
    /// # Errors
    /// If the points don't fit the tasks, or the device fails.
    pub fn evaluate_each(
        &self,
        points: &Points,
        tasks: &[&Task],
        state_passing: StatePassing,
    ) -> Result<Vec<Evaluation>> {
        self.check(points, tasks)?;
        let mut evaluations = Vec::with_capacity(tasks.len());
        for (points, tasks) in points.chunks(CHUNK).zip(tasks.chunks(CHUNK)) {
            let points = self.tensor(&points);
            let pass = self.pass(&self.model, points, tasks, state_passing, &self.device)?;
            evaluations.extend(self.evaluations(pass, tasks)?);
        }
        Ok(evaluations)
    }

    /// [`Self::evaluate_each`] with the gradient of each loss with respect to its point; the state is never
    /// requantised, as that would block the gradient.
    ///
    /// # Errors
    /// As [`Self::evaluate_each`].
    pub fn gradients(&self, points: &Points, tasks: &[&Task]) -> Result<Vec<Evaluation>> {
        self.check(points, tasks)?;
        let device = self.device.clone().autodiff();
        // The weights are constants here: only the points get gradients.
        let model = self.model.clone().fork(&device).no_grad();
        let mut evaluations = Vec::with_capacity(tasks.len());
        for (points, tasks) in points.chunks(CHUNK).zip(tasks.chunks(CHUNK)) {
            let shape = [points.len(), points.dims];
            let at = Tensor::<2>::from_data(TensorData::new(points.values, shape), &device)
                .require_grad();
            let pass = self.pass(&model, at.clone(), tasks, StatePassing::Latent, &device)?;
            let way_back = pass.loss.clone().sum().backward();
            let gradient = at.grad(&way_back).context("the loss has no gradient")?;
            let gradient = read_floats(gradient)?;
            let found = self.evaluations(pass, tasks)?.into_iter();
            let found = found.zip(gradient.chunks(shape[1]));
            evaluations.extend(found.map(|(evaluation, gradient)| Evaluation {
                gradient: Some(gradient.to_vec()),
                ..evaluation
            }));
        }
        Ok(evaluations)
    }

    fn check(&self, points: &Points, tasks: &[&Task]) -> Result<()> {
        let lines = tasks.first().map_or(1, |task| task.lines());
        let dims = self.config.dims;
        let fits = points.dims == lines * dims && tasks.len() == points.len();
        if !fits || tasks.iter().any(|task| task.lines() != lines) {
            bail!(
                "{} points of {} values for {} programs: expected {} values each, {dims} a line",
                points.len(),
                points.dims,
                tasks.len(),
                lines * dims
            );
        }
        Ok(())
    }

    /// Decodes the programs at joint points [N, lines x Z], and executes each on its task's examples.
    fn pass(
        &self,
        model: &LatentExecutor,
        points: Tensor<2>,
        tasks: &[&Task],
        state_passing: StatePassing,
        device: &Device,
    ) -> Result<Pass> {
        let LatentExecutor { state, code, .. } = model;
        let dims = self.config.dims;
        let lines = points.dims()[1] / dims;
        let runs = tasks.iter().enumerate();
        let runs = runs.flat_map(|(point, task)| task.examples.iter().map(move |e| (point, e)));
        let (of_point, examples): (Vec<i32>, Vec<&Sum>) =
            runs.map(|(point, example)| (point as i32, example)).unzip();
        let is_one_each = examples.len() == tasks.len();
        let rows = |rows: Vec<i32>| {
            let count = rows.len();
            Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), device)
        };

        let starts = examples.iter().map(|example| example.start);
        let distinct: BTreeSet<i32> = starts.clone().collect();
        let row: HashMap<i32, i32> = distinct.iter().copied().zip(0..).collect();
        let of_start = rows(starts.map(|start| row[&start]).collect());
        let start = state.encode(self.tokens_on(distinct.into_iter().map(Code::Add), device)?);
        let mut hidden = state.hidden(start, &self.octaves).select(0, of_start);
        let of_point = rows(of_point);
        let mut codes = Vec::with_capacity(lines);
        let mut entropy = Tensor::<2>::zeros([tasks.len(), 1], device);
        let mut reached = None;
        for line in 0..lines {
            let program = points.clone().narrow(1, line * dims, dims);
            let program = code.hidden(program, &self.octaves);
            let (tokens, doubt) = code.decode_with_entropy(program.clone());
            codes.push(tokens);
            entropy = entropy + doubt;
            let program = match is_one_each {
                true => program,
                false => program.select(0, of_point.clone()),
            };
            let point = model.execute(hidden, program);
            hidden = state.hidden(point.clone(), &self.octaves);
            if state_passing == StatePassing::Requantized && line + 1 < lines {
                let encoded = state.encode(state.decode_greedy(hidden));
                hidden = state.hidden(encoded, &self.octaves);
            }
            reached = Some(point);
        }
        let target = self.tokens_on(
            examples.iter().map(|example| Code::Add(example.result)),
            device,
        )?;
        let (results, logits) = state.decode_with_logits(hidden, target.clone());
        let nll = token_nll(logits, target).sum_dim(1);
        let loss = match is_one_each {
            true => nll,
            false => {
                let weights = tasks.iter().flat_map(|task| {
                    let count = task.examples.len();
                    std::iter::repeat_n(1.0 / count as f32, count)
                });
                let weights: Vec<f32> = weights.collect();
                let weights = TensorData::new(weights, [examples.len(), 1]);
                let weighted = nll * Tensor::from_data(weights, device);
                Tensor::<2>::zeros([tasks.len(), 1], device).select_assign(
                    0,
                    of_point,
                    weighted,
                    IndexingUpdateOp::Add,
                )
            }
        };
        Ok(Pass {
            codes,
            entropy,
            results,
            reached: reached.context("a program has a line")?,
            loss,
        })
    }

    fn evaluations(&self, pass: Pass, tasks: &[&Task]) -> Result<Vec<Evaluation>> {
        let dims = self.config.dims;
        let codes = pass.codes.into_iter().map(|codes| self.codes(codes));
        let codes = codes.collect::<Result<Vec<_>>>()?;
        let mut results = self.numbers(pass.results)?.into_iter();
        let reached = read_floats(pass.reached)?;
        let mut reached = reached.chunks(dims);
        let (losses, entropy) = (read_floats(pass.loss)?, read_floats(pass.entropy)?);
        let evaluation = |(index, (task, loss)): (usize, (&&Task, f32))| {
            let examples = task.examples.len();
            Evaluation {
                program: codes.iter().map(|line| line[index]).collect(),
                results: results.by_ref().take(examples).collect(),
                loss,
                entropy: entropy[index],
                reached: reached.by_ref().take(examples).flatten().copied().collect(),
                gradient: None,
            }
        };
        Ok(tasks
            .iter()
            .zip(losses)
            .enumerate()
            .map(evaluation)
            .collect())
    }

    /// Executes the program at a joint point on each of `starts`.
    ///
    /// # Errors
    /// If the point doesn't consist of whole lines that decode to numbers, or the device fails.
    pub fn trace(
        &self,
        point: &[f32],
        starts: &[i32],
        state_passing: StatePassing,
    ) -> Result<Vec<Trace>> {
        let dims = self.config.dims;
        if point.is_empty() || !point.len().is_multiple_of(dims) {
            bail!(
                "the point has {} values: expected {dims} a line",
                point.len()
            );
        }
        let mut traces: Vec<Trace> = starts
            .iter()
            .map(|start| Trace {
                start: *start,
                states: Vec::new(),
                truth: Vec::new(),
                loss: Vec::new(),
            })
            .collect();
        let words = self.state_tokens(starts.iter().copied())?;
        let started = self.model.state.encode(words);
        let mut state = self.model.state.hidden(started, &self.octaves);
        for (line, point) in point.chunks(dims).enumerate() {
            let point = self.tensor(&Points::one(point));
            let program = self.model.code.hidden(point, &self.octaves);
            let code = self.codes(self.model.code.decode_greedy(program.clone()))?[0]
                .with_context(|| format!("no number is decoded for line {}", line + 1))?;
            let program = program.repeat_dim(0, starts.len());
            let reached = self.model.execute(state, program);
            let hidden = self.model.state.hidden(reached, &self.octaves);
            for trace in &mut traces {
                let before = *trace.truth.last().unwrap_or(&trace.start);
                trace.truth.push(code.run(before));
            }
            // An arbitrary word stands in for a truth that is no state; its loss is left out.
            let truths = traces.iter().map(|trace| trace.truth[line]);
            let states = self.language().states();
            let stand_in = |truth: i32| truth.clamp(*states.start(), *states.end());
            let target = self.state_tokens(truths.map(stand_in))?;
            let decoder = &self.model.state;
            let (read, logits) = decoder.decode_with_logits(hidden.clone(), target.clone());
            let read_states = self.numbers(read.clone())?;
            let losses = read_floats(token_nll(logits, target).sum_dim(1))?;
            for ((trace, read), loss) in traces.iter_mut().zip(read_states).zip(losses) {
                let is_state = states.contains(&trace.truth[line]);
                trace.states.push(read);
                trace.loss.push(is_state.then_some(loss));
            }
            state = match state_passing {
                StatePassing::Latent => hidden,
                StatePassing::Requantized => {
                    let encoded = self.model.state.encode(read);
                    self.model.state.hidden(encoded, &self.octaves)
                }
            };
        }
        Ok(traces)
    }
}
