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

use std::path::Path;

use anyhow::{Result, ensure};

pub use curves::{PlotCurve, curves_png, shares_png};
pub use file::{encoded_picture, picture_format, write_picture};
pub use multiples::{Multiple, multiples_png};
pub use panel::{Panel, Shade, Spot, shade};

/// Picture file of panels side by side, of a size (width, height) in pixels; a single panel looks best a
/// tenth wider than high.
///
/// # Errors
/// If the file can't be written (it is named), or the size is too small for the panels or too large.
pub fn panels_png(path: &Path, panels: &[Panel<'_>], size_px: [u32; 2]) -> Result<()> {
    let picture = || {
        ensure!(!panels.is_empty(), "there is no panel to draw");
        let columns = panels.len() as u32;
        let is_enough = size_px[0] / columns >= 320 && size_px[1] >= 300;
        let expected = "at least 320 x 300 for each panel and at most 20000 a side";
        picture::check_size(size_px, is_enough, expected)?;
        picture::draw(size_px, |canvas| {
            for (column, panel) in (0..).zip(panels) {
                let [left, right] =
                    [column, column + 1].map(|edge| (size_px[0] * edge / columns) as i32);
                panel::draw(canvas, panel, [left, 0], [right, size_px[1] as i32])?;
            }
            Ok(())
        })
    };
    file::write_drawing(path, picture(), size_px)
}
