//! Code Glyphs in the window: the editor at the left, the glyph and what is read from it in the
//! middle, and at the right one of the live grid, the nearest glyphs, the morph and the training.

pub mod corpus;
mod editor;
mod errands;
mod grid;
mod morph;
mod paint;
mod reading;
pub mod session;
mod sheet;
mod training;
pub mod written;

use egui::{CentralPanel, Panel, ScrollArea, Ui};

pub use self::errands::{Done, Errand};
use self::{
    editor::Editor,
    grid::{Grid, Nearest},
    morph::MorphPanel,
    paint::Paint,
    session::Session,
};
use super::desk::Desk;

/// What the right side shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Glyphs of corpus functions.
    #[default]
    Grid,
    /// The glyphs nearest to one.
    Nearest,
    /// The way through functions.
    Morph,
    /// A run.
    Training,
}

impl Side {
    const ALL: [(Self, &str); 4] = [
        (Side::Grid, "Live grid"),
        (Side::Nearest, "Nearest"),
        (Side::Morph, "Morph"),
        (Side::Training, "Training"),
    ];
}

/// The second system.
#[derive(Default)]
pub struct Glyphs {
    /// What is open.
    pub session: Session,
    /// What the right side shows.
    pub side: Side,
    editor: Editor,
    paint: Paint,
    grid: Grid,
    nearest: Nearest,
    morph: MorphPanel,
}

impl Glyphs {
    /// Draws it, between the bars; returns what takes a thread of its own.
    pub fn show(&mut self, ui: &mut Ui, desk: &mut Desk) -> Vec<Errand> {
        let mut errands = Vec::new();
        let session = &mut self.session;
        session.follow(desk);
        // In a small window the pictures come first.
        let width = (0.28 * ui.available_width()).floor();
        Panel::left("function")
            .resizable(true)
            .default_size(width.clamp(240.0, 330.0))
            .size_range(240.0..=640.0)
            .show(ui, |ui| {
                self.editor
                    .show(ui, session, desk, &mut self.side, &mut errands)
            });
        Panel::right("side")
            .resizable(true)
            .default_size(290.0)
            .size_range(250.0..=560.0)
            .show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    for (side, name) in Side::ALL {
                        ui.selectable_value(&mut self.side, side, name);
                    }
                });
                ui.separator();
                ScrollArea::vertical()
                    .id_salt(self.side as u8)
                    .auto_shrink(false)
                    .show(ui, |ui| match self.side {
                        Side::Grid => self.grid.show(ui, session, desk, &mut self.side),
                        Side::Nearest => self.nearest.show(ui, session, desk),
                        Side::Morph => self.morph.show(ui, session, desk, &mut errands),
                        Side::Training => training::show(ui, session, desk, &mut errands),
                    });
            });
        CentralPanel::default().show(ui, |ui| {
            self.paint.show(ui, session, desk, &mut errands);
            ui.separator();
            reading::show(ui, session, desk);
        });
        errands
    }
}
