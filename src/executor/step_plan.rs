//! Step plan: numbers, executions and points of a shard of a training step, drawn on the host.

use std::sync::Arc;

use anyhow::Result;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    batch::{Batches, ConstantTables, EntityTables},
    sampling::{ExecutionSpans, LoggedInputs, ball_points, sobol_points},
};
use crate::{
    data::language::{Code, Execution},
    executor::config::{ExecutorConfig, Regulariser},
    nn::init::normal,
    training::{HostInputs, Span},
};

/// Points anywhere in the box a step.
const REGION_SAMPLES: usize = 96;
/// Points a step from which the inner gradient step is made; each as far from its program as that step leads.
const INNER_SAMPLES: usize = 128;
/// Pairs of programs with a state in common whose distances are compared a step.
const NEAR_PAIRS: usize = 192;
/// Pairs without.
const FAR_PAIRS: usize = 64;
/// Draws from the uniform prior a step.
const PRIOR_SAMPLES: usize = 256;

/// Offsets of one shard's inputs in the host buffers. Equal plans have equal shapes; used as the capture key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutorPlan {
    /// Tokens of the states and programs it is made of.
    pub tables: TokenTables,
    /// The octaves' weights, if there are octaves.
    pub octaves: Option<Span>,
    /// States to be read back.
    pub own_states: Span,
    /// Programs to be read back.
    pub own_codes: Span,
    /// Samples of the plane, where the tables hold all numbers.
    pub region_samples: Option<RegionSamples>,
    /// The additions among the first lines, if any.
    pub additions: Option<ExecutionSpans>,
    /// Rows of the start states of the first lines, the region samples and the inner step's targets.
    pub starts: Span,
    /// The executions, line by line.
    pub lines: Vec<LineSpans>,
    /// Executions to be reached by a step down the gradient.
    pub inner_targets: Option<InnerTargets>,
    /// Noise on each state's point, in balls of radius 1.
    pub state_noise: Option<Span>,
    /// Points from the prior that should have a state and a program near.
    pub cover: Option<Span>,
    /// Draws from a normal prior, for states, results and programs.
    pub normals: Option<[Span; 3]>,
}

/// Tokens of states and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenTables {
    /// All there are, on the device.
    Constant(Arc<ConstantTables>),
    /// Inputs of the step.
    Input {
        /// Tokens of the states.
        states: Span,
        /// Tokens of the programs.
        codes: Span,
    },
}

/// A line of each execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSpans {
    /// Rows of the programs.
    pub codes: Span,
    /// Noise on each program's point, in balls of radius 1.
    pub ball_noise: Option<Span>,
    /// Rows of the states that result.
    pub results: Span,
}

/// Samples of the plane: points anywhere, and pairs of programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionSamples {
    /// Points anywhere in the programs' box.
    pub points: Span,
    /// Among the outcomes, the first row of the state on which each point's program is run.
    pub result_rows: Span,
    /// Programs to be as far apart as what they lead to.
    pub pairs: ProgramPairs,
}

/// Pairs of programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramPairs {
    /// Programs of two executions from one state, then pairs that no state can take both.
    pub codes: [Span; 2],
    /// Results of the former pairs.
    pub results: [Span; 2],
}

/// Executions to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerTargets {
    /// The executions.
    pub lines: ExecutionSpans,
    /// Start points, in balls of radius 1 around the programs.
    pub ball_noise: Span,
}

impl ExecutorPlan {
    /// Plan of shard `share` of a step, counted from 0, with these weights of the octaves.
    ///
    /// # Errors
    /// If a number is unknown to the tokenizer.
    pub fn draw(
        batches: &Batches,
        config: &ExecutorConfig,
        octaves: &[f32],
        share: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Self, HostInputs)> {
        let mut inputs = HostInputs::default();
        let dims = config.dims;
        let octaves = (!octaves.is_empty()).then(|| inputs.values(octaves));
        let traces = batches.traces(config, rng);
        let tables = batches.tables(&traces, rng)?;
        let (states, codes) = (tables.state_count(), tables.code_count());
        let (token_tables, region_samples) = match &tables.constants {
            Some(constants) => (
                TokenTables::Constant(constants.clone()),
                REGION_SAMPLES.div_ceil(config.shards),
            ),
            None => {
                let states = inputs.rows(tables.state_tokens.iter().copied());
                let codes = inputs.rows(tables.code_tokens.iter().copied());
                (TokenTables::Input { states, codes }, 0)
            }
        };
        let any_state = |rng: &mut ChaCha8Rng| rng.random_range(batches.language.states());
        let elsewhere: Vec<i32> = (0..region_samples).map(|_| any_state(rng)).collect();
        let inner_targets = match config.inner_step_weight > 0.0 {
            true => INNER_SAMPLES.div_ceil(config.shards),
            false => 0,
        };
        let inner_targets: Vec<Execution> = (0..inner_targets).map(|_| batches.any(rng)).collect();

        let own = |count: usize| {
            let (first, every) = match region_samples {
                0 => (0, 1),
                _ => (share, config.shards),
            };
            (first..count).step_by(every).map(|row| row as i32)
        };
        let [own_states, own_codes] = [own(states), own(codes)].map(|rows| inputs.log_rows(rows));
        let points = (region_samples > 0)
            .then(|| inputs.log_points(sobol_points(region_samples, dims, rng.random())));
        let is_addition = |line: &&Execution| matches!(line.code, Code::Add(_));
        let additions: Vec<Execution> = traces[0].iter().filter(is_addition).copied().collect();
        let additions = (!additions.is_empty()).then(|| inputs.log_executions(&additions, &tables));

        let (mut lines, mut reached_for) = (Vec::new(), None);
        for (number, line) in traces.iter().enumerate() {
            lines.push(LineSpans {
                codes: inputs.log_rows(tables.codes_of(line)),
                ball_noise: (config.cell_noise > 0.0)
                    .then(|| inputs.log_points(ball_points(line.len(), dims, rng))),
                results: inputs.log_rows(tables.results_of(line)),
            });
            if number == 0 && !inner_targets.is_empty() {
                reached_for = Some(InnerTargets {
                    ball_noise: inputs.log_points(ball_points(inner_targets.len(), dims, rng)),
                    lines: inputs.log_executions(&inner_targets, &tables),
                });
            }
        }
        let elsewhere = || elsewhere.iter().map(|state| tables.state_row(*state));
        let starts = tables.starts_of(&traces[0]).chain(elsewhere());
        let starts = inputs.log_rows(starts.chain(tables.starts_of(&inner_targets)));

        let shown =
            own_states.count + region_samples + inner_targets.len() + traces.len() * config.batch;
        let state_noise =
            (config.state_noise > 0.0).then(|| inputs.log_points(ball_points(shown, dims, rng)));
        let region_samples = points.map(|points| RegionSamples {
            points,
            result_rows: inputs.log_rows(elsewhere().map(|row| row * codes as i32)),
            pairs: ProgramPairs::draw(batches, config, &tables, &mut inputs, rng),
        });
        let cover = (config.cover_weight > 0.0).then(|| {
            let count = PRIOR_SAMPLES.div_ceil(config.shards);
            inputs.log_points(sobol_points(count, dims, rng.random()))
        });
        let reached = traces.len() * config.batch;
        let mut normals =
            |count: usize| inputs.log_points((0..count * dims).map(|_| normal(rng)).collect());
        let normals = match config.regulariser {
            Regulariser::Seed => Some([states, reached, codes].map(&mut normals)),
            Regulariser::Off | Regulariser::Pooled => None,
        };
        let plan = Self {
            tables: token_tables,
            octaves,
            own_states,
            own_codes,
            region_samples,
            additions,
            starts,
            lines,
            inner_targets: reached_for,
            state_noise,
            cover,
            normals,
        };
        Ok((plan, inputs))
    }
}

impl ProgramPairs {
    fn draw(
        batches: &Batches,
        config: &ExecutorConfig,
        tables: &EntityTables,
        inputs: &mut HostInputs,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let language = batches.language;
        let near = NEAR_PAIRS.div_ceil(config.shards);
        let near: Vec<[Execution; 2]> = (0..near).map(|_| batches.pair(rng)).collect();
        let widest = language.states().end() - language.states().start();
        let addends = language.addends();
        let unlike = (0..FAR_PAIRS.div_ceil(config.shards)).map(|_| {
            let low = rng.random_range(*addends.start()..addends.end() - widest);
            let high = rng.random_range(low + widest + 1..=*addends.end());
            [low, high].map(Code::Add)
        });
        let unlike: Vec<[Code; 2]> = unlike.collect();
        let codes = near.iter().map(|pair| pair.map(|line| line.code));
        let codes: Vec<[Code; 2]> = codes.chain(unlike).collect();
        let codes = [0, 1].map(|side| codes.iter().map(move |pair| tables.code_row(pair[side])));
        let led = |side: usize| near.iter().map(move |pair| pair[side].result());
        Self {
            codes: codes.map(|rows| inputs.log_rows(rows)),
            results: [0, 1]
                .map(|side| inputs.log_rows(led(side).map(|state| tables.state_row(state)))),
        }
    }
}
