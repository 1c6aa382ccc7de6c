//! Glyphs as files: PNG and GIF out, any picture in.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use image::{
    Delay, DynamicImage, Frame, ImageDecoder, ImageReader, Rgb, RgbImage,
    codecs::gif::{GifEncoder, Repeat},
    imageops::{FilterType, replace, resize},
    metadata::Orientation,
};

use crate::{
    files::write_whole,
    glyphs::config::GLYPH_SIZE,
    plot::{encoded_picture, write_picture},
    training::run_folder::RunFolder,
};

/// Pixels a side from which a picture may hold a glyph.
const LEAST: u32 = 64;
/// A picture's longer side over its shorter, at most: roughly cropped.
const LONGEST: f64 = 2.0;
/// Bytes of a file from which it is taken for no picture.
const LARGEST_FILE: u64 = 256 << 20;
/// Bytes of pixels that are decoded at most.
const LARGEST_PICTURE: u64 = 512 << 20;
/// Milliseconds a frame.
const FRAME_MS: u32 = 50;

/// The picture in a file, upright.
///
/// # Errors
/// Names the file and says what was expected: no picture, too small.
pub fn read(path: &Path) -> Result<RgbImage> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = File::open(path)?.take(LARGEST_FILE + 1);
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().with_context(|| format!("can't read {}", path.display()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        bail!(
            "{} is no picture: it has more than {} MB",
            path.display(),
            LARGEST_FILE >> 20
        );
    }
    let picture = decode(&bytes).with_context(|| {
        format!(
            "{} is not a picture that can be read (PNG, JPEG or GIF)",
            path.display()
        )
    })?;
    checked(picture).with_context(|| path.display().to_string())
}

/// A picture that has the pixels to hold a glyph.
///
/// # Errors
/// If it is too small.
pub fn checked(picture: RgbImage) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    if width.min(height) < LEAST {
        bail!("{width}x{height} pixels are too few: a glyph has {GLYPH_SIZE}x{GLYPH_SIZE}");
    }
    Ok(picture)
}

/// The picture that encoded bytes hold, turned as its Exif orientation says.
///
/// # Errors
/// If they are no PNG, JPEG or GIF.
pub fn decode(bytes: &[u8]) -> Result<RgbImage> {
    let mut decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()?
        .into_decoder()?;
    let orientation = match decoder.orientation() {
        Ok(Orientation::NoTransforms) | Err(_) => late_orientation(bytes),
        Ok(orientation) => orientation,
    };
    if decoder.total_bytes() > LARGEST_PICTURE {
        let (width, height) = decoder.dimensions();
        bail!("{width}x{height} pixels are too many");
    }
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.to_rgb8())
}

/// The orientation in a PNG file's eXIf chunk, which may lie behind the pixels, where the decoder doesn't look before
/// it has read them.
fn late_orientation(bytes: &[u8]) -> Orientation {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap_or_default();
    // Length, type, content and checksum.
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let chunk = after
            .split_first_chunk::<4>()
            .and_then(|(kind, after)| Some((kind, after.get(..length)?, after.get(length + 4..)?)));
        match chunk {
            Some((b"eXIf", content, _)) => {
                return Orientation::from_exif_chunk(content).unwrap_or(Orientation::NoTransforms);
            }
            Some((_, _, after)) => rest = after,
            None => break,
        }
    }
    Orientation::NoTransforms
}

/// A picture scaled to 128x128.
///
/// # Errors
/// If it is too long to be a roughly cropped glyph.
pub fn fit(picture: &RgbImage) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    if f64::from(width.max(height)) > LONGEST * f64::from(width.min(height)) {
        bail!("{width}x{height} pixels are no square: crop the picture to the glyph");
    }
    Ok(squeezed(picture))
}

/// A picture scaled to 128x128, whatever its shape.
pub fn squeezed(picture: &RgbImage) -> RgbImage {
    let size = GLYPH_SIZE as u32;
    if picture.dimensions() == (size, size) {
        return picture.clone();
    }
    resize(picture, size, size, FilterType::Triangle)
}

/// True if two pictures of 128x128 show the same glyph but for the losses of scaling or a JPEG of quality 75 and more:
/// then no block of 8x8 pixels is more than 8.1 levels off in the mean. A glyph with another token is 13.4 off or more
/// in some block (970 misread ones and replaced tokens of the bundled sample's functions).
pub fn is_alike(a: &RgbImage, b: &RgbImage) -> bool {
    const BLOCK: u32 = 8;
    const LEVELS: u32 = 10;
    let size = GLYPH_SIZE as u32;
    let off = |x: u32, y: u32| -> u32 {
        let pixels = (0..BLOCK * BLOCK).map(|at| (x + at % BLOCK, y + at / BLOCK));
        pixels
            .flat_map(|(x, y)| std::iter::zip(a.get_pixel(x, y).0, b.get_pixel(x, y).0))
            .map(|(a, b)| u32::from(a.abs_diff(b)))
            .sum()
    };
    let blocks = || (0..size).step_by(BLOCK as usize);
    a.dimensions() == (size, size)
        && b.dimensions() == (size, size)
        && blocks().all(|y| blocks().all(|x| off(x, y) <= LEVELS * BLOCK * BLOCK * 3))
}

/// Glyphs side by side in rows of `columns`, with a narrow space between.
pub fn sheet(glyphs: &[RgbImage], columns: usize) -> RgbImage {
    sheet_on(glyphs, columns, 4, Rgb([0; 3]))
}

/// Glyphs side by side in rows of `columns`, with `space` pixels of `paper` around each.
pub fn sheet_on(glyphs: &[RgbImage], columns: usize, space: u32, paper: Rgb<u8>) -> RgbImage {
    let size = glyphs.first().map_or(GLYPH_SIZE as u32, RgbImage::width) + space;
    let rows = glyphs.len().div_ceil(columns) as u32;
    let (width, height) = (columns as u32 * size + space, rows * size + space);
    let mut sheet = RgbImage::from_pixel(width, height, paper);
    for (i, glyph) in glyphs.iter().enumerate() {
        let place = |i: usize| i64::from(i as u32 * size + space);
        replace(&mut sheet, glyph, place(i % columns), place(i / columns));
    }
    sheet
}

/// Writes a picture as its ending says, PNG or JPEG, as a whole or not at all.
///
/// # Errors
/// Names the file.
pub fn write(path: &Path, picture: &RgbImage) -> Result<()> {
    let (width, height) = picture.dimensions();
    write_picture(path, picture.as_raw(), [width, height])
}

/// The picture as a reader finds it in the file that [`write()`] makes at `path`: JPEG changes it.
///
/// # Errors
/// If it is too small to be read.
pub fn as_read_back(path: &Path, picture: &RgbImage) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    let bytes = encoded_picture(path, picture.as_raw(), [width, height])?;
    checked(decode(&bytes)?)
}

/// Writes pictures as an animation that goes on for ever, as a whole or not at all; `go_on` is called with the number of
/// those written.
///
/// # Errors
/// Names the file, or that of `go_on`.
pub fn write_gif(
    path: &Path,
    frames: &[RgbImage],
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<()> {
    write_whole(path, |file| {
        let mut gif = GifEncoder::new_with_speed(file, 10);
        gif.set_repeat(Repeat::Infinite)?;
        for (written, frame) in frames.iter().enumerate() {
            go_on(written)?;
            let frame = DynamicImage::ImageRgb8(frame.clone()).to_rgba8();
            let delay = Delay::from_numer_denom_ms(FRAME_MS, 1);
            gif.encode_frame(Frame::from_parts(frame, 0, 0, delay))?;
        }
        Ok(())
    })
}

/// Writes pictures as PNG files into a new folder; `go_on` is called with the number of those written, which stay where
/// it fails.
///
/// # Errors
/// If the folder is there already, or names the file, or that of `go_on`.
pub fn write_frames(
    folder: &Path,
    frames: &[RgbImage],
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<()> {
    let folder = RunFolder::create(folder)?.path().to_owned();
    for (number, frame) in frames.iter().enumerate() {
        go_on(number)?;
        write(&folder.join(format!("frame-{number:04}.png")), frame)?;
    }
    Ok(())
}
