//! Training: settings, buttons, progress and curves of a run.

use egui::{DragValue, TextEdit, Ui};

use super::{
    background_tasks::BackgroundTask,
    workspace::{GlyphsWorkspace, preset_rate},
};
use crate::{
    glyphs::config::GLYPH_PRESETS,
    training::{MetricsTable, TrainingView},
    ui::{
        engine_client::EngineClient,
        run_panel::{Figure, curves_plot, run_controls, run_progress},
    },
};

/// Draws the panel.
pub fn show(
    ui: &mut Ui,
    workspace: &mut GlyphsWorkspace,
    client: &mut EngineClient,
    tasks: &mut Vec<BackgroundTask>,
) {
    form(ui, workspace, tasks);
    rate(ui, workspace, client);
    if let Some(build) = &workspace.corpus_build {
        if build.show(ui) {
            build.cancel();
            workspace.corpus_build = None;
        }
        return;
    }
    let run = workspace.views.run.training.get();
    if let Some(order) = run_controls(ui, run.as_deref(), &mut workspace.pending, client) {
        workspace.order(order, client, tasks);
    }
    run_progress(ui, run.as_deref(), &workspace.pending);
    if let Some(run) = run {
        figures(ui, &run);
    }
    let curves = workspace.views.run.curves.get();
    if let Some(curves) = curves.filter(|curves| curves.len() > 1) {
        plots(ui, &curves);
    }
}

fn form(ui: &mut Ui, workspace: &mut GlyphsWorkspace, tasks: &mut Vec<BackgroundTask>) {
    ui.horizontal(|ui| {
        let label = ui.label("Corpus");
        if ui.button("Choose\u{2026}").clicked() {
            tasks.push(BackgroundTask::BrowseCorpus);
        }
        let edit = TextEdit::singleline(&mut workspace.train_corpus)
            .hint_text("Python's library")
            .desired_width(f32::INFINITY);
        let hint = "A corpus file; empty for one of the Python library found here, else of bundled functions";
        ui.add(edit).labelled_by(label.id).on_hover_text(hint);
    });
    ui.horizontal(|ui| {
        let form = &mut workspace.train;
        if form.show(ui, "Glyph preset", &GLYPH_PRESETS, 1.0..=1e6) {
            workspace.learning_rate = preset_rate(form.preset);
        }
    });
    let hint = "runs/glyphs-N, a new folder";
    workspace.train.show_folder(ui, hint);
}

/// Draws the highest learning rate, which may be changed in the middle of a run.
fn rate(ui: &mut Ui, workspace: &mut GlyphsWorkspace, client: &mut EngineClient) {
    ui.horizontal(|ui| {
        let label = ui.label("Learning rate");
        let rate = &mut workspace.learning_rate;
        let speed = *rate / 50.0;
        let drag = DragValue::new(rate)
            .range(1e-7..=1.0)
            .speed(speed)
            .custom_formatter(|rate, _| format!("{rate:.2e}"))
            .custom_parser(|text| text.trim().parse().ok());
        let is_changed = ui.add(drag).labelled_by(label.id).changed();
        if is_changed && workspace.pace().is_some() {
            workspace.change_rate(client);
        }
    });
}

fn figures(ui: &mut Ui, run: &TrainingView) {
    let Some(last) = &run.last else { return };
    let value = |column| last.get(column).unwrap_or_default();
    ui.label(format!("difficulty {:.2} of 15", value("difficulty")));
    ui.label(format!(
        "validation: {:.1} % of tokens, {:.1} % exact",
        100.0 * value("validation_accuracy"),
        100.0 * value("validation_exact")
    ));
}

fn plots(ui: &mut Ui, metrics: &MetricsTable) {
    let losses: [Figure; 7] = [
        ("token", &["token"], 1.0),
        ("layout", &["layout"], 1.0),
        ("pose", &["pose"], 1.0),
        ("contrast", &["contrast"], 1.0),
        ("smoothness", &["smoothness"], 1.0),
        ("meaning", &["meaning"], 1.0),
        ("distance", &["distance"], 1.0),
    ];
    ui.add_space(4.0);
    ui.strong("Losses by term");
    curves_plot(ui, "glyph losses", metrics, &losses, true);
    let shares: [Figure; 3] = [
        ("tokens right", &["validation_accuracy"], 1.0),
        ("exact", &["validation_exact"], 1.0),
        ("difficulty / 15", &["difficulty"], 1.0 / 15.0),
    ];
    ui.strong("On functions never trained on");
    curves_plot(ui, "glyph shares", metrics, &shares, false);
}
