//! Posterior of a glyph's tokens under the reader and a language model: the marginals of a trigram chain over
//! the likeliest tokens of each cell, by the forward-backward algorithm (Rabiner 1989, Proceedings of the IEEE 77).

use crate::data::ngram::{NGram, START};

/// Tokens of a cell that are weighed: the reader's likeliest, and those the language model expects after its neighbour.
const READ: usize = 8;
const EXPECTED: usize = 6;
/// Exponent of the language model: the text decoder's posterior knows the neighbours already.
const STRENGTH: f64 = 0.6;
/// Least probability of a token that the reader doesn't weigh.
const FLOOR: f64 = 1e-6;

/// Tokens of largest marginal probability, and that probability, for cells whose `posteriors` [N, V] the reader gives.
pub fn marginals(posteriors: &[f32], vocabulary: usize, model: &NGram) -> Vec<(u32, f32)> {
    let cells: Vec<Vec<(u32, f64)>> = candidates(posteriors, vocabulary, model);
    if cells.is_empty() {
        return Vec::new();
    }
    // States are pairs of neighbouring candidates.
    let start = vec![(START, 1.0)];
    let at = |cell: isize| match usize::try_from(cell) {
        Ok(cell) => &cells[cell],
        Err(_) => &start,
    };
    let transition = |cell: usize, i: usize, j: usize, k: usize| {
        let [first, second] = [at(cell as isize - 2)[i].0, at(cell as isize - 1)[j].0];
        let (token, read) = cells[cell][k];
        model.probability([first, second], token).powf(STRENGTH) * read.max(FLOOR)
    };
    let mut weights: Vec<Vec<f64>> = Vec::new();
    let mut forward: Vec<Vec<f64>> = vec![vec![1.0]];
    for cell in 0..cells.len() {
        let counts = [cell as isize - 2, cell as isize - 1].map(|cell| at(cell).len());
        let (before, own) = (&forward[cell], cells[cell].len());
        let mut steps = Vec::with_capacity(counts[0] * counts[1] * own);
        let mut next = vec![0.0; counts[1] * own];
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                for k in 0..own {
                    let step = transition(cell, i, j, k);
                    next[j * own + k] += before[i * counts[1] + j] * step;
                    steps.push(step);
                }
            }
        }
        let sum: f64 = next.iter().sum();
        next.iter_mut()
            .for_each(|value| *value /= sum.max(f64::MIN_POSITIVE));
        weights.push(steps);
        forward.push(next);
    }
    let mut backward = vec![1.0; forward[cells.len()].len()];
    let mut found = vec![(0, 0.0); cells.len()];
    for cell in (0..cells.len()).rev() {
        let counts = [cell as isize - 2, cell as isize - 1].map(|cell| at(cell).len());
        let own = cells[cell].len();
        let mut shares = vec![0.0; own];
        let states = forward[cell + 1].iter().zip(&backward).enumerate();
        for (state, (forward, backward)) in states {
            shares[state % own] += forward * backward;
        }
        let all: f64 = shares.iter().sum();
        let best = (0..own).max_by(|a, b| shares[*a].total_cmp(&shares[*b]));
        let best = best.unwrap_or(0);
        let share = shares[best] / all.max(f64::MIN_POSITIVE);
        found[cell] = (cells[cell][best].0, share as f32);
        let mut before = vec![0.0; counts[0] * counts[1]];
        let mut steps = weights[cell].iter();
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                for (k, step) in (0..own).zip(&mut steps) {
                    before[i * counts[1] + j] += step * backward[j * own + k];
                }
            }
        }
        let sum: f64 = before.iter().sum();
        before
            .iter_mut()
            .for_each(|value| *value /= sum.max(f64::MIN_POSITIVE));
        backward = before;
    }
    found
}

/// Tokens of each cell that are weighed, with the reader's probability.
fn candidates(posteriors: &[f32], vocabulary: usize, model: &NGram) -> Vec<Vec<(u32, f64)>> {
    let mut cells: Vec<Vec<(u32, f64)>> = Vec::new();
    for row in posteriors.chunks(vocabulary) {
        let mut order: Vec<u32> = (0..vocabulary as u32).collect();
        let by_share = |a: &u32, b: &u32| row[*b as usize].total_cmp(&row[*a as usize]);
        order.select_nth_unstable_by(READ, by_share);
        order.truncate(READ);
        order.sort_by(by_share);
        // Where the reader is sure nothing else is weighed.
        if row[order[0] as usize] > 0.995 {
            order.truncate(1);
        } else {
            let before = cells.last().map_or(START, |cell| cell[0].0);
            for token in model.likeliest(&[before], EXPECTED) {
                if !order.contains(&token) {
                    order.push(token);
                }
            }
        }
        let weighed = order.into_iter();
        let weighed = weighed.map(|token| (token, f64::from(row[token as usize])));
        cells.push(weighed.collect());
    }
    cells
}
