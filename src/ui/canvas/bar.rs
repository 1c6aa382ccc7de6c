//! The colour bar beside a plane: colours with round values, or the classes of a truth map, and the meaning of hatched
//! cells.

use egui::{
    Align2, Color32, FontId, Mesh, Painter, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind,
    Ui, WidgetInfo, epaint::TextShape, pos2, vec2,
};

use crate::palette::{HATCH, HATCH_PERIOD_PX, Palette, Scale};
use crate::ui::theme::{Theme, color_from_rgb};

/// Width of a colour bar with its labels and title, in points.
pub const BAR_WIDTH: f32 = 78.0;

const STRIP_WIDTH: f32 = 16.0;
const SWATCH: f32 = 14.0;

/// Draws the legend of a scale as high as asked (in points). `title` is the quantity with its unit; with
/// `with_missing` the hatch is explained below.
pub fn color_bar(
    ui: &mut Ui,
    scale: &Scale,
    title: &str,
    height: f32,
    with_missing: bool,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(BAR_WIDTH, height), Sense::hover());
    let ticks = scale.ticks();
    response.widget_info(|| {
        let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        WidgetInfo::labeled(
            Role::Image,
            true,
            format!("Colour scale of {title}: {}", labels.join(", ")),
        )
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let theme = Theme::of(ui.visuals());
    let painter = ui.painter_at(rect.expand(2.0));
    let legend = if with_missing { SWATCH + 12.0 } else { 0.0 };
    let mut strip = Rect::from_min_size(
        rect.min + vec2(0.0, 7.0),
        vec2(STRIP_WIDTH, height - 14.0 - legend),
    );
    let font = FontId::proportional(11.0);
    if scale.palette == Palette::Truth {
        strip.set_bottom((strip.top() + 2.0 * SWATCH + 8.0).min(strip.bottom()));
        for (row, (position, label)) in ticks.iter().rev().enumerate() {
            let top_left = strip.left_top() + vec2(0.0, row as f32 * (SWATCH + 8.0));
            let swatch = Rect::from_min_size(top_left, vec2(STRIP_WIDTH, SWATCH));
            painter.rect_filled(swatch, 0.0, color_from_rgb(scale.color_at(*position)));
            beside(&painter, swatch, label, &font, &theme);
        }
    } else {
        painter.add(Shape::mesh(gradient(scale, strip)));
        let stroke = Stroke::new(1.0, theme.axis_text);
        painter.rect_stroke(
            strip,
            0.0,
            Stroke::new(1.0, theme.plane_border),
            StrokeKind::Outside,
        );
        for (position, label) in &ticks {
            let y = strip.bottom() - position * strip.height();
            painter.hline(strip.right()..=strip.right() + 4.0, y, stroke);
            painter.text(
                pos2(strip.right() + 6.0, y),
                Align2::LEFT_CENTER,
                label,
                font.clone(),
                theme.axis_text,
            );
        }
        let galley = painter.layout_no_wrap(
            title.to_owned(),
            FontId::proportional(12.0),
            theme.axis_text,
        );
        let middle = pos2(
            rect.right() - galley.size().y,
            strip.center().y + galley.size().x / 2.0,
        );
        painter.add(
            TextShape::new(middle, galley, theme.axis_text)
                .with_angle(-std::f32::consts::FRAC_PI_2),
        );
    }
    if with_missing {
        let top = if scale.palette == Palette::Truth {
            strip.bottom() + 8.0
        } else {
            strip.bottom() + 14.0
        };
        let swatch = Rect::from_min_size(pos2(strip.left(), top), vec2(STRIP_WIDTH, SWATCH));
        hatched(&painter, swatch);
        beside(&painter, swatch, "no number", &font, &theme);
    }
    response
}

fn beside(painter: &Painter, swatch: Rect, text: &str, font: &FontId, theme: &Theme) {
    painter.rect_stroke(
        swatch,
        0.0,
        Stroke::new(1.0, theme.plane_border),
        StrokeKind::Outside,
    );
    let at = swatch.right_center() + vec2(5.0, 0.0);
    painter.text(at, Align2::LEFT_CENTER, text, font.clone(), theme.axis_text);
}

/// The colours from bottom to top; enough steps that egui's interpolation between them can't be seen.
fn gradient(scale: &Scale, strip: Rect) -> Mesh {
    let mut mesh = Mesh::default();
    let steps = 64u32;
    for step in 0..=steps {
        let position = step as f32 / steps as f32;
        let color = color_from_rgb(scale.color_at(position));
        let y = strip.bottom() - position * strip.height();
        mesh.colored_vertex(pos2(strip.left(), y), color);
        mesh.colored_vertex(pos2(strip.right(), y), color);
        if step > 0 {
            let at = 2 * step;
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    mesh
}

/// Stripes of the heat map.
fn hatched(painter: &Painter, swatch: Rect) {
    let [dark, light] = HATCH.map(color_from_rgb);
    painter.rect_filled(swatch, 0.0, dark);
    let stripes = painter.with_clip_rect(swatch);
    let period = HATCH_PERIOD_PX as f32 / painter.ctx().pixels_per_point();
    let width = Stroke::new(period / 2.0 * std::f32::consts::FRAC_1_SQRT_2, light);
    let reach = swatch.width() + swatch.height();
    for stripe in 0..(reach / period).ceil() as u32 + 1 {
        let along = stripe as f32 * period;
        let ends = [
            swatch.left_top() + vec2(along, 0.0),
            swatch.left_top() + vec2(along - reach, reach),
        ];
        stripes.line_segment(ends, width);
    }
    painter.rect_stroke(
        swatch,
        0.0,
        Stroke::new(1.0, Color32::TRANSPARENT),
        StrokeKind::Outside,
    );
}
