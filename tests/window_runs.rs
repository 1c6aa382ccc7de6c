//! Runs of Code Glyphs that begin with one click, and orders that wait for the engine.

use std::{fs, path::Path};

use egui_kittest::kittest::{NodeT, Queryable};
use glyphspace::{
    data::corpus::{Cancelled, Corpus, Input},
    device::{Adapter, Choice},
    glyphs::corpus_functions::default_corpus,
    training::Pace,
    ui::glyphs::side_panel::SidePanel,
};

use super::{
    command_line::names,
    window::{Window, app, wait, window},
    window_glyphs::{check_said, glyphs_window},
};

/// A library of one file.
fn library(folder: &Path, version: &str) -> Input {
    fs::create_dir_all(folder).unwrap();
    let function = |i: usize| format!("def f{i}(x):\n    return x * {i} + {i}\n\n");
    let functions: String = (0..300).map(function).collect();
    fs::write(folder.join("os.py"), functions).unwrap();
    Input::Library {
        folder: folder.to_owned(),
        version: version.into(),
    }
}

#[test]
fn a_corpus_to_train_on_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let (at, runs) = (folder.path().join("lib"), folder.path().join("runs"));
    let python = library(&at, "3.99.1");
    let make = |input: &Input| default_corpus(&runs, input, &mut |_| true).unwrap();

    let path = make(&python);
    assert_eq!(path, runs.join("python-3.99.1.corpus"));
    assert_eq!(Corpus::open(&path).unwrap().len(), 300);
    // The second time it is there.
    fs::remove_dir_all(&at).unwrap();
    assert_eq!(make(&python), path);

    // A file of another kind that has the name stays as it is.
    let python = library(&at, "3.99.2");
    let theirs = runs.join("python-3.99.2.corpus");
    fs::write(&theirs, "my notes").unwrap();
    assert_eq!(make(&python), runs.join("python-3.99.2-2.corpus"));
    assert_eq!(make(&python), runs.join("python-3.99.2-2.corpus"));
    assert_eq!(fs::read(&theirs).unwrap(), b"my notes");

    // Without a library, or one without functions, the bundled functions have to do.
    let sample = runs.join("bundled-functions.corpus");
    assert_eq!(make(&Input::Sample), sample);
    let empty = library(&at, "3.99.3");
    fs::write(at.join("os.py"), "x = 1\n").unwrap();
    assert_eq!(make(&empty), sample);
    assert!(Corpus::open(&sample).unwrap().len() > 50);

    let python = library(&at, "3.99.4");
    let stopped = default_corpus(&runs, &python, &mut |_| false).unwrap_err();
    assert!(stopped.is::<Cancelled>(), "{stopped:#}");
    assert!(!runs.join("python-3.99.4.corpus").exists());
}

/// A click is answered in the frame it is seen in, whatever the engine is at.
fn check_at_once(window: &mut Window, button: &str, said: &str) {
    window.get_by_label(button).click();
    let is_said = (0..2).any(|_| {
        window.step();
        window.query_by_label_contains(said).is_some()
    });
    assert!(is_said, "{button}: {said:?} is not shown");
}

#[test]
fn one_click_trains() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = glyphs_window(egui::Theme::Dark);
    app(&mut window).glyphs.side = SidePanel::Training;
    app(&mut window).glyphs.workspace.train.out = folder.path().join("run").display().to_string();
    window.step();
    window.get_by_label("Train").click();
    window.step();
    window.step();
    check_said(&mut window, "A corpus to train on is made");
    window.get_by_label("Cancel").click();
    window.step();
    window.step();
    assert!(app(&mut window).glyphs.workspace.corpus_build.is_none());

    window.get_by_label("Train").click();
    wait(&mut window, "the run", |app| {
        app.glyphs.workspace.pace().is_some()
    });
    assert!(
        app(&mut window)
            .client
            .message()
            .is_none_or(|m| !m.is_error)
    );
    let corpus = app(&mut window).glyphs.workspace.train_corpus.clone();
    assert!(Corpus::open(Path::new(&corpus)).unwrap().len() > 50);
    wait(&mut window, "a step", |app| {
        let run = app.glyphs.workspace.views.run.training.get();
        run.is_some_and(|run| run.last.is_some())
    });
    check_at_once(&mut window, "Stop", "stopping after this step");
    wait(&mut window, "the end", |app| {
        app.glyphs.workspace.pace().is_none()
    });
    assert!(folder.path().join("run/metrics.csv").is_file());

    // The build that was called off has left nothing, and nothing is made again.
    let made: Vec<_> = names(folder.path()).into_iter().collect();
    assert_eq!(made.len(), 2, "{made:?}");
    let written = fs::metadata(&corpus).unwrap().modified().unwrap();
    let workspace = &mut app(&mut window).glyphs.workspace;
    workspace.train_corpus.clear();
    workspace.train.out = folder.path().join("again").display().to_string();
    window.get_by_label("Train").click();
    wait(&mut window, "the second run", |app| {
        app.glyphs.workspace.pace().is_some()
    });
    assert_eq!(app(&mut window).glyphs.workspace.train_corpus, corpus);
    assert_eq!(fs::metadata(&corpus).unwrap().modified().unwrap(), written);
}

#[test]
fn orders_to_a_run_are_shown_before_they_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(egui::Theme::Light);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    app(&mut window).executor.workspace.train.out = folder.path().join("run").display().to_string();
    check_at_once(&mut window, "Train", "being prepared");
    // Stop need not wait for the run to begin.
    window.step();
    assert!(!window.get_by_label("Stop").accesskit_node().is_disabled());
    wait(&mut window, "the run", |app| {
        app.executor.workspace.views.run.training.get().is_some()
    });
    check_at_once(&mut window, "Pause", "pauses after this step");
    wait(&mut window, "the pause", |app| {
        let run = app.executor.workspace.views.run.training.get();
        run.is_some_and(|run| run.pace == Some(Pace::Paused))
    });
    check_said(&mut window, "paused");
    check_at_once(&mut window, "Stop", "stopping after this step");
    wait(&mut window, "the end", |app| {
        app.executor.workspace.pending.order().is_none()
    });
    check_said(&mut window, "ended");
    // An order that is refused waits for nothing.
    app(&mut window).executor.workspace.train.out = folder.path().join("run").display().to_string();
    window.get_by_label("Train").click();
    wait(&mut window, "the refusal", |app| {
        app.client.message().is_some_and(|message| message.is_error)
    });
    assert!(!window.get_by_label("Train").accesskit_node().is_disabled());
}

/// A graphics driver that runs on the processor is slow: the window says so and offers the processor.
#[test]
fn a_slow_device_is_named_and_can_be_left() {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    assert!(window.query_by_label("Use the processor").is_none());
    let client = &mut app(&mut window).client;
    client.choice = Choice::Adapter(0);
    client.adapters = vec![Adapter {
        number: 0,
        name: "llvmpipe".into(),
        kind: wgpu::DeviceType::Cpu,
    }];
    check_said(
        &mut window,
        "llvmpipe is a graphics driver that runs on the processor",
    );
    window.get_by_label("Use the processor").click();
    window.step();
    window.step();
    assert_eq!(app(&mut window).client.choice, Choice::Cpu);
    wait(&mut window, "the model on the processor", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    window.step();
    assert!(window.query_by_label("Use the processor").is_none());
}
