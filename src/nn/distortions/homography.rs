//! Plane projective maps (Hartley and Zisserman 2004, section 2.3): how a flat picture looks from
//! another place, and back.

/// Where each point of an output picture lies in the input, in coordinates that run from -1 at one
/// outer edge to 1 at the other (x to the right, y downwards; pixel i of n has its centre at
/// (2i + 1) / n - 1, torch's `align_corners = False`).
///
/// The constructors speak of the picture as it moves; the map goes the other way, because every
/// output pixel asks for its place in the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography([[f64; 3]; 3]);

/// The corners in the order in which [`Homography::corners`] has them: clockwise from the top left.
const CORNERS: [[f64; 2]; 4] = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];

impl Homography {
    /// The picture stays as it is.
    pub const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    /// The picture magnified by `zoom` (above 0), sheared by `shear` radians (x moves with y; less
    /// than a quarter turn), turned clockwise by `rotation` radians, then shifted to the right and
    /// down by `shift`, where 2 is a whole side.
    pub fn affine(rotation: f64, shear: f64, zoom: f64, shift: [f64; 2]) -> Self {
        let (sin, cos) = rotation.sin_cos();
        let slant = shear.tan();
        let forward = [
            [zoom * cos, zoom * (cos * slant - sin), shift[0]],
            [zoom * sin, zoom * (sin * slant + cos), shift[1]],
            [0.0, 0.0, 1.0],
        ];
        Self(inverse(forward))
    }

    /// The picture drawn with its corners at these places, clockwise from its top left (Heckbert
    /// 1989, "Fundamentals of texture mapping", section 2.2.3). None unless they are the corners of a
    /// convex quadrilateral, in this or the mirrored sense.
    pub fn from_corners(corners: [[f64; 2]; 4]) -> Option<Self> {
        let [a, b, c, d] = corners;
        let turn = |p: [f64; 2], q: [f64; 2], r: [f64; 2]| {
            (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0])
        };
        let turns = [turn(a, b, c), turn(b, c, d), turn(c, d, a), turn(d, a, b)];
        let convex = turns.iter().all(|t| *t > TINY) || turns.iter().all(|t| *t < -TINY);
        if !convex {
            return None;
        }
        // The unit square's corners (0, 0), (1, 0), (1, 1), (0, 1) go to a, b, c, d.
        let along = |k: usize| (b[k] - c[k], d[k] - c[k], a[k] - b[k] + c[k] - d[k]);
        let ((x1, x2, x3), (y1, y2, y3)) = (along(0), along(1));
        let det = x1 * y2 - x2 * y1;
        let (g, h) = ((x3 * y2 - x2 * y3) / det, (x1 * y3 - x3 * y1) / det);
        let row = |k: usize| [b[k] - a[k] + g * b[k], d[k] - a[k] + h * d[k], a[k]];
        let from_unit = [row(0), row(1), [g, h, 1.0]];
        let to_unit = [[0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]];
        Some(Self(inverse(product(from_unit, to_unit))))
    }

    /// The map that sets a picture upright whose corners were found at eight numbers, clockwise from its top left; the
    /// identity where they are no corners of anything.
    pub fn rectify(corners: &[f32]) -> Self {
        let place = |i: usize| [f64::from(corners[2 * i]), f64::from(corners[2 * i + 1])];
        let found = Self::from_corners([0, 1, 2, 3].map(place));
        found.map_or(Self::IDENTITY, |found| found.inverse())
    }

    /// The map back: warping by one and then by the other returns what both pictures share.
    pub fn inverse(&self) -> Self {
        Self(inverse(self.0))
    }

    /// The one map that warps as `self` does and then `next`.
    pub fn then(&self, next: &Self) -> Self {
        Self(scaled(product(self.0, next.0)))
    }

    /// Where the corners of the input picture come to lie in the output, clockwise from its top left.
    pub fn corners(&self) -> [[f64; 2]; 4] {
        let back = self.inverse();
        CORNERS.map(|corner| back.map(corner))
    }

    /// The place in the input of a point of the output.
    pub fn map(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [u, v, w] = self.0.map(|[a, b, c]| a * x + b * y + c);
        [u / w, v / w]
    }

    /// Nine numbers, row by row.
    pub fn numbers(&self) -> [f32; 9] {
        std::array::from_fn(|i| self.0[i / 3][i % 3] as f32)
    }
}

/// Twice the area below which three points count as lying on a line.
const TINY: f64 = 1e-9;

fn product(left: [[f64; 3]; 3], right: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    left.map(|row| [0, 1, 2].map(|j| (0..3).map(|k| row[k] * right[k][j]).sum()))
}

/// By the adjugate.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let cofactor = |i: usize, j: usize| {
        let (p, q, r, s) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[p][r] * m[q][s] - m[p][s] * m[q][r]
    };
    scaled([0, 1, 2].map(|j| [0, 1, 2].map(|i| cofactor(i, j))))
}

/// The same map, with 1 as its last number.
fn scaled(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    m.map(|row| row.map(|value| value / m[2][2]))
}
