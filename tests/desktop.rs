//! The program in a window of its own, on a display made for the test: with a real clipboard and real keys, and without a
//! desktop round it that would have file dialogs. Needs Xvfb, xdotool and xclip; where they are missing these tests say so
//! and do nothing, but where `CI` is set that is a failure.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use egui_kittest::kittest::Queryable;
use glyphspace::glyphs::image_io;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask};

use super::{
    command_line::{PROGRAM, names},
    device::has_adapter,
    window::{Window, wait, window},
    window_glyphs::{answer, glyphs_window},
};

/// Longest wait on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest time of a prompt reaction on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(6);

/// A display server, and the number of its display. Two that start at once may want the same number, and one of them ends.
/// Without -noreset it would turn away who comes while it forgets its last client.
fn server() -> (Child, String) {
    for _ in 0..10 {
        let mut server = Command::new("Xvfb")
            .args("-displayfd 1 -screen 0 1280x800x24 -nolisten tcp -noreset".split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        let said = server.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut number).unwrap();
        if !number.trim().is_empty() && server.try_wait().unwrap().is_none() {
            return (server, number);
        }
    }
    panic!("no display server starts");
}

/// A display without a window manager, and the program on it, in a folder of its own.
struct Desktop {
    server: Child,
    display: String,
    folder: tempfile::TempDir,
    program: Option<Child>,
}

impl Desktop {
    /// `None` where the tools, or an adapter to draw with, are missing.
    fn new() -> Option<Self> {
        if !has_adapter() {
            return None;
        }
        for tool in ["Xvfb", "xdotool", "xclip"] {
            let found = std::env::var_os("PATH")
                .is_some_and(|path| std::env::split_paths(&path).any(|at| at.join(tool).is_file()));
            if !found {
                let is_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
                assert!(!is_ci, "{tool} is not installed");
                eprintln!("skipped: {tool} is not installed");
                return None;
            }
        }
        let (server, number) = server();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Some(Self {
            server,
            display: format!(":{}", number.trim()),
            folder,
            program: None,
        })
    }

    /// The program's working folder.
    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Opens the window on a system.
    fn open(&mut self, system: &str, args: &[&str]) {
        let home = self.folder.path();
        let stored = home.join("glyphspace");
        fs::create_dir_all(&stored).unwrap();
        let choice = format!("{{\"glyphspace-system\": {system:?}}}");
        fs::write(stored.join("app.ron"), choice).unwrap();
        // The tests themselves may have been started with SIGHUP ignored.
        let program = Command::new("/usr/bin/env")
            .args(["--default-signal=HUP", PROGRAM])
            .args(args)
            .current_dir(self.work())
            .env("DISPLAY", &self.display)
            .env("HOME", home)
            .env("XDG_DATA_HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            // No portal and no zenity: no file dialogs.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .env("PATH", "")
            .env("WINIT_X11_SCALE_FACTOR", "1")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(fs::File::create(home.join("stderr")).unwrap())
            .spawn();
        self.program = Some(program.unwrap());
        let begun = Instant::now();
        while self.window().is_none() {
            let ended = self.program.as_mut().and_then(|p| p.try_wait().unwrap());
            let said = fs::read_to_string(self.folder.path().join("stderr")).unwrap();
            assert_eq!(
                ended, None,
                "the program ended before its window opened: {said}"
            );
            assert!(begun.elapsed() < PATIENCE, "no window opens");
            std::thread::sleep(Duration::from_millis(50));
        }
        // Nobody manages windows here.
        self.act("search --onlyvisible --name Glyphspace windowfocus");
    }

    fn tool(&self, line: &str) -> Command {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env("DISPLAY", &self.display);
        command
    }

    /// Moves the pointer and presses keys, word by word as xdotool has them.
    fn act(&self, line: &str) {
        let done = self.tool(&format!("xdotool {line}")).status().unwrap();
        assert!(done.success(), "xdotool {line}");
    }

    fn click(&self, at: egui::Pos2) {
        self.act(&format!(
            "mousemove {:.0} {:.0} sleep 0.1 click 1 sleep 0.1",
            at.x, at.y
        ));
    }

    /// Another program copies a text.
    fn copy(&self, text: &str) {
        let mut clip = self
            .tool("xclip -selection clipboard -in")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        clip.stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(clip.wait().unwrap().success());
    }

    /// Another program pastes.
    fn paste(&self) -> String {
        let clip = self.tool("timeout 5 xclip -selection clipboard -out");
        let pasted = { clip }.output().unwrap();
        String::from_utf8(pasted.stdout).unwrap()
    }

    /// The window, if it is there.
    fn window(&self) -> Option<u32> {
        let found = self.tool("xdotool search --onlyvisible --name Glyphspace");
        let found = { found }.stderr(Stdio::null()).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        found.lines().next()?.parse().ok()
    }

    /// Tells the window to close, as the cross in its corner does.
    fn ask_to_close(&self) {
        let (connection, _) = x11rb::connect(Some(&self.display)).unwrap();
        let atom = |name: &[u8]| {
            let asked = connection.intern_atom(false, name).unwrap();
            asked.reply().unwrap().atom
        };
        let (kind, delete) = (atom(b"WM_PROTOCOLS"), atom(b"WM_DELETE_WINDOW"));
        let window = self.window().expect("a window");
        let event = ClientMessageEvent::new(32, window, kind, [delete, 0, 0, 0, 0]);
        let sent = connection.send_event(false, window, EventMask::NO_EVENT, event);
        sent.unwrap().check().unwrap();
    }

    fn signal(&self, signal: &str) {
        let pid = self
            .program
            .as_ref()
            .map(|program| program.id().to_string());
        let done = Command::new("kill").args([signal, &pid.unwrap()]).status();
        assert!(done.unwrap().success());
    }

    /// Closes the window and waits for both ends: how long the window stayed, and how
    /// long the program went on.
    fn close(&mut self) -> [Duration; 2] {
        let begun = Instant::now();
        self.ask_to_close();
        let mut program = self.program.take().unwrap();
        let mut closed = None;
        loop {
            if closed.is_none() && self.window().is_none() {
                closed = Some(begun.elapsed());
            }
            if let Some(status) = program.try_wait().unwrap() {
                assert!(status.success(), "the program ended with {status}");
                let ended = begun.elapsed();
                return [closed.unwrap_or(ended), ended];
            }
            if begun.elapsed() > PATIENCE {
                self.program = Some(program);
                panic!("the program goes on after its window was closed");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for process in self.program.iter_mut().chain([&mut self.server]) {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// The middle of a button, from a window of the same size drawn without a display.
fn middle(window: &Window, label: &str) -> egui::Pos2 {
    window.get_by_label(label).rect().center()
}

/// Does something until it has worked: an early click meets a window that is not drawn yet.
fn until(what: &str, mut has_worked: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !has_worked() {
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
    }
}

#[test]
fn text_comes_and_goes_through_the_systems_clipboard() {
    let Some(mut desktop) = Desktop::new() else {
        return;
    };
    desktop.open("Code Glyphs", &["--device", "cpu"]);
    let function =
        "def mean(values):\n    # Größer als 0: 平均\n    return sum(values) / len(values)";
    let editor = egui::pos2(150.0, 200.0);
    until("the function comes back with what was typed", || {
        desktop.copy(function);
        desktop.click(editor);
        desktop.act("key ctrl+a key ctrl+v key ctrl+End");
        desktop.act("type --delay 20 +1");
        desktop.copy("nothing was copied");
        desktop.act("key ctrl+a key ctrl+c sleep 0.3");
        let copied = desktop.paste();
        assert!(
            copied == "nothing was copied" || !copied.is_empty(),
            "the clipboard has lost its text"
        );
        copied == format!("{function}+1")
    });

    // What is read from a glyph is copied by its button, and Paste takes a text without a click into the editor.
    let drawn = glyphs_window(egui::Theme::Dark);
    let (copy, paste) = (middle(&drawn, "Copy function"), middle(&drawn, "Paste"));
    until("what is read is copied", || {
        desktop.copy("nothing was copied");
        desktop.click(copy);
        std::thread::sleep(Duration::from_millis(300));
        let copied = desktop.paste();
        copied != "nothing was copied" && copied.starts_with("def ")
    });
    until("the button pastes", || {
        desktop.copy("def button(): pass");
        desktop.click(paste);
        desktop.act("sleep 0.3 key ctrl+a");
        desktop.copy("nothing was copied");
        desktop.act("key ctrl+c sleep 0.3");
        desktop.paste() == "def button(): pass"
    });
    desktop.close();
}

#[test]
fn a_glyph_is_saved_where_the_desktop_has_no_dialogs() {
    let Some(mut desktop) = Desktop::new() else {
        return;
    };
    let mut drawn = glyphs_window(egui::Theme::Dark);
    let save = middle(&drawn, "Save glyph\u{2026}");
    desktop.open("Code Glyphs", &["--device", "cpu"]);
    let work = desktop.work();
    let is_saved = |number: u32| {
        until("the glyph is saved", || {
            desktop.click(save);
            std::thread::sleep(Duration::from_millis(300));
            work.join(format!("glyph-{number}.png")).is_file()
        });
    };
    is_saved(1);
    let first = fs::read(work.join("glyph-1.png")).unwrap();
    is_saved(2);
    assert_eq!(fs::read(work.join("glyph-1.png")).unwrap(), first);
    let glyph = answer(&mut drawn).glyph.clone();
    assert_eq!(image_io::read(&work.join("glyph-2.png")).unwrap(), glyph);
    let are_glyphs = |name: &String| name.starts_with("glyph-") && name.ends_with(".png");
    assert!(names(&work).iter().all(are_glyphs), "{:?}", names(&work));
    desktop.close();
}

/// On a device that takes a minute to load a model, and where there are many seconds between two of its answers.
#[test]
fn a_window_closes_while_a_model_is_being_loaded() {
    let Some(mut desktop) = Desktop::new() else {
        return;
    };
    desktop.open("Latent Executor", &["--device", "gpu:0"]);
    let [closed, ended] = desktop.close();
    assert!(
        closed < AT_ONCE && ended < 2 * AT_ONCE,
        "{closed:?}, {ended:?}"
    );
}

/// Trains by a click and waits for some steps; the run's folder.
fn train(desktop: &mut Desktop) -> PathBuf {
    let mut drawn = window(egui::Theme::Dark);
    wait(&mut drawn, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    let train = middle(&drawn, "Train");
    desktop.open("Latent Executor", &["--device", "cpu"]);
    let run = desktop.work().join("runs/executor-1");
    until("a run begins", || {
        if !run.exists() {
            desktop.click(train);
        }
        std::thread::sleep(Duration::from_millis(500));
        run.join("metrics.csv").is_file()
    });
    std::thread::sleep(Duration::from_secs(3));
    run
}

/// There is a checkpoint with steps of the run.
fn check_saved(run: &Path, ended_by: &str) {
    let steps = |path: &Path| {
        let progress = fs::read(path.join("progress.json")).unwrap();
        let progress: serde_json::Value = serde_json::from_slice(&progress).unwrap();
        progress["step"].as_u64().unwrap()
    };
    let checkpoints = names(run);
    let newest = checkpoints
        .iter()
        .rfind(|name| name.starts_with("checkpoint-"));
    let newest = newest.unwrap_or_else(|| panic!("{ended_by}: no checkpoint in {checkpoints:?}"));
    let is_saved = steps(&run.join(newest)) > 0;
    assert!(is_saved, "{ended_by}: nothing of the run is left");
}

#[test]
fn a_window_closed_while_a_run_trains_leaves_the_run_whole() {
    let Some(mut desktop) = Desktop::new() else {
        return;
    };
    let run = train(&mut desktop);
    let [closed, _] = desktop.close();
    assert!(closed < AT_ONCE, "{closed:?}");
    check_saved(&run, "its cross");
}

/// Ends a window from outside.
type End = fn(&mut Desktop);

#[test]
fn a_run_is_saved_whatever_ends_its_window() {
    let ends: [(&str, End); 5] = [
        ("SIGTERM", |desktop| desktop.signal("-TERM")),
        ("SIGHUP", |desktop| desktop.signal("-HUP")),
        ("XKillClient", |desktop| {
            let (connection, _) = x11rb::connect(Some(&desktop.display)).unwrap();
            let window = desktop.window().expect("a window");
            connection.kill_client(window).unwrap().check().unwrap();
        }),
        ("XDestroyWindow", |desktop| {
            let (connection, _) = x11rb::connect(Some(&desktop.display)).unwrap();
            let window = desktop.window().expect("a window");
            connection.destroy_window(window).unwrap().check().unwrap();
        }),
        ("the end of the display", |desktop| {
            desktop.server.kill().unwrap();
        }),
    ];
    for (name, end) in ends {
        let Some(mut desktop) = Desktop::new() else {
            return;
        };
        let run = train(&mut desktop);
        end(&mut desktop);
        let mut program = desktop.program.take().unwrap();
        let mut has_ended = || program.try_wait().unwrap().is_some();
        until(name, || {
            std::thread::sleep(Duration::from_millis(50));
            has_ended()
        });
        check_saved(&run, name);
    }
}
