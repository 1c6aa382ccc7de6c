//! Network parts and losses, on any burn device. Nothing here knows what is learnt with them.

pub mod adamw;
pub mod bottleneck;
pub mod conv;
pub(crate) mod device_constants;
pub mod distortions;
pub mod fused;
pub mod generators;
pub mod glyph_losses;
pub mod init;
pub mod linear;
pub mod losses;
pub mod mosaic;
pub mod muon;
pub mod perceptor;
pub mod resnet_v2;
pub mod roberta;
pub mod slot_projection;
pub mod t5;
pub(crate) mod transparent;
pub mod weights;
