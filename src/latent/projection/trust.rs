//! How far a projection can be believed: trustworthiness and continuity (Venna and Kaski 2001,
//! "Neighborhood preservation in nonlinear projection methods").
//!
//! With r(i, j) the rank of j among the points by distance from i, and k neighbours a point,
//!
//! ```text
//! trustworthiness = 1 - 2 / (n k (2n - 3k - 1)) * sum over i, and over j that are neighbours of i in
//!                   the projection but not in the space, of r(i, j) in the space - k
//! ```
//!
//! Continuity is the same with space and projection exchanged. Trustworthiness falls where the picture
//! shows neighbours that are none, continuity where it tears neighbours apart.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::neighbours::{Neighbours, columns, neighbours, squared_from};
use crate::latent::points::Points;

/// Neighbours a point where nothing else is said.
pub const NEIGHBOURS: usize = 12;

/// How well neighbours are kept, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    /// Whether neighbours in the picture are neighbours in the space.
    pub trustworthiness: f64,
    /// Whether neighbours in the space are neighbours in the picture.
    pub continuity: f64,
}

/// Measures a projection of points by `k` neighbours each. Equal distances count in the points' order.
/// `None` unless there are as many places as points and `0 < k < n / 2`, for which alone it is defined.
pub fn trust(points: &Points, places: &Points, k: usize) -> Option<Trust> {
    let n = points.len();
    if n != places.len() || k == 0 || 2 * k >= n {
        return None;
    }
    let mut on = || ControlFlow::Continue(());
    let in_space = neighbours(points, k, &mut on)?;
    let in_picture = neighbours(places, k, &mut on)?;
    Some(Trust {
        trustworthiness: kept(points, &in_space, &in_picture),
        continuity: kept(places, &in_picture, &in_space),
    })
}

/// Measures how the places of values that follow one another keep their order: neighbours by
/// |difference of value| against neighbours by distance. Trustworthiness falls where numbers far apart
/// lie together, continuity where following numbers lie apart.
pub fn trust_of_values(places: &Points, k: usize) -> Option<Trust> {
    let values = Points {
        dims: 1,
        values: (0..places.len()).map(|value| value as f32).collect(),
    };
    trust(&values, places, k)
}

/// One less the mean excess rank, in `space`, of neighbours that are none there.
fn kept(space: &Points, there: &Neighbours, claimed: &Neighbours) -> f64 {
    let (n, k, columns) = (space.len(), there.k, columns(space));
    let excess = |distances: &mut Vec<f32>, row: usize| -> f64 {
        let near = &there.index[row * k..][..k];
        let strangers = claimed.index[row * k..][..k]
            .iter()
            .filter(|other| !near.contains(other));
        let mut is_measured = false;
        strangers
            .map(|&other| {
                if !is_measured {
                    squared_from(&columns, row, distances);
                    is_measured = true;
                }
                let other = other as usize;
                let far = distances[other];
                let (before, after) = distances.split_at(other);
                let nearer = before.iter().filter(|d| **d <= far).count()
                    + after.iter().filter(|d| **d < far).count();
                // The point itself is among those nearer; the other is not: the rank as it is, unless
                // the two lie in one place and the other comes first.
                let itself = usize::from(distances[row] < far || row < other);
                (nearer - itself + 1 - k) as f64
            })
            .sum()
    };
    // Summed in the points' order, however many threads there are.
    let rows: Vec<f64> = (0..n)
        .into_par_iter()
        .map_init(|| vec![0.0; n], excess)
        .collect();
    let (n, k) = (n as f64, k as f64);
    1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * rows.iter().sum::<f64>()
}
