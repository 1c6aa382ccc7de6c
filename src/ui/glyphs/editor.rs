//! The editor: a function with syntax highlighting, and the actions on it.

use std::sync::Arc;

use egui::{
    Align, Button, Event, FontId, Galley, Id, Label, Layout, RichText, ScrollArea, TextBuffer,
    TextEdit, TextFormat, TextStyle, Ui, ViewportCommand,
    text::{ByteIndex, CCursor, LayoutJob, LayoutSection},
    text_edit::TextEditState,
    text_selection::CCursorRange,
};

use super::{
    background_tasks::BackgroundTask, editor_text::FunctionChoice, side_panel::SidePanel,
    workspace::GlyphsWorkspace,
};
use crate::{
    data::python::{self, TokenClass},
    ui::{
        engine_client::EngineClient,
        theme::Theme,
        widgets::{OpenRequest, combo, field, is_entered, open_buttons},
    },
};

/// Least height of the editor.
const LEAST_HEIGHT: f32 = 120.0;
/// Height of the part below the editor, before it was measured.
const BELOW: f32 = 210.0;

/// The text field's name in egui's memory.
const EDITOR: &str = "function editor";

/// State of the editor.
#[derive(Default)]
pub struct Editor {
    /// Highlighted text, made anew only for another text.
    coloured: Option<(Theme, LayoutJob)>,
    /// Height of the part below it in the last frame.
    below: Option<f32>,
}

impl Editor {
    /// Draws the editor, and below it the actions, the file and the model.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut GlyphsWorkspace,
        client: &mut EngineClient,
        side: &mut SidePanel,
        tasks: &mut Vec<BackgroundTask>,
    ) {
        let theme = Theme::of(ui.visuals());
        ui.add_space(4.0);
        let label = ui.horizontal(|ui| {
            // High enough for the choice: nothing moves while one types.
            ui.set_min_height(ui.spacing().interact_size.y);
            let label = ui.strong("Function");
            choice(ui, workspace, client);
            label
        });
        let label = label.inner;
        let height = ui.available_height() - self.below.unwrap_or(BELOW);
        let height = height.max(LEAST_HEIGHT);
        let font = TextStyle::Monospace.resolve(ui.style());
        // Lines are not broken: where they begin has a meaning.
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _: f32| -> Arc<Galley> {
            let job = self.job(text.as_str(), &theme, &font);
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        // Pasted with no field chosen: it is a function to look at. Undo brings the text of before back.
        let is_paste = |event: &Event| matches!(event, Event::Paste(_));
        if ui.input(|input| input.events.iter().any(is_paste))
            && ui.memory(|memory| memory.focused().is_none())
        {
            select_all(ui, &workspace.text);
        }
        let scroll = ScrollArea::both().id_salt("function").max_height(height);
        let edited = scroll.show(ui, |ui| {
            let edit = TextEdit::multiline(&mut workspace.text)
                .id(Id::unique(EDITOR))
                .code_editor()
                .desired_width(f32::INFINITY)
                .min_size(egui::vec2(0.0, height - 16.0))
                .layouter(&mut layouter);
            ui.add(edit).labelled_by(label.id).changed()
        });
        if edited.inner && workspace.read() {
            workspace.ask_again(client);
        }
        let top = ui.cursor().top();
        status(ui, workspace, &theme);
        ui.add_space(4.0);
        actions(ui, workspace, client, side);
        ui.separator();
        file(ui, workspace, tasks);
        ui.separator();
        model(ui, workspace, client, tasks);
        self.below = Some(ui.cursor().top() - top);
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

/// Gives the editor the keyboard and selects its text: what is pasted next takes its place.
fn select_all(ui: &Ui, text: &str) {
    let id = Id::unique(EDITOR);
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let all = CCursorRange::two(CCursor::default(), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(all));
    state.store(ui.ctx(), id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

/// Source with syntax highlighting.
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
            TokenClass::Keyword => theme.keyword,
            TokenClass::Definition | TokenClass::Call => theme.name,
            TokenClass::Text => theme.text_literal,
            TokenClass::Number => theme.number,
            TokenClass::Comment => theme.weak_text,
        };
        section(done..range.start, theme.code);
        done = range.end;
        section(range, color);
    }
    section(done..text.len(), theme.code);
    job
}

/// Draws the status of the function; always there, so that nothing moves while one types.
fn status(ui: &mut Ui, workspace: &GlyphsWorkspace, theme: &Theme) {
    let (color, text) = match (&workspace.picture, workspace.refusal(), &workspace.function) {
        (_, Some(why), _) => (theme.error, why),
        (Some((name, _)), None, _) => (
            theme.code,
            format!("{name} is looked at; type to go on here"),
        ),
        (None, None, Err(why)) => (theme.warning, why.clone()),
        (None, None, Ok(written)) => {
            let tokens = workspace
                .answer()
                .and_then(|answer| Some(answer.tokens.as_ref()?.len()));
            let tokens = tokens.map_or_else(String::new, |count| format!(": {count} tokens"));
            (theme.weak_text, format!("{}{tokens}", written.name))
        }
    };
    ui.colored_label(color, text);
    let left_out = workspace.picture.is_none().then(|| workspace.left_out());
    let left_out = RichText::new(left_out.unwrap_or_default()).color(theme.weak_text);
    ui.add(Label::new(left_out).truncate());
}

/// Draws the choice of the function to paint, where there are several.
fn choice(ui: &mut Ui, workspace: &mut GlyphsWorkspace, client: &EngineClient) {
    let Some((choices, chosen)) = workspace.choices() else {
        return;
    };
    let mut number = chosen;
    let text = choices.get(chosen).map(FunctionChoice::text);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.weak(format!("of {}", choices.len()));
        combo(ui, "Function to paint", &text.unwrap_or_default(), |ui| {
            for (index, choice) in choices.iter().enumerate() {
                ui.selectable_value(&mut number, index, choice.text());
            }
        });
    });
    if number != chosen {
        workspace.choose(number, client);
    }
}

fn actions(
    ui: &mut Ui,
    workspace: &mut GlyphsWorkspace,
    client: &mut EngineClient,
    side: &mut SidePanel,
) {
    ui.horizontal_wrapped(|ui| {
        let near = ui.add_enabled(workspace.function.is_ok(), Button::new("Nearest glyphs"));
        if near.clicked() {
            workspace.find_nearest(client);
            *side = SidePanel::Nearest;
        }
        let tile = workspace.tile();
        let add = ui.add_enabled(tile.is_some(), Button::new("+ path"));
        if add
            .on_hover_text("Lay this function into the path of the morph")
            .clicked()
            && let Some(tile) = tile
        {
            workspace.append_to_path(tile);
            *side = SidePanel::Morph;
        }
        if ui.button("Copy source").clicked() {
            ui.ctx().copy_text(workspace.text.clone());
        }
        if ui
            .button("Paste")
            .on_hover_text("Put the clipboard's text in place of this one")
            .clicked()
        {
            select_all(ui, &workspace.text);
            ui.send_viewport_cmd(ViewportCommand::RequestPaste);
        }
        if ui.button("Clear").clicked() {
            workspace.write(String::new());
        }
    });
}

fn file(ui: &mut Ui, workspace: &mut GlyphsWorkspace, tasks: &mut Vec<BackgroundTask>) {
    let label = RichText::new("File").strong();
    let hint = "a picture or .py, or drop one here";
    let field = field(ui, label, &mut workspace.file_path, hint, f32::INFINITY);
    ui.horizontal_wrapped(|ui| {
        let path = workspace.file_path.trim();
        let read = ui.add_enabled(!path.is_empty(), Button::new("Read file"));
        if read.clicked() || is_entered(ui, &field) && !path.is_empty() {
            tasks.push(BackgroundTask::Read(path.into()));
        }
        if ui.button("Open file\u{2026}").clicked() {
            tasks.push(BackgroundTask::OpenFile);
        }
    });
}

fn model(
    ui: &mut Ui,
    workspace: &mut GlyphsWorkspace,
    client: &mut EngineClient,
    tasks: &mut Vec<BackgroundTask>,
) {
    let label = RichText::new("Model").strong();
    let hint = "a run's folder; empty: bundled";
    let field = field(ui, label, &mut workspace.open_path, hint, f32::INFINITY);
    ui.horizontal(|ui| match open_buttons(ui, &field) {
        Some(OpenRequest::Typed) => workspace.open(&workspace.open_path.clone(), client),
        Some(OpenRequest::Browse) => tasks.push(BackgroundTask::BrowseRun),
        None => {}
    });
}
