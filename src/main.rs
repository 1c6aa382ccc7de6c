//! The `glyphspace` program: everything is in the library.

use std::process::ExitCode;

/// Training on the CPU makes and frees many small tensors; this allocator made it a quarter faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    glyphspace::cli::main()
}
