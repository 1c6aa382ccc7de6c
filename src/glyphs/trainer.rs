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
    step_plan::{GlyphPlan, StepPlanner},
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
    training::{
        self, DataParallel, DeviceInputs, Limit, MetricsRow, Progress, Run, Start, TrainState,
        checkpoint::files,
    },
};

/// Where all of a step is recorded, functions are worked on in every so many-th layout.
const BUCKET_STRIDE: usize = 5;
/// Steps between two looks at functions that are not trained on.
const VALIDATE_EVERY: u64 = 25;

/// One row of metrics.csv. Cross entropies are means a token, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlyphsMetrics {
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

impl MetricsRow for GlyphsMetrics {
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
pub struct GlyphsTrainer {
    /// What is trained, and how.
    pub config: GlyphsConfig,
    /// How far it got.
    pub progress: Progress,
    /// The channel's difficulty, and what moves it.
    pub curriculum: Curriculum,
    pub(super) state: TrainState<GlyphModel, GlyphPlan>,
    /// Frozen, and so no part of the model.
    perceptor: Option<Perceptor>,
    sampler: Sampler,
    bpe: Arc<Bpe>,
    layouts: Layouts,
    device: Device,
}

impl GlyphsTrainer {
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
        let optimizer = AdamW {
            rates: Some(Rates::new(&model, |path| rate(&config, path))),
            ..AdamW::new(config.weight_decay, config.max_norm)
        };
        let perceptor = match config.needs_perceptor() {
            true => Some(perceptor(&config, &device)?),
            false => None,
        };
        let shards = DataParallel::new(config.shards, &device)?;
        let bucket_stride = if shards.is_data_parallel() {
            1
        } else {
            BUCKET_STRIDE
        };
        let sampler =
            Sampler::new(corpus, layouts.clone(), &config)?.with_bucket_stride(bucket_stride);
        Ok(Self {
            curriculum: Curriculum::new(config.difficulty),
            progress: Progress::default(),
            state: TrainState::new(model, optimizer, shards, &device),
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
            self.state.model().valid(),
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
    pub fn is_captured(&self) -> Option<Result<(), &anyhow::Error>> {
        self.state.is_captured()
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

impl training::Trainer for GlyphsTrainer {
    type Metrics = GlyphsMetrics;

    fn step(&mut self) -> Result<GlyphsMetrics> {
        let begun = Instant::now();
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(self.progress.step);
        if self.progress.step.is_multiple_of(VALIDATE_EVERY) {
            self.validate(&mut rng)?;
        }
        let config = self.state.data_parallel.effective_config(&self.config);
        let learning_rate = config.learning_rate_at(self.progress.position);
        let step = self.progress.step + 1;
        let batches = self.sampler.draw(&config, &mut rng).into_iter();
        let shares = batches.map(|batch| (batch, ChaCha8Rng::from_rng(&mut rng)));
        let planner = StepPlanner {
            config: &config,
            layouts: &self.layouts,
            pad: self.bpe.pad(),
            difficulty: self.curriculum.difficulty,
            aesthetic_weight: config.aesthetic_weight_at(self.progress.position),
            bucket_stride: self.sampler.bucket_stride(),
        };
        let plan_step = |(batch, mut rng)| Ok(planner.plan(&batch, &mut rng));
        let loss_fn = |model: &GlyphModel, plan: &GlyphPlan, inputs: &DeviceInputs| {
            let objective = Objective {
                model,
                perceptor: self.perceptor.as_ref(),
                config: &config,
                layouts: &self.layouts,
                plan,
                inputs,
            };
            let terms = objective.terms();
            let loss = terms.loss(&config, inputs.values(plan.aesthetic_weight));
            (loss, terms.into_values().to_vec())
        };
        let figures = self
            .state
            .step(learning_rate, step, shares.collect(), plan_step, loss_fn)?;
        let position = self.progress.position;
        self.progress.advance(begun, self.config.schedule_steps);
        Ok(GlyphsMetrics {
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
            &self.state.model(),
            self.state.optimizer_state(),
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
