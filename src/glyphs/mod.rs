//! Code Glyphs: Python functions as pictures of 128x128 pixels, and the pictures back as functions.

mod architecture;
mod batch;
pub mod checkpoint;
pub mod command;
pub mod corpus_functions;
pub mod curriculum;
pub mod evaluation;
pub mod image_io;
pub mod inference;
pub mod job;
mod model;
mod objective;
mod step_plan;
mod token_batch;
pub mod trace;
pub mod trainer;
pub mod views;
