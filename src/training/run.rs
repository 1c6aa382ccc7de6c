//! A training run: a trainer with its folder, its limit and its pace.

use std::{
    collections::VecDeque,
    fs::File,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Limit, Pace, Row, Trainer, TrainingView};
use crate::{engine::run_folder::RunFolder, plot};

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
    limit: Limit,
    first_step: u64,
    first_position: u64,
    /// Seconds this run has been going on, pauses left out, up to `since`.
    spent: f64,
    since: Instant,
    log: csv::Writer<File>,
    saved: Instant,
    recent: VecDeque<Instant>,
}

impl<T: Trainer> Run<T> {
    /// Makes the run's folder `out` and writes its first checkpoint. A trainer that goes on with
    /// the run at `resumed` takes that run's metrics along, and may stay in its folder.
    ///
    /// # Errors
    /// If the folder can't be made, or the metrics can't be read.
    pub fn new(trainer: T, resumed: Option<&Path>, out: &Path, limit: Limit) -> Result<Self> {
        let goes_on_in_place = resumed.is_some_and(|from| is_same(from, out));
        let folder = if goes_on_in_place {
            RunFolder::existing(out)
        } else {
            RunFolder::create(out)?
        };
        let progress = *trainer.progress();
        let curve = match resumed {
            Some(from) => read_metrics(&RunFolder::existing(from).metrics(), progress.step)?,
            None => Vec::new(),
        };
        let log = start_log(&folder.metrics(), &curve)?;
        let mut run = Self {
            pace: Pace::Running,
            curve,
            folder,
            limit,
            first_step: progress.step,
            first_position: progress.position,
            spent: 0.0,
            since: Instant::now(),
            log,
            saved: Instant::now(),
            recent: VecDeque::new(),
            trainer,
        };
        run.save()?;
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
        self.log
            .serialize(metrics)
            .with_context(|| self.cant_write())?;
        self.curve.push(metrics);
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
            Limit::Steps(steps) => self.trainer.progress().step >= self.first_step + steps,
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
        self.log.flush().with_context(|| self.cant_write())?;
        self.saved = Instant::now();
        let step = self.trainer.progress().step;
        self.folder.save(step, &self.trainer.files()?)
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

    fn cant_write(&self) -> String {
        format!("can't write {}", self.folder.metrics().display())
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

fn read_metrics<M: Row>(path: &Path, last_step: u64) -> Result<Vec<M>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let wrong = || format!("{} is not a table of metrics", path.display());
    let mut rows = Vec::new();
    for row in csv::Reader::from_path(path)
        .with_context(wrong)?
        .into_deserialize()
    {
        let row: M = row.with_context(wrong)?;
        // Steps after the checkpoint are taken again.
        if row.step() <= last_step {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Replaces the table by `rows` as a whole and leaves it open for more.
fn start_log(path: &Path, rows: &[impl Row]) -> Result<csv::Writer<File>> {
    plot::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        for row in rows {
            table.serialize(row)?;
        }
        Ok(table.flush()?)
    })?;
    let file = File::options().append(true).open(path);
    let file = file.with_context(|| format!("can't write {}", path.display()))?;
    Ok(csv::WriterBuilder::new()
        .has_headers(rows.is_empty())
        .from_writer(file))
}
