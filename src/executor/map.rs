//! Incremental computation of a landscape, coarse to fine, so that a preview appears at once and the engine
//! stays responsive.

use std::{sync::Arc, time::Instant};

use anyhow::{Result, bail};

use super::{
    inference::ExecutorInference,
    programs::Outcome,
    views::{Cut, Landscape, LatentPlanes, Triple},
};
use crate::{
    data::{
        language::Code,
        sums::{Sum, Task},
    },
    latent::{field::Field, holes::spacings_apart, points::Points},
    training::DataParallel,
};

/// Entropy in nats above which a decoder is off its manifold: that of a fair coin.
const MAX_ENTROPY: f32 = std::f32::consts::LN_2;

/// Map in progress.
pub struct MapTask {
    /// Sum of the map.
    pub sum: Sum,
    executor: Arc<ExecutorInference>,
    /// A pass keeps one core busy, so passes run in parallel.
    shards: DataParallel,
    planes: LatentPlanes,
    cut: Option<Cut>,
    /// Grid sizes left, the next one last.
    sizes: Vec<usize>,
    grid: Points,
    done: usize,
    outcome: Outcome,
    spacings: Vec<f32>,
    begun: Instant,
    first_secs: Option<f64>,
}

impl MapTask {
    /// Plans a map of `size` x `size` cells through coarser ones, of the plane or of the slice through
    /// three programs.
    ///
    /// # Errors
    /// If the device fails, a plane is requested of a space that has not two dimensions, or the slice does
    /// not exist.
    pub fn new(
        executor: Arc<ExecutorInference>,
        sum: Sum,
        size: usize,
        slice: Option<Triple>,
    ) -> Result<Self> {
        Task::from(sum).check(executor.language())?;
        let dims = executor.config.dims;
        if dims != 2 && slice.is_none() {
            bail!(
                "the model has {dims} latent dimensions: expected 2, or three programs for a slice"
            );
        }
        let planes = executor.planes()?;
        let cut = |programs: Triple| {
            let places = executor.code_embeddings(programs)?;
            let mut places = places.iter();
            let [Some(a), Some(b), Some(c)] = [(); 3].map(|()| places.next()) else {
                bail!("the device failed while encoding programs");
            };
            Cut::through(programs, [a, b, c])
        };
        let cut = slice.map(cut).transpose()?;
        let mut sizes = vec![size];
        while let Some(coarser) = sizes.last().map(|size| size / 4).filter(|size| *size >= 16) {
            sizes.push(coarser);
        }
        let mut task = Self {
            sum,
            shards: DataParallel::per_core(&executor.device)?,
            executor,
            planes,
            cut,
            sizes,
            grid: Points::default(),
            done: 0,
            outcome: Outcome::default(),
            spacings: Vec::new(),
            begun: Instant::now(),
            first_secs: None,
        };
        task.begin();
        Ok(task)
    }

    /// Computes up to `max_points` points; returns the map whenever a grid is complete, and true with the
    /// finest.
    ///
    /// # Errors
    /// If the device fails.
    pub fn advance(&mut self, max_points: usize) -> Result<Option<(Landscape, bool)>> {
        let values = &self.grid.values[2 * self.done..];
        let points = Points {
            dims: 2,
            values: values[..values.len().min(2 * max_points)].to_vec(),
        };
        self.done += points.len();
        let points = match &self.cut {
            Some(cut) => cut.slice.embed_all(&points),
            None => points,
        };
        let share = points.len().div_ceil(self.shards.count()).max(1);
        let shares: Vec<Points> = points.chunks(share).collect();
        let found = self.shards.map_parallel(shares, |points| {
            let apart = spacings_apart(&points, &self.planes.codes);
            (self.executor.evaluate(&points, self.sum), apart)
        });
        for (outcome, apart) in found {
            self.outcome.extend(outcome?);
            self.spacings.extend(apart);
        }
        if self.done < self.grid.len() {
            return Ok(None);
        }
        let map = self.landscape();
        self.sizes.pop();
        self.begin();
        Ok(Some((map, self.sizes.is_empty())))
    }

    fn begin(&mut self) {
        self.grid = self
            .sizes
            .last()
            .map(|size| Points::grid(*size))
            .unwrap_or_default();
        self.done = 0;
        self.outcome = Outcome::default();
        self.spacings.clear();
    }

    fn landscape(&mut self) -> Landscape {
        let Outcome {
            code,
            loss,
            entropy,
            ..
        } = std::mem::take(&mut self.outcome);
        let size = self.sizes.last().copied().unwrap_or_default();
        let secs = self.begun.elapsed().as_secs_f64();
        let missing: Vec<bool> = code.iter().map(Option::is_none).collect();
        let apart = std::mem::take(&mut self.spacings);
        let doubt = entropy.iter().zip(&apart);
        let off = doubt.map(|(entropy, apart)| *entropy > MAX_ENTROPY || *apart > 1.0);
        let off: Vec<bool> = off.zip(&missing).map(|(off, none)| off || *none).collect();
        let right = |code: &Option<Code>| {
            if code.is_some_and(|c| self.sum.is_solved_by(c)) {
                1.0
            } else {
                0.0
            }
        };
        Landscape {
            sum: self.sum,
            step: self.executor.progress.step,
            cut: self.cut.clone(),
            sure_loss: Arc::new(Field {
                size,
                missing: off,
                values: loss.clone(),
            }),
            truth: Arc::new(Field {
                size,
                values: code.iter().map(right).collect(),
                missing: missing.clone(),
            }),
            loss: Arc::new(Field {
                size,
                values: loss,
                missing,
            }),
            code,
            entropy,
            planes: self.planes.clone(),
            secs,
            first_secs: *self.first_secs.get_or_insert(secs),
        }
    }
}
