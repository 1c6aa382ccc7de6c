//! Faithfulness of a projection: trustworthiness and continuity (Venna and Kaski 2001, "Neighborhood
//! preservation in nonlinear projection methods").
//!
//! With r(i, j) the rank of j among the points by distance from i, and k neighbours a point,
//!
//! ```text
//! trustworthiness = 1 - 2 / (n k (2n - 3k - 1)) * sum over i, and over j that are neighbours of i in
//!                   the projection but not in the space, of r(i, j) in the space - k
//! ```
//!
//! Continuity is the same with space and projection exchanged. False neighbours in the projection lower
//! trustworthiness; neighbours torn apart lower continuity.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::neighbours::{Neighbours, columns, neighbours, squared_from};
use crate::latent::points::Points;

/// Default number of neighbours per point.
pub const NEIGHBOURS: usize = 12;

/// Preservation of neighbourhoods, each score from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    /// Share of the projection's neighbours that are neighbours in the space.
    pub trustworthiness: f64,
    /// Share of the space's neighbours that are neighbours in the projection.
    pub continuity: f64,
}

/// Scores of a projection with `k` neighbours per point; ties are broken by index. `None` unless there are
/// as many places as points and `0 < k < n / 2`, where the scores are defined.
pub fn trust(points: &Points, places: &Points, k: usize) -> Option<Trust> {
    let n = points.len();
    if n != places.len() || k == 0 || 2 * k >= n {
        return None;
    }
    let mut on = || ControlFlow::Continue(());
    let in_space = neighbours(points, k, &mut on)?;
    let in_picture = neighbours(places, k, &mut on)?;
    Some(Trust {
        trustworthiness: preservation(points, &in_space, &in_picture),
        continuity: preservation(places, &in_picture, &in_space),
    })
}

/// Scores of a layout of consecutive values against their order: neighbours by |difference of values|
/// against neighbours by distance. Distant numbers placed close together lower trustworthiness, consecutive
/// numbers placed apart lower continuity.
pub fn trust_of_values(places: &Points, k: usize) -> Option<Trust> {
    let values = Points {
        dims: 1,
        values: (0..places.len()).map(|value| value as f32).collect(),
    };
    trust(&values, places, k)
}

/// One minus the normalised excess rank, in `space`, of the false ones among the `claimed` neighbours.
fn preservation(space: &Points, there: &Neighbours, claimed: &Neighbours) -> f64 {
    let (n, k, columns) = (space.len(), there.k, columns(space));
    let excess = |distances: &mut Vec<f32>, row: usize| -> f64 {
        let near = &there.index[row * k..][..k];
        let claimed = claimed.index[row * k..][..k].iter();
        let strangers: Vec<u32> = claimed
            .copied()
            .filter(|other| !near.contains(other))
            .collect();
        if !strangers.is_empty() {
            squared_from(&columns, row, distances);
        }
        let beyond_k = |other: u32| {
            let other = other as usize;
            let far = distances[other];
            let (before, after) = distances.split_at(other);
            let nearer = before.iter().filter(|d| **d <= far).count()
                + after.iter().filter(|d| **d < far).count();
            // The count includes the point itself but not the other, so it equals the rank, unless the
            // two coincide and the other comes first.
            let itself = usize::from(distances[row] < far || row < other);
            (nearer - itself + 1 - k) as f64
        };
        strangers.into_iter().map(beyond_k).sum()
    };
    // Summed in the points' order, for results independent of the number of threads.
    let rows: Vec<f64> = (0..n)
        .into_par_iter()
        .map_init(|| vec![0.0; n], excess)
        .collect();
    let (n, k) = (n as f64, k as f64);
    1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * rows.iter().sum::<f64>()
}
