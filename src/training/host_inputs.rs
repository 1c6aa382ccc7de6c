//! Inputs of a training step: random draws made on the host and packed into two buffers, one of table rows and one of
//! values, which are uploaded at once.

use anyhow::{Context, Result};
use burn::tensor::{Device, Int, Tensor};

/// Inputs on the host, packed one after the other.
#[derive(Clone, Debug, Default)]
pub struct HostInputs {
    /// Rows of tables.
    pub rows: Vec<i32>,
    /// Values.
    pub values: Vec<f32>,
}

/// Range of a buffer: offset and count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: usize,
    /// Number of entries.
    pub count: usize,
}

impl HostInputs {
    /// Appends rows.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = i32>) -> Span {
        let from = self.rows.len();
        self.rows.extend(rows);
        let count = self.rows.len() - from;
        Span { from, count }
    }

    /// Appends values.
    pub fn values(&mut self, values: &[f32]) -> Span {
        let from = self.values.len();
        self.values.extend(values);
        let count = values.len();
        Span { from, count }
    }

    /// Uploads both buffers.
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
    /// Rows `[N]` of a span.
    pub fn rows(&self, part: Span) -> Tensor<1, Int> {
        self.rows.clone().narrow(0, part.from, part.count)
    }

    /// Values `[N]` of a span.
    pub fn values(&self, part: Span) -> Tensor<1> {
        self.values.clone().narrow(0, part.from, part.count)
    }

    /// Points [N, `dims`].
    pub fn points(&self, part: Span, dims: usize) -> Tensor<2> {
        self.values(part).reshape([part.count / dims, dims])
    }
}

/// Values of a step, read back in row-major order; waits for the device.
///
/// # Errors
/// If the device failed.
pub(super) fn read<const D: usize>(values: Tensor<D>) -> Result<Vec<f32>> {
    values
        .try_into_vec_as()
        .context("the device failed in a training step")
}
