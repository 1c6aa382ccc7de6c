//! Glyphspace: see and walk what models learn about code.
//!
//! # Bird's eye view
//!
//! Two systems share one trainer, one engine and one window. The *Latent Executor* ([`executor`]) is two T5 variational
//! autoencoders and an executor between their latents; it learns sums such as `71+?=18`, and its 2-D plane of programs can
//! be mapped, walked and searched. *Code Glyphs* ([`glyphs`]) are a transformer and a CNN that turn Python functions into
//! pictures and pictures back into functions. Data flows one way:
//!
//! ```text
//! sums, corpus -> tokens -> host inputs -> tensors -> training step -> snapshot -> views (plain data) -> pixels or files
//!    [data]       [data]     [training]    [nn]        [training]      [executor, glyphs]              [ui, cli, plot]
//! ```
//!
//! # Code map
//!
//! | module | contents |
//! |---|---|
//! | [`config`] | configuration of a run, one struct a system, the same for file, flags and window |
//! | [`data`] | sums and their tokenizer, the held-out split; Python functions, BPE tokenizer, corpora |
//! | [`kernels`] | fused operations and image operations, on the CPU and on GPUs; all that names cubecl, macerator and gemm |
//! | [`nn`] | network blocks (T5, RoBERTa, convolutions), losses, distortions, optimizers; no system |
//! | [`training`] | the [`training::System`] trait, and all that is the same for every system: trainer, data parallelism, graph capture, runs, checkpoints |
//! | [`executor`], [`glyphs`] | a system each: model, losses, step plan, inference, evaluation, views, job |
//! | [`latent`] | points, fields, order, projections and search of latent spaces; no tensors |
//! | [`engine`] | the one thread that computes, and the channels to it; run folders |
//! | [`device`] | adapters, and the choice of one |
//! | [`files`], [`signals`], [`at_exit`] | named output files, and ends of the process that others decide on |
//! | [`palette`], [`plot`] | colour scales, pictures and tables, the same for window and files |
//! | [`ui`] | the window |
//! | [`cli`] | the command line: the same jobs without a display |
//!
//! # Where do I find
//!
//! - *A training step*: [`training::Trainer::step`] draws the shards and has each planned by [`training::System::plan`] (all
//!   random draws, on the host); [`training::TrainState::step`] uploads the inputs, calls [`training::System::losses`], and
//!   updates the weights: shards in parallel on the CPU (`training/data_parallel.rs`), one captured graph on a GPU
//!   (`training/captured_step.rs`).
//! - *A loss map from text to pixel*: [`data::sums::Sum`] is parsed, `ExecutorCommand::Watch` begins an
//!   [`executor::map::MapTask`], whose `Landscape` the job puts into the views; `ui/planes.rs` hands its field to
//!   [`ui::canvas`], which uploads it as a texture that `shaders/heatmap.wgsl` colours.
//! - *A pasted function's way*: `ui/glyphs/editor.rs`, a `GlyphQuery` to the engine, `GlyphsJob::probe`,
//!   [`glyphs::inference::GlyphReader`] (tokens, glyph, distortions, reading), `GlyphView` in the views, `ui/glyphs/paint.rs`.
//! - *A click's way*: [`ui::canvas`] reports the latent point, `ui/session/pointing.rs` asks for it, `ExecutorJob::probe`
//!   decodes and runs the program there and puts a `PointAnswer` into the views.
//! - *The search loop*: [`latent::search`] has the methods (ask, tell); `executor/search_run.rs` evaluates what they ask for;
//!   `executor/interactive_search.rs` paces it for the window, [`executor::benchmark`] runs it without.
//! - *The checkpoint's format*: [`training::checkpoint`] and [`engine::run_folder`]: a folder of config.json, progress.json,
//!   model.bpk, moments.bpk (burn records), metrics.csv, a system's extra files, and SHA256SUMS over all of them. There is no
//!   version number: files are read by name, keys that came later have defaults, renamed keys are read by either name.
//! - *The device's choice*: [`device::select`]; `--device` and the window's menu are [`device::Choice`]s.
//!
//! # How to add
//!
//! - *A loss*: a weight in the system's configuration (`config/`, with its presets), and `losses.add(name, weight, value)` in
//!   its `losses.rs`. The total, metrics.csv and the trace follow.
//! - *A search method*: a file in `latent/search/` that implements [`latent::search::Search`], a variant of
//!   [`latent::search::Method`] and its arm in [`latent::search::start`].
//! - *A language of sums*: a variant of [`data::language::Language`] with its codes, states and tokenizer file.
//! - *A preset*: `config/executor/presets.rs` or `config/glyphs.rs`.
//! - *A panel*: a file in `ui/` with a function that draws and returns what was asked for; its state in the session.
//! - *A system*: [`training::System`] (see tests/training/parity.rs for the smallest one), a job for the engine, a page.
//!
//! # Invariants
//!
//! Tests read the `use` lines of the source (tests/layering.rs, tests/circles.rs).
//!
//! - `ui` and `cli` never name burn; only `ui` names egui; `engine` names no model; no file depends on itself by way of
//!   others.
//! - No tensor reaches the window: views are plain data.
//! - The window thread never waits for the engine. Every burn call is made by the engine's thread, or by threads that work on
//!   parts of a step, a map or a batch of pictures while the engine's thread waits. A trace (`bench --trace`) has no engine.
//! - Between plan and losses nothing is uploaded, and equal plans launch equal kernels: a GPU's step is captured once and
//!   replayed. Losses are given device inputs and no device.
//! - Everything random in a step follows from the run's seed, the step's number and the kind of device: on a GPU shards are
//!   merged and batches are bucketed, so the same seed draws other batches than on the CPU.
//! - A file or folder that is there is never overwritten unless it was named as the one to write.
//!
//! # Words of our own
//!
//! - *slot*: place of a token in a glyph's latent; *cell*: its part of the picture; *layout*: rows and columns of cells.
//! - *glyph*: the 128x128 picture of a function.
//! - *state, code, line*: a number a program runs on, a one-line program, and its place in a longer program.
//! - *region*: the points of the plane that decode to one program.

pub mod at_exit;
pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod engine;
pub mod executor;
pub mod files;
pub mod glyphs;
pub mod kernels;
pub mod latent;
pub mod nn;
pub mod palette;
pub mod plot;
pub mod signals;
pub mod training;
pub mod ui;
