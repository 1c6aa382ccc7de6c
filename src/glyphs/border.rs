//! Glyphs located by their dark border: four lines, each found along the whole side, so that neither noise nor a finger hides
//! it.

use nalgebra::{Matrix3, Vector3};

use super::{networks::mosaic::BORDER_WIDTH, photo::Photo};
use crate::nn::distortions::{CORNERS, Homography};

/// Pixels a side of a view.
const VIEW: usize = 160;
/// Width of the strip inside the border that is compared with it, in widths of the border.
const INSIDE: f64 = 2.5;
/// Samples along a side.
const SAMPLES: usize = 40;
/// Weight of no change against a side that was found.
const UNCHANGED: f64 = 0.05;
/// Share of a side that must be in the photo.
const LEAST_SEEN: f64 = 0.4;
/// Contrast of a border to what lies beside it, of 1, below which a line is a glyph's own pattern: that of a side that isn't
/// in the photo.
const LEAST_CONTRAST: f32 = 0.35;

/// Search for a border around where it is expected.
struct Search {
    /// Part of the view that the glyph fills, in half sides: the rest shows its surroundings.
    filled: f64,
    /// Distances, at most, in pixels of the view.
    reach: i32,
    /// Slopes: this many either way, each a pixel more over the length of half a side.
    slopes: i32,
}

/// Searches for a border that is a little beside its place, each more exact.
const NEAR: [Search; 2] = [
    Search {
        filled: 0.75,
        reach: 18,
        slopes: 10,
    },
    Search {
        filled: 0.75,
        reach: 6,
        slopes: 4,
    },
];
/// Search for one that may be far off.
const FAR: Search = Search {
    filled: 0.5,
    reach: 24,
    slopes: 14,
};

/// Map from the upright view to the photo, its sides moved to the dark border near them; `None` where there is none.
pub fn snapped(photo: &Photo, map: &Homography) -> Option<Homography> {
    NEAR.iter()
        .try_fold(*map, |map, search| snapped_once(photo, &map, search))
}

/// [`snapped`] of a map that may be far off.
pub fn snapped_from_afar(photo: &Photo, map: &Homography) -> Option<Homography> {
    snapped(photo, &snapped_once(photo, map, &FAR)?)
}

/// True if all four sides of a border are near where this map has them.
pub fn is_framed(photo: &Photo, map: &Homography) -> bool {
    let [_, closest] = &NEAR;
    let found = sides(photo, map, closest);
    found.is_some_and(|(_, sides)| sides.iter().all(Option::is_some))
}

/// The map with the surroundings, and in its view distance and slope of the top, right, bottom and left side, each as if it
/// were the top one.
fn sides(
    photo: &Photo,
    map: &Homography,
    search: &Search,
) -> Option<(Homography, [Option<[f64; 2]>; 4])> {
    let around = CORNERS.map(|corner| map.map(corner.map(|x| x / search.filled)));
    let around = Homography::rectify_corners(around)?;
    let view = Brightness::new(photo, &around);
    Some((around, [0, 1, 2, 3].map(|turn| view.side(turn, search))))
}

fn snapped_once(photo: &Photo, map: &Homography, search: &Search) -> Option<Homography> {
    let (around, sides) = sides(photo, map, search)?;
    let sides = completed(sides)?;
    let corners = [0, 1, 2, 3].map(|nth| {
        // Corner `nth` lies between the side before it and its own.
        let [before, own] = [sides[(nth + 3) % 4], sides[nth]];
        // In the own side's frame: y = own(x), x = -before(-y), from the middle.
        let half = VIEW as f64 / 2.0;
        let edge = half * search.filled;
        let (mut x, mut y) = (-edge, -edge);
        for _ in 0..4 {
            y = -edge + own[0] + own[1] * x / edge;
            x = -edge + before[0] - before[1] * y / edge;
        }
        turned([x / half, y / half], nth)
    });
    Homography::rectify_corners(corners.map(|corner| around.map(corner)))
}

/// All sides where two are known: the others as if the glyph were moved, turned and enlarged as the known ones are.
fn completed(sides: [Option<[f64; 2]>; 4]) -> Option<[[f64; 2]; 4]> {
    let known = || {
        sides
            .iter()
            .enumerate()
            .filter_map(|(n, side)| Some((n, (*side)?)))
    };
    let count = known().count();
    if count < 2 {
        return None;
    }
    // Inward distance of each side by a scale and shifts to the right and down.
    let row = |nth: usize| {
        let [x, y] = turned([0.0, 1.0], nth);
        Vector3::new(1.0, x, y)
    };
    // Where they leave it open, as small a change as can be.
    let mut products = Matrix3::from_diagonal_element(UNCHANGED);
    let mut sums = Vector3::zeros();
    let mut slope = 0.0;
    for (nth, [distance, own_slope]) in known() {
        products += row(nth) * row(nth).transpose();
        sums += row(nth) * distance;
        slope += own_slope / count as f64;
    }
    let change = products.try_inverse()? * sums;
    let expected = |nth: usize| [row(nth).dot(&change), slope];
    Some([0, 1, 2, 3].map(|nth| sides[nth].unwrap_or_else(|| expected(nth))))
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
    fn side(&self, turn: usize, search: &Search) -> Option<[f64; 2]> {
        let Search { reach, slopes, .. } = *search;
        let edge = VIEW as f64 / 2.0 * search.filled;
        let border = 2.0 * edge * f64::from(BORDER_WIDTH);
        let strip = INSIDE * border;
        // Sums of brightness inwards along lines across the side, and how much of them is seen.
        let first = edge + f64::from(reach + slopes) + strip;
        let steps = 2 * (reach + slopes) as usize + (border + 2.0 * strip).ceil() as usize + 2;
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
                    let dark = mean(sums, at, at + border);
                    let inside = mean(sums, at + border, at + border + strip);
                    let outside = mean(sums, (at - strip).max(0.0), at);
                    let contrast = relative(inside, dark);
                    if contrast.is_nan() {
                        continue;
                    }
                    seen += 1;
                    let beside = relative(outside, dark);
                    let beside = if beside.is_nan() { 0.0 } else { beside };
                    score += contrast + 0.5 * beside.max(0.0);
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
        (best.0 > LEAST_CONTRAST).then_some(best.1)
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

/// Brightness above that of something dark, in shares of the brighter one: a shadow halves both.
fn relative(bright: f32, dark: f32) -> f32 {
    (bright - dark) / bright.max(dark).max(0.02)
}
