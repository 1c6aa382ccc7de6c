//! The program as people and scripts call it: what goes to which stream, exit codes, files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_glyphspace");
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn glyphspace(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The program does the job: exit code 0, no complaint; what it wrote to standard output.
fn check_done(folder: &Path, line: &str) -> String {
    let output = glyphspace(folder, line);
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{line:?}: {complaints}");
    assert!(!complaints.contains("panicked"), "{line:?}: {complaints}");
    text(&output.stdout).to_owned()
}

fn check_json(folder: &Path, line: &str) -> Value {
    let written = check_done(folder, line);
    serde_json::from_str(&written).unwrap_or_else(|error| panic!("{line:?}: {error}: {written}"))
}

/// The program says in one line of standard error why it doesn't do it, and writes nothing else.
fn check_refused(folder: &Path, line: &str, code: i32, named: &[&str]) {
    let output = glyphspace(folder, line);
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{line:?}: {complaints}");
    // What it computes on, and how far it got, is said as it goes on.
    let mut expected = vec![
        "glyphspace: running on ",
        "mapping ",
        "training ",
        "searching ",
    ];
    if line.contains("gpu") {
        // Graphics drivers have their own things to say.
        expected.extend(["error: XDG_RUNTIME_DIR", "libEGL", "MESA", "WARNING: "]);
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

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// A folder with `run`, a model of a few steps.
fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sizes = "--set d_model=16 --set d_kv=8 --set num_heads=2 --set bottleneck=24";
    let train = "executor train --out run --steps 3 --seed 5 --dims 3 --device cpu";
    check_done(folder.path(), &format!("{train} {sizes}"));
    folder
}

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
        ("executor solve 71-?=18", &["71-?=18", "expected a sum"]),
        ("executor map 171+?=18", &["171", "from 10 to 99"]),
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
        ("executor decode 0 0 --state 7", &["7", "10..=99"]),
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
            &["3 latent dimensions", "needs 2"],
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
fn eval_has_every_figure() {
    let folder = tempfile::tempdir().unwrap();
    let report = check_json(folder.path(), "executor eval --json --device cpu");
    for key in ["steps", "params", "pairs_held_out", "dims"] {
        assert!(
            report[key].as_u64().is_some_and(|n| n > 0),
            "{key}: {}",
            report[key]
        );
    }
    for key in [
        "held_out_exact",
        "train_exact",
        "state_exact",
        "code_exact",
        "grid_valid",
        "adjacent_median",
        "adjacent_p95",
    ] {
        assert!(
            report[key]
                .as_f64()
                .is_some_and(|share| share > 0.0 && share <= 1.0),
            "{key}: {}",
            report[key]
        );
    }
    assert!(
        report["order_spearman"]
            .as_f64()
            .is_some_and(|r| (-1.0..=1.0).contains(&r)),
        "{report}"
    );
    assert!(
        report["train_secs"].as_f64().is_some_and(|secs| secs > 0.0),
        "{report}"
    );
    assert!(
        report["device"]
            .as_str()
            .is_some_and(|name| name.contains("CPU")),
        "{report}"
    );
    assert!(
        report["adjacent_median"].as_f64() <= report["adjacent_p95"].as_f64(),
        "{report}"
    );
    // A share of 810 sums is a whole number of them.
    let exact =
        report["held_out_exact"].as_f64().unwrap() * report["pairs_held_out"].as_f64().unwrap();
    assert!((exact - exact.round()).abs() < 1e-6, "{report}");
}

#[test]
fn decode_says_what_lies_at_a_point() {
    let folder = tempfile::tempdir().unwrap();
    let decode = |rest: &str| {
        check_json(
            folder.path(),
            &format!("executor decode {rest} --json --device cpu"),
        )
    };
    for point in ["0.1 0.2", "-0.9 -0.95", "1 -1"] {
        let answer = decode(&format!("{point} --state 40"));
        assert_eq!(
            (&answer["state"], &answer["loss"]),
            (&40.into(), &Value::Null),
            "{answer}"
        );
        let keys: BTreeSet<&str> = answer
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            keys.is_superset(&["code", "result", "truth", "loss"].into()),
            "{answer}"
        );
        match answer["code"].as_i64() {
            Some(code) => assert_eq!(answer["truth"].as_i64(), Some(40 + code), "{answer}"),
            None => assert_eq!(
                (&answer["code"], &answer["truth"]),
                (&Value::Null, &Value::Null),
                "{answer}"
            ),
        }
    }
    let answer = decode("0.1 0.2 --sum 45+?=90");
    assert_eq!(answer["state"], 45);
    assert!(
        answer["loss"].as_f64().is_some_and(|loss| loss >= 0.0),
        "{answer}"
    );
    let line = check_done(folder.path(), "executor decode -0.5 0.5 --device cpu");
    assert!(
        line.starts_with("71 + ") && line.contains(" = ") && line.lines().count() == 1,
        "{line:?}"
    );
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

#[test]
fn solve_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let solve = |rest: &str| {
        check_json(
            folder.path(),
            &format!("executor solve {rest} --json --device cpu"),
        )
    };
    let found = solve("71+?=18 --method enumerate --budget 199");
    check_found(&found, 71, 18);
    assert_eq!(
        (&found["solved"], &found["code"]),
        (&true.into(), &Value::from(-53)),
        "{}",
        found["code"]
    );
    // A walk through -99, -98, .. that ends at the solution.
    assert_eq!(found["evaluations"], 47);
    let found = solve("71+x=18 --method enumerate --budget 46");
    check_found(&found, 71, 18);
    assert_eq!(
        (&found["solved"], &found["evaluations"]),
        (&false.into(), &46.into())
    );
    for (sum, start, result) in [("71+?=18", 71, 18), ("?+12=87", 12, 87)] {
        for method in ["bo", "random"] {
            let line = format!("{sum} --method {method} --budget 12 --seed 4");
            let found = solve(&line);
            check_found(&found, start, result);
            assert!(found["evaluations"].as_u64().unwrap() <= 12);
            let again = solve(&line);
            assert_eq!(
                again["path"], found["path"],
                "{method} is not fixed by its seed"
            );
        }
    }
    let line = check_done(
        folder.path(),
        "executor solve 71+?=18 --method enumerate --device cpu",
    );
    assert!(line.contains("71+?=18") && line.contains("-53"), "{line}");
}

#[test]
fn a_map_is_written_cell_by_cell() {
    let folder = tempfile::tempdir().unwrap();
    let map = |files: &str| {
        let line = format!("executor map 71+?=18 --size 20 --device cpu {files}");
        check_done(folder.path(), &line);
    };
    map("--csv map.csv");
    assert_eq!(
        names(folder.path()),
        ["map.csv".to_owned()].into(),
        "a picture nobody asked for"
    );
    let mut table = csv::Reader::from_path(folder.path().join("map.csv")).unwrap();
    assert_eq!(
        table.headers().unwrap(),
        vec!["x", "y", "loss", "code", "right"]
    );
    let mut cells = BTreeMap::new();
    for row in table.deserialize() {
        let (x, y, loss, code, right): (f32, f32, f32, Option<i32>, bool) = row.unwrap();
        assert!(loss.is_finite() && loss >= 0.0);
        assert_eq!(
            right,
            code.is_some_and(|code| 71 + code == 18),
            "{code:?} at {x}, {y}"
        );
        let cell = |z: f32| ((z + 1.0) * 10.0).floor() as i32;
        let centre = |z: f32| (cell(z) as f32 + 0.5) / 10.0 - 1.0;
        assert!(
            (x - centre(x)).abs() < 1e-5 && (y - centre(y)).abs() < 1e-5,
            "{x}, {y} is no cell's centre"
        );
        cells.insert((cell(x), cell(y)), code);
    }
    assert_eq!(cells.len(), 400, "one row a cell");
    assert!(
        cells
            .keys()
            .all(|(x, y)| (0..20).contains(x) && (0..20).contains(y))
    );

    map("--out picture.png --csv both.csv");
    assert!(
        fs::read(folder.path().join("picture.png"))
            .unwrap()
            .starts_with(PNG)
    );
    assert_eq!(
        fs::read(folder.path().join("both.csv")).unwrap(),
        fs::read(folder.path().join("map.csv")).unwrap()
    );
}

#[test]
fn a_picture_that_was_not_named_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = "executor map 71+?=18 --size 16 --device cpu";
    check_done(folder.path(), line);
    let picture = folder.path().join("map.png");
    let first = fs::read(&picture).unwrap();
    assert!(first.starts_with(PNG));
    fs::write(&picture, "precious").unwrap();
    let output = glyphspace(folder.path(), line);
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaints}");
    assert!(
        complaints
            .lines()
            .last()
            .is_some_and(|line| line.contains("map.png")),
        "{complaints}"
    );
    assert_eq!(fs::read_to_string(picture).unwrap(), "precious");
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

#[cfg(unix)]
#[test]
fn an_interrupted_training_keeps_what_it_has_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    command
        .args([
            "executor", "train", "--out", "run", "--steps", "1000000", "--device", "cpu",
        ])
        .current_dir(folder.path());
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut is_told = false;
    let mut said = Vec::new();
    for line in lines {
        // The steps begin soon after the first line of progress.
        if line.starts_with("training") && !is_told {
            is_told = true;
            std::thread::sleep(Duration::from_secs(2));
            let pid = child.id().to_string();
            assert!(
                Command::new("kill")
                    .args(["-INT", &pid])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        said.push(line);
    }
    assert!(is_told, "{said:?}");
    let code = child.wait().unwrap().code();
    assert!(code.is_some_and(|code| code <= 1), "{code:?}: {said:?}");
    assert!(
        !said.iter().any(|line| line.contains("panicked")),
        "{said:?}"
    );
    let report = check_json(folder.path(), "executor eval --run run --json --device cpu");
    assert!(
        report["steps"].as_u64().is_some_and(|steps| steps > 0),
        "{report}"
    );
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
