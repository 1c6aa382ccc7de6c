//! Programs of any number of lines, run line by line: each line runs on the point the one before left.
//!
//! A joint point is one point of the code's latent space a line, one after the other.

use anyhow::{Context, Result, bail};
use burn::tensor::{Int, Tensor, TensorData};

use super::inference::{CHUNK, Executor, Outcome, read_floats};
use crate::{
    data::sums::{STATES, Task},
    latent::points::Points,
    nn::losses::token_nll,
};

/// What lies between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Between {
    /// The point a line left, as it is.
    #[default]
    Latent,
    /// The state decoded there, encoded again: small errors are rounded away, a wrong state is kept.
    Requantised,
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

impl Executor {
    /// Decodes the programs at joint points, runs each on its task's examples, and says how far from
    /// their results that is: one task a point, all of as many lines.
    ///
    /// # Errors
    /// If the points don't fit the tasks, or the device fails.
    pub fn evaluate_tasks(&self, points: &Points, tasks: &[&Task]) -> Result<Outcome> {
        let lines = tasks.first().map_or(1, |task| task.lines);
        let dims = self.config.dims;
        if points.dims != lines * dims || tasks.len() != points.len() {
            bail!(
                "{} points of {} values for {} programs: expected {} values each, {dims} a line",
                points.len(),
                points.dims,
                tasks.len(),
                lines * dims
            );
        }
        let mut outcome = Outcome::default();
        for (chunk, tasks) in points.chunks(CHUNK).zip(tasks.chunks(CHUNK)) {
            let programs = self.programs(&chunk, lines);
            let codes = programs
                .iter()
                .map(|hidden| self.numbers(self.model.code.read(hidden.clone())));
            let codes = codes.collect::<Result<Vec<_>>>()?;
            for point in 0..chunk.len() {
                outcome.code.extend(codes.iter().map(|line| line[point]));
            }
            let runs = tasks.iter().enumerate();
            let runs = runs.flat_map(|(point, task)| task.examples.iter().map(move |e| (point, e)));
            let runs: Vec<_> = runs.collect();
            let mut state = self.states(runs.iter().map(|(_, example)| example.start))?;
            for program in &programs {
                let program = program
                    .clone()
                    .select(0, self.rows(runs.iter().map(|r| r.0)));
                let reached = self.model.execute(state, program);
                state = self.model.state.hidden(reached, &self.octaves);
            }
            let target = self.words(runs.iter().map(|(_, example)| example.result))?;
            let (read, logits) = self.model.state.read_beside(state, target.clone());
            outcome.result.extend(self.numbers(read)?);
            let nll = read_floats(token_nll(logits, target).sum_dim(1))?;
            let mut nll = nll.into_iter();
            outcome.loss.extend(tasks.iter().map(|task| {
                let count = task.examples.len();
                nll.by_ref().take(count).sum::<f32>() / count as f32
            }));
        }
        Ok(outcome)
    }

    /// Runs the program at a joint point on each of `starts`.
    ///
    /// # Errors
    /// If the point doesn't consist of whole lines that decode to numbers, or the device fails.
    pub fn trace(&self, point: &[f32], starts: &[i32], between: Between) -> Result<Vec<Trace>> {
        let dims = self.config.dims;
        if point.is_empty() || !point.len().is_multiple_of(dims) {
            bail!(
                "the point has {} values: expected {dims} a line",
                point.len()
            );
        }
        let lines = point.len() / dims;
        let programs = self.programs(&Points::one(point), lines);
        let mut traces: Vec<Trace> = starts
            .iter()
            .map(|start| Trace {
                start: *start,
                states: Vec::new(),
                truth: Vec::new(),
                loss: Vec::new(),
            })
            .collect();
        let mut state = self.states(starts.iter().copied())?;
        for (line, program) in programs.into_iter().enumerate() {
            let code = self.numbers(self.model.code.read(program.clone()))?[0]
                .with_context(|| format!("no number is decoded for line {}", line + 1))?;
            let program = program.repeat_dim(0, starts.len());
            let reached = self.model.execute(state, program);
            let hidden = self.model.state.hidden(reached, &self.octaves);
            for trace in &mut traces {
                trace
                    .truth
                    .push(trace.truth.last().unwrap_or(&trace.start) + code);
            }
            // Where the truth is no state, any word stands in, and its loss is left out.
            let truths = traces.iter().map(|trace| trace.truth[line]);
            let stand_in = |truth: i32| truth.clamp(*STATES.start(), *STATES.end());
            let target = self.words(truths.map(stand_in))?;
            let (read, logits) = self.model.state.read_beside(hidden.clone(), target.clone());
            let states = self.numbers(read.clone())?;
            let losses = read_floats(token_nll(logits, target).sum_dim(1))?;
            for ((trace, read), loss) in traces.iter_mut().zip(states).zip(losses) {
                let is_state = STATES.contains(&trace.truth[line]);
                trace.states.push(read);
                trace.loss.push(is_state.then_some(loss));
            }
            state = match between {
                Between::Latent => hidden,
                Between::Requantised => {
                    let encoded = self.model.state.encode(read);
                    self.model.state.hidden(encoded, &self.octaves)
                }
            };
        }
        Ok(traces)
    }

    /// The hidden states [N, L, D] of the programs at joint points, line by line.
    fn programs(&self, points: &Points, lines: usize) -> Vec<Tensor<3>> {
        let dims = self.config.dims;
        let line = |line: usize| {
            let values = points
                .iter()
                .flat_map(|point| point[line * dims..(line + 1) * dims].iter().copied());
            let values = values.collect();
            self.model
                .code
                .hidden(self.tensor(&Points { dims, values }), &self.octaves)
        };
        (0..lines).map(line).collect()
    }

    /// The hidden states [N, L, D] of states; each number is encoded once.
    fn states(&self, numbers: impl Iterator<Item = i32> + Clone) -> Result<Tensor<3>> {
        let mut different: Vec<i32> = numbers.clone().collect();
        different.sort_unstable();
        different.dedup();
        let row = |number: i32| different.binary_search(&number).unwrap_or_default();
        let rows = self.rows(numbers.map(row));
        let encoded = self
            .model
            .state
            .encode(self.words(different.iter().copied())?);
        Ok(self
            .model
            .state
            .hidden(encoded, &self.octaves)
            .select(0, rows))
    }

    fn rows(&self, rows: impl Iterator<Item = usize>) -> Tensor<1, Int> {
        let rows: Vec<i32> = rows.map(|row| row as i32).collect();
        let count = rows.len();
        Tensor::from_data(TensorData::new(rows, [count]), &self.device)
    }
}
