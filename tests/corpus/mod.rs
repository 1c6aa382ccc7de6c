//! Corpora: the tokenizer, the file, what they are built from, and the command.

mod archives;
mod damage;
mod file;
#[cfg(unix)]
mod interrupts;
mod sources;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use glyphspace::data::corpus::{
    BuildOptions, BuildReport, Cancelled, Corpus, Input, Phase, build, tokenizer,
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use archives::zip;

fn options() -> BuildOptions {
    BuildOptions {
        vocabulary: 400,
        ..BuildOptions::default()
    }
}

fn try_build(sources: &[&Path], out: &Path, options: &BuildOptions) -> anyhow::Result<BuildReport> {
    let inputs: Vec<Input> = sources
        .iter()
        .map(|path| Input::Path(path.to_path_buf()))
        .collect();
    build(&inputs, out, options, &mut |_| true)
}

/// Names, texts and origins of what was built, sorted.
fn contents(path: &Path) -> Vec<(String, String, String)> {
    let corpus = Corpus::open(path).unwrap();
    let mut functions: Vec<_> = (0..corpus.len())
        .map(|i| {
            (
                corpus.name(i).to_owned(),
                corpus.text(i),
                corpus.origin(i).name.clone(),
            )
        })
        .collect();
    functions.sort();
    functions
}

/// Builds from one source; the report, and the names and texts in the corpus.
fn built(source: &Path) -> (BuildReport, Vec<(String, String, String)>) {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.corpus");
    let report = try_build(&[source], &out, &options()).unwrap();
    (report, contents(&out))
}

fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

const ONE: &[u8] = b"def one(x):\n    '''Doc.'''\n    return x + 1\n";
const TWO: &[u8] = b"class A:\n    def two(self):  # comment\n        return 2\n";
const BAD: &[u8] = b"def broken(:\n";

#[test]
fn a_source_that_cannot_be_read_ends_the_build() {
    let folder = tree(&[
        ("one.py", ONE),
        ("picture.png", b"\x89PNG"),
        ("bad.py", BAD),
        ("empty.zip", &zip(&[])),
    ]);
    let out = folder.path().join("out.corpus");
    fs::write(&out, "what was there").unwrap();
    let check = |source: &str, expected: &[&str]| {
        let sources = [folder.path().join("one.py"), folder.path().join(source)];
        let sources: Vec<&Path> = sources
            .iter()
            .skip(usize::from(source == "bad.py" || source == "empty.zip"))
            .map(PathBuf::as_path)
            .collect();
        let error = format!("{:#}", try_build(&sources, &out, &options()).unwrap_err());
        for expected in [source].iter().chain(expected) {
            assert!(
                error.contains(expected),
                "{error:?} doesn't say {expected:?}"
            );
        }
        assert_eq!(fs::read_to_string(&out).unwrap(), "what was there");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    };
    check("missing.py", &["can't read"]);
    check("picture.png", &["expected", ".whl"]);
    check("bad.py", &["no Python function", "line 1"]);
    check("empty.zip", &["no Python function"]);
    let error = try_build(
        &[&folder.path().join("one.py")],
        &folder.path().join("no/where"),
        &options(),
    );
    assert!(format!("{:#}", error.unwrap_err()).contains("where"));
    let few = BuildOptions {
        max_tokens: 2,
        ..options()
    };
    let error = format!(
        "{:#}",
        try_build(&[&folder.path().join("one.py")], &out, &few).unwrap_err()
    );
    assert!(error.contains("2 tokens"), "{error}");
}

#[test]
fn the_same_build_gives_the_same_file() {
    let folder = tempdir().unwrap();
    let make = |name: &str, options: &BuildOptions| {
        let out = folder.path().join(name);
        let report = build(&[Input::Sample], &out, options, &mut |_| true).unwrap();
        (report, fs::read(&out).unwrap(), contents(&out))
    };
    let (report, bytes, functions) = make("a", &options());
    assert!(
        report.kept >= 300,
        "{} functions in the sample",
        report.kept
    );
    assert_eq!(bytes, make("b", &options()).1);
    assert_eq!(
        report.kept + report.duplicates + report.too_long,
        report.found
    );
    assert_eq!(report.vocabulary, 400);

    let (_, other, same) = make(
        "c",
        &BuildOptions {
            seed: 1,
            ..options()
        },
    );
    assert_ne!(bytes, other, "the seed decides on the order");
    assert_eq!(functions, same, "and on nothing else");

    let (cut, _, some) = make(
        "d",
        &BuildOptions {
            limit: Some(50),
            ..options()
        },
    );
    assert_eq!((cut.kept, cut.beyond_limit), (50, report.kept - 50));
    assert!(some.iter().all(|function| functions.contains(function)));

    let theirs = tokenizer(&folder.path().join("a")).unwrap();
    let (short, ..) = make(
        "e",
        &BuildOptions {
            max_tokens: 32,
            tokenizer: Some(theirs),
            ..options()
        },
    );
    assert_eq!(short.tokenizer, report.tokenizer);
    assert!(short.too_long > report.too_long && short.kept < report.kept);
    let corpus = Corpus::open(&folder.path().join("e")).unwrap();
    assert!((0..corpus.len()).all(|i| corpus.tokens(i).len() <= 32));
}

#[test]
fn a_build_tells_how_far_it_is_and_can_be_called_off() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.corpus");
    let mut seen = Vec::new();
    build(
        &[Input::Sample, Input::Sample],
        &out,
        &options(),
        &mut |now| {
            seen.push((now.phase, now.done));
            true
        },
    )
    .unwrap();
    assert!(
        seen.is_sorted_by(|a, b| a.1 <= b.1) && seen.last().unwrap().1 == 1.0,
        "{seen:?}"
    );
    fs::write(&out, "what was there").unwrap();
    for phase in [Phase::Reading, Phase::Training, Phase::Tokenising] {
        assert!(seen.iter().any(|(at, _)| *at == phase));
        let error = build(&[Input::Sample], &out, &options(), &mut |now| {
            now.phase != phase
        })
        .unwrap_err();
        assert!(error.is::<Cancelled>(), "{error:#}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "what was there");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn the_command_builds_and_says_what_it_did() {
    let folder = tree(&[("src/one.py", ONE), ("src/bad.py", BAD)]);
    let run = |line: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_glyphspace"))
            .args(line.split_whitespace())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, written, notes) = run("glyphs corpus build src --out a.corpus --vocabulary 300");
    assert_eq!(code, Some(0), "{notes}");
    assert!(
        written.contains("1 functions") && notes.contains("bad.py"),
        "{written}{notes}"
    );
    let (code, written, _) =
        run("glyphs corpus build src --out b.corpus --tokenizer a.corpus --json");
    assert_eq!(code, Some(0));
    let report: Value = serde_json::from_str(&written).unwrap();
    assert_eq!((&report["kept"], &report["bad"]), (&json!(1), &json!(1)));
    assert_eq!(
        fs::read(folder.path().join("a.corpus")).unwrap(),
        fs::read(folder.path().join("b.corpus")).unwrap()
    );
    for (line, expected, exit) in [
        ("glyphs corpus build nowhere --out c.corpus", "nowhere", 1),
        (
            "glyphs corpus build src --out c.corpus --tokenizer src/one.py",
            "one.py",
            1,
        ),
        ("glyphs corpus build src --out src", "is a folder", 2),
        ("glyphs corpus build src", "--out", 2),
    ] {
        let (code, written, notes) = run(line);
        assert_eq!(
            (code, written.as_str()),
            (Some(exit), ""),
            "{line}: {notes}"
        );
        assert!(notes.contains(expected), "{line}: {notes}");
    }
    assert!(!folder.path().join("c.corpus").exists());
}
