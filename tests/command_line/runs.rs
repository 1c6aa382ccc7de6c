//! Training and tours, also where they are broken off or the disk is full.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    PNG, PROGRAM, check_done, check_found, check_json, check_refused, names, text, trained,
};

#[test]
fn training_leaves_a_run_that_every_command_takes() {
    let made = trained();
    let folder = made.path();
    let rows = fs::read_to_string(folder.join("run/metrics.csv")).unwrap();
    assert_eq!(rows.lines().count(), 4, "{rows}");
    let report = check_json(folder, "executor eval --run run --json --device cpu");
    assert_eq!((&report["dims"], &report["steps"]), (&3.into(), &3.into()));
    assert_eq!(
        report["grid_valid"],
        Value::Null,
        "a plane's figure without a plane"
    );
    let answer = check_json(
        folder,
        "executor decode 0.1 -0.2 1 --run run --json --device cpu",
    );
    assert_eq!(answer["state"], 71);
    let found = check_json(
        folder,
        "executor solve 20+?=30 --run run --budget 5 --json --device cpu",
    );
    check_found(&found, 20, 30);
    // Going on in place is asked for by naming the run twice.
    let copy = folder.join("copy");
    check_done(
        folder,
        "executor train --resume run --out copy --steps 2 --device cpu",
    );
    check_done(
        folder,
        "executor train --resume copy --out copy --steps 2 --device cpu",
    );
    assert_eq!(
        fs::read_to_string(copy.join("metrics.csv"))
            .unwrap()
            .lines()
            .count(),
        8
    );
}

#[test]
fn a_tour_leaves_pictures_tables_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let summary = check_done(
        folder.path(),
        "tour --out seen --train-seconds 1 --device cpu",
    );
    assert!(
        summary.contains("71+?=18") && summary.lines().count() <= 24,
        "{summary}"
    );
    let seen = folder.path().join("seen");
    let pictures = names(&seen)
        .into_iter()
        .filter(|name| name.ends_with(".png"))
        .collect::<Vec<_>>();
    assert!(pictures.len() >= 4, "{pictures:?}");
    for picture in &pictures {
        assert!(
            fs::read(seen.join(picture)).unwrap().starts_with(PNG),
            "{picture}"
        );
    }
    let report: Value =
        serde_json::from_slice(&fs::read(seen.join("report.json")).unwrap()).unwrap();
    for model in ["bundled", "fresh"] {
        let visit = &report["models"][model];
        assert!(visit["eval"]["held_out_exact"].is_f64(), "{visit}");
        let solved = visit["solve"].as_array().unwrap();
        assert!(
            solved.len() > 1 && solved.iter().any(|solve| solve["sum"] == "71+?=18"),
            "{visit}"
        );
    }
    assert_eq!(
        fs::read_to_string(seen.join("summary.txt")).unwrap(),
        summary
    );
    let trained = check_json(
        folder.path(),
        "executor eval --run seen/run --json --device cpu",
    );
    assert_eq!(
        trained["held_out_exact"],
        report["models"]["fresh"]["eval"]["held_out_exact"]
    );
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn without_a_display_the_tour_begins_in_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tour")).unwrap();
    fs::write(folder.path().join("tour/notes.txt"), "mine").unwrap();
    let mut command = Command::new(PROGRAM);
    command
        .args(["--device", "cpu"])
        .current_dir(folder.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let first = lines.next().unwrap();
    let second = lines.next();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        first.contains("no display") && first.contains("tour"),
        "{first}"
    );
    assert!(second.is_some_and(|line| line.contains("running on")));
    assert_eq!(
        names(folder.path()),
        ["tour".to_owned(), "tour-2".to_owned()].into()
    );
    assert_eq!(
        names(&folder.path().join("tour")),
        ["notes.txt".to_owned()].into()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_training_that_is_told_to_end_keeps_what_it_has_learnt() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let folder = tempfile::tempdir().unwrap();
        // The tests themselves may have been started with SIGHUP ignored.
        let mut child = Command::new("env")
            .args(["--default-signal=HUP", PROGRAM])
            .args("executor train --out run --steps 1000000 --device cpu".split(' '))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut said = Vec::new();
        for line in lines {
            // The steps begin soon after the first line of progress; the next checkpoint is a minute away.
            if line.starts_with("training") && said.iter().all(|line| line != "told") {
                said.push("told".to_owned());
                std::thread::sleep(Duration::from_secs(1));
                let pid = child.id().to_string();
                let told = Command::new("kill").args([signal, &pid]).status().unwrap();
                assert!(told.success());
            }
            said.push(line);
        }
        let code = child.wait().unwrap().code();
        let said = said.join("\n");
        assert!(
            code.is_some_and(|code| code <= 1),
            "{signal} {code:?}: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
        let report = check_json(folder.path(), "executor eval --run run --json --device cpu");
        let steps = report["steps"].as_u64().unwrap();
        let rows = fs::read_to_string(folder.path().join("run/metrics.csv")).unwrap();
        assert!(
            steps > 0 && rows.lines().count() as u64 == steps + 1,
            "{signal}: {steps}"
        );
    }
}

/// Process started as by `nohup`.
#[cfg(target_os = "linux")]
#[test]
fn a_training_that_ignores_a_closed_terminal_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        format!("trap '' HUP; exec {PROGRAM} executor train --out run --steps 20 --device cpu");
    let mut child = Command::new("sh")
        .args(["-c", &line])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    while child.try_wait().unwrap().is_none() {
        // Time for the shell to ignore it first.
        std::thread::sleep(Duration::from_millis(300));
        drop(Command::new("kill").args(["-HUP", &pid]).output());
    }
    assert!(child.wait().unwrap().success());
    let report = check_json(folder.path(), "executor eval --run run --json --device cpu");
    assert_eq!(report["steps"], 20);
}

/// The second is refused; nothing of the first is lost.
#[test]
fn two_processes_on_one_run_are_one_too_many() {
    let made = trained();
    let folder = made.path();
    let mut first = Command::new(PROGRAM)
        .args("executor train --resume run --out run --seconds 3 --device cpu".split(' '))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("training")));
    check_refused(
        folder,
        "executor train --resume run --out run --steps 1 --device cpu",
        1,
        &["run", "in training already"],
    );
    lines.for_each(drop);
    assert!(first.wait().unwrap().success());
    let rows = fs::read_to_string(folder.join("run/metrics.csv")).unwrap();
    let report = check_json(folder, "executor eval --run run --json --device cpu");
    let steps = report["steps"].as_u64().unwrap();
    assert_eq!(rows.lines().count() as u64, steps + 1);
}

#[cfg(unix)]
#[test]
fn as_many_steps_as_can_be_counted_are_taken() {
    let made = trained();
    let folder = made.path();
    let rows = || {
        let table = fs::read_to_string(folder.join("run/metrics.csv")).unwrap();
        table.lines().count()
    };
    let before = rows();
    let mut command = Command::new(PROGRAM);
    let steps = u64::MAX.to_string();
    let line = ["executor", "train", "--resume", "run", "--out", "run"];
    let command = command.args(line).args(["--steps", &steps]);
    let command = command.args(["--device", "cpu"]).current_dir(folder);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none(), "it has ended");
    let pid = child.id().to_string();
    let told = Command::new("kill").args(["-INT", &pid]).status();
    assert!(told.unwrap().success());
    child.wait().unwrap();
    assert!(rows() > before, "no step was taken");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_gone_or_a_full_disk_makes_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["--help", "executor decode 0 0", "executor eval --json"] {
        let mut command = Command::new(PROGRAM);
        command
            .args(line.split_whitespace())
            .args(["--device", "cpu"]);
        let mut child = command
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let complaints = text(&output.stderr);
        assert!(!complaints.contains("panicked"), "{line:?}: {complaints}");
        assert!(
            output.status.code().is_none_or(|code| code <= 1),
            "{line:?}: {:?}",
            output.status
        );
    }
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else {
        return;
    };
    let mut command = Command::new(PROGRAM);
    let output = command
        .args(["executor", "decode", "0", "0", "--device", "cpu"])
        .stdout(full)
        .output()
        .unwrap();
    let complaints = text(&output.stderr);
    assert!(!complaints.contains("panicked"), "{complaints}");
    assert_eq!(output.status.code(), Some(1), "{complaints}");
}

/// A limit on the size of files acts on a writer as a full disk does, and needs no special rights.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_half_run_and_harms_none() {
    let folder = tempfile::tempdir().unwrap();
    let train = |blocks: &str, line: &str| {
        let mut command = Command::new("sh");
        // Without the trap the signal would end the program; with it a write fails as on a full disk.
        command.args([
            "-c",
            "trap '' XFSZ; ulimit -f $1; shift; exec \"$@\"",
            "sh",
            blocks,
            PROGRAM,
        ]);
        command
            .args(["executor", "train", "--steps", "2", "--device", "cpu"])
            .args(line.split_whitespace());
        command
            .current_dir(folder.path())
            .env_remove("DISPLAY")
            .output()
            .unwrap()
    };
    let check_failed = |output: Output, file: &str| {
        let complaints = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{complaints}");
        let last = complaints.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("glyphspace: can't write") && last.contains(file),
            "{complaints}"
        );
        assert!(!complaints.contains("panicked"), "{complaints}");
    };
    // The weights of this model take some 600 KiB.
    check_failed(train("64", "--out fresh"), "model.bpk");
    assert!(
        names(&folder.path().join("fresh"))
            .iter()
            .all(|name| !name.contains("checkpoint")),
        "half a checkpoint is left"
    );

    assert_eq!(train("unlimited", "--out run").status.code(), Some(0));
    check_failed(train("64", "--out run --resume run"), "model.bpk");
    let checkpoints = names(&folder.path().join("run"));
    assert!(
        checkpoints.contains("checkpoint-00000002"),
        "{checkpoints:?}"
    );
    assert_eq!(
        train("unlimited", "--out run --resume run").status.code(),
        Some(0),
        "the run can't go on"
    );
}
