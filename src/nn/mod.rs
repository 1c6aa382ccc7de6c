//! Network layers, losses and optimizers that several systems share, and the distortions; on any burn device.

pub mod adamw;
pub mod bottleneck;
pub mod conv;
pub(crate) mod device_constants;
pub mod distortions;
pub mod flat;
pub mod init;
pub mod linear;
pub mod losses;
pub mod muon;
pub mod roberta;
pub mod t5;
pub(crate) mod untagged;
pub mod weights;
