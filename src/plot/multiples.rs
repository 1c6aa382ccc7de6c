//! Small multiples: layouts of the same points side by side in rows, each with its own axes.

use std::path::Path;

use anyhow::{Result, ensure};
use plotters::style::Color;

use super::file::write_drawing;
use super::panel::{self, Panel, Square};
use super::picture::{self, BELOW, BESIDE, CENTRED, Canvas, INK, PALE_INK};
use crate::latent::projection::Fit;

/// One layout of the small multiples.
#[derive(Clone, Copy, Debug)]
pub struct Multiple<'a> {
    /// Panel with its spots in the box (-1, 1)^2; its title is drawn above.
    pub panel: Panel<'a>,
    /// Small note below the title.
    pub note: &'a str,
    /// Fit of the spots into the box: the axes show the original scale.
    pub fit: Fit,
}

/// Side of a layout's square and its margins, in pixels.
const SIDE: i32 = 400;
const LEFT: i32 = 62;
const TOP: i32 = 64;
const BOTTOM: i32 = 44;
/// Width of a row's colour bar, in pixels.
const BAR: i32 = 150;

/// Picture file of rows of layouts, each row with the colour bar of its last one.
///
/// # Errors
/// If the file can't be written (it is named), or there is no layout.
pub fn multiples_png(path: &Path, rows: &[Vec<Multiple<'_>>]) -> Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default() as i32;
    let size_px = [
        (columns * (LEFT + SIDE) + BAR) as u32,
        rows.len() as u32 * (TOP + SIDE + BOTTOM) as u32,
    ];
    let picture = || {
        ensure!(columns > 0, "there is no layout to draw");
        picture::check_size(size_px, true, "at most 20000 a side")?;
        picture::draw(size_px, |canvas| {
            for (row, layouts) in (0..).zip(rows) {
                let top = row * (TOP + SIDE + BOTTOM) + TOP;
                for (column, layout) in (0..).zip(layouts) {
                    let (left, side) = (column * (LEFT + SIDE) + LEFT, SIDE);
                    let square = Square { left, top, side };
                    draw(canvas, layout, square)?;
                    if column + 1 == layouts.len() as i32 {
                        panel::draw_bar(canvas, &layout.panel, square)?;
                    }
                }
            }
            Ok(())
        })
    };
    write_drawing(path, picture(), size_px)
}

fn draw(canvas: &Canvas<'_>, layout: &Multiple<'_>, square: Square) -> Result<()> {
    let Square { left, top, side } = square;
    let middle = left + side / 2;
    picture::label(
        canvas,
        layout.panel.title,
        22.0,
        CENTRED,
        [middle, top - 42],
    )?;
    picture::label(canvas, layout.note, 15.0, CENTRED, [middle, top - 16])?;
    for (axis, value, at) in ticks(layout.fit) {
        let ends = [-1.0, 1.0].map(|end| if axis == 0 { [at, end] } else { [end, at] });
        let ends = ends.map(|end| square.px_from_latent(end));
        picture::line(canvas, &ends, PALE_INK.mix(0.6), 1)?;
        let text = value.replace('-', "\u{2212}");
        let [x, y] = ends[0].map(|part| part.round() as i32);
        if axis == 0 {
            picture::label(canvas, &text, 15.0, BELOW, [x, top + side + 7])?;
        } else {
            picture::label(canvas, &text, 15.0, BESIDE, [left - 6, y])?;
        }
    }
    panel::draw_spots(canvas, &layout.panel, square)?;
    picture::frame(canvas, [left, top], [left + side, top + side], INK)
}

/// Round ticks on both axes: axis, label, and position on the box's axis.
fn ticks(fit: Fit) -> Vec<(usize, String, f32)> {
    if fit.unit <= 0.0 {
        return Vec::new();
    }
    // About five ticks, 1, 2 or 5 times a power of ten apart.
    let rough = 2.0 * fit.unit / 5.0;
    let power = 10_f32.powf(rough.log10().floor());
    let mut steps = [1.0, 2.0, 5.0].map(|times| times * power).into_iter();
    let step = steps.find(|step| *step >= rough).unwrap_or(10.0 * power);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let mut ticks = Vec::new();
    for axis in 0..2 {
        let [low, high] = [-1.0, 1.0].map(|end| (fit.centre[axis] + end * fit.unit) / step);
        for number in low.ceil() as i64..=high.floor() as i64 {
            let value = number as f32 * step;
            let mut place = fit.centre;
            place[axis] = value;
            ticks.push((axis, format!("{value:.decimals$}"), fit.in_box(place)[axis]));
        }
    }
    ticks
}
