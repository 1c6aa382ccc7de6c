//! Code Glyphs in the window: the editor at the left, the glyph and what is read from it in the
//! middle, and at the right one of the live grid, the nearest glyphs, the morph and the training.

mod background_tasks;
pub mod corpus;
mod editor;
mod grid;
mod morph;
mod paint;
mod reading;
pub mod session;
mod sheet;
mod training;
pub mod written;

use egui::{CentralPanel, Panel, ScrollArea, Ui};

pub use self::background_tasks::{BackgroundTask, Done};
use self::{
    editor::Editor,
    grid::{GridPanel, Nearest},
    morph::MorphPanel,
    paint::Paint,
    session::GlyphsUiSession,
};
use super::engine_client::EngineClient;

/// What the right side shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MorphSide {
    /// Glyphs of corpus functions.
    #[default]
    GridPanel,
    /// The glyphs nearest to one.
    Nearest,
    /// The way through functions.
    Morph,
    /// A run.
    Training,
}

impl MorphSide {
    const ALL: [(Self, &str); 4] = [
        (MorphSide::GridPanel, "Live grid"),
        (MorphSide::Nearest, "Nearest"),
        (MorphSide::Morph, "Morph"),
        (MorphSide::Training, "Training"),
    ];
}

/// The second system.
#[derive(Default)]
pub struct Glyphs {
    /// What is open.
    pub session: GlyphsUiSession,
    /// What the right side shows.
    pub side: MorphSide,
    editor: Editor,
    paint: Paint,
    grid: GridPanel,
    nearest: Nearest,
    morph: MorphPanel,
}

impl Glyphs {
    /// Draws it, between the bars; returns what takes a thread of its own.
    pub fn show(&mut self, ui: &mut Ui, client: &mut EngineClient) -> Vec<BackgroundTask> {
        let mut tasks = Vec::new();
        let session = &mut self.session;
        session.follow(client);
        // In a small window the pictures come first.
        let width = (0.28 * ui.available_width()).floor();
        Panel::left("function")
            .resizable(true)
            .default_size(width.clamp(240.0, 330.0))
            .size_range(240.0..=640.0)
            .show(ui, |ui| {
                self.editor
                    .show(ui, session, client, &mut self.side, &mut tasks)
            });
        Panel::right("side")
            .resizable(true)
            .default_size(290.0)
            .size_range(250.0..=560.0)
            .show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    for (side, name) in MorphSide::ALL {
                        ui.selectable_value(&mut self.side, side, name);
                    }
                });
                ui.separator();
                ScrollArea::vertical()
                    .id_salt(self.side as u8)
                    .auto_shrink(false)
                    .show(ui, |ui| match self.side {
                        MorphSide::GridPanel => self.grid.show(ui, session, client, &mut self.side),
                        MorphSide::Nearest => self.nearest.show(ui, session, client),
                        MorphSide::Morph => self.morph.show(ui, session, client, &mut tasks),
                        MorphSide::Training => training::show(ui, session, client, &mut tasks),
                    });
            });
        CentralPanel::default().show(ui, |ui| {
            self.paint.show(ui, session, client, &mut tasks);
            ui.separator();
            reading::show(ui, session, client);
        });
        tasks
    }
}
