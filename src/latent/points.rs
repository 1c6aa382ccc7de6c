//! Points of a latent space in one flat vector.

/// N points of `dims` values each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// Number of values per point.
    pub dims: usize,
    /// Values, N x `dims`, row by row.
    pub values: Vec<f32>,
}

impl Points {
    /// Points of the plane.
    pub fn plane(places: impl IntoIterator<Item = [f32; 2]>) -> Self {
        let values = places.into_iter().flatten().collect();
        Self { dims: 2, values }
    }

    /// A single point.
    pub fn one(point: &[f32]) -> Self {
        Self {
            dims: point.len(),
            values: point.to_vec(),
        }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.values.len() / self.dims.max(1)
    }

    /// True if there are no points.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Iterator over the points.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dims.max(1))
    }

    /// Iterator over consecutive chunks of at most `count` points.
    pub fn chunks(&self, count: usize) -> impl Iterator<Item = Points> {
        let dims = self.dims.max(1);
        self.values.chunks(count * dims).map(move |values| Points {
            dims,
            values: values.to_vec(),
        })
    }

    /// Cell centres of a `size` x `size` grid over the box (-1, 1)^2, row by row from y = -1 upwards.
    pub fn grid(size: usize) -> Self {
        let centre = |i: usize| (2 * i + 1) as f32 / size as f32 - 1.0;
        Self::plane((0..size * size).map(|i| [centre(i % size), centre(i / size)]))
    }
}

/// Euclidean distance between two points.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    let squares = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y));
    squares.sum::<f32>().sqrt()
}
