//! Training batches: functions of about the same length.

use std::sync::Arc;

use anyhow::{Result, bail};
use rand::{Rng, RngExt, seq::SliceRandom};

use super::{
    code::cells_for,
    networks::mosaic::Layouts,
    similarity::{TermVector, TfIdf},
};
use crate::{
    data::{corpus::Corpus, python::variants},
    glyphs::config::GlyphsConfig,
};

/// Functions within this share of the corpus, by length, go together: little padding, yet a batch
/// never sees the same neighbours twice.
const NEIGHBOURHOOD: f64 = 0.4;
/// Functions of which the frequencies of terms are counted.
const COUNTED: usize = 2000;

/// The functions of a step.
#[derive(Clone, Debug, Default)]
pub struct FunctionBatch {
    /// Their tokens.
    pub rows: Vec<Vec<u32>>,
    /// A layout in which they may be worked on, if they fit.
    pub frame: usize,
    /// Term vector of each row; empty where no loss compares functions by their terms.
    pub terms: Vec<TermVector>,
}

impl FunctionBatch {
    fn arranged(mut self, layouts: &Layouts, parity: f64, rng: &mut impl Rng) -> Self {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.shuffle(rng);
        // Neighbours with the same layout are painted and read together.
        order.sort_by_key(|&row| layouts.index_for(cells_for(self.rows[row].len(), parity)));
        self.rows = order
            .iter()
            .map(|&row| std::mem::take(&mut self.rows[row]))
            .collect();
        self
    }
}

/// Draws batches from a corpus.
pub struct Sampler {
    corpus: Arc<Corpus>,
    layouts: Layouts,
    /// Bucket stride: batches are padded to every so many-th layout.
    bucket_stride: usize,
    /// Parity symbols a token.
    parity: f64,
    /// Functions to train on, shortest first.
    training: Vec<usize>,
    /// Functions never trained on, shortest first.
    validation: Vec<usize>,
    /// Similarity of functions, where losses compare by it.
    tf_idf: Option<TfIdf>,
}

impl Sampler {
    /// Splits the corpus; functions of more than `max_tokens` are left out.
    ///
    /// # Errors
    /// If there is nothing to train on.
    pub fn new(corpus: Arc<Corpus>, layouts: Layouts, config: &GlyphsConfig) -> Result<Self> {
        let mut all: Vec<usize> = (0..corpus.len())
            .filter(|&i| corpus.tokens(i).len() <= config.max_tokens)
            .collect();
        all.sort_by_key(|&i| corpus.tokens(i).len());
        let (validation, training): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|&i| corpus.is_validation(i, config.validation));
        if training.is_empty() {
            bail!(
                "the corpus has {} functions, none of them of up to {} tokens and to train on",
                corpus.len(),
                config.max_tokens
            );
        }
        let tf_idf = config.compares_terms().then(|| {
            let stride = training.len().div_ceil(COUNTED);
            let counted = training.iter().step_by(stride);
            let sources: Vec<String> = counted.map(|&i| corpus.text(i)).collect();
            TfIdf::new(sources.iter().map(String::as_str))
        });
        Ok(Self {
            corpus,
            layouts,
            bucket_stride: 1,
            parity: config.parity,
            training,
            validation,
            tf_idf,
        })
    }

    /// Sampler whose batches are padded to every `bucket_stride`-th layout only, so that few distinct shapes occur.
    pub fn with_bucket_stride(self, bucket_stride: usize) -> Self {
        Self {
            bucket_stride,
            ..self
        }
    }

    /// Bucket stride: batches are padded to every so many-th layout.
    pub fn bucket_stride(&self) -> usize {
        self.bucket_stride
    }

    /// The functions behind it.
    pub fn corpus(&self) -> &Arc<Corpus> {
        &self.corpus
    }

    /// Functions to train on.
    pub fn training(&self) -> &[usize] {
        &self.training
    }

    /// Functions never trained on.
    pub fn validation(&self) -> &[usize] {
        &self.validation
    }

    /// A batch for each of the step's shares: functions of about the same length, the length drawn as
    /// often as it occurs.
    pub fn draw(&self, config: &GlyphsConfig, rng: &mut impl Rng) -> Vec<FunctionBatch> {
        let window = window(&self.training, config, rng);
        let shares = 0..config.shards;
        shares.map(|_| self.share(window, config, rng)).collect()
    }

    fn share(&self, window: &[usize], config: &GlyphsConfig, rng: &mut impl Rng) -> FunctionBatch {
        let mut batch = FunctionBatch {
            rows: self.originals(window, config, rng),
            frame: self.frame(window),
            ..FunctionBatch::default()
        };
        let scripts = match config.scripts {
            0.0 => 0,
            share => (batch.rows.len() as f64 * share + rng.random::<f64>()) as usize,
        };
        for row in batch.rows.iter_mut().take(scripts) {
            let text = variants::in_another_script(&self.corpus.bpe().decode(row), rng);
            let tokens = text.map(|text| self.corpus.bpe().encode(&text));
            if let Some(tokens) = tokens.filter(|t| t.len() <= config.max_tokens) {
                *row = tokens;
            }
        }
        let mut batch = batch.arranged(&self.layouts, config.parity, rng);
        if let Some(tf_idf) = &self.tf_idf {
            let text = |row: &Vec<u32>| self.corpus.bpe().decode(row);
            let vectors = batch.rows.iter().map(|row| tf_idf.vector(&text(row)));
            batch.terms = vectors.collect();
        }
        batch
    }

    /// Functions never trained on, to judge a step by.
    pub fn draw_validation(&self, config: &GlyphsConfig, rng: &mut impl Rng) -> FunctionBatch {
        let from = if self.validation.is_empty() {
            &self.training
        } else {
            &self.validation
        };
        FunctionBatch {
            rows: self.originals(window(from, config, rng), config, rng),
            ..FunctionBatch::default()
        }
    }

    /// The layout in which all functions of a window can be worked on.
    fn frame(&self, window: &[usize]) -> usize {
        let longest = window.last().map_or(1, |&i| self.corpus.tokens(i).len());
        self.layouts.frame(
            self.layouts.index_for(cells_for(longest, self.parity)),
            self.bucket_stride,
        )
    }

    /// A share of a step's worth of a window's functions.
    fn originals(
        &self,
        window: &[usize],
        config: &GlyphsConfig,
        rng: &mut impl Rng,
    ) -> Vec<Vec<u32>> {
        let slots = self.layouts.all[self.frame(window)].slots();
        let count = (config.batch_tokens / slots).min(config.batch) / config.shards;
        let draw = |_| window[rng.random_range(0..window.len())];
        let chosen = (0..count.max(1)).map(draw);
        chosen
            .map(|i| self.corpus.tokens(i).iter().map(|&t| t as u32).collect())
            .collect()
    }
}

/// Neighbours by length around one of the functions, of which any is as likely.
fn window<'a>(from: &'a [usize], config: &GlyphsConfig, rng: &mut impl Rng) -> &'a [usize] {
    let near = ((from.len() as f64 * NEIGHBOURHOOD) as usize).max(config.batch);
    let middle = rng.random_range(0..from.len());
    let first = middle
        .saturating_sub(near / 2)
        .min(from.len().saturating_sub(near));
    &from[first..(first + near).min(from.len())]
}
