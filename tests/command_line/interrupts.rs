//! Interrupted commands: the time they take to end, and the files they leave.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{PROGRAM, check_done, names};

/// When a command is interrupted: so many seconds after it said this.
type Moment = (&'static str, f64);

/// End of an interrupted command.
struct Ended {
    code: Option<i32>,
    /// Seconds it went on.
    secs: f64,
    said: String,
}

/// Starts a command and sends it signals. Its temporary files go to `tmp`.
fn interrupted(folder: &Path, line: &str, (word, secs): Moment, signals: &[&str]) -> Ended {
    // The tests themselves may have been started with SIGHUP ignored.
    let mut command = Command::new("env");
    command
        .args(["--default-signal=HUP", PROGRAM])
        .args(line.split_whitespace())
        .current_dir(folder)
        .env("TMPDIR", folder.join("tmp"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let mut said = String::new();
    while !said.contains(word) {
        let line = lines.next();
        said += &line.unwrap_or_else(|| panic!("{word:?} was never said: {said}"));
        said.push('\n');
    }
    thread::sleep(Duration::from_secs_f64(secs));
    assert!(child.try_wait().unwrap().is_none(), "it had ended: {said}");
    let begun = Instant::now();
    for signal in signals {
        let pid = child.id().to_string();
        // It may have ended after the first.
        let _ = Command::new("kill").args([*signal, pid.as_str()]).status();
    }
    let code = child.wait().unwrap().code();
    let secs = begun.elapsed().as_secs_f64();
    lines.for_each(|line| said += &(line + "\n"));
    assert!(!said.contains("panicked"), "{line:?}: {said}");
    Ended { code, secs, said }
}

/// The command ends within a second and leaves nothing but `left`.
fn check(folder: &Path, line: &str, moment: Moment, left: &[&str]) {
    let before = names(folder);
    let ended = interrupted(folder, line, moment, &["-INT"]);
    let Ended { code, secs, said } = ended;
    assert_eq!(code, Some(1), "{line:?}: {said}");
    assert!(secs < 1.0, "{line:?} went on for {secs:.2} s: {said}");
    let last = said.lines().last().unwrap();
    assert!(
        said.contains("stopping") && (last.contains("interrupted") || last.contains("stopped")),
        "{line:?}: {said}"
    );
    let left: BTreeSet<String> = left.iter().map(|name| (*name).to_owned()).collect();
    let new = &names(folder) - &before;
    assert!(new.is_subset(&left), "{line:?} left {new:?}");
    let temporary = names(&folder.join("tmp"));
    assert_eq!(temporary, BTreeSet::new(), "{line:?}");
}

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    fs::write(folder.path().join("a.py"), "def f(a):\n    return a\n").unwrap();
    fs::write(folder.path().join("b.py"), "def g(b):\n    return -b\n").unwrap();
    folder
}

#[test]
fn questions_end_within_a_second() {
    let made = workplace();
    let at = |line: &str, moment: Moment, left: &[&str]| {
        check(made.path(), &format!("{line} --device cpu"), moment, left);
    };
    at("glyphs eval", ("judging", 0.5), &[]);
    at("executor eval --dims 100", ("running on", 0.0), &[]);
    at("glyphs near a.py", ("searching", 0.0), &[]);
    let map = "executor map 71+?=18 --size 2048 --out m.png --csv m.csv";
    at(map, ("mapping", 0.3), &[]);
    let solve = "executor solve 4821+?=-3310 --method random --budget 1000000";
    at(solve, ("searching", 0.3), &[]);
    let project = "executor project --dims 10 --out laid --perplexity 2,3,4,5,6,7,8,9,10,11,12,13";
    at(project, ("projecting", 0.3), &["laid"]);
}

#[test]
fn a_long_morph_ends_within_a_second() {
    let made = workplace();
    let morph = "glyphs morph a.py b.py --frames 10000 --device cpu --out";
    let gif = format!("{morph} m.gif");
    check(made.path(), &gif, ("morphing", 0.5), &[]);
    // Painted in full, 1500 pictures are written for some seconds.
    let gif = gif.replace("10000", "1500");
    check(made.path(), &gif, ("pictures written", 0.1), &[]);
}

#[test]
fn measurements_end_within_a_second_and_leave_no_folder() {
    let made = workplace();
    let function = |n: usize| format!("def f{n}(x):\n    return x * {n} + {n}\n\n");
    let functions: String = (0..40_000).map(function).collect();
    fs::write(made.path().join("many.py"), functions).unwrap();
    for (what, moment) in [
        ("train --steps 100000", ("training", 1.0)),
        ("train --model glyphs --steps 100000", ("running on", 1.5)),
        ("map", ("running on", 0.3)),
        ("decode", ("running on", 0.5)),
        ("decode-training", ("running on", 1.5)),
        ("projection --points 60000", ("projecting", 0.5)),
        ("ui", ("", 1.5)),
        ("corpus --source many.py", ("", 1.0)),
    ] {
        if what == "ui" && !crate::device::has_adapter() {
            continue;
        }
        check(
            made.path(),
            &format!("bench {what} --device cpu"),
            moment,
            &[],
        );
    }
}

#[test]
fn a_corpus_ends_within_a_second_and_leaves_nothing() {
    let made = workplace();
    // Words of many kinds, so that the tokenizer is trained for some seconds.
    let word = |n: u64| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let function = |n: u64| {
        format!(
            "def f_{0}(x_{1}):\n    return x_{1}\n\n",
            word(n),
            word(n + 7)
        )
    };
    let functions: String = (0..60_000).map(function).collect();
    fs::write(made.path().join("many.py"), functions).unwrap();
    let line = "glyphs corpus build many.py --out a.corpus";
    check(made.path(), line, ("0 files", 0.1), &[]);
    check(made.path(), line, ("training the tokenizer", 0.3), &[]);
}

#[test]
fn a_tour_ends_within_a_second_and_keeps_its_run() {
    let made = workplace();
    let folder = made.path();
    let line = "tour --out seen --train-seconds 60 --device cpu";
    check(folder, line, ("searching", 0.0), &["seen"]);
    fs::remove_dir_all(folder.join("seen")).unwrap();
    check(folder, line, ("training", 2.0), &["seen"]);
    check_done(folder, "executor eval --run seen/run --device cpu");
}

#[test]
fn a_comparison_goes_on_where_it_was_interrupted() {
    let made = workplace();
    let folder = made.path();
    let line = "executor benchmark --methods random,bo --sums 300 --out table --device cpu";
    // Heard twice: a terminal sends it to the script, too, which passes it on.
    let moment = ("benchmark", 1.0);
    let Ended { code, secs, said } = interrupted(folder, line, moment, &["-INT", "-INT"]);
    assert_eq!(code, Some(1), "{said}");
    let is_soon = secs < 1.0;
    assert!(
        is_soon && said.contains("the same command goes on"),
        "{secs:.2} s: {said}"
    );
    let rows = || {
        let table = fs::read_to_string(folder.join("table/results.csv")).unwrap();
        assert!(table.ends_with('\n'));
        table.lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let before = rows();
    check_done(folder, line);
    let after = rows();
    assert_eq!(after.len(), 601);
    assert!(
        before.len() > 1 && before.is_subset(&after),
        "{}",
        before.len()
    );
}

#[test]
fn signals_that_end_programs_are_heard_as_ctrl_c() {
    let made = workplace();
    for signal in ["-TERM", "-HUP"] {
        let line = "glyphs eval --device cpu";
        let ended = interrupted(made.path(), line, ("judging", 0.1), &[signal]);
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        assert!(ended.secs < 1.0 && ended.said.contains("interrupted"));
    }
}
