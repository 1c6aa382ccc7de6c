//! Glyphspace: an explorer of latent spaces of code.
#![warn(missing_docs)]
pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod engine;
pub mod executor;
pub mod latent;
pub mod nn;
pub mod palette;
pub mod plot;
pub mod ui;
