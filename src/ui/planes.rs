//! The four views: loss map, truth map, code plane and state plane. The first three are the same
//! plane and move together; the pointer over any of them decodes the program there.

use std::sync::Arc;

use egui::{Ui, Vec2, vec2};

use super::{
    canvas::{self, Emphasis, Mark, PathStep, Pin, Plane, View, color_bar},
    session::{Layer, Session},
    space::Space,
    theme::Theme,
    widgets::combo,
};
use crate::{
    data::sums::Sum,
    executor::{
        board::{self, Answer, Landscape, SearchView},
        export::{LOSS_TITLE, code_text, loss_scale},
        projection::Group,
    },
    latent::field::Field,
    palette::Scale,
};

/// Width of a small view beyond its height: the axis labels and a little air.
const SMALL_MARGIN: f32 = 36.0;
const DISC_RADIUS: f32 = 4.0;
/// Widest range of a belief that is shown, in its own unit.
const SHOWN: f32 = 12.0;

/// The views' state.
#[derive(Default)]
pub struct Planes {
    code_view: View,
    state_view: View,
    marks: Option<MarksOf>,
    /// What a space of more than two dimensions is shown by.
    pub space: Option<Space>,
}

/// The marks of one version of the planes, for one sum.
struct MarksOf {
    planes: Arc<board::Planes>,
    sum: Option<Sum>,
    numbers: Vec<Mark>,
    codes: Vec<Mark>,
    states: Vec<Mark>,
}

impl Planes {
    /// Draws the views, and asks or pins where people point or click.
    pub fn show(&mut self, ui: &mut Ui, session: &mut Session) {
        let Some(planes) = session.board.planes.get() else {
            self.space = None;
            let text = match session.board.model.get() {
                None => "The model is being loaded",
                Some(_) => "The planes are being computed",
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
        let sum = session.sum.as_ref().ok().copied();
        let marks = match self.marks.take() {
            Some(marks) if Arc::ptr_eq(&marks.planes, &planes) && marks.sum == sum => marks,
            _ => MarksOf::new(planes, sum),
        };
        let map = session
            .board
            .landscape
            .get()
            .filter(|map| Some(map.sum) == sum && map.cut.is_none());
        let search = session
            .board
            .search
            .get()
            .filter(|search| sum.is_some_and(|sum| *search.task == sum.into()));

        let space = ui.available_size();
        let gap = ui.spacing().item_spacing.x;
        // Three square views share the height; the large map has the rest of the width.
        let small = vec2(
            (space.y / 3.0 + SMALL_MARGIN).min(space.x * 0.4).floor(),
            space.y,
        );
        let large = vec2(space.x - small.x - gap, space.y);
        ui.horizontal_top(|ui| {
            ui.allocate_ui(large, |ui| {
                self.loss_map(ui, session, &marks, map.as_deref(), search.as_deref())
            });
            ui.allocate_ui(small, |ui| {
                ui.vertical(|ui| self.small_views(ui, session, &marks, map.as_deref()))
            });
        });
        self.marks = Some(marks);
    }

    fn loss_map(
        &mut self,
        ui: &mut Ui,
        session: &mut Session,
        marks: &MarksOf,
        map: Option<&Landscape>,
        search: Option<&SearchView>,
    ) {
        ui.vertical(|ui| {
            ui.horizontal_wrapped(|ui| {
                let title = marks
                    .sum
                    .map_or_else(|| "Loss".to_owned(), |sum| format!("Loss of {sum}"));
                ui.heading(title);
                let state = match map {
                    None => "being computed".to_owned(),
                    Some(map) => {
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
            });
            let beliefs = session
                .board
                .beliefs
                .get()
                .filter(|beliefs| marks.sum.is_some_and(|sum| *beliefs.task == sum.into()));
            let belief = beliefs.as_deref().and_then(|b| layer_of(b, session.layer));
            let space = ui.available_size();
            ui.horizontal_top(|ui| {
                let losses =
                    map.map_or_else(|| Scale::loss(0.01, 10.0), |map| loss_scale(&map.loss));
                let (field, scale, title) = match belief {
                    Some((field, title)) => (Some(field), belief_scale(field), title),
                    None if session.layer == Layer::Sure => {
                        (map.map(|map| &map.sure_loss), losses, LOSS_TITLE)
                    }
                    None => (map.map(|map| &map.loss), losses, LOSS_TITLE),
                };
                let path = search
                    .map(|search| steps(search, &losses))
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
        });
    }

    fn small_views(
        &mut self,
        ui: &mut Ui,
        session: &mut Session,
        marks: &MarksOf,
        map: Option<&Landscape>,
    ) {
        let title_height =
            ui.text_style_height(&egui::TextStyle::Body) + 2.0 * ui.spacing().item_spacing.y;
        let size = vec2(
            ui.available_width(),
            (ui.available_height() / 3.0 - title_height).max(90.0),
        );
        let cursor = session.pointer;
        let language = marks.planes.language;
        ui.horizontal(|ui| {
            let title = ui.strong("Truth");
            if let Some(sum) = marks.sum {
                title.on_hover_text(format!(
                    "Is {} + the decoded program {}?",
                    sum.start, sum.result
                ));
            }
            legend(ui);
        });
        let plane = Plane {
            field: map.map(|map| &map.truth),
            marks: &marks.numbers,
            cursor,
            ..Plane::new("Truth map", Scale::truth())
        };
        self.code_plane(ui, session, &plane, size);
        ui.strong("Programs, coloured by value");
        let plane = Plane {
            marks: &marks.codes,
            cursor,
            ..Plane::new("Code plane", Group::Codes.scale(language))
        };
        self.code_plane(ui, session, &plane, size);
        ui.strong("States, coloured by value");
        let plane = Plane {
            marks: &marks.states,
            ..Plane::new("State plane", Group::States.scale(language))
        };
        plane.show(ui, &mut self.state_view, size);
    }

    /// A view of the code plane: the pointer decodes, a click pins.
    fn code_plane(&mut self, ui: &mut Ui, session: &mut Session, plane: &Plane<'_>, size: Vec2) {
        let shown = plane.show(ui, &mut self.code_view, size);
        if let Some(point) = shown.pressed_latent.or(shown.pointer_latent) {
            session.ask(point);
        }
        if shown.response.clicked() && shown.pointer_latent.is_some() {
            session.pin(None);
        }
    }
}

impl MarksOf {
    fn new(planes: Arc<board::Planes>, sum: Option<Sum>) -> Self {
        let language = planes.language;
        let mark = |group: Group, radius: f32, is_named: &dyn Fn(usize) -> bool| -> Vec<Mark> {
            let scale = group.scale(language);
            let shown = group
                .shown(language)
                .into_iter()
                .zip(group.of(&planes).iter());
            let one = |(index, ((value, text), place)): (usize, ((i32, String), &[f32]))| Mark {
                at: [place[0], place[1]],
                label: text.into(),
                color: scale.color(value as f32),
                radius,
                // Round numbers first, so that what is left when room is short is evenly spread.
                priority: if value % 10 == 0 { 1.0 } else { 0.0 },
                emphasis: match is_named(index) {
                    true => Emphasis::Highlighted,
                    false => Emphasis::Normal,
                },
            };
            shown.enumerate().map(one).collect()
        };
        let (codes, states) = (language.shown_codes(), language.shown_states());
        let solves = |index: usize| sum.is_some_and(|sum| codes[index] == sum.solution());
        let occurs =
            |index: usize| sum.is_some_and(|sum| [sum.start, sum.result].contains(&states[index]));
        let numbers = mark(Group::Codes, 0.0, &solves);
        let codes = mark(Group::Codes, DISC_RADIUS, &solves);
        let states = mark(Group::States, DISC_RADIUS, &occurs);
        Self {
            planes,
            sum,
            numbers,
            codes,
            states,
        }
    }
}

const LAYERS: [Layer; 5] = [
    Layer::Loss,
    Layer::Sure,
    Layer::Mean,
    Layer::Uncertainty,
    Layer::Acquisition,
];

fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Loss => "loss",
        Layer::Sure => "loss where the decoder is sure",
        Layer::Mean => "GP mean",
        Layer::Uncertainty => "GP uncertainty",
        Layer::Acquisition => "acquisition",
    }
}

/// A layer's field and what it measures; None for the loss, which needs no surrogate.
fn layer_of(beliefs: &board::Beliefs, layer: Layer) -> Option<(&Arc<Field>, &'static str)> {
    match layer {
        Layer::Loss | Layer::Sure => None,
        Layer::Mean => Some((&beliefs.mean, "expected loss, standardised")),
        Layer::Uncertainty => Some((&beliefs.uncertainty, "its standard deviation")),
        Layer::Acquisition => Some((&beliefs.acquisition, "log expected improvement")),
    }
}

fn belief_scale(field: &Field) -> Scale {
    let values = field.values.iter().copied();
    let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // What promises next to nothing is not told apart.
    Scale::value(low.max(high - SHOWN), high)
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
    let step = |evaluation: &board::Evaluation| {
        Some(PathStep {
            at: evaluation.point.first_chunk().copied()?,
            color: scale.color(evaluation.loss),
            is_best: best.is_some_and(|best| best.point == evaluation.point),
        })
    };
    search.path.iter().filter_map(step).collect()
}

fn pin(answer: &Answer) -> Option<Pin> {
    Some(pin_at(answer.point.first_chunk().copied()?, answer))
}

/// An answer, pinned where it is shown.
pub fn pin_at(at: [f32; 2], answer: &Answer) -> Pin {
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
