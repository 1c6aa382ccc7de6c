//! What a training step draws on the host: rows of tables and values, in one piece each, so that they travel to the
//! device in two.

use burn::tensor::{Device, Int, Tensor};

/// Draws one after the other.
#[derive(Clone, Debug, Default)]
pub struct HostInputs {
    /// Rows of tables.
    pub rows: Vec<i32>,
    /// Values.
    pub values: Vec<f32>,
}

/// Some of the rows or values: where they begin, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: usize,
    /// How many.
    pub count: usize,
}

impl HostInputs {
    /// Adds rows.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = i32>) -> Span {
        let from = self.rows.len();
        self.rows.extend(rows);
        let count = self.rows.len() - from;
        Span { from, count }
    }

    /// Adds values.
    pub fn values(&mut self, values: &[f32]) -> Span {
        let from = self.values.len();
        self.values.extend(values);
        let count = values.len();
        Span { from, count }
    }

    /// On `device`.
    pub fn upload(&self, device: &Device) -> DeviceInputs {
        DeviceInputs {
            rows: Tensor::from_data(self.rows.as_slice(), device),
            values: Tensor::from_data(self.values.as_slice(), device),
        }
    }
}

/// [`HostInputs`] on the device.
#[derive(Clone, Debug)]
pub struct DeviceInputs {
    /// All rows.
    pub rows: Tensor<1, Int>,
    /// All values.
    pub values: Tensor<1>,
}

impl DeviceInputs {
    /// Rows `[N]`.
    pub fn rows(&self, part: Span) -> Tensor<1, Int> {
        self.rows.clone().narrow(0, part.from, part.count)
    }

    /// Values `[N]`.
    pub fn values(&self, part: Span) -> Tensor<1> {
        self.values.clone().narrow(0, part.from, part.count)
    }

    /// Points [N, `dims`].
    pub fn points(&self, part: Span, dims: usize) -> Tensor<2> {
        self.values(part).reshape([part.count / dims, dims])
    }
}
