//! The morph: a path of functions, and the pictures along it.

use std::sync::Arc;

use egui::{Button, Slider, Ui, Vec2};
use image::RgbImage;

use super::{background_tasks::BackgroundTask, sheet::Sheet, workspace::GlyphsWorkspace};
use crate::{
    glyphs::config::GLYPH_SIZE,
    ui::{engine_client::EngineClient, widgets::field},
};

/// Frames a second, as in the file that is saved.
const FRAMES_PER_SEC: f64 = 20.0;
/// Points a side of a glyph in the path.
const LISTED: f32 = 40.0;
/// Width of the number and the name beside the slider.
const BESIDE_SLIDER: f32 = 130.0;

/// Panel of the morph, with path and frames in textures.
#[derive(Default)]
pub struct MorphPanel {
    path: Option<(Vec<RgbImage>, Sheet)>,
    frames: Option<(Arc<Vec<RgbImage>>, Sheet)>,
    begun_secs: f64,
}

impl MorphPanel {
    /// Draws the path, the picture and the slider along it.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut GlyphsWorkspace,
        client: &mut EngineClient,
        tasks: &mut Vec<BackgroundTask>,
    ) {
        self.list(ui, workspace);
        ui.horizontal_wrapped(|ui| {
            let can = workspace.morph.path.len() >= 2;
            if ui.add_enabled(can, Button::new("Paint morph")).clicked() {
                workspace.paint_morph(client);
            }
            let has_path = !workspace.morph.path.is_empty();
            if ui
                .add_enabled(has_path, Button::new("Clear path"))
                .clicked()
            {
                workspace.morph.path.clear();
            }
        });
        ui.separator();
        let Some(frames) = workspace.morph.frames.clone() else {
            return;
        };
        if self
            .frames
            .as_ref()
            .is_none_or(|(shown, _)| !Arc::ptr_eq(shown, &frames))
        {
            self.frames = Some((frames.clone(), Sheet::new(ui.ctx(), frames.iter())));
        }
        let Some((_, sheet)) = &self.frames else {
            return;
        };
        let side = (ui.available_width() / GLYPH_SIZE as f32)
            .floor()
            .clamp(1.0, 3.0)
            * GLYPH_SIZE as f32;
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(side), egui::Sense::hover());
        let morph = &mut workspace.morph;
        let last = frames.len().saturating_sub(1);
        if morph.is_playing && last > 0 {
            let passed = ui.input(|input| input.time) - self.begun_secs;
            // There and back again.
            let step = (passed * FRAMES_PER_SEC) as usize % (2 * last);
            morph.at = step.min(2 * last - step);
            ui.ctx()
                .request_repaint_after_secs((1.0 / FRAMES_PER_SEC) as f32);
        }
        sheet.paint(ui, morph.at.min(last), rect);
        ui.horizontal(|ui| {
            let name = if morph.is_playing { "Halt" } else { "Play" };
            if ui.button(name).clicked() {
                morph.is_playing = !morph.is_playing;
                self.begun_secs = ui.input(|input| input.time) - morph.at as f64 / FRAMES_PER_SEC;
            }
            ui.spacing_mut().slider_width = (ui.available_width() - BESIDE_SLIDER).max(40.0);
            if ui
                .add(Slider::new(&mut morph.at, 0..=last).text("Frame"))
                .changed()
            {
                morph.is_playing = false;
            }
        });
        ui.horizontal(|ui| {
            let path = &morph.save_path;
            if ui.button("Save GIF\u{2026}").clicked() {
                tasks.push(BackgroundTask::SaveGif(frames.clone(), path.clone()));
            }
            if ui.button("Save frames\u{2026}").clicked() {
                tasks.push(BackgroundTask::SaveFrames(frames.clone(), path.clone()));
            }
        });
        let hint = "a new file or folder";
        field(ui, "Save as", &mut morph.save_path, hint, f32::INFINITY);
    }

    fn list(&mut self, ui: &mut Ui, workspace: &mut GlyphsWorkspace) {
        let path = &workspace.morph.path;
        if path.is_empty() {
            ui.weak("Lay functions into the path: \u{201c}+ path\u{201d} below the editor, shift-click in the live grid, or drag one glyph of the grid onto another");
            return;
        }
        let glyphs = || path.iter().map(|tile| &tile.glyph);
        if self
            .path
            .as_ref()
            .is_none_or(|(shown, _)| !shown.iter().eq(glyphs()))
        {
            let sheet = Sheet::new(ui.ctx(), glyphs());
            self.path = Some((glyphs().cloned().collect(), sheet));
        }
        let Some((_, sheet)) = &self.path else { return };
        let mut removed = None;
        for (i, tile) in path.iter().enumerate() {
            ui.horizontal(|ui| {
                sheet.tile(ui, i, tile, LISTED);
                let remove = ui.button("\u{2212}");
                remove.widget_info(|| {
                    egui::WidgetInfo::labeled(
                        egui::Role::Button,
                        true,
                        format!("Remove {}", tile.name),
                    )
                });
                if remove.on_hover_text("Take it out of the path").clicked() {
                    removed = Some(i);
                }
                ui.add(egui::Label::new(format!("{}. {}", i + 1, tile.name)).truncate());
            });
        }
        if let Some(removed) = removed {
            workspace.morph.path.remove(removed);
        }
    }
}
