//! What a training step draws on the host: rows of tables and values, in one piece each, so that they travel to the
//! device in two.

use burn::tensor::{Device, Int, Tensor};

/// Draws one after the other.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    /// Rows of tables.
    pub rows: Vec<i32>,
    /// Values.
    pub values: Vec<f32>,
}

/// Some of the rows or values: where they begin, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    from: usize,
    /// How many.
    pub count: usize,
}

impl Draws {
    /// Adds rows.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = i32>) -> Part {
        let from = self.rows.len();
        self.rows.extend(rows);
        let count = self.rows.len() - from;
        Part { from, count }
    }

    /// Adds values.
    pub fn values(&mut self, values: &[f32]) -> Part {
        let from = self.values.len();
        self.values.extend(values);
        let count = values.len();
        Part { from, count }
    }

    /// On `device`.
    pub fn on(&self, device: &Device) -> Drawn {
        Drawn {
            rows: Tensor::from_data(self.rows.as_slice(), device),
            values: Tensor::from_data(self.values.as_slice(), device),
        }
    }
}

/// [`Draws`] on the device.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// All rows.
    pub rows: Tensor<1, Int>,
    /// All values.
    pub values: Tensor<1>,
}

impl Drawn {
    /// Rows `[N]`.
    pub fn rows(&self, part: Part) -> Tensor<1, Int> {
        self.rows.clone().narrow(0, part.from, part.count)
    }

    /// Values `[N]`.
    pub fn values(&self, part: Part) -> Tensor<1> {
        self.values.clone().narrow(0, part.from, part.count)
    }

    /// Points [N, `dims`].
    pub fn points(&self, part: Part, dims: usize) -> Tensor<2> {
        self.values(part).reshape([part.count / dims, dims])
    }
}
