//! The Latent Executor: two T5 autoencoders, one of states and one of programs, and an executor
//! between their latents. It learns sums such as `71+?=18` from their tokens, and the order of
//! the planes from which numbers follow one another; its space of programs can then be seen, walked and
//! searched.

mod batch;
pub mod benchmark;
pub mod checkpoint;
pub mod command;
pub mod evaluation;
pub mod export;
pub mod inference;
mod interactive_search;
pub mod job;
pub mod map;
pub mod model;
mod objective;
pub mod programs;
pub mod projection;
mod sampling;
mod search_run;
mod step_plan;
mod terms;
pub mod trace;
pub mod trainer;
pub mod views;
