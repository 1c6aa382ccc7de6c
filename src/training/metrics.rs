//! Metrics of a run: one row a step, as in metrics.csv.

use anyhow::{Context, Result, ensure};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Column of the step's number, counted from 1.
pub const STEP: &str = "step";
/// Column of the position on the schedule before the step.
pub const POSITION: &str = "position";
/// Column of the learning rate.
pub const LEARNING_RATE: &str = "learning_rate";
/// Column of the weighted sum of the loss terms.
pub const LOSS: &str = "loss";
/// Column of the gradient's norm before clipping.
pub const GRADIENT_NORM: &str = "gradient_norm";
/// Column of the seconds spent in steps so far.
pub const TRAIN_SECS: &str = "train_secs";

/// A metric's value, written with as many digits as its type has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MetricValue {
    /// A count.
    Count(u64),
    /// A number in double precision.
    Double(f64),
    /// A number in single precision.
    Single(f32),
}

impl MetricValue {
    /// Another value of the same type.
    pub(super) fn of(self, value: f64) -> Self {
        match self {
            Self::Count(_) => Self::Count(value as u64),
            Self::Double(_) => Self::Double(value),
            Self::Single(_) => Self::Single(value as f32),
        }
    }

    /// The value in double precision; counts up to 2^53 are exact.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Double(value) => value,
            Self::Single(value) => value.into(),
        }
    }
}

/// Metrics of one step: names and values in the order of the columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(Vec<(&'static str, MetricValue)>);

impl Metrics {
    /// A row of these columns.
    pub fn new(columns: Vec<(&'static str, MetricValue)>) -> Self {
        Self(columns)
    }

    /// The value of a column; none where the system has no such column.
    pub fn get(&self, column: &str) -> Option<f64> {
        let found = self.0.iter().find(|(name, _)| *name == column);
        found.map(|(_, value)| value.as_f64())
    }

    /// The step, counted from 1.
    pub fn step(&self) -> u64 {
        self.get(STEP).unwrap_or_default() as u64
    }

    /// The weighted sum of the loss terms.
    pub fn loss(&self) -> f64 {
        self.get(LOSS).unwrap_or_default()
    }

    /// The learning rate of the step.
    pub fn learning_rate(&self) -> f64 {
        self.get(LEARNING_RATE).unwrap_or_default()
    }

    /// The gradient's norm before clipping.
    pub fn gradient_norm(&self) -> f64 {
        self.get(GRADIENT_NORM).unwrap_or_default()
    }

    /// Names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// Values in the order of the columns.
    pub fn values(&self) -> impl Iterator<Item = MetricValue> {
        self.0.iter().map(|(_, value)| *value)
    }
}

/// An object of names and values.
impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Metrics of all steps of a run, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsTable {
    columns: Vec<String>,
    values: Vec<f64>,
}

impl MetricsTable {
    /// The table in the bytes of a metrics.csv, `[]` for an empty one.
    ///
    /// # Errors
    /// If it has no column of steps, a row of another length, or an entry that is no number.
    pub fn from_csv(bytes: &[u8]) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(bytes);
        let columns: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        ensure!(
            columns.is_empty() || columns.iter().any(|name| name == STEP),
            "no column {STEP}"
        );
        let mut values = Vec::new();
        for record in reader.records() {
            for (name, entry) in columns.iter().zip(&record?) {
                let value = entry.parse::<f64>();
                values.push(value.with_context(|| format!("{name} is {entry:?}: no number"))?);
            }
        }
        Ok(Self { columns, values })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns.len().max(1)
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// A column from the first row to the last; 0 in each where there is no such column, as in runs of before it.
    pub fn column(&self, name: &str) -> impl Iterator<Item = f64> {
        let index = self.columns.iter().position(|column| column == name);
        let rows = self.values.chunks(self.columns.len().max(1));
        rows.map(move |row| index.map_or(0.0, |index| row[index]))
    }

    /// Rows without the last.
    pub(super) fn rows_before_last(&self) -> impl Iterator<Item = &[f64]> {
        let rows = self.values.chunks(self.columns.len().max(1));
        rows.take(self.len().saturating_sub(1))
    }

    /// Adds a row. Columns of the rows before that it lacks are dropped, new ones are 0 in those.
    pub fn push(&mut self, metrics: &Metrics) {
        if !self
            .columns
            .iter()
            .map(String::as_str)
            .eq(metrics.columns())
        {
            let columns: Vec<Vec<f64>> = metrics
                .columns()
                .map(|c| self.column(c).collect())
                .collect();
            let rows = 0..self.len();
            self.values = rows
                .flat_map(|row| columns.iter().map(move |column| column[row]))
                .collect();
            self.columns = metrics.columns().map(str::to_owned).collect();
        }
        self.values
            .extend(metrics.values().map(MetricValue::as_f64));
    }
}
