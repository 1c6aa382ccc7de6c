//! The numbers on a plane: text with a halo that reads on any colour, placed so that none covers another at
//! any zoom. A label that finds room fades in; one that finds none leaves a dot where its point is.

use std::sync::Arc;

use egui::{Color32, FontId, Galley, Id, Painter, Pos2, Rect, Vec2, pos2, vec2};

use crate::plot::placement::{Area, LabelCandidate, place};
use crate::ui::theme::Theme;

/// Room kept free round a label, in points.
const MARGIN: Vec2 = vec2(2.0, 0.0);

/// Seconds a label takes to appear.
const FADE_SECS: f32 = 0.15;

/// A text that wants a place on the canvas.
#[derive(Clone, Debug)]
pub struct Label<'a> {
    /// Key that identifies the label from frame to frame.
    pub key: u64,
    /// Text.
    pub text: &'a str,
    /// The point it names, on the screen.
    pub at: Pos2,
    /// Radius of the disc drawn there; at 0 the text stands for the point.
    pub radius: f32,
    /// Higher is placed earlier.
    pub priority: f32,
    /// Drawn larger and in front.
    pub is_strong: bool,
    /// 0 to 1.
    pub opacity: f32,
    /// True on a dark ground, where the text is white.
    pub is_on_dark: bool,
}

/// Places for labels of these sizes, in the order given.
fn place_labels(labels: &[Label<'_>], sizes: &[Vec2], rect: Rect) -> Vec<Option<Rect>> {
    let candidates: Vec<LabelCandidate> = labels
        .iter()
        .zip(sizes)
        .map(|(label, size)| LabelCandidate {
            at: label.at.into(),
            size: (*size + 2.0 * MARGIN).into(),
            // The outline belongs to the disc.
            radius_px: if label.radius > 0.0 {
                label.radius + 1.5
            } else {
                0.0
            },
            priority: label.priority,
            // A number centred on its point has no disc to keep away from.
            may_cover_discs: label.is_strong || label.radius <= 0.0,
        })
        .collect();
    let bounds = Area {
        min: rect.min.into(),
        max: rect.max.into(),
    };
    let rect_of = |area: Area| Rect::from_min_max(area.min.into(), area.max.into());
    place(&candidates, bounds)
        .into_iter()
        .map(|area| area.map(rect_of))
        .collect()
}

/// Draws the labels that fit; gives the rectangles they got, in the order given.
pub fn draw_labels(
    painter: &Painter,
    id: Id,
    labels: &[Label<'_>],
    font_size: f32,
) -> Vec<Option<Rect>> {
    let galleys: Vec<Arc<Galley>> = labels
        .iter()
        .map(|label| {
            let size = if label.is_strong {
                font_size + 3.0
            } else {
                font_size
            };
            painter.layout_no_wrap(
                label.text.to_owned(),
                FontId::proportional(size),
                Color32::PLACEHOLDER,
            )
        })
        .collect();
    let sizes: Vec<Vec2> = galleys.iter().map(|galley| galley.size()).collect();
    let places = place_labels(labels, &sizes, painter.clip_rect());
    for ((label, galley), place) in labels.iter().zip(galleys).zip(&places) {
        let part =
            painter
                .ctx()
                .animate_bool_with_time(id.with(label.key), place.is_some(), FADE_SECS);
        match place {
            Some(place) => {
                let opacity = part.max(0.15) * label.opacity;
                text_with_halo(
                    painter,
                    place.center() - galley.size() / 2.0,
                    galley,
                    opacity,
                    ink_of(label),
                );
            }
            None if label.radius <= 0.0 && painter.clip_rect().contains(label.at) => {
                let (text, halo) = ink_of(label);
                painter.circle_filled(label.at, 2.2, halo.gamma_multiply(label.opacity));
                painter.circle_filled(label.at, 1.4, text.gamma_multiply(label.opacity));
            }
            None => {}
        }
    }
    places
}

/// Colours of a label's text and halo.
fn ink_of(label: &Label<'_>) -> (Color32, Color32) {
    let theme = if label.is_on_dark {
        Theme::DARK
    } else {
        Theme::LIGHT
    };
    (theme.label, theme.label_halo)
}

/// Text with an outline in the opposite lightness.
fn text_with_halo(
    painter: &Painter,
    at: Pos2,
    galley: Arc<Galley>,
    opacity: f32,
    (text, halo): (Color32, Color32),
) {
    // Whole pixels keep small digits sharp while the plane moves under them.
    let pixels_per_point = painter.ctx().pixels_per_point();
    let at = pos2(
        (at.x * pixels_per_point).round(),
        (at.y * pixels_per_point).round(),
    ) / pixels_per_point;
    // Four copies close the outline; more look the same and double the triangles of a crowded plane.
    let halo = halo.gamma_multiply(0.75 * opacity);
    for (x, y) in [(-0.9, -0.9), (0.9, -0.9), (-0.9, 0.9), (0.9, 0.9)] {
        painter.galley_with_override_text_color(at + vec2(x, y), galley.clone(), halo);
    }
    painter.galley_with_override_text_color(at, galley, text.gamma_multiply(opacity));
}
