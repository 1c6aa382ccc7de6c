//! Embeddings of functions by what they compute with: near for functions that do the same, whatever their author called
//! things.
//!
//! A function's [idioms](crate::data::python::idioms) are weighed, and projected to a dense part besides. Both the weights and
//! the projection are learnt by contrast ([`system`]): functions that bear one name in real code do about the same, each in its
//! own way, which is the weak supervision of code2vec (Alon et al. 2019, arXiv 1803.09473). tf-idf, the sceptic's baseline, is
//! where the weights begin.
//!
//! ```
//! use glyphspace::embedder::Embedder;
//!
//! let embedder = Embedder::bundled()?;
//! let [a, b, c] = [
//!     "def total(xs):\n    return sum(x * x for x in xs)",
//!     "def f(values):\n    s = 0\n    for v in values:\n        s += v * v\n    return s",
//!     "def g(path):\n    with open(path) as file:\n        return file.read()",
//! ]
//! .map(|source| embedder.embed(source));
//! assert!(a.cosine(&b) > a.cosine(&c));
//! # anyhow::Ok(())
//! ```

pub mod config;
pub mod evaluation;
mod idiom_counts;
pub mod job;
mod model;
pub mod system;

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use burn::tensor::Device;

use self::{
    config::EmbedderConfig,
    idiom_counts::{IdiomCounts, idiom_counts},
    model::EmbedderModel,
};
use crate::{
    data::python::idioms::idioms,
    training::{
        Progress,
        checkpoint::{Checkpoint, Source, bundled},
    },
};

const BUNDLED: Checkpoint = bundled!("embedder", "config.json", "progress.json", "model.bpk");

/// Embedding of length 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embedding {
    /// Weighed idioms by bucket, in order.
    idioms: Vec<(usize, f32)>,
    /// Dense part.
    dense: Vec<f32>,
}

impl Embedding {
    /// Cosine of the angle between two.
    pub fn cosine(&self, other: &Self) -> f32 {
        let mut rest = &other.idioms[..];
        let mut sum = 0.0;
        for (bucket, weight) in &self.idioms {
            rest = &rest[rest.partition_point(|(other, _)| other < bucket)..];
            if let [(other, found), ..] = rest
                && other == bucket
            {
                sum += weight * found;
            }
        }
        sum + std::iter::zip(&self.dense, &other.dense)
            .map(|(a, b)| a * b)
            .sum::<f32>()
    }

    /// Index of the nearest among some, of several the last; `None` if there are none.
    pub fn nearest(&self, among: &[Self]) -> Option<usize> {
        let cosines = among.iter().map(|other| self.cosine(other)).enumerate();
        let nearest = cosines.max_by(|(_, a), (_, b)| a.total_cmp(b));
        nearest.map(|(index, _)| index)
    }
}

/// A trained embedder, for inference: a few products per function, on the host.
#[derive(Clone, Debug)]
pub struct Embedder {
    /// Configuration.
    pub config: EmbedderConfig,
    /// Training progress.
    pub progress: Progress,
    /// Weight of each bucket.
    weights: Vec<f32>,
    /// Projection of each bucket, `width` values each.
    projection: Vec<f32>,
}

impl Embedder {
    fn new(config: EmbedderConfig, progress: Progress, model: &EmbedderModel) -> Result<Self> {
        let (weights, projection) = model.tensors();
        let read = "the device failed";
        Ok(Self {
            config,
            progress,
            weights: weights.try_into_vec_as().context(read)?,
            projection: projection.try_into_vec_as().context(read)?,
        })
    }

    /// Embedder of a run, or the bundled one.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit its configuration.
    pub fn load(source: &Source) -> Result<Self> {
        let untrained = |config: &EmbedderConfig| {
            EmbedderModel::new(config, &vec![1.0; config.buckets], &Device::flex())
        };
        if *source == Source::Untrained {
            let config = EmbedderConfig::default();
            let model = untrained(&config);
            return Self::new(config, Progress::default(), &model);
        }
        let checkpoint = Self::checkpoint(source)?;
        let config: EmbedderConfig = checkpoint.config()?;
        let model = checkpoint.model(untrained(&config))?;
        Self::new(config, checkpoint.progress()?, &model)
    }

    /// The checkpoint of `source`.
    ///
    /// # Errors
    /// If the run has none.
    pub fn checkpoint(source: &Source) -> Result<Checkpoint> {
        Checkpoint::of(source, &[BUNDLED])
    }

    /// The bundled one.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn bundled() -> Result<Arc<Self>> {
        static LOADED: OnceLock<Arc<Embedder>> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded.clone());
        }
        let loaded = Arc::new(Self::load(&Source::Bundled)?);
        Ok(LOADED.get_or_init(|| loaded).clone())
    }

    /// Number of parameters.
    pub fn params(&self) -> usize {
        self.weights.len() + self.projection.len()
    }

    /// Embedding of a function, or of other text that is about Python.
    pub fn embed(&self, source: &str) -> Embedding {
        self.of_counts(&idiom_counts(&idioms(source), self.config.buckets, true))
    }

    fn of_counts(&self, counts: &IdiomCounts) -> Embedding {
        let width = self.config.width;
        let weighed = counts
            .iter()
            .map(|(bucket, count)| (*bucket, count * self.weights[*bucket]));
        let mut idioms: Vec<_> = weighed.collect();
        let mut dense = vec![0.0; width];
        for (bucket, weight) in &idioms {
            let row = &self.projection[bucket * width..][..width];
            dense
                .iter_mut()
                .zip(row)
                .for_each(|(sum, x)| *sum += weight * x);
        }
        let share = self.config.dense as f32;
        scale(idioms.iter_mut().map(|(_, x)| x), (1.0 - share).sqrt());
        scale(dense.iter_mut(), share.sqrt());
        Embedding { idioms, dense }
    }
}

/// Scales values to a length; all 0 stay 0.
fn scale<'a>(values: impl Iterator<Item = &'a mut f32>, length: f32) {
    let values: Vec<&mut f32> = values.collect();
    let sum: f32 = values.iter().map(|x| **x * **x).sum();
    let factor = length / sum.sqrt().max(f32::MIN_POSITIVE);
    values.into_iter().for_each(|x| *x *= factor);
}
