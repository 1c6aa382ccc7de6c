//! `glyphspace glyphs ..` as people and scripts call it.

use std::{fs, path::Path, process::Command};

use glyphspace::glyphs::image_io;
use image::{AnimationDecoder, Rgb, RgbImage, codecs::gif::GifDecoder};
use serde_json::Value;
use tempfile::TempDir;

use super::functions;
use crate::command_line::{
    PROGRAM, check_done, check_json, check_refused, glyphspace, names, text,
};

/// A folder with `small.corpus`, a run of two seconds over it in `run`, and functions in files.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let texts: Vec<String> = functions().into_iter().map(|(_, text)| text).collect();
    write("small.py", &texts.join("\n\n\n"));
    write(
        "one.py",
        "def add(a, b):\n    \"\"\"Adds.\"\"\"\n    return a + b\n",
    );
    write("other.py", "def gather(a, b):\n    return a[b]\n");
    write("two.py", "def f(a): return a\n\n\ndef g(b): return -b\n");
    write("long.py", &texts[texts.len() - 1]);
    write("notpython.py", "def f(:\n    pass\n");
    write("bare.py", "print('no function')\n");
    write("text.png", "def f(): pass");
    for (name, width, height) in [("tiny.png", 32, 32), ("wide.png", 300, 100)] {
        let picture = RgbImage::from_pixel(width, height, Rgb([9, 99, 200]));
        image_io::write(&folder.path().join(name), &picture).unwrap();
    }
    let built = check_json(
        folder.path(),
        "glyphs corpus build small.py --out small.corpus --vocabulary 300 --max-tokens 128 --json",
    );
    assert_eq!(built["kept"], 49);
    let sizes = [
        "max_tokens=40",
        "hidden_size=16",
        "num_attention_heads=2",
        "intermediate_size=32",
        "num_hidden_layers=1",
        "painter=8",
        "reader=8",
        "pose=2",
        "batch=8",
        "validation=0.3",
    ];
    let sizes: String = sizes.iter().map(|size| format!(" --set {size}")).collect();
    let train = "glyphs train --corpus small.corpus --out run --seconds 2 --seed 3 --device cpu";
    let trained = check_done(folder.path(), &format!("{train}{sizes}"));
    assert!(
        trained.contains("exact") && trained.contains("smoothness"),
        "{trained}"
    );
    let cut = fs::read(folder.path().join("small.corpus")).unwrap();
    fs::write(folder.path().join("cut.corpus"), &cut[..cut.len() / 2]).unwrap();
    folder
}

#[test]
fn every_command_does_its_job_and_says_why_it_can_not() {
    // One run for all: making it takes longer than the rest.
    let made = workplace();
    let folder = made.path();
    eval_reports_every_figure(folder);
    functions_become_pictures(folder);
    pictures_are_read(folder);
    near_functions_are_listed(folder);
    glyphs_are_overlaid(folder);
    morphs_are_written(folder);
    sheets_are_painted(folder);
    a_run_goes_on(folder);
    bad_input_is_refused(folder);
}

fn eval_reports_every_figure(folder: &Path) {
    let report = check_json(
        folder,
        "glyphs eval --run run --corpus small.corpus --difficulty 0,4 --json --device cpu",
    );
    for place in [
        "/token_accuracy/train/0",
        "/token_accuracy/validation/4",
        "/exact/train/0",
        "/exact/validation/4",
        "/self_retrieval",
        "/near_miss_distinct",
        "/distance_spearman",
        "/train_secs",
        "/smoothness",
        "/contrast",
    ] {
        assert!(
            report.pointer(place).is_some_and(Value::is_f64),
            "{place}: {report}"
        );
    }
    assert_eq!(report["max_tokens"], 40);
    let at_least = |key: &str, least: u64| report[key].as_u64().is_some_and(|n| n >= least);
    assert!(
        at_least("functions", 40) && at_least("params", 1000) && at_least("steps", 1),
        "{report}"
    );
    assert!(
        (1.0..20.0).contains(&report["train_secs"].as_f64().unwrap()),
        "{report}"
    );
}

/// The program paints; so small a model may not read back what it painted, and says so.
fn check_painted(folder: &Path, line: &str) -> String {
    let output = glyphspace(folder, line);
    let complaints = text(&output.stderr);
    match output.status.code() {
        Some(0) => {}
        Some(3) => assert!(complaints.contains("will not be read back"), "{complaints}"),
        code => panic!("{line:?}: {code:?}: {complaints}"),
    }
    text(&output.stdout).to_owned()
}

fn functions_become_pictures(folder: &Path) {
    let before = names(folder);
    let said = check_painted(
        folder,
        "glyphs encode one.py --out one.png --run run --device cpu",
    );
    assert!(said.contains("one.png") && said.contains("add"), "{said}");
    assert_eq!(
        image::image_dimensions(folder.join("one.png")).unwrap(),
        (128, 128)
    );
    check_painted(
        folder,
        "glyphs encode two.py --out two.png --run run --device cpu",
    );
    let written = &names(folder) - &before;
    assert_eq!(
        written,
        ["one.png", "two-1.png", "two-2.png"]
            .map(str::to_owned)
            .into()
    );
    // The same from a pipe.
    let mut command = Command::new(PROGRAM);
    command.args("glyphs encode - --out piped.png --run run --device cpu".split(' '));
    command
        .current_dir(folder)
        .stdin(fs::File::open(folder.join("one.py")).unwrap());
    let code = command.output().unwrap().status.code();
    assert!(matches!(code, Some(0 | 3)), "{code:?}");
    let files = ["piped.png", "one.png"].map(|name| fs::read(folder.join(name)).unwrap());
    assert_eq!(files[0], files[1]);
    // A file that was named is replaced, one that wasn't is not.
    let first = fs::read(folder.join("one.png")).unwrap();
    fs::write(folder.join("one.png"), "old").unwrap();
    check_painted(
        folder,
        "glyphs encode one.py --out one.png --run run --device cpu",
    );
    assert_eq!(fs::read(folder.join("one.png")).unwrap(), first);
    fs::remove_file(folder.join("two-1.png")).unwrap();
    fs::write(folder.join("two-2.png"), "precious").unwrap();
    let line = "glyphs encode two.py --out two.png --run run --device cpu";
    check_refused(folder, line, 1, &["two-2.png", "there already"]);
    assert_eq!(
        fs::read_to_string(folder.join("two-2.png")).unwrap(),
        "precious"
    );
    assert!(!folder.join("two-1.png").exists());
}

fn pictures_are_read(folder: &Path) {
    // So small a model may or may not be sure of what it reads.
    let output = glyphspace(folder, "glyphs decode one.png --run run --device cpu");
    match output.status.code() {
        Some(0 | 3) => assert!(!text(&output.stdout).trim().is_empty()),
        _ => check_refused(
            folder,
            "glyphs decode one.png --run run --device cpu",
            1,
            &["one.png", "no glyph"],
        ),
    }
}

fn near_functions_are_listed(folder: &Path) {
    let line = "glyphs near one.py --corpus small.corpus --run run -k 5 --device cpu";
    let found = check_json(folder, &format!("{line} --json"));
    let near = found["near"].as_array().unwrap();
    let distances: Vec<f64> = near
        .iter()
        .map(|near| near["distance"].as_f64().unwrap())
        .collect();
    assert!(
        near.len() == 5 && distances.is_sorted() && distances[0] >= 0.0,
        "{found}"
    );
    for near in near {
        let function = near["function"].as_str().unwrap();
        assert!(function.starts_with("def ") && !function.contains("add(a, b):\n    return a + b"));
        assert!(near["name"].is_string() && near["origin"].is_string());
    }
    let listed = check_done(folder, line);
    assert_eq!(
        listed
            .lines()
            .filter(|line| !line.starts_with("   "))
            .count(),
        5,
        "{listed}"
    );
}

fn glyphs_are_overlaid(folder: &Path) {
    let line = "glyphs overlay one.py other.py --run run --device cpu --out over.png";
    let said = check_done(folder, line);
    assert!(said.contains("of the pixels differ"), "{said}");
    let picture = image_io::read(&folder.join("over.png")).unwrap();
    assert_eq!(picture.dimensions(), (128, 128));
    check_refused(
        folder,
        "glyphs overlay one.py --out over.png",
        2,
        &["FILES"],
    );
}

fn morphs_are_written(folder: &Path) {
    let line = "glyphs morph one.py other.py two.py --run run --device cpu --out";
    check_done(folder, &format!("{line} way.gif --frames 5"));
    let file = std::io::BufReader::new(fs::File::open(folder.join("way.gif")).unwrap());
    assert_eq!(GifDecoder::new(file).unwrap().into_frames().count(), 5);
    check_done(folder, &format!("{line} way --frames 3"));
    assert_eq!(names(&folder.join("way")).len(), 3);
    let first = image_io::read(&folder.join("way/frame-0000.png")).unwrap();
    let glyph = image_io::read(&folder.join("one.png")).unwrap();
    let apart = first
        .as_raw()
        .iter()
        .zip(glyph.as_raw())
        .map(|(a, b)| a.abs_diff(*b));
    assert!(
        apart.max() <= Some(1),
        "the way doesn't begin at its function"
    );
    check_refused(
        folder,
        &format!("{line} way --frames 3"),
        1,
        &["way", "not empty"],
    );
}

fn sheets_are_painted(folder: &Path) {
    let line =
        "glyphs sheet --corpus small.corpus --run run --count 9 --device cpu --out sheet.png";
    assert!(check_done(folder, line).contains("9 glyphs"));
    let size = image::image_dimensions(folder.join("sheet.png")).unwrap();
    assert_eq!(size, (4 + 8 * 132, 4 + 2 * 132), "eight a row");
}

fn a_run_goes_on(folder: &Path) {
    let rows = || {
        fs::read_to_string(folder.join("run/metrics.csv"))
            .unwrap()
            .lines()
            .count()
    };
    let before = rows();
    let line = "glyphs train --corpus small.corpus --resume run --out run --steps 2 --device cpu";
    check_done(folder, line);
    assert_eq!(rows(), before + 2);

    // Over another tokenizer's corpus it can't; the one to use is named, and is there.
    let build = "glyphs corpus build small.py --max-tokens 128 --out other.corpus";
    check_done(folder, &format!("{build} --vocabulary 270"));
    let line = line.replace("small.corpus", "other.corpus");
    check_refused(folder, &line, 1, &["run", "another tokenizer"]);
    let said = glyphspace(folder, &line).stderr;
    let (_, named) = text(&said).split_once("--tokenizer ").unwrap();
    let tokenizer = named.trim();
    assert!(folder.join(tokenizer).is_file(), "{named}");
    check_done(folder, &format!("{build} --tokenizer {tokenizer}"));
    check_done(folder, &line);
    fs::remove_file(folder.join("other.corpus")).unwrap();
}

fn bad_input_is_refused(folder: &Path) {
    let before = names(folder);
    let encode = "--out new.png --run run";
    let cases: &[(i32, String, &[&str])] = &[
        (1, format!("encode nowhere.py {encode}"), &["nowhere.py"]),
        (
            1,
            format!("encode notpython.py {encode}"),
            &["notpython.py", "no Python in line 1"],
        ),
        (
            1,
            format!("encode bare.py {encode}"),
            &["bare.py", "no function"],
        ),
        (
            1,
            format!("encode - {encode}"),
            &["standard input", "no function"],
        ),
        (
            1,
            "encode one.py --out new.png --run nowhere".into(),
            &["nowhere"],
        ),
        (
            1,
            "encode one.py --out nowhere/new.png --run run".into(),
            &["nowhere/new.png"],
        ),
        (1, "decode nowhere.png --run run".into(), &["nowhere.png"]),
        (
            1,
            "decode text.png --run run".into(),
            &["text.png", "not a picture"],
        ),
        (
            1,
            "decode tiny.png --run run".into(),
            &["tiny.png", "32x32", "128x128"],
        ),
        (
            1,
            "decode wide.png --run run".into(),
            &["wide.png", "no glyph"],
        ),
        (
            1,
            "near long.py --corpus small.corpus --run run".into(),
            &["long.py", "up to 40"],
        ),
        (
            1,
            "near one.py --corpus cut.corpus --run run".into(),
            &["cut.corpus", "cut"],
        ),
        (
            1,
            "morph one.py bare.py --out new.gif --run run".into(),
            &["bare.py", "no function"],
        ),
        (
            1,
            "morph one.py long.py --out new.gif --run run".into(),
            &["def long", "tokens", "up to 40"],
        ),
        (
            1,
            "sheet --out new.png --corpus cut.corpus --run run".into(),
            &["cut.corpus", "cut"],
        ),
        (
            1,
            "eval --run run --corpus cut.corpus".into(),
            &["cut.corpus", "cut"],
        ),
        (
            1,
            "eval --run run --corpus one.py".into(),
            &["one.py", "no corpus"],
        ),
        (
            1,
            "train --corpus cut.corpus --out new --steps 1".into(),
            &["cut.corpus", "cut"],
        ),
        (
            1,
            "train --corpus nowhere --out new --steps 1".into(),
            &["nowhere"],
        ),
        (
            1,
            "train --corpus small.corpus --out run --steps 1".into(),
            &["run", "not empty"],
        ),
        (
            1,
            "corpus build nowhere.py --out new.corpus".into(),
            &["nowhere.py"],
        ),
        (
            2,
            "train --corpus small.corpus --out new --set widht=3".into(),
            &["widht", "painter"],
        ),
        (
            2,
            "train --corpus small.corpus --out new --set batch=0".into(),
            &["batch is 0"],
        ),
        (
            2,
            "train --corpus small.corpus --out new --preset large".into(),
            &["large", "pocket"],
        ),
        (
            2,
            "train --corpus small.corpus --out new --resume run --seed 1".into(),
            &["--seed"],
        ),
        (
            2,
            "eval --run run --difficulty 0,16".into(),
            &["16", "0 to 15"],
        ),
        (2, "morph one.py --out new.gif".into(), &["FILES"]),
        (
            2,
            "morph one.py other.py --out new.mp4 --run run".into(),
            &["new.mp4", ".gif"],
        ),
        (
            2,
            "morph one.py other.py --out new.gif --frames 1".into(),
            &["1", "frames"],
        ),
        (2, "near one.py -k 0".into(), &["0"]),
    ];
    for (code, line, named) in cases {
        let device = if line.starts_with("corpus") {
            ""
        } else {
            " --device cpu"
        };
        check_refused(folder, &format!("glyphs {line}{device}"), *code, named);
    }
    assert_eq!(
        names(folder),
        before,
        "a refused command left something behind"
    );
}
