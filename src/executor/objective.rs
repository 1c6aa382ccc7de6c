//! What a step of the Latent Executor's training sees: batches, and the terms of their loss.

use std::{collections::HashSet, sync::Arc};

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{model::LatentExecutor, terms::Terms};
use crate::{
    config::executor::{ExecutorConfig, Regulariser},
    data::{
        split::Split,
        sums::{CODES, STATES, Sum},
        tokens::{LENGTH, Lexicon, NOTHING, Word},
    },
    nn::{
        bottleneck::Octaves,
        init::normal,
        losses::{
            Prior, distance_mismatch, emptiness, lattice_spacing, mmd, nearest_distances,
            nearest_rows, neighbour_distance, row_distances, saturation, token_nll,
        },
    },
    training::tape,
};

/// What every step needs: the numbers in tokens, and which sums may be trained on.
pub(super) struct Objective {
    train: Vec<Sum>,
    /// Each state with the results it may be trained to lead to.
    known_results: Vec<(i32, Vec<i32>)>,
    /// [S, L] tokens of all states.
    states: Tensor<2, Int>,
    /// [C, L] tokens of all programs.
    codes: Tensor<2, Int>,
    /// [S x C, L] tokens of the result of each program on each state; nothing where it is no state.
    results: Tensor<2, Int>,
    /// [S x C]: 1 where the result is a state and the sum may be trained on, else 0.
    allowed: Tensor<1>,
    /// [S x C]: 1 where the result is no state.
    illegal: Tensor<1>,
    device: Device,
}

impl Objective {
    /// For runs on `device`, which has autodiff.
    pub fn new(config: &ExecutorConfig, lexicon: Arc<Lexicon>, device: &Device) -> Result<Self> {
        let train = Split::new(config.held_out, config.split_seed).train;
        let known: HashSet<Sum> = train.iter().copied().collect();
        let known_results: Vec<(i32, Vec<i32>)> = STATES
            .map(|start| {
                (
                    start,
                    train
                        .iter()
                        .filter(|s| s.start == start)
                        .map(|s| s.result)
                        .collect(),
                )
            })
            .filter(|(_, results): &(i32, Vec<i32>)| !results.is_empty())
            .collect();
        if config.lines > 1 && known_results.len() < STATES.count() {
            bail!(
                "held_out is {}: some state is left without a sum to go on with, expected less",
                config.held_out
            );
        }
        let word = |number: i32| spell(&lexicon, number);
        let sums = || {
            STATES.flat_map(|start| {
                CODES.map(move |code| Sum {
                    start,
                    result: start + code,
                })
            })
        };
        let result = |sum: Sum| {
            if STATES.contains(&sum.result) {
                word(sum.result)
            } else {
                Ok(NOTHING)
            }
        };
        let results: Vec<Word> = sums().map(result).collect::<Result<_>>()?;
        let marks = |is_so: &dyn Fn(Sum) -> bool| -> Tensor<1> {
            let marks: Vec<f32> = sums().map(|sum| f32::from(u8::from(is_so(sum)))).collect();
            let count = marks.len();
            Tensor::from_data(TensorData::new(marks, [count]), device)
        };
        let allowed = marks(&|sum| known.contains(&sum));
        let illegal = marks(&|sum| !STATES.contains(&sum.result));
        let states: Vec<Word> = STATES.map(word).collect::<Result<_>>()?;
        let codes: Vec<Word> = CODES.map(word).collect::<Result<_>>()?;
        Ok(Self {
            states: words_tensor(&states, device),
            codes: words_tensor(&codes, device),
            results: words_tensor(&results, device),
            allowed,
            illegal,
            known_results,
            train,
            device: device.clone(),
        })
    }

    /// The terms for a fresh batch.
    ///
    /// The autoencoders see every number they have in every step: there are few, and the planes then
    /// fill evenly, the rare programs too. The executor sees a batch of sums, each with its program
    /// moved within its own region, and the programs at points anywhere; where programs have several
    /// lines, each further line runs on the point the one before left.
    pub fn terms(
        &self,
        model: &LatentExecutor,
        config: &ExecutorConfig,
        octaves: &Octaves,
        rng: &mut ChaCha8Rng,
    ) -> Result<Terms> {
        let zero = || Tensor::<1>::zeros([1], &self.device);
        let traces = self.traces(config, rng);
        let elsewhere: Vec<i32> = (0..CELL_DRAWS).map(|_| rng.random_range(STATES)).collect();
        let aims: Vec<Sum> = if config.inner_step > 0.0 {
            (0..INNER_DRAWS).map(|_| self.any_sum(rng)).collect()
        } else {
            Vec::new()
        };

        let read_in = model.state.read_in(self.states.clone());
        let state_points = model.state.point(read_in.clone());
        let code_points = model.code.encode(self.codes.clone());
        let state_hidden = model.state.hidden(state_points.clone(), octaves);
        let state_rows = |sums: &[Sum], number: fn(&Sum) -> i32| {
            self.rows(sums.iter().map(|sum| number(sum) - STATES.start()))
        };

        // Programs: where they are encoded, the nearest one at points anywhere, and those proposed.
        let anywhere = self.matrix(
            even_draws(CELL_DRAWS, config.dims, rng.random()),
            config.dims,
        );
        let nearest = nearest_rows(anywhere.clone(), code_points.clone().detach());
        let first = &traces[0];
        let proposed = model.propose(
            read_in
                .clone()
                .select(0, state_rows(first, |sum| sum.start)),
            read_in.select(0, state_rows(first, |sum| sum.result)),
        );
        let mut shown = vec![code_points.clone(), anywhere];
        let mut targets = vec![
            self.codes.clone(),
            self.codes.clone().select(0, nearest.clone()),
        ];
        if let Some(points) = &proposed {
            shown.push(points.clone());
            targets.push(self.codes.clone().select(0, self.code_rows(first)));
        }
        let shown = model.code.hidden(Tensor::cat(shown, 0), octaves);
        let anywhere = shown.clone().narrow(0, CODES.count(), CELL_DRAWS);
        let targets = Tensor::cat(targets, 0);
        let nll = token_nll(model.code.logits(shown, targets.clone()), targets);
        let [code_nll, cell_nll, inverse_nll] = means(
            nll,
            [
                CODES.count(),
                CELL_DRAWS,
                proposed.map_or(0, |_| config.batch),
            ],
        );

        // Results of the first line, of the nearest programs, and after a step down the gradient.
        let mut programs = vec![
            model.code.hidden(
                self.within_cells(&code_points, self.code_rows(first), config, rng),
                octaves,
            ),
            anywhere,
        ];
        if !aims.is_empty() {
            programs.push(self.descended(model, &state_hidden, &aims, config, octaves, rng));
        }
        let starts = first.iter().map(|sum| sum.start);
        let starts = starts.chain(elsewhere.iter().copied());
        let starts = starts.chain(aims.iter().map(|sum| sum.start));
        let starts = self.rows(starts.map(|start| start - STATES.start()));
        let started = state_hidden.clone().select(0, starts);
        let points = model.execute(started, Tensor::cat(programs, 0));
        let mut results = vec![points.clone().narrow(0, 0, config.batch)];
        for line in &traces[1..] {
            let from = results[results.len() - 1].clone();
            let program = self.within_cells(&code_points, self.code_rows(line), config, rng);
            let program = model.code.hidden(program, octaves);
            results.push(model.execute(model.state.hidden(from, octaves), program));
        }
        let later = results[1..].to_vec();

        let pair = elsewhere
            .iter()
            .map(|start| (start - STATES.start()) * CODES.count() as i32);
        let pair = self.rows(pair) + nearest;
        let words = |sums: &[Sum]| {
            let rows = state_rows(sums, |sum| sum.result);
            self.states.clone().select(0, rows)
        };
        let mut targets = vec![
            self.states.clone(),
            words(first),
            self.results.clone().select(0, pair.clone()),
        ];
        if !aims.is_empty() {
            targets.push(words(&aims));
        }
        targets.extend(traces[1..].iter().map(|line| words(line)));
        let targets = Tensor::cat(targets, 0);
        let mut shown = vec![state_points.clone(), points];
        shown.extend(later.iter().cloned());
        let shown = self.shaken(Tensor::cat(shown, 0), config, rng);
        let shown = model.state.hidden(shown, octaves);
        let nll = token_nll(model.state.logits(shown, targets.clone()), targets);
        let known = STATES.count();
        let cell_results = nll.clone().narrow(0, known + config.batch, CELL_DRAWS);
        let [state_nll, result_nll, _, inner_nll, lines_nll] = means(
            nll,
            [
                known,
                config.batch,
                CELL_DRAWS,
                aims.len(),
                later.len() * config.batch,
            ],
        );
        let allowed = self.allowed.clone().select(0, pair.clone());
        let illegal = self.illegal.clone().select(0, pair);

        let consistency = if config.consistency > 0.0 {
            let encoded = traces
                .iter()
                .flatten()
                .map(|sum| sum.result - STATES.start());
            let encoded = state_points.clone().detach().select(0, self.rows(encoded));
            (Tensor::cat(results.clone(), 0) - encoded).square().mean()
        } else {
            zero()
        };
        let isometry = self.isometry(&state_points, &code_points, rng);
        let neighbours =
            neighbour_distance(code_points.clone()) + neighbour_distance(state_points.clone());
        let results = Tensor::cat(results, 0);
        let cover = if config.cover > 0.0 {
            let clouds = [&code_points, &state_points];
            let draws = self.matrix(
                even_draws(PRIOR_DRAWS, config.dims, rng.random()),
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
            cell_result_nll: masked_mean(cell_results.clone(), allowed),
            nothing_nll: masked_mean(cell_results, illegal),
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
        })
    }

    /// A batch of programs line by line: sums each of which begins where the one before ended.
    fn traces(&self, config: &ExecutorConfig, rng: &mut ChaCha8Rng) -> Vec<Vec<Sum>> {
        let first: Vec<Sum> = (0..config.batch).map(|_| self.any_sum(rng)).collect();
        let mut traces = vec![first];
        for line in 1..config.lines {
            let next = |sum: &Sum| {
                let (start, results) = &self.known_results[(sum.result - STATES.start()) as usize];
                let result = results[rng.random_range(0..results.len())];
                Sum {
                    start: *start,
                    result,
                }
            };
            let next = traces[line - 1].iter().map(next).collect();
            traces.push(next);
        }
        traces
    }

    /// A sum that may be trained on.
    fn any_sum(&self, rng: &mut ChaCha8Rng) -> Sum {
        self.train[rng.random_range(0..self.train.len())]
    }

    /// Hidden states [N, L, D] of the programs a step down the gradient of each sum's loss from a
    /// point anywhere: Adam's first step, of which no gradient is taken (Latent Program Network,
    /// Bonnet and Macfarlane 2024, arXiv 2411.08706).
    fn descended(
        &self,
        model: &LatentExecutor,
        state_hidden: &Tensor<3>,
        aims: &[Sum],
        config: &ExecutorConfig,
        octaves: &Octaves,
        rng: &mut ChaCha8Rng,
    ) -> Tensor<3> {
        let frozen = model.clone().no_grad();
        let draws = even_draws(aims.len(), config.dims, rng.random());
        let from = self.matrix(draws, config.dims).require_grad();
        let rows = |number: fn(&Sum) -> i32| {
            self.rows(aims.iter().map(|sum| number(sum) - STATES.start()))
        };
        let starts = state_hidden
            .clone()
            .detach()
            .select(0, rows(|sum| sum.start));
        let results = self.states.clone().select(0, rows(|sum| sum.result));
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

    /// The rows of the programs that solve the sums.
    fn code_rows(&self, sums: &[Sum]) -> Tensor<1, Int> {
        self.rows(sums.iter().map(|sum| sum.solution() - CODES.start()))
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
        let ball = (0..count).flat_map(|_| in_ball(dims, rng)).collect();
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
        let radius = config.state_noise * lattice_spacing(STATES.count(), dims);
        let ball = (0..count).flat_map(|_| in_ball(dims, rng)).collect();
        points + self.matrix(ball, dims) * radius
    }

    /// Compares the distances of pairs of programs with those of the states they lead to from the
    /// same state; pairs that no state can take both count as farther than any other. Tokens alone
    /// give neighbours; this gives the plane its order at large.
    fn isometry(&self, states: &Tensor<2>, codes: &Tensor<2>, rng: &mut ChaCha8Rng) -> Tensor<1> {
        let near: Vec<[i32; 3]> = (0..NEAR_PAIRS)
            .map(|_| {
                let known = &self.known_results[rng.random_range(0..self.known_results.len())];
                let mut result = || known.1[rng.random_range(0..known.1.len())];
                [known.0, result(), result()]
            })
            .collect();
        let widest = STATES.end() - STATES.start();
        let far = (0..FAR_PAIRS).map(|_| {
            let low = rng.random_range(*CODES.start()..CODES.end() - widest);
            (low, rng.random_range(low + widest + 1..=*CODES.end()))
        });
        let pairs: Vec<(i32, i32)> = near
            .iter()
            .map(|t| (t[1] - t[0], t[2] - t[0]))
            .chain(far)
            .collect();
        let code_row = |code: i32| code - CODES.start();
        let apart = row_distances(
            codes
                .clone()
                .select(0, self.rows(pairs.iter().map(|p| code_row(p.0)))),
            codes
                .clone()
                .select(0, self.rows(pairs.iter().map(|p| code_row(p.1)))),
        );
        let states = states.clone().detach();
        let state_row = |state: i32| state - STATES.start();
        let results_apart = row_distances(
            states
                .clone()
                .select(0, self.rows(near.iter().map(|t| state_row(t[1])))),
            states.select(0, self.rows(near.iter().map(|t| state_row(t[2])))),
        );
        let beyond = results_apart.clone().max() * BEYOND;
        let results_apart = Tensor::cat(vec![results_apart, beyond.repeat_dim(0, FAR_PAIRS)], 0);
        distance_mismatch(apart, results_apart)
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
        let dims = config.dims;
        let mut term = |points: Tensor<2>, kind: Prior| {
            let draws = match kind {
                Prior::Box => even_draws(PRIOR_DRAWS, dims, rng.random()),
                Prior::SeedNormal => (0..points.dims()[0] * dims).map(|_| normal(rng)).collect(),
            };
            mmd(points, self.matrix(draws, dims), kind)
        };
        match config.regulariser {
            Regulariser::Off => (
                Tensor::zeros([1], &self.device),
                Tensor::zeros([1], &self.device),
            ),
            Regulariser::Seed => (
                term(states, Prior::SeedNormal) + term(results, Prior::SeedNormal),
                term(codes, Prior::SeedNormal),
            ),
            Regulariser::Pooled => (
                term(Tensor::cat(vec![states, results], 0), Prior::Box),
                term(codes, Prior::Box),
            ),
        }
    }
}

/// Points anywhere in the box a step.
const CELL_DRAWS: usize = 96;
/// Points a step from which one step is made down the gradient, and its length in each coordinate.
const INNER_DRAWS: usize = 64;
const INNER_STEP: f32 = 0.1;
/// Pairs of programs with a state in common whose distances are compared a step.
const NEAR_PAIRS: usize = 192;
/// Pairs without.
const FAR_PAIRS: usize = 64;
/// How far those should be, over the largest distance of two states.
const BEYOND: f64 = 1.3;
/// Draws from the uniform prior a step.
const PRIOR_DRAWS: usize = 256;

/// `count` draws from the box (-1, 1)^Z, spread more evenly than independent ones (a scrambled Sobol
/// sequence, Burley 2020), so that the regulariser's pull is steady from step to step.
fn even_draws(count: usize, dims: usize, seed: u32) -> Vec<f32> {
    let most = sobol_burley::NUM_DIMENSIONS;
    let draw = |i: usize, d: usize| {
        let (group, dim) = (d as u32 / most, d as u32 % most);
        sobol_burley::sample(i as u32, dim, seed.wrapping_add(group)) * 2.0 - 1.0
    };
    (0..count)
        .flat_map(|i| (0..dims).map(move |d| draw(i, d)))
        .collect()
}

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

/// A point of the unit ball, uniform.
fn in_ball(dims: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let direction: Vec<f32> = (0..dims).map(|_| normal(rng)).collect();
    let length = direction
        .iter()
        .map(|x| x * x)
        .sum::<f32>()
        .sqrt()
        .max(1e-12);
    let radius = rng.random::<f32>().powf(1.0 / dims as f32);
    direction.into_iter().map(|x| x / length * radius).collect()
}

/// [B, L] tokens.
pub(super) fn words_tensor(words: &[Word], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(
        TensorData::new(words.concat(), [words.len(), LENGTH]),
        device,
    )
}

/// The tokens of a number.
pub(super) fn spell(lexicon: &Lexicon, number: i32) -> Result<Word> {
    lexicon
        .encode(number)
        .with_context(|| format!("{number} has no tokens: expected -99 to 99"))
}
