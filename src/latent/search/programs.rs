//! The known programs as points to visit. A latent space is empty almost everywhere, the more so the more dimensions it
//! has: where the places of programs are known, the Bayesian methods visit those, each once, as a latent space search that
//! encodes what it decodes would (InvBO: Chu et al. 2024, arXiv 2411.05330).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::gp::distance;
use super::sampling::joint;
use super::{Space, to_f64};

/// Up to so many programs are all looked at; of more a draw of so many.
const ALL: usize = 1024;
const DRAWN: usize = 512;
/// Places nearest to a good program's that are tried in each of its lines, and as many anywhere.
const NEAREST: usize = 16;
/// Draws of a program that hasn't been visited before any will do.
const DRAWS: usize = 64;
/// Points nearer than this are one program.
const SAME: f64 = 1e-6;

/// Points of programs that may be visited next; those around the `elite` among them where there are too many for all.
/// None where no places are known.
pub(super) fn candidates(
    space: &Space,
    random: &mut ChaCha8Rng,
    elite: &[Vec<f64>],
) -> Option<Vec<Vec<f64>>> {
    let first = space
        .allowed
        .first()
        .filter(|allowed| !allowed.is_empty())?;
    if space.lines == 1 && first.len() <= ALL {
        let point = |index: &usize| to_f64(&joint(&space.embeddings, &[*index]));
        return Some(first.iter().map(point).collect());
    }
    let mut points: Vec<Vec<f64>> = (0..DRAWN).filter_map(|_| any(space, random)).collect();
    let embeddings: Vec<&[f32]> = space.embeddings.iter().collect();
    for point in elite {
        for (line, allowed) in space.allowed.iter().enumerate() {
            let part = line * space.dims..(line + 1) * space.dims;
            let from = super::to_f32(&point[part.clone()]);
            let away = |place: &[f32]| crate::latent::points::distance(place, &from);
            let all = allowed
                .iter()
                .map(|index| (away(embeddings[*index]), *index));
            let mut order: Vec<(f32, usize)> = all.collect();
            let nearest = NEAREST.min(order.len().saturating_sub(1));
            order.select_nth_unstable_by(nearest, |a, b| a.0.total_cmp(&b.0));
            let near = order[..=nearest].iter().map(|(_, index)| *index);
            let far = (0..NEAREST).map(|_| allowed[random.random_range(0..allowed.len())]);
            for index in near.chain(far).collect::<Vec<_>>() {
                let mut moved = point.clone();
                moved[part.clone()].copy_from_slice(&to_f64(&joint(&space.embeddings, &[index])));
                points.push(moved);
            }
        }
    }
    Some(points)
}

/// A program to begin with; None where no places are known.
pub(super) fn opener(
    space: &Space,
    random: &mut ChaCha8Rng,
    taken: &[Vec<f64>],
) -> Option<Vec<f64>> {
    for _ in 0..DRAWS {
        let program = any(space, random)?;
        if is_new(&program, taken) {
            return Some(program);
        }
    }
    any(space, random)
}

/// Whether a program has not been visited.
pub(super) fn is_new(point: &[f64], taken: &[Vec<f64>]) -> bool {
    taken.iter().all(|other| distance(other, point) > SAME)
}

fn any(space: &Space, random: &mut ChaCha8Rng) -> Option<Vec<f64>> {
    let tuple = space.tuple(random)?;
    Some(to_f64(&joint(&space.embeddings, &tuple)))
}
