//! A run: its settings, its pace, its curves.

use egui::{DragValue, TextEdit, Ui};

use super::{
    BackgroundTask,
    session::{GlyphsUiSession, preset_rate},
};
use crate::{
    config::glyphs::GLYPH_PRESETS,
    glyphs::trainer::GlyphsMetrics,
    training::TrainingView,
    ui::{
        engine_client::EngineClient,
        widgets::{Figure, combo, curves_plot, field, run_buttons, run_text},
    },
};

/// Draws it all.
pub fn show(
    ui: &mut Ui,
    session: &mut GlyphsUiSession,
    client: &mut EngineClient,
    tasks: &mut Vec<BackgroundTask>,
) {
    form(ui, session, tasks);
    rate(ui, session, client);
    if let Some(building) = &session.building {
        if building.show(ui) {
            building.cancel();
            session.building = None;
        }
        return;
    }
    let pace = session.pace();
    session.pending.follow(pace, client);
    if let Some(order) = run_buttons(ui, pace, &session.pending) {
        session.order(order, client, tasks);
    }
    let run = session.views.training.get();
    run_text(ui, run.as_deref(), &session.pending);
    if let Some(run) = run {
        figures(ui, &run);
    }
    if let Some(curves) = session.views.curves.get().filter(|curves| curves.len() > 1) {
        plots(ui, &curves);
    }
}

fn form(ui: &mut Ui, session: &mut GlyphsUiSession, tasks: &mut Vec<BackgroundTask>) {
    let form = &mut session.train;
    ui.horizontal(|ui| {
        let label = ui.label("Corpus");
        if ui.button("Choose\u{2026}").clicked() {
            tasks.push(BackgroundTask::BrowseCorpus);
        }
        let edit = TextEdit::singleline(&mut form.corpus)
            .hint_text("Python's library")
            .desired_width(f32::INFINITY);
        let hint = "A corpus file; empty for one of the Python library found here, else of bundled functions";
        ui.add(edit).labelled_by(label.id).on_hover_text(hint);
    });
    ui.horizontal(|ui| {
        combo(ui, "Glyph preset", GLYPH_PRESETS[form.preset], |ui| {
            for (index, name) in GLYPH_PRESETS.iter().enumerate() {
                if ui
                    .selectable_value(&mut form.preset, index, *name)
                    .clicked()
                {
                    form.learning_rate = preset_rate(index);
                }
            }
        });
        let secs = DragValue::new(&mut form.secs).range(1.0..=1e6).suffix(" s");
        ui.add(secs);
        ui.add(DragValue::new(&mut form.seed).prefix("seed "));
    });
    let hint = "runs/glyphs-N, a new folder";
    field(ui, "into", &mut form.out, hint, f32::INFINITY);
}

/// The highest learning rate, which may be changed in the middle of a run.
fn rate(ui: &mut Ui, session: &mut GlyphsUiSession, client: &mut EngineClient) {
    ui.horizontal(|ui| {
        let label = ui.label("Learning rate");
        let rate = &mut session.train.learning_rate;
        let speed = *rate / 50.0;
        let drag = DragValue::new(rate)
            .range(1e-7..=1.0)
            .speed(speed)
            .custom_formatter(|rate, _| format!("{rate:.2e}"))
            .custom_parser(|text| text.trim().parse().ok());
        let is_changed = ui.add(drag).labelled_by(label.id).changed();
        if is_changed && session.pace().is_some() {
            session.change_rate(client);
        }
    });
}

fn figures(ui: &mut Ui, run: &TrainingView<GlyphsMetrics>) {
    let Some(last) = &run.last else { return };
    ui.label(format!("difficulty {:.2} of 15", last.difficulty));
    ui.label(format!(
        "validation: {:.1} % of tokens, {:.1} % exact",
        100.0 * last.validation_accuracy,
        100.0 * last.validation_exact
    ));
}

fn plots(ui: &mut Ui, curves: &[GlyphsMetrics]) {
    let losses: [Figure<GlyphsMetrics>; 7] = [
        ("token", |m| m.token),
        ("layout", |m| m.layout),
        ("pose", |m| m.pose),
        ("contrast", |m| m.contrast),
        ("smoothness", |m| m.smoothness),
        ("meaning", |m| m.meaning),
        ("distance", |m| m.distance),
    ];
    ui.add_space(4.0);
    ui.strong("Losses by term");
    curves_plot(ui, "glyph losses", curves, &losses, true);
    let shares: [Figure<GlyphsMetrics>; 3] = [
        ("tokens right", |m| m.validation_accuracy),
        ("exact", |m| m.validation_exact),
        ("difficulty / 15", |m| m.difficulty as f32 / 15.0),
    ];
    ui.strong("On functions never trained on");
    curves_plot(ui, "glyph shares", curves, &shares, false);
}
