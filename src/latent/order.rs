//! Scores of how well embeddings are ordered by value and how evenly they fill the plane.

use super::points::{Points, distance};

/// Order of the embeddings of consecutive values (n at index i, n + 1 at i + 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderScores {
    /// Median distance of consecutive values, as a share of the box's diagonal.
    pub adjacent_median: f64,
    /// 95th percentile of that distance.
    pub adjacent_p95: f64,
    /// Spearman's rank correlation between |difference of values| and distance, over all pairs.
    pub spearman: f64,
}

/// Order scores of embeddings in the box (-1, 1)^Z.
pub fn order(places: &Points) -> OrderScores {
    let points: Vec<&[f32]> = places.iter().collect();
    let diagonal = 2.0 * (places.dims as f64).sqrt();
    let share = |pair: &[&[f32]]| f64::from(distance(pair[0], pair[1])) / diagonal;
    let mut adjacent: Vec<f64> = points.windows(2).map(share).collect();
    adjacent.sort_by(f64::total_cmp);
    let (mut apart, mut far) = (Vec::new(), Vec::new());
    for i in 0..points.len() {
        for j in i + 1..points.len() {
            apart.push((j - i) as f64);
            far.push(f64::from(distance(points[i], points[j])));
        }
    }
    OrderScores {
        adjacent_median: quantile(&adjacent, 0.5),
        adjacent_p95: quantile(&adjacent, 0.95),
        spearman: spearman(&apart, &far),
    }
}

/// Quantile `q` (0 to 1) of values in ascending order, interpolated linearly; NaN if there are none.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = q * last as f64;
    let (low, share) = (at.floor() as usize, at.fract());
    sorted[low] + (sorted[(low + 1).min(last)] - sorted[low]) * share
}

/// Spearman's rank correlation of paired samples.
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    pearson(&ranks(x), &ranks(y))
}

/// Ranks from 0; ties share their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut by_value: Vec<usize> = (0..values.len()).collect();
    by_value.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for tied in by_value.chunk_by(|a, b| values[*a] == values[*b]) {
        for index in tied {
            ranks[*index] = from as f64 + (tied.len() - 1) as f64 / 2.0;
        }
        from += tied.len();
    }
    ranks
}

fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += (x - mx) * (y - my);
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
    }
    xy / (xx * yy).sqrt()
}

/// Side of the largest axis-parallel square without an embedding, as a share of the plane's side, on a grid
/// of 512 x 512 cells.
pub fn largest_empty_square(places: &Points) -> f64 {
    const SIZE: usize = 512;
    let mut taken = vec![false; SIZE * SIZE];
    let cell = |v: f32| (((v + 1.0) / 2.0 * SIZE as f32) as usize).min(SIZE - 1);
    for place in places.iter() {
        taken[cell(place[1]) * SIZE + cell(place[0])] = true;
    }
    // Side of the largest empty square whose upper right cell is (x, y).
    let mut side = vec![0_u16; SIZE * SIZE];
    let mut largest = 0;
    for y in 0..SIZE {
        for x in 0..SIZE {
            let at = y * SIZE + x;
            if taken[at] {
                continue;
            }
            side[at] = 1;
            if x > 0 && y > 0 {
                side[at] += side[at - 1].min(side[at - SIZE]).min(side[at - SIZE - 1]);
            }
            largest = largest.max(side[at]);
        }
    }
    f64::from(largest) / SIZE as f64
}
