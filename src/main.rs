//! The `glyphspace` program: everything is in the library.

use std::process::ExitCode;

/// Training on the CPU makes and frees many small tensors; this allocator made it a quarter faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc's number for how long freed memory is kept before the system gets it back.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Longer than a training step: what one step frees the next one needs. With the default of a second
/// Code Glyphs train at half the speed.
const PURGE_DELAY_MS: std::ffi::c_long = 20_000;

fn main() -> ExitCode {
    // SAFETY: sets a number in the allocator, before any other thread runs.
    #[allow(unsafe_code)]
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS);
    }
    glyphspace::cli::main()
}
