//! Retrieval of other ways to write the same task, by embeddings and by tf-idf, the sceptic's baseline.

use anyhow::Result;

use crate::{
    data::python,
    glyphs::{inference::GlyphReader, similarity::TfIdf},
    latent::points::distance,
};

/// Thirty tasks, each written in four ways with names that tell nothing.
const TASKS: &str = include_str!("../../../assets/tasks.py");
/// Mark at the beginning of a task.
const MARK: &str = "# task:";

/// Mean average precision at R (Musgrave et al. 2020, arXiv 2003.08505) of the functions of [`TASKS`], R being the other ways
/// to write the same task: by the embeddings read from their glyphs, and by tf-idf of their tokens.
pub fn rewrites_found(reader: &GlyphReader) -> Result<[f64; 2]> {
    let mut texts = Vec::new();
    let mut tasks = Vec::new();
    for (task, source) in TASKS.split(MARK).skip(1).enumerate() {
        for function in python::functions(&format!("{MARK}{source}"))? {
            texts.push(function.source);
            tasks.push(task);
        }
    }
    let rows: Vec<Vec<u32>> = texts.iter().map(|text| reader.bpe.encode(text)).collect();
    let fits: Vec<usize> = (0..rows.len())
        .filter(|i| rows[*i].len() <= reader.config.max_tokens)
        .collect();
    let tasks: Vec<usize> = fits.iter().map(|i| tasks[*i]).collect();
    let rows: Vec<Vec<u32>> = fits.iter().map(|i| rows[*i].clone()).collect();
    let embeddings = reader.embeddings(&reader.glyphs(&rows)?)?;
    let tf_idf = TfIdf::new(fits.iter().map(|i| texts[*i].as_str()));
    let vectors: Vec<_> = fits.iter().map(|i| tf_idf.vector(&texts[*i])).collect();
    Ok([
        map_at_r(&tasks, |a, b| distance(&embeddings[a], &embeddings[b])),
        map_at_r(&tasks, |a, b| vectors[a].token_distance(&vectors[b])),
    ])
}

fn map_at_r(tasks: &[usize], distance: impl Fn(usize, usize) -> f32) -> f64 {
    let precision = |own: usize| {
        let mut others: Vec<usize> = (0..tasks.len()).filter(|other| *other != own).collect();
        others.sort_by(|&a, &b| distance(own, a).total_cmp(&distance(own, b)));
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
