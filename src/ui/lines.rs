//! What a program of several lines does to every state: where it goes wrong, line by line.

use egui::{Color32, Rect, Sense, Ui, Vec2, pos2, vec2};

use super::theme::{Theme, color_from_rgb};
use crate::{
    executor::{
        board::ProgramRun,
        export::{code_text, number_text},
        lines::Trace,
    },
    palette,
};

/// Size of a cell: one state after one line.
const CELL: Vec2 = vec2(30.0, 4.0);
/// Room for the states' numbers beside the cells.
const MARGIN: f32 = 26.0;
/// States between two numbers.
const NUMBERED: i32 = 10;

/// The map of a program's errors, beside it the same with requantised states.
pub fn error_by_line(ui: &mut Ui, run: &ProgramRun) {
    let program: Vec<String> = run.program.iter().map(|line| code_text(*line)).collect();
    ui.label(format!("Program {}", program.join(", then ")));
    ui.horizontal_top(|ui| {
        for (name, traces) in [
            ("Point passed on", &run.latent),
            ("Decoded, encoded", &run.requantised),
        ] {
            ui.vertical(|ui| {
                ui.strong(name);
                ui.weak(shares(traces));
                map(ui, traces);
            });
        }
    });
    ui.weak("One row a state, one column a line; grey: the result is no state");
}

/// The shares of states that are right after each line.
fn shares(traces: &[Trace]) -> String {
    let lines = traces.first().map_or(0, |trace| trace.truth.len());
    let share = |line: usize| {
        let counted = traces.iter().filter(|trace| trace.loss[line].is_some());
        let (right, all) = counted.fold((0, 0), |(right, all), trace| {
            (right + u32::from(is_right(trace, line)), all + 1)
        });
        match all {
            0 => "none".to_owned(),
            _ => format!("{:.0} %", 100.0 * f64::from(right) / f64::from(all)),
        }
    };
    let shares: Vec<String> = (0..lines).map(share).collect();
    format!("right: {}", shares.join(", "))
}

fn is_right(trace: &Trace, line: usize) -> bool {
    trace.states[line] == Some(trace.truth[line])
}

fn map(ui: &mut Ui, traces: &[Trace]) {
    let theme = Theme::of(ui.visuals());
    let lines = traces.first().map_or(0, |trace| trace.truth.len());
    let size = vec2(
        MARGIN + CELL.x * lines as f32,
        CELL.y * traces.len() as f32 + 8.0,
    );
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let origin = rect.min + vec2(MARGIN, 4.0);
    let cell = |row: usize, line: usize| {
        let min = origin + vec2(CELL.x * line as f32, CELL.y * row as f32);
        Rect::from_min_size(min, CELL)
    };
    let painter = ui.painter();
    for (row, trace) in traces.iter().enumerate() {
        for line in 0..lines {
            let cell = cell(row, line).shrink2(vec2(1.0, 0.0));
            painter.rect_filled(cell, 0.0, color(trace, line, &theme));
        }
        if trace.start % NUMBERED == 0 {
            painter.text(
                pos2(origin.x - 4.0, cell(row, 0).center().y),
                egui::Align2::RIGHT_CENTER,
                trace.start,
                egui::FontId::proportional(10.0),
                theme.weak_text,
            );
        }
    }
    let Some(at) = response.hover_pos() else {
        return;
    };
    let from_origin = at - origin;
    let (line, row) = (from_origin.x / CELL.x, from_origin.y / CELL.y);
    if line >= 0.0
        && row >= 0.0
        && (line as usize) < lines
        && let Some(trace) = traces.get(row as usize)
    {
        response.on_hover_text(text(trace, line as usize));
    }
}

fn color(trace: &Trace, line: usize, theme: &Theme) -> Color32 {
    match trace.loss[line] {
        None => theme.weak_text.gamma_multiply(0.3),
        Some(_) if is_right(trace, line) => color_from_rgb(palette::RIGHT),
        Some(_) => color_from_rgb(palette::WRONG),
    }
}

fn text(trace: &Trace, line: usize) -> String {
    let read = trace.states[line].map_or_else(|| "no number".into(), number_text);
    let loss = trace.loss[line].map_or_else(
        || "no state".to_owned(),
        |loss| format!("loss {loss:.3} nats"),
    );
    format!(
        "from {}, after line {}: {read}, really {} ({loss})",
        trace.start,
        line + 1,
        number_text(trace.truth[line])
    )
}
