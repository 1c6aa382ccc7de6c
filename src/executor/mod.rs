//! The Latent Executor: a T5 autoencoder of states, a T5 autoencoder of programs, and an executor network from their
//! two latents to the latent of the result. Trained on the tokens of sums such as `71+?=18`, it orders both latent
//! planes by number; its program space can be mapped, walked and searched.
//!
//! ```
//! use glyphspace::{
//!     data::{language::Language, sums::Sum},
//!     device::{self, Choice},
//!     executor::checkpoint::{bundled, load},
//! };
//!
//! let device = device::open(Choice::Cpu)?.device;
//! let executor = load(&bundled(Language::TwoDigits, None, 1)?, &device)?;
//!
//! // The embedding of the program that solves the sum, decoded and run on 71.
//! let sum: Sum = "71+?=18".parse()?;
//! let embedding = executor.code_embeddings([sum.solution()])?;
//! assert_eq!(executor.decode(&embedding)?, [Some(sum.solution())]);
//! let outcome = executor.evaluate(&embedding, sum)?;
//! assert_eq!(outcome.result, [Some(18)]);
//! # Ok::<(), anyhow::Error>(())
//! ```

mod batch;
pub mod benchmark;
pub mod checkpoint;
pub mod command;
pub mod config;
pub mod evaluation;
pub mod export;
mod format;
pub mod inference;
mod interactive_search;
pub mod job;
mod losses;
pub mod map;
pub mod model;
mod planes;
pub mod programs;
pub mod projection;
mod sampling;
mod search_run;
mod step_plan;
pub mod system;
pub mod trace;
pub mod views;
