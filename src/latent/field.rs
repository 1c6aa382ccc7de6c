//! A square grid of values over the latent plane: what a loss map or a truth map is, as plain data.
//!
//! Row 0 is the bottom (y = -1). A map is computed coarse to fine, so cells may still be NaN: not computed.
//! Where the decoder writes no number the cell is marked missing and keeps its value all the same.

/// What is known of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellState {
    /// Not computed yet.
    Pending,
    /// Has a value.
    Number,
    /// The decoder writes no number there.
    Missing,
}

/// A square grid of cell values over [-1, 1] x [-1, 1].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Cells along a side.
    pub size: usize,
    /// `size * size` values, row by row from the bottom; NaN where nothing is computed yet.
    pub values: Vec<f32>,
    /// Which cells decode to no number: as many as values, or empty for none.
    pub missing: Vec<bool>,
}

impl Field {
    /// A field of which nothing is computed yet.
    pub fn pending(size: usize) -> Self {
        Self {
            size,
            values: vec![f32::NAN; size * size],
            missing: vec![false; size * size],
        }
    }

    /// A field from a function of latent x and y, evaluated at the cells' centres.
    pub fn from_fn(size: usize, mut value: impl FnMut(f32, f32) -> f32) -> Self {
        let mut field = Self::pending(size);
        for index in 0..field.values.len() {
            let [x, y] = field.center(index);
            field.values[index] = value(x, y);
        }
        field
    }

    /// The index of the cell a latent point lies in; none outside the plane.
    pub fn cell_at(&self, x: f32, y: f32) -> Option<usize> {
        let along = |coordinate: f32| {
            // The far border belongs to the last cell, so that the plane is closed.
            (-1.0..=1.0).contains(&coordinate).then(|| {
                (((coordinate + 1.0) * 0.5 * self.size as f32) as usize)
                    .min(self.size.saturating_sub(1))
            })
        };
        (self.size > 0).then_some(())?;
        Some(along(y)? * self.size + along(x)?)
    }

    /// The latent point in the middle of a cell.
    pub fn center(&self, index: usize) -> [f32; 2] {
        let along = |i: usize| -1.0 + (i as f32 + 0.5) * 2.0 / self.size as f32;
        [along(index % self.size), along(index / self.size)]
    }

    /// The value of the cell a latent point lies in, if it is computed.
    pub fn value_at(&self, x: f32, y: f32) -> Option<f32> {
        self.values
            .get(self.cell_at(x, y)?)
            .copied()
            .filter(|value| !value.is_nan())
    }

    /// What is known of a cell; pending for an index outside the field.
    pub fn state(&self, index: usize) -> CellState {
        if self.values.get(index).is_none_or(|value| value.is_nan()) {
            CellState::Pending
        } else if self.missing.get(index).copied().unwrap_or(false) {
            CellState::Missing
        } else {
            CellState::Number
        }
    }

    /// Whether there are as many values as cells, and as many or no marks of missing ones.
    pub fn is_consistent(&self) -> bool {
        let cells = self.size * self.size;
        self.values.len() == cells && (self.missing.is_empty() || self.missing.len() == cells)
    }

    /// Whether any computed cell decodes to no number.
    pub fn has_missing(&self) -> bool {
        (0..self.values.len()).any(|index| self.state(index) == CellState::Missing)
    }

    /// Share of the cells that are computed, 0 to 1.
    pub fn share_computed(&self) -> f32 {
        let computed = self.values.iter().filter(|value| !value.is_nan()).count();
        computed as f32 / self.values.len().max(1) as f32
    }

    /// The lowest and highest finite values; none if there is no finite value.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.finite().fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        })
    }

    /// The values below which the given shares (0 to 1) of the finite ones lie, in the order asked for; none
    /// if there is no finite value.
    pub fn percentiles(&self, shares: &[f32]) -> Option<Vec<f32>> {
        let mut sorted: Vec<f32> = self.finite().collect();
        sorted.sort_by(f32::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(
            shares
                .iter()
                .map(|share| sorted[(share.clamp(0.0, 1.0) * last as f32).round() as usize])
                .collect(),
        )
    }

    /// The index and value of the lowest finite cell.
    pub fn lowest(&self) -> Option<(usize, f32)> {
        let finite = self
            .values
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, value)| value.is_finite());
        finite.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn finite(&self) -> impl Iterator<Item = f32> {
        self.values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_centres_agree() {
        let field = Field::from_fn(5, |x, y| x + 10.0 * y);
        for index in 0..25 {
            let [x, y] = field.center(index);
            assert_eq!(field.cell_at(x, y), Some(index));
        }
        assert_eq!(field.cell_at(-1.0, -1.0), Some(0));
        assert_eq!(field.cell_at(1.0, 1.0), Some(24));
        assert_eq!(field.cell_at(1.01, 0.0), None);
        assert_eq!(field.cell_at(f32::NAN, 0.0), None);
        assert_eq!(field.center(0), [-0.8, -0.8]);
        assert_eq!(Field::default().cell_at(0.0, 0.0), None);
    }

    #[test]
    fn statistics_skip_what_is_not_computed() {
        let mut field = Field::pending(2);
        assert_eq!(
            (field.range(), field.lowest(), field.percentiles(&[0.5])),
            (None, None, None)
        );
        field.values[1] = 3.0;
        field.values[2] = -1.0;
        field.values[3] = f32::INFINITY;
        field.missing[2] = true;
        assert_eq!(field.range(), Some((-1.0, 3.0)));
        assert_eq!(field.lowest(), Some((2, -1.0)));
        assert_eq!(field.percentiles(&[1.0, 0.0]), Some(vec![3.0, -1.0]));
        assert_eq!(field.state(0), CellState::Pending);
        assert_eq!(field.state(1), CellState::Number);
        assert_eq!(field.state(2), CellState::Missing);
        assert_eq!(field.state(9), CellState::Pending);
        assert!(field.has_missing());
        assert_eq!(field.share_computed(), 0.75);
    }
}
