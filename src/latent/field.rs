//! Square grid of scalar values over the latent plane, such as a loss map or a truth map, as plain data.
//!
//! Row 0 is the bottom (y = -1). Maps are computed coarse to fine: NaN marks a cell that is not computed
//! yet. A cell whose decoded program is no number is marked missing and keeps its value.

/// State of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellState {
    /// Not computed yet: the value is NaN.
    Pending,
    /// Computed, and the decoder yields a number.
    Number,
    /// Computed, and the decoder yields no number.
    Missing,
}

/// Square grid of cell values over [-1, 1] x [-1, 1].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Number of cells along a side.
    pub size: usize,
    /// `size * size` values, row by row from the bottom; NaN for cells not computed yet.
    pub values: Vec<f32>,
    /// Marks of the cells that decode to no number: one per value, or empty if there are none.
    pub missing: Vec<bool>,
}

impl Field {
    /// Field with no cell computed.
    pub fn pending(size: usize) -> Self {
        Self {
            size,
            values: vec![f32::NAN; size * size],
            missing: vec![false; size * size],
        }
    }

    /// Field of a function of latent x and y, evaluated at the cells' centres.
    pub fn from_fn(size: usize, mut value: impl FnMut(f32, f32) -> f32) -> Self {
        let mut field = Self::pending(size);
        for index in 0..field.values.len() {
            let [x, y] = field.center(index);
            field.values[index] = value(x, y);
        }
        field
    }

    /// Index of the cell that contains a latent point; `None` outside the plane.
    pub fn cell_at(&self, x: f32, y: f32) -> Option<usize> {
        let along = |coordinate: f32| {
            // The upper border belongs to the last cell, so that the plane is closed.
            (-1.0..=1.0).contains(&coordinate).then(|| {
                (((coordinate + 1.0) * 0.5 * self.size as f32) as usize)
                    .min(self.size.saturating_sub(1))
            })
        };
        (self.size > 0).then_some(())?;
        Some(along(y)? * self.size + along(x)?)
    }

    /// Latent point at the centre of a cell.
    pub fn center(&self, index: usize) -> [f32; 2] {
        let along = |i: usize| -1.0 + (i as f32 + 0.5) * 2.0 / self.size as f32;
        [along(index % self.size), along(index / self.size)]
    }

    /// Value of the cell that contains a latent point; `None` if it is not computed.
    pub fn value_at(&self, x: f32, y: f32) -> Option<f32> {
        self.values
            .get(self.cell_at(x, y)?)
            .copied()
            .filter(|value| !value.is_nan())
    }

    /// State of a cell; [`CellState::Pending`] for an index outside the field.
    pub fn state(&self, index: usize) -> CellState {
        if self.values.get(index).is_none_or(|value| value.is_nan()) {
            CellState::Pending
        } else if self.missing.get(index).copied().unwrap_or(false) {
            CellState::Missing
        } else {
            CellState::Number
        }
    }

    /// True if there is one value per cell, and one mark or none at all.
    pub fn is_consistent(&self) -> bool {
        let cells = self.size * self.size;
        self.values.len() == cells && (self.missing.is_empty() || self.missing.len() == cells)
    }

    /// True if a computed cell decodes to no number.
    pub fn has_missing(&self) -> bool {
        (0..self.values.len()).any(|index| self.state(index) == CellState::Missing)
    }

    /// Lowest and highest finite value; `None` if no value is finite.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.finite().fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        })
    }

    /// Quantiles of the finite values at the given shares (0 to 1), in the order of `shares`; `None` if no
    /// value is finite.
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

    /// Index and value of the lowest finite cell.
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
    }
}
