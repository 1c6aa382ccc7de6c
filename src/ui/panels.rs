//! The controls: what is open, the sum and what lies under the pointer, training, search, export.

use egui::{Color32, DragValue, ProgressBar, RichText, TextEdit, Ui};

use super::{
    session::{Pinned, Session},
    theme::Theme,
    widgets::{Figure, combo, curves_plot, field, run_buttons, run_text},
};
use crate::{
    config::executor::PRESETS,
    data::language::{Code, Language},
    executor::{
        board::{Answer, SearchView},
        checkpoint,
        export::number_text,
        trainer::Metrics,
    },
    latent::search::Method,
    training::Pace,
};

const PINS_SHOWN: usize = 8;
/// The bundled models, their dimensions and the lines of their programs.
const BUNDLED: [(&str, Language, Option<usize>, usize); 6] = [
    ("2-D", Language::TwoDigits, None, 1),
    ("10-D", Language::TwoDigits, Some(10), 1),
    ("100-D", Language::TwoDigits, Some(100), 1),
    ("Several lines", Language::TwoDigits, None, 2),
    ("Four digits", Language::FourDigits, None, 1),
    ("Operators", Language::Operators, None, 1),
];

/// What people asked for that the session can't do by itself.
#[derive(Clone, Debug)]
pub enum Action {
    /// A dialog to choose a run's folder.
    BrowseRun,
    /// Pictures and tables into this folder.
    Export(String),
}

/// All controls, one below the other.
pub fn controls(ui: &mut Ui, session: &mut Session, actions: &mut Vec<Action>) {
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

fn sum(ui: &mut Ui, session: &mut Session) {
    let theme = Theme::of(ui.visuals());
    ui.horizontal(|ui| {
        let label = ui.strong("Sum");
        let edit = TextEdit::singleline(&mut session.sum_text)
            .desired_width(110.0)
            .font(egui::TextStyle::Heading);
        if ui.add(edit).labelled_by(label.id).changed() {
            session.read_sum();
        }
    });
    if let Err(why) = &session.sum {
        ui.colored_label(theme.error, why);
    }
    ui.add_space(4.0);
    let answer = session.board.answer.get();
    match &answer {
        Some(answer) => answer_text(ui, answer, &theme),
        None => {
            ui.label(RichText::new("Point at the plane").size(22.0).weak());
            ui.label("");
            ui.label("");
        }
    }
}

/// The newest pins; below everything else, so that pinning moves no button away under the pointer.
fn pins(ui: &mut Ui, session: &mut Session) {
    ui.horizontal(|ui| {
        ui.strong("Pinned");
        if ui
            .add_enabled(
                !session.pins.is_empty(),
                egui::Button::new("Clear pins").small(),
            )
            .clicked()
        {
            session.pins.clear();
        }
    });
    for Pinned { answer, .. } in session.pins.iter().rev().take(PINS_SHOWN) {
        let loss = answer
            .loss
            .map_or_else(String::new, |loss| format!(", loss {loss:.3}"));
        ui.label(equation(answer) + &loss);
    }
}

/// `71 + −53 = 18`.
fn equation(answer: &Answer) -> String {
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

fn answer_text(ui: &mut Ui, answer: &Answer, theme: &Theme) {
    ui.label(RichText::new(equation(answer)).size(22.0).strong());
    let (verdict, color): (String, Color32) = match (answer.truth, answer.result) {
        (None, _) => ("the decoder yields no number here".into(), theme.warning),
        (Some(truth), Some(result)) if truth == result => ("the model is right".into(), theme.good),
        (Some(truth), _) => (format!("really {}", number_text(truth)), theme.warning),
    };
    ui.horizontal(|ui| {
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

fn solve(ui: &mut Ui, session: &mut Session) {
    let search = session.board.search.get();
    let is_on = search.as_ref().is_some_and(|search| !search.ended);
    ui.horizontal(|ui| {
        ui.strong("Search");
        combo(
            ui,
            "Search method",
            method_name(session.search.method),
            |ui| {
                for method in METHODS {
                    ui.selectable_value(&mut session.search.method, method, method_name(method));
                }
            },
        );
        ui.checkbox(&mut session.search.is_warm, "Warm")
            .on_hover_text("Begin with what the inverse encoder proposes, and go on around it");
    });
    ui.horizontal(|ui| {
        if ui
            .add_enabled(session.sum.is_ok() && !is_on, egui::Button::new("Solve"))
            .clicked()
        {
            session.solve();
        }
        ui.add_enabled_ui(is_on, |ui| {
            for (name, pace) in [
                ("Hold", Some(Pace::Paused)),
                ("Go on", Some(Pace::Running)),
                ("Next evaluation", Some(Pace::OneStep)),
                ("End", None),
            ] {
                if ui.button(name).clicked() {
                    session.search_pace(pace);
                }
            }
        });
        let has_begun = search
            .as_ref()
            .is_some_and(|search| !search.path.is_empty());
        let undo = ui.add_enabled(has_begun, egui::Button::new("Undo"));
        if undo.on_hover_text("One evaluation back").clicked() {
            session.undo();
        }
    });
    ui.horizontal(|ui| {
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
        ui.add(ProgressBar::new(0.0).text("no search yet"));
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

fn train(ui: &mut Ui, session: &mut Session) {
    let run = session.board.training.get();
    let pace = run.as_ref().and_then(|run| run.pace);
    ui.horizontal(|ui| {
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
    let width = ui.spacing().text_edit_width;
    let hint = "runs/executor-N, a new folder";
    field(ui, "into", &mut session.train.out, hint, width);
    session.pending.follow(pace, &session.desk);
    if let Some(order) = run_buttons(ui, pace, &session.pending) {
        session.order(order);
    }
    run_text(ui, run.as_deref(), &session.pending);
    if let Some(curves) = session.board.curves.get().filter(|curves| curves.len() > 1) {
        let lines: [Figure<Metrics>; 4] = [
            ("result", |m| m.result_nll),
            ("state", |m| m.state_nll),
            ("code", |m| m.code_nll),
            ("MMD", |m| m.mmd_states + m.mmd_codes),
        ];
        curves_plot(ui, "curves", &curves, &lines, true);
    }
}

fn files(ui: &mut Ui, session: &mut Session, actions: &mut Vec<Action>) {
    let label = RichText::new("Model").strong();
    let hint = "a run's folder; empty: bundled";
    field(ui, label, &mut session.open_path, hint, 150.0);
    ui.horizontal_wrapped(|ui| {
        for (name, language, dims, lines) in BUNDLED {
            if ui.button(name).clicked() {
                match checkpoint::bundled(language, dims, lines) {
                    Ok(source) => session.open_source(source),
                    Err(error) => session.say(format!("{error:#}"), true),
                }
            }
        }
    });
    ui.horizontal(|ui| {
        if ui.button("Open").clicked() {
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
