//! Training curves: named series on a logarithmic axis, with a legend.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use plotters::prelude::*;

use super::file;
use super::picture::{self, INK, PALE_INK, TEXT_FONT, plain};

/// Named series of (x, y).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlotCurve<'a> {
    /// Name in the legend.
    pub name: &'a str,
    /// Points by ascending x; those that are not finite and positive are omitted.
    pub points: &'a [(f64, f64)],
}

/// Okabe and Ito's palette, distinguishable with any colour blindness, ordered by legibility on white.
pub(super) const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Draws curves with a logarithmic y axis. `titles`: of the figure, the x axis and the y axis; the size is
/// (width, height) in pixels.
///
/// # Errors
/// If the file can't be written (it is named), or no curve has a positive point.
pub fn curves_png(
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
    let is_sound = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && *y > 0.0;
    let sound: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|curve| curve.points.iter().copied().filter(is_sound).collect())
        .collect();
    let limits = |value: fn(&(f64, f64)) -> f64| {
        let all = sound.iter().flatten().map(value);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let ((x_low, x_high), (y_low, y_high)) = (limits(|point| point.0), limits(|point| point.1));
    ensure!(x_low <= x_high, "no curve has a point above zero");
    ensure!(
        size_px[0] >= 320 && size_px[1] >= 240 && size_px.iter().all(|side| *side <= 20_000),
        "a picture of {} x {} pixels: expected 320 x 240 to 20000 a side",
        size_px[0],
        size_px[1]
    );
    let x_high = if x_high > x_low { x_high } else { x_low + 1.0 };
    // A small margin above and below, and never an empty range.
    let margin = (y_high / y_low).powf(0.05).max(1.1);
    picture::draw(size_px, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .caption(title, (TEXT_FONT, 26.0).into_font().color(&INK))
            .margin(16)
            .x_label_area_size(52)
            .y_label_area_size(76)
            .build_cartesian_2d(x_low..x_high, (y_low / margin..y_high * margin).log_scale())
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
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .draw()
            .map_err(plain)?;
        for ((curve, points), color) in curves.iter().zip(&sound).zip(COLORS.into_iter().cycle()) {
            let series = LineSeries::new(points.iter().copied(), color.stroke_width(2));
            let key = move |(x, y): (i32, i32)| {
                PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3))
            };
            chart
                .draw_series(series)
                .map_err(plain)?
                .label(curve.name)
                .legend(key);
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .legend_area_size(34)
            .margin(14)
            .label_font((TEXT_FONT, 18.0).into_font().color(&INK))
            .background_style(RGBColor(255, 255, 255).mix(0.88))
            .border_style(PALE_INK)
            .draw()
            .map_err(plain)
    })
}

/// Shortest label of a number that distinguishes it from its neighbours on an axis.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    let text = if magnitude >= 1e6 || (magnitude < 1e-3 && magnitude > 0.0) {
        format!("{value:.0e}")
    } else {
        format!("{:.4}", value)
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    };
    text.replace('-', "\u{2212}")
}
