//! Homographies: projective maps of the plane (Hartley and Zisserman 2004, section 2.3).

/// Projective map from points of an output picture to points of its input, in coordinates from -1 at one outer edge to 1
/// at the other (x to the right, y downwards; pixel i of n has its centre at (2i + 1) / n - 1, torch's
/// `align_corners = False`).
///
/// The constructors describe the motion of the picture; the map is its inverse, because each output pixel is sampled
/// from the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography([[f64; 3]; 3]);

/// Corners of a picture, clockwise from the top left.
pub const CORNERS: [[f64; 2]; 4] = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];

impl Homography {
    /// Identity map.
    pub const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    /// Affine motion: magnification by `zoom` (above 0), then shear by `shear` radians (x with y; less than a quarter
    /// turn), clockwise rotation by `rotation` radians, and translation to the right and down by `shift`, where 2 is a
    /// side.
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

    /// Perspective that moves the picture's corners to these points, clockwise from the top left (Heckbert 1989,
    /// "Fundamentals of texture mapping", section 2.2.3). None unless they form a convex quadrilateral, in this or the
    /// mirrored sense.
    pub fn from_corners(corners: [[f64; 2]; 4]) -> Option<Self> {
        let [a, b, c, d] = corners;
        let cross = |p: [f64; 2], q: [f64; 2], r: [f64; 2]| {
            (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0])
        };
        let turns = [
            cross(a, b, c),
            cross(b, c, d),
            cross(c, d, a),
            cross(d, a, b),
        ];
        let is_convex = turns.iter().all(|t| *t > TINY) || turns.iter().all(|t| *t < -TINY);
        if !is_convex {
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

    /// Rectification of a picture whose corners were detected at eight numbers (x, y), clockwise from its top left; the
    /// identity where these form no convex quadrilateral.
    pub fn rectify(corners: &[f32]) -> Self {
        let corner = |i: usize| [f64::from(corners[2 * i]), f64::from(corners[2 * i + 1])];
        Self::rectify_corners([0, 1, 2, 3].map(corner)).unwrap_or(Self::IDENTITY)
    }

    /// Rectification of a picture whose corners were detected at these points, clockwise from its top left; None where these
    /// form no convex quadrilateral.
    pub fn rectify_corners(corners: [[f64; 2]; 4]) -> Option<Self> {
        Self::from_corners(corners).map(|perspective| perspective.inverse())
    }

    /// Inverse map.
    pub fn inverse(&self) -> Self {
        Self(inverse(self.0))
    }

    /// Composition: the warp by `self`, then by `next`.
    pub fn then(&self, next: &Self) -> Self {
        Self(scaled(product(self.0, next.0)))
    }

    /// Corners of the input picture in the output, clockwise from its top left.
    pub fn corners(&self) -> [[f64; 2]; 4] {
        let back = self.inverse();
        CORNERS.map(|corner| back.map(corner))
    }

    /// Point of the input for a point of the output.
    pub fn map(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [u, v, w] = self.0.map(|[a, b, c]| a * x + b * y + c);
        [u / w, v / w]
    }

    /// Elements of the matrix, row-major.
    pub fn numbers(&self) -> [f32; 9] {
        std::array::from_fn(|i| self.0[i / 3][i % 3] as f32)
    }
}

/// Twice the area of a triangle below which its corners count as collinear.
const TINY: f64 = 1e-9;

fn product(left: [[f64; 3]; 3], right: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    left.map(|row| [0, 1, 2].map(|j| (0..3).map(|k| row[k] * right[k][j]).sum()))
}

/// Inverse by the adjugate.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let cofactor = |i: usize, j: usize| {
        let (p, q, r, s) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[p][r] * m[q][s] - m[p][s] * m[q][r]
    };
    scaled([0, 1, 2].map(|j| [0, 1, 2].map(|i| cofactor(i, j))))
}

/// Multiple of `m` whose last element is 1.
fn scaled(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    m.map(|row| row.map(|value| value / m[2][2]))
}
