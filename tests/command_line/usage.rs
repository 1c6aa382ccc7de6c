//! Help, devices, and command lines and jobs that are refused.

use std::{collections::BTreeSet, fs, process::Command};

use super::{PROGRAM, check_done, check_refused, glyphspace, names, text, trained};

#[test]
fn help_and_version_are_results() {
    let folder = tempfile::tempdir().unwrap();
    assert!(check_done(folder.path(), "--version").starts_with("glyphspace "));
    let help = check_done(folder.path(), "--help");
    for command in ["tour", "executor", "devices", "--device"] {
        assert!(help.contains(command), "{help}");
    }
    let help = check_done(folder.path(), "executor --help");
    for command in ["train", "eval", "solve", "map", "decode"] {
        assert!(help.contains(command), "{help}");
    }
}

#[test]
fn wrong_command_lines_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("fly", &["fly"]),
        ("executor", &[]),
        ("executor solve", &["SUM"]),
        ("executor solve 71:?=18", &["71:?=18", "expected a sum"]),
        ("executor map 17100+?=18", &["17100", "from -9999 to 9999"]),
        (
            "executor solve 71+?=18 --method guess",
            &["guess", "enumerate"],
        ),
        ("executor solve 71+?=18 --budget 0", &["0", "budget"]),
        ("executor map 71+?=18 --size 3", &["3", "16"]),
        ("executor decode", &["POINT"]),
        ("executor decode 0.5 north", &["north", "from -1 to 1"]),
        ("executor decode 0.5 1.5", &["1.5", "from -1 to 1"]),
        ("executor decode NaN 0", &["NaN", "from -1 to 1"]),
        ("executor decode 0 0 --state 7", &["7", "10 to 99"]),
        ("executor train", &["--out"]),
        (
            "executor train --out run --set widht=3",
            &["widht", "d_model"],
        ),
        (
            "executor train --out run --set dims=none",
            &["dims", "none"],
        ),
        (
            "executor train --out run --set held_out=2",
            &["held_out is 2"],
        ),
        (
            "executor train --out run --preset huge",
            &["huge", "pocket"],
        ),
        (
            "executor train --out run --seconds 1 --steps 1",
            &["--seconds", "--steps"],
        ),
        ("executor train --out run --seconds -1", &["-1"]),
        (
            "executor train --out run --resume old --dims 3",
            &["--resume", "--dims"],
        ),
        ("executor eval --device abacus", &["abacus", "gpu:N"]),
    ];
    for (line, named) in cases {
        check_refused(folder.path(), line, 2, named);
    }
    assert_eq!(
        names(folder.path()),
        BTreeSet::new(),
        "a refused command left something behind"
    );
}

#[test]
fn jobs_that_can_not_be_done_exit_with_1() {
    let made = trained();
    let folder = made.path();
    fs::write(folder.join("file"), "x").unwrap();
    fs::create_dir_all(folder.join("full")).unwrap();
    fs::write(folder.join("full/notes.txt"), "mine").unwrap();
    let before = names(folder);
    let cases: &[(&str, &[&str])] = &[
        ("executor eval --run nowhere", &["nowhere"]),
        ("executor solve 71+?=18 --run file", &["file"]),
        ("executor decode 0 0 --run full", &["full"]),
        (
            "executor decode 0.1 0.2 --run run",
            &["2 values", "expected 3"],
        ),
        ("executor decode 0.1 0.2 0.3", &["3 values", "expected 2"]),
        (
            "executor map 71+?=18 --run run",
            &["3 latent dimensions", "three programs"],
        ),
        (
            "executor map 71+?=18 --size 16 --out file/map.png",
            &["file/map.png"],
        ),
        (
            "executor map 71+?=18 --size 16 --csv nowhere/map.csv",
            &["nowhere/map.csv"],
        ),
        (
            "executor train --out full --steps 1",
            &["full", "not empty"],
        ),
        ("executor train --out file/run --steps 1", &["file/run"]),
        (
            "executor train --out new --steps 1 --resume nowhere",
            &["nowhere"],
        ),
        ("tour --out full", &["full", "not empty"]),
    ];
    for (line, named) in cases {
        check_refused(folder, &format!("{line} --device cpu"), 1, named);
    }
    check_refused(folder, "executor eval --device gpu:99", 1, &["gpu:99"]);
    assert_eq!(
        names(folder),
        before,
        "a job that failed left something behind"
    );
    assert_eq!(
        fs::read_to_string(folder.join("full/notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn devices_are_listed_with_the_one_that_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    for choice in ["auto", "cpu"] {
        let listed = check_done(folder.path(), &format!("devices --device {choice}"));
        let taken: Vec<&str> = listed
            .lines()
            .filter(|line| line.starts_with('*'))
            .collect();
        assert_eq!(taken.len(), 1, "{listed}");
        assert!(listed.lines().any(|line| line.contains("cpu")), "{listed}");
        assert!(choice == "auto" || taken[0].contains("cpu"), "{listed}");
        assert!(!taken[0].contains("software"), "{listed}");
    }
}

#[test]
fn looking_for_devices_looks_for_no_display() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["devices", "executor decode 0 0"] {
        let output = glyphspace(folder.path(), line);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
        assert!(!said.contains("XDG_RUNTIME_DIR"), "{line}: {said}");
    }
}

/// A failed allocation or thread is reported in one line, and nothing aborts.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.py"), "def f(a):\n    return a\n").unwrap();
    let mut refused = 0;
    for kib in [100_000, 110_000, 120_000, 140_000, 170_000, 200_000] {
        for line in [
            "executor map 71+?=18 --out m.png --device cpu",
            "glyphs encode a.py --out g.png --device cpu",
            "executor solve 71+?=18 --device cpu",
        ] {
            let limited = format!("ulimit -v {kib}; exec {PROGRAM} {line}");
            let output = Command::new("sh")
                .args(["-c", &limited])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            // The loader itself has too little.
            if said.contains("loading shared libraries") {
                continue;
            }
            let code = output.status.code();
            let is_in_order = match code {
                Some(1) => said.lines().last().unwrap().starts_with("glyphspace: "),
                code => code == Some(0),
            };
            let is_quiet = !said.contains("panicked");
            assert!(
                is_in_order && is_quiet,
                "{kib} KiB, {line}: {code:?} {said}"
            );
            refused += usize::from(code == Some(1));
        }
    }
    assert!(refused > 0, "nothing needs more than 100 MB");
}
