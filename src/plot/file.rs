//! Image files: the format follows from the extension.

use std::{io::Write, path::Path};

use anyhow::{Context, Result, bail};
use image::{
    ExtendedColorType, ImageEncoder, ImageFormat,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
};

use crate::files::{is_stream, write_whole};

/// Quality of JPEG files: the highest.
const JPEG_QUALITY: u8 = 100;

/// Image format of a path by its extension: png, jpg or jpeg; PNG without an extension, and for devices and
/// FIFOs with any other.
///
/// # Errors
/// If the extension is another; the file is named.
pub fn picture_format(path: &Path) -> Result<ImageFormat> {
    let Some(ending) = path.extension() else {
        return Ok(ImageFormat::Png);
    };
    match ending.to_string_lossy().to_ascii_lowercase().as_str() {
        "png" => Ok(ImageFormat::Png),
        "jpg" | "jpeg" => Ok(ImageFormat::Jpeg),
        _ if is_stream(path) => Ok(ImageFormat::Png),
        other => bail!(
            "{}: pictures can't be written as {other:?}, expected the ending png, jpg or jpeg",
            path.display()
        ),
    }
}

/// Writes 8-bit RGB pixels, row by row from the top, to a picture file in the format of the path's extension.
/// # Errors
/// If the file can't be written; it is named.
pub fn write_picture(path: &Path, rgb: &[u8], size_px: [u32; 2]) -> Result<()> {
    let bytes = encoded_picture(path, rgb, size_px)?;
    write_whole(path, |writer| Ok(writer.write_all(&bytes)?))
}

/// Writes a drawn picture, or names the file in the error of the drawing.
pub(super) fn write_drawing(path: &Path, drawn: Result<Vec<u8>>, size_px: [u32; 2]) -> Result<()> {
    let rgb = drawn.with_context(|| format!("can't write {}", path.display()))?;
    write_picture(path, &rgb, size_px)
}

/// Content of the file that [`write_picture`] writes to `path`.
///
/// # Errors
/// If the extension is unknown.
pub fn encoded_picture(path: &Path, rgb: &[u8], [width, height]: [u32; 2]) -> Result<Vec<u8>> {
    let (mut bytes, color) = (Vec::new(), ExtendedColorType::Rgb8);
    if picture_format(path)? == ImageFormat::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        encoder.write_image(rgb, width, height, color)?;
    } else {
        PngEncoder::new(&mut bytes).write_image(rgb, width, height, color)?;
    }
    Ok(bytes)
}
