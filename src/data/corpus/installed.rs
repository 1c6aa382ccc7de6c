//! Library of the installed Python, whose path the interpreter reports.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{Cancelled, Input};

/// Timeout for the interpreter's answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Polling interval.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Default input of a corpus: the library of the installed Python, else [`Input::Sample`]. `note` is told
/// of an interpreter without an answer; waiting ends once `go_on` returns false.
///
/// # Errors
/// [`Cancelled`].
pub fn default_input(
    go_on: &mut dyn FnMut() -> bool,
    note: &mut dyn FnMut(String),
) -> Result<Input> {
    for python in ["python3", "python"] {
        if let Some(library) = ask(python, go_on, note)? {
            return Ok(library);
        }
    }
    Ok(Input::Sample)
}

/// Library of an interpreter, if it reports one.
fn ask(
    python: &str,
    go_on: &mut dyn FnMut() -> bool,
    note: &mut dyn FnMut(String),
) -> Result<Option<Input>> {
    let asked = "import platform, sysconfig; print(platform.python_version()); print(sysconfig.get_path('stdlib'))";
    // A file, since a child process may keep a pipe open for ever.
    let start = || -> io::Result<(File, Child)> {
        let answer = tempfile::tempfile()?;
        let child = Command::new(python)
            .args(["-c", asked])
            .stdin(Stdio::null())
            .stdout(answer.try_clone()?)
            .stderr(Stdio::null())
            .spawn()?;
        Ok((answer, child))
    };
    let Ok((answer, mut child)) = start() else {
        return Ok(None);
    };
    let begun = Instant::now();
    let unanswered = loop {
        match child.try_wait() {
            Ok(None) if !go_on() => break Err(Cancelled.into()),
            Ok(None) if begun.elapsed() > TIMEOUT => {
                let seconds = TIMEOUT.as_secs();
                note(format!(
                    "{python} gave no answer within {seconds} s and is passed over"
                ));
                break Ok(None);
            }
            Ok(None) => thread::sleep(POLL_INTERVAL),
            Ok(Some(_)) => return Ok(library(answer)),
            Err(_) => break Ok(None),
        }
    };
    // The process may have ended by itself; either way nothing is left to do.
    drop(child.kill());
    drop(child.wait());
    unanswered
}

/// Library of an interpreter's answer.
fn library(mut answer: File) -> Option<Input> {
    let mut text = String::new();
    answer.rewind().ok()?;
    answer.take(1 << 16).read_to_string(&mut text).ok()?;
    let (version, folder) = text.trim().split_once('\n')?;
    let folder = PathBuf::from(folder.trim());
    let version = version.trim().to_owned();
    // A stripped Python may report a library that doesn't exist.
    let is_there = folder.join("os.py").is_file();
    is_there.then_some(Input::Library { folder, version })
}
