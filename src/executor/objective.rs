//! What a Latent Executor's training makes small: batches and the terms of the loss.

use std::{collections::HashSet, sync::Arc};

use anyhow::{Context, Result};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::model::LatentExecutor;
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
            Prior, distance_mismatch, mmd, nearest_distances, nearest_rows, row_distances,
            token_nll,
        },
    },
};

/// The terms of the loss, one value each. Cross entropies are means a token, in nats.
pub(super) struct Terms {
    /// The state autoencoder's cross entropy.
    pub state_nll: Tensor<1>,
    /// The code autoencoder's cross entropy.
    pub code_nll: Tensor<1>,
    /// The cross entropy of the executor's results.
    pub result_nll: Tensor<1>,
    /// The cross entropy of the nearest program at points anywhere.
    pub cell_nll: Tensor<1>,
    /// The cross entropy of that program's result there.
    pub cell_result_nll: Tensor<1>,
    /// The cross entropy of writing nothing where a program leads to no state.
    pub nothing_nll: Tensor<1>,
    /// Squared discrepancy of the states' and results' points from their prior.
    pub mmd_states: Tensor<1>,
    /// The same of the programs' points.
    pub mmd_codes: Tensor<1>,
    /// How far the programs' distances are from those of their results.
    pub isometry: Tensor<1>,
}

impl Terms {
    /// Their weighted sum.
    pub fn loss(&self, config: &ExecutorConfig) -> Tensor<1> {
        [
            (&self.state_nll, config.autoencoder_weight),
            (&self.code_nll, config.autoencoder_weight),
            (&self.result_nll, config.executor_weight),
            (&self.cell_nll, config.cells),
            (&self.cell_result_nll, config.cell_results),
            (&self.nothing_nll, config.nothing),
            (&self.mmd_states, config.mmd_states),
            (&self.mmd_codes, config.mmd_codes),
            (&self.isometry, config.isometry),
        ]
        .into_iter()
        .map(|(term, weight)| term.clone() * weight)
        .reduce(|sum, term| sum + term)
        .expect("there are terms")
    }

    /// All of them, in the order of their declaration.
    pub fn into_values(self) -> [Tensor<1>; 9] {
        [
            self.state_nll,
            self.code_nll,
            self.result_nll,
            self.cell_nll,
            self.cell_result_nll,
            self.nothing_nll,
            self.mmd_states,
            self.mmd_codes,
            self.isometry,
        ]
    }
}

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
    lexicon: Arc<Lexicon>,
    device: Device,
}

impl Objective {
    /// For runs on `device`, which has autodiff.
    pub fn new(config: &ExecutorConfig, lexicon: Arc<Lexicon>, device: &Device) -> Result<Self> {
        let train = Split::new(config.held_out, config.split_seed).train;
        let known: HashSet<Sum> = train.iter().copied().collect();
        let known_results = STATES
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
            lexicon,
            device: device.clone(),
        })
    }

    /// The terms for a fresh batch.
    ///
    /// The autoencoders see every number they have in every step: there are few, and the planes then
    /// fill evenly, the rare programs too. The executor sees a batch of sums, each with its program
    /// moved within its own region, and the programs at points anywhere.
    pub fn terms(
        &self,
        model: &LatentExecutor,
        config: &ExecutorConfig,
        octaves: &Octaves,
        rng: &mut ChaCha8Rng,
    ) -> Result<Terms> {
        let batch = config.batch;
        let sums: Vec<Sum> = (0..batch)
            .map(|_| self.train[rng.random_range(0..self.train.len())])
            .collect();
        let results: Vec<Word> = sums
            .iter()
            .map(|sum| spell(&self.lexicon, sum.result))
            .collect::<Result<_>>()?;
        let results = words_tensor(&results, &self.device);
        let code_at = self.rows(sums.iter().map(|sum| sum.solution() - CODES.start()));
        let elsewhere: Vec<i32> = (0..CELL_DRAWS).map(|_| rng.random_range(STATES)).collect();
        let starts = sums
            .iter()
            .map(|sum| sum.start)
            .chain(elsewhere.iter().copied());
        let state_at = self.rows(starts.map(|start| start - STATES.start()));

        let state_points = model.state.encode(self.states.clone());
        let code_points = model.code.encode(self.codes.clone());

        let anywhere = self.matrix(
            even_draws(CELL_DRAWS, config.dims, rng.random()),
            config.dims,
        );
        let nearest = nearest_rows(anywhere.clone(), code_points.clone().detach());
        let shown = Tensor::cat(vec![code_points.clone(), anywhere], 0);
        let targets = Tensor::cat(
            vec![
                self.codes.clone(),
                self.codes.clone().select(0, nearest.clone()),
            ],
            0,
        );
        let shown = model.code.hidden(shown, octaves);
        let anywhere = shown.clone().narrow(0, CODES.count(), CELL_DRAWS);
        let nll = token_nll(model.code.logits(shown, targets.clone()), targets);
        let code_nll = nll.clone().narrow(0, 0, CODES.count()).mean();
        let cell_nll = nll.narrow(0, CODES.count(), CELL_DRAWS).mean();

        let started = model
            .state
            .hidden(state_points.clone().select(0, state_at), octaves);
        let chosen = self.within_cells(&code_points, code_at, config, rng);
        let chosen = Tensor::cat(vec![model.code.hidden(chosen, octaves), anywhere], 0);
        let result_points = model.execute(started, chosen);

        let first = elsewhere
            .iter()
            .map(|start| (start - STATES.start()) * CODES.count() as i32);
        let pair = self.rows(first) + nearest;
        let targets = vec![
            self.states.clone(),
            results,
            self.results.clone().select(0, pair.clone()),
        ];
        let targets = Tensor::cat(targets, 0);
        let shown = Tensor::cat(vec![state_points.clone(), result_points.clone()], 0);
        let shown = model.state.hidden(shown, octaves);
        let nll = token_nll(model.state.logits(shown, targets.clone()), targets);
        let known = STATES.count();
        let cell_results = nll.clone().narrow(0, known + batch, CELL_DRAWS);
        let allowed = self.allowed.clone().select(0, pair.clone());
        let illegal = self.illegal.clone().select(0, pair);

        let isometry = self.isometry(&state_points, &code_points, rng);
        let result_points = result_points.narrow(0, 0, batch);
        let (mmd_states, mmd_codes) =
            self.regulariser(state_points, result_points, code_points, config, rng);
        Ok(Terms {
            state_nll: nll.clone().narrow(0, 0, known).mean(),
            code_nll,
            result_nll: nll.narrow(0, known, batch).mean(),
            cell_nll,
            cell_result_nll: masked_mean(cell_results.clone(), allowed),
            nothing_nll: masked_mean(cell_results, illegal),
            mmd_states,
            mmd_codes,
            isometry,
        })
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
        let count = rows.len();
        Tensor::from_data(TensorData::new(rows, [count]), &self.device)
    }

    fn matrix(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
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
