//! Square grid of scalar values over the latent plane, such as a loss map or a truth map, as plain data.
//!
//! Row 0 is the bottom (y = -1). Maps are computed coarse to fine: NaN marks a cell that is not computed
//! yet. A cell whose decoded program is no number is marked missing and keeps its value.

/// State of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellState {
    /// Not computed yet: the value is NaN.
    Pending,
    /// Computed, and decoded to a number.
    Number,
    /// Computed, and decoded to no number.
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
        let is_inside = [x, y]
            .iter()
            .all(|coordinate| (-1.0..=1.0).contains(coordinate));
        let last = self.size.checked_sub(1).filter(|_| is_inside)?;
        // The upper border belongs to the last cell, so that the plane is closed.
        let [column, row] =
            [x, y].map(|c| (((c + 1.0) * 0.5 * self.size as f32) as usize).min(last));
        Some(row * self.size + column)
    }

    /// Latent point at the centre of a cell.
    pub fn center(&self, index: usize) -> [f32; 2] {
        let along = |i: usize| -1.0 + (i as f32 + 0.5) * 2.0 / self.size as f32;
        [along(index % self.size), along(index / self.size)]
    }

    /// Value of the cell that contains a latent point; `None` if it is not computed.
    pub fn value_at(&self, x: f32, y: f32) -> Option<f32> {
        let value = self.values.get(self.cell_at(x, y)?)?;
        (!value.is_nan()).then_some(*value)
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
        let finite = self.finite().map(|(_, value)| (value, value));
        finite.reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
    }

    /// Quantiles of the finite values at the given shares (0 to 1), in the order of `shares`; `None` if no
    /// value is finite.
    pub fn percentiles(&self, shares: &[f32]) -> Option<Vec<f32>> {
        let mut sorted: Vec<f32> = self.finite().map(|(_, value)| value).collect();
        sorted.sort_by(f32::total_cmp);
        let last = sorted.len().checked_sub(1)? as f32;
        let at = |share: &f32| sorted[(share.clamp(0.0, 1.0) * last).round() as usize];
        Some(shares.iter().map(at).collect())
    }

    /// Index and value of the lowest finite cell.
    pub fn lowest(&self) -> Option<(usize, f32)> {
        self.finite().min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Finite values with the indices of their cells.
    fn finite(&self) -> impl Iterator<Item = (usize, f32)> {
        let values = self.values.iter().copied().enumerate();
        values.filter(|(_, value)| value.is_finite())
    }
}
