//! View of a space of more than two dimensions: PCA and t-SNE layouts of its numbers side by side, and a slice through
//! three programs, on which maps, pointing and clicking work as on a plane.
//!
//! The layouts share the selection (drag a rectangle) and the number under the pointer, which stands out in all of them
//! and is decoded at its place in the space.

use std::sync::Arc;

use egui::{Label, PointerButton, Rect, RichText, Stroke, StrokeKind, Ui, Vec2, vec2};

use super::{
    lines::{self, ERROR_BY_LINE},
    projector::{ProjectedLayout, Projector},
    slice::SliceView,
    workspace::ExecutorWorkspace,
};
use crate::{
    executor::{
        projection::{Group, Projected},
        views,
    },
    latent::projection::Projection,
    palette::Scale,
    ui::{
        canvas::{CanvasResponse, Emphasis, Mark, Plane, View},
        engine_client::{Cause, EngineClient},
        system::SystemPage,
        theme::Theme,
        widgets::title_height,
    },
};

const DISC_RADIUS: f32 = 3.5;
/// Share of the width for the layouts.
const LAYOUTS_SHARE: f32 = 0.62;
/// Selected numbers that are named.
const NAMED: usize = 12;

/// Width of the view below which layouts and slice are shown one at a time, in points.
const NARROW: f32 = 720.0;

/// Content beside the layouts, or in their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SpaceSide {
    Layouts,
    #[default]
    Slice,
    Lines,
}

/// State of the view of a space of more than two dimensions.
#[derive(Default)]
pub struct SpaceView {
    projector: Projector,
    group: Group,
    /// Numbers of the group, by which they are coloured, and their texts.
    shown: Vec<(i32, String)>,
    views: Vec<View>,
    slice: SliceView,
    /// Indices of the selected numbers, ascending; empty for none.
    selected: Vec<usize>,
    hovered: Option<usize>,
    /// Index of the program that was pointed at on a layout last.
    asked: Option<usize>,
    side: SpaceSide,
    /// A program of several lines was shown in the frame before.
    has_run: bool,
    /// The layout a rectangle is being dragged on, and its first corner.
    brush: Option<(usize, [f32; 2])>,
}

impl SpaceView {
    /// Finished layouts, for export.
    pub fn finished(&self) -> Vec<Projected> {
        self.projector.finished()
    }

    /// Texts of the selected numbers, ascending.
    pub fn selected(&self) -> Vec<&str> {
        let text = |index: &usize| Some(self.shown.get(*index)?.1.as_str());
        self.selected.iter().filter_map(text).collect()
    }

    /// Text of the number under the pointer.
    pub fn hovered(&self) -> Option<&str> {
        Some(self.shown.get(self.hovered?)?.1.as_str())
    }

    /// Draws the view.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        planes: &Arc<views::LatentPlanes>,
    ) {
        self.shown = self.group.shown(planes.language);
        let is_training = workspace.views.run.pace().is_some();
        let projector = &mut self.projector;
        if let Err(error) = projector.follow(planes, self.group, is_training, ui.ctx()) {
            let text = format!("can't start a thread: {error}");
            client.report_error(SystemPage::Executor, Cause::Order, text);
        }
        let run = workspace.run();
        if std::mem::replace(&mut self.has_run, run.is_some()) != run.is_some() {
            self.side = match run {
                Some(_) => SpaceSide::Lines,
                None => SpaceSide::Slice,
            };
        }
        let space = ui.available_size();
        if space.x < NARROW {
            ui.horizontal(|ui| {
                for (side, name) in [(SpaceSide::Layouts, "Layouts"), (SpaceSide::Slice, "Slice")] {
                    ui.selectable_value(&mut self.side, side, name);
                }
                if run.is_some() {
                    ui.selectable_value(&mut self.side, SpaceSide::Lines, ERROR_BY_LINE);
                }
            });
            match (self.side, &run) {
                (SpaceSide::Layouts, _) => self.layouts(ui, workspace, client, planes),
                (SpaceSide::Slice, _) | (SpaceSide::Lines, None) => {
                    self.slice.show(ui, workspace, client, planes)
                }
                (SpaceSide::Lines, Some(run)) => lines::error_by_line(ui, run),
            }
            return;
        }
        let gap = ui.spacing().item_spacing.x;
        let left = vec2((space.x * LAYOUTS_SHARE).floor(), space.y);
        ui.horizontal_top(|ui| {
            ui.allocate_ui(left, |ui| {
                ui.vertical(|ui| self.layouts(ui, workspace, client, planes))
            });
            ui.allocate_ui(vec2(space.x - left.x - gap, space.y), |ui| {
                ui.vertical(|ui| {
                    if run.is_some() {
                        ui.horizontal(|ui| {
                            ui.selectable_value(&mut self.side, SpaceSide::Slice, "Slice");
                            ui.selectable_value(&mut self.side, SpaceSide::Lines, ERROR_BY_LINE);
                        });
                    }
                    match (self.side, &run) {
                        (SpaceSide::Lines, Some(run)) => lines::error_by_line(ui, run),
                        _ => self.slice.show(ui, workspace, client, planes),
                    }
                })
            });
        });
    }

    fn layouts(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &EngineClient,
        planes: &views::LatentPlanes,
    ) {
        ui.horizontal_wrapped(|ui| {
            ui.heading(format!("{} dimensions", planes.codes.dims));
            for group in Group::ALL {
                let name = group.name();
                if ui.selectable_label(self.group == group, name).clicked() && self.group != group {
                    self.group = group;
                    self.selected.clear();
                    (self.hovered, self.asked) = (None, None);
                }
            }
            let clear = egui::Button::new("Clear selection").small();
            if ui.add_enabled(!self.selected.is_empty(), clear).clicked() {
                self.selected.clear();
            }
            // Last and cut, so that it moves and widens nothing.
            let text = self.selection_text();
            ui.add(Label::new(RichText::new(text).weak()).truncate());
        });
        let layouts = self.projector.layouts();
        let scale = self.group.scale(planes.language);
        self.views.resize(layouts.len(), View::default());
        let (columns, gap) = (2, ui.spacing().item_spacing);
        let rows = layouts.len().div_ceil(columns).max(1);
        let title = title_height(ui);
        let size = vec2(
            ((ui.available_width() - gap.x) / columns as f32).floor(),
            (ui.available_height() / rows as f32 - title - gap.y).max(90.0),
        );
        let mut hovered = None;
        for (row, chunk) in layouts.chunks(columns).enumerate() {
            ui.horizontal_top(|ui| {
                for (column, (kind, layout)) in chunk.iter().enumerate() {
                    let index = row * columns + column;
                    ui.allocate_ui(vec2(size.x, size.y + title), |ui| {
                        ui.vertical(|ui| {
                            ui.set_width(size.x);
                            let at =
                                self.layout(ui, index, (*kind, layout.as_deref()), scale, size);
                            hovered = hovered.or(at);
                        });
                    });
                }
            });
        }
        if !workspace.pointing.has_place() {
            self.asked = None;
        }
        if hovered.is_some() && self.group == Group::Codes {
            self.asked = hovered;
        }
        // At the number's current place: in training it moves.
        let place = self
            .asked
            .filter(|_| workspace.pointing.cursor.is_none() || hovered.is_some());
        if let Some(place) = place.and_then(|index| planes.codes.iter().nth(index))
            && self.group == Group::Codes
        {
            workspace.ask(None, place.to_vec(), client);
        }
        self.hovered = hovered;
    }

    /// Draws a layout with its title; returns the index of the number under the pointer.
    fn layout(
        &mut self,
        ui: &mut Ui,
        index: usize,
        (kind, layout): (Projection, Option<&ProjectedLayout>),
        scale: Scale,
        size: Vec2,
    ) -> Option<usize> {
        ui.horizontal(|ui| {
            ui.strong(kind.name_of(self.shown.len()));
            let trust = layout.and_then(|layout| layout.finished.as_ref()?.trust);
            let text = match (layout, trust) {
                (None, _) => "waits".into(),
                (_, Some(trust)) => format!(
                    "trust {:.2}, continuity {:.2}",
                    trust.trustworthiness, trust.continuity
                ),
                (Some(layout), None) => format!("{:.0} %", 100.0 * layout.done),
            };
            ui.add(Label::new(RichText::new(text).weak()).truncate())
                .on_hover_text("How far its neighbourhoods can be believed, by 12 neighbours each");
        });
        let marks = layout.map_or_else(Vec::new, |layout| self.marks(layout, scale));
        let name = format!("Layout by {kind}");
        let plane = Plane {
            marks: &marks,
            has_axes: false,
            ..Plane::new(&name, scale)
        };
        let shown = plane.show(ui, &mut self.views[index], size);
        self.drag_brush(ui, index, &shown, &marks);
        shown.hovered_mark
    }

    /// Selects the numbers in a dragged rectangle, or the one that is clicked; a click elsewhere selects none.
    fn drag_brush(&mut self, ui: &Ui, index: usize, shown: &CanvasResponse, marks: &[Mark]) {
        let response = &shown.response;
        let view = self.views[index];
        let from_screen = |at| view.latent_from_screen(response.rect, at);
        if response.drag_started_by(PointerButton::Primary) && shown.pressed_latent.is_some() {
            let press = ui.input(|input| input.pointer.press_origin());
            self.brush = press.map(|at| (index, from_screen(at)));
        }
        if response.clicked() {
            self.selected = shown.hovered_mark.into_iter().collect();
        }
        let Some((_, from)) = self.brush.filter(|(owner, _)| *owner == index) else {
            return;
        };
        if let Some(at) = response.interact_pointer_pos() {
            let to = from_screen(at);
            let is_in = |mark: &Mark| {
                (0..2).all(|axis| {
                    let (low, high) = (from[axis].min(to[axis]), from[axis].max(to[axis]));
                    (low..=high).contains(&mark.at[axis])
                })
            };
            let inside = marks.iter().enumerate().filter(|(_, mark)| is_in(mark));
            self.selected = inside.map(|(index, _)| index).collect();
            let corner = view.screen_from_latent(response.rect, from);
            let theme = Theme::of(ui.visuals());
            ui.painter_at(response.rect).rect(
                Rect::from_two_pos(corner, at),
                0.0,
                theme.focus.gamma_multiply(0.15),
                Stroke::new(1.0, theme.focus),
                StrokeKind::Inside,
            );
        }
        if !response.dragged() {
            self.brush = None;
        }
    }

    fn marks(&self, layout: &ProjectedLayout, scale: Scale) -> Vec<Mark> {
        let is_selected = |index: usize| self.selected.binary_search(&index).is_ok();
        let emphasis = |index: usize| {
            if self.hovered == Some(index) {
                Emphasis::Highlighted
            } else if self.selected.is_empty() || is_selected(index) {
                Emphasis::Normal
            } else {
                // A crowd of rings would hide what is selected: the others step back instead.
                Emphasis::Faded
            }
        };
        let mark = |(index, ((value, text), place)): (usize, (&(i32, String), &[f32]))| Mark {
            at: [place[0], place[1]],
            label: text.as_str().into(),
            color: scale.color(*value as f32),
            radius: DISC_RADIUS,
            priority: f32::from(value % 10 == 0) + 2.0 * f32::from(is_selected(index)),
            emphasis: emphasis(index),
        };
        let shown = self.shown.iter().zip(layout.places.iter());
        shown.enumerate().map(mark).collect()
    }

    fn selection_text(&self) -> String {
        if let Some(text) = self.hovered() {
            return format!("at {text}");
        }
        let selected = self.selected();
        let named = &selected[..selected.len().min(NAMED)];
        match selected.len() {
            0 => "drag a rectangle to select".into(),
            count if count > NAMED => format!("{count} selected: {}, ..", named.join(", ")),
            count => format!("{count} selected: {}", named.join(", ")),
        }
    }
}
