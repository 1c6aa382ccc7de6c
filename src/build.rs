//! Build script: linker options of the program.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    // Equal functions are kept once: kernels are generic, and a tenth of the program would be copies. Only
    // where Rust brings a linker that can.
    let target = ["ARCH", "OS", "ENV"].map(|part| var(format!("CARGO_CFG_TARGET_{part}")));
    if target.map(Result::unwrap_or_default) == ["x86_64", "linux", "gnu"] {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}
