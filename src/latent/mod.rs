//! Latent spaces as plain data: points, fields over the plane, order scores, projections and search. No
//! tensors.

pub mod field;
pub mod holes;
pub mod order;
pub mod points;
pub mod projection;
pub mod search;

/// Number of cells along a side of a finished map.
pub const MAP_SIZE: usize = 256;
