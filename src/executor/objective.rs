//! What a step of the Latent Executor's training sees, and the terms of its loss.

use std::sync::Arc;

use anyhow::Result;
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    batch::{Batches, Numbers},
    draws::{even_draws, in_balls},
    model::LatentExecutor,
    terms::Terms,
};
use crate::{
    config::executor::{ExecutorConfig, Regulariser},
    data::{
        language::{Code, Execution},
        tokens::Lexicon,
    },
    nn::{
        bottleneck::Octaves,
        init::normal,
        losses::{
            box_discrepancy, distance_mismatch, emptiness, lattice_spacing, nearest_distances,
            nearest_rows, neighbour_distance, row_distances, saturation, seed_discrepancy,
            token_nll,
        },
    },
    training::tape,
};

/// What every step needs: the numbers in tokens, and which executions may be trained on.
pub(super) struct Objective {
    batches: Batches,
    device: Device,
}

impl Objective {
    /// For runs on `device`, which has autodiff.
    pub fn new(config: &ExecutorConfig, lexicon: Arc<Lexicon>, device: &Device) -> Result<Self> {
        Ok(Self {
            batches: Batches::new(config, lexicon, device)?,
            device: device.clone(),
        })
    }

    /// The terms for a fresh batch.
    ///
    /// The autoencoders see every number they have in every step where these are few: the planes then
    /// fill evenly, the rare programs too. The executor sees a batch of executions, each with its program
    /// moved within its own region, and the programs at points anywhere; where programs have several
    /// lines, each further line runs on the point the one before left. Of a large language both see the
    /// batch's numbers alone.
    ///
    /// What a step sees of all numbers and of points anywhere is dealt out to its shares, of which this is the
    /// `share`-th, counted from 0.
    pub fn terms(
        &self,
        model: &LatentExecutor,
        config: &ExecutorConfig,
        octaves: &Octaves,
        share: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Terms> {
        let zero = || Tensor::<1>::zeros([1], &self.device);
        let traces = self.batches.traces(config, rng);
        let numbers = self.batches.numbers(traces.iter().flatten())?;
        let numbers = numbers.as_ref();
        let cells = numbers
            .outcomes
            .as_ref()
            .map_or(0, |_| CELL_DRAWS.div_ceil(config.shards));
        // The share's own numbers, which it reads back.
        let own = |count: usize| -> Tensor<1, Int> {
            let (first, every) = match cells {
                0 => (0, 1),
                _ => (share, config.shards),
            };
            self.rows((first..count).step_by(every).map(|row| row as i32))
        };
        let own_states = own(numbers.state_count());
        let own_codes = own(numbers.code_count());
        let [known_states, known_codes] = [&own_states, &own_codes].map(|rows| rows.dims()[0]);
        let any_state = |rng: &mut ChaCha8Rng| rng.random_range(self.batches.language.states());
        let elsewhere: Vec<i32> = (0..cells).map(|_| any_state(rng)).collect();
        let aims: Vec<Execution> = if config.inner_step > 0.0 {
            (0..INNER_DRAWS.div_ceil(config.shards))
                .map(|_| self.batches.any(rng))
                .collect()
        } else {
            Vec::new()
        };

        let read_in = model.state.read_in(numbers.states.clone());
        let state_points = model.state.point(read_in.clone());
        let code_points = model.code.encode(numbers.codes.clone());
        let state_hidden = model.state.hidden(state_points.clone(), octaves);
        let starts_of = |lines: &[Execution]| -> Tensor<1, Int> {
            self.rows(lines.iter().map(|line| numbers.state_row(line.start)))
        };
        let results_of = |lines: &[Execution]| -> Tensor<1, Int> {
            self.rows(lines.iter().map(|line| numbers.state_row(line.result())))
        };
        let codes_of = |lines: &[Execution]| -> Tensor<1, Int> {
            self.rows(lines.iter().map(|line| numbers.code_row(line.code)))
        };

        // Programs: where they are encoded, the nearest one at points anywhere, and those proposed.
        let first = &traces[0];
        let mut shown = vec![code_points.clone().select(0, own_codes.clone())];
        let mut targets = vec![numbers.codes.clone().select(0, own_codes)];
        let nearest = (cells > 0).then(|| {
            let draws = even_draws(cells, config.dims, rng.random());
            let anywhere = self.matrix(draws, config.dims);
            let nearest = nearest_rows(anywhere.clone(), code_points.clone().detach());
            shown.push(anywhere);
            targets.push(numbers.codes.clone().select(0, nearest.clone()));
            nearest
        });
        // Where two states follow from an addition, that is what the inverse encoder is to propose.
        let is_addition = |line: &&Execution| matches!(line.code, Code::Add(_));
        let additions: Vec<Execution> = first.iter().filter(is_addition).copied().collect();
        let proposed = model.propose(
            read_in.clone().select(0, starts_of(&additions)),
            read_in.select(0, results_of(&additions)),
        );
        if let Some(points) = &proposed {
            shown.push(points.clone());
            targets.push(numbers.codes.clone().select(0, codes_of(&additions)));
        }
        let shown = model.code.hidden(Tensor::cat(shown, 0), octaves);
        let targets = Tensor::cat(targets, 0);
        let nll = token_nll(model.code.logits(shown.clone(), targets.clone()), targets);
        let [code_nll, cell_nll, inverse_nll] = means(
            nll,
            [
                known_codes,
                cells,
                proposed.as_ref().map_or(0, |_| additions.len()),
            ],
        );

        // Results of the first line, of the nearest programs, and after a step down the gradient.
        let places = self.within_cells(&code_points, codes_of(first), config, rng);
        let mut programs = vec![model.code.hidden(places, octaves)];
        if cells > 0 {
            programs.push(shown.narrow(0, known_codes, cells));
        }
        if !aims.is_empty() {
            let places = code_points.clone().select(0, codes_of(&aims));
            let from = self.within_reach(places, rng);
            let programs_there =
                self.descended(model, &state_hidden, numbers, &aims, from, octaves);
            programs.push(programs_there);
        }
        let starts = first.iter().map(|line| line.start);
        let starts = starts.chain(elsewhere.iter().copied());
        let starts = starts.chain(aims.iter().map(|line| line.start));
        let starts = self.rows(starts.map(|start| numbers.state_row(start)));
        let started = state_hidden.select(0, starts);
        let points = model.execute(started, Tensor::cat(programs, 0));
        let mut results = vec![points.clone().narrow(0, 0, config.batch)];
        for line in &traces[1..] {
            let from = results[results.len() - 1].clone();
            let program = self.within_cells(&code_points, codes_of(line), config, rng);
            let program = model.code.hidden(program, octaves);
            results.push(model.execute(model.state.hidden(from, octaves), program));
        }
        let later = results[1..].to_vec();

        let words = |lines: &[Execution]| numbers.states.clone().select(0, results_of(lines));
        let own_words = numbers.states.clone().select(0, own_states.clone());
        let mut targets = vec![own_words, words(first)];
        let outcomes = numbers
            .outcomes
            .as_ref()
            .zip(nearest)
            .map(|(outcomes, nearest)| {
                let row = |start: &i32| numbers.state_row(*start) * numbers.code_count() as i32;
                let pair = self.rows(elsewhere.iter().map(row)) + nearest;
                targets.push(outcomes.results.clone().select(0, pair.clone()));
                (outcomes, pair)
            });
        if !aims.is_empty() {
            targets.push(words(&aims));
        }
        targets.extend(traces[1..].iter().map(|line| words(line)));
        let targets = Tensor::cat(targets, 0);
        let mut shown = vec![state_points.clone().select(0, own_states), points];
        shown.extend(later.iter().cloned());
        let shown = self.shaken(Tensor::cat(shown, 0), config, rng);
        let shown = model.state.hidden(shown, octaves);
        let nll = token_nll(model.state.logits(shown, targets.clone()), targets);
        let (cell_result_nll, nothing_nll) = match outcomes {
            Some((outcomes, pair)) => {
                let results = nll.clone().narrow(0, known_states + config.batch, cells);
                let over = |mask: &Tensor<1>| {
                    masked_mean(results.clone(), mask.clone().select(0, pair.clone()))
                };
                (over(&outcomes.allowed), over(&outcomes.illegal))
            }
            None => (zero(), zero()),
        };
        let [state_nll, result_nll, _, inner_nll, lines_nll] = means(
            nll,
            [
                known_states,
                config.batch,
                cells,
                aims.len(),
                later.len() * config.batch,
            ],
        );

        let is_pulled = config.inverse_consistency > 0.0;
        let inverse_consistency = match &proposed {
            Some(points) if is_pulled => {
                let encoded = code_points.clone().detach();
                let encoded = encoded.select(0, codes_of(&additions));
                (points.clone() - encoded).square().mean()
            }
            _ => zero(),
        };
        let consistency = if config.consistency > 0.0 {
            let encoded = results_of(&traces.concat());
            let encoded = state_points.clone().detach().select(0, encoded);
            (Tensor::cat(results.clone(), 0) - encoded).square().mean()
        } else {
            zero()
        };
        let (isometry, neighbours) = match cells {
            0 => (zero(), zero()),
            _ => (
                self.isometry(numbers, &state_points, &code_points, config, rng),
                neighbour_distance(code_points.clone()) + neighbour_distance(state_points.clone()),
            ),
        };
        let results = Tensor::cat(results, 0);
        let cover = if config.cover > 0.0 {
            let clouds = [&code_points, &state_points];
            let draws = self.matrix(
                even_draws(
                    PRIOR_DRAWS.div_ceil(config.shards),
                    config.dims,
                    rng.random(),
                ),
                config.dims,
            );
            let [codes, states] = clouds.map(|cloud| emptiness(draws.clone(), cloud.clone()));
            codes + states
        } else {
            zero()
        };
        let saturation = saturation(Tensor::cat(
            vec![state_points.clone(), code_points.clone(), results.clone()],
            0,
        ));
        let (mmd_states, mmd_codes) =
            self.regulariser(state_points, results, code_points, config, rng);
        Ok(Terms {
            state_nll,
            code_nll,
            result_nll,
            cell_nll,
            cell_result_nll,
            nothing_nll,
            mmd_states,
            mmd_codes,
            isometry,
            neighbours,
            cover,
            saturation,
            inverse_nll,
            inner_nll,
            lines_nll,
            consistency,
            inverse_consistency,
        })
    }

    /// Points [N, Z] from which the inner step can lead to `places` [N, Z].
    fn within_reach(&self, places: Tensor<2>, rng: &mut ChaCha8Rng) -> Tensor<2> {
        let [count, dims] = places.dims();
        let reach = INNER_STEP * (dims as f32).sqrt();
        let ball = in_balls(count, dims, rng);
        (places.detach() + self.matrix(ball, dims) * reach).clamp(-1.0, 1.0)
    }

    /// Hidden states [N, L, D] of the programs a step down the gradient of each sum's loss from the points
    /// `from` [N, Z]: Adam's first step, of which no gradient is taken (Latent Program Network, Bonnet and
    /// Macfarlane 2024, arXiv 2411.08706).
    fn descended(
        &self,
        model: &LatentExecutor,
        state_hidden: &Tensor<3>,
        numbers: &Numbers,
        aims: &[Execution],
        from: Tensor<2>,
        octaves: &Octaves,
    ) -> Tensor<3> {
        let frozen = model.clone().no_grad();
        let from = from.require_grad();
        let starts = aims.iter().map(|aim| numbers.state_row(aim.start));
        let starts = state_hidden.clone().detach().select(0, self.rows(starts));
        let results = aims.iter().map(|aim| numbers.state_row(aim.result()));
        let results = numbers.states.clone().select(0, self.rows(results));
        let reached = frozen.execute(starts, frozen.code.hidden(from.clone(), octaves));
        let logits = frozen
            .state
            .logits(frozen.state.hidden(reached, octaves), results.clone());
        let gradients = token_nll(logits, results).sum().backward();
        let down = match from.grad(&gradients) {
            Some(gradient) => Tensor::from_inner(gradient).sign() * INNER_STEP,
            None => unreachable!("the points are tracked"),
        };
        let to = (from.detach() - down).clamp(-1.0, 1.0);
        model.code.hidden(to, octaves)
    }

    /// The places of the programs in `rows` `[N]`, each moved at random within the largest ball that
    /// holds no other program's point [N, Z]: what is decoded there and what running it gives stay one.
    fn within_cells(
        &self,
        places: &Tensor<2>,
        rows: Tensor<1, Int>,
        config: &ExecutorConfig,
        rng: &mut ChaCha8Rng,
    ) -> Tensor<2> {
        let [count, dims] = [rows.dims()[0], config.dims];
        let share = config.cell_noise as f32;
        let chosen = places.clone().select(0, rows.clone());
        if share == 0.0 {
            return chosen;
        }
        let radius = nearest_distances(places.clone()) * (0.5 * share);
        let ball = in_balls(count, dims, rng);
        chosen + self.matrix(ball, dims) * radius.select(0, rows).unsqueeze_dim(1)
    }

    /// Points [N, Z] of states moved at random in a ball whose radius is a share of the spacing that the
    /// states would have on an even lattice. Without it they gather where tanh saturates, which swallows
    /// the executor's errors, and leave the middle of the plane empty.
    fn shaken(
        &self,
        points: Tensor<2>,
        config: &ExecutorConfig,
        rng: &mut ChaCha8Rng,
    ) -> Tensor<2> {
        if config.state_noise == 0.0 {
            return points;
        }
        let [count, dims] = points.dims();
        let radius =
            config.state_noise * lattice_spacing(self.batches.language.states().count(), dims);
        let ball = in_balls(count, dims, rng);
        points + self.matrix(ball, dims) * radius
    }

    /// Compares the distances of pairs of programs with those of the states they lead to from the
    /// same state; pairs that no state can take both count as farther than any other. Tokens alone
    /// give neighbours; this gives the plane its order at large.
    fn isometry(
        &self,
        numbers: &Numbers,
        states: &Tensor<2>,
        codes: &Tensor<2>,
        config: &ExecutorConfig,
        rng: &mut ChaCha8Rng,
    ) -> Tensor<1> {
        let language = self.batches.language;
        let near: Vec<[Execution; 2]> = (0..NEAR_PAIRS.div_ceil(config.shards))
            .map(|_| self.batches.pair(rng))
            .collect();
        let widest = language.states().end() - language.states().start();
        let addends = language.addends();
        let far = FAR_PAIRS.div_ceil(config.shards);
        let unlike = (0..far).map(|_| {
            let low = rng.random_range(*addends.start()..addends.end() - widest);
            let high = rng.random_range(low + widest + 1..=*addends.end());
            [low, high].map(Code::Add)
        });
        let pairs: Vec<[Code; 2]> = near
            .iter()
            .map(|pair| pair.map(|line| line.code))
            .chain(unlike)
            .collect();
        let codes = [0, 1].map(|side| {
            let rows = pairs.iter().map(|pair| numbers.code_row(pair[side]));
            codes.clone().select(0, self.rows(rows))
        });
        let states = states.clone().detach();
        let results = [0, 1].map(|side| {
            let rows = near
                .iter()
                .map(|pair| numbers.state_row(pair[side].result()));
            states.clone().select(0, self.rows(rows))
        });
        let apart = |[from, to]: [Tensor<2>; 2]| row_distances(from, to);
        let results_apart = apart(results);
        let beyond = results_apart.clone().max() * BEYOND;
        let results_apart = Tensor::cat(vec![results_apart, beyond.repeat_dim(0, far)], 0);
        distance_mismatch(apart(codes), results_apart)
    }

    fn rows(&self, rows: impl Iterator<Item = i32>) -> Tensor<1, Int> {
        let rows: Vec<i32> = rows.collect();
        tape::note("rows", || rows.clone().into());
        let count = rows.len();
        Tensor::from_data(TensorData::new(rows, [count]), &self.device)
    }

    fn matrix(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        tape::note("matrix", || values.clone().into());
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device)
    }

    /// The discrepancies of states with results, and of programs.
    fn regulariser(
        &self,
        states: Tensor<2>,
        results: Tensor<2>,
        codes: Tensor<2>,
        config: &ExecutorConfig,
        rng: &mut ChaCha8Rng,
    ) -> (Tensor<1>, Tensor<1>) {
        let mut seed = |points: Tensor<2>| {
            let count = points.dims()[0] * config.dims;
            let draws = (0..count).map(|_| normal(rng)).collect();
            seed_discrepancy(points, self.matrix(draws, config.dims))
        };
        match config.regulariser {
            Regulariser::Off => (
                Tensor::zeros([1], &self.device),
                Tensor::zeros([1], &self.device),
            ),
            Regulariser::Seed => (seed(states) + seed(results), seed(codes)),
            Regulariser::Pooled => (
                box_discrepancy(Tensor::cat(vec![states, results], 0)),
                box_discrepancy(codes),
            ),
        }
    }
}

/// Points anywhere in the box a step.
const CELL_DRAWS: usize = 96;
/// Points a step, as far from their programs as one step leads, from which one step is made down the
/// gradient, and its length in each coordinate.
const INNER_DRAWS: usize = 128;
const INNER_STEP: f32 = 0.2;
/// Pairs of programs with a state in common whose distances are compared a step.
const NEAR_PAIRS: usize = 192;
/// Pairs without.
const FAR_PAIRS: usize = 64;
/// How far those should be, over the largest distance of two states.
const BEYOND: f64 = 1.3;
/// Draws from the uniform prior a step.
const PRIOR_DRAWS: usize = 256;

/// The means of groups of rows [N, L], of so many rows each; 0 for a group without rows.
fn means<const G: usize>(rows: Tensor<2>, groups: [usize; G]) -> [Tensor<1>; G] {
    let mut from = 0;
    groups.map(|count| {
        from += count;
        match count {
            0 => Tensor::zeros([1], &rows.device()),
            _ => rows.clone().narrow(0, from - count, count).mean(),
        }
    })
}

/// The mean of the rows [N, L] that `mask` `[N]` marks with 1; near 0 where there is none.
fn masked_mean(rows: Tensor<2>, mask: Tensor<1>) -> Tensor<1> {
    (rows.mean_dim(1).squeeze_dim::<1>(1) * mask.clone()).sum() / (mask.sum() + 1e-3)
}
