//! Glyphs of corpus functions, which change as the model trains, and the nearest glyphs to one.

use std::sync::Arc;

use egui::{ProgressBar, Ui};

use super::{MorphSide, session::GlyphsUiSession, sheet::Sheet};
use crate::{
    glyphs::views::{GridView, Tile},
    ui::{app::System, engine_client::EngineClient},
};

/// Glyphs side by side.
const COLUMNS: usize = 4;
/// Points a side of a glyph in the list.
const LISTED: f32 = 64.0;

/// The grid on the graphics card.
#[derive(Default)]
pub struct GridPanel {
    shown: Option<(Arc<GridView>, Sheet)>,
}

impl GridPanel {
    /// Draws it: a click opens a function, a shift-click lays it into the path, and dragging one onto
    /// another makes a path of the two.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        session: &mut GlyphsUiSession,
        client: &mut EngineClient,
        side: &mut MorphSide,
    ) {
        let Some(view) = session.views.grid.get() else {
            ui.weak("The glyphs are being painted");
            return;
        };
        let old = self.shown.take();
        let (view, sheet) = match old {
            Some((old, sheet)) if Arc::ptr_eq(&old, &view) => (view, sheet),
            _ => {
                let sheet = Sheet::new(ui.ctx(), view.tiles.iter().map(|tile| &tile.glyph));
                (view, sheet)
            }
        };
        ui.horizontal(|ui| {
            ui.label(format!("{} glyphs, step {}", view.tiles.len(), view.step));
            if ui.button("Other functions").clicked() {
                session.watch_others(client);
            }
        });
        let gap = 3.0;
        let side_points = ((ui.available_width() + gap) / COLUMNS as f32 - gap).floor();
        ui.spacing_mut().item_spacing = egui::Vec2::splat(gap);
        for (row, tiles) in view.tiles.chunks(COLUMNS).enumerate() {
            ui.horizontal(|ui| {
                for (column, tile) in tiles.iter().enumerate() {
                    let number = row * COLUMNS + column;
                    let shown = sheet.tile(ui, number, tile, side_points);
                    shown.dnd_set_drag_payload(number);
                    if let Some(from) = shown.dnd_release_payload::<usize>()
                        && *from != number
                    {
                        session.morph.path.clear();
                        session.lay(view.tiles[*from].clone());
                        session.lay(tile.clone());
                        session.paint_morph(client);
                        *side = MorphSide::Morph;
                    } else if shown.clicked() && ui.input(|input| input.modifiers.shift) {
                        session.lay(tile.clone());
                        client.say(
                            System::Glyphs,
                            format!("{} is in the path", tile.name),
                            false,
                        );
                    } else if shown.clicked() {
                        session.open_function(&tile.text, client);
                    }
                }
            });
        }
        self.shown = Some((view, sheet));
    }
}

/// The list on the graphics card.
#[derive(Default)]
pub struct Nearest {
    shown: Option<(Vec<(String, f32)>, Sheet)>,
}

impl Nearest {
    /// Draws the list; a click opens a function.
    pub fn show(&mut self, ui: &mut Ui, session: &mut GlyphsUiSession, client: &mut EngineClient) {
        let work = session.views.work.get();
        if let Some(work) = work.filter(|work| work.done < 1.0) {
            ui.add(ProgressBar::new(work.done as f32).text(&work.what));
        }
        let Some((of, nearest)) = session.nearest.clone() else {
            ui.weak("\u{201c}Nearest glyphs\u{201d} below the editor finds the functions whose glyphs mean nearly the same");
            return;
        };
        let key: Vec<(String, f32)> = nearest
            .iter()
            .map(|n| (n.tile.text.clone(), n.distance))
            .collect();
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != key) {
            let tiles = std::iter::once(&of).chain(nearest.iter().map(|n| &n.tile));
            let glyphs: Vec<_> = tiles.map(|tile| &tile.glyph).collect();
            self.shown = Some((key, Sheet::new(ui.ctx(), glyphs.into_iter())));
        }
        let Some((_, sheet)) = &self.shown else {
            return;
        };
        let first = of.text.lines().next().unwrap_or_default().to_owned();
        row(ui, sheet, 0, &of, &first, session, client);
        ui.separator();
        for (i, neighbour) in nearest.iter().enumerate() {
            let distance = format!("distance {:.3}", neighbour.distance);
            row(
                ui,
                sheet,
                i + 1,
                &neighbour.tile,
                &distance,
                session,
                client,
            );
        }
    }
}

fn row(
    ui: &mut Ui,
    sheet: &Sheet,
    number: usize,
    tile: &Tile,
    note: &str,
    session: &mut GlyphsUiSession,
    client: &EngineClient,
) {
    ui.horizontal(|ui| {
        if sheet.tile(ui, number, tile, LISTED).clicked() {
            session.open_function(&tile.text, client);
        }
        ui.vertical(|ui| {
            ui.add(egui::Label::new(egui::RichText::new(&tile.name).strong()).truncate());
            ui.add(egui::Label::new(note).truncate());
            ui.add(egui::Label::new(egui::RichText::new(&tile.origin).weak()).truncate());
        });
    });
}
