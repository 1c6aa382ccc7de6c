//! Named outputs: devices, FIFOs, links, standard output, and files that may not be replaced.
#![cfg(unix)]

use std::{
    fs,
    io::Write,
    os::unix::fs::{FileTypeExt, symlink},
    path::Path,
    process::{Command, Stdio},
};

use super::{PNG, PROGRAM, check_done, check_refused, glyphspace, names, text};

const FUNCTION: &str = "def f(a):\n    return a\n";

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("f.py", FUNCTION);
    write(
        "two.py",
        "def f(a):\n    return a\n\n\ndef g(b):\n    return -b\n",
    );
    write(
        "points.csv",
        &(0..40)
            .map(|n| format!("{n},{}\n", n * n % 7))
            .collect::<String>(),
    );
    check_done(folder.path(), "glyphs corpus build two.py --out two.corpus");
    folder
}

/// Every command that writes a file, up to its name.
const WRITERS: [&str; 7] = [
    "glyphs encode f.py --device cpu --out",
    "glyphs overlay f.py two.py --device cpu --out",
    "glyphs sheet --corpus two.corpus --count 2 --device cpu --out",
    "executor map 71+?=18 --size 16 --device cpu --out",
    "executor map 71+?=18 --size 16 --device cpu --csv",
    "executor planes --device cpu --out",
    "bench projection --points-csv points.csv --places-csv",
];

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn every_command_follows_links_and_spares_devices_and_fifos() {
    let made = workplace();
    let folder = made.path();
    let null = folder.join("null");
    let mut mknod = Command::new("mknod");
    let mknod = mknod.arg(&null).args(["c", "1", "3"]).stderr(Stdio::null());
    let has_null = mknod.status().is_ok_and(|status| status.success());
    let corpus = "glyphs corpus build two.py --out";
    for writer in WRITERS.into_iter().chain([corpus]) {
        fs::write(folder.join("target"), "old").unwrap();
        symlink("target", folder.join("link")).unwrap();
        check_done(folder, &format!("{writer} link"));
        assert!(folder.join("link").symlink_metadata().unwrap().is_symlink());
        let written = fs::read(folder.join("target")).unwrap();
        assert!(written.len() > 100, "{writer}");

        fs::remove_file(folder.join("target")).unwrap();
        check_done(folder, &format!("{writer} link"));
        let again = fs::read(folder.join("target")).unwrap();
        assert_eq!(again, written, "{writer}: through a dangling link");
        fs::remove_file(folder.join("link")).unwrap();
        fs::remove_file(folder.join("target")).unwrap();

        let pipe = folder.join("pipe");
        fifo(&pipe);
        let piped = fs::File::create(folder.join("piped")).unwrap();
        let mut reader = Command::new("cat");
        let mut reader = reader.arg(&pipe).stdout(piped).spawn().unwrap();
        check_done(folder, &format!("{writer} pipe"));
        assert!(reader.wait().unwrap().success());
        assert_eq!(fs::read(folder.join("piped")).unwrap(), written, "{writer}");
        assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
        fs::remove_file(pipe).unwrap();

        if has_null {
            check_done(folder, &format!("{writer} null"));
            let kind = null.symlink_metadata().unwrap().file_type();
            assert!(kind.is_char_device(), "{writer}");
        }
        let before = names(folder);
        fs::create_dir(folder.join("place")).unwrap();
        let code = if writer == corpus { 2 } else { 1 };
        check_refused(
            folder,
            &format!("{writer} place"),
            code,
            &["place", "folder"],
        );
        fs::remove_dir(folder.join("place")).unwrap();
        assert_eq!(names(folder), before, "{writer}");
    }
}

#[test]
fn standard_output_holds_the_file_and_nothing_else() {
    let made = workplace();
    let folder = made.path();
    let corpus = "glyphs corpus build two.py --out";
    for writer in WRITERS.into_iter().chain([corpus]) {
        // To a pipe, and to a file that the shell has opened.
        check_done(folder, &format!("{writer} plain"));
        let plain = fs::read(folder.join("plain")).unwrap();
        let output = glyphspace(folder, &format!("{writer} /dev/stdout"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(output.stdout, plain, "{writer}");
        // All other lines go to standard error.
        assert!(text(&output.stderr).lines().count() > 1, "{writer}");
        let mut shell = Command::new("sh");
        let line = format!("exec {PROGRAM} {writer} /dev/stdout > shell");
        let status = shell
            .args(["-c", &line])
            .current_dir(folder)
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        assert_eq!(fs::read(folder.join("shell")).unwrap(), plain, "{writer}");
    }
}

#[test]
fn a_file_that_is_read_is_not_replaced() {
    let made = workplace();
    let folder = made.path();
    symlink("f.py", folder.join("link.png")).unwrap();
    fs::hard_link(folder.join("f.py"), folder.join("hard.png")).unwrap();
    fs::copy(folder.join("two.corpus"), folder.join("corpus.png")).unwrap();
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("src/a.py"), FUNCTION).unwrap();
    let cases: &[(i32, &str, &[&str])] = &[
        (
            1,
            "glyphs encode f.py --out link.png",
            &["link.png", "f.py"],
        ),
        (
            1,
            "glyphs encode f.py --out hard.png",
            &["hard.png", "f.py"],
        ),
        (1, "glyphs encode link.png --out hard.png", &["hard.png"]),
        (1, "glyphs encode link.png --out link.png", &["link.png"]),
        (
            1,
            "glyphs sheet --corpus corpus.png --out corpus.png",
            &["corpus.png"],
        ),
        (
            1,
            "bench projection --points-csv points.csv --places-csv points.csv",
            &["points.csv"],
        ),
        (
            2,
            "executor map 71+?=18 --out both.png --csv ./both.png",
            &["both.png"],
        ),
        (1, "glyphs corpus build f.py --out f.py", &["f.py"]),
        (1, "glyphs corpus build f.py --out hard.png", &["hard.png"]),
        (1, "glyphs corpus build src --out src/a.py", &["src/a.py"]),
        (
            1,
            "glyphs corpus build f.py --tokenizer two.corpus --out two.corpus",
            &["two.corpus"],
        ),
    ];
    let before = names(folder);
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let sources = ["f.py", "corpus.png", "points.csv", "src/a.py", "two.corpus"];
    let contents = sources.map(read);
    for (code, line, named) in cases {
        let device = if line.contains("corpus build") {
            ""
        } else {
            " --device cpu"
        };
        check_refused(folder, &format!("{line}{device}"), *code, named);
    }
    // Also where it comes in through a pipe's name.
    let mut command = Command::new(PROGRAM);
    let output = command
        .args("glyphs encode - --out hard.png --device cpu".split(' '))
        .current_dir(folder)
        .stdin(fs::File::open(folder.join("f.py")).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(names(folder), before);
    assert_eq!(sources.map(read), contents);
}

#[test]
fn endings_of_other_formats_are_refused_before_the_work() {
    let made = workplace();
    let folder = made.path();
    let before = names(folder);
    for writer in WRITERS.into_iter().filter(|w| w.ends_with("--out")) {
        for name in ["new.webp", "new.bmp", "new.gif", "new.svg", "new.txt"] {
            let line = format!("{writer} {name}");
            check_refused(folder, &line, 2, &[name, "png, jpg or jpeg"]);
            // Nobody waited for it.
            let said = glyphspace(folder, &line).stderr;
            assert!(!text(&said).contains("running on"), "{line}");
        }
    }
    assert_eq!(names(folder), before);
    for writer in WRITERS.into_iter().filter(|w| w.ends_with("--out")) {
        check_done(folder, &format!("{writer} new.jpg"));
        let start = fs::read(folder.join("new.jpg")).unwrap();
        assert!(start.starts_with(b"\xff\xd8\xff"), "{writer}");
        check_done(folder, &format!("{writer} new.PNG"));
        assert!(fs::read(folder.join("new.PNG")).unwrap().starts_with(PNG));
    }
    // A glyph survives as JPEG.
    check_done(folder, "glyphs encode f.py --out glyph.jpg --device cpu");
    let read = check_done(folder, "glyphs decode glyph.jpg --device cpu");
    assert_eq!(read, FUNCTION);
}

#[test]
fn numbered_files_and_animations_go_to_files() {
    let made = workplace();
    let folder = made.path();
    symlink("nowhere", folder.join("glyph-2.png")).unwrap();
    check_refused(
        folder,
        "glyphs encode two.py --out glyph.png --device cpu",
        1,
        &["glyph-2.png", "there already"],
    );
    check_refused(
        folder,
        "glyphs encode two.py --out /dev/stdout --device cpu",
        2,
        &["/dev/stdout", "2 functions"],
    );
    let morph = "glyphs morph f.py two.py --frames 3 --device cpu --out";
    let output = glyphspace(folder, &format!("{morph} /dev/stdout"));
    assert!(output.stdout.starts_with(b"GIF89a"));
    assert!(
        output.stdout.ends_with(b";"),
        "something follows the animation"
    );
    fs::File::create(folder.join("target.gif"))
        .unwrap()
        .write_all(b"old")
        .unwrap();
    symlink("target.gif", folder.join("link.gif")).unwrap();
    check_done(folder, &format!("{morph} link.gif"));
    assert!(
        folder
            .join("link.gif")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
    assert!(
        fs::read(folder.join("target.gif"))
            .unwrap()
            .starts_with(b"GIF89a")
    );
}
