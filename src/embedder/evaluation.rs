//! Evaluation of embeddings: retrieval of other ways to write the same task.

use anyhow::Result;
use serde::Serialize;

use super::Embedder;
use crate::{
    data::python,
    training::{Evaluator, WorkView},
};

/// Thirty tasks, each written in four ways with names that tell nothing.
const TASKS: &str = include_str!("../../assets/tasks.py");
/// Mark at the beginning of a task.
const MARK: &str = "# task:";

/// The functions of the bundled tasks, each with the index of its task.
///
/// # Errors
/// If they are no Python.
pub fn tasks() -> Result<Vec<(usize, String)>> {
    let mut functions = Vec::new();
    for (task, source) in TASKS.split(MARK).skip(1).enumerate() {
        let found = python::functions(&format!("{MARK}{source}"))?;
        functions.extend(found.into_iter().map(|function| (task, function.source)));
    }
    Ok(functions)
}

/// Mean average precision at R (Musgrave et al. 2020, arXiv 2003.08505) of functions of these `tasks`, R being the others of the
/// same task, ranked by the `similarity` of two of them.
pub fn map_at_r(tasks: &[usize], similarity: impl Fn(usize, usize) -> f32) -> f64 {
    let precision = |own: usize| {
        let mut others: Vec<usize> = (0..tasks.len()).filter(|other| *other != own).collect();
        others.sort_by(|&a, &b| similarity(own, b).total_cmp(&similarity(own, a)));
        let is_same = |other: &&usize| tasks[**other] == tasks[own];
        let relevant = others.iter().filter(is_same).count();
        let (mut hits, mut sum) = (0.0, 0.0);
        for (rank, other) in others.iter().take(relevant).enumerate() {
            if is_same(&other) {
                hits += 1.0;
                sum += hits / (rank + 1) as f64;
            }
        }
        sum / relevant.max(1) as f64
    };
    (0..tasks.len()).map(precision).sum::<f64>() / tasks.len().max(1) as f64
}

/// The figures.
#[derive(Clone, Debug, Serialize)]
pub struct EmbedderReport {
    /// Steps trained.
    pub steps: u64,
    /// Mean average precision at R of other ways to write the bundled tasks.
    pub rewrites_found: f64,
}

/// An evaluation, in one slice.
pub struct EmbedderEvaluator(pub(super) std::sync::Arc<Embedder>);

impl Evaluator for EmbedderEvaluator {
    type Report = EmbedderReport;

    fn advance(&mut self, _: &str) -> Result<Option<EmbedderReport>> {
        let (tasks, texts): (Vec<usize>, Vec<String>) = tasks()?.into_iter().unzip();
        let embeddings: Vec<_> = texts.iter().map(|text| self.0.embed(text)).collect();
        Ok(Some(EmbedderReport {
            steps: self.0.progress.step,
            rewrites_found: map_at_r(&tasks, |a, b| embeddings[a].cosine(&embeddings[b])),
        }))
    }

    fn progress(&self) -> WorkView {
        WorkView {
            what: "judging".into(),
            done: 0.0,
        }
    }
}
