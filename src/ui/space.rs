//! A space of more than two dimensions: PCA and t-SNE of its numbers side by side, and a slice through
//! three programs on which maps, pointing and clicking work as on a plane.
//!
//! The layouts share what is selected (drag a rectangle) and what the pointer is at: a number stands out
//! in all of them and is decoded where it lies in the space.

use std::sync::Arc;

use egui::{DragValue, Label, PointerButton, Rect, RichText, Stroke, StrokeKind, Ui, Vec2, vec2};

use super::{
    canvas::{self, CanvasResponse, Click, Emphasis, Mark, Pin, Plane, View, color_bar},
    lines::{self, ERROR_BY_LINE},
    planes::title_height,
    projector::{ProjectedLayout, Projector},
    session::UiSession,
    theme::Theme,
};
use crate::{
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    executor::{
        export::{LOSS_TITLE, code_text, loss_scale, map_title, truth_title},
        projection::{Group, Projected},
        views::{self, Cut, Landscape},
    },
    latent::projection::Kind,
    palette::Scale,
};

const DISC_RADIUS: f32 = 3.5;
/// Share of the width for the layouts.
const LAYOUTS_SHARE: f32 = 0.62;
/// Selected numbers that are named.
const NAMED: usize = 12;

/// Width of the view below which layouts and slice are shown one at a time, in points.
const NARROW: f32 = 720.0;

/// What stands beside the layouts, or in their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SpaceSide {
    Layouts,
    #[default]
    Slice,
    Lines,
}

/// The view's state.
#[derive(Default)]
pub struct Space {
    projector: Projector,
    group: Group,
    /// The group's numbers, by which they are coloured, and their texts.
    shown: Vec<(i32, String)>,
    views: Vec<View>,
    slice_view: View,
    /// Which of the group's values are selected; empty for none.
    selected: Vec<usize>,
    hovered: Option<usize>,
    /// The program that was pointed at on a layout last, by its place among the values.
    asked: Option<usize>,
    side: SpaceSide,
    /// A program of several lines was shown in the frame before.
    has_run: bool,
    /// The layout a rectangle is being dragged on, and its first corner.
    brush: Option<(usize, [f32; 2])>,
}

impl Space {
    /// The layouts to export.
    pub fn finished(&self) -> Vec<Projected> {
        self.projector.finished()
    }

    /// What is selected, in the order of the values.
    pub fn selected(&self) -> Vec<&str> {
        let text = |index: &usize| Some(self.shown.get(*index)?.1.as_str());
        self.selected.iter().filter_map(text).collect()
    }

    /// What the pointer is at.
    pub fn hovered(&self) -> Option<&str> {
        Some(self.shown.get(self.hovered?)?.1.as_str())
    }

    /// Draws the view.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        planes: &Arc<views::LatentPlanes>,
    ) {
        self.shown = self.group.shown(planes.language);
        let is_training = session
            .views
            .training
            .get()
            .is_some_and(|run| run.pace.is_some());
        if let Err(error) = self
            .projector
            .follow(planes, self.group, is_training, ui.ctx())
        {
            session.say(format!("can't start a thread: {error}"), true);
        }
        let run = session.run();
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
                (SpaceSide::Layouts, _) => self.layouts(ui, session, planes),
                (SpaceSide::Slice, _) | (SpaceSide::Lines, None) => self.slice(ui, session, planes),
                (SpaceSide::Lines, Some(run)) => lines::error_by_line(ui, run),
            }
            return;
        }
        let gap = ui.spacing().item_spacing.x;
        let left = vec2((space.x * LAYOUTS_SHARE).floor(), space.y);
        ui.horizontal_top(|ui| {
            ui.allocate_ui(left, |ui| {
                ui.vertical(|ui| self.layouts(ui, session, planes))
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
                        _ => self.slice(ui, session, planes),
                    }
                })
            });
        });
    }

    fn layouts(&mut self, ui: &mut Ui, session: &mut UiSession, planes: &views::LatentPlanes) {
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
        if !session.is_pointing() {
            self.asked = None;
        }
        if hovered.is_some() && self.group == Group::Codes {
            self.asked = hovered;
        }
        // Where the number lies now: in training it moves.
        let place = self
            .asked
            .filter(|_| session.pointer.is_none() || hovered.is_some());
        if let Some(place) = place.and_then(|index| planes.codes.iter().nth(index))
            && self.group == Group::Codes
        {
            session.ask_place(None, place.to_vec());
        }
        self.hovered = hovered;
    }

    /// One layout with its title; the index of the number under the pointer.
    fn layout(
        &mut self,
        ui: &mut Ui,
        index: usize,
        (kind, layout): (Kind, Option<&ProjectedLayout>),
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

    /// Selects what lies in a dragged rectangle; a click elsewhere than at a number selects none.
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

    /// The slice: its programs, the loss map, the truth map.
    fn slice(&mut self, ui: &mut Ui, session: &mut UiSession, planes: &views::LatentPlanes) {
        let mut programs = session.programs();
        let language = planes.language;
        ui.horizontal_wrapped(|ui| {
            ui.strong("Slice through");
            for (program, name) in programs.iter_mut().zip(["first", "second", "third"]) {
                let mut index = language.index_of(*program).unwrap_or_default();
                let code_at = |index: f64| language.code_at(index as usize);
                let value = DragValue::new(&mut index)
                    .range(0..=language.code_count() - 1)
                    .speed(0.2)
                    .custom_formatter(|index, _| {
                        code_at(index).map_or_else(String::new, |code| code.to_string())
                    })
                    .custom_parser(|text| Some(language.index_of(text.parse().ok()?)? as f64));
                let response = ui.add(value);
                *program = language.code_at(index).unwrap_or(*program);
                response.widget_info(|| {
                    let name = format!("Slice, {name} program");
                    egui::WidgetInfo::labeled(egui::Role::SpinButton, true, name)
                });
            }
        });
        if programs != session.programs() {
            session.slice_through(programs);
        }
        let sum = session.sum.as_ref().ok().copied();
        let landscape = session.views.landscape.get();
        let map = landscape.as_deref().filter(|map| {
            let cut = map.cut.as_ref().map(|cut| cut.programs);
            Some(map.sum) == sum && cut == Some(programs)
        });
        // The map's own slice: in training the places move on while a map is computed.
        let cut = match map.and_then(|map| map.cut.clone()) {
            Some(cut) => Ok(cut),
            None => planes.cut(programs),
        };
        let is_shown = |program| language.shown_codes().contains(program);
        match cut {
            Ok(cut) => self.maps(ui, session, &cut, sum, map),
            // Only the engine knows where programs lie that aren't shown; without a sum it isn't asked.
            Err(_) if !programs.iter().all(is_shown) => {
                let [a, b, c] = programs;
                let text = match (sum, a == b || b == c || a == c) {
                    (_, true) => "choose three different programs",
                    (None, false) => "no sum to map",
                    (Some(_), false) => "being computed",
                };
                ui.weak(text);
            }
            Err(error) => {
                let theme = Theme::of(ui.visuals());
                ui.colored_label(theme.error, format!("{error:#}"));
            }
        }
    }

    fn maps(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        cut: &Cut,
        sum: Option<Sum>,
        map: Option<&Landscape>,
    ) {
        let task = session.looked_for();
        let corners = corners(cut, task.as_ref(), session.language());
        let outline = cut.slice.outline();
        let pins: Vec<Pin> = session
            .pins
            .iter()
            .filter_map(|pinned| {
                let (_, at) = pinned.on_slice.filter(|(of, _)| *of == cut.programs)?;
                Some(super::planes::pin_at(at, &pinned.answer))
            })
            .collect();
        let scale = map.map_or_else(|| Scale::loss(0.01, 10.0), |map| loss_scale(&map.loss));
        let gap = ui.spacing().item_spacing;
        let title = title_height(ui);
        let size = vec2(
            ui.available_width() - canvas::BAR_WIDTH - gap.x,
            (ui.available_height() / 2.0 - title - gap.y).max(90.0),
        );
        ui.horizontal_wrapped(|ui| {
            let title = task.map_or_else(|| "Loss".into(), |task| map_title("Loss", &task));
            ui.strong(title);
            ui.weak(match (sum, map) {
                (None, _) => "no sum to map",
                (Some(_), None) => "being computed",
                (Some(_), Some(_)) => "",
            });
        });
        ui.horizontal_top(|ui| {
            let plane = Plane {
                field: map.map(|map| &map.loss),
                marks: &corners,
                pins: &pins,
                cursor: session.pointer,
                outline: &outline,
                ..Plane::new("Slice loss map", scale)
            };
            self.ask_on(ui, session, cut, &plane, size);
            color_bar(ui, &scale, LOSS_TITLE, size.y.min(420.0), true);
        });
        ui.horizontal(|ui| {
            let title = ui.strong("Truth");
            if let Some(sum) = sum {
                title.on_hover_text(truth_title(sum));
            }
            let text = RichText::new("thin line: beyond it the space's nearest point is shown");
            ui.add(Label::new(text.weak()).truncate());
        });
        let plane = Plane {
            field: map.map(|map| &map.truth),
            marks: &corners,
            cursor: session.pointer,
            outline: &outline,
            ..Plane::new("Slice truth map", Scale::truth())
        };
        self.ask_on(ui, session, cut, &plane, size);
    }

    /// A map of the slice: the pointer decodes, a click pins.
    fn ask_on(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        cut: &Cut,
        plane: &Plane<'_>,
        size: Vec2,
    ) {
        let plane = Plane {
            is_probed: true,
            ..plane.clone()
        };
        let shown = plane.show(ui, &mut self.slice_view, size);
        // The slice moves in training: what is asked lies where the cross is now.
        if let Some(point) = shown.probed_latent.or(session.pointer) {
            session.ask_place(Some(point), cut.slice.embed(point));
        }
        match shown.click {
            Some(Click::Single) => session.pin(Some(cut.programs)),
            Some(Click::Double) => session.unpin_click(),
            None => {}
        }
    }
}

/// The slice's three programs.
fn corners(cut: &Cut, task: Option<&Task>, language: Language) -> Vec<Mark> {
    let scale = Group::Codes.scale(language);
    let mark = |(at, program): ([f32; 2], Code)| Mark {
        at,
        label: code_text(program).into(),
        color: scale.color(program.operand() as f32),
        radius: DISC_RADIUS + 1.0,
        priority: 1.0,
        emphasis: match task.is_some_and(|task| task.is_solved_by(&[program])) {
            true => Emphasis::Highlighted,
            false => Emphasis::Normal,
        },
    };
    cut.slice
        .corners
        .into_iter()
        .zip(cut.programs)
        .map(mark)
        .collect()
}
