//! All integration tests in one binary.
#![allow(clippy::unwrap_used)]

mod benchmark;
mod canvas;
mod circles;
mod command_line;
mod corpus;
mod data;
mod designs;
mod desktop;
mod device;
mod distortions;
mod embedder;
mod engine;
mod files;
mod glyphs;
mod kernels;
mod latent;
mod layering;
mod nn;
mod palette;
mod peers;
mod projection;
mod python;
mod rewrites;
mod search;
mod training;
mod vision;
mod window;
mod window_functions;
mod window_glyphs;
mod window_layout;
mod window_pointing;
mod window_runs;
mod window_space;
mod window_titles;
