//! Library of the installed Python, whose path the interpreter reports.

use std::{
    io::{Read, Seek},
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
        match ask(python, go_on) {
            PythonReply::Library(input) => return Ok(input),
            PythonReply::Nothing => (),
            PythonReply::Late => note(format!(
                "{python} gave no answer within {} s and is passed over",
                TIMEOUT.as_secs()
            )),
            PythonReply::Cancelled => return Err(Cancelled.into()),
        }
    }
    Ok(Input::Sample)
}

enum PythonReply {
    Library(Input),
    Nothing,
    Late,
    Cancelled,
}

fn ask(python: &str, go_on: &mut dyn FnMut() -> bool) -> PythonReply {
    let asked = "import platform, sysconfig; print(platform.python_version()); print(sysconfig.get_path('stdlib'))";
    // A file, since a child process may keep a pipe open for ever.
    let start = || -> std::io::Result<(std::fs::File, Child)> {
        let answer = tempfile::tempfile()?;
        let child = Command::new(python)
            .args(["-c", asked])
            .stdin(Stdio::null())
            .stdout(answer.try_clone()?)
            .stderr(Stdio::null())
            .spawn()?;
        Ok((answer, child))
    };
    let Ok((mut answer, mut child)) = start() else {
        return PythonReply::Nothing;
    };
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if !go_on() => return kill(&mut child, PythonReply::Cancelled),
            Ok(None) if begun.elapsed() > TIMEOUT => {
                return kill(&mut child, PythonReply::Late);
            }
            Ok(None) => thread::sleep(POLL_INTERVAL),
            Ok(Some(_)) => break,
            Err(_) => return kill(&mut child, PythonReply::Nothing),
        }
    }
    let mut read = || -> Option<Input> {
        let mut text = String::new();
        answer.rewind().ok()?;
        (&answer).take(1 << 16).read_to_string(&mut text).ok()?;
        let (version, folder) = text.trim().split_once('\n')?;
        let folder = PathBuf::from(folder.trim());
        let version = version.trim().to_owned();
        // A stripped Python may report a library that doesn't exist.
        let is_there = folder.join("os.py").is_file();
        is_there.then_some(Input::Library { folder, version })
    };
    read().map_or(PythonReply::Nothing, PythonReply::Library)
}

/// Kills a process that is no longer waited for.
fn kill(child: &mut Child, answer: PythonReply) -> PythonReply {
    // The process may have ended by itself; either way nothing is left to do.
    drop(child.kill());
    drop(child.wait());
    answer
}
