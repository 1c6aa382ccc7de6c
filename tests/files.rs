//! Output files: what a named path leads to, and what stays as it was.
#![cfg(unix)]

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use glyphspace::files::{check_output, is_same_file, is_stream, scratch_folder, write_whole};

fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    write_whole(path, |file| Ok(file.write_all(content.as_bytes())?))
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .status()
        .is_ok_and(|status| status.success())
}

fn fifo(folder: &Path) -> PathBuf {
    let path = folder.join("fifo");
    assert!(run("mkfifo", &[path.to_str().unwrap()]));
    path
}

fn check_refused(path: &Path, sources: &[&Path], named: &[&str]) {
    let error = format!("{:#}", check_output(path, sources).unwrap_err());
    let name = path.file_name().unwrap().to_str().unwrap();
    for name in named.iter().chain(&[name]) {
        assert!(error.contains(name), "{error:?} doesn't say {name:?}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_link_stays_and_its_target_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::create_dir(place("inner")).unwrap();
    fs::write(place("inner/target"), "old").unwrap();
    symlink("inner/target", place("link")).unwrap();
    symlink(place("link"), place("second")).unwrap();
    write(&place("second"), "new").unwrap();
    for link in ["link", "second"] {
        assert!(place(link).symlink_metadata().unwrap().is_symlink());
    }
    assert_eq!(fs::read_to_string(place("inner/target")).unwrap(), "new");
    assert_eq!(fs::read_dir(place("inner")).unwrap().count(), 1);

    // One that leads to nothing yet.
    symlink("inner/made", place("dangling")).unwrap();
    check_output(&place("dangling"), &[]).unwrap();
    assert!(!place("inner/made").exists());
    write(&place("dangling"), "made").unwrap();
    assert!(place("dangling").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(place("inner/made")).unwrap(), "made");

    symlink("nowhere/made", place("lost")).unwrap();
    assert!(write(&place("lost"), "x").is_err());
    check_refused(&place("lost"), &[], &["No such file"]);
    symlink("ring", place("ring")).unwrap();
    check_refused(&place("ring"), &[], &["can't write"]);
}

#[test]
fn a_device_and_a_fifo_are_written_into() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = fifo(folder.path());
    check_output(&fifo, &[]).unwrap();
    assert!(is_stream(&fifo));
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut text = String::new();
            fs::File::open(fifo)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        }
    });
    // More than a pipe holds.
    let content = "0123456789".repeat(20_000);
    write(&fifo, &content).unwrap();
    assert_eq!(reader.join().unwrap(), content);
    assert!(fifo.symlink_metadata().unwrap().file_type().is_fifo());
    assert_eq!(scratch_folder(&fifo).unwrap(), std::env::temp_dir());

    // A node of our own that swallows all, where we may make one.
    let null = folder.path().join("null");
    if run("mknod", &[null.to_str().unwrap(), "c", "1", "3"]) {
        symlink("null", folder.path().join("to-null")).unwrap();
        for name in ["null", "to-null"] {
            let path = folder.path().join(name);
            check_output(&path, &[]).unwrap();
            write(&path, "swallowed").unwrap();
        }
        let kind = null.symlink_metadata().unwrap().file_type();
        assert!(kind.is_char_device());
    }
    let block = folder.path().join("disk");
    if run("mknod", &[block.to_str().unwrap(), "b", "7", "250"]) {
        check_refused(&block, &[], &["block device"]);
        assert!(write(&block, "x").is_err());
    }
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    check_refused(&socket, &[], &["socket"]);
}

#[test]
fn an_encoder_that_fails_puts_nothing_into_a_fifo() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = fifo(folder.path());
    let failed = write_whole(&fifo, |file| {
        file.write_all(&[7; 100_000])?;
        anyhow::bail!("half-way")
    });
    // Nobody reads: had it been opened, this would not have come back.
    assert!(format!("{:#}", failed.unwrap_err()).contains("half-way"));
}

#[test]
fn what_is_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("source"), "mine").unwrap();
    symlink("source", place("link")).unwrap();
    fs::hard_link(place("source"), place("other-name")).unwrap();
    for out in ["source", "link", "other-name"] {
        for source in ["source", "link", "other-name"] {
            check_refused(&place(out), &[&place(source)], &[source, "same file"]);
        }
    }
    fs::write(place("else"), "").unwrap();
    check_output(&place("else"), &[&place("source"), &place("missing")]).unwrap();
    // Neither is there yet.
    assert!(is_same_file(&place("new"), &folder.path().join("./new")));
    assert!(!is_same_file(&place("new"), &place("newer")));
    assert_eq!(fs::read_to_string(place("source")).unwrap(), "mine");
}

#[test]
fn folders_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    check_refused(folder.path(), &[], &["folder"]);
    symlink(folder.path(), folder.path().join("link")).unwrap();
    check_refused(&folder.path().join("link"), &[], &["folder"]);
    check_refused(&folder.path().join("new/"), &[], &["folder"]);
    check_refused(&folder.path().join("none/new"), &[], &["No such file"]);
    fs::write(folder.path().join("file"), "").unwrap();
    check_refused(&folder.path().join("file/new"), &[], &["Not a directory"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions_and_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, "old").unwrap();
    for mode in [0o600, 0o640, 0o755] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        // Root may give it away; others can't try.
        let is_given = run("chown", &["12345:54321", path.to_str().unwrap()]);
        let before = fs::metadata(&path).unwrap();
        write(&path, "new").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.mode() & 0o777, mode);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert!(!is_given || after.uid() == 12345);
        assert_ne!(
            after.ino(),
            before.ino(),
            "written in place: not as a whole"
        );
    }
    let fresh = folder.path().join("fresh.csv");
    write(&fresh, "new").unwrap();
    fs::write(folder.path().join("usual"), "").unwrap();
    let [fresh, usual] = [fresh, folder.path().join("usual")].map(|path| {
        let found = fs::metadata(path).unwrap();
        (found.mode(), found.uid(), found.gid())
    });
    assert_eq!(fresh, usual);
}

#[test]
fn a_failure_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old");
    fs::write(&path, "old").unwrap();
    symlink("old", folder.path().join("link")).unwrap();
    let failed = write_whole(&folder.path().join("link"), |file| {
        file.write_all(b"half")?;
        anyhow::bail!("half-way")
    });
    assert!(failed.is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
