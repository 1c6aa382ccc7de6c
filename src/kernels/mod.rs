//! Custom kernels: operations that burn composes of many, each as one operation with a gradient of its own.
//!
//! On the CPU most of a training step of small models is memory traffic between elementwise operations, and scalar
//! exponentials and error functions inside them: there these run in one pass and eight values at a time. A GPU waits
//! for launches: there each is one kernel, beside the matrix products of attention and the sums of weight gradients.
//! burn's own fusion makes 1,875 launches of 3,083 in a step of the pocket executor, but its bookkeeping makes that step
//! three times as long where a GPU takes no time at all: 387 ms, 128 without.
//!
//! No other module names cubecl, macerator or gemm, but for graph capture (`training::captured_step`).
//!
//! # Operations
//!
//! CPU is burn's `Flex`, GPU its `Cube` (wgpu); a backend that is not named runs the reference composition. Gains are
//! those noted when the kernel was written, which did not note the command.
//!
//! | operation | forward, backward | backends | what of burn it replaces | measured gain | remove when |
//! |---|---|---|---|---|---|
//! | [`Activation`]: relu, exp, sigmoid, silu, gelu, leaky relu | both | CPU, GPU | one operation each for the arithmetic, as many again backward; scalar `exp` and `erf` on the CPU | not measured | fusion is right with autotune and cheap per step (burn #5257) |
//! | [`cross_entropy`] | both | CPU, GPU | `log_softmax`, `gather`, `mean` | not measured | burn #5257 |
//! | [`entropy`] | forward alone | CPU | `log_softmax`, `exp`, `sum` | not measured | burn #5257 |
//! | [`layer_norm`] | both | CPU, GPU | backward: `autodiff` composes it; forward: flex's own, not compared | not measured | burn #5257 |
//! | [`rms_norm`] | both | CPU, GPU | `square`, `mean`, `sqrt`, `div`, `mul` | not measured | burn #5257 |
//! | [`attention()`] | both | CPU (short sequences in registers), GPU (softmax with bias; products are burn's) | backward: `autodiff` falls back to a composition | not measured | burn has a fused backward (cubek #272) |
//! | [`matmul`] | both | CPU | flex's product, which fills the output with zeros and copies them before it multiplies | 9 % of an executor's step and 13 % of a map (2026-11-22) | flex writes into uninitialised memory (no issue filed) |
//! | [`gather`] | both | GPU backward | `select_assign`, which adds one row after the other on a GPU | not measured | `select_assign` is parallel and deterministic (no issue filed) |
//! | [`permute_rows`] | both | CPU and GPU, by `select` | the `select_assign` of `select`'s backward | not measured | as [`gather`] |
//! | [`image_ops::warp`] | both | CPU, GPU | `grid_sample_2d`, some forty operations under autodiff, and one warp more | 11 % of a glyphs step on the CPU, with overlay (2026-11-23) | burn #2674 has a backward kernel |
//! | [`image_ops::overlay`] | both | CPU, GPU | uploads of pictures of noise and patches at every step, which graph capture forbids | with warp | never: it is not burn's |
//! | [`image_ops::rectify`] | forward alone | CPU, GPU | a round trip of the corners to the host | not measured | never: it is not burn's |
//!
//! # References
//!
//! Each has a composition of burn's operations for any backend in a file `reference.rs`, which unit tests compare the
//! CPU's kernels with; `tests/nn/fused.rs` compares them with burn's own layers and finite differences, and
//! `tests/nn/fused_gpu.rs` the GPU's kernels with the CPU's. [`image_ops::rectify`]'s reference is [`Homography`].
//!
//! [`Homography`]: image_ops::Homography

mod fused;
pub mod image_ops;

pub use fused::{
    Activation, Fused, FusedGradients, Heads, attention, cross_entropy, entropy, exp, gather, gelu,
    layer_norm, leaky_relu, matmul, permute_rows, relu, rms_norm, sigmoid, silu,
};

pub(crate) use fused::cube::copy;
