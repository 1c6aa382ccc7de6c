//! Glyphspace: see and walk what models learn about code.
//!
//! Small models learn to run programs; their latent spaces can be seen, walked and searched. Here is
//! the first of two systems, the Latent Executor: sums such as `71+?=18`, whose programs lie on a
//! plane.
//!
//! # The way of the data
//!
//! ```text
//! sums -> tokens -> tensors -> training step -> board (plain views) -> pixels or files
//! ```
//!
//! # Code map
//!
//! | module | what it is |
//! |---|---|
//! | [`config`] | one configuration for file, flags and window |
//! | [`data`] | sums as typed, their tokens, the held-out split; Python functions, tokenizer, corpora |
//! | [`nn`] | T5 blocks, bottleneck, losses, AdamW; nothing of what is learnt |
//! | [`executor`] | the Latent Executor: model, training run, questions, maps, its job on the engine |
//! | [`latent`] | points, fields, order and search of latent spaces; no tensors |
//! | [`engine`] | the one thread that computes, and the wires to it |
//! | [`device`] | which device computes, and why |
//! | [`palette`], [`plot`] | colours, pictures and tables, the same for window and files |
//! | [`ui`] | the window |
//! | [`cli`] | the command line: the same jobs without a display |
//!
//! # What holds everywhere
//!
//! - `ui` and `cli` never name burn; only `ui` names egui. A test reads the `use` lines.
//! - `engine` knows no model: it runs a [`engine::Job`].
//! - Every burn call is made by the engine's thread; the window never waits for it.
//! - What a step draws at random follows from the run's seed and the step's number alone.
//! - A file or folder that is there is never overwritten unless it was named as the one to write.

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
