//! Canvas and its drawing primitives: plotters on a pixel buffer, with embedded fonts so that no system
//! font is needed.

use std::sync::Once;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, TextStyle, register_font};

/// Canvas in memory; coordinates in pixels, y down.
pub type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// Font of titles and axes.
pub const TEXT_FONT: &str = "glyphspace text";
/// Font of the numbers on the plane: bolder, to be legible small and on any colour.
pub const NUMBER_FONT: &str = "glyphspace numbers";

/// Colour of text and axes.
pub const INK: RGBColor = RGBColor(24, 24, 30);
/// Colour of secondary lines.
pub const PALE_INK: RGBColor = RGBColor(200, 202, 208);

/// Draws on a white canvas of a size (width, height) and returns its RGB bytes, row by row from the top.
pub fn draw(size_px: [u32; 2], content: impl FnOnce(&Canvas<'_>) -> Result<()>) -> Result<Vec<u8>> {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        let fonts = [
            (TEXT_FONT, epaint_default_fonts::UBUNTU_LIGHT),
            (NUMBER_FONT, epaint_default_fonts::HACK_REGULAR),
        ];
        for (name, bytes) in fonts {
            // A font that failed to register is reported by the first text drawn with it.
            let _ = register_font(name, FontStyle::Normal, bytes);
        }
    });
    let mut rgb = vec![255; size_px[0] as usize * size_px[1] as usize * 3];
    {
        let canvas =
            BitMapBackend::with_buffer(&mut rgb, (size_px[0], size_px[1])).into_drawing_area();
        content(&canvas)?;
        canvas.present().map_err(plain)?;
    }
    Ok(rgb)
}

/// Converts plotters' errors, which borrow the canvas, to their message.
pub fn plain(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("can't draw: {error}")
}

/// Text style of a height in pixels with an anchor.
pub fn style(
    font: &'static str,
    height_px: f64,
    color: RGBColor,
    anchor: (HPos, VPos),
) -> TextStyle<'static> {
    let mut style =
        TextStyle::from((font, height_px).into_font()).pos(Pos::new(anchor.0, anchor.1));
    style.color = color.to_backend_color();
    style
}

/// Draws a text at a point.
pub fn text(canvas: &Canvas<'_>, text: &str, style: &TextStyle<'_>, at: [i32; 2]) -> Result<()> {
    // plotters omits the left bearing of each glyph, which halves a space.
    let text = text.replace(' ', "  ");
    canvas
        .draw_text(&text, style, (at[0], at[1]))
        .map_err(plain)
}

/// Draws a text from bottom to top, centred on a point.
pub fn upright_text(
    canvas: &Canvas<'_>,
    content: &str,
    height_px: f64,
    at: [i32; 2],
) -> Result<()> {
    let font = (TEXT_FONT, height_px)
        .into_font()
        .transform(FontTransform::Rotate270);
    let style = TextStyle::from(font)
        .color(&INK)
        .pos(Pos::new(HPos::Center, VPos::Center));
    text(canvas, content, &style, at)
}

/// Draws a polyline.
pub fn line(
    canvas: &Canvas<'_>,
    points: &[[f32; 2]],
    color: RGBAColor,
    width_px: u32,
) -> Result<()> {
    let points: Vec<(i32, i32)> = points
        .iter()
        .map(|[x, y]| (x.round() as i32, y.round() as i32))
        .collect();
    canvas
        .draw(&PathElement::new(points, color.stroke_width(width_px)))
        .map_err(plain)
}

/// Draws the outline of a rectangle.
pub fn frame(canvas: &Canvas<'_>, min: [i32; 2], max: [i32; 2], color: RGBColor) -> Result<()> {
    canvas
        .draw(&Rectangle::new(
            [(min[0], min[1]), (max[0], max[1])],
            color.stroke_width(1),
        ))
        .map_err(plain)
}

/// Draws a filled disc with an outline.
pub fn disc(
    canvas: &Canvas<'_>,
    [x, y]: [f32; 2],
    radius_px: i32,
    [r, g, b]: [u8; 3],
) -> Result<()> {
    let at = (x.round() as i32, y.round() as i32);
    canvas
        .draw(&Circle::new(at, radius_px + 1, INK.filled()))
        .map_err(plain)?;
    canvas
        .draw(&Circle::new(at, radius_px, RGBColor(r, g, b).filled()))
        .map_err(plain)
}

/// Sets one pixel.
pub fn pixel(canvas: &Canvas<'_>, x: i32, y: i32, [r, g, b]: [u8; 3]) -> Result<()> {
    canvas.draw_pixel((x, y), &RGBColor(r, g, b)).map_err(plain)
}
