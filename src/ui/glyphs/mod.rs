//! Code Glyphs in the window: the editor at the left, the glyph and the reading of it in the middle, and at the right
//! one of the live grid, the nearest glyphs, the morph and the training.

mod background_tasks;
mod corpus;
mod editor;
pub mod editor_text;
mod grid;
mod morph;
mod paint;
mod reading;
mod sheet;
pub mod side_panel;
mod training;
pub mod workspace;

use egui::{CentralPanel, Panel, ScrollArea, Ui};

pub use self::background_tasks::{BackgroundTask, TaskResult};
use self::{
    editor::Editor,
    grid::{GridPanel, NearestPanel},
    morph::MorphPanel,
    paint::PaintPanel,
    side_panel::SidePanel,
    workspace::GlyphsWorkspace,
};
use super::engine_client::EngineClient;

/// Page of Code Glyphs.
#[derive(Default)]
pub struct GlyphsPage {
    /// Open state.
    pub workspace: GlyphsWorkspace,
    /// Content of the panel at the right.
    pub side: SidePanel,
    editor: Editor,
    paint: PaintPanel,
    grid: GridPanel,
    nearest: NearestPanel,
    morph: MorphPanel,
}

impl GlyphsPage {
    /// Draws the page between the bars; returns tasks for threads of their own.
    pub fn show(&mut self, ui: &mut Ui, client: &mut EngineClient) -> Vec<BackgroundTask> {
        let mut tasks = Vec::new();
        let workspace = &mut self.workspace;
        workspace.follow(client);
        // In a small window the pictures come first.
        let width = (0.28 * ui.available_width()).floor();
        Panel::left("function")
            .resizable(true)
            .default_size(width.clamp(240.0, 330.0))
            .size_range(240.0..=640.0)
            .show(ui, |ui| {
                self.editor
                    .show(ui, workspace, client, &mut self.side, &mut tasks)
            });
        Panel::right("side")
            .resizable(true)
            .default_size(290.0)
            .size_range(250.0..=560.0)
            .show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    for (side, name) in SidePanel::ALL {
                        ui.selectable_value(&mut self.side, side, name);
                    }
                });
                ui.separator();
                ScrollArea::vertical()
                    .id_salt(self.side as u8)
                    .auto_shrink(false)
                    .show(ui, |ui| match self.side {
                        SidePanel::Grid => self.grid.show(ui, workspace, client, &mut self.side),
                        SidePanel::Nearest => self.nearest.show(ui, workspace, client),
                        SidePanel::Morph => self.morph.show(ui, workspace, client, &mut tasks),
                        SidePanel::Training => training::show(ui, workspace, client, &mut tasks),
                    });
            });
        CentralPanel::default().show(ui, |ui| {
            self.paint.show(ui, workspace, client, &mut tasks);
            ui.separator();
            reading::show(ui, workspace, client);
        });
        tasks
    }
}
