//! Repulsive forces of t-SNE by the Barnes-Hut approximation (van der Maaten 2014): a distant group of
//! points counts as one point at its centre of mass.
//!
//! Points are sorted along a Morton curve, so every tree cell is a contiguous range. Nodes lie in one
//! vector in depth-first order, each with the index of the next node past its subtree.

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
    next_past: u32,
    /// Range of the points in a leaf: from .. to.
    from: u32,
    to: u32,
}

/// Repulsive forces before normalisation: for each point the sum over all others of `q^2 (y_i - y_j)` with
/// `q = 1 / (1 + |y_i - y_j|^2)`, and the sum of all `q`.
#[derive(Default)]
pub struct Repulsion {
    /// One force per point.
    pub forces: Vec<[f32; 2]>,
    /// Normaliser: the sum of all `q`.
    pub total: f64,
    keys: Vec<(u32, u32)>,
    sorted: Vec<[f32; 2]>,
    nodes: Vec<Node>,
    /// Force and sum of q per point, in Morton order.
    found: Vec<[f32; 3]>,
}

impl Repulsion {
    /// Computes the forces of a layout; the result depends on nothing else.
    pub fn measure(&mut self, places: &[[f32; 2]]) {
        self.forces.resize(places.len(), [0.0; 2]);
        if places.len() <= MAX_ALL_PAIRS {
            self.total = 0.0;
            for (force, at) in self.forces.iter_mut().zip(places) {
                let [x, y, q] = direct_sum(places, *at);
                *force = [x, y];
                self.total += f64::from(q) - 1.0;
            }
            return;
        }
        self.build_tree(places);
        self.found.resize(places.len(), [0.0; 3]);
        let (nodes, sorted) = (&self.nodes, &self.sorted);
        self.found
            .par_chunks_mut(POINTS_PER_TASK)
            .zip(sorted.par_chunks(POINTS_PER_TASK))
            .for_each(|(found, points)| {
                for (found, at) in found.iter_mut().zip(points) {
                    *found = force_at(nodes, sorted, *at);
                }
            });
        self.total = 0.0;
        for ((_, point), [x, y, q]) in self.keys.iter().zip(&self.found) {
            self.forces[*point as usize] = [*x, *y];
            // Each sum includes the point's own q of 1.
            self.total += f64::from(*q) - 1.0;
        }
    }

    fn build_tree(&mut self, places: &[[f32; 2]]) {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for place in places {
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        let side = (high[0] - low[0])
            .max(high[1] - low[1])
            .max(f32::MIN_POSITIVE);
        let cells = (1_u32 << MORTON_BITS) as f32;
        let along =
            |value: f32, low: f32| ((value - low) / side * cells).clamp(0.0, cells - 1.0) as u32;
        self.keys.clear();
        self.keys.extend((0..).zip(places).map(|(index, [x, y])| {
            let key =
                interleave_zeros(along(*x, low[0])) | interleave_zeros(along(*y, low[1])) << 1;
            (key, index)
        }));
        self.keys.sort_unstable();
        self.sorted.clear();
        let points = self.keys.iter().map(|(_, index)| places[*index as usize]);
        self.sorted.extend(points);
        self.nodes.clear();
        let all = 0..self.sorted.len();
        push_subtree(
            &mut self.nodes,
            &self.keys,
            &self.sorted,
            all,
            side,
            MORTON_BITS,
        );
    }
}

/// Appends the subtree of a range of points, `level` halvings above the finest.
fn push_subtree(
    nodes: &mut Vec<Node>,
    keys: &[(u32, u32)],
    sorted: &[[f32; 2]],
    range: std::ops::Range<usize>,
    side: f32,
    level: u32,
) {
    let here = nodes.len();
    let is_leaf = range.len() <= MAX_LEAF_POINTS || level == 0;
    let (from, to) = if is_leaf {
        (range.start as u32, range.end as u32)
    } else {
        (0, 0)
    };
    nodes.push(Node {
        at: [0.0; 2],
        weight: range.len() as f32,
        opening_squared: (side / THETA) * (side / THETA),
        next_past: 0,
        from,
        to,
    });
    let mut sum = [0.0; 2];
    if is_leaf {
        for point in &sorted[range.clone()] {
            sum[0] += point[0];
            sum[1] += point[1];
        }
    } else {
        let shift = 2 * (level - 1);
        let mut from = range.start;
        for quarter in 0..4 {
            let rest = &keys[from..range.end];
            let to = from + rest.partition_point(|(key, _)| key >> shift & 3 <= quarter);
            if to > from {
                let child = nodes.len();
                push_subtree(nodes, keys, sorted, from..to, side / 2.0, level - 1);
                let Node { at, weight, .. } = nodes[child];
                sum[0] += at[0] * weight;
                sum[1] += at[1] * weight;
            }
            from = to;
        }
    }
    let next_past = nodes.len() as u32;
    let node = &mut nodes[here];
    node.at = sum.map(|sum| sum / node.weight);
    node.next_past = next_past;
}

/// Force on a point and its sum of q, including its own 1.
fn force_at(nodes: &[Node], sorted: &[[f32; 2]], at: [f32; 2]) -> [f32; 3] {
    let mut found = [0.0; 3];
    let mut next = 0;
    while let Some(node) = nodes.get(next) {
        let [x, y] = [at[0] - node.at[0], at[1] - node.at[1]];
        let squared = x * x + y * y;
        if squared > node.opening_squared {
            let q = 1.0 / (1.0 + squared);
            let force = node.weight * q * q;
            found[0] += force * x;
            found[1] += force * y;
            found[2] += node.weight * q;
            next = node.next_past as usize;
        } else if node.to > node.from {
            let near = direct_sum(&sorted[node.from as usize..node.to as usize], at);
            for (found, near) in found.iter_mut().zip(near) {
                *found += near;
            }
            next = node.next_past as usize;
        } else {
            next += 1;
        }
    }
    found
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
        let places: Vec<[f32; 2]> = (0..3000)
            .map(|i| {
                let turn = i as f32 * 0.7;
                let radius = (i % 97) as f32 * 0.3;
                [
                    radius * turn.cos(),
                    radius * turn.sin() + (i % 5) as f32 * 20.0,
                ]
            })
            .collect();
        let mut tree = Repulsion::default();
        tree.measure(&places);
        let (mut total, mut wrong, mut all) = (0.0, 0.0, 0.0);
        for (at, force) in places.iter().zip(&tree.forces) {
            let [x, y, q] = direct_sum(&places, *at);
            total += f64::from(q) - 1.0;
            wrong += f64::from((x - force[0]).powi(2) + (y - force[1]).powi(2));
            all += f64::from(x * x + y * y);
        }
        assert!(
            (tree.total / total - 1.0).abs() < 0.01,
            "{} is not {total}",
            tree.total
        );
        assert!((wrong / all).sqrt() < 0.03, "{}", (wrong / all).sqrt());
    }

    #[test]
    fn points_in_one_place_make_no_endless_tree() {
        let mut tree = Repulsion::default();
        tree.measure(&[[0.25, -0.5]; 600]);
        assert!(tree.forces.iter().all(|force| *force == [0.0; 2]));
        assert!((tree.total - 600.0 * 599.0).abs() < 1.0);
    }
}
