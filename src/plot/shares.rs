//! Step curves of shares from 0 to 1 against a count on a logarithmic axis, such as success by evaluations.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use plotters::prelude::*;

use super::curves::{COLORS, PlotCurve};
use super::file;
use super::picture::{self, INK, PALE_INK, TEXT_FONT, plain};

/// Draws step curves of shares. `titles`: of the figure, the x axis and the y axis; the size is (width,
/// height) in pixels.
///
/// # Errors
/// If the file can't be written (it is named), a curve has a count below 1, or none has a point.
pub fn shares_png(
    path: &Path,
    titles: [&str; 3],
    curves: &[PlotCurve<'_>],
    size_px: [u32; 2],
) -> Result<()> {
    let rgb = picture(titles, curves, size_px)
        .with_context(|| format!("can't write {}", path.display()))?;
    file::write_picture(path, &rgb, size_px)
}

fn picture(
    [title, x_title, y_title]: [&str; 3],
    curves: &[PlotCurve<'_>],
    size_px: [u32; 2],
) -> Result<Vec<u8>> {
    let counts = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.0));
    let most = counts().fold(0.0, f64::max);
    ensure!(
        most >= 1.0 && counts().all(|count| count >= 1.0),
        "no curve has a point, or one has a count below 1"
    );
    picture::draw(size_px, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .caption(title, (TEXT_FONT, 26.0).into_font().color(&INK))
            .margin(16)
            .x_label_area_size(52)
            .y_label_area_size(76)
            .build_cartesian_2d((1.0..most.max(2.0)).log_scale(), 0.0..1.0)
            .map_err(plain)?;
        chart
            .configure_mesh()
            .x_desc(x_title)
            .y_desc(y_title)
            .axis_desc_style((TEXT_FONT, 19.0).into_font().color(&INK))
            .label_style((TEXT_FONT, 17.0).into_font().color(&INK))
            .axis_style(INK)
            .bold_line_style(PALE_INK.mix(0.7))
            .light_line_style(PALE_INK.mix(0.25))
            .x_labels(8)
            .y_labels(10)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.1}"))
            .draw()
            .map_err(plain)?;
        for (index, (curve, color)) in curves.iter().zip(COLORS.iter().cycle()).enumerate() {
            let stairs = curve.points.iter().enumerate().flat_map(|(i, (x, y))| {
                let before = if i == 0 { *y } else { curve.points[i - 1].1 };
                [(*x, before), (*x, *y)]
            });
            // Lines are thinner once the colours repeat.
            let width = if index < COLORS.len() { 3 } else { 1 };
            let key = move |(x, y): (i32, i32)| {
                PathElement::new([(x, y), (x + 24, y)], color.stroke_width(width))
            };
            chart
                .draw_series(LineSeries::new(stairs, color.stroke_width(width)))
                .map_err(plain)?
                .label(curve.name)
                .legend(key);
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .legend_area_size(34)
            .margin(14)
            .label_font((TEXT_FONT, 18.0).into_font().color(&INK))
            .background_style(RGBColor(255, 255, 255).mix(0.88))
            .border_style(PALE_INK)
            .draw()
            .map_err(plain)
    })
}
