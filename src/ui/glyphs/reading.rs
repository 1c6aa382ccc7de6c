//! The function read from the picture: each token tinted by the reader's confidence, those that differ from the painted
//! function underlined.

use std::ops::Range;

use egui::{FontId, Label, ScrollArea, Sense, Stroke, TextFormat, TextStyle, Ui, text::LayoutJob};

use super::workspace::GlyphsWorkspace;
use crate::{
    glyphs::views::GlyphView,
    ui::{engine_client::EngineClient, theme::Theme},
};

/// Draws the reading, and its comparison with the painted function.
pub fn show(ui: &mut Ui, workspace: &mut GlyphsWorkspace, client: &EngineClient) {
    let theme = Theme::of(ui.visuals());
    let has_subject = workspace.picture.is_some() || workspace.function.is_ok();
    let view = workspace.views.glyph.get();
    let Some(view) = view.filter(|_| has_subject && workspace.refusal().is_none()) else {
        ui.strong("Read from the glyph");
        ui.weak("Nothing yet");
        return;
    };
    let decoded = &view.reading.decoded;
    ui.horizontal_wrapped(|ui| {
        ui.strong("Read from the glyph");
        if let Some(tokens) = &view.tokens {
            let (differing, all) = differing(tokens, &decoded.tokens);
            match differing {
                0 => ui.colored_label(theme.good, "exact"),
                _ => ui.colored_label(theme.warning, format!("{differing} of {all} tokens differ")),
            };
        }
        match decoded.verified {
            Some(true) => ui
                .colored_label(theme.good, "verified")
                .on_hover_text("The check in the glyph holds: this is what was painted"),
            Some(false) => ui
                .colored_label(theme.error, "unverified")
                .on_hover_text("The check in the glyph doesn't hold: doubted tokens are red"),
            None => ui.weak("no check"),
        };
        ui.label(format!(
            "certainty {:.0} %",
            100.0 * decoded.sequence_probability()
        ))
        .on_hover_text("The probability that all of what is read is right");
        if view.count > 1 {
            ui.label(format!("the first of {} glyphs", view.count));
        }
        if !decoded.is_glyph() {
            ui.colored_label(theme.warning, "so little that this may be no glyph");
        }
    });
    ui.horizontal_wrapped(|ui| {
        if ui.button("Copy function").clicked() {
            ui.ctx().copy_text(view.reading.text.clone());
        }
        let take = ui.button("Use this function");
        if take
            .on_hover_text("Put the text read into the editor")
            .clicked()
        {
            workspace.open_function(&view.reading.text, client);
        }
        legend(ui, &theme);
    });
    ScrollArea::both()
        .id_salt("reading")
        .auto_shrink(false)
        .show(ui, |ui| text(ui, &view, &theme));
}

/// Number of positions at which tokens differ, and of all positions.
fn differing(truth: &[u32], read: &[u32]) -> (usize, usize) {
    let places = truth.len().max(read.len());
    let right = truth.iter().zip(read).filter(|(a, b)| a == b).count();
    (places - right, places)
}

fn text(ui: &mut Ui, view: &GlyphView, theme: &Theme) {
    let font = TextStyle::Monospace.resolve(ui.style());
    let (job, pieces) = job(view, theme, &font);
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let response = ui.add(Label::new(galley.clone()).sense(Sense::hover()));
    let Some(pointer) = response.hover_pos() else {
        return;
    };
    let at: usize = galley
        .cursor_from_pos(pointer - response.rect.min)
        .index
        .into();
    let confidence = &view.reading.decoded.confidence;
    let Some(token) = pieces.iter().position(|piece| piece.contains(&at)) else {
        return;
    };
    response.on_hover_ui_at_pointer(|ui| {
        let piece = &view.reading.pieces[token];
        ui.label(format!("{piece:?}, probability {:.3}", confidence[token]));
        if let Some(truth) = &view.tokens
            && truth.get(token) != view.reading.decoded.tokens.get(token)
        {
            ui.label("differs from the function painted");
        }
    });
}

/// Tinted text, with the range of characters of each token.
fn job(view: &GlyphView, theme: &Theme, font: &FontId) -> (LayoutJob, Vec<Range<usize>>) {
    let decoded = &view.reading.decoded;
    let (mut job, mut ranges, mut done) = (LayoutJob::default(), Vec::new(), 0);
    for (i, (piece, confidence)) in view
        .reading
        .pieces
        .iter()
        .zip(&decoded.confidence)
        .enumerate()
    {
        let truth = view.tokens.as_ref();
        let is_wrong = truth.is_some_and(|truth| truth.get(i) != decoded.tokens.get(i));
        let underline = if is_wrong {
            Stroke::new(2.0, theme.error)
        } else {
            Stroke::NONE
        };
        let format = TextFormat {
            background: theme.confidence(*confidence),
            expand_bg: 0.0,
            underline,
            ..TextFormat::simple(font.clone(), theme.code)
        };
        job.append(piece, 0.0, format);
        let chars = piece.chars().count();
        ranges.push(done..done + chars);
        done += chars;
    }
    (job, ranges)
}

fn legend(ui: &mut Ui, theme: &Theme) {
    for (confidence, name) in [(1.0, " sure "), (0.5, " half "), (0.0, " guessed ")] {
        let color = theme.confidence(confidence);
        ui.label(
            egui::RichText::new(name)
                .small()
                .color(theme.code)
                .background_color(color),
        );
    }
}
