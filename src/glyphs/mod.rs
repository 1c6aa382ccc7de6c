//! Code Glyphs: a transformer and a CNN that turn Python functions into pictures of 128x128 pixels, and the pictures back
//! into functions.
//!
//! ```
//! use glyphspace::{
//!     device::{self, Choice},
//!     glyphs::checkpoint::load,
//!     training::checkpoint::Source,
//! };
//!
//! let device = device::open(Choice::Cpu)?.device;
//! let reader = load(&Source::Bundled, &device)?;
//!
//! // A function's tokens, its glyph, and the text read from that.
//! let function = "def add(a, b):\n    return a + b\n";
//! let tokens = reader.tokens(function)?;
//! let glyph = reader.glyph(&tokens)?;
//! let decoded = reader.read(&[glyph])?.remove(0);
//! assert_eq!(reader.spell(decoded).text, function);
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod alignment;
mod architecture;
mod batch;
pub mod blots;
pub mod border;
mod cell_fates;
pub mod checkpoint;
pub mod code;
pub mod command;
pub mod config;
pub mod corpus_functions;
pub mod curriculum;
pub mod evaluation;
pub mod image_io;
pub mod inference;
pub mod job;
pub mod language_prior;
mod locating;
mod losses;
mod model;
pub mod morph;
pub mod networks;
pub mod overlay;
pub mod pages;
pub mod photo;
mod place_search;
pub mod reading;
mod recognition;
mod recounting;
pub mod reed_solomon;
pub mod scene;
pub mod similarity;
mod step_plan;
pub mod system;
mod token_batch;
pub mod views;
