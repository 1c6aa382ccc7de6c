//! Slice of a space of more than two dimensions through three programs: maps that are pointed at and clicked as a plane.

use egui::{DragValue, Label, RichText, Ui, Vec2, vec2};

use super::{marks::pin_at, workspace::ExecutorWorkspace};
use crate::{
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    executor::{
        export::{LOSS_TITLE, code_text, loss_scale, map_title, truth_title},
        projection::Group,
        views::{Cut, Landscape, LatentPlanes},
    },
    palette::Scale,
    ui::{
        canvas::{self, Click, Emphasis, Mark, Pin, Plane, View, color_bar},
        engine_client::EngineClient,
        theme::Theme,
        widgets::title_height,
    },
};

const DISC_RADIUS: f32 = 4.5;

/// View of the slice.
#[derive(Default)]
pub struct SliceView {
    view: View,
}

impl SliceView {
    /// Draws the slice: its programs, the loss map, the truth map.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        planes: &LatentPlanes,
    ) {
        let mut programs = workspace.programs();
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
        if programs != workspace.programs() {
            workspace.slice_through(programs, client);
        }
        let sum = workspace.sum.as_ref().ok().copied();
        let landscape = workspace.views.landscape.get();
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
            Ok(cut) => self.maps(ui, workspace, client, &cut, sum, map),
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
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        cut: &Cut,
        sum: Option<Sum>,
        map: Option<&Landscape>,
    ) {
        let task = workspace.task_to_solve();
        let corners = corners(cut, task.as_ref(), workspace.language());
        let outline = cut.slice.outline();
        let pins = workspace.pointing.pins.iter().filter_map(|pinned| {
            let (_, at) = pinned.on_slice.filter(|(of, _)| *of == cut.programs)?;
            Some(pin_at(at, &pinned.answer))
        });
        let pins: Vec<Pin> = pins.collect();
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
                cursor: workspace.pointing.cursor,
                outline: &outline,
                ..Plane::new("Slice loss map", scale)
            };
            self.ask_on(ui, workspace, client, cut, &plane, size);
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
            cursor: workspace.pointing.cursor,
            outline: &outline,
            ..Plane::new("Slice truth map", Scale::truth())
        };
        self.ask_on(ui, workspace, client, cut, &plane, size);
    }

    /// A map of the slice: the pointer decodes, a click pins.
    fn ask_on(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        cut: &Cut,
        plane: &Plane<'_>,
        size: Vec2,
    ) {
        let plane = Plane {
            is_probed: true,
            ..plane.clone()
        };
        let shown = plane.show(ui, &mut self.view, size);
        // The slice moves in training: the place asked for is the one under the cross now.
        if let Some(point) = shown.probed_latent.or(workspace.pointing.cursor) {
            workspace.ask(Some(point), cut.slice.embed(point), client);
        }
        match shown.click {
            Some(Click::Single(point)) => {
                workspace.pin(cut.slice.embed(point), Some((cut.programs, point)), client);
            }
            Some(Click::Double) => workspace.pointing.unpin_click(),
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
        radius: DISC_RADIUS,
        priority: 1.0,
        emphasis: match task.is_some_and(|task| task.is_solved_by(&[program])) {
            true => Emphasis::Highlighted,
            false => Emphasis::Normal,
        },
    };
    let corners = cut.slice.corners.into_iter();
    corners.zip(cut.programs).map(mark).collect()
}
