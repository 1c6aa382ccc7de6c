//! Folders and files, what is passed over in them, and the encodings they are in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use glyphspace::data::{
    corpus::{BuildReport, PassedOver},
    python::decode,
};

use super::{BAD, ONE, TWO, built, contents, options, tree, try_build};

#[test]
fn a_folder_is_read_with_its_bad_files_named() {
    let latin =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/python/latin.py")).unwrap();
    let folder = tree(&[
        ("one.py", ONE),
        ("deep/er/two.py", TWO),
        (
            "copy.py",
            b"def one( x ): return x+1  # in one line\ndef one(x):\n  return x+1\n",
        ),
        ("bad.py", BAD),
        ("noise.py", b"\xff\xfe\x00def f"),
        ("latin.py", &latin),
        ("empty.py", b""),
        ("notes.txt", b"def no(): pass"),
        ("site-packages/other.py", b"def other(): pass"),
        (".hidden/other.py", b"def other(): pass"),
        ("LICENSE.txt", b"MIT License"),
    ]);
    let (report, functions) = built(folder.path());
    assert_eq!((report.files, report.bad, report.kept), (7, 2, 3));
    assert_eq!(
        (report.found, report.duplicates, report.too_long),
        (5, 2, 0)
    );
    let bad: Vec<_> = report
        .bad_files
        .iter()
        .map(|bad| (bad.place.rsplit(['/', '\\']).next().unwrap(), &bad.reason))
        .collect();
    assert!(
        bad[0].0 == "bad.py" && bad[0].1.contains("line 1"),
        "{bad:?}"
    );
    assert!(
        bad[1].0 == "noise.py" && bad[1].1.contains("UTF-8"),
        "{bad:?}"
    );
    assert_eq!(
        report.sources[0].licence.as_deref(),
        Some("see LICENSE.txt")
    );
    let texts: Vec<_> = functions
        .iter()
        .map(|(name, text, _)| (name.as_str(), text.as_str()))
        .collect();
    assert!(
        texts.contains(&("A.two", "def two(self):  # comment\n    return 2")),
        "{texts:?}"
    );
    assert!(
        texts.contains(&("one", "def one( x ): return x+1  # in one line")),
        "{texts:?}"
    );
    assert!(
        texts.contains(&("latin", "def latin():\n    return \"é\"")),
        "{texts:?}"
    );
    let (report, _) = built(&folder.path().join("one.py"));
    assert_eq!((report.files, report.kept), (1, 1));
}

/// Builds, unless it takes longer than any build of such sources.
fn built_in_time(sources: Vec<PathBuf>) -> anyhow::Result<BuildReport> {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        let out = folder.path().join("out.corpus");
        done.send(try_build(&sources, &out, &options())).unwrap();
    });
    wait.recv_timeout(Duration::from_secs(20))
        .expect("the build hangs")
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_passed_over() {
    let folder = tree(&[("one.py", ONE), ("down/two.py", TWO)]);
    let place = |name: &str| folder.path().join(name);
    for pipe in ["pipe.py", "down/pipe.jsonl.gz", "pipe.zip", "LICENSE"] {
        assert!(
            Command::new("mkfifo")
                .arg(place(pipe))
                .status()
                .unwrap()
                .success()
        );
    }
    let _socket = std::os::unix::net::UnixListener::bind(place("socket.py")).unwrap();
    for (name, to) in [
        ("device.py", "/dev/zero"),
        ("to_pipe.py", "pipe.py"),
        ("nowhere.py", "not/there"),
    ] {
        std::os::unix::fs::symlink(to, place(name)).unwrap();
    }
    let report = built_in_time(vec![folder.path().to_owned()]).unwrap();
    assert_eq!(
        (report.files, report.bad, report.kept),
        (3, 1, 2),
        "{:?}",
        report.bad_files
    );
    assert!(report.bad_files[0].place.ends_with("nowhere.py"));
    let unread = &report.passed_over[0];
    assert_eq!(
        (unread.kind, unread.count),
        (PassedOver::NoFile, 6),
        "{unread:?}"
    );
    for name in [
        "pipe.py",
        "down/pipe.jsonl.gz",
        "pipe.zip",
        "socket.py",
        "device.py",
        "to_pipe.py",
    ] {
        assert!(
            unread.places.iter().any(|place| place.ends_with(name)),
            "{name}"
        );
    }
    for named in ["pipe.py", "pipe.zip", "socket.py", "device.py"] {
        let error = format!("{:#}", built_in_time(vec![place(named)]).unwrap_err());
        assert!(
            error.contains(named) && error.contains("pipe, a socket or a device"),
            "{error}"
        );
    }
}

#[cfg(unix)]
#[test]
fn folders_that_are_passed_over_are_named_and_can_be_asked_for() {
    let folder = tree(&[
        ("src/one.py", ONE),
        ("src/venv/site-packages/thing/two.py", TWO),
        ("src/lib/dist-packages/three.py", b"def three(): pass"),
        ("src/.hidden/four.py", b"def four(): pass"),
        ("src/.git/five.py", b"def five(): pass"),
        ("src/data.tar.xz", b"\xfd7zXZ"),
        ("src/notes.txt", b"notes"),
        ("else/six.py", b"def six(): pass"),
    ]);
    let place = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(place("else"), place("src/link")).unwrap();
    std::os::unix::fs::symlink("..", place("src/lib/round")).unwrap();
    let (report, functions) = built(&place("src"));
    assert_eq!(functions.len(), 1);
    let unread = |kind| {
        let unread = report
            .passed_over
            .iter()
            .find(|unread| unread.kind == kind)
            .unwrap();
        let places: Vec<&Path> = unread.places.iter().map(Path::new).collect();
        (unread.count, places)
    };
    assert_eq!(unread(PassedOver::LinkedFolder).0, 2);
    assert!(
        unread(PassedOver::LinkedFolder)
            .1
            .contains(&&*place("src/link"))
    );
    assert_eq!(unread(PassedOver::InstalledPackages).0, 2);
    assert_eq!(unread(PassedOver::HiddenFolder).1, [place("src/.hidden")]);
    assert_eq!(
        unread(PassedOver::OtherArchive).1,
        [place("src/data.tar.xz")]
    );
    for (named, name) in [
        ("src/link", "six"),
        ("src/venv/site-packages", "A.two"),
        ("src/.hidden", "four"),
        ("src/lib/dist-packages/three.py", "three"),
    ] {
        assert_eq!(built(&place(named)).1[0].0, name, "{named}");
    }
}

#[test]
fn sources_that_are_called_the_same_are_kept_apart() {
    let folder = tree(&[
        ("a/src/a.py", b"def a(): return 1"),
        ("a/src/LICENSE", b"MIT License"),
        ("b/src/b.py", b"def b(): return 2"),
        ("b/src/COPYING", b"GPL 3"),
        ("c/src/c.py", b"def c(): return 3"),
        ("c/c.py", b"def d(): return 4"),
    ]);
    let place = |name: &str| folder.path().join(name);
    let (a, b, c, d) = (
        place("a/src"),
        place("b/src"),
        place("c/src"),
        place("c/c.py"),
    );
    let out = place("out.corpus");
    let report = try_build(&[&a, &b, &c, &d, &a], &out, &options()).unwrap();
    let found: Vec<_> = report
        .sources
        .iter()
        .map(|source| (&*source.name, source.licence.as_deref(), source.functions))
        .collect();
    let expected = [
        ("a/src", Some("see LICENSE"), 1),
        ("b/src", Some("see COPYING"), 1),
        ("c/src", None, 1),
        ("c.py", None, 1),
    ];
    assert_eq!(found, expected);
    for (name, _, origin) in contents(&out) {
        let origins = ["a/src", "b/src", "c/src", "c.py"];
        let expected = origins[usize::from(name.as_bytes()[0] - b'a')];
        assert_eq!(origin, expected, "{name}");
    }
}

#[test]
fn sources_are_read_in_the_encoding_they_declare() {
    let check = |head: &str, bytes: &[u8], text: &str| {
        let source = [head.as_bytes(), b"\ndef f(): return '", bytes, b"'\n"].concat();
        let read = decode(source).unwrap_or_else(|error| panic!("{head}: {error}"));
        assert_eq!(
            read,
            format!(
                "{}\ndef f(): return '{text}'\n",
                head.trim_start_matches('\u{feff}')
            )
        );
    };
    check("", "é".as_bytes(), "é");
    check("\u{feff}# coding: utf-8-sig", "é".as_bytes(), "é");
    check("\u{feff}", "é".as_bytes(), "é");
    check("# -*- coding: cp1252 -*-", b"\x80\xe9", "€é");
    check("# vim: set fileencoding=latin_1 :", b"\x80\xe9", "\u{80}é");
    check("#!/usr/bin/python\n# coding=iso-8859-15", b"\xa4", "€");
    check("\x0c \t# CODING: l9 coding: latin9", b"\xa4", "€");
    check("\n# coding: Shift_JIS", b"\x83\x5c\x81\x60", "ソ〜");
    check("\r\n# coding: cp932", b"\x81\x60", "～");
    check("# coding: EUC_JP", b"\xc6\xfc", "日");
    check("# coding: KOI8-R", b"\xc4", "д");
    check("# coding: windows-1251", b"\xe4", "д");
    check("# coding: big5", b"\xa4\xa4", "中");
    check("# coding: gbk", b"\xd6\xd0", "中");
    check("# coding: euc-kr", b"\xc7\xd1", "한");
    check("# coding: iso8859-2", b"\xb1", "ą");
    check("# coding: mac-roman", b"\x8e", "é");
    check("# coding: us-ascii", b"e", "e");
    check("# coding: utf-8-unix", "é".as_bytes(), "é");
    // No declaration: in the third line, behind code, without a name.
    check("#\n#\n# coding: cp1252", "é".as_bytes(), "é");
    check("import os\n# coding: cp1252", "é".as_bytes(), "é");
    check("# coding is hard, coding: ", "é".as_bytes(), "é");

    let refused = |source: &[u8], expected: &[&str]| {
        let error = decode(source.to_vec()).unwrap_err().to_string();
        for expected in expected {
            assert!(
                error.contains(expected),
                "{error:?} doesn't say {expected:?}"
            );
        }
        assert_eq!(error.lines().count(), 1);
    };
    refused(b"x = 1\ny = '\xe9'", &["line 2", "UTF-8"]);
    refused(b"# coding: utf-8\n\ny = '\xe9'", &["line 3", "utf-8"]);
    refused(b"# coding: ascii\ny = '\xe9'", &["line 2", "ascii"]);
    refused(b"# coding: cp1252\ny = '\x81'", &["line 2", "cp1252"]);
    refused(b"# coding: shift_jis\ny = '\x83'", &["line 2", "shift_jis"]);
    refused(b"# coding: klingon-8\nx = 1", &["klingon-8", "utf-8"]);
    refused(
        b"\xef\xbb\xbf# coding: latin-1\nx = 1",
        &["latin-1", "mark"],
    );
}

#[test]
fn a_corpus_and_the_painter_read_the_same_text() {
    let declared = b"# coding: cp1252\ndef f():\n    return '\x80'\n";
    let folder = tree(&[
        ("declared.py", declared),
        ("unknown.py", b"# coding: klingon-8\ndef f(): return 1\n"),
        ("wrong.py", b"def f(): return '\xe9'\n"),
    ]);
    let (report, functions) = built(folder.path());
    assert_eq!(functions[0].1, "def f():\n    return '€'");
    let reasons: Vec<&str> = report.bad_files.iter().map(|bad| &*bad.reason).collect();
    assert_eq!(reasons.len(), 2);
    for (file, reason) in ["unknown.py", "wrong.py"].iter().zip(reasons) {
        let output = Command::new(env!("CARGO_BIN_EXE_glyphspace"))
            .args([
                "glyphs", "encode", file, "--out", "a.png", "--device", "cpu",
            ])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(file) && said.contains(reason),
            "{said}: {reason}"
        );
        assert!(!output.status.success() && !folder.path().join("a.png").exists());
    }
    let output = Command::new(env!("CARGO_BIN_EXE_glyphspace"))
        .args([
            "glyphs",
            "encode",
            "declared.py",
            "--out",
            "a.png",
            "--device",
            "cpu",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        fs::exists(folder.path().join("a.png")).unwrap(),
        "{output:?}"
    );
}
