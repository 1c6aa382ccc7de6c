//! Figures for papers: maps, latent planes and curves as PNG or JPEG.
//!
//! Figures match the window, with the same palettes and label placement, on white. Files are written
//! atomically (see [`crate::files`]).

mod curves;
mod file;
mod multiples;
mod panel;
mod picture;
pub mod placement;
mod shares;

use std::path::Path;

use anyhow::{Context, Result, ensure};

pub use curves::{PlotCurve, curves_png};
pub use file::{encoded_picture, picture_format, write_picture};
pub use multiples::{Multiple, multiples_png};
pub use panel::{Panel, Shade, Spot, shade};
pub use shares::shares_png;

/// Draws panels side by side into one figure of a size (width, height) in pixels; a single panel looks best
/// a tenth wider than high.
///
/// # Errors
/// If the file can't be written (it is named), or the size is too small for the panels or too large.
pub fn panels_png(path: &Path, panels: &[Panel<'_>], size_px: [u32; 2]) -> Result<()> {
    let picture = || {
        ensure!(!panels.is_empty(), "there is no panel to draw");
        let columns = panels.len() as u32;
        ensure!(
            size_px[0] / columns >= 320
                && size_px[1] >= 300
                && size_px.iter().all(|side| *side <= 20_000),
            "a picture of {} x {} pixels: expected at least 320 x 300 for each panel and at most 20000 a side",
            size_px[0],
            size_px[1]
        );
        picture::draw(size_px, |canvas| {
            for (column, panel) in (0..).zip(panels) {
                let [left, right] =
                    [column, column + 1].map(|edge| (size_px[0] * edge / columns) as i32);
                panel::draw(canvas, panel, [left, 0], [right, size_px[1] as i32])?;
            }
            Ok(())
        })
    };
    let rgb = picture().with_context(|| format!("can't write {}", path.display()))?;
    file::write_picture(path, &rgb, size_px)
}
