//! Networks and losses of Code Glyphs alone.

pub mod generators;
pub mod losses;
pub mod mosaic;
pub mod perceptor;
pub mod resnet_v2;
pub mod slot_projection;
