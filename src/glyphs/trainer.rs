//! Code Glyphs in training, step by step.
//!
//! Everything random in step n is drawn from the stream n of the run's seed, on the host; so the
//! random state of a run is its step, and a resumed run goes on to the last bit.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use burn::{module::Module, tensor::Device};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    batch::Sampler,
    checkpoint,
    curriculum::Curriculum,
    inference::GlyphReader,
    model::GlyphModel,
    objective::Objective,
    sight::{Sight, Viewer},
};
use crate::{
    config::{Config, glyphs::GlyphsConfig},
    data::{bpe::Bpe, corpus::Corpus},
    nn::{
        adamw::{AdamW, Rates},
        mosaic::Layouts,
        perceptor::Perceptor,
        resnet_v2::ResNetV2Config,
    },
    training::{self, Drawn, Learner, Limit, Progress, Row, Run, Shards, Start, checkpoint::files},
};

/// Where all of a step is recorded, functions are worked on in every so many-th layout.
const FRAMES: usize = 5;
/// Steps between two looks at functions that are not trained on.
const VALIDATE_EVERY: u64 = 25;

/// One row of metrics.csv. Cross entropies are means a token, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The step, counted from 1.
    pub step: u64,
    /// Position on the schedule before the step.
    pub position: u64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The channel's difficulty, 0 to 15.
    pub difficulty: f64,
    /// The weighted sum of what follows.
    pub loss: f32,
    /// Cross entropy of the tokens.
    pub token: f32,
    /// Cross entropy of the layout.
    pub layout: f32,
    /// Mean distance of the corners found from the true ones, in half sides.
    pub pose: f32,
    /// Missing contrast.
    pub contrast: f32,
    /// Roughness above the one allowed.
    pub smoothness: f32,
    /// Contrastive loss.
    pub meaning: f32,
    /// Mismatch of the pictures' and the latents' distances.
    pub distance: f32,
    /// How alike the pictures' textures are; 0 where it doesn't count.
    #[serde(default)]
    pub repulsion: f32,
    /// Share of the tokens read right in functions that are not trained on, through such a channel;
    /// a decaying mean of looks.
    pub validation_accuracy: f32,
    /// Share of those functions read without a fault.
    pub validation_exact: f32,
    /// The gradient's norm before clipping.
    pub gradient_norm: f32,
    /// Seconds spent in steps so far.
    pub train_secs: f64,
}

impl Row for Metrics {
    fn step(&self) -> u64 {
        self.step
    }

    fn loss(&self) -> f32 {
        self.loss
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn gradient_norm(&self) -> f32 {
        self.gradient_norm
    }
}

/// A model in training.
pub struct Trainer {
    /// What is trained, and how.
    pub config: GlyphsConfig,
    /// How far it got.
    pub progress: Progress,
    /// The channel's difficulty, and what moves it.
    pub curriculum: Curriculum,
    pub(super) learner: Learner<GlyphModel, Sight>,
    /// Frozen, and so no part of the model.
    perceptor: Option<Perceptor>,
    sampler: Sampler,
    bpe: Arc<Bpe>,
    layouts: Layouts,
    device: Device,
}

impl Trainer {
    /// A new run on `device` over `corpus`, with the corpus's tokenizer.
    ///
    /// # Errors
    /// If the configuration can't be trained, or doesn't fit the corpus, or its perceptor can't be read.
    pub fn new(config: GlyphsConfig, corpus: Arc<Corpus>, device: &Device) -> Result<Self> {
        config.check()?;
        let bpe = Arc::new(corpus.bpe().clone());
        let device = device.clone().autodiff();
        let layouts = config.layouts();
        let model = GlyphModel::new(&config, bpe.size(), &layouts, &device);
        let optimiser = AdamW {
            rates: Some(Rates::new(&model, |path| rate(&config, path))),
            ..AdamW::new(config.weight_decay, config.max_norm)
        };
        let perceptor = match config.needs_perceptor() {
            true => Some(perceptor(&config, &device)?),
            false => None,
        };
        let shards = Shards::new(config.shards, &device)?;
        let among = if shards.are_side_by_side() { 1 } else { FRAMES };
        let sampler = Sampler::new(corpus, layouts.clone(), &config)?.among(among);
        Ok(Self {
            curriculum: Curriculum::new(config.difficulty),
            progress: Progress::default(),
            learner: Learner::new(model, optimiser, shards, &device),
            perceptor,
            sampler,
            bpe,
            layouts,
            device,
            config,
        })
    }

    /// Begins a run in the folder `out`.
    ///
    /// # Errors
    /// If the start can't be read or trained, or the folder can't be made.
    pub fn run(
        start: Start<GlyphsConfig>,
        corpus: Arc<Corpus>,
        out: &Path,
        limit: Limit,
        device: &Device,
    ) -> Result<Run<Self>> {
        Run::begin(start.resumed(), out, limit, || match &start {
            Start::Fresh(config) => Self::new((**config).clone(), corpus, device),
            Start::Resume(path) => checkpoint::resume(path, corpus, device),
        })
    }

    /// The model as it stands, to be asked.
    pub fn snapshot(&self) -> GlyphReader {
        GlyphReader::new(
            self.config.clone(),
            self.progress,
            self.learner.model().valid(),
            self.bpe.clone(),
            self.layouts.clone(),
            &self.device.clone().inner(),
        )
    }

    /// The functions it is trained and judged on.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// For people: whose eye compares the glyphs; none where pixels are compared.
    pub fn perceptor(&self) -> Option<String> {
        self.perceptor.as_ref().map(Perceptor::description)
    }

    /// On a GPU, whether steps of some kind need only be launched, or why none can be; `None` before that was tried.
    pub fn is_recorded(&self) -> Option<Result<(), &anyhow::Error>> {
        self.learner.is_recorded()
    }

    /// Reads unseen functions through the channel as it stands and moves its difficulty.
    fn validate(&mut self, rng: &mut ChaCha8Rng) -> Result<()> {
        let batch = self.sampler.draw_validation(&self.config, rng);
        let score = self
            .snapshot()
            .score(&batch.rows, self.curriculum.difficulty, rng)?;
        self.curriculum
            .observe(&score, self.config.rise_above, self.config.max_difficulty);
        Ok(())
    }
}

impl training::Trainer for Trainer {
    type Metrics = Metrics;

    fn step(&mut self) -> Result<Metrics> {
        let begun = Instant::now();
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(self.progress.step);
        if self.progress.step.is_multiple_of(VALIDATE_EVERY) {
            self.validate(&mut rng)?;
        }
        let config = self.learner.shards.recipe(&self.config);
        let learning_rate = config.learning_rate_at(self.progress.position);
        let step = self.progress.step + 1;
        let batches = self.sampler.draw(&config, &mut rng).into_iter();
        let shares = batches.map(|batch| (batch, ChaCha8Rng::from_rng(&mut rng)));
        let viewer = Viewer {
            config: &config,
            layouts: &self.layouts,
            pad: self.bpe.pad(),
            difficulty: self.curriculum.difficulty,
            looks: config.looks_at(self.progress.position),
            among: self.sampler.frames(),
        };
        let look = |(batch, mut rng)| Ok(viewer.look(&batch, &mut rng));
        let judge = |model: &GlyphModel, sight: &Sight, drawn: &Drawn| {
            let objective = Objective {
                model,
                perceptor: self.perceptor.as_ref(),
                config: &config,
                layouts: &self.layouts,
                sight,
                drawn,
            };
            let terms = objective.terms();
            let loss = terms.loss(&config, drawn.values(sight.looks));
            (loss, terms.into_values().to_vec())
        };
        let figures = self
            .learner
            .step(learning_rate, step, shares.collect(), look, judge)?;
        let position = self.progress.position;
        self.progress.advance(begun, self.config.schedule_steps);
        Ok(Metrics {
            step,
            position,
            learning_rate,
            difficulty: self.curriculum.difficulty,
            loss: figures[0],
            token: figures[1],
            layout: figures[2],
            pose: figures[3],
            contrast: figures[4],
            smoothness: figures[5],
            meaning: figures[6],
            distance: figures[7],
            repulsion: figures[8],
            validation_accuracy: self.curriculum.accuracy as f32,
            validation_exact: self.curriculum.exact as f32,
            gradient_norm: figures[9],
            train_secs: self.progress.train_secs,
        })
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }

    fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn schedule_steps(&self) -> u64 {
        self.config.schedule_steps
    }

    fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let mut files = files(
            &self.config,
            &self.progress,
            &self.learner.model(),
            self.learner.moments(),
        )?;
        files.push((checkpoint::TOKENIZER, self.bpe.to_json().into_bytes()));
        files.push((
            checkpoint::CURRICULUM,
            serde_json::to_vec_pretty(&self.curriculum)?,
        ));
        Ok(files)
    }
}

/// The reference's network with its weights when they are given; random, a small one does.
fn perceptor(config: &GlyphsConfig, device: &Device) -> Result<Perceptor> {
    if config.perceptor.as_os_str().is_empty() {
        let sizes = ResNetV2Config::small();
        return Ok(Perceptor::random(&sizes, config.seed, device));
    }
    let perceptor = Perceptor::read(&config.perceptor, &ResNetV2Config::bit_r50x1(), device);
    perceptor.context("can't read the perceptor")
}

/// Multiplier of the learning rate for a parameter's path.
fn rate(config: &GlyphsConfig, path: &str) -> f64 {
    match path.split('.').next() {
        Some("text_encoder" | "text_decoder") => config.text_rate,
        Some("generator") => config.generator_rate,
        Some("reader" | "pose") => config.reader_rate,
        _ => 1.0,
    }
}
