//! Output folder of a benchmark:
//!
//! ```text
//! OUT/results.csv    one row per search, appended as it ends
//! OUT/summary.json   settings and figures, as of the last interim summary
//! OUT/success.png    success against evaluations, one curve per method
//! ```

use std::sync::Arc;
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::figures::{Comparison, ResultRow, Settings};
use crate::{
    files,
    latent::search::Strategy,
    plot::{self, PlotCurve},
    training::run_folder::RunFolder,
};

const HEAD: [&str; 6] = [
    "method",
    "seed",
    "sum",
    "evaluations",
    "spent",
    "false_claims",
];

/// Results of an earlier call.
#[derive(Default)]
pub(super) struct EarlierResults {
    /// Finished searches.
    pub rows: Vec<ResultRow>,
    /// Seconds spent on each strategy.
    pub wall_secs: Vec<(Strategy, f64)>,
}

/// Benchmark folder, open for results.
pub(super) struct Folder {
    path: PathBuf,
    table: File,
}

impl Folder {
    /// Creates a folder, or opens one of an earlier call with the same settings and reads its results.
    ///
    /// # Errors
    /// For foreign files, other settings or an invalid row, which are named.
    pub fn open(path: &Path, settings: &Settings) -> Result<(Self, EarlierResults)> {
        let summary = match fs::read_to_string(path.join("summary.json")) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("can't read {}", path.display()));
            }
        };
        let (rows, wall_secs) = match summary {
            None => {
                RunFolder::create(path)?;
                (Vec::new(), Vec::new())
            }
            Some(text) => {
                let earlier: Comparison = serde_json::from_str(&text).with_context(|| {
                    format!(
                        "{} is no summary of a benchmark",
                        path.join("summary.json").display()
                    )
                })?;
                if let Some(difference) = earlier.settings.difference(settings) {
                    bail!(
                        "{} holds another benchmark ({difference}): name another folder with --out",
                        path.display()
                    );
                }
                let secs = earlier
                    .methods
                    .iter()
                    .filter_map(|(name, figures)| Some((name.parse().ok()?, figures.wall_secs)));
                (read(&path.join("results.csv"))?, secs.collect())
            }
        };
        // Rewritten, so that a truncated row of a killed program is gone before the next is appended.
        write(&path.join("results.csv"), &rows)?;
        let comparison = Comparison::new(settings.clone(), &rows, &wall_secs, 0.0, false);
        write_summary(path, &comparison)?;
        let name = path.join("results.csv");
        let table = OpenOptions::new().append(true).open(&name);
        let folder = Self {
            path: path.to_owned(),
            table: table.with_context(|| format!("can't write {}", name.display()))?,
        };
        Ok((folder, EarlierResults { rows, wall_secs }))
    }

    /// Appends rows of finished searches.
    ///
    /// # Errors
    /// If the file can't be written; it is named.
    pub fn append(&mut self, rows: &[ResultRow]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        for row in rows {
            writer.write_record(record(row))?;
        }
        let text = writer.into_inner().context("rows can't be written")?;
        self.table
            .write_all(&text)
            .with_context(|| format!("can't write {}", self.path.join("results.csv").display()))
    }

    /// Writes an interim summary, so that the next call knows the seconds of a killed program.
    ///
    /// # Errors
    /// If the file can't be written; it is named.
    pub fn write_summary(&self, comparison: &Comparison) -> Result<()> {
        write_summary(&self.path, comparison)
    }

    /// Writes the sorted table, the summary and, after at least one finished search, the figure.
    ///
    /// # Errors
    /// If a file can't be written; it is named.
    pub fn close(&mut self, rows: &[ResultRow], comparison: &Comparison) -> Result<()> {
        write(&self.path.join("results.csv"), rows)?;
        write_summary(&self.path, comparison)?;
        if comparison.curves.is_empty() {
            return Ok(());
        }
        let points: Vec<(&str, Vec<(f64, f64)>)> = comparison
            .curves
            .iter()
            .map(|(name, shares)| {
                let points = shares.iter().enumerate();
                let points = points.map(|(index, share)| ((index + 1) as f64, *share));
                (name.as_str(), points.collect())
            })
            .collect();
        let curves: Vec<PlotCurve<'_>> = points
            .iter()
            .map(|(name, points)| PlotCurve { name, points })
            .collect();
        let settings = &comparison.settings;
        let title = format!(
            "Sums solved, {} dimensions, {} sums",
            settings.dims, settings.sums
        );
        plot::shares_png(
            &self.path.join("success.png"),
            [&title, "evaluations", "share solved"],
            &curves,
            [1100, 700],
        )
    }
}

fn record(row: &ResultRow) -> [String; 6] {
    [
        row.strategy.to_string(),
        row.seed.to_string(),
        row.task.to_string(),
        row.solved.map_or_else(String::new, |n| n.to_string()),
        row.spent.to_string(),
        row.false_claims.to_string(),
    ]
}

fn write(path: &Path, rows: &[ResultRow]) -> Result<()> {
    files::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(HEAD)?;
        for row in rows {
            table.write_record(record(row))?;
        }
        Ok(table.flush()?)
    })
}

fn write_summary(folder: &Path, comparison: &Comparison) -> Result<()> {
    files::write_whole(&folder.join("summary.json"), |file| {
        serde_json::to_writer_pretty(&mut *file, comparison)?;
        Ok(writeln!(file)?)
    })
}

/// Rows of a table; a truncated last row of a killed program is dropped.
fn read(path: &Path) -> Result<Vec<ResultRow>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("can't read {}", path.display())),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let mut rows = Vec::new();
    for (index, record) in csv::Reader::from_reader(whole.as_bytes())
        .records()
        .enumerate()
    {
        let row = record.ok().as_ref().and_then(parse);
        rows.push(row.with_context(|| {
            format!(
                "{} has a row {} that is no result",
                path.display(),
                index + 1
            )
        })?);
    }
    Ok(rows)
}

fn parse(record: &csv::StringRecord) -> Option<ResultRow> {
    let field = |index: usize| record.get(index);
    Some(ResultRow {
        strategy: field(0)?.parse().ok()?,
        seed: field(1)?.parse().ok()?,
        task: Arc::new(field(2)?.parse().ok()?),
        solved: match field(3)? {
            "" => None,
            number => Some(number.parse().ok()?),
        },
        spent: field(4)?.parse().ok()?,
        false_claims: field(5)?.parse().ok()?,
    })
}
