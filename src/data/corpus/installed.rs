//! The Python installed here, asked where its library is.

use std::{
    io::{Read, Seek},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{Cancelled, Input};

/// A Python that takes longer to answer is passed over.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks whether it has answered.
const TICK: Duration = Duration::from_millis(20);

/// The input of a corpus where none is named: the library of the Python installed here, else
/// [`Input::Sample`]. `note` hears of a Python that gives no answer; when `go_on` answers false, none is
/// waited for any longer.
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
                PATIENCE.as_secs()
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
    // A file, since what it starts may keep a pipe open for ever.
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
            Ok(None) if !go_on() => return given_up(&mut child, PythonReply::Cancelled),
            Ok(None) if begun.elapsed() > PATIENCE => {
                return given_up(&mut child, PythonReply::Late);
            }
            Ok(None) => thread::sleep(TICK),
            Ok(Some(_)) => break,
            Err(_) => return given_up(&mut child, PythonReply::Nothing),
        }
    }
    let mut read = || -> Option<Input> {
        let mut text = String::new();
        answer.rewind().ok()?;
        (&answer).take(1 << 16).read_to_string(&mut text).ok()?;
        let (version, folder) = text.trim().split_once('\n')?;
        let folder = PathBuf::from(folder.trim());
        let version = version.trim().to_owned();
        // A stripped Python may say where its library would be.
        let is_there = folder.join("os.py").is_file();
        is_there.then_some(Input::Library { folder, version })
    };
    read().map_or(PythonReply::Nothing, PythonReply::Library)
}

/// Ends a process that is not waited for any longer.
fn given_up(child: &mut Child, answer: PythonReply) -> PythonReply {
    // It may have ended by itself meanwhile: there is nothing to be done about either.
    drop(child.kill());
    drop(child.wait());
    answer
}
