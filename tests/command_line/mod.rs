//! The program as people and scripts call it: what goes to which stream, exit codes, files.

mod bench;
mod interrupts;
mod outputs;
mod questions;
mod runs;
mod spaces;
mod usage;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_glyphspace");

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

pub fn glyphspace(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("XDG_RUNTIME_DIR");
    command.output().unwrap()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The program does the job: exit code 0, no complaint; what it wrote to standard output.
pub fn check_done(folder: &Path, line: &str) -> String {
    let output = glyphspace(folder, line);
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{line:?}: {complaints}");
    assert!(!complaints.contains("panicked"), "{line:?}: {complaints}");
    text(&output.stdout).to_owned()
}

pub fn check_json(folder: &Path, line: &str) -> Value {
    let written = check_done(folder, line);
    serde_json::from_str(&written).unwrap_or_else(|error| panic!("{line:?}: {error}: {written}"))
}

/// The program says in one line of standard error why it doesn't do it, and writes nothing else.
pub fn check_refused(folder: &Path, line: &str, code: i32, named: &[&str]) {
    let output = glyphspace(folder, line);
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{line:?}: {complaints}");
    // What it computes on, and how far it got, is said as it goes on.
    let mut expected = vec![
        "glyphspace: running on ",
        "mapping ",
        "training ",
        "searching ",
        "judging ",
        "projecting ",
    ];
    if line.contains("gpu") {
        // Graphics drivers have their own things to say.
        expected.extend(["libEGL", "MESA", "WARNING: "]);
    }
    let is_expected = |line: &&str| expected.iter().any(|begin| line.starts_with(begin));
    let said: Vec<&str> = complaints
        .lines()
        .filter(|line| !is_expected(line))
        .collect();
    assert!(
        said.len() == 1 && said[0].starts_with("glyphspace: "),
        "{line:?}: {complaints}"
    );
    for name in named {
        assert!(
            said[0].contains(name),
            "{line:?}: {:?} doesn't name {name:?}",
            said[0]
        );
    }
    assert_eq!(text(&output.stdout), "", "{line:?}");
}

pub fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// A folder with `run`, a model of a few steps.
pub fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sizes = "--set d_model=16 --set d_kv=8 --set num_heads=2 --set bottleneck=24";
    let train = "executor train --out run --steps 3 --seed 5 --dims 3 --device cpu";
    check_done(folder.path(), &format!("{train} {sizes}"));
    folder
}

/// `solved` is exact: it is so if and only if `code` really solves the sum.
fn check_found(found: &Value, start: i64, result: i64) {
    let path = found["path"].as_array().unwrap();
    assert_eq!(
        found["evaluations"].as_u64(),
        Some(path.len() as u64),
        "{found}"
    );
    let solves = |code: &Value| code.as_i64().is_some_and(|code| start + code == result);
    assert_eq!(found["solved"], solves(&found["code"]), "{found}");
    assert_eq!(
        found["solved"],
        path.iter().any(|tried| solves(&tried["code"])),
        "{found}"
    );
    let best = path
        .iter()
        .filter_map(|tried| tried["loss"].as_f64())
        .fold(f64::INFINITY, f64::min);
    assert_eq!(found["best_loss"].as_f64(), Some(best), "{found}");
    for tried in path {
        let point = tried["point"].as_array().unwrap();
        assert!(
            point
                .iter()
                .all(|z| z.as_f64().is_some_and(|z| (-1.0..=1.0).contains(&z))),
            "{tried}"
        );
    }
}
