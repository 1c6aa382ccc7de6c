//! Errors of a program of several lines, by state and line.

use egui::{Color32, Label, Rect, RichText, Sense, Ui, Vec2, pos2, vec2};

use crate::{
    executor::{
        export::{code_text, number_text},
        programs::Trace,
        views::ProgramRun,
    },
    palette,
    ui::theme::{Theme, color_from_rgb},
};

/// Name of the view.
pub const ERROR_BY_LINE: &str = "Error by line";

/// Widest cell: one state after one line.
const WIDEST_CELL: f32 = 44.0;
/// Highest cell.
const HIGHEST_CELL: f32 = 8.0;
/// Room for the states' numbers beside the cells.
const MARGIN: f32 = 36.0;
/// Room between two numbers, at least.
const NUMBER_HEIGHT: f32 = 14.0;

/// Draws the map of a program's errors, and beside it that with requantised states, as large as there is room.
pub fn error_by_line(ui: &mut Ui, run: &ProgramRun) {
    let program: Vec<String> = run.program.iter().map(|line| code_text(*line)).collect();
    ui.label(format!("Program {}", program.join(", then ")));
    ui.weak("One row a state, one column a line; grey: the result is no state");
    let width = (ui.available_width() - ui.spacing().item_spacing.x) / 2.0;
    ui.horizontal_top(|ui| {
        for (name, traces) in [
            ("Point passed on", &run.latent),
            ("Decoded, encoded", &run.requantised),
        ] {
            ui.vertical(|ui| {
                ui.set_width(width);
                ui.add(Label::new(RichText::new(name).strong()).truncate());
                ui.weak(shares(traces));
                map(ui, traces);
            });
        }
    });
}

/// Shares of states that are right after each line.
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
    let room = ui.available_size() - vec2(MARGIN, NUMBER_HEIGHT);
    let cell_size = vec2(
        (room.x / lines.max(1) as f32).clamp(2.0, WIDEST_CELL),
        (room.y / traces.len().max(1) as f32).clamp(1.0, HIGHEST_CELL),
    );
    let cells = cell_size * vec2(lines as f32, traces.len() as f32);
    let size = vec2(MARGIN, NUMBER_HEIGHT) + cells;
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let origin = rect.min + vec2(MARGIN, NUMBER_HEIGHT / 2.0);
    let cell = |row: usize, line: usize| {
        let min = origin + cell_size * vec2(line as f32, row as f32);
        Rect::from_min_size(min, cell_size)
    };
    let painter = ui.painter();
    let mut numbered = f32::NEG_INFINITY;
    for (row, trace) in traces.iter().enumerate() {
        for line in 0..lines {
            let cell = cell(row, line).shrink2(vec2(1.0, 0.0));
            painter.rect_filled(cell, 0.0, color(trace, line, &theme));
        }
        let at = cell(row, 0).center().y;
        if trace.start % 10 == 0 && at - numbered >= NUMBER_HEIGHT {
            numbered = at;
            painter.text(
                pos2(origin.x - 4.0, at),
                egui::Align2::RIGHT_CENTER,
                number_text(trace.start),
                egui::FontId::proportional(10.0),
                theme.weak_text,
            );
        }
    }
    let Some(at) = response.hover_pos() else {
        return;
    };
    let Vec2 { x: line, y: row } = (at - origin) / cell_size;
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
