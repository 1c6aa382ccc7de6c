//! Glyphs located by their dark border: four lines, each found along the whole side, so that neither noise nor a finger hides
//! it.

use super::{networks::mosaic::BORDER_WIDTH, photo::Photo};
use crate::nn::distortions::{CORNERS, Homography};

/// Part of a view that the glyph fills, in half sides: the rest shows its surroundings.
const FILLED: f64 = 0.75;
/// Pixels a side of the view.
const VIEW: usize = 160;
/// Width of the border in pixels of the view.
const BORDER: f64 = BORDER_WIDTH as f64 * VIEW as f64 * FILLED;
/// Width of the strip inside the border that is compared with it, in pixels of the view.
const INSIDE: f64 = 2.5 * BORDER;
/// Distances of the border from where it is expected, at most: in pixels of the view, in each round.
const REACH: [i32; 2] = [18, 6];
/// Slopes of the border: this many either way, each a pixel more over the length of half a side.
const SLOPES: [i32; 2] = [10, 4];
/// Samples along a side.
const SAMPLES: usize = 40;
/// Share of a side that must be in the photo.
const LEAST_SEEN: f64 = 0.3;

/// Map from the upright view to the photo, its sides moved to the dark border near them; `None` where there is none.
pub fn snapped(photo: &Photo, map: &Homography) -> Option<Homography> {
    let mut map = *map;
    for (reach, slopes) in REACH.into_iter().zip(SLOPES) {
        map = snapped_once(photo, &map, reach, slopes)?;
    }
    Some(map)
}

fn snapped_once(photo: &Photo, map: &Homography, reach: i32, slopes: i32) -> Option<Homography> {
    let around = CORNERS.map(|corner| map.map(corner.map(|x| x / FILLED)));
    let around = Homography::rectify_corners(around)?;
    let view = Brightness::new(photo, &around);
    let mut seen = 0;
    // Distance and slope of the top, right, bottom and left side, each as if it were the top one.
    let sides = [0, 1, 2, 3].map(|turn| {
        let found = view.side(turn, reach, slopes);
        seen += usize::from(found.is_some());
        found.unwrap_or([0.0, 0.0])
    });
    if seen < 2 {
        return None;
    }
    let corners = [0, 1, 2, 3].map(|nth| {
        // Corner `nth` lies between the side before it and its own.
        let [before, own] = [sides[(nth + 3) % 4], sides[nth]];
        // In the own side's frame: y = own(x), x = -before(-y), from the middle.
        let half = VIEW as f64 / 2.0;
        let edge = half * FILLED;
        let (mut x, mut y) = (-edge, -edge);
        for _ in 0..4 {
            y = -edge + own[0] + own[1] * x / edge;
            x = -edge + before[0] - before[1] * y / edge;
        }
        turned([x / half, y / half], nth)
    });
    Homography::rectify_corners(corners.map(|corner| around.map(corner)))
}

/// A point turned by quarters about the middle, clockwise.
fn turned([x, y]: [f64; 2], quarters: usize) -> [f64; 2] {
    match quarters {
        0 => [x, y],
        1 => [-y, x],
        2 => [-x, -y],
        _ => [y, -x],
    }
}

/// Brightness of a view, NaN beyond the photo.
struct Brightness(Vec<f32>);

impl Brightness {
    fn new(photo: &Photo, map: &Homography) -> Self {
        let view = photo.view(map, VIEW);
        let place = |at: usize| (at as f64 + 0.5) * 2.0 / VIEW as f64 - 1.0;
        let values = view.pixels().enumerate().map(|(at, pixel)| {
            let place = map.map([place(at % VIEW), place(at / VIEW)]);
            match place.iter().any(|x| x.abs() > 1.0) {
                true => f32::NAN,
                false => pixel.0.iter().map(|value| f32::from(*value)).sum::<f32>() / 765.0,
            }
        });
        Self(values.collect())
    }

    /// Distance from the expected place, in pixels inwards, and slope of a side's outer edge.
    fn side(&self, turn: usize, reach: i32, slopes: i32) -> Option<[f64; 2]> {
        let edge = VIEW as f64 / 2.0 * FILLED;
        // Sums of brightness inwards along lines across the side, and how much of them is seen.
        let first = edge + f64::from(reach + slopes) + INSIDE;
        let steps = 2 * (reach + slopes) as usize + (BORDER + 2.0 * INSIDE).ceil() as usize + 2;
        let lines: Vec<(f64, Vec<[f32; 2]>)> = (0..SAMPLES)
            .map(|nth| {
                let along = ((nth as f64 + 0.5) / SAMPLES as f64 * 2.0 - 1.0) * 0.92 * edge;
                let mut sum = [0.0, 0.0];
                let sums = (0..steps).map(|step| {
                    let before = sum;
                    let value = self.at(turned([along, -(first - step as f64)], turn));
                    if !value.is_nan() {
                        sum = [sum[0] + value, sum[1] + 1.0];
                    }
                    before
                });
                (along / edge, sums.collect())
            })
            .collect();
        // Mean of what is seen between two places; NaN if that is less than half.
        let mean = |sums: &[[f32; 2]], from: f64, to: f64| {
            let [from, to] = [from, to].map(|at| (at.round() as usize).min(sums.len() - 1));
            let [sum, count] = [0, 1].map(|which| sums[to][which] - sums[from][which]);
            match 2.0 * count >= (to - from).max(1) as f32 {
                true => sum / count,
                false => f32::NAN,
            }
        };
        let mut best = (f32::NEG_INFINITY, [0.0; 2]);
        for slope in -slopes..=slopes {
            for distance in -reach..=reach {
                let (mut score, mut seen) = (0.0, 0);
                for (along, sums) in &lines {
                    let at = f64::from(distance) + f64::from(slope) * along;
                    let at = at + first - edge;
                    let border = mean(sums, at, at + BORDER);
                    let inside = mean(sums, at + BORDER, at + BORDER + INSIDE);
                    let outside = mean(sums, (at - INSIDE).max(0.0), at);
                    let contrast = inside - border;
                    if contrast.is_nan() {
                        continue;
                    }
                    seen += 1;
                    let beside = outside - border;
                    let beside = if beside.is_nan() { 0.0 } else { beside };
                    score += contrast.clamp(-0.3, 0.3) + 0.5 * beside.clamp(0.0, 0.3);
                }
                if f64::from(seen) < LEAST_SEEN * SAMPLES as f64 {
                    continue;
                }
                let score = score / seen as f32;
                if score > best.0 {
                    best = (score, [f64::from(distance), f64::from(slope)]);
                }
            }
        }
        (best.0 > 0.03).then_some(best.1)
    }

    /// Brightness at a place in pixels from the middle.
    fn at(&self, [x, y]: [f64; 2]) -> f32 {
        let half = VIEW as f64 / 2.0;
        let [column, row] = [x + half, y + half].map(f64::floor);
        let is_in = |at: f64| (0.0..VIEW as f64).contains(&at);
        match is_in(column) && is_in(row) {
            true => self.0[row as usize * VIEW + column as usize],
            false => f32::NAN,
        }
    }
}
