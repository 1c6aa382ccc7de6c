//! The window at several sizes: nothing covers anything, the map keeps the room, texts can be read.

use egui::{Color32, Rect};
use egui_kittest::kittest::Queryable;
use glyphspace::ui::theme::Theme;

use super::window::{Window, app, type_sum, wait, window_of};

const SIZES: [[f32; 2]; 3] = [[860.0, 560.0], [900.0, 600.0], [1280.0, 800.0]];

fn ready(size: [f32; 2]) -> Window {
    let mut window = window_of(egui::Theme::Dark, size);
    wait(&mut window, "the map", |app| {
        app.executor.workspace.views.landscape.get().is_some()
    });
    window.run_steps(3);
    window
}

fn rect(window: &Window, label: &str) -> Rect {
    window.get_by_label(label).rect()
}

#[test]
fn the_map_keeps_most_of_the_width() {
    for size in SIZES {
        let window = ready(size);
        let map = rect(&window, "Loss map");
        assert!(
            map.width() >= 0.42 * size[0] && map.height() >= 0.6 * size[1],
            "{map:?} of {size:?}"
        );
        let inside = Rect::from_min_size(egui::Pos2::ZERO, size.into());
        assert!(inside.contains_rect(map), "{map:?} of {size:?}");
    }
}

#[test]
fn controls_and_bar_stay_in_their_places() {
    for size in SIZES {
        let mut window = ready(size);
        let map = rect(&window, "Loss map");
        for label in [
            "Solve",
            "Next evaluation",
            "Undo",
            "Warm",
            "Train",
            "Stop",
            "Operators",
            "Export",
        ] {
            let button = rect(&window, label);
            assert!(
                button.right() < map.left(),
                "{label} at {button:?}, {size:?}"
            );
        }
        for system in ["Latent Executor", "Code Glyphs"] {
            window.get_by_label(system).click();
            wait(&mut window, "the model", |app| {
                app.system.name() == system
                    && (system == "Latent Executor"
                        || app.glyphs.workspace.views.run.model.get().is_some())
            });
            window.run_steps(2);
            let model = window.get_by_label_contains(" values, ").rect();
            assert!(
                rect(&window, "Code Glyphs").right() < model.left(),
                "{size:?}"
            );
            assert!(model.width() > 60.0, "{model:?} of {size:?}");
            // The word and the box beside it.
            for device in window.query_all_by_label("Device") {
                let device = device.rect();
                assert!(
                    model.right() < device.left(),
                    "{model:?}, {device:?}, {size:?}"
                );
            }
            assert!(rect(&window, "Light").right() <= size[0]);
        }
    }
}

/// The errors of a program of several lines are shown whole, and the map keeps its size.
#[test]
fn errors_by_line_take_nothing_from_the_map() {
    for size in SIZES {
        let mut window = ready(size);
        window.get_by_label("Several lines").click();
        wait(&mut window, "the model", |app| {
            let model = app.executor.workspace.views.run.model.get();
            model.is_some_and(|model| model.config.lines == 2)
                && app.executor.workspace.views.landscape.get().is_some()
        });
        type_sum(&mut window, "71+?+?=18");
        let before = rect(&window, "Loss map");
        app(&mut window).executor.workspace.search.pause_secs = 0.0;
        window.get_by_label("Solve").click();
        wait(&mut window, "the run", |app| {
            app.executor.workspace.run().is_some()
        });
        window.run_steps(3);
        let after = rect(&window, "Loss map");
        assert_eq!(before.width(), after.width(), "{size:?}");
        if size[0] < 1000.0 {
            window.get_by_label("Error by line").click();
            window.run_steps(2);
        }
        let inside = Rect::from_min_size(egui::Pos2::ZERO, size.into()).shrink(1.0);
        for label in ["Error by line", "Point passed on", "Decoded, encoded"] {
            let shown = rect(&window, label);
            assert!(
                inside.contains_rect(shown),
                "{label} at {shown:?} of {size:?}"
            );
        }
        for shares in window.query_all_by_label_contains("right: ") {
            assert!(inside.contains_rect(shares.rect()), "{:?}", shares.rect());
        }
    }
}

/// Relative luminance by WCAG 2.
fn luminance(color: Color32) -> f64 {
    let linear = |channel: u8| {
        let part = f64::from(channel) / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
}

fn contrast(a: Color32, b: Color32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn texts_have_a_contrast_of_four_and_a_half() {
    let mut window = window_of(egui::Theme::Dark, [900.0, 600.0]);
    window.step();
    assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-9);
    for (egui_theme, theme) in [
        (egui::Theme::Dark, Theme::DARK),
        (egui::Theme::Light, Theme::LIGHT),
    ] {
        let visuals = window.ctx.style_of(egui_theme).visuals.clone();
        assert_eq!(visuals.panel_fill, theme.panel);
        let weak = visuals.weak_text_color();
        assert_eq!(weak.a(), 255, "weak text is translucent");
        let texts = [
            ("weak", weak),
            ("text", visuals.text_color()),
            ("strong", visuals.strong_text_color()),
            ("axis", theme.axis_text),
            ("good", theme.good),
            ("warning", theme.warning),
            ("error", theme.error),
            ("weak of ours", theme.weak_text),
            ("code", theme.code),
            ("keyword", theme.keyword),
            ("name", theme.name),
            ("literal", theme.text_literal),
            ("number", theme.number),
        ];
        let grounds = [
            ("panel", theme.panel),
            ("canvas", theme.canvas),
            ("text edit", visuals.text_edit_bg_color()),
            ("popup", visuals.window_fill),
        ];
        for (text, color) in texts {
            for (ground, fill) in grounds {
                let found = contrast(color, fill);
                assert!(
                    found >= 4.5,
                    "{egui_theme:?}: {text} text on a {ground}: {found:.2}"
                );
            }
        }
    }
}
