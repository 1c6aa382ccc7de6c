//! The four views: loss map, truth map, code plane and state plane. The first three are the same
//! plane and move together; the pointer over any of them decodes the program there. Where there is little room, one is
//! shown at a time.

mod layers;
mod marks;

use std::sync::Arc;

use egui::{Label, RichText, Ui, Vec2, vec2};

use self::{
    layers::{LAYERS, belief_scale, layer_name, layer_of},
    marks::MarksOf,
};
use super::{
    canvas::{self, Click, PathStep, Pin, Plane, View, color_bar},
    lines::{self, ERROR_BY_LINE},
    session::{Layer, UiSession},
    space::Space,
    theme::Theme,
    widgets::combo,
};
use crate::{
    executor::{
        export::{LOSS_TITLE, code_text, loss_scale, map_title, truth_title},
        projection::Group,
        views::{self, Landscape, PointAnswer, ProgramRun, SearchView},
    },
    palette::Scale,
};

/// Width of a small view beyond its height: the axis labels and a little air.
const SMALL_MARGIN: f32 = 36.0;

/// Width of the views below which one of them has it all, in points.
const NARROW: f32 = 720.0;

/// The views, where one at a time is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Single {
    #[default]
    Loss,
    Truth,
    Programs,
    States,
    Lines,
}

/// What stands beside the loss map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PlaneSide {
    #[default]
    Planes,
    Lines,
}

/// The views' state.
#[derive(Default)]
pub struct Planes {
    code_view: View,
    state_view: View,
    marks: Option<MarksOf>,
    single: Single,
    side: PlaneSide,
    /// A program of several lines was shown in the frame before.
    has_run: bool,
    /// What a space of more than two dimensions is shown by.
    pub space: Option<Space>,
}

impl Planes {
    /// Draws the views, and asks or pins where people point or click.
    pub fn show(&mut self, ui: &mut Ui, session: &mut UiSession) {
        let Some(planes) = session.views.planes.get() else {
            self.space = None;
            let text = match (session.views.model.get(), session.client.has_engine()) {
                (_, false) => "No model is open: choose a device to start again",
                (None, true) => "The model is being loaded",
                (Some(_), true) => "The planes are being computed",
            };
            ui.centered_and_justified(|ui| ui.label(text));
            return;
        };
        if planes.codes.dims != 2 {
            self.space
                .get_or_insert_default()
                .show(ui, session, &planes);
            return;
        }
        // Ends the layouts of a model that isn't open any more.
        self.space = None;
        let task = session.looked_for();
        let marks = match self.marks.take() {
            Some(marks) if Arc::ptr_eq(&marks.planes, &planes) && marks.task == task => marks,
            _ => MarksOf::new(planes, task),
        };
        let sum = session.sum.as_ref().ok().copied();
        let map = session
            .views
            .landscape
            .get()
            .filter(|map| Some(map.sum) == sum && map.cut.is_none());
        let run = session.run();
        if std::mem::replace(&mut self.has_run, run.is_some()) != run.is_some() {
            self.side = match run {
                Some(_) => PlaneSide::Lines,
                None => PlaneSide::Planes,
            };
        }
        if run.is_none() && self.single == Single::Lines {
            self.single = Single::Loss;
        }
        if ui.available_width() < NARROW {
            self.show_single(ui, session, &marks, map.as_deref(), run.as_deref());
        } else {
            self.show_all(ui, session, &marks, map.as_deref(), run.as_deref());
        }
        self.marks = Some(marks);
    }

    /// One view, chosen above it.
    fn show_single(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        marks: &MarksOf,
        map: Option<&Landscape>,
        run: Option<&ProgramRun>,
    ) {
        ui.horizontal(|ui| {
            for (view, name) in [
                (Single::Loss, "Loss"),
                (Single::Truth, "Truth"),
                (Single::Programs, "Programs"),
                (Single::States, "States"),
            ] {
                ui.selectable_value(&mut self.single, view, name);
            }
            if run.is_some() {
                ui.selectable_value(&mut self.single, Single::Lines, ERROR_BY_LINE);
            }
        });
        let below = title_height(ui);
        let size = ui.available_size() - vec2(0.0, below);
        match (self.single, run) {
            (Single::Loss, _) | (Single::Lines, None) => self.loss_map(ui, session, marks, map),
            (Single::Truth, _) => self.truth(ui, session, marks, map, size),
            (Single::Programs, _) => self.programs(ui, session, marks, size),
            (Single::States, _) => self.states(ui, marks, size),
            (Single::Lines, Some(run)) => lines::error_by_line(ui, run),
        }
    }

    /// The loss map, and beside it the other views.
    fn show_all(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        marks: &MarksOf,
        map: Option<&Landscape>,
        run: Option<&ProgramRun>,
    ) {
        let space = ui.available_size();
        let gap = ui.spacing().item_spacing.x;
        // Three square views share the height; the large map has the rest of the width.
        let small = vec2(
            (space.y / 3.0 + SMALL_MARGIN).min(space.x * 0.35).floor(),
            space.y,
        );
        let large = vec2(space.x - small.x - gap, space.y);
        ui.horizontal_top(|ui| {
            ui.allocate_ui(large, |ui| {
                ui.vertical(|ui| self.loss_map(ui, session, marks, map))
            });
            ui.allocate_ui(small, |ui| {
                ui.vertical(|ui| self.beside(ui, session, marks, map, run))
            });
        });
    }

    fn loss_map(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        marks: &MarksOf,
        map: Option<&Landscape>,
    ) {
        let task = marks.task.as_ref();
        let beliefs = session.views.posterior.get();
        let beliefs = beliefs.filter(|beliefs| Some(beliefs.task.as_ref()) == task);
        let belief = beliefs.as_deref().and_then(|b| layer_of(b, session.layer));
        let quantity = belief.map_or("Loss", |belief| belief.quantity);
        ui.horizontal_wrapped(|ui| {
            ui.heading(task.map_or_else(|| quantity.into(), |task| map_title(quantity, task)));
            let state = match (task, &beliefs, belief, map) {
                (None, ..) => "no sum to map".to_owned(),
                (Some(_), Some(beliefs), Some(_), _) => {
                    format!("after {} evaluations", beliefs.evaluations)
                }
                (Some(_), _, _, None) => "being computed".into(),
                (Some(_), _, _, Some(map)) => {
                    format!("{0} x {0} cells, lowest at {1}", map.loss.size, lowest(map))
                }
            };
            ui.weak(state);
            ui.label("Layer:");
            combo(ui, "Layer", layer_name(session.layer), |ui| {
                let mut layer = session.layer;
                for choice in LAYERS {
                    ui.selectable_value(&mut layer, choice, layer_name(choice));
                }
                session.show_layer(layer);
            });
            if belief.is_none() && !matches!(session.layer, Layer::Loss | Layer::Sure) {
                ui.weak("no Gaussian process yet: Solve with Bayesian optimisation");
            }
        });
        let space = ui.available_size();
        ui.horizontal_top(|ui| {
            let losses = map.map_or_else(|| Scale::loss(0.01, 10.0), |map| loss_scale(&map.loss));
            let (field, scale, title) = match belief {
                Some(belief) => (Some(belief.field), belief_scale(belief.field), belief.unit),
                None if session.layer == Layer::Sure => {
                    (map.map(|map| &map.sure_loss), losses, LOSS_TITLE)
                }
                None => (map.map(|map| &map.loss), losses, LOSS_TITLE),
            };
            let search =
                session.views.search.get().filter(|search| {
                    Some(search.task.as_ref()) == task && search.task.lines() == 1
                });
            let path = search
                .map(|search| steps(&search, &losses))
                .unwrap_or_default();
            let pins = session.pins.iter().filter_map(|pinned| pin(&pinned.answer));
            let pins: Vec<Pin> = pins.collect();
            let plane = Plane {
                field,
                marks: &marks.numbers,
                path: &path,
                pins: &pins,
                cursor: session.pointer,
                ..Plane::new("Loss map", scale)
            };
            let size = vec2(
                space.x - canvas::BAR_WIDTH - ui.spacing().item_spacing.x,
                space.y,
            );
            self.code_plane(ui, session, &plane, size);
            color_bar(ui, &scale, title, space.y.min(420.0), belief.is_none());
        });
    }

    /// The three smaller views, or a program's errors in their place.
    fn beside(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        marks: &MarksOf,
        map: Option<&Landscape>,
        run: Option<&ProgramRun>,
    ) {
        if let Some(run) = run {
            ui.horizontal(|ui| {
                ui.selectable_value(&mut self.side, PlaneSide::Planes, "Planes");
                ui.selectable_value(&mut self.side, PlaneSide::Lines, ERROR_BY_LINE);
            });
            if self.side == PlaneSide::Lines {
                return lines::error_by_line(ui, run);
            }
        }
        let size = vec2(
            ui.available_width(),
            (ui.available_height() / 3.0 - title_height(ui)).max(90.0),
        );
        self.truth(ui, session, marks, map, size);
        self.programs(ui, session, marks, size);
        self.states(ui, marks, size);
    }

    fn truth(
        &mut self,
        ui: &mut Ui,
        session: &mut UiSession,
        marks: &MarksOf,
        map: Option<&Landscape>,
        size: Vec2,
    ) {
        ui.horizontal_wrapped(|ui| {
            let title = ui.strong("Truth");
            if let Ok(sum) = session.sum {
                title.on_hover_text(truth_title(sum));
            }
            legend(ui);
        });
        let plane = Plane {
            field: map.map(|map| &map.truth),
            marks: &marks.solutions,
            cursor: session.pointer,
            ..Plane::new("Truth map", Scale::truth())
        };
        self.code_plane(ui, session, &plane, size);
    }

    fn programs(&mut self, ui: &mut Ui, session: &mut UiSession, marks: &MarksOf, size: Vec2) {
        ui.add(Label::new(RichText::new("Programs, coloured by value").strong()).truncate());
        let plane = Plane {
            marks: &marks.codes,
            cursor: session.pointer,
            ..Plane::new("Code plane", Group::Codes.scale(marks.planes.language))
        };
        self.code_plane(ui, session, &plane, size);
    }

    fn states(&mut self, ui: &mut Ui, marks: &MarksOf, size: Vec2) {
        ui.add(Label::new(RichText::new("States, coloured by value").strong()).truncate());
        let plane = Plane {
            marks: &marks.states,
            ..Plane::new("State plane", Group::States.scale(marks.planes.language))
        };
        plane.show(ui, &mut self.state_view, size);
    }

    /// A view of the code plane: the pointer decodes, a click pins.
    fn code_plane(&mut self, ui: &mut Ui, session: &mut UiSession, plane: &Plane<'_>, size: Vec2) {
        let plane = Plane {
            is_probed: true,
            ..plane.clone()
        };
        let shown = plane.show(ui, &mut self.code_view, size);
        if let Some(point) = shown.probed_latent {
            session.ask(point);
        }
        match shown.click {
            Some(Click::Single) => session.pin(None),
            Some(Click::Double) => session.unpin_click(),
            None => {}
        }
    }
}

fn lowest(map: &Landscape) -> String {
    let code = map.lowest().and_then(|(cell, _)| map.code[cell]);
    code.map_or_else(|| "no number".into(), code_text)
}

fn steps(search: &SearchView, scale: &Scale) -> Vec<PathStep> {
    let best = search
        .solved
        .map(|index| &search.path[index])
        .or(search.best());
    let step = |evaluation: &views::EvaluationView| {
        Some(PathStep {
            at: evaluation.point.first_chunk().copied()?,
            color: scale.color(evaluation.loss),
            is_best: best.is_some_and(|best| best.point == evaluation.point),
        })
    };
    search.path.iter().filter_map(step).collect()
}

fn pin(answer: &PointAnswer) -> Option<Pin> {
    Some(pin_at(answer.point.first_chunk().copied()?, answer))
}

/// An answer, pinned where it is shown.
pub fn pin_at(at: [f32; 2], answer: &PointAnswer) -> Pin {
    let label = answer.code.map_or_else(|| "no number".into(), code_text);
    let is_right = answer.truth.is_some() && answer.truth == answer.result;
    let color = if is_right {
        crate::palette::RIGHT
    } else {
        crate::palette::WRONG
    };
    Pin { at, label, color }
}

fn legend(ui: &mut Ui) {
    let theme = Theme::of(ui.visuals());
    for (color, name) in [
        (crate::palette::RIGHT, "right"),
        (crate::palette::WRONG, "wrong"),
    ] {
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), egui::Sense::hover());
        ui.painter()
            .rect_filled(rect, 2.0, super::theme::color_from_rgb(color));
        ui.colored_label(theme.weak_text, name);
    }
    ui.colored_label(theme.weak_text, "hatched: none");
}

/// Height of a line above a canvas, with the gap below it.
pub fn title_height(ui: &Ui) -> f32 {
    let line = ui.text_style_height(&egui::TextStyle::Body);
    line.max(ui.spacing().interact_size.y) + ui.spacing().item_spacing.y
}
