//! Widgets both systems use.

use egui::{
    Button, ComboBox, Key, ProgressBar, Response, Role, TextEdit, Ui, WidgetInfo, WidgetText,
};
use egui_plot::{Legend, Line, Plot, PlotPoints};

use super::pending::Pending;
use crate::training::{MetricsRow, Pace, TrainingView};

/// Points a curve is drawn with at most: more can't be told apart.
const CURVE_POINTS: usize = 400;

/// A combo box that screen readers and tests find by name.
pub fn combo(ui: &mut Ui, name: &str, selected: &str, show: impl FnOnce(&mut Ui)) {
    let shown = ComboBox::from_id_salt(name)
        .selected_text(selected)
        .show_ui(ui, show);
    shown
        .response
        .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
}

/// What the buttons of a run ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaceOrder {
    /// Begin one.
    Train,
    /// Change its pace.
    Pace(Pace),
    /// End it.
    Stop,
}

/// Train, pause or resume, step, stop; `pace` is that of the run under way, if there is one, and `pending` what it was
/// ordered to do but hasn't done yet.
pub fn run_buttons(ui: &mut Ui, pace: Option<Pace>, pending: &Pending) -> Option<PaceOrder> {
    let mut order = None;
    let pending = pending.order();
    let is_stopping = pending == Some(PaceOrder::Stop);
    ui.horizontal(|ui| {
        if ui
            .add_enabled(pace.is_none() && pending.is_none(), Button::new("Train"))
            .clicked()
        {
            order = Some(PaceOrder::Train);
        }
        ui.add_enabled_ui(pace.is_some() && !is_stopping, |ui| {
            let (name, next) = if pace == Some(Pace::Paused) {
                ("Resume", Pace::Running)
            } else {
                ("Pause", Pace::Paused)
            };
            if ui.button(name).clicked() {
                order = Some(PaceOrder::Pace(next));
            }
            let step = ui.button("Step").on_hover_text("One training step");
            if step.clicked() {
                order = Some(PaceOrder::Pace(Pace::OneStep));
            }
        });
        let can_stop = (pace.is_some() || pending == Some(PaceOrder::Train)) && !is_stopping;
        let stop = ui.add_enabled(can_stop, Button::new("Stop"));
        if stop.on_hover_text("Save and end the run").clicked() {
            order = Some(PaceOrder::Stop);
        }
    });
    order
}

/// A line to type in, labelled; `hint` stands in it while it is empty.
pub fn field(
    ui: &mut Ui,
    label: impl Into<WidgetText>,
    text: &mut String,
    hint: &str,
    width: f32,
) -> Response {
    let shown = ui.horizontal(|ui| {
        let label = ui.label(label);
        let edit = TextEdit::singleline(text).hint_text(hint);
        ui.add(edit.desired_width(width)).labelled_by(label.id)
    });
    shown.inner
}

/// True if Enter was pressed in a line to type in: that stands for the button beside it.
pub fn is_entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// Progress of a run, the time it will take, its last step, and what it was ordered to do.
pub fn run_text<M: MetricsRow>(ui: &mut Ui, run: Option<&TrainingView<M>>, pending: &Pending) {
    // A run that is being prepared has nothing to show yet; the one before has ended.
    let run = run.filter(|_| pending.order() != Some(PaceOrder::Train));
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

/// A figure of a step, with its name.
pub type Figure<M> = (&'static str, fn(&M) -> f32);

/// Figures over the steps of a run, each with its name; on a logarithmic scale if `is_log`, else 0 to 1.
pub fn curves_plot<M: MetricsRow>(
    ui: &mut Ui,
    id: &str,
    curves: &[M],
    figures: &[Figure<M>],
    is_log: bool,
) {
    let every = curves.len().div_ceil(CURVE_POINTS);
    let line = |(name, figure): &Figure<M>| {
        let points: PlotPoints<'_> = curves
            .chunks(every.max(1))
            .map(|chunk| {
                let sum: f64 = chunk.iter().map(|m| f64::from(figure(m))).sum();
                let mean = sum / chunk.len() as f64;
                let height = if is_log { mean.max(1e-6).log10() } else { mean };
                [chunk[0].step() as f64, height]
            })
            .collect();
        Line::new(*name, points)
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
