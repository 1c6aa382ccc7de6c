//! Network parts and losses, on any burn device. Nothing here knows what is learnt with them.

pub mod adamw;
pub mod bottleneck;
pub mod channel;
pub mod init;
pub mod losses;
pub mod t5;
