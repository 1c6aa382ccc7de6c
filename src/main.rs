//! The `glyphspace` program: everything is in the library but what concerns the process, its allocator and environment.

use std::{
    alloc::{GlobalAlloc, Layout},
    io::Write,
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use mimalloc::MiMalloc;

/// Global allocator: mimalloc. Training on the CPU makes and frees many small tensors; it made that a quarter faster.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// mimalloc's number for how long freed memory is kept before the system gets it back.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Longer than a training step: what one step frees the next one needs. With the default of a second
/// Code Glyphs train at half the speed.
const PURGE_DELAY_MS: std::ffi::c_long = 20_000;

fn main() -> ExitCode {
    // SAFETY: both before any other thread runs: a number in the allocator, and a variable of the environment.
    #[allow(unsafe_code)]
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS);
        if !has_wayland() {
            std::env::set_var("NODEVICE_SELECT", "1");
        }
    }
    glyphspace::cli::main()
}

/// True if a library may look for a Wayland display. Where there is no folder for its socket, libwayland says so on
/// standard error, twice for each list of devices: Mesa's layer that sorts Vulkan devices asks it which one the
/// display uses. `NODEVICE_SELECT` switches that layer off; which device computes is our choice anyway.
fn has_wayland() -> bool {
    let is_absolute = |name| std::env::var_os(name).is_some_and(|at| Path::new(&at).is_absolute());
    is_absolute("XDG_RUNTIME_DIR") || is_absolute("WAYLAND_DISPLAY")
}

/// mimalloc, and an end in order where there is no memory left: Rust's own is to abort.
struct Allocator;

// SAFETY: every call is mimalloc's; what it returns is passed on unless it is null, and then nothing returns.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        checked(unsafe { MiMalloc.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        checked(unsafe { MiMalloc.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        checked(unsafe { MiMalloc.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { MiMalloc.dealloc(block, layout) }
    }
}

fn checked(block: *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() {
        end_without_memory(bytes)
    }
    block
}

/// Ends the program with one line and exit code 1, allocating as little as can be.
#[cold]
fn end_without_memory(bytes: usize) -> ! {
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    if !IS_ENDING.swap(true, Ordering::Relaxed) {
        drop(writeln!(
            std::io::stderr(),
            "glyphspace: out of memory: {bytes} bytes more can't be had"
        ));
        glyphspace::files::remove_unfinished();
    }
    // Whatever is done at a usual exit may need memory, too.
    // SAFETY: takes no memory and doesn't return.
    #[allow(unsafe_code)]
    #[cfg(unix)]
    unsafe {
        libc::_exit(1)
    }
    #[cfg(not(unix))]
    std::process::exit(1)
}
