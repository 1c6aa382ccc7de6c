//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// Writes a file through a temporary one in the same folder, which takes its name when it is complete.
///
/// # Errors
/// Names the file; an older file of that name stays as it was.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>,
) -> Result<()> {
    let attempt = || -> Result<()> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".glyphspace-");
        // Temporary files are private; an export should get the permissions any new file gets.
        #[cfg(unix)]
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        #[cfg(unix)]
        builder.permissions(permissions);
        let temporary = builder.tempfile_in(folder)?;
        let mut writer = BufWriter::new(temporary.as_file());
        write(&mut writer)?;
        writer.flush()?;
        drop(writer);
        temporary.as_file().sync_all()?;
        temporary.persist(path)?;
        Ok(())
    };
    attempt().with_context(|| format!("can't write {}", path.display()))
}

/// Writes 8-bit RGB pixels, row by row from the top.
pub(super) fn png(path: &Path, rgb: &[u8], [width, height]: [u32; 2]) -> Result<()> {
    write_whole(path, |writer| {
        Ok(PngEncoder::new(writer).write_image(rgb, width, height, ExtendedColorType::Rgb8)?)
    })
}
