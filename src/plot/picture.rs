//! Canvas and its drawing primitives: plotters on a pixel buffer, with embedded fonts so that no system
//! font is needed.

use std::sync::Once;

use anyhow::{Result, anyhow, ensure};
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
/// Colour of the background.
pub const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Anchors of texts: at the middle, at the middle of the upper and of the right edge.
pub const CENTRED: (HPos, VPos) = (HPos::Center, VPos::Center);
pub const BELOW: (HPos, VPos) = (HPos::Center, VPos::Top);
pub const BESIDE: (HPos, VPos) = (HPos::Right, VPos::Center);

/// Largest side of a picture, in pixels.
const MAX_SIDE_PX: u32 = 20_000;

/// Checks the size of a picture, for which the caller says if it `is_enough`.
///
/// # Errors
/// If the size is not the `expected` one.
pub fn check_size([width, height]: [u32; 2], is_enough: bool, expected: &str) -> Result<()> {
    ensure!(
        is_enough && width.max(height) <= MAX_SIDE_PX,
        "a picture of {width} x {height} pixels: expected {expected}"
    );
    Ok(())
}

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
    let canvas = BitMapBackend::with_buffer(&mut rgb, size_px.into()).into_drawing_area();
    content(&canvas)?;
    canvas.present().map_err(plain)?;
    drop(canvas);
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
    let font = (font, height_px).into_font();
    font.color(&color).pos(Pos::new(anchor.0, anchor.1))
}

/// Draws a text at a point.
pub fn text(canvas: &Canvas<'_>, text: &str, style: &TextStyle<'_>, at: [i32; 2]) -> Result<()> {
    // plotters omits the left bearing of each glyph, which halves a space.
    let text = text.replace(' ', "  ");
    canvas.draw_text(&text, style, at.into()).map_err(plain)
}

/// Draws a text in ink, of a height in pixels.
pub fn label(
    canvas: &Canvas<'_>,
    content: &str,
    height_px: f64,
    anchor: (HPos, VPos),
    at: [i32; 2],
) -> Result<()> {
    text(
        canvas,
        content,
        &style(TEXT_FONT, height_px, INK, anchor),
        at,
    )
}

/// Draws an axis title from bottom to top, centred on a point.
pub fn upright_text(canvas: &Canvas<'_>, content: &str, at: [i32; 2]) -> Result<()> {
    let mut style = style(TEXT_FONT, 18.0, INK, CENTRED);
    style.font = style.font.transform(FontTransform::Rotate270);
    text(canvas, content, &style, at)
}

/// Draws a polyline.
pub fn line(
    canvas: &Canvas<'_>,
    points: &[[f32; 2]],
    color: RGBAColor,
    width_px: u32,
) -> Result<()> {
    let points: Vec<(i32, i32)> = points.iter().map(|at| rounded(*at)).collect();
    let line = PathElement::new(points, color.stroke_width(width_px));
    canvas.draw(&line).map_err(plain)
}

fn rounded([x, y]: [f32; 2]) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// Draws the outline of a rectangle.
pub fn frame(canvas: &Canvas<'_>, min: [i32; 2], max: [i32; 2], color: RGBColor) -> Result<()> {
    let outline = Rectangle::new([min.into(), max.into()], color.stroke_width(1));
    canvas.draw(&outline).map_err(plain)
}

/// Draws a filled disc with an outline.
pub fn disc(canvas: &Canvas<'_>, at: [f32; 2], radius_px: i32, [r, g, b]: [u8; 3]) -> Result<()> {
    for (radius_px, color) in [(radius_px + 1, INK), (radius_px, RGBColor(r, g, b))] {
        let disc = Circle::new(rounded(at), radius_px, color.filled());
        canvas.draw(&disc).map_err(plain)?;
    }
    Ok(())
}

/// Sets one pixel.
pub fn pixel(canvas: &Canvas<'_>, x: i32, y: i32, [r, g, b]: [u8; 3]) -> Result<()> {
    canvas.draw_pixel((x, y), &RGBColor(r, g, b)).map_err(plain)
}
