//! Exact k-nearest-neighbour search by comparison of all pairs: at the usual perplexities a tree would visit
//! most points anyway.

use std::ops::ControlFlow;

use rayon::prelude::*;

use crate::latent::points::Points;

/// Points compared with all others between two checks for cancellation.
const CHUNK: usize = 1024;

/// `k` nearest neighbours of each point, nearest first, with their squared distances.
pub struct Neighbours {
    /// Number of neighbours per point.
    pub k: usize,
    /// Indices of the neighbours, N x k.
    pub index: Vec<u32>,
    /// Squared distances of the neighbours, N x k.
    pub squared: Vec<f32>,
}

/// The `k` nearest neighbours of each point, for `k` below the number of points; ties are broken by index.
/// `None` once `go_on` breaks off.
pub fn neighbours(
    points: &Points,
    k: usize,
    go_on: &mut dyn FnMut() -> ControlFlow<()>,
) -> Option<Neighbours> {
    let (n, columns) = (points.len(), columns(points));
    let (mut index, mut squared) = (vec![0; n * k], vec![0.0; n * k]);
    if k == 0 {
        return Some(Neighbours { k, index, squared });
    }
    let chunks = index.chunks_mut(CHUNK * k);
    let chunks = chunks.zip(squared.chunks_mut(CHUNK * k));
    for (chunk, (index, squared)) in chunks.enumerate() {
        if go_on().is_break() {
            return None;
        }
        index
            .par_chunks_mut(k)
            .zip(squared.par_chunks_mut(k))
            .enumerate()
            .for_each_init(
                || (vec![0.0; n], Vec::with_capacity(n)),
                |(distances, near), (row, (index, squared))| {
                    let row = chunk * CHUNK + row;
                    squared_from(&columns, row, distances);
                    near.clear();
                    near.extend((0..n as u32).filter(|other| *other as usize != row));
                    let order = |a: &u32, b: &u32| {
                        let [da, db] = [a, b].map(|at| distances[*at as usize]);
                        da.total_cmp(&db).then(a.cmp(b))
                    };
                    near.select_nth_unstable_by(k - 1, order);
                    near[..k].sort_unstable_by(order);
                    for (at, other) in near[..k].iter().enumerate() {
                        index[at] = *other;
                        squared[at] = distances[*other as usize];
                    }
                },
            );
    }
    Some(Neighbours { k, index, squared })
}

/// Values by dimension (structure of arrays), so that distances to all points vectorise.
pub fn columns(points: &Points) -> Vec<Vec<f32>> {
    let column = |axis| points.iter().map(|point| point[axis]).collect();
    (0..points.dims).map(column).collect()
}

/// Squared distances from one point to all.
pub fn squared_from(columns: &[Vec<f32>], row: usize, distances: &mut [f32]) {
    distances.fill(0.0);
    for column in columns {
        let from = column[row];
        for (distance, value) in distances.iter_mut().zip(column) {
            *distance += (value - from) * (value - from);
        }
    }
}
