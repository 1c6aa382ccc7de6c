//! Controls: the sum and the answer under the pointer, search, training, files, pins.

use std::path::{Path, PathBuf};

use egui::{
    Checkbox, Color32, DragValue, Label, ProgressBar, RichText, Role, TextEdit, Ui, WidgetInfo,
};

use super::{bundled::BUNDLED, pointing::Pinned, workspace::ExecutorWorkspace};
use crate::{
    data::language::Code,
    executor::config::PRESETS,
    executor::{
        export::number_text,
        views::{PointAnswer, SearchView},
    },
    latent::search::{Method, Strategy},
    training::Pace,
    training::run_folder::RunFolder,
    ui::{
        engine_client::{Cause, EngineClient},
        run_panel::{Figure, curves_plot, run_controls, run_progress},
        system::SystemPage,
        theme::Theme,
        widgets::{OpenRequest, combo, field, is_entered, open_buttons},
    },
};

/// Action of the user that needs a thread of its own.
#[derive(Clone, Debug)]
pub enum Action {
    /// Choose a run's folder in a dialog.
    BrowseRun,
    /// Write pictures and tables into this folder.
    Export(PathBuf),
}

/// Size of the equation under the pointer, in points.
const ANSWER_SIZE: f32 = 22.0;

/// Draws all controls, one below the other.
pub fn controls(
    ui: &mut Ui,
    workspace: &mut ExecutorWorkspace,
    client: &mut EngineClient,
    actions: &mut Vec<Action>,
) {
    ui.add_space(4.0);
    sum(ui, workspace, client);
    ui.separator();
    solve(ui, workspace, client);
    ui.separator();
    train(ui, workspace, client);
    ui.separator();
    files(ui, workspace, client, actions);
    ui.separator();
    pins(ui, workspace);
}

fn sum(ui: &mut Ui, workspace: &mut ExecutorWorkspace, client: &mut EngineClient) {
    let theme = Theme::of(ui.visuals());
    ui.horizontal(|ui| {
        let label = ui.strong("Sum");
        let edit = TextEdit::singleline(&mut workspace.sum_text)
            .desired_width(f32::INFINITY)
            .font(egui::TextStyle::Heading);
        let edit = ui.add(edit).labelled_by(label.id);
        if edit.changed() {
            workspace.read_sum(client);
        }
        if is_entered(ui, &edit) && workspace.can_solve() {
            workspace.solve(client);
        }
    });
    if let Err(why) = &workspace.sum {
        ui.colored_label(theme.error, why);
    }
    if let Some(model) = workspace.offer {
        let button = ui.button(format!("Open {}", model.name));
        let why = "The bundled model that was trained on such sums";
        if button.on_hover_text(why).clicked() {
            workspace.open_bundled(model, client);
        }
    }
    ui.add_space(4.0);
    // Always four lines: buttons below must not move away under the pointer.
    match (workspace.last_answer(), workspace.answer(), &workspace.sum) {
        (Some(last), answer, _) => answer_text(ui, &last, answer.is_some(), &theme),
        (None, _, sum) => {
            let text = match sum {
                Ok(_) => "Point at the plane",
                Err(_) => "No sum to run",
            };
            ui.label(RichText::new(text).size(ANSWER_SIZE).weak());
            empty_lines(ui);
        }
    }
}

/// Draws all pins, the newest first; below everything else, so that pinning moves no button away under the pointer.
fn pins(ui: &mut Ui, workspace: &mut ExecutorWorkspace) {
    let pointing = &mut workspace.pointing;
    ui.horizontal(|ui| {
        ui.strong("Pinned");
        let clear = egui::Button::new("Clear pins").small();
        if ui.add_enabled(!pointing.pins.is_empty(), clear).clicked() {
            pointing.pins.clear();
        }
    });
    let mut removed = None;
    for (index, Pinned { answer, .. }) in pointing.pins.iter().enumerate().rev() {
        let loss = answer
            .loss
            .map_or_else(String::new, |loss| format!(", loss {loss:.3}"));
        let text = equation(answer) + &loss;
        ui.horizontal(|ui| {
            let remove = ui.small_button("\u{d7}").on_hover_text("Remove this pin");
            let name = format!("Remove pin {text}");
            remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if remove.clicked() {
                removed = Some(index);
            }
            ui.add(Label::new(&text).truncate());
        });
    }
    if let Some(index) = removed {
        pointing.unpin(index);
    }
}

/// `71 + −53 = 18`.
fn equation(answer: &PointAnswer) -> String {
    let text = |number: Option<i32>| number.map_or_else(|| "no number".into(), number_text);
    let operation = match answer.code {
        Some(Code::Add(addend)) => format!("+ {}", number_text(addend)),
        Some(Code::Times(factor)) => format!("\u{d7} {}", number_text(factor)),
        None => "+ no number".into(),
    };
    format!(
        "{} {operation} = {}",
        number_text(answer.state),
        text(answer.result)
    )
}

/// Lines in place of those of an answer.
fn empty_lines(ui: &mut Ui) {
    for _ in 0..3 {
        ui.label("");
    }
}

/// Draws an answer; dimmed while it isn't that for the place pointed at now, which is on its way.
fn answer_text(ui: &mut Ui, answer: &PointAnswer, is_current: bool, theme: &Theme) {
    let text = RichText::new(equation(answer)).size(ANSWER_SIZE);
    let text = match is_current {
        true => text.strong(),
        false => text.weak(),
    };
    // Wrapped, `71 + no number = no number` would take two lines.
    ui.add(Label::new(text).truncate());
    if !is_current {
        empty_lines(ui);
        return;
    }
    let (verdict, color): (String, Color32) = match (answer.truth, answer.result) {
        (None, _) => ("the decoder yields no number here".into(), theme.warning),
        (Some(truth), Some(result)) if truth == result => ("the model is right".into(), theme.good),
        (Some(truth), _) => (format!("really {}", number_text(truth)), theme.warning),
    };
    ui.colored_label(color, verdict);
    let loss = answer.loss.map(|loss| format!("loss {loss:.3} nats"));
    ui.label(loss.unwrap_or_default());
    match answer.point[..] {
        [x, y] => ui.weak(format!("at ({x:.3}, {y:.3})")),
        _ => ui.weak(format!("at a point of {} values", answer.point.len())),
    };
}

fn solve(ui: &mut Ui, workspace: &mut ExecutorWorkspace, client: &mut EngineClient) {
    let search = workspace.views.search.get();
    let is_on = search.as_ref().is_some_and(|search| !search.ended);
    let has_proposals = workspace.has_proposals();
    ui.horizontal_wrapped(|ui| {
        ui.strong("Search");
        combo(
            ui,
            "Search method",
            workspace.search.method.title(),
            |ui| {
                for method in Method::ALL {
                    let is_possible =
                        has_proposals || !Strategy::cold(method).needs_proposals();
                    ui.add_enabled_ui(is_possible, |ui| {
                        let chosen = &mut workspace.search.method;
                        ui.selectable_value(chosen, method, method.title());
                    });
                }
            },
        );
        // Without proposals the setting is kept for a model that has them.
        let mut is_warm = workspace.search.is_warm && has_proposals;
        let warm = ui.add_enabled(has_proposals, Checkbox::new(&mut is_warm, "Warm"));
        if warm.changed() {
            workspace.search.is_warm = is_warm;
        }
        warm.on_hover_text("Begin with what the inverse encoder proposes, and go on around it")
            .on_disabled_hover_text("The model proposes nothing here: it has no inverse encoder, or that knows additions only");
    });
    ui.horizontal_wrapped(|ui| {
        let solve = ui.add_enabled(workspace.can_solve(), egui::Button::new("Solve"));
        if solve
            .on_disabled_hover_text("A sum is needed, a method that needs no proposals where there are none, and no search under way")
            .clicked()
        {
            workspace.solve(client);
        }
        for (name, pace) in [
            ("Hold", Some(Pace::Paused)),
            ("Go on", Some(Pace::Running)),
            ("Next evaluation", Some(Pace::OneStep)),
            ("End", None),
        ] {
            if ui.add_enabled(is_on, egui::Button::new(name)).clicked() {
                workspace.search_pace(pace, client);
            }
        }
        let has_begun = search
            .as_ref()
            .is_some_and(|search| !search.path.is_empty());
        let undo = ui.add_enabled(has_begun, egui::Button::new("Undo"));
        if undo.on_hover_text("One evaluation back").clicked() {
            workspace.undo(client);
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.add(
            DragValue::new(&mut workspace.search.budget)
                .range(1..=10_000)
                .prefix("at most "),
        );
        ui.add(DragValue::new(&mut workspace.search.seed).prefix("seed "));
        ui.add(
            DragValue::new(&mut workspace.search.pause_secs)
                .range(0.0..=2.0)
                .speed(0.01)
                .prefix("every ")
                .suffix(" s"),
        );
    });
    search_text(ui, search.as_deref());
}

/// Draws the search's progress: always two lines, so that nothing below moves when a search begins.
fn search_text(ui: &mut Ui, search: Option<&SearchView>) {
    let theme = Theme::of(ui.visuals());
    let Some(search) = search else {
        ui.weak("no search yet");
        ui.label("");
        return;
    };
    let tried = search.spent;
    let progress = format!("{tried} of {} evaluations", search.budget);
    ui.add(ProgressBar::new(tried as f32 / search.budget as f32).text(progress));
    let (text, color) = match (
        search.solved.map(|index| &search.path[index]),
        search.best(),
    ) {
        (Some(found), _) => (
            format!(
                "{}: found {} in {tried} evaluations",
                search.task,
                found.text(&search.task)
            ),
            theme.good,
        ),
        (None, Some(best)) => {
            let text = format!(
                "{}: closest is {}, loss {:.3}",
                search.task,
                best.text(&search.task),
                best.loss
            );
            (text, ui.visuals().text_color())
        }
        (None, None) => (search.task.to_string(), theme.weak_text),
    };
    ui.colored_label(color, text);
}

fn train(ui: &mut Ui, workspace: &mut ExecutorWorkspace, client: &mut EngineClient) {
    ui.horizontal_wrapped(|ui| {
        ui.strong("Training");
        workspace.train.show(ui, "Preset", &PRESETS, 5.0..=86_400.0);
    });
    let hint = "runs/executor-N, a new folder";
    if workspace.train.show_folder(ui, hint).changed() {
        client.clear_error(SystemPage::Executor, Cause::Order);
    }
    let run = workspace.views.run.training.get();
    if let Some(order) = run_controls(ui, run.as_deref(), &mut workspace.pending, client) {
        workspace.order(order, client);
    }
    run_progress(ui, run.as_deref(), &workspace.pending);
    let curves = workspace.views.run.curves.get();
    if let Some(curves) = curves.filter(|curves| curves.len() > 1) {
        let lines: [Figure; 4] = [
            ("result", &["result_nll"], 1.0),
            ("state", &["state_nll"], 1.0),
            ("code", &["code_nll"], 1.0),
            ("MMD", &["mmd_states", "mmd_codes"], 1.0),
        ];
        curves_plot(ui, "curves", &curves, &lines, true);
    }
}

fn files(
    ui: &mut Ui,
    workspace: &mut ExecutorWorkspace,
    client: &mut EngineClient,
    actions: &mut Vec<Action>,
) {
    let label = RichText::new("Model").strong();
    let hint = "a run's folder; empty: bundled";
    let path = field(ui, label, &mut workspace.open_path, hint, f32::INFINITY);
    if path.changed() {
        client.clear_error(SystemPage::Executor, Cause::Order);
    }
    ui.horizontal_wrapped(|ui| {
        for model in BUNDLED {
            if ui.button(model.name).clicked() {
                workspace.open_bundled(model, client);
            }
        }
    });
    ui.horizontal_wrapped(|ui| {
        match open_buttons(ui, &path) {
            Some(OpenRequest::Typed) => workspace.open(&workspace.open_path.clone(), client),
            Some(OpenRequest::Browse) => actions.push(Action::BrowseRun),
            None => {}
        }
        if ui
            .button("Judge")
            .on_hover_text("Accuracy on sums it has never seen")
            .clicked()
        {
            workspace.evaluate(client);
        }
        if ui
            .button("Export")
            .on_hover_text("Maps, planes and curves as PNG and CSV into a new folder")
            .clicked()
        {
            let folder = RunFolder::unused(Path::new("export"));
            actions.push(Action::Export(folder));
        }
    });
}
