//! A widget that draws one latent plane: a heat map, points, their numbers, a search path, pins and the cross
//! at the decoded point, with pan and zoom.
//!
//! The primary button belongs to the caller (it decodes under the pointer); the wheel or a pinch
//! zooms at the pointer, the right or middle button or the space bar with the primary one pans, a double-click
//! or Home shows the whole plane, plus and minus zoom. With the keyboard's focus the arrows move the cross, with
//! Shift in larger steps, and with Ctrl they pan; Enter stands for a click at the cross. Heat map and points are
//! drawn by our own shaders through egui's paint callbacks, so a map of any size costs the window one textured draw.

mod bar;
mod gpu;
pub mod heatmap;
mod items;
pub mod labels;
mod navigation;
mod overlay;
pub mod points;
mod view;

use std::sync::Arc;

use eframe::egui_wgpu::Callback;
use egui::{Id, Pos2, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

pub use bar::{BAR_WIDTH, color_bar};
pub use gpu::install;
pub use heatmap::Sampling;
pub use items::{Click, Emphasis, Mark, PathStep, Pin};
pub use view::View;

use crate::latent::field::Field;
use crate::palette::{Scale, luminance};
use crate::ui::theme::Theme;
use heatmap::HeatPaint;
use labels::Label;
use points::{Disc, PointsPaint};

/// Content of a canvas.
#[derive(Clone, Debug)]
pub struct Plane<'a> {
    /// The accessible name; canvases of one window need different ones.
    pub label: &'a str,
    /// The map under everything.
    pub field: Option<&'a Arc<Field>>,
    /// The map's colours.
    pub scale: Scale,
    /// Interpolation of the map between its cells' centres.
    pub sampling: Sampling,
    /// Points and numbers.
    pub marks: &'a [Mark],
    /// The search path in order; steps are numbered from 1.
    pub path: &'a [PathStep],
    /// Pinned points.
    pub pins: &'a [Pin],
    /// The decoded point: a cross.
    pub cursor: Option<[f32; 2]>,
    /// Corners of a border drawn on the map, one after the other; none if empty.
    pub outline: &'a [[f32; 2]],
    /// True where the axes have ticks and numbers: a layout's mean nothing.
    pub has_axes: bool,
    /// True where the arrow keys move the cross; elsewhere they pan.
    pub is_probed: bool,
}

/// Response of a canvas.
#[derive(Clone, Debug)]
pub struct CanvasResponse {
    /// egui's response, for clicks, focus and hover texts. Its rectangle is the canvas without the axes.
    pub response: Response,
    /// The latent point under the pointer while it is over the canvas or drags from it, clamped to the plane
    /// while dragging; none outside the plane.
    pub pointer_latent: Option<[f32; 2]>,
    /// The latent point under a pressed primary button that doesn't pan, to be decoded.
    pub pressed_latent: Option<[f32; 2]>,
    /// The latent point just pointed at, with the pointer or the arrow keys; none while the pointer rests
    /// without a click.
    pub probed_latent: Option<[f32; 2]>,
    /// A click on the plane, if there was one.
    pub click: Option<Click>,
    /// The index of the mark under the pointer.
    pub hovered_mark: Option<usize>,
}

/// Distance from the pointer within which numbers are preferred, in points.
const LENS_RADIUS: f32 = 48.0;

/// Distance from a mark's edge within which the pointer hovers it, in points.
const HOVER_REACH: f32 = 9.0;

impl<'a> Plane<'a> {
    /// An empty plane.
    pub fn new(label: &'a str, scale: Scale) -> Self {
        Self {
            label,
            field: None,
            scale,
            sampling: Sampling::Auto,
            marks: &[],
            path: &[],
            pins: &[],
            cursor: None,
            outline: &[],
            has_axes: true,
            is_probed: false,
        }
    }

    /// Draws the plane with its axes in a space of this size, and pans and zooms the view.
    pub fn show(&self, ui: &mut Ui, view: &mut View, size: Vec2) -> CanvasResponse {
        let (outer, _) = ui.allocate_exact_size(size.max(vec2(80.0, 60.0)), Sense::hover());
        let mut rect = outer;
        if self.has_axes {
            rect.min.x += overlay::AXIS_LEFT;
            rect.max.y -= overlay::AXIS_BOTTOM;
        }
        rect.min.y += 2.0;
        let id = ui.scope_id().with(("plane", self.label));
        let response = ui.interact(rect, id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, ui.is_enabled(), self.label));
        let moved = navigation::navigate(ui, &response, view, rect);
        let stepped = navigation::step(ui, &response, view, rect, self.is_probed, self.cursor);

        let pointer = response
            .hover_pos()
            .or_else(|| response.interact_pointer_pos());
        let pressed =
            response.is_pointer_button_down_on() && ui.input(|input| input.pointer.primary_down());
        let pointer_latent = pointer.and_then(|at| {
            let clamped = view.latent_on_plane(rect, at);
            (pressed || clamped == view.latent_from_screen(rect, at)).then_some(clamped)
        });
        let hovered_mark = response
            .hover_pos()
            .and_then(|at| self.mark_near(view, rect, at));
        // A pointer at rest doesn't take the cross back from the arrow keys.
        let has_moved = navigation::has_moved(ui, id, pointer) || moved.by_pointer;
        let points = (has_moved || pressed) && !moved.is_panning || self.cursor.is_none();
        let click = navigation::click(ui, &response, view, rect, stepped.or(self.cursor));
        let clicked = click.and_then(Click::latent);
        if ui.is_rect_visible(outer) {
            self.draw(ui, id, &response, view, rect, hovered_mark);
        }
        CanvasResponse {
            pressed_latent: pointer_latent.filter(|_| pressed && !moved.is_panning),
            probed_latent: stepped.or(pointer_latent.filter(|_| points)).or(clicked),
            click,
            response,
            pointer_latent,
            hovered_mark,
        }
    }

    fn draw(
        &self,
        ui: &Ui,
        id: Id,
        response: &Response,
        view: &View,
        rect: Rect,
        hovered: Option<usize>,
    ) {
        let theme = Theme::of(ui.visuals());
        let painter = ui.painter_at(rect);
        match self.field {
            Some(field) => {
                // On a software renderer each pixel counts: none is shaded beside the plane.
                let shaded = painter.with_clip_rect(rect.intersect(view.plane_rect(rect)));
                let paint = HeatPaint {
                    id,
                    field: field.clone(),
                    scale: self.scale,
                    sampling: self.sampling,
                    pending: theme.pending,
                    rect,
                    view: *view,
                };
                shaded.add(Callback::new_paint_callback(rect, paint));
            }
            None if self.has_axes => overlay::grid(&painter, rect, view, &theme),
            None => {}
        }
        overlay::outline(&painter, rect, view, self.outline, &theme);
        overlay::borders(&painter, rect, view, response.has_focus(), &theme);
        if self.has_axes {
            overlay::axes(ui.painter(), rect, view, &theme);
        }
        let discs = self.discs(hovered);
        if !discs.is_empty() {
            let paint = PointsPaint {
                id,
                discs,
                outline: theme.mark_outline,
                ring: theme.highlight,
                rect,
                view: *view,
            };
            painter.add(Callback::new_paint_callback(rect, paint));
        }
        overlay::path(&painter, rect, view, self.path, &theme);
        overlay::pins(&painter, rect, view, self.pins, &theme);
        let numbers: Vec<String> = (1..=self.path.len())
            .map(|number| number.to_string())
            .collect();
        // While it decodes, the pointer leaves the numbers as they are.
        let lens = response
            .hover_pos()
            .filter(|_| !response.is_pointer_button_down_on());
        let labels = self.labels(view, rect, hovered, lens, &numbers, theme.is_dark);
        // A closer look leaves room for larger numbers.
        let font_size = 11.5 + 2.5 * ((view.zoom - 1.0) / 3.0).clamp(0.0, 1.0);
        labels::draw_labels(&painter, id, &labels, font_size);
        if let Some(cursor) = self.cursor {
            overlay::cursor(&painter, view.screen_from_latent(rect, cursor), &theme);
        }
    }

    /// The marks' discs, highlighted ones last so that they are on top.
    fn discs(&self, hovered: Option<usize>) -> Vec<Disc> {
        let disc = |(index, mark): (usize, &Mark)| {
            let [r, g, b] = mark.color;
            let is_on_top = mark.emphasis == Emphasis::Highlighted || hovered == Some(index);
            let disc = Disc {
                latent: mark.at,
                radius: mark.radius,
                highlight: f32::from(is_on_top),
                fill: [
                    r,
                    g,
                    b,
                    if mark.emphasis == Emphasis::Faded {
                        70
                    } else {
                        255
                    },
                ],
            };
            (is_on_top, disc)
        };
        let with_radius = self
            .marks
            .iter()
            .enumerate()
            .filter(|(_, mark)| mark.radius > 0.0);
        let (above, below): (Vec<_>, Vec<_>) =
            with_radius.map(disc).partition(|(is_on_top, _)| *is_on_top);
        below
            .into_iter()
            .chain(above)
            .map(|(_, disc)| disc)
            .collect()
    }

    /// All texts on the plane that may be in sight: marks, steps of the path, pins.
    fn labels<'b>(
        &'b self,
        view: &View,
        rect: Rect,
        hovered: Option<usize>,
        pointer: Option<Pos2>,
        numbers: &'b [String],
        is_dark: bool,
    ) -> Vec<Label<'b>> {
        // Round the pointer the nearest numbers win, so that a crowd can be read by moving over it.
        let nearness = |at: Pos2| {
            let distance = pointer.map_or(f32::INFINITY, |pointer| pointer.distance(at));
            1e5 * (1.0 - distance / LENS_RADIUS).max(0.0)
        };
        // On a map the colour under a label decides, elsewhere the theme.
        let is_on_dark = |[x, y]: [f32; 2]| match self.field.and_then(|field| field.value_at(x, y))
        {
            Some(value) => luminance(self.scale.color(value)) < 0.55,
            None => is_dark,
        };
        let label =
            |key: usize, kind: u64, text: &'b str, at: [f32; 2], radius: f32, priority: f32| {
                Label {
                    key: (key as u64) << 2 | kind,
                    text,
                    at: view.screen_from_latent(rect, at),
                    radius,
                    priority,
                    is_strong: false,
                    opacity: 1.0,
                    is_on_dark: is_on_dark(at),
                }
            };
        let marks = self.marks.iter().enumerate().map(|(index, mark)| {
            let is_strong = hovered == Some(index) || mark.emphasis == Emphasis::Highlighted;
            let near = nearness(view.screen_from_latent(rect, mark.at));
            let priority = mark.priority + near + if is_strong { 2e6 } else { 0.0 };
            let opacity = if mark.emphasis == Emphasis::Faded {
                0.45
            } else {
                1.0
            };
            Label {
                is_strong,
                opacity,
                ..label(index, 0, &mark.label, mark.at, mark.radius, priority)
            }
        });
        let steps = self
            .path
            .iter()
            .zip(numbers)
            .enumerate()
            .map(|(index, (step, number))| {
                // Later steps matter more, the best most; all come before the marks they cover.
                let priority = 1e6 + index as f32 + if step.is_best { 1e5 } else { 0.0 };
                label(
                    index,
                    1,
                    number,
                    step.at,
                    overlay::PATH_RADIUS + 1.5,
                    priority,
                )
            });
        let pins = self.pins.iter().enumerate().map(|(index, pin)| Label {
            is_strong: true,
            ..label(index, 2, &pin.label, pin.at, overlay::PIN_RADIUS, 3e6)
        });
        marks
            .chain(steps)
            .chain(pins)
            .filter(|label| !label.text.is_empty() && rect.contains(label.at))
            .collect()
    }

    /// The mark nearest to a place on the screen, if it is near.
    fn mark_near(&self, view: &View, rect: Rect, at: Pos2) -> Option<usize> {
        let distances = self.marks.iter().enumerate().map(|(index, mark)| {
            let distance = view.screen_from_latent(rect, mark.at).distance(at) - mark.radius;
            (index, distance)
        });
        let near = distances.filter(|(_, distance)| *distance < HOVER_REACH);
        near.min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| index)
    }
}
