//! Custom kernels: operations that burn composes of many, each as one operation with a gradient of its own.
//!
//! On the CPU most of a training step of small models is memory traffic between elementwise operations, and scalar
//! exponentials and error functions inside them: there these run in one pass and eight values at a time. A GPU waits
//! for launches: there each is one kernel, beside the matrix products of attention and the sums of weight gradients.
//! burn's own fusion saves launches, too, but is wrong with autotune on wgpu (burn #5257), and its bookkeeping takes
//! longer than the launches that it saves.
//!
//! No other module names cubecl, macerator or gemm, but for graph capture (`training::captured_step`).
//!
//! # Operations
//!
//! CPU is burn's `Flex`, GPU its `Cube` (wgpu). Gain is the time of the composition over that of the operation, forward
//! and with the backward pass, at the sizes of a step of the pocket presets: the median of five runs of
//! `cargo test --release -- --ignored --nocapture gains` on 2026-11-29, on two cores that were not idle otherwise. Gains
//! on a GPU are not measured.
//!
//! | operation | forward, backward | backends | what of burn it replaces | gain on the CPU: forward, with backward | remove when |
//! |---|---|---|---|---|---|
//! | [`Activation`]: relu | both | CPU, GPU | `relu` | 0.9, 1.0 | fusion is right with autotune and cheap per step (burn #5257) |
//! | [`Activation`]: exp, sigmoid, silu, gelu, leaky relu | both | CPU, GPU | one operation each for the arithmetic, as many again backward; scalar `exp` and `erf` on the CPU | exp 6.1, 3.7; sigmoid 9.4, 5.7; silu 9.5, 5.8; gelu 6.9, 5.6; leaky relu 12.8, 10.8 | burn #5257 |
//! | [`cross_entropy`] | both | CPU, GPU | `log_softmax`, `gather`, `mean` | 8.1, 6.6 | burn #5257 |
//! | [`entropy`] | forward alone | CPU; composed on a GPU | `log_softmax`, `exp`, `sum` | 3.8 | burn #5257 |
//! | [`layer_norm`] | both | CPU, GPU | forward: flex's own; backward: `autodiff` composes it | 4.0, 2.4 | burn #5257 |
//! | [`rms_norm`] | both | CPU, GPU | `square`, `mean`, `sqrt`, `div`, `mul` | 3.6, 2.4 | burn #5257 |
//! | [`attention()`] | both | CPU (short sequences in registers), GPU (softmax with bias; products are burn's) | `matmul`, `softmax`; backward: `autodiff` falls back to a composition | of 8 tokens 2.9, 2.3; of 48 tokens 1.8, 1.1 (0.8 to 1.5) | burn has a fused backward (cubek #272) |
//! | [`matmul`] | both | CPU; burn's on a GPU | flex's product, which fills the output with zeros and copies them before it multiplies | 512 x 32 x 128: 1.4, 1.2; 1536 x 64 x 256: 1.3, 1.1 | flex writes into uninitialised memory (no issue filed) |
//! | [`gather`] | both | backward on a GPU; burn's otherwise | `select_assign`, which adds one row after the other on a GPU | 0.9, 1.0 (CPU only measured) | `select_assign` is parallel and deterministic (no issue filed) |
//! | [`permute_rows`] | both | CPU and GPU, by `select` | the `select_assign` of `select`'s backward | 1.0, 1.2 (CPU only measured) | as [`gather`] |
//! | [`image_ops::warp`] | both | CPU, GPU | `grid_sample_2d` and the grid, some forty operations under autodiff, and one warp more | 15.3, 12.0 | burn #2674 has a backward kernel |
//! | [`image_ops::overlay`] | both | CPU, GPU | uploads of pictures of noise and patches at every step, which graph capture forbids | 7.9, 3.4 | never: it is not burn's |
//! | [`image_ops::rectify`] | forward alone | CPU, GPU | a round trip of the corners to the host | 1.3 (CPU only measured) | never: it is not burn's |
//!
//! # Compositions
//!
//! `tests/kernels/compositions.rs` has the composition of burn's operations that each operation stands for. On the CPU
//! `tests/kernels/fused.rs` and `images.rs` compare values and gradients with it, and with finite differences;
//! `gpu.rs` compares those of the GPU's kernels with the CPU's.

mod fused;
pub mod image_ops;

pub use fused::{
    Activation, Fused, FusedGradients, Heads, attention, cross_entropy, entropy, exp, gather, gelu,
    layer_norm, leaky_relu, matmul, permute_rows, relu, rms_norm, sigmoid, silu,
};

pub(crate) use fused::cube::copy;
