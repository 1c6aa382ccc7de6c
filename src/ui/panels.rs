//! The controls: what is open, the sum and what lies under the pointer, training, search, export.

use egui::{
    Checkbox, Color32, DragValue, Label, ProgressBar, RichText, Role, TextEdit, Ui, WidgetInfo,
};

use super::{
    bundled::BUNDLED,
    session::{Pinned, UiSession},
    theme::Theme,
    widgets::{Figure, combo, curves_plot, field, is_entered, run_buttons, run_text},
};
use crate::{
    config::executor::PRESETS,
    data::language::Code,
    executor::{
        export::number_text,
        trainer::ExecutorMetrics,
        views::{PointAnswer, SearchView},
    },
    latent::search::{Method, Strategy},
    training::Pace,
};

/// What people asked for that the session can't do by itself.
#[derive(Clone, Debug)]
pub enum Action {
    /// A dialog to choose a run's folder.
    BrowseRun,
    /// Pictures and tables into this folder.
    Export(String),
}

/// Size of the equation under the pointer, in points.
const ANSWER_SIZE: f32 = 22.0;

/// All controls, one below the other.
pub fn controls(ui: &mut Ui, session: &mut UiSession, actions: &mut Vec<Action>) {
    ui.add_space(4.0);
    sum(ui, session);
    ui.separator();
    solve(ui, session);
    ui.separator();
    train(ui, session);
    ui.separator();
    files(ui, session, actions);
    ui.separator();
    pins(ui, session);
}

fn sum(ui: &mut Ui, session: &mut UiSession) {
    let theme = Theme::of(ui.visuals());
    ui.horizontal(|ui| {
        let label = ui.strong("Sum");
        let edit = TextEdit::singleline(&mut session.sum_text)
            .desired_width(f32::INFINITY)
            .font(egui::TextStyle::Heading);
        let edit = ui.add(edit).labelled_by(label.id);
        if edit.changed() {
            session.read_sum();
        }
        if is_entered(ui, &edit) && session.can_solve() {
            session.solve();
        }
    });
    if let Err(why) = &session.sum {
        ui.colored_label(theme.error, why);
    }
    if let Some(model) = session.offer {
        let button = ui.button(format!("Open {}", model.name));
        let why = "The bundled model that was trained on such sums";
        if button.on_hover_text(why).clicked() {
            session.open_bundled(model);
        }
    }
    ui.add_space(4.0);
    match (session.last_answer(), session.answer(), &session.sum) {
        (Some(last), answer, _) => answer_text(ui, &last, answer.is_some(), &theme),
        (None, _, sum) => {
            let text = match sum {
                Ok(_) => "Point at the plane",
                Err(_) => "No sum to run",
            };
            ui.label(RichText::new(text).size(ANSWER_SIZE).weak());
            ui.label("");
            ui.label("");
        }
    }
}

/// All pins, the newest first; below everything else, so that pinning moves no button away under the pointer.
fn pins(ui: &mut Ui, session: &mut UiSession) {
    ui.horizontal(|ui| {
        ui.strong("Pinned");
        let clear = egui::Button::new("Clear pins").small();
        if ui.add_enabled(!session.pins.is_empty(), clear).clicked() {
            session.pins.clear();
        }
    });
    let mut removed = None;
    for (index, Pinned { answer, .. }) in session.pins.iter().enumerate().rev() {
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
        session.unpin(index);
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

/// An answer; dimmed while it isn't the one to what is pointed at now, which is on its way.
fn answer_text(ui: &mut Ui, answer: &PointAnswer, is_current: bool, theme: &Theme) {
    let text = RichText::new(equation(answer)).size(ANSWER_SIZE);
    ui.label(match is_current {
        true => text.strong(),
        false => text.weak(),
    });
    if !is_current {
        ui.label("");
        ui.label("");
        return;
    }
    let (verdict, color): (String, Color32) = match (answer.truth, answer.result) {
        (None, _) => ("the decoder yields no number here".into(), theme.warning),
        (Some(truth), Some(result)) if truth == result => ("the model is right".into(), theme.good),
        (Some(truth), _) => (format!("really {}", number_text(truth)), theme.warning),
    };
    ui.horizontal_wrapped(|ui| {
        ui.colored_label(color, verdict);
        if let Some(loss) = answer.loss {
            ui.label(format!("loss {loss:.3} nats"));
        }
    });
    match answer.point[..] {
        [x, y] => ui.weak(format!("at ({x:.3}, {y:.3})")),
        _ => ui.weak(format!("at a point of {} values", answer.point.len())),
    };
}

fn solve(ui: &mut Ui, session: &mut UiSession) {
    let search = session.views.search.get();
    let is_on = search.as_ref().is_some_and(|search| !search.ended);
    let has_proposals = session.has_proposals();
    ui.horizontal_wrapped(|ui| {
        ui.strong("Search");
        combo(
            ui,
            "Search method",
            method_name(session.search.method),
            |ui| {
                for method in METHODS {
                    let is_possible =
                        has_proposals || !Strategy::cold(method).needs_proposals();
                    ui.add_enabled_ui(is_possible, |ui| {
                        let chosen = &mut session.search.method;
                        ui.selectable_value(chosen, method, method_name(method));
                    });
                }
            },
        );
        // Where nothing is proposed the wish is kept for a model that does.
        let mut is_warm = session.search.is_warm && has_proposals;
        let warm = ui.add_enabled(has_proposals, Checkbox::new(&mut is_warm, "Warm"));
        if warm.changed() {
            session.search.is_warm = is_warm;
        }
        warm.on_hover_text("Begin with what the inverse encoder proposes, and go on around it")
            .on_disabled_hover_text("The model proposes nothing here: it has no inverse encoder, or that knows additions only");
    });
    ui.horizontal_wrapped(|ui| {
        let solve = ui.add_enabled(session.can_solve(), egui::Button::new("Solve"));
        if solve
            .on_disabled_hover_text("A sum is needed, a method that needs no proposals where there are none, and no search under way")
            .clicked()
        {
            session.solve();
        }
        for (name, pace) in [
            ("Hold", Some(Pace::Paused)),
            ("Go on", Some(Pace::Running)),
            ("Next evaluation", Some(Pace::OneStep)),
            ("End", None),
        ] {
            if ui.add_enabled(is_on, egui::Button::new(name)).clicked() {
                session.search_pace(pace);
            }
        }
        let has_begun = search
            .as_ref()
            .is_some_and(|search| !search.path.is_empty());
        let undo = ui.add_enabled(has_begun, egui::Button::new("Undo"));
        if undo.on_hover_text("One evaluation back").clicked() {
            session.undo();
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.add(
            DragValue::new(&mut session.search.budget)
                .range(1..=10_000)
                .prefix("at most "),
        );
        ui.add(DragValue::new(&mut session.search.seed).prefix("seed "));
        ui.add(
            DragValue::new(&mut session.search.pause_secs)
                .range(0.0..=2.0)
                .speed(0.01)
                .prefix("every ")
                .suffix(" s"),
        );
    });
    search_text(ui, search.as_deref());
}

/// In the order of the list.
const METHODS: [Method; 9] = [
    Method::Bo,
    Method::Turbo,
    Method::CmaEs,
    Method::Gradient,
    Method::HillClimb,
    Method::Enumerate,
    Method::Sobol,
    Method::Random,
    Method::Inverse,
];

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Bo => "Bayesian optimisation",
        Method::Turbo => "Trust region (TuRBO)",
        Method::CmaEs => "CMA-ES",
        Method::Gradient => "Gradient descent",
        Method::HillClimb => "Hill climbing on digits",
        Method::Enumerate => "All programs in order",
        Method::Sobol => "Sobol points",
        Method::Random => "Random points",
        Method::Inverse => "Inverse encoder",
    }
}

/// Always two lines, so that nothing below moves when a search begins.
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

fn train(ui: &mut Ui, session: &mut UiSession) {
    let run = session.views.training.get();
    let pace = run.as_ref().and_then(|run| run.pace);
    ui.horizontal_wrapped(|ui| {
        ui.strong("Training");
        combo(ui, "Preset", PRESETS[session.train.preset], |ui| {
            for (index, name) in PRESETS.iter().enumerate() {
                ui.selectable_value(&mut session.train.preset, index, *name);
            }
        });
        ui.add(
            DragValue::new(&mut session.train.secs)
                .range(5.0..=86_400.0)
                .suffix(" s"),
        );
        ui.add(DragValue::new(&mut session.train.seed).prefix("seed "));
    });
    let hint = "runs/executor-N, a new folder";
    let into = field(ui, "into", &mut session.train.out, hint, f32::INFINITY);
    if into.changed() {
        session.forgive();
    }
    session.pending.follow(pace, &session.client);
    if let Some(order) = run_buttons(ui, pace, &session.pending) {
        session.order(order);
    }
    run_text(ui, run.as_deref(), &session.pending);
    if let Some(curves) = session.views.curves.get().filter(|curves| curves.len() > 1) {
        let lines: [Figure<ExecutorMetrics>; 4] = [
            ("result", |m| m.result_nll),
            ("state", |m| m.state_nll),
            ("code", |m| m.code_nll),
            ("MMD", |m| m.mmd_states + m.mmd_codes),
        ];
        curves_plot(ui, "curves", &curves, &lines, true);
    }
}

fn files(ui: &mut Ui, session: &mut UiSession, actions: &mut Vec<Action>) {
    let label = RichText::new("Model").strong();
    let hint = "a run's folder; empty: bundled";
    let path = field(ui, label, &mut session.open_path, hint, f32::INFINITY);
    if path.changed() {
        session.forgive();
    }
    ui.horizontal_wrapped(|ui| {
        for model in BUNDLED {
            if ui.button(model.name).clicked() {
                session.open_bundled(model);
            }
        }
    });
    ui.horizontal_wrapped(|ui| {
        if ui.button("Open").clicked() || is_entered(ui, &path) {
            let path = session.open_path.clone();
            session.open(&path);
        }
        if ui.button("Browse").clicked() {
            actions.push(Action::BrowseRun);
        }
        if ui
            .button("Judge")
            .on_hover_text("Accuracy on sums it has never seen")
            .clicked()
        {
            session.judge();
        }
        if ui
            .button("Export")
            .on_hover_text("Maps, planes and curves as PNG and CSV into a new folder")
            .clicked()
        {
            let folder =
                crate::engine::run_folder::RunFolder::unused(std::path::Path::new("export"));
            actions.push(Action::Export(folder.display().to_string()));
        }
    });
}
