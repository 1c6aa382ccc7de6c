//! From what people type to the integers the models read: sums and their held-out split; Python
//! functions, their tokens and corpora.

pub mod bpe;
pub mod corpus;
mod hash;
pub mod language;
pub mod python;
pub mod split;
pub mod sums;
pub mod tokens;
