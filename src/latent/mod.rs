//! Latent spaces as such: points, fields over the plane, order, projections, search. No tensors here.

pub mod field;
pub mod holes;
pub mod order;
pub mod points;
pub mod projection;
pub mod search;

/// Cells a side of a finished map.
pub const MAP_SIZE: usize = 256;
