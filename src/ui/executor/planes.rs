//! The four views of a model of two dimensions: loss map, truth map, code plane and state plane. The first three show
//! one plane and move together; the pointer over any of them decodes the program there. Where there is little room, one
//! view is shown at a time.

use std::sync::Arc;

use egui::{Label, RichText, Ui, Vec2, vec2};

use super::{
    layers::{LAYERS, Layer, layer_name, posterior_layer, posterior_scale},
    lines::{self, ERROR_BY_LINE},
    marks::{PlaneMarks, pin},
    space::SpaceView,
    workspace::ExecutorWorkspace,
};
use crate::{
    executor::{
        export::{LOSS_TITLE, code_text, loss_scale, map_title, truth_title},
        projection::Group,
        views::{self, Landscape, ProgramRun, SearchView},
    },
    palette::{self, Scale},
    ui::{
        canvas::{self, Click, PathStep, Pin, Plane, View, color_bar},
        engine_client::EngineClient,
        theme::{Theme, color_from_rgb},
        widgets::{combo, title_height},
    },
};

/// Width of a small view beyond its height: the axis labels and a little air.
const SMALL_MARGIN: f32 = 36.0;

/// Width below which one view at a time is shown, in points.
const NARROW: f32 = 720.0;

/// The view shown where there is room for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Single {
    #[default]
    Loss,
    Truth,
    Programs,
    States,
    Lines,
}

/// Content beside the loss map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PlaneSide {
    #[default]
    Planes,
    Lines,
}

/// Data of a frame that the views draw.
struct Shown<'a> {
    marks: &'a PlaneMarks,
    /// Map of the typed sum.
    map: Option<&'a Landscape>,
    /// Run of a program of several lines.
    run: Option<&'a ProgramRun>,
}

/// State of the views.
#[derive(Default)]
pub struct PlaneViews {
    code_view: View,
    state_view: View,
    marks: Option<PlaneMarks>,
    single: Single,
    side: PlaneSide,
    /// A program of several lines was shown in the frame before.
    has_run: bool,
    /// View of a space of more than two dimensions.
    pub space: Option<SpaceView>,
}

impl PlaneViews {
    /// Draws the views; pointing at a plane asks for its program, a click pins the answer.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
    ) {
        let Some(planes) = workspace.views.planes.get() else {
            self.space = None;
            let text = match (workspace.views.run.model.get(), client.has_engine()) {
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
                .show(ui, workspace, client, &planes);
            return;
        }
        // Ends the layouts of a model that isn't open any more.
        self.space = None;
        let task = workspace.task_to_solve();
        let marks = match self.marks.take() {
            Some(marks) if Arc::ptr_eq(&marks.planes, &planes) && marks.task == task => marks,
            _ => PlaneMarks::new(planes, task),
        };
        let sum = workspace.sum.as_ref().ok().copied();
        let map = workspace.views.landscape.get();
        let map = map.filter(|map| Some(map.sum) == sum && map.cut.is_none());
        let run = workspace.run();
        if std::mem::replace(&mut self.has_run, run.is_some()) != run.is_some() {
            self.side = match run {
                Some(_) => PlaneSide::Lines,
                None => PlaneSide::Planes,
            };
        }
        if run.is_none() && self.single == Single::Lines {
            self.single = Single::Loss;
        }
        let shown = Shown {
            marks: &marks,
            map: map.as_deref(),
            run: run.as_deref(),
        };
        match ui.available_width() < NARROW {
            true => self.show_single(ui, workspace, client, &shown),
            false => self.show_all(ui, workspace, client, &shown),
        }
        self.marks = Some(marks);
    }

    /// Draws one view with a selector above it.
    fn show_single(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        shown: &Shown<'_>,
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
            if shown.run.is_some() {
                ui.selectable_value(&mut self.single, Single::Lines, ERROR_BY_LINE);
            }
        });
        let below = title_height(ui);
        let size = ui.available_size() - vec2(0.0, below);
        match (self.single, shown.run) {
            (Single::Loss, _) | (Single::Lines, None) => {
                self.loss_map(ui, workspace, client, shown)
            }
            (Single::Truth, _) => self.truth(ui, workspace, client, shown, size),
            (Single::Programs, _) => self.programs(ui, workspace, client, shown, size),
            (Single::States, _) => self.states(ui, shown, size),
            (Single::Lines, Some(run)) => lines::error_by_line(ui, run),
        }
    }

    /// The loss map with the other views beside it.
    fn show_all(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        shown: &Shown<'_>,
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
                ui.vertical(|ui| self.loss_map(ui, workspace, client, shown))
            });
            ui.allocate_ui(small, |ui| {
                ui.vertical(|ui| self.beside(ui, workspace, client, shown))
            });
        });
    }

    fn loss_map(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        shown: &Shown<'_>,
    ) {
        let (map, task) = (shown.map, shown.marks.task.as_ref());
        let posterior = workspace.views.posterior.get();
        let posterior = posterior.filter(|posterior| Some(posterior.task.as_ref()) == task);
        let layer = posterior.as_deref();
        let layer = layer.and_then(|posterior| posterior_layer(posterior, workspace.layer));
        let quantity = layer.map_or("Loss", |layer| layer.quantity);
        ui.horizontal_wrapped(|ui| {
            ui.heading(task.map_or_else(|| quantity.into(), |task| map_title(quantity, task)));
            let status = match (task, &posterior, layer, map) {
                (None, ..) => "no sum to map".to_owned(),
                (Some(_), Some(posterior), Some(_), _) => {
                    format!("after {} evaluations", posterior.evaluations)
                }
                (Some(_), _, _, None) => "being computed".into(),
                (Some(_), _, _, Some(map)) => {
                    format!("{0} x {0} cells, lowest at {1}", map.loss.size, lowest(map))
                }
            };
            ui.weak(status);
            ui.label("Layer:");
            combo(ui, "Layer", layer_name(workspace.layer), |ui| {
                let mut layer = workspace.layer;
                for choice in LAYERS {
                    ui.selectable_value(&mut layer, choice, layer_name(choice));
                }
                workspace.show_layer(layer, client);
            });
            if layer.is_none() && !matches!(workspace.layer, Layer::Loss | Layer::Sure) {
                ui.weak("no Gaussian process yet: Solve with Bayesian optimisation");
            }
        });
        let space = ui.available_size();
        ui.horizontal_top(|ui| {
            let losses = map.map_or_else(|| Scale::loss(0.01, 10.0), |map| loss_scale(&map.loss));
            let (field, scale, title) = match layer {
                Some(layer) => (Some(layer.field), posterior_scale(layer.field), layer.unit),
                None if workspace.layer == Layer::Sure => {
                    (map.map(|map| &map.sure_loss), losses, LOSS_TITLE)
                }
                None => (map.map(|map| &map.loss), losses, LOSS_TITLE),
            };
            let search =
                workspace.views.search.get().filter(|search| {
                    Some(search.task.as_ref()) == task && search.task.lines() == 1
                });
            let path = search
                .map(|search| steps(&search, &losses))
                .unwrap_or_default();
            let pins = workspace.pointing.pins.iter();
            let pins: Vec<Pin> = pins.filter_map(|pinned| pin(&pinned.answer)).collect();
            let plane = Plane {
                field,
                marks: &shown.marks.numbers,
                path: &path,
                pins: &pins,
                cursor: workspace.pointing.cursor,
                ..Plane::new("Loss map", scale)
            };
            let size = vec2(
                space.x - canvas::BAR_WIDTH - ui.spacing().item_spacing.x,
                space.y,
            );
            self.code_plane(ui, workspace, client, &plane, size);
            color_bar(ui, &scale, title, space.y.min(420.0), layer.is_none());
        });
    }

    /// The three smaller views, or a program's errors in their place.
    fn beside(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        shown: &Shown<'_>,
    ) {
        if let Some(run) = shown.run {
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
        self.truth(ui, workspace, client, shown, size);
        self.programs(ui, workspace, client, shown, size);
        self.states(ui, shown, size);
    }

    fn truth(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        shown: &Shown<'_>,
        size: Vec2,
    ) {
        ui.horizontal_wrapped(|ui| {
            let title = ui.strong("Truth");
            if let Ok(sum) = workspace.sum {
                title.on_hover_text(truth_title(sum));
            }
            legend(ui);
        });
        let plane = Plane {
            field: shown.map.map(|map| &map.truth),
            marks: &shown.marks.solutions,
            cursor: workspace.pointing.cursor,
            ..Plane::new("Truth map", Scale::truth())
        };
        self.code_plane(ui, workspace, client, &plane, size);
    }

    fn programs(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        shown: &Shown<'_>,
        size: Vec2,
    ) {
        ui.add(Label::new(RichText::new("Programs, coloured by value").strong()).truncate());
        let plane = Plane {
            marks: &shown.marks.codes,
            cursor: workspace.pointing.cursor,
            ..Plane::new(
                "Code plane",
                Group::Codes.scale(shown.marks.planes.language),
            )
        };
        self.code_plane(ui, workspace, client, &plane, size);
    }

    fn states(&mut self, ui: &mut Ui, shown: &Shown<'_>, size: Vec2) {
        ui.add(Label::new(RichText::new("States, coloured by value").strong()).truncate());
        let plane = Plane {
            marks: &shown.marks.states,
            ..Plane::new(
                "State plane",
                Group::States.scale(shown.marks.planes.language),
            )
        };
        plane.show(ui, &mut self.state_view, size);
    }

    /// A view of the code plane: the pointer decodes, a click pins.
    fn code_plane(
        &mut self,
        ui: &mut Ui,
        workspace: &mut ExecutorWorkspace,
        client: &mut EngineClient,
        plane: &Plane<'_>,
        size: Vec2,
    ) {
        let plane = Plane {
            is_probed: true,
            ..plane.clone()
        };
        let shown = plane.show(ui, &mut self.code_view, size);
        if let Some(point) = shown.probed_latent {
            workspace.ask(Some(point), point.to_vec(), client);
        }
        match shown.click {
            Some(Click::Single(point)) => workspace.pin(point.to_vec(), None, client),
            Some(Click::Double) => workspace.pointing.unpin_click(),
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

fn legend(ui: &mut Ui) {
    let theme = Theme::of(ui.visuals());
    for (color, name) in [(palette::RIGHT, "right"), (palette::WRONG, "wrong")] {
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, 2.0, color_from_rgb(color));
        ui.colored_label(theme.weak_text, name);
    }
    ui.colored_label(theme.weak_text, "hatched: none");
}
