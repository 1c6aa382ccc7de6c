//! Glyphspace: see and walk what models learn about code.
//!
//! # Bird's eye view
//!
//! Two systems share one trainer, one engine and one window. The *Latent Executor* ([`executor`]) is two T5 autoencoders,
//! whose latents a discrepancy (MMD) spreads over a box, and an executor between the latents; it learns sums such as
//! `71+?=18`, and its 2-D plane of programs can be mapped, walked and searched. *Code Glyphs* ([`glyphs`]) are a transformer
//! and a CNN that turn Python functions into pictures and pictures back into functions. Data flows one way:
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
//! | [`data`] | sums and their tokenizer, the held-out split; Python functions, BPE tokenizer, corpora |
//! | [`kernels`] | fused operations and image operations, on the CPU and on GPUs; only here, and for graph capture in `training/captured_step.rs`, are cubecl, macerator and gemm named |
//! | [`nn`] | network blocks (T5, RoBERTa, convolutions), losses, distortions, optimizers; no system |
//! | [`training`] | the [`training::System`] trait, and all that is the same for every system: configuration, trainer, data parallelism, graph capture, runs and their folders, checkpoints, commands and events |
//! | [`executor`], [`glyphs`] | a system each: configuration, networks, model, losses, step plan, inference, evaluation, views, job |
//! | [`embedder`] | a third, small system without a page: embeddings of functions by what they compute with, for [`glyphs`] |
//! | [`latent`] | points, fields, order, projections and search of latent spaces; no tensors |
//! | [`engine`] | the one thread that computes, and the channels to it |
//! | [`device`] | adapters, and the choice of one |
//! | [`files`], [`signals`], [`at_exit`] | named output files; Ctrl-C and other signals; work to be saved when a library calls `exit` |
//! | [`palette`], [`plot`] | colour scales, pictures and tables, the same for window and files |
//! | [`ui`] | the window |
//! | [`cli`] | the command line: the same jobs without a display |
//!
//! # Where do I find
//!
//! - *A training step*: [`training::Trainer::step`] draws the shards and has each planned by [`training::System::plan`] (all
//!   random draws, on the host); [`training::TrainState::step`] uploads the inputs, calls [`training::System::losses`], and
//!   updates the weights (`nn/adamw.rs`): shards in parallel on the CPU (`training/data_parallel.rs`), captured graphs on a GPU,
//!   one for each of the first plans that come twice (`training/captured_step.rs`, which has the limits).
//! - *A loss map from text to pixel*: `ui/executor/workspace.rs` parses the text to a [`data::sums::Task`] and sends its first
//!   [`data::sums::Sum`] in `ExecutorCommand::Watch`; `executor/job.rs` begins an [`executor::map::MapTask`], whose `Landscape` it
//!   puts into the views; `ui/executor/planes.rs` hands its field to
//!   [`ui::canvas`], which uploads it as a texture that `shaders/heatmap.wgsl` colours.
//! - *A pasted function's way*: `ui/glyphs/editor.rs`, `ui/glyphs/workspace.rs` sends a `GlyphQuery` to the engine,
//!   `GlyphsJob::probe`, [`glyphs::inference::GlyphReader`] (tokens, glyph, distortions, reading), `GlyphView` in the views;
//!   `ui/glyphs/paint.rs` draws its pictures, `ui/glyphs/reading.rs` the text that was read.
//! - *A neighbour's way*: `GlyphsJob::command` (`Near`) paints and reads the functions of a corpus slice by slice, and
//!   [`embedder::Embedder`] embeds the text that was read: [`data::python::idioms`], weights, projection.
//! - *A photo's way*: [`glyphs::image_io::read`], [`glyphs::inference::GlyphReader::read_photo`] (`glyphs/locating.rs`: windows,
//!   locator; `glyphs/border.rs`: the four sides), `glyphs/recognition.rs` (pose head, recognizer, alignment with what was
//!   read), [`glyphs::code::decode`].
//! - *A click's way*: [`ui::canvas`] reports the latent point, `ui/executor/workspace.rs` sends `ExecutorCommand::Decode`, the job
//!   decodes and runs the program there, and `ui/executor/pointing.rs` pins the `PointAnswer` of the event. A hover is a probe
//!   instead, of which only the newest is answered, in the views.
//! - *The search loop*: [`latent::search`] has the methods (ask, tell), `executor/search_run.rs` wraps one with its task and
//!   budget. `executor/interactive_search.rs` (window, `executor solve`) and [`executor::benchmark`] ask it, evaluate the points by
//!   `executor/programs.rs`, and tell it the losses.
//! - *The checkpoint's format*: [`training::checkpoint`]; a run's folder ([`training::run_folder`]) has metrics.csv and the newest
//!   `checkpoint-NNNNNNNN/`: config.json, progress.json, model.bpk and moments.bpk (burn records), metrics.csv up to its step,
//!   a system's extra files, and SHA256SUMS over all of them. There is no version number: files are read by name, keys that came
//!   later have defaults, unknown keys are refused, renamed keys are read by either name ([`training::config::Config::RENAMED`]).
//! - *The device's choice*: [`device::select`] (the best GPU; a driver in software only by `gpu:N`) and [`device::open`], where
//!   `auto` alone falls back to the CPU; `--device` and the window's menu are [`device::Choice`]s.
//!
//! # How to add
//!
//! - *A loss*: a weight in the system's configuration (`config.rs`; its key ends in `_weight`, with `#[serde(default)]` so that
//!   older runs load, and a value in `preset`), and `losses.add(name, weight, value)` in its `losses.rs`, in every step (names are
//!   those of the first one; zero where there is nothing to score); random draws it needs go into `step_plan.rs`. The total, metrics.csv and the trace follow; the window's plots (`ui/executor/panels.rs`,
//!   `ui/glyphs/training.rs`) name the curves they show. A weight that a preset uses needs the term in its PyTorch twin, too
//!   (tests/peers).
//! - *A search method*: a file in `latent/search/` that implements [`latent::search::Search`] and `Clone`; its `mod` line and its
//!   arm of [`latent::search::start`], both in `latent/search/mod.rs`; a variant of [`latent::search::Method`] with its texts and
//!   its place in `ALL`. Command line, window, benchmark and tests follow.
//! - *A language of sums*: a variant of [`data::language::Language`] with its place in `ALL`; the compiler lists most of what it
//!   needs, besides a tokenizer (`data/tokens.rs`) and sums (`data/sums.rs`) that know its operators.
//! - *A preset*: its name in `PRESETS` and its arm of `preset`, both in `executor/config/presets.rs`, or in `GLYPH_PRESETS` and
//!   `preset` of `glyphs/config/presets.rs`; the first name is the default.
//! - *A panel*: a file in `ui/` with a function that draws and returns what was asked for; its state in the page's workspace.
//! - *A system*: a folder of its own with a [`training::System`] (tests/training/parity.rs is the smallest one): that is enough to
//!   train, save, resume, capture and trace it. A [`training::ServedSystem`] and a [`training::SystemJob`] let commands reach it.
//!   Files to change: this one, tests/layering.rs (a row for its room, and its name in those of `cli` and `ui`), `cli/mod.rs` for
//!   its commands. For a page in the window: a variant of [`ui::system::SystemPage`] with its place in `ALL` and the matches that
//!   the compiler lists, and in `ui/engine_client.rs` its views (also in `start`, `save_at_exit` and `retire_engine`: its
//!   run is saved by them), its `PageJob` and its `jobs.add`.
//!
//! # Invariants
//!
//! Tests read the paths that the source names (tests/layering.rs, tests/circles.rs).
//!
//! - `ui` and `cli` never name burn; only `ui` names egui; `engine` names no model; files don't import one another
//!   in a circle.
//! - No tensor reaches the window: views are plain data.
//! - The window thread never waits for the engine. Every burn call is made by the engine's thread, or by threads that work on
//!   parts of a step, a map or a batch of pictures while the engine's thread waits. A trace (`bench train --trace`) has no engine; layouts
//!   (t-SNE, PCA) have a thread of their own.
//! - A step's inputs are uploaded once, before its losses, which upload nothing; equal plans launch equal kernels: a GPU's
//!   step is captured when its plan comes the second time, and replayed. [`training::System::losses`] is given constants and
//!   inputs that are on the device, and no system and no device. An upload is heard: no further step is captured, and a
//!   warning says so. Other kernels for an equal plan would not be: the old graph would be replayed, so all that decides about
//!   kernels belongs into the plan, and a number that changes from step to step is an input ([`training::HostInputs::values`]),
//!   neither a host number nor part of the plan.
//! - Everything random in a step follows from the run's seed, the step's number and the kind of device: on a GPU shards are
//!   merged and batches are bucketed, so the same seed draws other batches than on the CPU.
//! - A file or folder that is there is never overwritten unless it was named as the one to write.
//!
//! # Words of our own
//!
//! - *room*: a top-level module.
//! - *slot*: place of a token in a glyph's latent; *cell*: its part of the picture; *layout*: rows and columns of cells.
//! - *glyph*: the 128x128 picture of a function.
//! - *code* (of a glyph): check and parity in cells beside the tokens' (`glyphs/code.rs`); elsewhere a *code* is a program.
//! - *state, code, line*: a number a program runs on, a one-line program, and its place in a longer program.
//! - *region*: the points of the plane that decode to one program.

pub mod at_exit;
pub mod cli;
pub mod data;
pub mod device;
pub mod embedder;
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
