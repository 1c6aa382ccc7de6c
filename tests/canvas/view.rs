//! The part of the plane a canvas shows.

use egui::{Rect, pos2, vec2};
use glyphspace::ui::canvas::View;

fn close(a: f32, b: f32) {
    assert!((a - b).abs() < 2e-3, "{a} is not {b}");
}

#[test]
fn there_and_back() {
    let rect = Rect::from_min_size(pos2(40.0, 20.0), vec2(500.0, 300.0));
    let mut view = View {
        center: [0.3, -0.2],
        zoom: 3.0,
    };
    let at = view.screen_from_latent(rect, [0.5, -0.4]);
    let [x, y] = view.latent_from_screen(rect, at);
    close(x, 0.5);
    close(y, -0.4);
    view.zoom_at(rect, at, 1.7);
    let moved = view.screen_from_latent(rect, [0.5, -0.4]);
    close(moved.x, at.x);
    close(moved.y, at.y);
    view.reset();
    assert!(rect.contains_rect(view.plane_rect(rect)));
}

#[test]
fn the_plane_cannot_be_lost() {
    let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 400.0));
    for zoom in [0.0, 0.8, 1.0, 7.0, 1e9, f32::NAN] {
        let mut view = View {
            center: [0.0, 0.0],
            zoom,
        };
        view.pan_by(rect, vec2(1e7, f32::MAX));
        let visible = view.plane_rect(rect).intersect(rect);
        assert!(
            visible.width() >= 199.0 && visible.height() >= 199.0,
            "zoom {zoom}: {visible:?}"
        );
    }
}

#[test]
fn ticks_get_finer() {
    let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(412.0, 412.0));
    assert_eq!(
        View::default().axis_ticks(rect, 80.0),
        (vec![-1.0, -0.5, 0.0, 0.5, 1.0], 1)
    );
    let close_up = View {
        center: [0.0, 0.0],
        zoom: 10.0,
    };
    assert_eq!(close_up.axis_ticks(rect, 80.0).1, 2);
}
