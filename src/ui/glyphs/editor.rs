//! The editor: a function as one types it, in colours, with what can be done with it.

use std::sync::Arc;

use egui::{
    Button, FontId, Galley, RichText, ScrollArea, TextBuffer, TextEdit, TextFormat, TextStyle, Ui,
    text::{ByteIndex, LayoutJob, LayoutSection},
};

use super::{Errand, Side, session::Session};
use crate::{
    data::python::{self, Kind},
    ui::{desk::Desk, theme::Theme, widgets::field},
};

/// Share of the height that the editor has.
const HEIGHT: f32 = 0.62;

/// The editor's state: its text in colours, which are made anew only for another text.
#[derive(Default)]
pub struct Editor {
    coloured: Option<(Theme, LayoutJob)>,
}

impl Editor {
    /// Draws it, and what belongs to it below.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        session: &mut Session,
        desk: &mut Desk,
        side: &mut Side,
        errands: &mut Vec<Errand>,
    ) {
        let theme = Theme::of(ui.visuals());
        ui.add_space(4.0);
        let label = ui.strong("Function");
        let height = ui.available_height() * HEIGHT;
        let font = TextStyle::Monospace.resolve(ui.style());
        // Lines are not broken: where they begin has a meaning.
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _: f32| -> Arc<Galley> {
            let job = self.job(text.as_str(), &theme, &font);
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let scroll = ScrollArea::both().id_salt("function").max_height(height);
        let edited = scroll.show(ui, |ui| {
            let edit = TextEdit::multiline(&mut session.text)
                .code_editor()
                .desired_width(f32::INFINITY)
                .min_size(egui::vec2(0.0, height - 16.0))
                .layouter(&mut layouter);
            ui.add(edit).labelled_by(label.id).changed()
        });
        if edited.inner && session.read() {
            session.ask_again(desk);
        }
        said(ui, session, &theme);
        ui.add_space(4.0);
        actions(ui, session, desk, side);
        ui.separator();
        picture(ui, session, errands);
        ui.separator();
        model(ui, session, desk, errands);
    }

    fn job(&mut self, text: &str, theme: &Theme, font: &FontId) -> LayoutJob {
        match &self.coloured {
            Some((of, job)) if of == theme && job.text == text => job.clone(),
            _ => {
                let job = coloured(text, theme, font);
                self.coloured = Some((*theme, job.clone()));
                job
            }
        }
    }
}

/// A source in its colours.
pub fn coloured(text: &str, theme: &Theme, font: &FontId) -> LayoutJob {
    let mut job = LayoutJob {
        text: text.to_owned(),
        ..LayoutJob::default()
    };
    let mut section = |range: std::ops::Range<usize>, color| {
        if !range.is_empty() {
            job.sections.push(LayoutSection {
                leading_space: 0.0,
                byte_range: ByteIndex(range.start)..ByteIndex(range.end),
                format: TextFormat::simple(font.clone(), color),
            });
        }
    };
    let mut done = 0;
    for (range, kind) in python::highlight(text) {
        let color = match kind {
            Kind::Keyword => theme.keyword,
            Kind::Definition | Kind::Call => theme.name,
            Kind::Text => theme.text_literal,
            Kind::Number => theme.number,
            Kind::Comment => theme.weak_text,
        };
        section(done..range.start, theme.code);
        done = range.end;
        section(range, color);
    }
    section(done..text.len(), theme.code);
    job
}

/// What is to be said about the function; always there, so that nothing moves while one types.
fn said(ui: &mut Ui, session: &Session, theme: &Theme) {
    let (color, text) = match (&session.picture, session.refusal(), &session.written) {
        (_, Some(why), _) => (theme.error, why),
        (Some((name, _)), None, _) => (
            theme.code,
            format!("{name} is looked at; type to go on here"),
        ),
        (None, None, Err(why)) => (theme.warning, why.clone()),
        (None, None, Ok(written)) if written.others > 0 => {
            let text = format!(
                "{}, the first of {} functions",
                written.name,
                written.others + 1
            );
            (theme.warning, text)
        }
        (None, None, Ok(written)) => {
            let tokens = session
                .answer()
                .and_then(|answer| Some(answer.tokens.as_ref()?.len()));
            let tokens = tokens.map_or_else(String::new, |count| format!(": {count} tokens"));
            (theme.weak_text, format!("{}{tokens}", written.name))
        }
    };
    ui.colored_label(color, text);
}

fn actions(ui: &mut Ui, session: &mut Session, desk: &mut Desk, side: &mut Side) {
    ui.horizontal_wrapped(|ui| {
        let near = ui.add_enabled(session.written.is_ok(), Button::new("Nearest glyphs"));
        if near.clicked() {
            session.look_near(desk);
            *side = Side::Nearest;
        }
        let tile = session.tile();
        let add = ui.add_enabled(tile.is_some(), Button::new("+ path"));
        if add
            .on_hover_text("Lay this function into the path of the morph")
            .clicked()
            && let Some(tile) = tile
        {
            session.lay(tile);
            *side = Side::Morph;
        }
        if ui.button("Copy source").clicked() {
            ui.ctx().copy_text(session.text.clone());
        }
        if ui.button("Clear").clicked() {
            session.write(String::new());
        }
    });
}

fn picture(ui: &mut Ui, session: &mut Session, errands: &mut Vec<Errand>) {
    let label = RichText::new("Picture").strong();
    let hint = "a PNG or JPEG, or drop one here";
    field(ui, label, &mut session.picture_path, hint, f32::INFINITY);
    ui.horizontal_wrapped(|ui| {
        let path = session.picture_path.trim();
        if ui
            .add_enabled(!path.is_empty(), Button::new("Read picture"))
            .clicked()
        {
            errands.push(Errand::Read(path.into()));
        }
        if ui.button("Open picture\u{2026}").clicked() {
            errands.push(Errand::OpenPicture);
        }
    });
}

fn model(ui: &mut Ui, session: &mut Session, desk: &mut Desk, errands: &mut Vec<Errand>) {
    let label = RichText::new("Model").strong();
    let hint = "a run's folder; empty: bundled";
    field(ui, label, &mut session.open_path, hint, f32::INFINITY);
    ui.horizontal(|ui| {
        if ui.button("Open").clicked() {
            let path = session.open_path.clone();
            session.open(&path, desk);
        }
        if ui.button("Browse").clicked() {
            errands.push(Errand::BrowseRun);
        }
    });
}
