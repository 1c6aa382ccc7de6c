//! Programs of any number of lines, run line by line: each line runs on the point the one before left.
//!
//! A joint point is one point of the code's latent space a line, one after the other.

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

/// What lies between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatePassing {
    /// The point a line left, as it is.
    #[default]
    Latent,
    /// The state decoded there, encoded again: small errors are rounded away, a wrong state is kept.
    Requantized,
}

/// What a program does to one state, line by line.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The state it started from.
    pub start: i32,
    /// The states the model reads after each line; `None` where it reads no number.
    pub states: Vec<Option<i32>>,
    /// What they really are, by integer arithmetic.
    pub truth: Vec<i32>,
    /// Negative log likelihood of the truth in nats; `None` where that is no state.
    pub loss: Vec<Option<f32>>,
}

/// What the model says of one point for one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The program decoded there, line by line; `None` where the decoder yields no number.
    pub program: Vec<Option<Code>>,
    /// What running it on each example gives.
    pub results: Vec<Option<i32>>,
    /// Negative log likelihood of the examples' results, their mean, in nats.
    pub loss: f32,
    /// How unsure the decoder is of the program, in nats.
    pub entropy: f32,
    /// Where the results lie among the states: Z values an example.
    pub reached: Vec<f32>,
    /// The loss's gradient by the point's values, where it was asked for.
    pub gradient: Option<Vec<f32>>,
}

impl Evaluation {
    /// Whether the decoded program solves the task, by integer arithmetic.
    pub fn solves(&self, task: &Task) -> bool {
        let program: Option<Vec<Code>> = self.program.iter().copied().collect();
        program.is_some_and(|program| task.is_solved_by(&program))
    }

    /// Whether the model reads every example's result: what it claims.
    pub fn claims(&self, task: &Task) -> bool {
        let results = task.examples.iter().map(|example| Some(example.result));
        results.eq(self.results.iter().copied())
    }
}

/// Tensors of one pass over N points with R examples in all.
struct Pass {
    /// [N, L] tokens of the decoded programs, line by line.
    codes: Vec<Tensor<2, Int>>,
    /// [N, 1] entropy of all lines' tokens.
    entropy: Tensor<2>,
    /// [R, L] tokens of the results.
    results: Tensor<2, Int>,
    /// [R, Z] places of the results.
    reached: Tensor<2>,
    /// [N, 1] losses.
    loss: Tensor<2>,
}

impl ExecutorInference {
    /// Decodes the programs at joint points, runs each on its task's examples, and says how far from
    /// their results that is: one task a point, all of as many lines, all in one pass.
    ///
    /// # Errors
    /// If the points don't fit the tasks, or the device fails.
    pub fn evaluate_each(
        &self,
        points: &Points,
        tasks: &[&Task],
        between: StatePassing,
    ) -> Result<Vec<Evaluation>> {
        self.check(points, tasks)?;
        let mut evaluations = Vec::with_capacity(tasks.len());
        for (points, tasks) in points.chunks(CHUNK).zip(tasks.chunks(CHUNK)) {
            let points = self.tensor(&points);
            let pass = self.pass(&self.model, points, tasks, between, &self.device)?;
            evaluations.extend(self.evaluations(pass, tasks)?);
        }
        Ok(evaluations)
    }

    /// The same with the gradient of each loss by its point; states are not requantised, which would
    /// have none.
    ///
    /// # Errors
    /// As [`Self::evaluate_each`].
    pub fn gradients(&self, points: &Points, tasks: &[&Task]) -> Result<Vec<Evaluation>> {
        self.check(points, tasks)?;
        let device = self.device.clone().autodiff();
        // The weights are constants here: the way back goes to the points alone.
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

    /// Decodes the programs at joint points [N, lines x Z], and runs each on its task's examples.
    fn pass(
        &self,
        model: &LatentExecutor,
        points: Tensor<2>,
        tasks: &[&Task],
        between: StatePassing,
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
            if between == StatePassing::Requantized && line + 1 < lines {
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

    /// Runs the program at a joint point on each of `starts`.
    ///
    /// # Errors
    /// If the point doesn't consist of whole lines that decode to numbers, or the device fails.
    pub fn trace(
        &self,
        point: &[f32],
        starts: &[i32],
        between: StatePassing,
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
        let started = self
            .model
            .state
            .encode(self.state_tokens(starts.iter().copied())?);
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
                trace
                    .truth
                    .push(code.run(*trace.truth.last().unwrap_or(&trace.start)));
            }
            // Where the truth is no state, any word stands in, and its loss is left out.
            let truths = traces.iter().map(|trace| trace.truth[line]);
            let states = self.language().states();
            let stand_in = |truth: i32| truth.clamp(*states.start(), *states.end());
            let target = self.state_tokens(truths.map(stand_in))?;
            let (read, logits) = self
                .model
                .state
                .decode_with_logits(hidden.clone(), target.clone());
            let read_states = self.numbers(read.clone())?;
            let losses = read_floats(token_nll(logits, target).sum_dim(1))?;
            for ((trace, read), loss) in traces.iter_mut().zip(read_states).zip(losses) {
                let is_state = states.contains(&trace.truth[line]);
                trace.states.push(read);
                trace.loss.push(is_state.then_some(loss));
            }
            state = match between {
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
