//! Repulsive forces of t-SNE by the Barnes-Hut approximation (van der Maaten 2014): a distant group of
//! points counts as one point at its centre of mass.
//!
//! Points are sorted along a Morton curve, so every tree cell is a contiguous range. Nodes lie in one
//! vector in depth-first order, each with the index of the next node past its subtree.

use std::ops::Range;

use rayon::prelude::*;

/// Barnes-Hut opening angle: a cell counts as one point if side / distance is below it. openTSNE and
/// scikit-learn use the same value.
const THETA: f32 = 0.5;
/// Largest number of points in a leaf.
const MAX_LEAF_POINTS: usize = 8;
/// Bits per coordinate of the Morton code.
const MORTON_BITS: u32 = 16;
/// Number of points up to which all pairs are faster than the tree.
const MAX_ALL_PAIRS: usize = 512;
/// Points per rayon task.
const POINTS_PER_TASK: usize = 256;

struct Node {
    at: [f32; 2],
    weight: f32,
    /// Squared distance beyond which the cell counts as one point.
    opening_squared: f32,
    /// Index of the next node past this subtree.
    next_past: usize,
    /// Points of a leaf; empty for an inner node.
    points: Range<usize>,
}

/// Repulsive forces before normalisation: for each point the sum over all others of `q^2 (y_i - y_j)` with
/// `q = 1 / (1 + |y_i - y_j|^2)`, and the sum of all `q`.
#[derive(Default)]
pub struct Repulsion {
    /// One force per point.
    pub forces: Vec<[f32; 2]>,
    /// Normaliser: the sum of all `q`.
    pub total: f64,
    /// Morton codes and indices of the points, in Morton order, and the points in that order.
    keys: Vec<(u32, u32)>,
    sorted: Vec<[f32; 2]>,
    nodes: Vec<Node>,
}

impl Repulsion {
    /// Replaces the forces by those of a layout, which depend on nothing else.
    pub fn measure(&mut self, places: &[[f32; 2]]) {
        self.forces.resize(places.len(), [0.0; 2]);
        let found: Vec<[f32; 3]> = if places.len() <= MAX_ALL_PAIRS {
            self.keys = (0..places.len() as u32).map(|index| (0, index)).collect();
            places.iter().map(|at| direct_sum(places, *at)).collect()
        } else {
            self.build_tree(places);
            let points = self.sorted.par_iter().with_min_len(POINTS_PER_TASK);
            points.map(|at| self.force_at(*at)).collect()
        };
        self.total = 0.0;
        for ((_, point), [x, y, q]) in self.keys.iter().zip(found) {
            self.forces[*point as usize] = [x, y];
            // Each sum includes the point's own q of 1.
            self.total += f64::from(q) - 1.0;
        }
    }

    fn build_tree(&mut self, places: &[[f32; 2]]) {
        let [low, high] = bounds(places.iter().map(<[f32; 2]>::as_slice));
        let extent = (high[0] - low[0]).max(high[1] - low[1]);
        let side = extent.max(f32::MIN_POSITIVE);
        let cells = (1_u32 << MORTON_BITS) as f32;
        let key = |place: &[f32; 2]| {
            let [x, y] = [0, 1].map(|axis| {
                let along = (place[axis] - low[axis]) / side * cells;
                interleave_zeros(along.clamp(0.0, cells - 1.0) as u32)
            });
            x | y << 1
        };
        self.keys.clear();
        self.keys.extend(places.iter().map(key).zip(0..));
        self.keys.sort_unstable();
        self.sorted.clear();
        let points = self.keys.iter().map(|(_, index)| places[*index as usize]);
        self.sorted.extend(points);
        self.nodes.clear();
        self.push_subtree(0..places.len(), side, MORTON_BITS);
    }

    /// Appends the subtree of a range of points, `level` halvings above the finest, and returns its weighted
    /// centre.
    fn push_subtree(&mut self, range: Range<usize>, side: f32, level: u32) -> [f32; 2] {
        let here = self.nodes.len();
        let weight = range.len() as f32;
        let is_leaf = range.len() <= MAX_LEAF_POINTS || level == 0;
        self.nodes.push(Node {
            at: [0.0; 2],
            weight,
            opening_squared: (side / THETA) * (side / THETA),
            next_past: 0,
            points: if is_leaf { range.clone() } else { 0..0 },
        });
        let mut sum = [0.0; 2];
        if is_leaf {
            for point in &self.sorted[range] {
                sum[0] += point[0];
                sum[1] += point[1];
            }
        } else {
            let shift = 2 * (level - 1);
            let mut from = range.start;
            for quarter in 0..4 {
                let rest = &self.keys[from..range.end];
                let to = from + rest.partition_point(|(key, _)| key >> shift & 3 <= quarter);
                if to > from {
                    let part = self.push_subtree(from..to, side / 2.0, level - 1);
                    sum[0] += part[0];
                    sum[1] += part[1];
                }
                from = to;
            }
        }
        let at = sum.map(|sum| sum / weight);
        let next_past = self.nodes.len();
        let node = &mut self.nodes[here];
        (node.at, node.next_past) = (at, next_past);
        at.map(|at| at * weight)
    }

    /// Force on a point and its sum of q, including its own 1.
    fn force_at(&self, at: [f32; 2]) -> [f32; 3] {
        let mut found = [0.0; 3];
        let mut next = 0;
        while let Some(node) = self.nodes.get(next) {
            let [x, y] = [at[0] - node.at[0], at[1] - node.at[1]];
            let squared = x * x + y * y;
            next = if squared > node.opening_squared {
                let q = 1.0 / (1.0 + squared);
                let force = node.weight * q * q;
                found[0] += force * x;
                found[1] += force * y;
                found[2] += node.weight * q;
                node.next_past
            } else if !node.points.is_empty() {
                let near = direct_sum(&self.sorted[node.points.clone()], at);
                found = [0, 1, 2].map(|part| found[part] + near[part]);
                node.next_past
            } else {
                next + 1
            };
        }
        found
    }
}

/// Lowest and highest coordinates of points of the plane.
pub fn bounds<'a>(places: impl Iterator<Item = &'a [f32]>) -> [[f32; 2]; 2] {
    let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for place in places {
        for axis in 0..2 {
            low[axis] = low[axis].min(place[axis]);
            high[axis] = high[axis].max(place[axis]);
        }
    }
    [low, high]
}

/// Force on a point and its sum of q by direct summation.
fn direct_sum(points: &[[f32; 2]], at: [f32; 2]) -> [f32; 3] {
    let mut found = [0.0; 3];
    for point in points {
        let [x, y] = [at[0] - point[0], at[1] - point[1]];
        let q = 1.0 / (1.0 + x * x + y * y);
        found[0] += q * q * x;
        found[1] += q * q * y;
        found[2] += q;
    }
    found
}

/// Interleaves the lower 16 bits with zeros.
fn interleave_zeros(value: u32) -> u32 {
    [
        (8, 0x00ff_00ff),
        (4, 0x0f0f_0f0f),
        (2, 0x3333_3333),
        (1, 0x5555_5555),
    ]
    .into_iter()
    .fold(value, |bits, (shift, mask)| (bits | bits << shift) & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_agrees_with_all_pairs() {
        let place = |i: i32| {
            let (turn, radius) = (i as f32 * 0.7, (i % 97) as f32 * 0.3);
            let group = (i % 5) as f32 * 20.0;
            [radius * turn.cos(), radius * turn.sin() + group]
        };
        let places: Vec<[f32; 2]> = (0..3000).map(place).collect();
        let mut tree = Repulsion::default();
        tree.measure(&places);
        let (mut total, mut wrong, mut all) = (0.0, 0.0, 0.0);
        for (at, force) in places.iter().zip(&tree.forces) {
            let [x, y, q] = direct_sum(&places, *at);
            total += f64::from(q) - 1.0;
            wrong += f64::from((x - force[0]).powi(2) + (y - force[1]).powi(2));
            all += f64::from(x * x + y * y);
        }
        let (off, share) = (tree.total / total - 1.0, (wrong / all).sqrt());
        assert!(off.abs() < 0.01 && share < 0.03, "{off} {share}");
    }
}
