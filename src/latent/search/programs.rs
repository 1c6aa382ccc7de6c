//! Known programs as candidates. A latent space is empty almost everywhere, the more so the more dimensions
//! it has: where embeddings of programs are known, the Bayesian methods visit these, each once, as a latent
//! space search that re-encodes its decoded candidates would (InvBO: Chu et al. 2024, arXiv 2411.05330).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::gp::distance;
use super::space::{Space, to_f32, to_f64};
use crate::latent::points;

/// Random programs in an initial design.
pub(super) const INITIAL: usize = 8;
/// Number of programs up to which all are candidates; of more, a random sample.
const MAX_PROGRAMS: usize = 1024;
const SAMPLED_PROGRAMS: usize = 512;
/// Nearest embeddings tried in each line of a good program, and random ones besides.
const NEAREST: usize = 16;
/// Draws of an unvisited program before a visited one is accepted.
const MAX_DRAWS: usize = 64;
/// Distance below which two points are the same program.
const SAME_POINT: f64 = 1e-6;

/// Candidate programs for the next visit: all of them, or a sample and neighbours of the `elite`. `None` if
/// no embeddings are known.
pub(super) fn candidates(
    space: &Space,
    random: &mut ChaCha8Rng,
    elite: &[Vec<f64>],
) -> Option<Vec<Vec<f64>>> {
    let first = space.allowed.first()?;
    if first.is_empty() {
        return None;
    }
    let embedding = |index: usize| to_f64(&space.point_of(&[index]));
    if space.lines == 1 && first.len() <= MAX_PROGRAMS {
        return Some(first.iter().copied().map(embedding).collect());
    }
    let sample = (0..SAMPLED_PROGRAMS).filter_map(|_| random_embedding(space, random));
    let mut found: Vec<Vec<f64>> = sample.collect();
    let embeddings: Vec<&[f32]> = space.embeddings.iter().collect();
    for point in elite {
        for (line, allowed) in space.allowed.iter().enumerate() {
            let part = line * space.dims..(line + 1) * space.dims;
            let from = to_f32(&point[part.clone()]);
            let away = |&index: &usize| (points::distance(embeddings[index], &from), index);
            let mut order: Vec<(f32, usize)> = allowed.iter().map(away).collect();
            let nearest = NEAREST.min(order.len().saturating_sub(1));
            order.select_nth_unstable_by(nearest, |a, b| a.0.total_cmp(&b.0));
            let near = order[..=nearest].iter().map(|(_, index)| *index);
            let far = (0..NEAREST).map(|_| allowed[random.random_range(0..allowed.len())]);
            for index in near.chain(far).collect::<Vec<_>>() {
                let mut moved = point.clone();
                moved[part.clone()].copy_from_slice(&embedding(index));
                found.push(moved);
            }
        }
    }
    Some(found)
}

/// Random unvisited program for an initial design; `None` if no embeddings are known.
pub(super) fn unvisited(
    space: &Space,
    random: &mut ChaCha8Rng,
    visited: &[Vec<f64>],
) -> Option<Vec<f64>> {
    for _ in 0..MAX_DRAWS {
        let program = random_embedding(space, random)?;
        if is_new(&program, visited) {
            return Some(program);
        }
    }
    random_embedding(space, random)
}

/// True if the program has not been visited.
pub(super) fn is_new(point: &[f64], visited: &[Vec<f64>]) -> bool {
    let mut distances = visited.iter().map(|other| distance(other, point));
    distances.all(|distance| distance > SAME_POINT)
}

fn random_embedding(space: &Space, random: &mut ChaCha8Rng) -> Option<Vec<f64>> {
    let tuple = space.random_program(random)?;
    Some(to_f64(&space.point_of(&tuple)))
}
