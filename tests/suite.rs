//! All integration tests in one binary.

mod canvas;
mod command_line;
mod data;
mod engine;
mod layering;
mod nn;
mod search;
mod training;
