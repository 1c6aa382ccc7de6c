//! Figures of a benchmark: success by evaluations, median, expected running time and confidence interval.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::{
    data::sums::Task,
    executor::{search_run::SearchRun, views::ExecutorModelView},
    latent::{order::quantile, search::Strategy},
};

/// Numbers of evaluations at which success is reported, as far as the budget goes.
pub const MILESTONES: [usize; 6] = [1, 10, 25, 50, 100, 200];
/// 0.975 quantile of the standard normal distribution.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// Settings of a benchmark; results of different settings can't be combined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Origin of the model.
    pub model: String,
    /// Number of latent dimensions.
    pub dims: usize,
    /// Training steps of the model.
    pub steps: u64,
    /// Seed of the model's training.
    pub model_seed: u64,
    /// Evaluation budget of a search.
    pub budget: usize,
    /// Number of sums, a seeded sample.
    pub sums: usize,
    /// Number of lines of their programs.
    pub lines: usize,
    /// Number of seeds per method and sum.
    pub seeds: u64,
    /// Compute device.
    pub device: String,
}

impl Settings {
    pub(super) fn new(plan: &Plan, model: &ExecutorModelView) -> Self {
        Self {
            model: model.origin.clone(),
            dims: model.config.dims,
            steps: model.steps,
            model_seed: model.config.seed,
            budget: plan.budget,
            sums: plan.problems.len(),
            lines: plan.problems.first().map_or(1, |p| p.task.lines()),
            seeds: plan.seeds,
            device: model.device.clone(),
        }
    }

    /// First difference that makes the results incompatible, in words; `None` if they can be combined.
    /// Additional seeds or another device are no obstacle.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("model", self.model.clone(), other.model.clone()),
            ("dimensions", self.dims.to_string(), other.dims.to_string()),
            ("steps", self.steps.to_string(), other.steps.to_string()),
            (
                "model's seed",
                self.model_seed.to_string(),
                other.model_seed.to_string(),
            ),
            ("budget", self.budget.to_string(), other.budget.to_string()),
            ("sums", self.sums.to_string(), other.sums.to_string()),
            ("lines", self.lines.to_string(), other.lines.to_string()),
        ];
        let differing = pairs.into_iter().find(|(_, mine, theirs)| mine != theirs);
        differing.map(|(name, mine, theirs)| format!("{name} {mine} there, {theirs} now"))
    }
}

/// Outcome of one search.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResultRow {
    pub strategy: Strategy,
    pub seed: u64,
    pub task: Arc<Task>,
    /// Evaluations spent when it was solved.
    pub solved: Option<usize>,
    /// Evaluations spent.
    pub spent: usize,
    pub false_claims: usize,
}

impl ResultRow {
    pub fn new(strategy: Strategy, seed: u64, search_run: &SearchRun) -> Self {
        Self {
            strategy,
            seed,
            task: search_run.task.clone(),
            solved: search_run.solved,
            spent: search_run.spent,
            false_claims: search_run.false_claims,
        }
    }

    /// Sort key of a finished table, unique per row.
    pub fn key(&self) -> (Strategy, u64, Arc<Task>) {
        (self.strategy, self.seed, self.task.clone())
    }
}

/// Figures of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Number of searches, over sums and seeds.
    pub searches: usize,
    /// Success rate by number of evaluations.
    pub success_at: BTreeMap<EvaluationCount, f64>,
    /// Median number of evaluations to success; a failed search counts as the budget plus one.
    pub median_evaluations: f64,
    /// Expected running time (Hansen et al., arXiv 1603.08785): the evaluations of all searches divided by
    /// the number of successful ones; `None` without success.
    pub expected_evaluations: Option<f64>,
    /// Wilson's 95 % interval of the success rate at the budget.
    pub interval: [f64; 2],
    /// Evaluations at which the model decoded the right results although the decoded program doesn't solve
    /// the task.
    pub false_claims: usize,
    /// Wall-clock seconds of the searches, run side by side.
    pub wall_secs: f64,
}

/// Number of evaluations, as a key of a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvaluationCount(pub usize);

impl Figures {
    /// Figures of searches, given the evaluations to success of each and the total spent; NaN without any
    /// search.
    pub fn new(solved: &[Option<usize>], spent: usize, budget: usize) -> Self {
        let count = solved.len();
        let share = |hits: usize| hits as f64 / count as f64;
        let within = |limit: usize| solved.iter().flatten().filter(|n| **n <= limit).count();
        let successes = within(budget);
        let marks = MILESTONES.into_iter().filter(|mark| *mark < budget);
        let mut tried: Vec<f64> = solved
            .iter()
            .map(|n| n.unwrap_or(budget + 1) as f64)
            .collect();
        tried.sort_by(f64::total_cmp);
        Self {
            searches: count,
            success_at: marks
                .chain([budget])
                .map(|mark| (EvaluationCount(mark), share(within(mark))))
                .collect(),
            median_evaluations: quantile(&tried, 0.5),
            expected_evaluations: (successes > 0).then(|| spent as f64 / successes as f64),
            interval: wilson(successes, count),
            false_claims: 0,
            wall_secs: 0.0,
        }
    }
}

/// Wilson's score interval of a proportion at 95 % (Wilson 1927, doi 10.1080/01621459.1927.10502953).
pub fn wilson(hits: usize, count: usize) -> [f64; 2] {
    if count == 0 {
        return [0.0, 1.0];
    }
    let (n, z2) = (count as f64, NORMAL_QUANTILE * NORMAL_QUANTILE);
    let share = hits as f64 / n;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half =
        NORMAL_QUANTILE * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

/// Benchmark of search methods: the output of `executor benchmark --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Settings.
    #[serde(flatten)]
    pub settings: Settings,
    /// True once every search has ended.
    pub is_complete: bool,
    /// Share of the sums whose program, encoded and executed, gives the right result.
    pub executor_ceiling: f64,
    /// Figures by method.
    pub methods: BTreeMap<String, Figures>,
    /// Success rate after 1, 2, .. evaluations, by method.
    #[serde(skip)]
    pub curves: Vec<(String, Vec<f64>)>,
}

impl Comparison {
    pub(super) fn new(
        settings: Settings,
        rows: &[ResultRow],
        wall_secs: &[(Strategy, f64)],
        executor_ceiling: f64,
        is_complete: bool,
    ) -> Self {
        let budget = settings.budget;
        let mut by_method: BTreeMap<Strategy, Vec<&ResultRow>> = BTreeMap::new();
        for row in rows {
            by_method.entry(row.strategy).or_default().push(row);
        }
        let (mut methods, mut curves) = (BTreeMap::new(), Vec::new());
        for (strategy, rows) in by_method {
            let solved: Vec<Option<usize>> = rows.iter().map(|row| row.solved).collect();
            let spent = rows.iter().map(|row| row.spent).sum();
            let secs = wall_secs.iter().find(|(of, _)| *of == strategy);
            let figures = Figures {
                false_claims: rows.iter().map(|row| row.false_claims).sum(),
                wall_secs: secs.map_or(0.0, |(_, secs)| *secs),
                ..Figures::new(&solved, spent, budget)
            };
            let mut after = vec![0.0; budget];
            for n in solved.iter().flatten() {
                after[n - 1] += 1.0 / rows.len() as f64;
            }
            for n in 1..budget {
                after[n] += after[n - 1];
            }
            methods.insert(strategy.to_string(), figures);
            curves.push((strategy.to_string(), after));
        }
        Self {
            settings,
            is_complete,
            executor_ceiling,
            methods,
            curves,
        }
    }
}
