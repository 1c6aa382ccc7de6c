//! Overlay of a plane, drawn by egui's painter: border, grid and axes, the search path, pins and the cross at the decoded
//! point.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

use super::items::{PathStep, Pin};
use super::view::View;
use crate::ui::theme::{Theme, color_from_rgb};

/// Room left of the canvas for the axis labels, in points.
pub const AXIS_LEFT: f32 = 40.0;
/// Room below the canvas for the axis labels, in points.
pub const AXIS_BOTTOM: f32 = 20.0;

/// Lines at round coordinates inside the plane.
pub fn grid(painter: &Painter, rect: Rect, view: &View, theme: &Theme) {
    let plane = view.plane_rect(rect);
    let stroke = Stroke::new(1.0, theme.grid);
    for tick in view.axis_ticks(rect, 90.0).0 {
        let at = view.screen_from_latent(rect, [tick, tick]);
        if rect.x_range().contains(at.x) {
            painter.vline(at.x, plane.y_range(), stroke);
        }
        if rect.y_range().contains(at.y) {
            painter.hline(plane.x_range(), at.y, stroke);
        }
    }
}

/// The plane's border, and the canvas's: thicker when it has the keyboard.
pub fn borders(painter: &Painter, rect: Rect, view: &View, has_focus: bool, theme: &Theme) {
    let stroke = Stroke::new(1.0, theme.plane_border);
    painter.rect_stroke(view.plane_rect(rect), 0.0, stroke, StrokeKind::Outside);
    if has_focus {
        painter.rect_stroke(rect, 0.0, Stroke::new(2.0, theme.focus), StrokeKind::Inside);
    }
}

/// A closed border on the plane.
pub fn outline(painter: &Painter, rect: Rect, view: &View, corners: &[[f32; 2]], theme: &Theme) {
    let line: Vec<Pos2> = corners
        .iter()
        .map(|corner| view.screen_from_latent(rect, *corner))
        .collect();
    let under = Stroke::new(3.0, theme.cursor_halo.gamma_multiply(0.5));
    painter.add(Shape::closed_line(line.clone(), under));
    painter.add(Shape::closed_line(line, Stroke::new(1.0, theme.cursor)));
}

/// Tick marks and labels left of and below the canvas; the painter must reach there.
pub fn axes(painter: &Painter, rect: Rect, view: &View, theme: &Theme) {
    let (ticks, decimals) = view.axis_ticks(rect, 70.0);
    let (font, stroke) = (
        FontId::proportional(11.0),
        Stroke::new(1.0, theme.axis_text),
    );
    for tick in ticks {
        let at = view.screen_from_latent(rect, [tick, tick]);
        // A true minus sign is as wide as the plus and as the digits.
        let label = format!("{tick:.decimals$}").replace('-', "\u{2212}");
        // Labels near a corner would be cut or run into the other axis.
        if (rect.left() + 2.0..=rect.right() - 2.0).contains(&at.x) {
            painter.vline(at.x, rect.bottom()..=rect.bottom() + 4.0, stroke);
            let below = pos2(at.x, rect.bottom() + 5.0);
            painter.text(
                below,
                Align2::CENTER_TOP,
                &label,
                font.clone(),
                theme.axis_text,
            );
        }
        if (rect.top() + 2.0..=rect.bottom() - 2.0).contains(&at.y) {
            painter.hline(rect.left() - 4.0..=rect.left(), at.y, stroke);
            let beside = pos2(rect.left() - 6.0, at.y);
            painter.text(
                beside,
                Align2::RIGHT_CENTER,
                label,
                font.clone(),
                theme.axis_text,
            );
        }
    }
}

/// Path of a search: a line with a halo and a dot for each step.
pub fn path(painter: &Painter, rect: Rect, view: &View, steps: &[PathStep], theme: &Theme) {
    let line: Vec<Pos2> = steps
        .iter()
        .map(|step| view.screen_from_latent(rect, step.at))
        .collect();
    painter.add(Shape::line(
        line.clone(),
        Stroke::new(3.0, theme.cursor_halo.gamma_multiply(0.45)),
    ));
    painter.add(Shape::line(
        line.clone(),
        Stroke::new(1.25, theme.path.gamma_multiply(0.8)),
    ));
    for (step, at) in steps.iter().zip(line) {
        let radius = PATH_RADIUS + if step.is_best { 2.5 } else { 0.0 };
        painter.circle(
            at,
            radius + 1.5,
            theme.path,
            Stroke::new(1.0, theme.cursor_halo),
        );
        painter.circle_filled(at, radius, color_from_rgb(step.color));
    }
}

/// Radius of a step's dot, in points.
pub const PATH_RADIUS: f32 = 3.0;

/// A small diamond at each pinned point; its text is placed with the labels.
pub fn pins(painter: &Painter, rect: Rect, view: &View, pins: &[Pin], theme: &Theme) {
    for pin in pins {
        let at = view.screen_from_latent(rect, pin.at);
        let corners = |r: f32| {
            vec![
                at + vec2(0.0, -r),
                at + vec2(r, 0.0),
                at + vec2(0.0, r),
                at + vec2(-r, 0.0),
            ]
        };
        painter.add(Shape::convex_polygon(
            corners(PIN_RADIUS + 2.0),
            theme.cursor_halo,
            Stroke::NONE,
        ));
        let outline = Stroke::new(1.0, theme.cursor);
        painter.add(Shape::convex_polygon(
            corners(PIN_RADIUS),
            color_from_rgb(pin.color),
            outline,
        ));
    }
}

/// Half a pin's height, in points.
pub const PIN_RADIUS: f32 = 6.0;

/// The cross at the decoded point: arms that leave the point itself free.
pub fn cursor(painter: &Painter, at: Pos2, theme: &Theme) {
    let arms = |width: f32, color: Color32, more: f32| {
        for direction in [
            vec2(1.0, 0.0),
            vec2(-1.0, 0.0),
            vec2(0.0, 1.0),
            vec2(0.0, -1.0),
        ] {
            let ends = [
                at + direction * (5.0 - more),
                at + direction * (15.0 + more),
            ];
            painter.line_segment(ends, Stroke::new(width, color));
        }
    };
    arms(4.0, theme.cursor_halo, 1.0);
    arms(2.0, theme.cursor, 0.0);
    painter.circle_filled(at, 2.5, theme.cursor_halo);
    painter.circle_filled(at, 1.5, theme.cursor);
}
