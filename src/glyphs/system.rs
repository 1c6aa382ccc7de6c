//! Code Glyphs as a system that can be trained.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;

use super::{
    batch::{FunctionBatch, Sampler},
    checkpoint::{CURRICULUM, NGRAM, TOKENIZER, load, tokenizer},
    corpus_functions,
    curriculum::Curriculum,
    evaluation::{GlyphsEvaluationPlan, GlyphsEvaluator, LONGEST},
    inference::GlyphReader,
    losses::GlyphsForward,
    model::GlyphModel,
    networks::{mosaic::Layouts, perceptor::Perceptor, resnet_v2::ResNetV2Config},
    reed_solomon::SYMBOLS,
    step_plan::{GlyphPlan, StepPlanner},
};
use crate::{
    data::{bpe::Bpe, corpus::Corpus, ngram::NGram},
    glyphs::config::GlyphsConfig,
    nn::adamw::{AdamW, Rates},
    training::{
        DataParallel, DeviceInputs, HostInputs, Losses, MetricValue, Progress, Run, ServedSystem,
        System, Trainer,
        checkpoint::{Checkpoint, Source},
    },
};

/// Code Glyphs in training.
pub type GlyphsTrainer = Trainer<GlyphsSystem>;
/// A run of it.
pub type GlyphsRun = Run<GlyphsSystem>;

/// Bucketing where steps are captured: batches are padded to every so many-th layout, so that few distinct shapes occur.
const BUCKET_STRIDE: usize = 5;
/// Steps between two validations.
const VALIDATE_EVERY: u64 = 25;

/// Corpus, curriculum and frozen networks of Code Glyphs' training.
pub struct GlyphsSystem {
    /// Difficulty of the distortions, and what moves it.
    pub curriculum: Curriculum,
    constants: LossConstants,
    sampler: Sampler,
    bpe: Arc<Bpe>,
    /// Trigrams of the functions trained on, where glyphs have a code.
    ngram: Option<Arc<NGram>>,
    /// The trigrams as every checkpoint holds them.
    packed_ngram: OnceLock<Vec<u8>>,
}

/// Constants of the losses.
pub struct LossConstants {
    /// Frozen, and so no part of the model.
    perceptor: Option<Perceptor>,
    layouts: Layouts,
}

impl GlyphsSystem {
    /// Functions to train and to validate on.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// For people: the perceptor that compares the glyphs; none where pixels are compared.
    pub fn perceptor(&self) -> Option<String> {
        let perceptor = self.constants.perceptor.as_ref();
        perceptor.map(Perceptor::description)
    }
}

impl System for GlyphsSystem {
    type Config = GlyphsConfig;
    type Data = Arc<Corpus>;
    type Model = GlyphModel;
    type Plan = GlyphPlan;
    type Shard = FunctionBatch;
    type Constants = LossConstants;
    type Snapshot = GlyphReader;

    fn new(
        config: &GlyphsConfig,
        corpus: Arc<Corpus>,
        device: &Device,
    ) -> Result<(Self, GlyphModel)> {
        let bpe = Arc::new(corpus.bpe().clone());
        if config.parity > 0.0 && bpe.size() > SYMBOLS {
            bail!(
                "the corpus has a vocabulary of {} tokens: expected at most {SYMBOLS} for glyphs with parity",
                bpe.size()
            );
        }
        let layouts = config.layouts();
        let model = GlyphModel::new(config, bpe.size(), &layouts, device);
        let perceptor = match config.needs_perceptor() {
            true => Some(perceptor(config, device)?),
            false => None,
        };
        let stride = match DataParallel::is_for(device) {
            true => 1,
            false => BUCKET_STRIDE,
        };
        let sampler = Sampler::new(corpus, layouts.clone(), config)?.with_bucket_stride(stride);
        let ngram = (config.parity > 0.0).then(|| {
            let corpus = sampler.corpus();
            let sequences = sampler.training().iter().map(|&i| corpus.tokens(i));
            Arc::new(NGram::new(bpe.size(), sequences))
        });
        let system = Self {
            ngram,
            packed_ngram: OnceLock::new(),
            curriculum: Curriculum::new(config.difficulty),
            constants: LossConstants { perceptor, layouts },
            sampler,
            bpe,
        };
        Ok((system, model))
    }

    fn optimizer(config: &GlyphsConfig, model: &GlyphModel) -> AdamW {
        AdamW {
            rates: Some(Rates::new(model, |path| rate(config, path))),
            ..AdamW::new(config.weight_decay, config.max_norm)
        }
    }

    fn shards(&self, config: &GlyphsConfig, rng: &mut ChaCha8Rng) -> Vec<FunctionBatch> {
        self.sampler.draw(config, rng)
    }

    fn plan(
        &self,
        config: &GlyphsConfig,
        position: u64,
        batch: FunctionBatch,
        rng: &mut ChaCha8Rng,
    ) -> Result<(GlyphPlan, HostInputs)> {
        let planner = StepPlanner {
            config,
            layouts: &self.constants.layouts,
            pad: self.bpe.pad(),
            difficulty: self.curriculum.difficulty,
            aesthetic_weight: config.aesthetic_weight_at(position),
            bucket_stride: self.sampler.bucket_stride(),
        };
        Ok(planner.plan(&batch, rng))
    }

    fn constants(&self) -> &LossConstants {
        &self.constants
    }

    fn losses(
        constants: &LossConstants,
        config: &GlyphsConfig,
        model: &GlyphModel,
        plan: &GlyphPlan,
        inputs: &DeviceInputs,
    ) -> Losses {
        let pass = GlyphsForward {
            model,
            perceptor: constants.perceptor.as_ref(),
            config,
            layouts: &constants.layouts,
            plan,
            inputs,
        };
        pass.losses()
    }

    fn snapshot(
        &self,
        config: &GlyphsConfig,
        progress: Progress,
        model: GlyphModel,
        device: &Device,
    ) -> GlyphReader {
        let (bpe, layouts) = (self.bpe.clone(), self.constants.layouts.clone());
        let ngram = self.ngram.clone();
        GlyphReader::new(config.clone(), progress, model, bpe, layouts, ngram, device)
    }

    fn progress_of(snapshot: &GlyphReader) -> Progress {
        snapshot.progress
    }

    fn is_validation_due(&self, steps: u64) -> bool {
        steps.is_multiple_of(VALIDATE_EVERY)
    }

    /// Reads unseen functions through distortions of the difficulty so far, and moves it.
    fn validate(
        &mut self,
        config: &GlyphsConfig,
        reader: &GlyphReader,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let batch = self.sampler.draw_validation(config, rng);
        let score = reader.score(&batch.rows, self.curriculum.difficulty, rng)?;
        self.curriculum
            .observe(&score, config.rise_above, config.max_difficulty);
        Ok(())
    }

    fn metrics(&self) -> Vec<(&'static str, MetricValue)> {
        let Curriculum {
            difficulty,
            accuracy,
            exact,
            verified,
        } = self.curriculum;
        vec![
            ("difficulty", MetricValue::Double(difficulty)),
            ("validation_accuracy", MetricValue::Single(accuracy as f32)),
            ("validation_exact", MetricValue::Single(exact as f32)),
            ("validation_verified", MetricValue::Single(verified as f32)),
        ]
    }

    fn extra_files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let mut files = vec![
            (TOKENIZER, self.bpe.to_json().into_bytes()),
            (CURRICULUM, serde_json::to_vec_pretty(&self.curriculum)?),
        ];
        if let Some(ngram) = &self.ngram {
            let packed = match self.packed_ngram.get() {
                Some(packed) => packed,
                None => {
                    let packed = ngram.pack()?;
                    self.packed_ngram.get_or_init(|| packed)
                }
            };
            files.push((NGRAM, packed.clone()));
        }
        Ok(files)
    }

    fn check_data(checkpoint: &Checkpoint, corpus: &Arc<Corpus>) -> Result<()> {
        if tokenizer(checkpoint)?.fingerprint() != corpus.bpe().fingerprint() {
            let Checkpoint::Folder { path, .. } = checkpoint else {
                bail!("the corpus was made with another tokenizer than the model");
            };
            bail!(
                "the corpus was made with another tokenizer than the run {}: expected one built with --tokenizer {}",
                path.display(),
                checkpoint.path_of(TOKENIZER)
            );
        }
        Ok(())
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.curriculum = checkpoint.json(CURRICULUM, "a run's curriculum")?;
        Ok(())
    }

    fn trace_setup(&self, _: &GlyphsConfig) -> Map<String, serde_json::Value> {
        Map::from_iter([
            ("vocabulary".to_owned(), self.bpe.size().into()),
            ("pad".to_owned(), self.bpe.pad().into()),
        ])
    }
}

impl ServedSystem for GlyphsSystem {
    type DataSource = PathBuf;
    type EvaluationPlan = GlyphsEvaluationPlan;
    type Evaluator = GlyphsEvaluator;

    fn load(source: &Source, device: &Device) -> Result<GlyphReader> {
        load(source, device)
    }

    fn open_data(corpus: &PathBuf) -> Result<Arc<Corpus>> {
        Ok(Arc::new(Corpus::open(corpus)?))
    }

    fn evaluator(reader: Arc<GlyphReader>, plan: GlyphsEvaluationPlan) -> Result<GlyphsEvaluator> {
        let corpus = plan.corpus.as_deref();
        let mut functions = corpus_functions::for_model(&reader, corpus)?;
        let config = &reader.config;
        if config.parity > 0.0 {
            let (bpe, share) = (&reader.bpe, config.validation);
            let all = corpus_functions::of_corpus(corpus, bpe, LONGEST, share)?;
            functions.extend(
                all.into_iter()
                    .filter(|f| f.tokens.len() > config.max_tokens),
            );
        }
        Ok(GlyphsEvaluator::new(reader, functions, plan.difficulties))
    }

    fn describe(reader: &GlyphReader) -> (&GlyphsConfig, usize) {
        (&reader.config, reader.params())
    }

    fn note(&self) -> Option<String> {
        self.perceptor()
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
