//! A training run: a trainer with its folder, its limit and its pace.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    Limit, MetricsRow, Pace, Trainer, TrainingView,
    checkpoint::{Checkpoint, METRICS},
};
use crate::{
    engine::run_folder::{RunFolder, RunLock},
    files,
};

/// Between two checkpoints.
const SAVE_EVERY: Duration = Duration::from_secs(60);
/// Steps over which the speed is measured.
const SPEED_STEPS: usize = 50;

/// A run under way.
pub struct Run<T: Trainer> {
    /// What is trained.
    pub trainer: T,
    /// How fast.
    pub pace: Pace,
    /// All metrics so far, one a step.
    pub curve: Vec<T::Metrics>,
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

impl<T: Trainer> Run<T> {
    /// Makes the run's folder `out` with a first checkpoint of the trainer that `make` makes. One that goes on
    /// with the run at `resumed` takes that run's metrics along, and may stay in its folder. While it lasts, no
    /// other process can train in the folder.
    ///
    /// # Errors
    /// If the trainer or the folder can't be made, another process trains there, or the metrics can't be read.
    pub fn begin(
        resumed: Option<&Path>,
        out: &Path,
        limit: Limit,
        make: impl FnOnce() -> Result<T>,
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
        let progress = *trainer.progress();
        let table = match resumed {
            Some(from) => read_metrics::<T::Metrics>(from, progress.step)?,
            None => Vec::new(),
        };
        let wrong = || format!("{METRICS} of {} holds no metrics", out.display());
        let curve = csv::Reader::from_reader(table.as_slice())
            .into_deserialize()
            .collect::<Result<_, _>>()
            .with_context(wrong)?;
        // What lies behind the checkpoint is taken again.
        files::write_whole(&folder.metrics(), |file| Ok(file.write_all(&table)?))?;
        let log = File::options().append(true).open(folder.metrics());
        let mut run = Self {
            pace: Pace::Running,
            curve,
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

    /// One training step and what it brings with it: metrics, now and then a checkpoint.
    ///
    /// # Errors
    /// If the device fails, the loss is no number any more, or a file can't be written.
    pub fn step(&mut self) -> Result<Option<PathBuf>> {
        let schedule = self.trainer.schedule_steps();
        if let Limit::Seconds(secs) = self.limit {
            let left = schedule.saturating_sub(self.first_position) as f64;
            let share = (self.spent_secs() / secs).clamp(0.0, 1.0);
            self.trainer.progress_mut().position = self.first_position + (left * share) as u64;
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

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the limit is reached.
    pub fn is_done(&self) -> bool {
        match self.limit {
            Limit::Schedule => self.trainer.progress().position >= self.trainer.schedule_steps(),
            Limit::Steps(steps) => self.trainer.progress().step - self.first_step >= steps,
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
            self.trainer.progress_mut().position = self.trainer.schedule_steps();
        }
        self.saved = Instant::now();
        let step = self.trainer.progress().step;
        let mut files = self.trainer.files()?;
        files.push((METRICS, self.table.clone()));
        self.folder.save(step, &files)
    }

    /// Adds a row to the metrics, in one piece, so that a process that is killed leaves no half of one.
    fn log_row(&mut self, metrics: &T::Metrics) -> Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(self.table.is_empty())
            .from_writer(Vec::new());
        let cant_write = || format!("can't write {}", self.folder.metrics().display());
        writer.serialize(metrics).with_context(cant_write)?;
        let row = writer.into_inner().with_context(cant_write)?;
        self.log.write_all(&row).with_context(cant_write)?;
        self.table.extend(row);
        self.curve.push(*metrics);
        Ok(())
    }

    /// What can be shown of it.
    pub fn view(&self, has_ended: bool) -> TrainingView<T::Metrics> {
        let speed = match (self.recent.front(), self.recent.back()) {
            (Some(first), Some(last)) if last > first => {
                (self.recent.len() - 1) as f64 / (*last - *first).as_secs_f64()
            }
            _ => 0.0,
        };
        let (done, left_steps) = match self.limit {
            Limit::Seconds(secs) => (self.spent_secs() / secs, None),
            Limit::Steps(steps) => share(self.trainer.progress().step - self.first_step, steps),
            Limit::Schedule => share(
                self.trainer.progress().position,
                self.trainer.schedule_steps(),
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
            last: self.curve.last().copied(),
            steps_per_sec: speed,
            done: done.clamp(0.0, 1.0),
            eta_secs: eta_secs.filter(|_| !has_ended),
        }
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
fn read_metrics<M: MetricsRow>(from: &Path, last_step: u64) -> Result<Vec<u8>> {
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
    while reader.read_record(&mut record).with_context(wrong)? {
        let row: M = record.deserialize(Some(&headers)).with_context(wrong)?;
        if row.step() > last_step {
            break;
        }
        end = reader.position().byte();
    }
    Ok(bytes[..end as usize].to_vec())
}
