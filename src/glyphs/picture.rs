//! Glyphs as files: PNG and GIF out, any picture in.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use image::{
    Delay, Frame, ImageFormat, RgbImage,
    codecs::gif::{GifEncoder, Repeat},
    imageops::{FilterType, replace, resize},
};

use crate::{config::glyphs::GLYPH_SIZE, engine::run_folder::RunFolder, plot::write_whole};

/// Pixels a side from which a picture may hold a glyph.
const LEAST: u32 = 64;
/// A picture's longer side over its shorter, at most: roughly cropped.
const LONGEST: f64 = 2.0;
/// Milliseconds a frame.
const FRAME_MS: u32 = 50;

/// The picture in a file, as a reader takes it: 128x128. Others are scaled to that.
///
/// # Errors
/// Names the file and says what was expected: no picture, too small, too long.
pub fn read(path: &Path) -> Result<RgbImage> {
    let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let picture = image::load_from_memory(&bytes).with_context(|| {
        format!(
            "{} is not a picture that can be read (PNG, JPEG or GIF)",
            path.display()
        )
    })?;
    fit(picture.to_rgb8()).with_context(|| path.display().to_string())
}

/// A picture scaled to 128x128.
///
/// # Errors
/// If it is too small or too long to be a roughly cropped glyph.
pub fn fit(picture: RgbImage) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    let size = GLYPH_SIZE as u32;
    if width.min(height) < LEAST {
        bail!("{width}x{height} pixels are too few: a glyph has {size}x{size}");
    }
    if f64::from(width.max(height)) > LONGEST * f64::from(width.min(height)) {
        bail!("{width}x{height} pixels are no square: crop the picture to the glyph");
    }
    if (width, height) == (size, size) {
        return Ok(picture);
    }
    Ok(resize(&picture, size, size, FilterType::Triangle))
}

/// Glyphs side by side in rows of `columns`, with a narrow space between.
pub fn sheet(glyphs: &[RgbImage], columns: usize) -> RgbImage {
    const SPACE: u32 = 4;
    let size = GLYPH_SIZE as u32 + SPACE;
    let rows = glyphs.len().div_ceil(columns) as u32;
    let mut sheet = RgbImage::new(columns as u32 * size + SPACE, rows * size + SPACE);
    for (i, glyph) in glyphs.iter().enumerate() {
        let place = |i: usize| i64::from(i as u32 * size + SPACE);
        replace(&mut sheet, glyph, place(i % columns), place(i / columns));
    }
    sheet
}

/// Writes a picture as a PNG file, as a whole or not at all.
///
/// # Errors
/// Names the file.
pub fn write_png(path: &Path, picture: &RgbImage) -> Result<()> {
    write_whole(path, |file| Ok(picture.write_to(file, ImageFormat::Png)?))
}

/// Writes pictures as an animation that goes on for ever, as a whole or not at all.
///
/// # Errors
/// Names the file.
pub fn write_gif(path: &Path, frames: &[RgbImage]) -> Result<()> {
    write_whole(path, |file| {
        let mut gif = GifEncoder::new_with_speed(file, 10);
        gif.set_repeat(Repeat::Infinite)?;
        for frame in frames {
            let frame = image::DynamicImage::ImageRgb8(frame.clone()).to_rgba8();
            let delay = Delay::from_numer_denom_ms(FRAME_MS, 1);
            gif.encode_frame(Frame::from_parts(frame, 0, 0, delay))?;
        }
        Ok(())
    })
}

/// Writes pictures as PNG files into a new folder.
///
/// # Errors
/// If the folder is there already, or names the file.
pub fn write_frames(folder: &Path, frames: &[RgbImage]) -> Result<()> {
    let folder = RunFolder::create(folder)?.path().to_owned();
    for (number, frame) in frames.iter().enumerate() {
        write_png(&folder.join(format!("frame-{number:04}.png")), frame)?;
    }
    Ok(())
}
