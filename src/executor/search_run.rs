//! Search run: one search for the program of a task, the losses it is told, its cost in evaluations, and its end.

use std::{collections::HashMap, sync::Arc};

use anyhow::Result;

use super::{inference::ExecutorInference, programs::Evaluation};
use crate::{
    data::{
        language::Code,
        sums::{Operator, Task},
    },
    latent::{
        points::Points,
        search::{self, Candidate, NoProposals, Observation, Posterior, Search, Space, Strategy},
    },
};

/// Lowest loss told to a search for a point whose program is known not to solve the sum, in nats: in
/// the narrow valleys between regions the executor can promise a result that the program decoded there
/// doesn't give, and nothing better would be looked for. Over 100 sums and four models Bayesian
/// optimisation found 0.91 to 0.98 without it, 0.96 to 0.98 with 3, 0.97 to 1.00 with 4, 0.97 to 0.99
/// with 5.
const FALSE_CLAIM: f32 = 4.0;

/// A search, and how far it got.
pub struct SearchRun {
    /// The task.
    pub task: Arc<Task>,
    search: Box<dyn Search>,
    budget: usize,
    /// Evaluations used.
    pub spent: usize,
    /// Evaluations used when the task was solved.
    pub solved: Option<usize>,
    /// Evaluations whose results the model read as the task's although the program doesn't solve it.
    pub false_claims: usize,
}

impl SearchRun {
    /// Begins.
    ///
    /// # Errors
    /// If the strategy needs proposals and the space has none.
    pub fn new(
        task: Arc<Task>,
        strategy: Strategy,
        space: &Space,
        budget: usize,
        seed: u64,
    ) -> Result<Self, NoProposals> {
        Ok(Self {
            task,
            search: search::start(strategy, space, seed)?,
            budget,
            spent: 0,
            solved: None,
            false_claims: 0,
        })
    }

    /// The next point; None when the task is solved, the budget used up or the method at its end.
    pub fn ask(&mut self) -> Option<Candidate> {
        if self.solved.is_some() || self.spent >= self.budget {
            return None;
        }
        let candidate = self.search.ask()?;
        (self.spent + candidate.cost() <= self.budget).then_some(candidate)
    }

    /// Takes in what was found there.
    pub fn tell(&mut self, candidate: &Candidate, evaluation: &Evaluation) {
        self.spent += candidate.cost();
        let is_solved = evaluation.solves(&self.task);
        if is_solved {
            self.solved = Some(self.spent);
        } else if evaluation.claims(&self.task) {
            self.false_claims += 1;
        }
        let loss = match is_solved {
            true => evaluation.loss,
            false => evaluation.loss.max(FALSE_CLAIM),
        };
        let seen = Observation {
            loss,
            gradient: evaluation.gradient.clone(),
        };
        self.search.tell(&candidate.point, &seen);
    }

    /// Surrogate's posterior at points, if the search has one.
    pub fn posterior(&self, points: &Points) -> Option<Vec<Posterior>> {
        self.search.posterior(points)
    }

    /// Copy of the run in its current state.
    pub fn fork(&self) -> Self {
        Self {
            task: self.task.clone(),
            search: self.search.fork(),
            ..*self
        }
    }
}

/// The searched space as known before any sum: the same for all searches.
///
/// # Errors
/// If the device fails.
pub fn survey(executor: &ExecutorInference) -> Result<Space> {
    let language = executor.language();
    Ok(Space {
        dims: executor.config.dims,
        lines: 1,
        embeddings: executor.code_embeddings(language.codes())?.into(),
        allowed: vec![Arc::new((0..language.codes().count()).collect())],
        texts: Arc::new(language.codes().map(|code| language.spell(code)).collect()),
        ..Space::default()
    })
}

/// The spaces of tasks: how many lines, and what the model proposes for each.
///
/// # Errors
/// If the device fails.
pub fn spaces(
    executor: &ExecutorInference,
    base: &Space,
    tasks: &[Arc<Task>],
) -> Result<Vec<Space>> {
    let language = executor.language();
    // The programs that each operator allows are listed once for all tasks.
    let mut allowed: HashMap<Operator, Arc<Vec<usize>>> = HashMap::new();
    let mut allowed_by = |operator: &Operator| {
        let list = || {
            let codes = language.codes().enumerate();
            codes
                .filter(|(_, code)| operator.allows(*code))
                .map(|(index, _)| index)
        };
        allowed
            .entry(*operator)
            .or_insert_with(|| Arc::new(list().collect()))
            .clone()
    };
    let space = |task: &Arc<Task>| Space {
        lines: task.lines(),
        allowed: task.operators.iter().map(&mut allowed_by).collect(),
        ..base.clone()
    };
    let mut spaces: Vec<Space> = tasks.iter().map(space).collect();
    // Each line is proposed to lead one of as many even steps on the way of the first example, by addition.
    let additive = tasks.iter().filter(|task| task.may_add());
    let steps = additive.flat_map(|task| task.even_steps());
    if let Some(proposed) = executor.propose(&steps.collect::<Vec<_>>())? {
        // Decoded and encoded again, a proposal lies where the executor knows its program.
        let decoded = executor.decode(&proposed)?;
        let place = |(code, point): (Option<Code>, &[f32])| -> Vec<f32> {
            let row = code.and_then(|code| language.index_of(code));
            let known = row.and_then(|row| base.embeddings.iter().nth(row));
            known.unwrap_or(point).to_vec()
        };
        let mut lines = decoded.into_iter().zip(proposed.iter()).map(place);
        for (space, _) in spaces
            .iter_mut()
            .zip(tasks)
            .filter(|(_, task)| task.may_add())
        {
            space.initial_points = vec![lines.by_ref().take(space.lines).flatten().collect()];
        }
    }
    Ok(spaces)
}
