//! Many glyphs in one texture, so that a grid of them is one upload and one draw call.

use egui::{
    Color32, ColorImage, Context, Image, Rect, Response, Role, Sense, Stroke, StrokeKind,
    TextureHandle, TextureOptions, Ui, Vec2, WidgetInfo, load::SizedTexture, pos2, vec2,
};
use image::RgbImage;

use crate::{glyphs::config::GLYPH_SIZE, glyphs::views::Tile, ui::theme::Theme};

/// Glyphs side by side in the texture.
const COLUMNS: usize = 8;

/// Texture of glyphs [128, 128], in rows.
pub struct Sheet {
    texture: TextureHandle,
    rows: usize,
}

impl Sheet {
    /// Texture of the pictures, laid out in rows.
    pub fn new<'a>(
        context: &Context,
        pictures: impl ExactSizeIterator<Item = &'a RgbImage>,
    ) -> Self {
        let rows = pictures.len().div_ceil(COLUMNS).max(1);
        let [width, height] = [COLUMNS * GLYPH_SIZE, rows * GLYPH_SIZE];
        let mut sheet = ColorImage::filled([width, height], Color32::TRANSPARENT);
        for (i, picture) in pictures.enumerate() {
            let [left, top] = [i % COLUMNS, i / COLUMNS].map(|cell| cell * GLYPH_SIZE);
            for (x, y, pixel) in picture.enumerate_pixels() {
                let [r, g, b] = pixel.0;
                let at = (top + y as usize) * width + left + x as usize;
                sheet.pixels[at] = Color32::from_rgb(r, g, b);
            }
        }
        Self {
            texture: context.load_texture("glyphs", sheet, TextureOptions::LINEAR),
            rows,
        }
    }

    /// Draws a glyph.
    pub fn paint(&self, ui: &Ui, glyph: usize, rect: Rect) {
        let cells = vec2(COLUMNS as f32, self.rows as f32);
        let cell = vec2((glyph % COLUMNS) as f32, (glyph / COLUMNS) as f32);
        // Half a pixel off the edge, or the neighbour's colours would be mixed in.
        let inset = Vec2::splat(0.5 / GLYPH_SIZE as f32);
        let [from, to] = [cell + inset, cell + Vec2::splat(1.0) - inset];
        let uv = Rect::from_min_max(
            pos2(from.x / cells.x, from.y / cells.y),
            pos2(to.x / cells.x, to.y / cells.y),
        );
        let texture = SizedTexture::new(&self.texture, rect.size());
        Image::from_texture(texture).uv(uv).paint_at(ui, rect);
    }

    /// A glyph of a function as a thing to click or drag, with the function as a tooltip.
    pub fn tile(&self, ui: &mut Ui, glyph: usize, tile: &Tile, side_points: f32) -> Response {
        let size = Vec2::splat(side_points);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        self.paint(ui, glyph, rect);
        if response.hovered() || response.has_focus() {
            let stroke = Stroke::new(2.0, Theme::of(ui.visuals()).highlight);
            ui.painter()
                .rect_stroke(rect, 0.0, stroke, StrokeKind::Inside);
        }
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Button, true, format!("Glyph of {}", tile.name))
        });
        response.on_hover_ui(|ui| {
            ui.strong(format!("{} ({})", tile.name, tile.origin));
            ui.add(egui::Label::new(egui::RichText::new(&tile.text).monospace()).extend());
        })
    }
}
