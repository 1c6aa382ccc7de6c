//! The widget is used as a person would, by label and pointer.

use std::sync::Arc;

use egui::{Event, Modifiers, MouseWheelUnit, PointerButton, Rect, TouchPhase, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use glyphspace::latent::field::Field;
use glyphspace::palette::Scale;
use glyphspace::ui::canvas::{Plane, View, color_bar};

use super::{assert_near, mixed_field, programs};

struct Shown {
    view: View,
    latent: Option<[f32; 2]>,
    pressed: Option<[f32; 2]>,
    hovered: Option<usize>,
    rect: Rect,
}

fn canvas_harness<'a>() -> Harness<'a, Shown> {
    let field = mixed_field(64);
    let marks = programs();
    let shown = Shown {
        view: View::default(),
        latent: None,
        pressed: None,
        hovered: None,
        rect: Rect::NOTHING,
    };
    let ui = move |ui: &mut egui::Ui, shown: &mut Shown| {
        ui.horizontal(|ui| {
            let scale = Scale::loss(0.5, 30.0);
            let mut plane = Plane::new("Loss map of 71+?=18", scale);
            plane.field = Some(&field);
            plane.marks = &marks;
            plane.cursor = Some([0.2, 0.2]);
            let canvas = plane.show(ui, &mut shown.view, vec2(500.0, 480.0));
            (shown.latent, shown.pressed) = (canvas.pointer_latent, canvas.pressed_latent);
            (shown.hovered, shown.rect) = (canvas.hovered_mark, canvas.response.rect);
            color_bar(ui, &scale, "Negative log likelihood (nats)", 460.0, true);
        });
    };
    Harness::builder()
        .with_size(vec2(640.0, 500.0))
        .with_step_dt(1.0 / 30.0)
        .build_ui_state(ui, shown)
}

fn assert_latent(got: Option<[f32; 2]>, wanted: [f32; 2]) {
    let got = got.expect("the pointer is on the plane");
    assert!(
        (0..2).all(|axis| (got[axis] - wanted[axis]).abs() < 2e-3),
        "{got:?}, expected {wanted:?}"
    );
}

#[test]
fn pointer_gives_latent_coordinates() {
    let mut harness = canvas_harness();
    harness.run_steps(2);
    let rect = harness.get_by_label("Loss map of 71+?=18").rect();
    assert_eq!(rect, harness.state().rect);
    assert_eq!(harness.state().latent, None);
    for latent in [[0.0, 0.0], [0.75, -0.5], [-0.99, 0.99]] {
        let at = harness.state().view.screen_from_latent(rect, latent);
        harness.hover_at(at);
        harness.run_steps(2);
        assert_latent(harness.state().latent, latent);
        assert_eq!(harness.state().pressed, None);
    }
    // Marks are found under the pointer, and a press tells where to decode, also beyond the border.
    let mark = programs()[30].at;
    let at = harness.state().view.screen_from_latent(rect, mark);
    harness.drag_at(at);
    harness.run_steps(2);
    assert_latent(harness.state().pressed, mark);
    assert_eq!(harness.state().hovered, Some(30));
    harness.hover_at(pos2(rect.right() + 60.0, rect.center().y));
    harness.run_steps(2);
    assert_latent(harness.state().pressed, [1.0, 0.0]);
    harness.drop_at(pos2(rect.right() + 60.0, rect.center().y));
    harness.run_steps(2);
    assert_eq!(harness.state().pressed, None);
    harness.get_by_label_contains("Colour scale of Negative log likelihood (nats)");
}

fn wheel(harness: &mut Harness<'_, Shown>, delta_y: f32) {
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, delta_y),
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(30);
}

#[test]
fn wheel_zooms_at_the_pointer_and_home_resets() {
    let mut harness = canvas_harness();
    harness.run_steps(2);
    let rect = harness.state().rect;
    let at = harness.state().view.screen_from_latent(rect, [0.4, -0.3]);
    harness.hover_at(at);
    harness.run_steps(2);
    for delta_y in [120.0, 200.0, -90.0] {
        let before = harness.state().view.zoom;
        wheel(&mut harness, delta_y);
        let after = harness.state().view.zoom;
        assert!(
            (after > before) == (delta_y > 0.0) && after != before,
            "{before} to {after}"
        );
        assert_latent(harness.state().latent, [0.4, -0.3]);
    }
    harness.drag_at(at);
    harness.drop_at(at);
    harness.run_steps(2);
    harness.key_press(egui::Key::Home);
    harness.run_steps(2);
    assert_eq!(harness.state().view, View::default());
}

#[test]
fn right_drag_pans_and_does_not_decode() {
    let mut harness = canvas_harness();
    harness.run_steps(2);
    let rect = harness.state().rect;
    let button = |pressed, pos| Event::PointerButton {
        pos,
        button: PointerButton::Secondary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let [from, to] = [rect.center(), rect.center() + vec2(-40.0, 25.0)];
    harness.hover_at(from);
    harness.run_steps(1);
    harness.event(button(true, from));
    harness.run_steps(1);
    for part in [0.5, 1.0] {
        harness.hover_at(from + (to - from) * part);
        harness.run_steps(1);
        assert_eq!(harness.state().pressed, None);
    }
    harness.event(button(false, to));
    harness.run_steps(1);
    let moved = harness.state().view.screen_from_latent(rect, [0.0, 0.0]) - rect.center();
    assert!(
        (moved - vec2(-40.0, 25.0)).length() < 1.0,
        "moved by {moved:?}"
    );
}

#[test]
fn canvas_renders_the_map_in_both_themes_and_at_any_pixel_density() {
    if !crate::device::has_adapter() {
        return;
    }
    for (theme, density) in [
        (egui::Theme::Light, 1.0),
        (egui::Theme::Dark, 2.0),
        (egui::Theme::Dark, 1.37),
    ] {
        let field = Arc::new(Field::from_fn(2, |x, y| {
            1.5 + 0.5 * x.signum() + y.signum() * 0.25
        }));
        let scale = Scale::loss(0.5, 4.0);
        let view = View {
            center: [0.1, 0.2],
            zoom: 1.2,
        };
        let mut shown = view;
        let mut harness = Harness::builder()
            .with_size(vec2(400.0, 400.0))
            .with_theme(theme)
            .with_pixels_per_point(density)
            .build_ui(|ui| {
                let mut plane = Plane::new("Map", scale);
                plane.field = Some(&field);
                plane.show(ui, &mut shown, vec2(380.0, 370.0));
            });
        harness.run_steps(3);
        let rect = harness.get_by_label("Map").rect();
        let image = harness.render().expect("the adapter renders");
        // Just beside the borders between the cells: a shift or a flip would show.
        for latent in [[-0.03, -0.03], [0.03, -0.03], [-0.03, 0.03], [0.03, 0.03]] {
            let at = view.screen_from_latent(rect, latent) * density;
            let cell = field.cell_at(latent[0], latent[1]).expect("on the plane");
            let got = image.get_pixel(at.x as u32, at.y as u32).0;
            assert_near(
                got,
                scale.color(field.values[cell]),
                2,
                &format!("{latent:?} at density {density}"),
            );
        }
    }
}
