//! Curves of named series with a legend: training curves, and step curves of shares.

use std::path::Path;

use anyhow::{Result, ensure};
use plotters::{
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
};

use super::file::write_drawing;
use super::picture::{self, Canvas, INK, PALE_INK, TEXT_FONT, WHITE, plain};

/// Named series of (x, y).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlotCurve<'a> {
    /// Name in the legend.
    pub name: &'a str,
    /// Points by ascending x; those that are not finite and positive are omitted.
    pub points: &'a [(f64, f64)],
}

/// Okabe and Ito's palette, distinguishable with any colour blindness, ordered by legibility on white.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Picture file of curves with a logarithmic y axis. `titles`: of the figure, the x axis and the y axis; the
/// size is (width, height) in pixels.
///
/// # Errors
/// If the file can't be written (it is named), or no curve has a positive point.
pub fn curves_png(
    path: &Path,
    titles: [&str; 3],
    curves: &[PlotCurve<'_>],
    size_px: [u32; 2],
) -> Result<()> {
    let picture = || {
        let is_sound = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && *y > 0.0;
        let line = |curve: &PlotCurve<'_>| Line {
            points: curve.points.iter().copied().filter(is_sound).collect(),
            width_px: 2,
            key_width_px: 3,
        };
        let lines: Vec<Line> = curves.iter().map(line).collect();
        let limits = |value: fn(&(f64, f64)) -> f64| {
            let all = lines.iter().flat_map(|line| &line.points).map(value);
            all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let ((x_low, x_high), (y_low, y_high)) = (limits(|point| point.0), limits(|point| point.1));
        ensure!(x_low <= x_high, "no curve has a point above zero");
        let is_enough = size_px[0] >= 320 && size_px[1] >= 240;
        picture::check_size(size_px, is_enough, "320 x 240 to 20000 a side")?;
        let x_high = if x_high > x_low { x_high } else { x_low + 1.0 };
        // A small margin above and below, and never an empty range.
        let margin = (y_high / y_low).powf(0.05).max(1.1);
        let y_axis = (y_low / margin..y_high * margin).log_scale();
        let labels: [TickFormat; 2] = [&|x| short(*x), &|y| short(*y)];
        picture::draw(size_px, |canvas| {
            let legend = SeriesLabelPosition::UpperRight;
            draw(
                canvas,
                titles,
                (x_low..x_high, y_axis),
                labels,
                curves,
                lines,
                legend,
            )
        })
    };
    write_drawing(path, picture(), size_px)
}

/// Picture file of step curves: shares from 0 to 1 against a count on a logarithmic axis, such as success by
/// evaluations. `titles`: of the figure, the x axis and the y axis; the size is (width, height) in pixels.
///
/// # Errors
/// If the file can't be written (it is named), a curve has a count below 1, or none has a point.
pub fn shares_png(
    path: &Path,
    titles: [&str; 3],
    curves: &[PlotCurve<'_>],
    size_px: [u32; 2],
) -> Result<()> {
    let picture = || {
        let counts = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.0));
        let most = counts().fold(0.0, f64::max);
        ensure!(
            most >= 1.0 && counts().all(|count| count >= 1.0),
            "no curve has a point, or one has a count below 1"
        );
        let line = |(index, curve): (usize, &PlotCurve<'_>)| {
            let stairs = curve.points.iter().enumerate().flat_map(|(i, (x, y))| {
                let before = if i == 0 { *y } else { curve.points[i - 1].1 };
                [(*x, before), (*x, *y)]
            });
            // Lines are thinner once the colours repeat.
            let width_px = if index < COLORS.len() { 3 } else { 1 };
            Line {
                points: stairs.collect(),
                width_px,
                key_width_px: width_px,
            }
        };
        let lines = curves.iter().enumerate().map(line).collect();
        let x_axis = (1.0..most.max(2.0)).log_scale();
        let labels: [TickFormat; 2] = [&|x| format!("{x:.0}"), &|y| format!("{y:.1}")];
        picture::draw(size_px, |canvas| {
            let legend = SeriesLabelPosition::LowerRight;
            draw(
                canvas,
                titles,
                (x_axis, 0.0..1.0),
                labels,
                curves,
                lines,
                legend,
            )
        })
    };
    write_drawing(path, picture(), size_px)
}

/// Line of a chart.
struct Line {
    points: Vec<(f64, f64)>,
    width_px: u32,
    /// Width in the legend.
    key_width_px: u32,
}

/// Text of a number on an axis.
type TickFormat<'a> = &'a dyn Fn(&f64) -> String;

/// Chart of one line a curve.
fn draw<X, Y>(
    canvas: &Canvas<'_>,
    [title, x_title, y_title]: [&str; 3],
    (x_axis, y_axis): (X, Y),
    [x_label, y_label]: [TickFormat; 2],
    curves: &[PlotCurve<'_>],
    lines: Vec<Line>,
    legend: SeriesLabelPosition,
) -> Result<()>
where
    X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
{
    let font = |height_px: f64| (TEXT_FONT, height_px).into_font().color(&INK);
    let mut chart = ChartBuilder::on(canvas)
        .caption(title, font(26.0))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(76)
        .build_cartesian_2d(x_axis, y_axis)
        .map_err(plain)?;
    chart
        .configure_mesh()
        .x_desc(x_title)
        .y_desc(y_title)
        .axis_desc_style(font(19.0))
        .label_style(font(17.0))
        .axis_style(INK)
        .bold_line_style(PALE_INK.mix(0.7))
        .light_line_style(PALE_INK.mix(0.25))
        .x_labels(8)
        .y_labels(10)
        .x_label_formatter(x_label)
        .y_label_formatter(y_label)
        .draw()
        .map_err(plain)?;
    for ((curve, line), color) in curves.iter().zip(lines).zip(COLORS.into_iter().cycle()) {
        let key = move |(x, y): (i32, i32)| {
            PathElement::new([(x, y), (x + 24, y)], color.stroke_width(line.key_width_px))
        };
        chart
            .draw_series(LineSeries::new(
                line.points,
                color.stroke_width(line.width_px),
            ))
            .map_err(plain)?
            .label(curve.name)
            .legend(key);
    }
    chart
        .configure_series_labels()
        .position(legend)
        .legend_area_size(34)
        .margin(14)
        .label_font(font(18.0))
        .background_style(WHITE.mix(0.88))
        .border_style(PALE_INK)
        .draw()
        .map_err(plain)
}

/// Shortest label of a number that distinguishes it from its neighbours on an axis.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    let text = if magnitude >= 1e6 || (magnitude < 1e-3 && magnitude > 0.0) {
        format!("{value:.0e}")
    } else {
        let padded = format!("{value:.4}");
        padded
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    };
    text.replace('-', "\u{2212}")
}
