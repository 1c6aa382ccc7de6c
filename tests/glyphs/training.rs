//! Training: what is drawn for a step, what is learnt, and runs that go on to the last bit.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use burn::tensor::Device;
use glyphspace::{
    data::{
        bpe::{Bpe, MIN_VOCABULARY},
        corpus::Corpus,
    },
    device::Chosen,
    engine::Job as _,
    glyphs::config::GlyphsConfig,
    glyphs::{
        checkpoint,
        job::{GlyphsEvent, GlyphsJob},
        networks::mosaic::Layouts,
        system::{GlyphsRun, GlyphsSystem},
    },
    training::{Limit, Run, RunCommand, RunEvent, Start, SystemJob, checkpoint::Source},
};

use super::{MAX_TOKENS, corpus, corpus_with, rng, rows, tiny, tokens_of, trainer};
use crate::training::curve;

fn fresh(config: &GlyphsConfig) -> Start<GlyphsConfig> {
    Start::Fresh(Box::new(config.clone()))
}

fn run(
    start: Start<GlyphsConfig>,
    corpus: Arc<Corpus>,
    out: &Path,
) -> anyhow::Result<Run<GlyphsSystem>> {
    GlyphsRun::start(start, corpus, out, Limit::Steps(1 << 30), &Device::flex())
}

/// Takes `steps` more steps and saves.
fn train(start: Start<GlyphsConfig>, out: &Path, steps: u64) {
    let mut run = run(start, corpus(), out).unwrap();
    for _ in 0..steps {
        run.step().unwrap();
    }
    run.save().unwrap();
}

#[test]
fn functions_that_fit_are_trained_on_or_kept_for_validation() {
    let (corpus, config) = (corpus(), tiny(&["validation=0.3", "scripts=0", "batch=16"]));
    let trainer = trainer(config.clone());
    let sampler = trainer.system.sampler();
    let sets = [sampler.training(), sampler.validation()];
    let [training, validation] = sets.map(|set| set.iter().copied().collect::<BTreeSet<_>>());
    assert!(training.is_disjoint(&validation) && validation.len() >= 4);
    let fits = |i: &usize| corpus.tokens(*i).len() <= MAX_TOKENS;
    assert!(!fits(&(corpus.len() - 1)), "the last function is too long");
    assert_eq!(
        &training | &validation,
        (0..corpus.len()).filter(fits).collect()
    );
    for seed in 0..200 {
        let rows_of = |set: &BTreeSet<usize>| -> BTreeSet<Vec<u32>> {
            set.iter().map(|&i| tokens_of(&corpus, i)).collect()
        };
        let drawn = sampler.draw(&config, &mut rng(seed));
        let shares: Vec<usize> = drawn.iter().map(|share| share.rows.len()).collect();
        assert_eq!(shares, [8, 8]);
        assert!(
            drawn
                .iter()
                .flat_map(|share| &share.rows)
                .all(|row| rows_of(&training).contains(row))
        );
        let judged = sampler.draw_validation(&config, &mut rng(seed));
        assert!(
            judged
                .rows
                .iter()
                .all(|row| rows_of(&validation).contains(row))
        );
    }
}

#[test]
fn batches_keep_to_their_tokens() {
    let config = tiny(&["batch=16", "batch_tokens=60"]);
    let (trainer, layouts) = (trainer(config.clone()), Layouts::new(MAX_TOKENS));
    for seed in 0..20 {
        let shares = trainer.system.sampler().draw(&config, &mut rng(seed));
        let rows: Vec<Vec<u32>> = shares.into_iter().flat_map(|share| share.rows).collect();
        let longest = rows.iter().map(Vec::len).max().unwrap();
        let slots = layouts.all[layouts.index_for(longest)].slots();
        assert!(
            rows.len() > 1 && rows.len() * slots <= 60,
            "{} rows of {slots}",
            rows.len()
        );
    }
}

#[test]
fn a_tiny_model_learns() {
    let config = tiny(&[
        "warmup_steps=2",
        "learning_rate=0.01",
        "difficulty=0",
        "schedule_steps=60",
    ]);
    let mut trainer = trainer(config);
    let metrics: Vec<_> = (0..40).map(|_| trainer.step().unwrap()).collect();
    let mean = |range: std::ops::Range<usize>, of: &dyn Fn(usize) -> f64| {
        range.clone().map(of).sum::<f64>() / range.len() as f64
    };
    let token = |i: usize| metrics[i].get("token").unwrap();
    let (first, last) = (mean(0..5, &token), mean(35..40, &token));
    assert!(last < 0.8 * first, "cross entropy {first} to {last}");
    let loss = |i: usize| metrics[i].loss();
    assert!(mean(35..40, &loss) < mean(0..5, &loss));
    for (i, row) in metrics.iter().enumerate() {
        assert_eq!(
            (row.step(), row.get("position")),
            (i as u64 + 1, Some(i as f64))
        );
        assert!((0.0..=1.0).contains(&row.get("validation_accuracy").unwrap()));
        assert!(row.gradient_norm().is_finite() && row.gradient_norm() > 0.0);
    }
}

fn newest(run: &Path, file: &str) -> String {
    let entries = fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let checkpoint = entries.filter(|path| path.is_dir()).max().unwrap();
    fs::read_to_string(checkpoint.join(file)).unwrap()
}

#[test]
fn a_run_that_is_resumed_goes_on_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let [straight, first, second] =
        ["straight", "first", "second"].map(|name| folder.path().join(name));
    // The curriculum looks at steps 0 and 25 and, knowing nothing, makes the channel easier.
    let config = tiny(&["difficulty=3", "schedule_steps=25", "warmup_steps=3"]);
    train(fresh(&config), &straight, 30);
    train(fresh(&config), &first, 10);
    train(Start::Resume(first.clone()), &second, 20);
    train(Start::Resume(first.clone()), &first, 20);
    let expected = curve(&straight);
    assert_eq!(expected.len(), 30);
    assert!(expected[29]["difficulty"] < expected[9]["difficulty"]);
    for run in [&second, &first] {
        assert_eq!(curve(run), expected);
        assert_eq!(
            newest(run, "curriculum.json"),
            newest(&straight, "curriculum.json")
        );
        let glyphs = |run: &Path| {
            let reader = checkpoint::load(&Source::Run(run.to_owned()), &Device::flex()).unwrap();
            (
                reader.glyphs(&rows()).unwrap(),
                reader.read(&reader.glyphs(&rows()).unwrap()).unwrap(),
            )
        };
        assert_eq!(glyphs(run), glyphs(&straight));
    }
}

#[test]
fn what_can_not_be_trained_or_resumed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (out, other) = (folder.path().join("run"), folder.path().join("other"));
    train(fresh(&tiny(&[])), &out, 1);
    let foreign = Arc::new(corpus_with(
        Bpe::train(std::iter::empty(), MIN_VOCABULARY).unwrap(),
    ));
    let refused =
        |start, corpus, out: &Path| format!("{:#}", run(start, corpus, out).err().unwrap());
    let error = refused(Start::Resume(out.clone()), foreign.clone(), &other);
    assert!(
        error.contains("another tokenizer") && error.contains(out.to_str().unwrap()),
        "{error}"
    );
    // In bytes these functions are too long for the model.
    let error = refused(fresh(&tiny(&[])), foreign, &other);
    assert!(
        error.contains("49 functions") && error.contains("24 tokens"),
        "{error}"
    );
    let empty = Arc::new(Corpus::new(corpus().bpe().clone(), 128, Vec::new()).unwrap());
    let error = refused(fresh(&tiny(&[])), empty, &other);
    assert!(error.contains("0 functions"), "{error}");
    let error = refused(fresh(&tiny(&[])), corpus(), &out);
    assert!(error.contains("not empty"), "{error}");
    assert!(!other.exists(), "a refused run left something behind");
}

#[test]
fn the_learning_rate_is_changed_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("tiny.corpus"), folder.path().join("run"));
    corpus().write(&file).unwrap();
    let chosen = Chosen {
        device: Device::flex(),
        name: "cpu".into(),
        reason: "asked for".into(),
        is_gpu: false,
    };
    let mut job = GlyphsJob::on(chosen, &Source::Bundled, Arc::default()).unwrap();
    let mut events = Vec::new();
    let config = tiny(&["learning_rate=0.002", "warmup_steps=0"]);
    let train = RunCommand::Train {
        start: fresh(&config),
        data: file,
        out: out.clone(),
        limit: Limit::Steps(1 << 30),
    };
    job.command(train.into(), &mut events).unwrap();
    for _ in 0..6 {
        job.work(&mut events).unwrap();
    }
    for wrong in [0.0, -1.0, f64::NAN] {
        let order = RunCommand::LearningRate(wrong);
        let error = job
            .command(order.into(), &mut events)
            .unwrap_err()
            .to_string();
        assert!(error.contains("learning rate is"), "{error}");
    }
    job.command(RunCommand::LearningRate(0.001).into(), &mut events)
        .unwrap();
    for _ in 0..6 {
        job.work(&mut events).unwrap();
    }
    job.command(RunCommand::Stop.into(), &mut events).unwrap();
    assert!(
        matches!(events.last(), Some(GlyphsEvent::Run(RunEvent::Trained(_)))),
        "{events:?}"
    );
    let rates: Vec<f64> = curve(&out)
        .iter()
        .map(|row| row["learning_rate"].parse().unwrap())
        .collect();
    let changed = rates.iter().position(|rate| *rate < 0.0015).unwrap();
    let is_near = |rates: &[f64], highest: f64| {
        !rates.is_empty() && rates.iter().all(|rate| (rate / highest - 1.0).abs() < 1e-3)
    };
    assert!(
        is_near(&rates[..changed], 0.002) && is_near(&rates[changed..], 0.001),
        "{rates:?}"
    );
    let resumed = run(Start::Resume(out.clone()), corpus(), &out).unwrap();
    assert_eq!(resumed.trainer.config.learning_rate, 0.001);
}
