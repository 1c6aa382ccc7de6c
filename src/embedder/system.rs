//! The embedder as a system that can be trained: functions of one name, by several authors or for several types, shall be
//! nearer to one another than to others.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::{Result, bail};
use burn::tensor::{Device, s};
use rand::{
    RngExt, SeedableRng,
    seq::{IteratorRandom, SliceRandom},
};
use rand_chacha::ChaCha8Rng;

use super::{
    Embedder,
    config::EmbedderConfig,
    evaluation::EmbedderEvaluator,
    idiom_counts::{IdiomCounts, idiom_counts, inverse_frequencies},
    model::EmbedderModel,
};
use crate::{
    data::{
        corpus::Corpus,
        python::{idioms::idioms, kind::is_special, rewrites::rewritten},
    },
    nn::{
        adamw::{AdamW, Rates},
        losses::info_nce,
    },
    training::{
        DeviceInputs, HostInputs, Losses, MetricValue, Progress, ServedSystem, Span, System,
        Trainer, checkpoint::Source,
    },
};

/// An embedder in training.
pub type EmbedderTrainer = Trainer<EmbedderSystem>;

/// Functions of one name that are drawn from, at most; more are an interface's, not one task's.
const MOST: usize = 40;
/// Largest norm of a gradient.
const MAX_NORM: f64 = 10.0;
/// Steps between two validations.
const VALIDATE_EVERY: u64 = 50;

/// Functions of a corpus by name.
pub struct EmbedderSystem {
    corpus: Arc<Corpus>,
    /// Counts of the functions that are drawn, without asides, by index in the corpus.
    counts: BTreeMap<usize, IdiomCounts>,
    /// Functions of one name, names trained on and names held out.
    training: Vec<Vec<usize>>,
    held_out: Vec<Vec<usize>>,
    /// Share of the held-out functions nearest to their pair.
    found: f32,
}

/// Pairs of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedderPlan {
    pairs: usize,
    /// Counts of the idioms of the first functions, then of the second ones, [2 N, F].
    counts: Span,
}

/// Name of a function without its class; `None` for those that many functions share for other reasons than their task.
fn task(name: &str) -> Option<&str> {
    let name = name.rsplit('.').next().unwrap_or(name);
    (!is_special(name) && !name.starts_with("test")).then_some(name)
}

impl EmbedderSystem {
    /// Dampened counts of `functions` as rows [N, F], of which `dropout` is lost.
    fn rows<'a>(
        functions: impl Iterator<Item = &'a IdiomCounts>,
        buckets: usize,
        dropout: f64,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f32> {
        let mut rows = Vec::new();
        for counts in functions {
            let first = rows.len();
            rows.resize(first + buckets, 0.0);
            for (bucket, count) in counts {
                if !rng.random_bool(dropout) {
                    rows[first + bucket] = *count;
                }
            }
        }
        rows
    }
}

impl System for EmbedderSystem {
    type Config = EmbedderConfig;
    type Data = Arc<Corpus>;
    type Model = EmbedderModel;
    type Plan = EmbedderPlan;
    type Shard = ();
    type Constants = ();
    type Snapshot = Embedder;

    fn new(
        config: &EmbedderConfig,
        corpus: Arc<Corpus>,
        device: &Device,
    ) -> Result<(Self, EmbedderModel)> {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for i in 0..corpus.len() {
            if let Some(name) = task(corpus.name(i)) {
                by_name.entry(name).or_default().push(i);
            }
        }
        let groups = by_name.into_values();
        let mut training: Vec<_> = groups
            .filter(|group| (2..=MOST).contains(&group.len()))
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        training.shuffle(&mut rng);
        let held_out = (training.len() as f64 * config.validation) as usize;
        let held_out = training.split_off(training.len() - held_out.min(config.batch));
        if training.len() < 2 {
            bail!(
                "the corpus has {} names that several functions share: expected at least 2",
                training.len()
            );
        }
        let drawn = training.iter().chain(&held_out).flatten();
        let (mut counts, mut with_asides) = (BTreeMap::new(), Vec::new());
        for &i in drawn {
            let idioms = idioms(&corpus.text(i));
            // Asides would tell who wrote a function, and of which class.
            counts.insert(i, idiom_counts(&idioms, config.buckets, false));
            with_asides.push(idiom_counts(&idioms, config.buckets, true));
        }
        let weights = inverse_frequencies(with_asides.iter(), config.buckets);
        let model = EmbedderModel::new(config, &weights, device);
        let system = Self {
            corpus,
            counts,
            training,
            held_out,
            found: 0.0,
        };
        Ok((system, model))
    }

    fn optimizer(config: &EmbedderConfig, model: &EmbedderModel) -> AdamW {
        let rate = |path: &str| match path {
            "projection" => config.dense_rate,
            _ => 1.0,
        };
        AdamW {
            rates: Some(Rates::new(model, rate)),
            ..AdamW::new(0.0, MAX_NORM)
        }
    }

    fn shards(&self, _: &EmbedderConfig, _: &mut ChaCha8Rng) -> Vec<()> {
        vec![()]
    }

    fn plan(
        &self,
        config: &EmbedderConfig,
        _: u64,
        (): (),
        rng: &mut ChaCha8Rng,
    ) -> Result<(EmbedderPlan, HostInputs)> {
        let groups = self.training.iter().sample(rng, config.batch);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for group in &groups {
            let pair = group.iter().sample(rng, 2);
            let copy = rng
                .random_bool(config.rewrites)
                .then(|| rewritten(&self.corpus.text(*pair[0]), rng))
                .flatten();
            let copy = copy.map(|copy| idiom_counts(&idioms(&copy), config.buckets, false));
            first.push(&self.counts[pair[0]]);
            second.push(copy.unwrap_or_else(|| self.counts[pair[1]].clone()));
        }
        let functions = first.into_iter().chain(&second);
        let rows = Self::rows(functions, config.buckets, config.dropout, rng);
        let mut inputs = HostInputs::default();
        let plan = EmbedderPlan {
            pairs: groups.len(),
            counts: inputs.values(&rows),
        };
        Ok((plan, inputs))
    }

    fn constants(&self) -> &() {
        &()
    }

    fn losses(
        (): &(),
        config: &EmbedderConfig,
        model: &EmbedderModel,
        plan: &EmbedderPlan,
        inputs: &DeviceInputs,
    ) -> Losses {
        let counts = inputs.points(plan.counts, config.buckets);
        let rows = model.embed(counts, config.dense);
        let (first, second) = (
            rows.clone().slice(s![..plan.pairs, ..]),
            rows.slice(s![plan.pairs.., ..]),
        );
        let mut losses = Losses::default();
        losses.add("contrast", 1.0, info_nce(first, second, config.temperature));
        losses
    }

    fn snapshot(
        &self,
        config: &EmbedderConfig,
        progress: Progress,
        model: EmbedderModel,
        _: &Device,
    ) -> Embedder {
        Embedder::new(config.clone(), progress, &model).expect("a model that is on a device")
    }

    fn progress_of(snapshot: &Embedder) -> Progress {
        snapshot.progress
    }

    fn is_validation_due(&self, steps: u64) -> bool {
        steps.is_multiple_of(VALIDATE_EVERY)
    }

    /// Looks for the second of each held-out pair among all of them.
    fn validate(
        &mut self,
        _: &EmbedderConfig,
        embedder: &Embedder,
        _: &mut ChaCha8Rng,
    ) -> Result<()> {
        let of = |nth: usize| self.held_out.iter().map(move |group| group[nth]);
        let embed = |i: usize| embedder.of_counts(&self.counts[&i]);
        let [first, second] = [0, 1].map(|nth| of(nth).map(embed).collect::<Vec<_>>());
        let pairs = first.iter().enumerate();
        let found = pairs.filter(|(own, embedding)| embedding.nearest(&second) == Some(*own));
        self.found = found.count() as f32 / first.len().max(1) as f32;
        Ok(())
    }

    fn metrics(&self) -> Vec<(&'static str, MetricValue)> {
        vec![("held_out_found", MetricValue::Single(self.found))]
    }
}

impl ServedSystem for EmbedderSystem {
    type DataSource = PathBuf;
    type EvaluationPlan = ();
    type Evaluator = EmbedderEvaluator;

    fn load(source: &Source, _: &Device) -> Result<Embedder> {
        Embedder::load(source)
    }

    fn open_data(corpus: &PathBuf) -> Result<Arc<Corpus>> {
        Ok(Arc::new(Corpus::open(corpus)?))
    }

    fn evaluator(embedder: Arc<Embedder>, (): ()) -> Result<EmbedderEvaluator> {
        Ok(EmbedderEvaluator(embedder))
    }

    fn describe(embedder: &Embedder) -> (&EmbedderConfig, usize) {
        (&embedder.config, embedder.params())
    }
}
