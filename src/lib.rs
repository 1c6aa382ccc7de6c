//! Glyphspace: see and walk what models learn about code.
//!
//! Small models learn about programs; their latent spaces can be seen, walked and searched. Two
//! systems: the Latent Executor runs sums such as `71+?=18`, whose programs lie on a plane; Code Glyphs
//! turn Python functions into pictures and pictures back into functions.
//!
//! # The way of the data
//!
//! ```text
//! sums, corpus -> tokens -> tensors -> training step -> board (plain views) -> pixels or files
//! ```
//!
//! # Code map
//!
//! | module | what it is |
//! |---|---|
//! | [`config`] | one configuration a system for file, flags and window |
//! | [`data`] | sums as typed, their tokens, the held-out split; Python functions, tokenizer, corpora |
//! | [`nn`] | T5 and RoBERTa blocks, mosaic, generators, readers, noisy channel, losses, fused operations, AdamW; nothing of what is learnt |
//! | [`training`] | runs, checkpoints and progress, the same for every system |
//! | [`executor`] | the Latent Executor: model, trainer, questions, maps, its job on the engine |
//! | [`glyphs`] | Code Glyphs: model, trainer, questions, judgement, its job on the engine |
//! | [`latent`] | points, fields, order, projections and search of latent spaces; no tensors |
//! | [`files`] | where named output goes: regular files whole or not at all, devices, links |
//! | [`signals`], [`at_exit`] | ends of the process that others decide on |
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
//! - Every burn call is made by the engine's thread, or in a training step by threads that work on
//!   shares of it while the engine's waits; the window never waits for either. A trace for another
//!   framework (`bench --trace`) is the exception: there is no engine then.
//! - What a step draws at random follows from the run's seed and the step's number alone.
//! - A file or folder that is there is never overwritten unless it was named as the one to write.

pub mod at_exit;
pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod engine;
pub mod executor;
pub mod files;
pub mod glyphs;
pub mod latent;
pub mod nn;
pub mod palette;
pub mod plot;
pub mod signals;
pub mod training;
pub mod ui;
