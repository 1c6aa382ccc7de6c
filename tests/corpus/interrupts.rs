//! Ctrl-C, and a Python that gives no answer.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::tree;

/// Longest wait after Ctrl-C. A second is promised; machines that test are busy.
const SOON: Duration = Duration::from_secs(3);

fn start(folder: &Path, sources: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_glyphspace"))
        .args(["glyphs", "corpus", "build", "--out", "a.corpus"])
        .args(sources)
        .env("PATH", folder.join("bin"))
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Presses Ctrl-C after a while; how long it took to end, and what was said.
fn interrupted(child: Child, after: Duration) -> (Duration, Output) {
    thread::sleep(after);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    (begun.elapsed(), output)
}

fn check_interrupted(folder: &Path, sources: &[&str], after: Duration) {
    let (took, output) = interrupted(start(folder, sources), after);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "it had ended before: {said}");
    assert!(took < SOON, "{sources:?} took {took:?} to stop: {said}");
    assert!(said.contains("stop"), "{said}");
    assert!(!folder.join("a.corpus").exists());
}

/// A folder with Pythons on its path that never answer.
fn silent_pythons() -> tempfile::TempDir {
    let script = b"#!/bin/sh\nexec /bin/sleep 60\n";
    let folder = tree(&[("bin/python3", script), ("bin/python", script)]);
    for name in ["bin/python3", "bin/python"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path().join(name), mode).unwrap();
    }
    folder
}

#[test]
fn a_python_that_gives_no_answer_is_passed_over() {
    let folder = silent_pythons();
    fs::remove_file(folder.path().join("bin/python")).unwrap();
    let output = start(folder.path(), &[]).wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("python3 gave no answer within 5 s"), "{said}");
    assert!(said.contains("reading the bundled sample"), "{said}");
}

#[test]
fn a_python_that_is_asked_ends_with_ctrl_c() {
    let folder = silent_pythons();
    check_interrupted(folder.path(), &[], Duration::from_secs(1));
}

#[test]
fn a_build_ends_with_ctrl_c_wherever_it_is() {
    // Many functions in one file, each of which is cut out of those round it.
    let nested: String = (0..40)
        .map(|level| format!("{}def f{level}(x):\n", " ".repeat(level)))
        .collect();
    let lines = format!("{}x = 'a text'  # a comment\n", " ".repeat(40)).repeat(100_000);
    let files = tree(&[
        ("bin/none", b""),
        ("nested/a.py", format!("{nested}{lines}").as_bytes()),
    ]);
    check_interrupted(files.path(), &["nested"], Duration::from_secs(2));

    // Many comments, and many files of them.
    let comments = "# a comment that goes on for a while\n".repeat(100_000);
    let comments = format!("{comments}def f(x):\n    return x\n");
    let files = tree(&[("comments/0.py", comments.as_bytes())]);
    let name = |nth: usize| files.path().join(format!("comments/{nth}.py"));
    // So many that no machine is done with them when it is interrupted: links, or they would fill the disk.
    for nth in 1..400 {
        fs::hard_link(name(0), name(nth)).unwrap();
    }
    check_interrupted(files.path(), &["comments"], Duration::from_millis(500));
}
