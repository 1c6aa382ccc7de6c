//! The terms of the loss of a step of the Latent Executor's training.

use burn::{
    module::Module,
    tensor::{Int, Tensor},
};

use super::{
    model::LatentExecutor,
    step_plan::{ExecutorPlan, InnerTargets, LineSpans, ProgramPairs},
    terms::Terms,
};
use crate::{
    config::executor::{ExecutorConfig, Regulariser},
    nn::{
        bottleneck::FourierBands,
        fused::gather,
        losses::{
            box_discrepancy, distance_mismatch, emptiness, lattice_spacing, nearest_distances,
            nearest_rows, neighbour_distance, row_distances, saturation, seed_discrepancy,
            token_nll,
        },
    },
    training::{DeviceInputs, Span},
};

/// The length of a step down the gradient, in each coordinate.
const INNER_STEP: f32 = 0.2;
/// How far pairs of programs that no state can take both should be, over the largest distance of two states.
const BEYOND: f64 = 1.3;

/// What a share of a step is judged on: where what it sees lies among what was drawn.
pub(super) struct Objective<'a> {
    pub model: &'a LatentExecutor,
    pub config: &'a ExecutorConfig,
    pub octaves: &'a FourierBands,
    pub plan: &'a ExecutorPlan,
    pub inputs: &'a DeviceInputs,
}

impl Objective<'_> {
    /// The terms.
    ///
    /// The autoencoders see every number they have in every step where these are few: the planes then
    /// fill evenly, the rare programs too. The executor sees a batch of executions, each with its program
    /// moved within its own region, and the programs at points anywhere; where programs have several
    /// lines, each further line runs on the point the one before left. Of a large language both see the
    /// batch's numbers alone.
    pub fn terms(&self) -> Terms {
        let Self {
            model,
            config,
            octaves,
            plan,
            inputs,
        } = self;
        let tables = &plan.tables;
        let device = inputs.values.device();
        let zero = || Tensor::<1>::zeros([1], &device);
        let rows = |part| inputs.rows(part);
        let dims = config.dims;
        let [known_states, known_codes] = [plan.own_states, plan.own_codes].map(|own| own.count);
        let region_samples = plan.region_samples.as_ref();
        let region_count =
            region_samples.map_or(0, |region_samples| region_samples.result_rows.count);
        let inner_target_count = plan
            .inner_targets
            .as_ref()
            .map_or(0, |inner_targets| inner_targets.lines.codes.count);

        let encode_tokens = model.state.encode_tokens(tables.states.clone());
        let state_points = model.state.point(encode_tokens.clone());
        let code_points = model.code.encode(tables.codes.clone());
        let state_hidden = model.state.hidden(state_points.clone(), octaves);

        // Programs: where they are encoded, the nearest one at points anywhere, and those proposed.
        let own_codes = rows(plan.own_codes);
        let mut shown = vec![gather(code_points.clone(), own_codes.clone())];
        let mut targets = vec![tables.codes.clone().select(0, own_codes)];
        let nearest = region_samples.map(|region_samples| {
            let anywhere = inputs.points(region_samples.points, dims);
            let nearest = nearest_rows(anywhere.clone(), code_points.clone().detach());
            shown.push(anywhere);
            targets.push(tables.codes.clone().select(0, nearest.clone()));
            nearest
        });
        let proposed = plan.additions.as_ref().and_then(|additions| {
            let from = gather(encode_tokens.clone(), rows(additions.starts));
            let to = gather(encode_tokens, rows(additions.results));
            Some((model.propose(from, to)?, rows(additions.codes)))
        });
        if let Some((points, codes)) = &proposed {
            shown.push(points.clone());
            targets.push(tables.codes.clone().select(0, codes.clone()));
        }
        let shown = model.code.hidden(Tensor::cat(shown, 0), octaves);
        let targets = Tensor::cat(targets, 0);
        let nll = token_nll(model.code.logits(shown.clone(), targets.clone()), targets);
        let proposals = proposed.as_ref().map_or(0, |(points, _)| points.dims()[0]);
        let [code_nll, cell_nll, inverse_nll] = means(nll, [known_codes, region_count, proposals]);

        // Results of the first line, of the nearest programs, and after a step down the gradient.
        let mut programs = vec![
            model
                .code
                .hidden(self.with_ball_noise(&plan.lines[0], &code_points), octaves),
        ];
        if region_count > 0 {
            programs.push(shown.narrow(0, known_codes, region_count));
        }
        if let Some(inner_targets) = &plan.inner_targets {
            programs.push(self.inner_step(inner_targets, &state_hidden, &code_points));
        }
        let started = gather(state_hidden, rows(plan.starts));
        let points = model.execute(started, Tensor::cat(programs, 0));
        let mut results = vec![points.clone().narrow(0, 0, config.batch)];
        for line in &plan.lines[1..] {
            let from = results[results.len() - 1].clone();
            let program = model
                .code
                .hidden(self.with_ball_noise(line, &code_points), octaves);
            results.push(model.execute(model.state.hidden(from, octaves), program));
        }
        let later = results[1..].to_vec();

        let tokens = |results: Span| tables.states.clone().select(0, rows(results));
        let own_states = rows(plan.own_states);
        let own_tokens = tables.states.clone().select(0, own_states.clone());
        let mut targets = vec![own_tokens, tokens(plan.lines[0].results)];
        let result_table = match (&tables.result_table, region_samples, nearest) {
            (Some(result_table), Some(region_samples), Some(nearest)) => {
                let pair = rows(region_samples.result_rows) + nearest;
                targets.push(result_table.results.clone().select(0, pair.clone()));
                Some((result_table, pair))
            }
            _ => None,
        };
        if let Some(inner_targets) = &plan.inner_targets {
            targets.push(tokens(inner_targets.lines.results));
        }
        targets.extend(plan.lines[1..].iter().map(|line| tokens(line.results)));
        let targets = Tensor::cat(targets, 0);
        let mut shown = vec![gather(state_points.clone(), own_states), points];
        shown.extend(later.iter().cloned());
        let shown = model
            .state
            .hidden(self.with_state_noise(Tensor::cat(shown, 0)), octaves);
        let nll = token_nll(model.state.logits(shown, targets.clone()), targets);
        let (cell_result_nll, nothing_nll) = match result_table {
            Some((result_table, pair)) => {
                let results = nll
                    .clone()
                    .narrow(0, known_states + config.batch, region_count);
                let over = |mask: &Tensor<1>| {
                    masked_mean(results.clone(), mask.clone().select(0, pair.clone()))
                };
                (over(&result_table.allowed), over(&result_table.illegal))
            }
            None => (zero(), zero()),
        };
        let groups = [
            known_states,
            config.batch,
            region_count,
            inner_target_count,
            later.len() * config.batch,
        ];
        let [state_nll, result_nll, _, inner_nll, lines_nll] = means(nll, groups);

        let is_pulled = config.inverse_consistency_weight > 0.0;
        let inverse_consistency = match proposed {
            Some((points, codes)) if is_pulled => {
                let encoded = code_points.clone().detach().select(0, codes);
                (points - encoded).square().mean()
            }
            _ => zero(),
        };
        let results = Tensor::cat(results, 0);
        let consistency = if config.consistency_weight > 0.0 {
            let reached = plan.lines.iter().map(|line| rows(line.results));
            let reached = Tensor::cat(reached.collect(), 0);
            let encoded = state_points.clone().detach().select(0, reached);
            (results.clone() - encoded).square().mean()
        } else {
            zero()
        };
        let (isometry, neighbours) = match region_samples {
            None => (zero(), zero()),
            Some(region_samples) => (
                self.isometry(&region_samples.pairs, &state_points, &code_points),
                neighbour_distance(code_points.clone()) + neighbour_distance(state_points.clone()),
            ),
        };
        let cover = plan.cover.map_or_else(zero, |part| {
            let draws = inputs.points(part, dims);
            let clouds = [&code_points, &state_points];
            let [codes, states] = clouds.map(|cloud| emptiness(draws.clone(), cloud.clone()));
            codes + states
        });
        let saturation = saturation(Tensor::cat(
            vec![state_points.clone(), code_points.clone(), results.clone()],
            0,
        ));
        let (mmd_states, mmd_codes) = match (config.regulariser, plan.normals) {
            (Regulariser::Pooled, _) => (
                box_discrepancy(Tensor::cat(vec![state_points, results], 0)),
                box_discrepancy(code_points),
            ),
            (Regulariser::Seed, Some([states, reached, codes])) => {
                let apart = |cloud, normals| seed_discrepancy(cloud, inputs.points(normals, dims));
                (
                    apart(state_points, states) + apart(results, reached),
                    apart(code_points, codes),
                )
            }
            _ => (zero(), zero()),
        };
        Terms {
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
        }
    }

    /// Hidden states [N, L, D] of the programs a step down the gradient of each aim's loss from points [N, Z] that the
    /// step can lead to its program from: Adam's first step, of which no gradient is taken (Latent Program Network,
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
        let results = self.plan.tables.states.clone().select(0, results);
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
