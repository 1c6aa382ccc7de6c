//! QR codes of the same text, of the same size and through the same channel: what glyphs have to be better than.

use image::{Rgb, RgbImage, imageops};
use qrcode::{Color, EcLevel, QrCode};
use rqrr::PreparedImage;

use crate::glyphs::config::GLYPH_SIZE;

/// Quiet zone on each side, in modules, as the standard asks for (ISO/IEC 18004).
const QUIET: usize = 4;
/// Modules a side with which each has two pixels.
const WIDE: usize = GLYPH_SIZE / 2;
/// Levels of error correction, from the strongest.
const LEVELS: [EcLevel; 4] = [EcLevel::H, EcLevel::Q, EcLevel::M, EcLevel::L];

/// QR code of a text as a picture of 128x128: with the strongest error correction that leaves two pixels a module, else the
/// weakest. `None` if the text is too long for a pixel a module.
pub fn paint(text: &str) -> Option<RgbImage> {
    let codes = LEVELS
        .iter()
        .filter_map(|level| QrCode::with_error_correction_level(text, *level).ok());
    let mut codes: Vec<QrCode> = codes.collect();
    let wide = codes
        .iter()
        .position(|code| code.width() + 2 * QUIET <= WIDE);
    let code = match wide {
        Some(strongest) => codes.swap_remove(strongest),
        None => codes.pop()?,
    };
    let side = code.width() + 2 * QUIET;
    // Modules of a whole number of pixels: others aren't read.
    let drawn = GLYPH_SIZE / side * side;
    let margin = (GLYPH_SIZE - drawn) / 2;
    (side <= GLYPH_SIZE).then(|| {
        RgbImage::from_fn(GLYPH_SIZE as u32, GLYPH_SIZE as u32, |x, y| {
            let module = |at: u32| {
                let inside = (at as usize).checked_sub(margin)?;
                let at = (inside * side / drawn).checked_sub(QUIET)?;
                (at < code.width()).then_some(at)
            };
            match (module(x), module(y)) {
                (Some(x), Some(y)) if code[(x, y)] == Color::Dark => Rgb([0; 3]),
                _ => Rgb([255; 3]),
            }
        })
    })
}

/// Text of the QR code in a picture, if one is found and read.
pub fn read(picture: &RgbImage) -> Option<String> {
    let grey = imageops::grayscale(picture);
    let at = |x: usize, y: usize| grey.get_pixel(x as u32, y as u32).0[0];
    let mut prepared =
        PreparedImage::prepare_from_greyscale(grey.width() as usize, grey.height() as usize, at);
    let grids = prepared.detect_grids().into_iter();
    grids.filter_map(|grid| Some(grid.decode().ok()?.1)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_read_back() {
        for count in [1, 8, 20] {
            let text = "def f(a):\n    return a + 1\n".repeat(count);
            let picture = paint(&text).unwrap();
            assert_eq!(read(&picture), Some(text), "{count} lines");
        }
        assert!(paint(&"a\u{e9}".repeat(2000)).is_none());
        assert!(read(&RgbImage::new(128, 128)).is_none());
    }
}
