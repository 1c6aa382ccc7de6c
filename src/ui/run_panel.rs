//! Training panel of both systems: the settings of the next run, its buttons, its progress and its curves.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use egui::{Button, DragValue, ProgressBar, Response, Ui};
use egui_plot::{Legend, Line, Plot, PlotPoints};

use super::{
    engine_client::EngineClient,
    pending::{Pending, RunRequest},
    widgets::{combo, field},
};
use crate::{
    training::run_folder::RunFolder,
    training::{Limit, MetricsTable, Pace, RunCommand, Start, TrainingView, metrics::STEP},
};

/// Maximum number of points of a curve: more can't be told apart.
const CURVE_POINTS: usize = 400;

/// Settings of the next run that every system has.
#[derive(Clone, Debug)]
pub struct RunForm {
    /// Index in the system's list of presets.
    pub preset: usize,
    /// Seconds of training.
    pub secs: f64,
    /// Seed of the run.
    pub seed: u64,
    /// The run's folder; empty for a new one in `runs`.
    pub out: String,
}

impl RunForm {
    /// Run of the first preset with seed 0.
    pub fn new(secs: f64) -> Self {
        Self {
            preset: 0,
            secs,
            seed: 0,
            out: String::new(),
        }
    }

    /// Folder of the next run: the typed one, else the first free one of `runs/name-1`, `runs/name-2`, ..
    pub fn folder(&self, name: &str) -> PathBuf {
        match self.out.trim() {
            "" => RunFolder::unused(&Path::new("runs").join(name)),
            path => path.into(),
        }
    }

    /// Command that begins a run with these settings; `name` is that of its folder, unless one is typed.
    pub fn command<C, D, E>(&self, config: C, data: D, name: &str) -> RunCommand<C, D, E> {
        RunCommand::Train {
            start: Start::Fresh(Box::new(config)),
            data,
            out: self.folder(name),
            limit: Limit::Seconds(self.secs),
        }
    }

    /// Draws preset, length and seed; returns true if a preset was clicked. `name` is the accessible one of the presets.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        name: &str,
        presets: &[&str],
        secs: RangeInclusive<f64>,
    ) -> bool {
        let mut is_clicked = false;
        combo(ui, name, presets[self.preset], |ui| {
            for (index, name) in presets.iter().enumerate() {
                let choice = ui.selectable_value(&mut self.preset, index, *name);
                is_clicked |= choice.clicked();
            }
        });
        ui.add(DragValue::new(&mut self.secs).range(secs).suffix(" s"));
        ui.add(DragValue::new(&mut self.seed).prefix("seed "));
        is_clicked
    }

    /// Draws the field for the folder.
    pub fn show_folder(&mut self, ui: &mut Ui, hint: &str) -> Response {
        field(ui, "into", &mut self.out, hint, f32::INFINITY)
    }
}

/// Draws the buttons of a run: train, pause or resume, step, stop; returns the order that was clicked.
pub fn run_controls(
    ui: &mut Ui,
    run: Option<&TrainingView>,
    pending: &mut Pending,
    client: &EngineClient,
) -> Option<RunRequest> {
    let pace = run.and_then(|run| run.pace);
    pending.follow(pace, client);
    let mut order = None;
    let pending = pending.order();
    let is_stopping = pending == Some(RunRequest::Stop);
    ui.horizontal(|ui| {
        if ui
            .add_enabled(pace.is_none() && pending.is_none(), Button::new("Train"))
            .clicked()
        {
            order = Some(RunRequest::Train);
        }
        ui.add_enabled_ui(pace.is_some() && !is_stopping, |ui| {
            let (name, next) = if pace == Some(Pace::Paused) {
                ("Resume", Pace::Running)
            } else {
                ("Pause", Pace::Paused)
            };
            if ui.button(name).clicked() {
                order = Some(RunRequest::Pace(next));
            }
            let step = ui.button("Step").on_hover_text("One training step");
            if step.clicked() {
                order = Some(RunRequest::Pace(Pace::OneStep));
            }
        });
        let can_stop = (pace.is_some() || pending == Some(RunRequest::Train)) && !is_stopping;
        let stop = ui.add_enabled(can_stop, Button::new("Stop"));
        if stop.on_hover_text("Save and end the run").clicked() {
            order = Some(RunRequest::Stop);
        }
    });
    order
}

/// Draws the progress of a run: the pending order or the time left, and the last step.
pub fn run_progress(ui: &mut Ui, run: Option<&TrainingView>, pending: &Pending) {
    // A run that is being prepared has nothing to show yet; the one before has ended.
    let run = run.filter(|_| pending.order() != Some(RunRequest::Train));
    let state = match (pending.text(), run.map(|run| run.pace)) {
        (Some(text), _) => text,
        (None, None) => return,
        (None, Some(None)) => "ended".into(),
        (None, Some(Some(Pace::Paused))) => "paused".into(),
        (None, Some(Some(Pace::Running | Pace::OneStep))) => {
            let eta = run.and_then(|run| run.eta_secs);
            let eta = eta.map_or_else(String::new, |secs| format!(", {secs:.0} s left"));
            format!("running{eta}")
        }
    };
    let done = run.map_or(0.0, |run| run.done as f32);
    ui.add(ProgressBar::new(done).text(state));
    let Some(run) = run else { return };
    if let Some(last) = &run.last {
        ui.label(format!(
            "step {}, {:.1} steps/s",
            last.step(),
            run.steps_per_sec
        ));
        ui.label(format!(
            "loss {:.4}, learning rate {:.2e}",
            last.loss(),
            last.learning_rate()
        ));
    } else if run.pace.is_some() {
        ui.label("the first step is under way");
    }
}

/// Curve: its name, and the columns of the metrics whose sum times the factor it shows.
pub type Figure = (&'static str, &'static [&'static str], f64);

/// Draws curves of figures over the steps of a run; on a logarithmic scale if `is_log`, else from 0 to 1.
pub fn curves_plot(
    ui: &mut Ui,
    id: &str,
    metrics: &MetricsTable,
    figures: &[Figure],
    is_log: bool,
) {
    let every = metrics.len().div_ceil(CURVE_POINTS).max(1);
    let steps: Vec<f64> = metrics.column(STEP).step_by(every).collect();
    let line = |(name, columns, factor): &Figure| {
        let mut heights = vec![0.0; metrics.len()];
        for column in *columns {
            for (height, value) in heights.iter_mut().zip(metrics.column(column)) {
                *height += value * factor;
            }
        }
        let chunks = steps.iter().zip(heights.chunks(every));
        let points = chunks.map(|(step, chunk)| {
            let mean = chunk.iter().sum::<f64>() / chunk.len() as f64;
            let height = if is_log { mean.max(1e-6).log10() } else { mean };
            [*step, height]
        });
        Line::new(*name, points.collect::<PlotPoints<'_>>())
    };
    let plot = Plot::new(id)
        .height(170.0)
        .legend(Legend::default())
        .allow_scroll(false);
    let plot = if is_log {
        plot.y_axis_formatter(|mark, _| format!("{:.0e}", 10_f64.powf(mark.value)))
    } else {
        plot.include_y(0.0).include_y(1.0)
    };
    plot.show(ui, |plot| {
        figures.iter().for_each(|figure| plot.line(line(figure)))
    });
}
