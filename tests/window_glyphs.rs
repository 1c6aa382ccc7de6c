//! Code Glyphs in the window, driven as people drive them: by label, on the software renderer. What the
//! bundled model reads is its own affair here.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use glyphspace::{
    data::corpus::{BuildOptions, Input, build},
    device::Choice,
    glyphs::{
        image_io,
        views::{GlyphView, Subject},
    },
    training::Pace,
    ui::{app::App, glyphs::side_panel::SidePanel, system::SystemPage},
};

use super::window::{Window, app, wait, window};

/// A window that shows Code Glyphs, with the first answer.
pub fn glyphs_window(theme: egui::Theme) -> Window {
    let mut window = window(theme);
    // An untrained model writes what no font has.
    let policy = egui::MissingGlyphPolicy::Tofu;
    window.ctx.set_missing_glyph_policy(policy);
    window.step();
    window.get_by_label("Code Glyphs").click();
    wait(&mut window, "the first glyph", |app| {
        app.glyphs.workspace.answer().is_some()
    });
    assert_eq!(app(&mut window).system, SystemPage::Glyphs);
    window
}

pub fn answer(window: &mut Window) -> Arc<GlyphView> {
    app(window).glyphs.workspace.answer().expect("an answer")
}

pub fn type_function(window: &mut Window, text: &str) {
    app(window).glyphs.workspace.text.clear();
    window.get_by_label("Function").focus();
    window.step();
    window.get_by_label("Function").type_text(text);
    window.step();
    window.step();
}

pub fn check_said(window: &mut Window, text: &str) {
    window.step();
    assert!(
        window.query_by_label_contains(text).is_some(),
        "{text:?} is not shown"
    );
}

#[test]
fn a_typed_function_is_painted_and_read() {
    let mut window = glyphs_window(egui::Theme::Light);
    let function = "def double(x):\n    return 2 * x";
    type_function(&mut window, function);
    wait(&mut window, "the glyph of the function", |app| {
        let answer = app.glyphs.workspace.answer();
        answer.is_some_and(|answer| answer.question.subject == Subject::Function(function.into()))
    });
    let view = answer(&mut window);
    assert_eq!(view.glyph.dimensions(), (128, 128));
    check_said(&mut window, "double: ");
    let verdict = match view.tokens.as_ref() == Some(&view.reading.decoded.tokens) {
        true => "exact",
        false => "tokens differ",
    };
    check_said(&mut window, verdict);
    check_said(&mut window, "certainty");

    if !crate::device::has_adapter() {
        return;
    }
    // The picture is on the screen: the middle of each of its quarters has the glyph's colour.
    let rect = window.get_by_label("Glyph picture").rect();
    let screen = window.render().unwrap();
    for (x, y) in [(32, 32), (96, 32), (32, 96), (96, 96)] {
        let at = rect.min + rect.size() * egui::vec2(x as f32 + 0.5, y as f32 + 0.5) / 128.0;
        let shown = screen.get_pixel(at.x as u32, at.y as u32).0;
        let wanted = view.glyph.get_pixel(x, y).0;
        let apart = shown.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max();
        assert!(
            apart <= Some(24),
            "{shown:?} is shown at {x}, {y}: expected {wanted:?}"
        );
    }
}

#[test]
fn what_is_no_function_gets_a_word() {
    let mut window = glyphs_window(egui::Theme::Dark);
    type_function(&mut window, "this is no Python");
    check_said(&mut window, "no Python in line 1");
    check_said(&mut window, "Nothing yet");
    type_function(&mut window, "x = 1");
    check_said(&mut window, "no function");
    type_function(&mut window, "");
    app(&mut window).glyphs.workspace.write(String::new());
    check_said(&mut window, "Type or paste a Python function");
    type_function(&mut window, "def f():\n    def g(): pass\n    return g");
    wait(&mut window, "the one function's glyph", |app| {
        app.glyphs.workspace.answer().is_some()
    });
    check_said(&mut window, "f: ");

    let long: String = (0..80)
        .map(|i| format!("    value_{i} = other_{i}\n"))
        .collect();
    type_function(&mut window, &format!("def long():\n{long}"));
    wait(&mut window, "the refusal", |app| {
        app.glyphs.workspace.refusal().is_some()
    });
    check_said(&mut window, "this model paints up to 128");
    assert!(
        app(&mut window).client.message().is_none(),
        "that is no failure"
    );
}

#[test]
fn the_channel_damages_the_glyph() {
    let mut window = glyphs_window(egui::Theme::Dark);
    assert_eq!(answer(&mut window).distorted, answer(&mut window).glyph);
    window
        .get_by_role_and_label(Role::Slider, "Difficulty")
        .set_value_accesskit(8.0);
    wait(&mut window, "the distorted glyph", |app| {
        app.glyphs
            .workspace
            .answer()
            .is_some_and(|answer| answer.question.difficulty == 8.0)
    });
    let first = answer(&mut window);
    assert_ne!(first.distorted, first.glyph);
    check_said(&mut window, "difficulty 8.0");

    window.get_by_label("Draw again").click();
    wait(&mut window, "another draw", |app| {
        app.glyphs
            .workspace
            .answer()
            .is_some_and(|answer| answer.question.seed == 1)
    });
    assert_ne!(answer(&mut window).distorted, first.distorted);

    for part in [
        "Turn and shift",
        "Perspective",
        "Blur",
        "Colour gains",
        "Patch",
        "Static",
        "JPEG",
    ] {
        window.get_by_label(part).click();
        window.step();
    }
    wait(&mut window, "the undamaged glyph", |app| {
        app.glyphs
            .workspace
            .answer()
            .is_some_and(|answer| answer.distorted == answer.glyph)
    });
}

#[test]
fn the_grid_shows_functions_and_a_click_opens_one() {
    let mut window = glyphs_window(egui::Theme::Light);
    wait(&mut window, "the grid", |app| {
        app.glyphs.workspace.views.grid.get().is_some()
    });
    window.step();
    assert_eq!(window.get_all_by_label_contains("Glyph of ").count(), 64);
    let grid = app(&mut window).glyphs.workspace.views.grid.get().unwrap();
    window
        .get_all_by_label_contains("Glyph of ")
        .next()
        .unwrap()
        .click();
    window.step();
    window.step();
    assert_eq!(app(&mut window).glyphs.workspace.text, grid.tiles[0].text);
    wait(&mut window, "its glyph", |app| {
        app.glyphs.workspace.answer().is_some()
    });

    window.get_by_label("Nearest glyphs").click();
    wait(&mut window, "the nearest", |app| {
        app.glyphs.workspace.nearest.is_some()
    });
    window.step();
    assert_eq!(window.get_all_by_label_contains("Glyph of ").count(), 9);
    let (of, nearest) = app(&mut window).glyphs.workspace.nearest.clone().unwrap();
    assert_eq!(of.text, app(&mut window).glyphs.workspace.text);
    assert!(nearest.is_sorted_by(|a, b| a.distance <= b.distance));
    check_said(&mut window, &format!("distance {:.3}", nearest[0].distance));
}

#[test]
fn a_path_of_two_is_walked() {
    let mut window = glyphs_window(egui::Theme::Dark);
    window.get_by_label("+ path").click();
    window.step();
    window.step();
    type_function(&mut window, "def triple(x):\n    return 3 * x");
    wait(&mut window, "the second glyph", |app| {
        app.glyphs.workspace.tile().is_some()
    });
    window.get_by_label("+ path").click();
    window.step();
    window.step();
    check_said(&mut window, "2. triple");
    window.get_by_label("Paint morph").click();
    wait(&mut window, "the morph", |app| {
        app.glyphs.workspace.morph.frames.is_some()
    });
    let frames = app(&mut window)
        .glyphs
        .workspace
        .morph
        .frames
        .clone()
        .unwrap();
    assert_eq!(frames.len(), 60);
    assert_ne!(frames.first(), frames.last());
    let (last, glyph) = (frames.last().unwrap(), answer(&mut window).glyph.clone());
    let apart = last
        .as_raw()
        .iter()
        .zip(glyph.as_raw())
        .map(|(a, b)| a.abs_diff(*b));
    assert!(apart.max() <= Some(2), "the way ends elsewhere");

    window.step();
    window
        .get_by_role_and_label(Role::Slider, "Frame")
        .set_value_accesskit(30.0);
    window.step();
    window.step();
    assert_eq!(app(&mut window).glyphs.workspace.morph.at, 30);
    window.get_by_label("Remove triple").click();
    window.step();
    window.step();
    assert_eq!(app(&mut window).glyphs.workspace.morph.path.len(), 1);
}

#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn a_dropped_picture_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = glyphs_window(egui::Theme::Light);
    let glyph = answer(&mut window).glyph.clone();
    let path = folder.path().join("glyph.png");
    image_io::write(&path, &glyph).unwrap();
    window
        .input_mut()
        .dropped_files
        .push(Arc::new(Dropped(path)));
    wait(&mut window, "the picture", |app| {
        app.glyphs.workspace.picture.is_some()
    });
    wait(&mut window, "what is read", |app| {
        app.glyphs.workspace.answer().is_some()
    });
    let view = answer(&mut window);
    assert_eq!(view.question.subject, Subject::Picture(glyph.into()));
    assert_eq!(view.tokens, None);
    check_said(&mut window, "glyph.png is looked at");
    window.get_by_label("Use this function").click();
    window.step();
    window.step();
    assert_eq!(app(&mut window).glyphs.workspace.text, view.reading.text);
    assert!(app(&mut window).glyphs.workspace.picture.is_none());

    let text = folder.path().join("letter.txt");
    std::fs::write(&text, "Dear all").unwrap();
    app(&mut window).glyphs.workspace.file_path = text.display().to_string();
    window.step();
    window.get_by_label("Read file").click();
    wait(&mut window, "the message", |app| {
        app.client
            .message()
            .is_some_and(|message| message.text.contains("letter.txt is not a picture"))
    });
}

#[test]
fn training_shows_its_curves() {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, out) = (folder.path().join("tiny.corpus"), folder.path().join("run"));
    let options = BuildOptions {
        max_tokens: 24,
        limit: Some(60),
        vocabulary: 600,
        ..BuildOptions::default()
    };
    build(&[Input::Sample], &corpus, &options, &mut |_| true).unwrap();

    let mut window = glyphs_window(egui::Theme::Dark);
    app(&mut window).glyphs.side = SidePanel::Training;
    window.step();
    let workspace = &mut app(&mut window).glyphs.workspace;
    workspace.train_corpus = corpus.display().to_string();
    workspace.train.out = out.display().to_string();
    window.get_by_label("Train").click();
    let step = |app: &mut App| {
        let run = app.glyphs.workspace.views.run.training.get();
        run.and_then(|run| run.last.clone())
            .map_or(0, |last| last.step())
    };
    wait(&mut window, "a few steps", |app| step(app) >= 3);
    check_said(&mut window, "steps/s");
    check_said(&mut window, "validation: ");
    check_said(&mut window, "Losses by term");
    wait(&mut window, "the corpus in the grid", |app| {
        let grid = app.glyphs.workspace.views.grid.get();
        grid.is_some_and(|grid| grid.step > 0 && grid.tiles.len() <= 60)
    });

    window.get_by_label("Pause").click();
    wait(&mut window, "the pause", |app| {
        app.glyphs.workspace.pace() == Some(Pace::Paused)
    });
    let paused_at = step(app(&mut window));
    window.get_by_label("Step").click();
    wait(&mut window, "one step", |app| {
        step(app) == paused_at + 1 && app.glyphs.workspace.pace() == Some(Pace::Paused)
    });
    window.get_by_label("Stop").click();
    wait(&mut window, "the end", |app| {
        app.glyphs.workspace.pace().is_none()
    });
    assert!(out.join("metrics.csv").is_file());
    check_said(&mut window, "ended");
}

#[derive(Default)]
struct Memory(HashMap<String, String>);

impl eframe::Storage for Memory {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.into(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

#[test]
fn the_system_and_the_function_are_kept() {
    let (context, mut memory) = (egui::Context::default(), Memory::default());
    let open = |memory: &Memory| App::new(&context, Choice::Cpu, true, Some(memory)).unwrap();
    let mut first = open(&memory);
    assert_eq!(first.system, SystemPage::Executor);
    first.system = SystemPage::Glyphs;
    first.glyphs.workspace.write("def kept(): pass".into());
    eframe::App::save(&mut first, &mut memory);
    let second = open(&memory);
    assert_eq!(second.system, SystemPage::Glyphs);
    assert_eq!(second.glyphs.workspace.text, "def kept(): pass");
}
