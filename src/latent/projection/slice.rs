//! Planar slice of a latent space: the plane through three points, with two coordinates of its own.
//!
//! The first two points lie at (-0.5, -0.5) and (0.5, -0.5), or closer together if the third would
//! otherwise lie outside; the third lies above them. Both axes have the same unit and are orthogonal, so
//! angles and ratios of distances are those of the space.
//!
//! A slice reaches beyond the box (-1, 1)^Z, where no program is embedded. Such a point is clamped to the
//! box before it is decoded, so that every cell shows a point that a model can be asked for;
//! [`Slice::outline`] is the border of the box on the slice.

use crate::latent::points::{Points, distance};

/// Second slice coordinate of the first two points.
const BASE_HEIGHT: f32 = -0.5;
/// Largest coordinate of the third point above or beside the middle of the base.
const MAX_COORDINATE: f32 = 0.8;
/// Height over the longest side below which three points count as collinear.
const MIN_HEIGHT_SHARE: f32 = 1e-4;

/// Slice through three points.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Point of the space at the slice's (0, 0).
    origin: Vec<f32>,
    /// Direction of the first axis: the step for one unit to the right.
    right: Vec<f32>,
    /// Direction of the second axis: of the same length and orthogonal to the first.
    up: Vec<f32>,
    /// Slice coordinates of the three points.
    pub corners: [[f32; 2]; 3],
}

/// Reasons why three points span no slice.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SliceError {
    /// Points of different dimensions, or of fewer than two.
    #[error(
        "can't lay a slice through places of {0:?} dimensions: expected the same number, at least 2"
    )]
    Dims([usize; 3]),
    /// Collinear or coincident points.
    #[error(
        "can't lay a slice through three places on one line: expected three corners of a triangle"
    )]
    Line,
}

impl Slice {
    /// Slice through three points, with axes by Gram-Schmidt.
    ///
    /// # Errors
    /// If the points span no plane.
    pub fn through(places: [&[f32]; 3]) -> Result<Self, SliceError> {
        let dims = places.map(<[f32]>::len);
        if dims[0] < 2 || dims.iter().any(|other| *other != dims[0]) {
            return Err(SliceError::Dims(dims));
        }
        let [first, second, third] = places;
        let longest = distance(first, second)
            .max(distance(first, third))
            .max(distance(second, third));
        let base = difference(second, first);
        let side = length(&base);
        let along: Vec<f32> = base.iter().map(|part| part / side).collect();
        let aside = difference(third, first);
        let (x, up) = project_out(&aside, &along);
        let (_, up) = project_out(&up, &along);
        let y = length(&up);
        // Also rejects NaN.
        let is_tall = |part: f32| part > MIN_HEIGHT_SHARE * longest;
        let is_triangle = longest.is_finite() && is_tall(side) && is_tall(y);
        if !is_triangle {
            return Err(SliceError::Line);
        }
        // One unit is the length of the first side, or more if the third place would lie outside.
        let unit = side
            .max(y / (MAX_COORDINATE - BASE_HEIGHT))
            .max((x - side / 2.0).abs() / MAX_COORDINATE);
        let right: Vec<f32> = along.iter().map(|part| part * unit).collect();
        let up: Vec<f32> = up.iter().map(|part| part / y * unit).collect();
        // The first two lie symmetrically about the middle.
        let half = side / unit / 2.0;
        let corners = [
            [-half, BASE_HEIGHT],
            [half, BASE_HEIGHT],
            [x / unit - half, y / unit + BASE_HEIGHT],
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

    /// Number of dimensions of the space.
    pub fn dims(&self) -> usize {
        self.origin.len()
    }

    /// Point of the space at a point of the slice, clamped to the box.
    pub fn embed(&self, point: [f32; 2]) -> Vec<f32> {
        let values = self.point_at(point);
        values.map(|value| value.clamp(-1.0, 1.0)).collect()
    }

    /// Corners of the polygon in which the slice, within [-1, 1]^2, intersects the box, in order.
    pub fn outline(&self) -> Vec<[f32; 2]> {
        let mut outline = vec![[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        let axes = self.origin.iter().zip(self.right.iter().zip(&self.up));
        for (origin, (right, up)) in axes {
            for side in [-1.0, 1.0] {
                // Sutherland-Hodgman clipping by one face of the box.
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

    /// [`Slice::embed`] of many points.
    pub fn embed_all(&self, points: &Points) -> Points {
        let embed = |point: &[f32]| self.embed([point[0], point[1]]);
        let (dims, values) = (self.dims(), points.iter().flat_map(embed).collect());
        Points { dims, values }
    }

    /// Orthogonal projection of a point of the space onto the slice, and its distance.
    pub fn nearest(&self, point: &[f32]) -> ([f32; 2], f32) {
        let from = difference(point, &self.origin);
        let along = |axis: &[f32]| dot(&from, axis) / dot(axis, axis);
        let at = [along(&self.right), along(&self.up)];
        let foot: Vec<f32> = self.point_at(at).collect();
        (at, distance(&foot, point))
    }

    fn point_at(&self, [x, y]: [f32; 2]) -> impl Iterator<Item = f32> {
        let axes = self.right.iter().zip(&self.up);
        let parts = self.origin.iter().zip(axes);
        parts.map(move |(origin, (right, up))| origin + x * right + y * up)
    }
}

/// Component of `vector` along a unit direction, and the orthogonal remainder.
fn project_out(vector: &[f32], direction: &[f32]) -> (f32, Vec<f32>) {
    let along = dot(vector, direction);
    let rest = vector.iter().zip(direction).map(|(v, d)| v - along * d);
    (along, rest.collect())
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(vector: &[f32]) -> f32 {
    dot(vector, vector).sqrt()
}
