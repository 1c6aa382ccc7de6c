//! Losses of the Latent Executor: its forward pass in training.

use burn::{
    module::Module,
    tensor::{Int, Tensor},
};

use super::{
    model::LatentExecutor,
    step_plan::{ExecutorPlan, InnerTargets, LineSpans, ProgramPairs, TokenTables},
};
use crate::{
    executor::config::{ExecutorConfig, Regulariser},
    kernels::gather,
    nn::{
        bottleneck::FourierBands,
        losses::{
            box_discrepancy, distance_mismatch, emptiness, lattice_spacing, nearest_distances,
            nearest_rows, neighbour_distance, row_distances, saturation, seed_discrepancy,
            token_nll,
        },
    },
    training::{DeviceInputs, Losses, Span},
};

/// The length of a step down the gradient, in each coordinate.
const INNER_STEP: f32 = 0.2;
/// Distance wanted of two programs that no state can take both, over the largest distance of two states.
const BEYOND: f64 = 1.3;

/// Forward pass of a shard.
pub(super) struct ExecutorForward<'a> {
    pub model: &'a LatentExecutor,
    pub config: &'a ExecutorConfig,
    pub octaves: &'a FourierBands,
    pub plan: &'a ExecutorPlan,
    pub inputs: &'a DeviceInputs,
}

/// All states and programs of the tables, encoded.
struct Encoded {
    /// [S, L, D] states before the bottleneck.
    state_tokens: Tensor<3>,
    /// [S, Z].
    states: Tensor<2>,
    /// [C, Z].
    codes: Tensor<2>,
    /// [S, L, D] states after the bottleneck.
    state_hidden: Tensor<3>,
}

/// Programs that are decoded: at their own points, at points anywhere, and where the inverse encoder proposes them.
struct Programs {
    /// [P, L, D].
    hidden: Tensor<3>,
    /// Rows `[R]` of the programs nearest to the points anywhere.
    nearest: Option<Tensor<1, Int>>,
    /// Proposed points [A, Z], and the rows `[A]` of the programs asked for.
    proposed: Option<(Tensor<2>, Tensor<1, Int>)>,
    code_nll: Tensor<1>,
    cell_nll: Tensor<1>,
    inverse_nll: Tensor<1>,
}

/// Points [.., Z] that running programs leads to.
struct Results {
    /// Results of the first lines, the points anywhere and the inner step.
    first: Tensor<2>,
    /// Line by line.
    lines: Vec<Tensor<2>>,
}

/// Cross entropies of states and results.
struct ResultLosses {
    state: Tensor<1>,
    result: Tensor<1>,
    cell_result: Tensor<1>,
    empty_result: Tensor<1>,
    inner: Tensor<1>,
    lines: Tensor<1>,
}

impl ExecutorForward<'_> {
    /// Losses of the shard; cross entropies are means a token, in nats.
    ///
    /// If the tables hold all numbers, the autoencoders see each of them in every step: the planes then fill evenly,
    /// rare programs included. The executor sees a batch of executions, each with its program moved within its own
    /// region, and the programs at points anywhere; each line after the first runs on the point the one before left.
    pub fn losses(&self) -> Losses {
        let config = self.config;
        let encoded = self.encode();
        let programs = self.decode_programs(&encoded);
        let results = self.run(&encoded, &programs);
        let nll = self.decode_results(&encoded, &results, programs.nearest.as_ref());
        let inverse_consistency = self.inverse_consistency(&programs, &encoded);
        let results = Tensor::cat(results.lines, 0);
        let consistency = self.consistency(&results, &encoded);
        let (isometry, neighbours) = self.order(&encoded);
        let cover = self.cover(&encoded);
        let saturation = saturation(Tensor::cat(
            vec![
                encoded.states.clone(),
                encoded.codes.clone(),
                results.clone(),
            ],
            0,
        ));
        let (mmd_states, mmd_codes) = self.mmd(encoded, results);

        let mut losses = Losses::default();
        losses.add("state_nll", config.autoencoder_weight, nll.state);
        losses.add("code_nll", config.autoencoder_weight, programs.code_nll);
        losses.add("result_nll", config.executor_weight, nll.result);
        losses.add("cell_nll", config.cell_weight, programs.cell_nll);
        losses.add(
            "cell_result_nll",
            config.cell_result_weight,
            nll.cell_result,
        );
        losses.add("nothing_nll", config.empty_result_weight, nll.empty_result);
        losses.add("mmd_states", config.mmd_states_weight, mmd_states);
        losses.add("mmd_codes", config.mmd_codes_weight, mmd_codes);
        losses.add("isometry", config.isometry_weight, isometry);
        losses.add("neighbours", config.neighbour_weight, neighbours);
        losses.add("cover", config.cover_weight, cover);
        losses.add("saturation", config.saturation_weight, saturation);
        losses.add("inverse_nll", config.inverse_weight, programs.inverse_nll);
        losses.add("inner_nll", config.inner_step_weight, nll.inner);
        losses.add("lines_nll", config.executor_weight, nll.lines);
        losses.add("consistency", config.consistency_weight, consistency);
        losses.add(
            "inverse_consistency",
            config.inverse_consistency_weight,
            inverse_consistency,
        );
        losses
    }

    fn zero(&self) -> Tensor<1> {
        Tensor::zeros([1], &self.inputs.values.device())
    }

    fn region_count(&self) -> usize {
        let samples = self.plan.region_samples.as_ref();
        samples.map_or(0, |samples| samples.result_rows.count)
    }

    /// Tokens [S, L] of the states and [C, L] of the programs.
    fn token_tables(&self) -> [Tensor<2, Int>; 2] {
        match &self.plan.tables {
            TokenTables::Constant(tables) => [tables.states.clone(), tables.codes.clone()],
            TokenTables::Input { states, codes } => {
                let length = self.config.language.word_length();
                [*states, *codes].map(|span| {
                    let rows = self.inputs.rows(span);
                    rows.reshape([span.count / length, length])
                })
            }
        }
    }

    fn encode(&self) -> Encoded {
        let (model, [state_table, code_table]) = (self.model, self.token_tables());
        let state_tokens = model.state.encode_tokens(state_table);
        let states = model.state.point(state_tokens.clone());
        let codes = model.code.encode(code_table);
        let state_hidden = model.state.hidden(states.clone(), self.octaves);
        Encoded {
            state_tokens,
            states,
            codes,
            state_hidden,
        }
    }

    fn decode_programs(&self, encoded: &Encoded) -> Programs {
        let Self {
            model,
            plan,
            inputs,
            ..
        } = self;
        let [_, code_table] = self.token_tables();
        let tokens = |rows| code_table.clone().select(0, rows);
        let rows = |span| inputs.rows(span);
        let own_codes = rows(plan.own_codes);
        let mut points = vec![gather(encoded.codes.clone(), own_codes.clone())];
        let mut targets = vec![tokens(own_codes)];
        let nearest = plan.region_samples.as_ref().map(|samples| {
            let anywhere = inputs.points(samples.points, self.config.dims);
            let nearest = nearest_rows(anywhere.clone(), encoded.codes.clone().detach());
            points.push(anywhere);
            targets.push(tokens(nearest.clone()));
            nearest
        });
        let proposed = plan.additions.as_ref().and_then(|additions| {
            let state_tokens = &encoded.state_tokens;
            let from = gather(state_tokens.clone(), rows(additions.starts));
            let to = gather(state_tokens.clone(), rows(additions.results));
            Some((model.propose(from, to)?, rows(additions.codes)))
        });
        if let Some((proposals, codes)) = &proposed {
            points.push(proposals.clone());
            targets.push(tokens(codes.clone()));
        }
        let hidden = model.code.hidden(Tensor::cat(points, 0), self.octaves);
        let targets = Tensor::cat(targets, 0);
        let logits = model.code.logits(hidden.clone(), targets.clone());
        let nll = token_nll(logits, targets);
        let proposals = proposed.as_ref().map_or(0, |(points, _)| points.dims()[0]);
        let groups = [plan.own_codes.count, self.region_count(), proposals];
        let [code_nll, cell_nll, inverse_nll] = means(nll, groups);
        Programs {
            hidden,
            nearest,
            proposed,
            code_nll,
            cell_nll,
            inverse_nll,
        }
    }

    /// Runs the first lines, the programs at points anywhere and those of the inner step in one batch, then line by line.
    fn run(&self, encoded: &Encoded, programs: &Programs) -> Results {
        let Self { model, plan, .. } = self;
        let moved = |line| {
            let points = self.with_ball_noise(line, &encoded.codes);
            model.code.hidden(points, self.octaves)
        };
        let mut codes = vec![moved(&plan.lines[0])];
        let (own, regions) = (plan.own_codes.count, self.region_count());
        if regions > 0 {
            codes.push(programs.hidden.clone().narrow(0, own, regions));
        }
        if let Some(targets) = &plan.inner_targets {
            codes.push(self.inner_step(targets, &encoded.state_hidden, &encoded.codes));
        }
        let starts = gather(encoded.state_hidden.clone(), self.inputs.rows(plan.starts));
        let first = model.execute(starts, Tensor::cat(codes, 0));
        let mut lines = vec![first.clone().narrow(0, 0, self.config.batch)];
        for line in &plan.lines[1..] {
            let from = lines[lines.len() - 1].clone();
            let code = moved(line);
            lines.push(model.execute(model.state.hidden(from, self.octaves), code));
        }
        Results { first, lines }
    }

    /// Decodes states and results; `nearest` are the programs at the points anywhere.
    fn decode_results(
        &self,
        encoded: &Encoded,
        results: &Results,
        nearest: Option<&Tensor<1, Int>>,
    ) -> ResultLosses {
        let Self {
            model,
            plan,
            inputs,
            config,
            ..
        } = self;
        let [state_table, _] = self.token_tables();
        let tokens = |span: Span| state_table.clone().select(0, inputs.rows(span));
        let own_states = inputs.rows(plan.own_states);
        let mut targets = vec![tokens(plan.own_states), tokens(plan.lines[0].results)];
        let regions = match (&plan.tables, &plan.region_samples, nearest) {
            (TokenTables::Constant(table), Some(samples), Some(nearest)) => {
                let pairs = inputs.rows(samples.result_rows) + nearest.clone();
                targets.push(table.results.clone().select(0, pairs.clone()));
                Some((table, pairs))
            }
            _ => None,
        };
        if let Some(inner_targets) = &plan.inner_targets {
            targets.push(tokens(inner_targets.lines.results));
        }
        targets.extend(plan.lines[1..].iter().map(|line| tokens(line.results)));
        let targets = Tensor::cat(targets, 0);
        let later = &results.lines[1..];
        let mut points = vec![
            gather(encoded.states.clone(), own_states),
            results.first.clone(),
        ];
        points.extend(later.iter().cloned());
        let points = self.with_state_noise(Tensor::cat(points, 0));
        let hidden = model.state.hidden(points, self.octaves);
        let nll = token_nll(model.state.logits(hidden, targets.clone()), targets);

        let (own, batch, region_count) = (plan.own_states.count, config.batch, self.region_count());
        let (cell_result, empty_result) = match regions {
            Some((table, pairs)) => {
                let regions = nll.clone().narrow(0, own + batch, region_count);
                let over = |mask: &Tensor<1>| {
                    masked_mean(regions.clone(), mask.clone().select(0, pairs.clone()))
                };
                (over(&table.allowed), over(&table.illegal))
            }
            None => (self.zero(), self.zero()),
        };
        let inner_targets = plan.inner_targets.as_ref();
        let inner_count = inner_targets.map_or(0, |targets| targets.lines.codes.count);
        let groups = [own, batch, region_count, inner_count, later.len() * batch];
        let [state, result, _, inner, lines] = means(nll, groups);
        ResultLosses {
            state,
            result,
            cell_result,
            empty_result,
            inner,
            lines,
        }
    }

    /// Squared distance of the proposed points from where their programs are encoded.
    fn inverse_consistency(&self, programs: &Programs, encoded: &Encoded) -> Tensor<1> {
        match &programs.proposed {
            Some((points, codes)) if self.config.inverse_consistency_weight > 0.0 => {
                let encoded = encoded.codes.clone().detach().select(0, codes.clone());
                (points.clone() - encoded).square().mean()
            }
            _ => self.zero(),
        }
    }

    /// Squared distance of the results' points from where their states are encoded.
    fn consistency(&self, results: &Tensor<2>, encoded: &Encoded) -> Tensor<1> {
        if self.config.consistency_weight == 0.0 {
            return self.zero();
        }
        let lines = self.plan.lines.iter();
        let reached = lines.map(|line| self.inputs.rows(line.results));
        let reached = Tensor::cat(reached.collect(), 0);
        let encoded = encoded.states.clone().detach().select(0, reached);
        (results.clone() - encoded).square().mean()
    }

    /// Isometry, and the distance of programs and states that follow one another.
    fn order(&self, encoded: &Encoded) -> (Tensor<1>, Tensor<1>) {
        let (states, codes) = (&encoded.states, &encoded.codes);
        match &self.plan.region_samples {
            None => (self.zero(), self.zero()),
            Some(samples) => (
                self.isometry(&samples.pairs, states, codes),
                neighbour_distance(codes.clone()) + neighbour_distance(states.clone()),
            ),
        }
    }

    /// Emptiness of the planes of programs and of states.
    fn cover(&self, encoded: &Encoded) -> Tensor<1> {
        let Some(cover) = self.plan.cover else {
            return self.zero();
        };
        let draws = self.inputs.points(cover, self.config.dims);
        let clouds = [&encoded.codes, &encoded.states];
        let [codes, states] = clouds.map(|cloud| emptiness(draws.clone(), cloud.clone()));
        codes + states
    }

    /// Discrepancy of states and results, and of programs, from their prior.
    fn mmd(&self, encoded: Encoded, results: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        let Encoded { states, codes, .. } = encoded;
        match (self.config.regulariser, self.plan.normals) {
            (Regulariser::Pooled, _) => (
                box_discrepancy(Tensor::cat(vec![states, results], 0)),
                box_discrepancy(codes),
            ),
            (Regulariser::Seed, Some([of_states, of_results, of_codes])) => {
                let dims = self.config.dims;
                let apart =
                    |cloud, normals| seed_discrepancy(cloud, self.inputs.points(normals, dims));
                (
                    apart(states, of_states) + apart(results, of_results),
                    apart(codes, of_codes),
                )
            }
            _ => (self.zero(), self.zero()),
        }
    }

    /// Hidden states [N, L, D] of programs after one gradient step on the loss of each target, from points [N, Z] as far
    /// from its program as one step leads: Adam's first step, of which no gradient is taken (Latent Program Network,
    /// Bonnet and Macfarlane 2024, arXiv 2411.08706).
    fn inner_step(
        &self,
        inner_targets: &InnerTargets,
        state_hidden: &Tensor<3>,
        code_points: &Tensor<2>,
    ) -> Tensor<3> {
        let (inputs, octaves, dims) = (self.inputs, self.octaves, self.config.dims);
        let frozen = self.model.clone().no_grad();
        let reach = INNER_STEP * (dims as f32).sqrt();
        let places = code_points.clone().detach();
        let places = gather(places, inputs.rows(inner_targets.lines.codes));
        let from =
            (places + inputs.points(inner_targets.ball_noise, dims) * reach).clamp(-1.0, 1.0);
        let from = from.require_grad();
        let starts = state_hidden.clone().detach();
        let starts = gather(starts, inputs.rows(inner_targets.lines.starts));
        let results = inputs.rows(inner_targets.lines.results);
        let [state_table, _] = self.token_tables();
        let results = state_table.select(0, results);
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
        self.model.code.hidden(to, octaves)
    }

    /// The places of a line's programs among `code_points`, each moved within the largest ball that
    /// holds no other program's point [N, Z]: what is decoded there and what running it gives stay one.
    fn with_ball_noise(&self, line: &LineSpans, code_points: &Tensor<2>) -> Tensor<2> {
        let codes: Tensor<1, Int> = self.inputs.rows(line.codes);
        let chosen = gather(code_points.clone(), codes.clone());
        let Some(ball_noise) = line.ball_noise else {
            return chosen;
        };
        let share = self.config.cell_noise as f32;
        let radius = nearest_distances(code_points.clone()) * (0.5 * share);
        let ball_noise = self.inputs.points(ball_noise, self.config.dims);
        chosen + ball_noise * gather(radius, codes).unsqueeze_dim(1)
    }

    /// Points [N, Z] of states moved in a ball whose radius is a share of the spacing that the
    /// states would have on an even lattice. Without it they gather where tanh saturates, which swallows
    /// the executor's errors, and leave the middle of the plane empty.
    fn with_state_noise(&self, points: Tensor<2>) -> Tensor<2> {
        let Some(noise) = self.plan.state_noise else {
            return points;
        };
        let (dims, states) = (self.config.dims, self.config.language.states().count());
        let radius = self.config.state_noise * lattice_spacing(states, dims);
        points + self.inputs.points(noise, dims) * radius
    }

    /// Compares the distances of pairs of programs with those of the states they lead to from the
    /// same state; pairs that no state can take both count as farther than any other. Tokens alone
    /// give neighbours; this gives the plane its order at large.
    fn isometry(&self, pairs: &ProgramPairs, states: &Tensor<2>, codes: &Tensor<2>) -> Tensor<1> {
        let apart = |cloud: &Tensor<2>, rows: [Span; 2]| {
            let [from, to] = rows.map(|part| gather(cloud.clone(), self.inputs.rows(part)));
            row_distances(from, to)
        };
        let results_apart = apart(&states.clone().detach(), pairs.results);
        let far = pairs.codes[0].count - pairs.results[0].count;
        let beyond = results_apart.clone().max() * BEYOND;
        let results_apart = Tensor::cat(vec![results_apart, beyond.repeat_dim(0, far)], 0);
        distance_mismatch(apart(codes, pairs.codes), results_apart)
    }
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
