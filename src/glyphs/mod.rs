//! Code Glyphs: Python functions as pictures of 128x128 pixels, and the pictures back as functions.

mod batch;
pub mod board;
pub mod checkpoint;
pub mod command;
pub mod curriculum;
mod design;
mod encoded;
pub mod functions;
pub mod inference;
pub mod job;
mod model;
mod objective;
pub mod picture;
pub mod report;
mod sight;
pub mod trace;
pub mod trainer;
