//! A flat cut through a latent space: the plane through three places, with coordinates of its own.
//!
//! The first two places lie at (-0.5, -0.5) and (0.5, -0.5), or nearer to each other where the third
//! would else lie outside, the third somewhere above; a unit is as long in both directions, so angles
//! and distances on the slice are those of the space, in another unit.
//!
//! Beyond the box (-1, 1)^Z no program was ever placed, yet a slice reaches there. Such a point is moved
//! to the box's nearest point before it is decoded, so that every cell shows what a model can be asked
//! for; [`Slice::outline`] is the border of what lies on the slice itself.

use crate::latent::points::{Points, distance};

/// Where the first two places lie.
const BASE: [[f32; 2]; 2] = [[-0.5, -0.5], [0.5, -0.5]];
/// How far up or aside of the middle the third may lie.
const REACH: f32 = 0.8;
/// Below this share of the longest side three places count as lying on a line.
const FLAT: f32 = 1e-4;

/// A slice through three places.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Where the slice's (0, 0) lies in the space.
    origin: Vec<f32>,
    /// Where a step of one to the right leads.
    right: Vec<f32>,
    /// Where a step of one up leads: as far, at a right angle.
    up: Vec<f32>,
    /// Where the three places lie on the slice.
    pub corners: [[f32; 2]; 3],
}

/// Why three places make no slice.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SliceError {
    /// One place has other dimensions than another, or fewer than two.
    #[error(
        "can't lay a slice through places of {0:?} dimensions: expected the same number, at least 2"
    )]
    Dims([usize; 3]),
    /// They lie on one line, or two in one place.
    #[error(
        "can't lay a slice through three places on one line: expected three corners of a triangle"
    )]
    Line,
}

impl Slice {
    /// The slice through three places: axes by Gram and Schmidt.
    ///
    /// # Errors
    /// If they span no plane.
    pub fn through(places: [&[f32]; 3]) -> Result<Self, SliceError> {
        let dims = places.map(<[f32]>::len);
        if dims[0] < 2 || dims.iter().any(|other| *other != dims[0]) {
            return Err(SliceError::Dims(dims));
        }
        let [first, second, third] = places;
        let longest = distance(first, second)
            .max(distance(first, third))
            .max(distance(second, third));
        let base = minus(second, first);
        let side = length(&base);
        // Also refuses values that aren't numbers.
        let has_base = side > FLAT * longest && longest.is_finite();
        if !has_base {
            return Err(SliceError::Line);
        }
        let along: Vec<f32> = base.iter().map(|part| part / side).collect();
        let aside = minus(third, first);
        let (x, up) = upright(&aside, &along);
        let (_, up) = upright(&up, &along);
        let y = length(&up);
        let has_height = y > FLAT * longest;
        if !has_height {
            return Err(SliceError::Line);
        }
        // A unit of the slice is the first side, or more where the third place would lie outside.
        let needed = [
            side,
            y / (REACH - BASE[0][1]),
            (x - side / 2.0).abs() / REACH,
        ];
        let unit = needed.into_iter().fold(0.0, f32::max);
        let right: Vec<f32> = along.iter().map(|part| part * unit).collect();
        let up: Vec<f32> = up.iter().map(|part| part / y * unit).collect();
        // The first two lie side by side about the middle.
        let half = side / unit / 2.0;
        let corners = [
            [-half, BASE[0][1]],
            [half, BASE[1][1]],
            [x / unit - half, y / unit + BASE[0][1]],
        ];
        let origin = (0..dims[0])
            .map(|axis| first[axis] - corners[0][0] * right[axis] - corners[0][1] * up[axis])
            .collect();
        Ok(Self {
            origin,
            right,
            up,
            corners,
        })
    }

    /// Dimensions of the space.
    pub fn dims(&self) -> usize {
        self.origin.len()
    }

    /// The point of the space's box that a point of the slice stands for.
    pub fn embed(&self, point: [f32; 2]) -> Vec<f32> {
        self.raw(point)
            .map(|value| value.clamp(-1.0, 1.0))
            .collect()
    }

    /// Whether a point of the slice lies in the box.
    pub fn is_inside(&self, point: [f32; 2]) -> bool {
        self.raw(point).all(|value| (-1.0..=1.0).contains(&value))
    }

    /// The corners of the part of the slice, within [-1, 1]^2, that lies in the box, one after the other.
    pub fn outline(&self) -> Vec<[f32; 2]> {
        let mut outline = vec![[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        let axes = self.origin.iter().zip(self.right.iter().zip(&self.up));
        for (origin, (right, up)) in axes {
            for side in [-1.0, 1.0] {
                // Sutherland and Hodgman: cut by the half plane inside one face of the box.
                let room = |[x, y]: [f32; 2]| 1.0 - side * (origin + x * right + y * up);
                let mut cut = Vec::with_capacity(outline.len() + 1);
                for (index, &to) in outline.iter().enumerate() {
                    let from = outline[(index + outline.len() - 1) % outline.len()];
                    let (before, after) = (room(from), room(to));
                    if (before < 0.0) != (after < 0.0) {
                        let share = before / (before - after);
                        cut.push([0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis])));
                    }
                    if after >= 0.0 {
                        cut.push(to);
                    }
                }
                outline = cut;
            }
        }
        outline
    }

    /// The same as [`Slice::embed`] of many points.
    pub fn embed_all(&self, points: &Points) -> Points {
        let values = points
            .iter()
            .flat_map(|point| self.embed([point[0], point[1]]))
            .collect();
        Points {
            dims: self.dims(),
            values,
        }
    }

    /// The place on the slice nearest to a point of the space, and how far from it that lies.
    pub fn nearest(&self, point: &[f32]) -> ([f32; 2], f32) {
        let from = minus(point, &self.origin);
        let along = |axis: &[f32]| dot(&from, axis) / dot(axis, axis);
        let at = [along(&self.right), along(&self.up)];
        let foot: Vec<f32> = self.raw(at).collect();
        (at, distance(&foot, point))
    }

    fn raw(&self, [x, y]: [f32; 2]) -> impl Iterator<Item = f32> {
        let axes = self.right.iter().zip(&self.up);
        self.origin
            .iter()
            .zip(axes)
            .map(move |(origin, (right, up))| origin + x * right + y * up)
    }
}

/// How far `vector` goes along a direction of length one, and the rest of it.
fn upright(vector: &[f32], direction: &[f32]) -> (f32, Vec<f32>) {
    let along = dot(vector, direction);
    let rest = vector.iter().zip(direction).map(|(v, d)| v - along * d);
    (along, rest.collect())
}

fn minus(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(vector: &[f32]) -> f32 {
    dot(vector, vector).sqrt()
}
