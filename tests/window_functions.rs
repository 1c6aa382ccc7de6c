//! Functions put into the window of Code Glyphs: which of several is painted, what its glyph leaves out, what is pasted
//! and dropped, and where glyphs are saved.

use std::{fs, sync::Arc};

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use glyphspace::glyphs::{image_io, views::Subject};

use super::{
    window::{Window, app, wait},
    window_glyphs::{Dropped, answer, check_said, glyphs_window, type_function},
};

const SEVERAL: &str = "import os

# A comment.
def first(x):
    \"\"\"Says what it does.\"\"\"
    return x

class Box:
    def second(self):
        def within():
            return 2
        return within()

@staticmethod
def third(): return 3
print(third())
";

fn painted(window: &mut Window) -> String {
    let function = app(window).glyphs.workspace.function.clone();
    function.expect("a function").source
}

/// Chooses a function in the list of those in the editor.
fn choose(window: &mut Window, text: &str) {
    window
        .get_by_role_and_label(Role::ComboBox, "Function to paint")
        .click();
    window.step();
    window.step();
    // The last is the one in the list: the chosen one stands in the closed box, too.
    window.get_all_by_label(text).last().unwrap().click();
    window.step();
    window.step();
}

#[test]
fn one_of_several_functions_is_chosen() {
    let mut window = glyphs_window(egui::Theme::Dark);
    type_function(&mut window, SEVERAL);
    let names = |window: &mut Window| -> Vec<String> {
        let (choices, _) = app(window).glyphs.workspace.choices().expect("a choice");
        choices.iter().map(|choice| choice.text()).collect()
    };
    assert_eq!(
        names(&mut window),
        ["first, line 4", "Box.second, line 9", "third, line 15"]
    );
    assert_eq!(painted(&mut window), "def first(x):\n    return x");
    check_said(
        &mut window,
        "Not in the glyph: the docstring, 2 lines above and 8 below",
    );

    choose(&mut window, "third, line 15");
    assert_eq!(painted(&mut window), "@staticmethod\ndef third(): return 3");
    check_said(&mut window, "Not in the glyph: 10 lines above and 1 below");
    wait(&mut window, "its glyph", |app| {
        let answer = app.glyphs.workspace.answer();
        answer.is_some_and(|answer| {
            answer.question.subject
                == Subject::Function("@staticmethod\ndef third(): return 3".into())
        })
    });

    // Text typed above it, half a line for a while, leaves it chosen; so does another name.
    let workspace = &mut app(&mut window).glyphs.workspace;
    workspace.text = format!("def zeroth(\n{SEVERAL}");
    workspace.read();
    assert!(workspace.function.is_err());
    workspace.text = format!("def zeroth(): pass\n{SEVERAL}");
    workspace.read();
    assert_eq!(painted(&mut window), "@staticmethod\ndef third(): return 3");
    let workspace = &mut app(&mut window).glyphs.workspace;
    workspace.text = workspace.text.replace("def third", "def last");
    workspace.read();
    assert_eq!(painted(&mut window), "@staticmethod\ndef last(): return 3");
    // Another text begins with its first function.
    type_function(&mut window, "def other(): pass\ndef more(): pass\n");
    assert_eq!(painted(&mut window), "def other(): pass");
    type_function(&mut window, "def alone(): pass");
    assert_eq!(app(&mut window).glyphs.workspace.choices(), None);
    assert!(window.query_by_label_contains("Not in the glyph").is_none());
}

#[test]
fn functions_of_the_same_name_can_be_told_apart() {
    let mut window = glyphs_window(egui::Theme::Light);
    type_function(&mut window, "def f(): return 1\ndef f(): return 2\n");
    choose(&mut window, "f, line 2");
    assert_eq!(painted(&mut window), "def f(): return 2");
    check_said(&mut window, "Not in the glyph: 1 line above");
}

#[test]
fn what_a_glyph_leaves_out_is_said() {
    let mut window = glyphs_window(egui::Theme::Dark);
    for (text, said) in [
        (
            "def f(): return 1\nprint(f())",
            "Not in the glyph: 1 line below",
        ),
        (
            "def f():\n    'doc'\n    return 1",
            "Not in the glyph: the docstring",
        ),
        (
            "def f():\r\n    return 1\r\n\r\nx = 1\r\ny = 2",
            "Not in the glyph: 2 lines below",
        ),
        (
            "def f():\n    'doc'\n    def g():\n        'doc'\n    return g",
            "Not in the glyph: 2 docstrings",
        ),
        ("# f\n\n\ndef f(): pass", "Not in the glyph: 1 line above"),
    ] {
        type_function(&mut window, text);
        check_said(&mut window, said);
    }
    type_function(
        &mut window,
        "@cached\nasync def f():\n    # Why.\n    return 1  # That.\n\n",
    );
    assert!(window.query_by_label_contains("Not in the glyph").is_none());
}

#[test]
fn a_long_file_lists_its_functions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.py");
    let function = |i: usize| {
        format!(
            "def f{i}(x):\n    \"\"\"{}\"\"\"\n    return x + {i}\n\n",
            "Doc. ".repeat(40)
        )
    };
    fs::write(&path, (0..400).map(function).collect::<String>()).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 64 << 10);
    let mut window = glyphs_window(egui::Theme::Dark);
    window
        .input_mut()
        .dropped_files
        .push(Arc::new(Dropped(path)));
    wait(&mut window, "its functions", |app| {
        app.glyphs.workspace.file_functions.is_some()
    });
    assert_eq!(painted(&mut window), "def f0(x):\n    return x + 0");
    check_said(
        &mut window,
        "Not in the glyph: the docstring and the rest of long.py",
    );
    choose(&mut window, "f1, line 5");
    assert_eq!(painted(&mut window), "def f1(x):\n    return x + 1");
}

/// The text from the clipboard comes as an event; here nobody has to fetch it.
fn paste(window: &mut Window, text: &str) {
    window.event(egui::Event::Paste(text.into()));
    window.step();
    window.step();
}

#[test]
fn what_is_pasted_is_painted() {
    let mut window = glyphs_window(egui::Theme::Light);
    let text = "def pasted():\n    return 1";
    // No field has the keyboard.
    paste(&mut window, text);
    assert_eq!(app(&mut window).glyphs.workspace.text, text);
    window.get_by_label("Paste").click();
    window.step();
    paste(&mut window, "def again(): pass");
    assert_eq!(app(&mut window).glyphs.workspace.text, "def again(): pass");
    // Into another field it goes there.
    window.get_by_label("Save as").focus();
    window.step();
    paste(&mut window, "some.png");
    assert_eq!(app(&mut window).glyphs.workspace.save_path, "some.png");
    assert_eq!(app(&mut window).glyphs.workspace.text, "def again(): pass");
}

#[test]
fn a_pasted_picture_is_read() {
    let mut window = glyphs_window(egui::Theme::Dark);
    let glyph = answer(&mut window).glyph.clone();
    let image = egui::ColorImage::from_rgb([128, 128], glyph.as_raw());
    window.event(egui::Event::PasteImage(Arc::new(image)));
    wait(&mut window, "the picture", |app| {
        app.glyphs.workspace.picture.is_some()
    });
    assert_eq!(
        app(&mut window).glyphs.workspace.picture,
        Some(("the picture pasted".into(), glyph.into()))
    );
    check_said(&mut window, "the picture pasted is looked at");
}

#[test]
fn a_glyph_is_saved_at_a_typed_path_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = glyphs_window(egui::Theme::Dark);
    let glyph = answer(&mut window).glyph.clone();
    let mut save = |name: &str, said: &str| {
        app(&mut window).client.dismiss();
        app(&mut window).glyphs.workspace.save_path =
            folder.path().join(name).display().to_string();
        window.step();
        window.get_by_label("Save glyph\u{2026}").click();
        wait(&mut window, said, |app| {
            let message = app.client.message();
            message.is_some_and(|message| message.text.contains(said))
        });
    };
    save("one.png", "one.png");
    save("two", "two.png");
    for name in ["one.png", "two.png"] {
        assert_eq!(image_io::read(&folder.path().join(name)).unwrap(), glyph);
    }
    fs::write(folder.path().join("one.png"), "mine").unwrap();
    save("one.png", "is there already: expected a new file");
    save("one", "is there already: expected a new file");
    assert_eq!(fs::read(folder.path().join("one.png")).unwrap(), b"mine");
    save(
        "three.jpg",
        "expected the name of a new file that ends in .png",
    );
    save("no/folder/four.png", "can't write");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// The bundled fonts have no Chinese; a font of the system's has.
#[test]
fn a_comment_in_chinese_is_drawn() {
    if !std::path::Path::new("/usr/share/fonts/truetype/droid").is_dir() {
        let is_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
        assert!(!is_ci, "fonts-droid-fallback is not installed");
        eprintln!("skipped: fonts-droid-fallback is not installed");
        return;
    }
    let mut window = glyphs_window(egui::Theme::Dark);
    type_function(
        &mut window,
        "def f():\n    # \u{5e73}\u{5747}\n    return 1",
    );
    let context = window.ctx.clone();
    wait(&mut window, "a font with the character", |_| {
        let font = egui::FontId::monospace(12.0);
        context.fonts_mut(|fonts| fonts.has_glyph(&font, '\u{5e73}'))
    });
}
