//! The Latent Executor: two T5 autoencoders, one of states and one of programs, and an executor
//! between their latents. It learns sums such as `71+?=18` from their tokens, and the order of
//! the planes from which numbers follow one another; its space of programs can then be seen, walked and
//! searched.

mod batch;
pub mod benchmark;
pub mod board;
pub mod checkpoint;
pub mod command;
mod draws;
pub mod export;
mod hunt;
pub mod inference;
pub mod job;
pub mod lines;
pub mod map;
pub mod model;
mod objective;
pub mod projection;
mod pursuit;
pub mod report;
mod sight;
mod terms;
pub mod trace;
pub mod trainer;
