//! Maps, points and curves as CSV, for other programs. Numbers are written in full precision; what isn't
//! computed is left empty.

use std::path::Path;

use anyhow::Result;

use super::curves::PlotCurve;
use super::panel::Spot;
use crate::files::write_whole;
use crate::latent::field::{CellState, Field};

/// A map: x, y, value and whether the cell decodes to a number, one cell a row from the bottom left.
///
/// # Errors
/// Names the file if it can't be written.
pub fn field_csv(path: &Path, field: &Field, value_name: &str) -> Result<()> {
    write_rows(
        path,
        &["x", "y", value_name, "is_number"],
        (0..field.values.len()).map(|index| {
            let [x, y] = field.center(index);
            let (value, is_number) = match field.state(index) {
                CellState::Pending => (String::new(), String::new()),
                CellState::Number => (field.values[index].to_string(), true.to_string()),
                CellState::Missing => (field.values[index].to_string(), false.to_string()),
            };
            [x.to_string(), y.to_string(), value, is_number]
        }),
    )
}

/// Points: x, y and label.
///
/// # Errors
/// Names the file if it can't be written.
pub fn spots_csv(path: &Path, spots: &[Spot<'_>]) -> Result<()> {
    // Labels are shown with a true minus sign; other programs want the one they can read.
    let row = |spot: &Spot<'_>| {
        [
            spot.at[0].to_string(),
            spot.at[1].to_string(),
            spot.label.replace('\u{2212}', "-"),
        ]
    };
    write_rows(path, &["x", "y", "label"], spots.iter().map(row))
}

/// Curves in long form: name, x, y.
///
/// # Errors
/// Names the file if it can't be written.
pub fn curves_csv(path: &Path, curves: &[PlotCurve<'_>], x_name: &str, y_name: &str) -> Result<()> {
    let rows = curves.iter().flat_map(|curve| {
        let row = |(x, y): &(f64, f64)| [curve.name.to_owned(), x.to_string(), y.to_string()];
        curve.points.iter().map(row)
    });
    write_rows(path, &["curve", x_name, y_name], rows)
}

fn write_rows<const N: usize>(
    path: &Path,
    header: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<()> {
    write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(header)?;
        for row in rows {
            table.write_record(row)?;
        }
        Ok(table.flush()?)
    })
}
