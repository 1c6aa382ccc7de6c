//! Panels of glyphs: corpus functions, which change as the model trains, and the nearest ones to a function.

use std::sync::Arc;

use egui::{ProgressBar, Ui};

use super::{sheet::Sheet, side_panel::SidePanel, workspace::GlyphsWorkspace};
use crate::{
    glyphs::views::{GridView, Tile},
    ui::{engine_client::EngineClient, system::SystemPage},
};

/// Glyphs side by side.
const COLUMNS: usize = 4;
/// Points a side of a glyph in the list.
const LISTED: f32 = 64.0;

/// Panel of the live grid, with its glyphs in a texture.
#[derive(Default)]
pub struct GridPanel {
    shown: Option<(Arc<GridView>, Sheet)>,
}

impl GridPanel {
    /// Draws the grid: a click opens a function, a shift-click appends it to the path, and dragging one onto another makes
    /// a path of the two.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut GlyphsWorkspace,
        client: &mut EngineClient,
        side: &mut SidePanel,
    ) {
        let Some(view) = workspace.views.grid.get() else {
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
                workspace.watch_others(client);
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
                        workspace.morph.path.clear();
                        workspace.append_to_path(view.tiles[*from].clone());
                        workspace.append_to_path(tile.clone());
                        workspace.paint_morph(client);
                        *side = SidePanel::Morph;
                    } else if shown.clicked() && ui.input(|input| input.modifiers.shift) {
                        workspace.append_to_path(tile.clone());
                        let text = format!("{} is in the path", tile.name);
                        client.set_status(SystemPage::Glyphs, text);
                    } else if shown.clicked() {
                        workspace.open_function(&tile.text, client);
                    }
                }
            });
        }
        self.shown = Some((view, sheet));
    }
}

/// Panel of the nearest functions, with their glyphs in a texture.
#[derive(Default)]
pub struct NearestPanel {
    shown: Option<(Vec<(String, f32)>, Sheet)>,
}

impl NearestPanel {
    /// Draws the list; a click opens a function.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut GlyphsWorkspace,
        client: &mut EngineClient,
    ) {
        let work = workspace.views.run.work.get();
        if let Some(work) = work.filter(|work| work.done < 1.0) {
            ui.add(ProgressBar::new(work.done as f32).text(&work.what));
        }
        let Some((of, nearest)) = workspace.nearest.clone() else {
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
        row(ui, sheet, 0, &of, &first, workspace, client);
        ui.separator();
        for (i, neighbour) in nearest.iter().enumerate() {
            let distance = format!("distance {:.3}", neighbour.distance);
            row(
                ui,
                sheet,
                i + 1,
                &neighbour.tile,
                &distance,
                workspace,
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
    workspace: &mut GlyphsWorkspace,
    client: &EngineClient,
) {
    ui.horizontal(|ui| {
        if sheet.tile(ui, number, tile, LISTED).clicked() {
            workspace.open_function(&tile.text, client);
        }
        ui.vertical(|ui| {
            ui.add(egui::Label::new(egui::RichText::new(&tile.name).strong()).truncate());
            ui.add(egui::Label::new(note).truncate());
            ui.add(egui::Label::new(egui::RichText::new(&tile.origin).weak()).truncate());
        });
    });
}
