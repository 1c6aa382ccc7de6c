//! A training run: a trainer with its folder, limit and pace, its metrics and checkpoints.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

use super::{
    Limit, Metrics, MetricsTable, Pace, Start, System, Trainer, TrainingView,
    checkpoint::{Checkpoint, METRICS},
    config::Config,
    metrics::STEP,
    run_folder::{RunFolder, RunLock},
};
use crate::files;

/// Interval between two checkpoints.
const SAVE_EVERY: Duration = Duration::from_secs(60);
/// Steps over which the speed is measured.
const SPEED_STEPS: usize = 50;

/// A run under way.
pub struct Run<S: System> {
    /// The trainer.
    pub trainer: Trainer<S>,
    /// Pace.
    pub pace: Pace,
    /// All metrics so far, one a step.
    pub curve: MetricsTable,
    last: Option<Metrics>,
    folder: RunFolder,
    _lock: RunLock,
    limit: Limit,
    first_step: u64,
    first_position: u64,
    /// Seconds this run has been going on, pauses left out, up to `since`.
    spent: f64,
    since: Instant,
    /// The rows of `curve` as they were written.
    table: Vec<u8>,
    log: File,
    saved: Instant,
    recent: VecDeque<Instant>,
}

impl<S: System> Run<S> {
    /// A run in the folder `out`, new or resumed.
    ///
    /// # Errors
    /// If the start can't be read or trained, or the folder can't be made.
    pub fn start(
        start: Start<S::Config>,
        data: S::Data,
        out: &Path,
        limit: Limit,
        device: &Device,
    ) -> Result<Self> {
        Self::begin(start.resumed(), out, limit, || match &start {
            Start::Fresh(config) => Trainer::new((**config).clone(), data, device),
            Start::FineTune(config, weights) => {
                Trainer::fine_tune((**config).clone(), weights, data, device)
            }
            Start::Resume(path) => Trainer::resume(path, data, device),
        })
    }

    /// Begins a run in the folder `out` with a first checkpoint of the trainer that `make` returns. A run
    /// that resumes the one at `resumed` takes over its metrics and may stay in its folder. The folder is locked
    /// against other processes.
    ///
    /// # Errors
    /// If the trainer or the folder can't be made, another process trains there, or the metrics can't be read.
    pub fn begin(
        resumed: Option<&Path>,
        out: &Path,
        limit: Limit,
        make: impl FnOnce() -> Result<Trainer<S>>,
    ) -> Result<Self> {
        let (trainer, folder, lock);
        let is_in_place = resumed.is_some_and(|from| is_same(from, out));
        if is_in_place {
            folder = RunFolder::existing(out);
            // Says so if there is no run.
            if folder.newest()? == *out {
                bail!(
                    "{} is a checkpoint: expected the folder of its run",
                    out.display()
                );
            }
            lock = folder.lock()?;
            trainer = make()?;
        } else {
            trainer = make()?;
            folder = RunFolder::create(out)?;
            lock = folder.lock()?;
        }
        let progress = trainer.progress;
        let table = match resumed {
            Some(from) => read_metrics(from, progress.step)?,
            None => Vec::new(),
        };
        let curve = MetricsTable::from_csv(&table)
            .with_context(|| format!("{METRICS} of {} holds no metrics", out.display()))?;
        // What lies behind the checkpoint is taken again.
        files::write_whole(&folder.metrics(), |file| Ok(file.write_all(&table)?))?;
        let log = File::options().append(true).open(folder.metrics());
        let mut run = Self {
            pace: Pace::Running,
            curve,
            last: None,
            limit,
            first_step: progress.step,
            first_position: progress.position,
            spent: 0.0,
            since: Instant::now(),
            table,
            log: log.with_context(|| format!("can't write {}", folder.metrics().display()))?,
            folder,
            _lock: lock,
            saved: Instant::now(),
            recent: VecDeque::new(),
            trainer,
        };
        if !is_in_place {
            run.save()?;
        }
        Ok(run)
    }

    /// Changes the pace; the clock stands still while paused.
    pub fn set_pace(&mut self, pace: Pace) {
        self.spent = self.spent_secs();
        self.since = Instant::now();
        self.recent.clear();
        self.pace = pace;
    }

    /// Takes a training step and logs its metrics; returns the path of a checkpoint, if one was due.
    ///
    /// # Errors
    /// If the device fails, the loss is no number any more, or a file can't be written.
    pub fn step(&mut self) -> Result<Option<PathBuf>> {
        let schedule = self.trainer.config.schedule().steps;
        if let Limit::Seconds(secs) = self.limit {
            let left = schedule.saturating_sub(self.first_position) as f64;
            let share = (self.spent_secs() / secs).clamp(0.0, 1.0);
            self.trainer.progress.position = self.first_position + (left * share) as u64;
        }
        let metrics = self.trainer.step()?;
        self.log_row(&metrics)?;
        self.recent.push_back(Instant::now());
        if self.recent.len() > SPEED_STEPS {
            self.recent.pop_front();
        }
        if !(metrics.loss().is_finite() && metrics.gradient_norm().is_finite()) {
            bail!(
                "the loss is {} and its gradient {} at step {}: try a lower learning_rate",
                metrics.loss(),
                metrics.gradient_norm(),
                metrics.step()
            );
        }
        if self.pace == Pace::OneStep {
            self.set_pace(Pace::Paused);
        }
        if self.saved.elapsed() < SAVE_EVERY {
            Ok(None)
        } else {
            self.save().map(Some)
        }
    }

    /// Folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// True once the limit is reached.
    pub fn is_done(&self) -> bool {
        match self.limit {
            Limit::Schedule => {
                self.trainer.progress.position >= self.trainer.config.schedule().steps
            }
            Limit::Steps(steps) => self.trainer.progress.step - self.first_step >= steps,
            Limit::Seconds(secs) => self.spent_secs() >= secs,
        }
    }

    /// Writes metrics and a checkpoint.
    ///
    /// # Errors
    /// Names the file.
    pub fn save(&mut self) -> Result<PathBuf> {
        if let Limit::Seconds(secs) = self.limit
            && self.spent_secs() >= secs
        {
            self.trainer.progress.position = self.trainer.config.schedule().steps;
        }
        self.saved = Instant::now();
        let step = self.trainer.progress.step;
        let mut files = self.trainer.files()?;
        files.push((METRICS, self.table.clone()));
        self.folder.save(step, &files)
    }

    /// Adds a row to the metrics, in one piece, so that a process that is killed leaves no half of one.
    fn log_row(&mut self, metrics: &Metrics) -> Result<()> {
        let cant_write = || format!("can't write {}", self.folder.metrics().display());
        let is_new = !self
            .curve
            .columns()
            .iter()
            .map(String::as_str)
            .eq(metrics.columns());
        self.curve.push(metrics);
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        if is_new {
            writer
                .write_record(self.curve.columns())
                .with_context(cant_write)?;
            for row in self.curve.rows_before_last() {
                let row = metrics
                    .values()
                    .zip(row)
                    .map(|(kind, value)| kind.of(*value));
                writer
                    .serialize(row.collect::<Vec<_>>())
                    .with_context(cant_write)?;
            }
        }
        let values: Vec<_> = metrics.values().collect();
        writer.serialize(values).with_context(cant_write)?;
        let rows = writer.into_inner().with_context(cant_write)?;
        if is_new {
            // Columns have been added since the rows before were written.
            self.table = rows;
            files::write_whole(&self.folder.metrics(), |file| {
                Ok(file.write_all(&self.table)?)
            })?;
            let log = File::options().append(true).open(self.folder.metrics());
            self.log = log.with_context(cant_write)?;
        } else {
            self.log.write_all(&rows).with_context(cant_write)?;
            self.table.extend(rows);
        }
        self.last = Some(metrics.clone());
        Ok(())
    }

    /// State, to be shown.
    pub fn view(&self, has_ended: bool) -> TrainingView {
        let speed = match (self.recent.front(), self.recent.back()) {
            (Some(first), Some(last)) if last > first => {
                (self.recent.len() - 1) as f64 / (*last - *first).as_secs_f64()
            }
            _ => 0.0,
        };
        let (done, left_steps) = match self.limit {
            Limit::Seconds(secs) => (self.spent_secs() / secs, None),
            Limit::Steps(steps) => share(self.trainer.progress.step - self.first_step, steps),
            Limit::Schedule => share(
                self.trainer.progress.position,
                self.trainer.config.schedule().steps,
            ),
        };
        let eta_secs = match self.limit {
            Limit::Seconds(secs) => Some((secs - self.spent_secs()).max(0.0)),
            _ => left_steps
                .filter(|_| speed > 0.0)
                .map(|steps| steps as f64 / speed),
        };
        TrainingView {
            folder: self.folder.path().to_owned(),
            pace: (!has_ended).then_some(self.pace),
            last: self.last.clone(),
            steps_per_sec: speed,
            done: done.clamp(0.0, 1.0),
            captured: self.captured(),
            eta_secs: eta_secs.filter(|_| !has_ended),
        }
    }

    fn captured(&self) -> Option<Result<(), String>> {
        let captured = self.trainer.is_captured()?;
        Some(captured.map_err(|error| format!("{error:#}")))
    }

    fn spent_secs(&self) -> f64 {
        let running = if self.pace == Pace::Paused {
            0.0
        } else {
            self.since.elapsed().as_secs_f64()
        };
        self.spent + running
    }
}

fn share(done: u64, all: u64) -> (f64, Option<u64>) {
    (
        done as f64 / all.max(1) as f64,
        Some(all.saturating_sub(done)),
    )
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The metrics of the run at `from` up to `last_step`, with their header: those of its checkpoint. A run of
/// before kept them in its folder only, where a process that was killed may have left half a row.
///
/// # Errors
/// Names the file that can't be read or holds anything else.
fn read_metrics(from: &Path, last_step: u64) -> Result<Vec<u8>> {
    let checkpoint = Checkpoint::newest(from)?;
    let path = RunFolder::existing(from).metrics();
    let bytes = if checkpoint.has(METRICS) {
        checkpoint.read(METRICS)?
    } else if path.exists() {
        fs::read(&path).with_context(|| format!("can't read {}", path.display()))?
    } else {
        Vec::new()
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n');
    let bytes = &bytes[..whole.map_or(0, |end| end + 1)];
    let mut reader = csv::Reader::from_reader(bytes);
    let wrong = || format!("{} is not a table of metrics", path.display());
    let headers = reader.headers().with_context(wrong)?.clone();
    let mut record = csv::StringRecord::new();
    let mut end = if headers.is_empty() {
        0
    } else {
        reader.position().byte()
    };
    let step = headers.iter().position(|name| name == STEP);
    while reader.read_record(&mut record).with_context(wrong)? {
        let entry = step.and_then(|step| record.get(step)).with_context(wrong)?;
        if entry.parse::<u64>().with_context(wrong)? > last_step {
            break;
        }
        end = reader.position().byte();
    }
    Ok(bytes[..end as usize].to_vec())
}
