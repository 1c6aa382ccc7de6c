//! From what people type to the integers the models read: sums, their tokens, and the held-out split.

pub mod split;
pub mod sums;
pub mod tokens;
