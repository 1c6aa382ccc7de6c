//! Training runs on the CPU: learning, resuming to the bit, and checkpoints that are missing, cut,
//! foreign or left half-written.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::Device;
use glyphspace::{
    config::{
        Config as _,
        executor::{Decoder, ExecutorConfig, Regulariser},
    },
    data::{
        split::Split,
        sums::{CODES, Sum},
    },
    executor::{
        checkpoint,
        inference::Executor,
        report::{Judgement, Report},
        trainer::{Metrics, Trainer},
    },
    latent::points::Points,
    training::{Limit, Start, Trainer as _, checkpoint::Source},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The pocket preset, smaller still, with some keys set.
fn small(assignments: &[&str]) -> ExecutorConfig {
    let mut config = ExecutorConfig::preset("pocket").unwrap();
    let sizes = [
        "d_model=16",
        "d_kv=8",
        "num_heads=2",
        "d_ff=32",
        "bottleneck=24",
        "batch=32",
        "warmup_steps=10",
    ];
    for assignment in sizes.iter().chain(assignments) {
        config.set(assignment).unwrap();
    }
    config
}

fn fresh(config: &ExecutorConfig) -> Start<ExecutorConfig> {
    Start::Fresh(Box::new(config.clone()))
}

/// Takes `steps` more steps and saves.
fn train(start: Start<ExecutorConfig>, out: &Path, steps: u64) {
    let mut run = Trainer::run(start, out, Limit::Steps(steps), &Device::flex()).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.save().unwrap();
}

/// The rows of a run's metrics without the seconds, as they were written.
fn curve(run: &Path) -> Vec<BTreeMap<String, String>> {
    let rows = csv::Reader::from_path(run.join("metrics.csv"))
        .unwrap()
        .into_deserialize();
    rows.map(|row| {
        let mut row: BTreeMap<String, String> = row.unwrap();
        assert!(row.remove("train_secs").is_some());
        assert!(row.contains_key("loss") && row.contains_key("gradient_norm"));
        row
    })
    .collect()
}

/// The checkpoint's folder.
fn newest(run: &Path) -> PathBuf {
    let folders = fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders
        .filter(|path| {
            path.is_dir() && !path.file_name().unwrap().to_string_lossy().starts_with('.')
        })
        .collect();
    assert_eq!(folders.len(), 1, "one checkpoint is kept: {folders:?}");
    folders[0].clone()
}

fn check_resumes_exactly(config: &ExecutorConfig, steps: u64) {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    train(fresh(config), &place("straight"), 2 * steps);
    train(fresh(config), &place("first"), steps);
    // In a folder of its own, and in place.
    train(Start::Resume(place("first")), &place("second"), steps);
    train(Start::Resume(place("first")), &place("first"), steps);
    let straight = curve(&place("straight"));
    assert_eq!(straight.len(), 2 * steps as usize);
    assert_eq!(curve(&place("second")), straight);
    assert_eq!(curve(&place("first")), straight);
    let [first, second, straight] =
        ["first", "second", "straight"].map(|name| answers(&place(name)));
    assert_eq!(first, straight);
    assert_eq!(second, straight);
}

/// What a run's model says: places through both encoders, losses through everything else.
fn answers(run: &Path) -> (Points, Points, Vec<f32>) {
    let executor = checkpoint::load(&Source::Run(run.to_owned()), &Device::flex()).unwrap();
    let places = executor.planes().unwrap();
    let outcome = executor
        .evaluate(
            &places.codes,
            Sum {
                start: 71,
                result: 18,
            },
        )
        .unwrap();
    (places.codes, places.states, outcome.loss)
}

#[test]
fn two_hundred_steps_are_a_hundred_and_a_hundred_more_to_the_last_bit() {
    check_resumes_exactly(&small(&["schedule_steps=150", "cell_noise=0.5"]), 100);
}

#[test]
fn the_autoregressive_decoder_resumes_to_the_last_bit_too() {
    check_resumes_exactly(
        &small(&["decoder=autoregressive", "dims=10", "regulariser=seed"]),
        12,
    );
}

#[test]
fn a_run_under_way_resumes_from_its_checkpoint_and_takes_later_rows_again() {
    let folder = tempfile::tempdir().unwrap();
    let (out, straight) = (folder.path().join("run"), folder.path().join("straight"));
    let config = small(&[]);
    train(fresh(&config), &straight, 20);
    // The metrics are ahead of the checkpoint when a process is killed.
    let mut run = Trainer::run(fresh(&config), &out, Limit::Steps(100), &Device::flex()).unwrap();
    for step in 0..15 {
        run.step().unwrap();
        if step == 9 {
            run.save().unwrap();
        }
    }
    drop(run);
    assert_eq!(curve(&out).len(), 15);
    train(Start::Resume(out.clone()), &out, 10);
    assert_eq!(curve(&out), curve(&straight));
}

fn metrics_of(config: &ExecutorConfig, steps: usize) -> Vec<Metrics> {
    let mut trainer = Trainer::new(config.clone(), &Device::flex()).unwrap();
    (0..steps).map(|_| trainer.step().unwrap()).collect()
}

/// Every term of the loss is lower at the end than at the start, by this factor at least.
fn check_learns(config: &ExecutorConfig, steps: usize, factor: f32) {
    let metrics = metrics_of(config, steps);
    let mean = |rows: &[Metrics], of: fn(&Metrics) -> f32| {
        rows.iter().map(of).sum::<f32>() / rows.len() as f32
    };
    type Term = fn(&Metrics) -> f32;
    let terms: [(&str, Term); 4] = [
        ("loss", |m| m.loss),
        ("states", |m| m.state_nll),
        ("codes", |m| m.code_nll),
        ("results", |m| m.result_nll),
    ];
    for (name, of) in terms {
        let (start, end) = (mean(&metrics[..3], of), mean(&metrics[steps - 5..], of));
        assert!(
            end < factor * start,
            "{name}: {start} at the start, {end} after {steps} steps"
        );
    }
    assert!(
        metrics
            .iter()
            .all(|m| m.gradient_norm > 0.0 && m.gradient_norm.is_finite())
    );
}

#[test]
fn the_one_pass_decoder_learns() {
    check_learns(
        &small(&["schedule_steps=150", "learning_rate=0.01"]),
        150,
        0.7,
    );
}

#[test]
fn the_autoregressive_decoder_learns() {
    check_learns(
        &small(&[
            "decoder=autoregressive",
            "schedule_steps=150",
            "learning_rate=0.01",
        ]),
        100,
        0.7,
    );
}

/// Judges to the end.
fn judge(executor: Executor) -> Report {
    let mut judgement = Judgement::new(Arc::new(executor));
    loop {
        if let Some(report) = judgement.advance().unwrap() {
            return report;
        }
    }
}

#[test]
fn ten_dimensions_train_and_are_judged() {
    let config = small(&["dims=10", "schedule_steps=100", "learning_rate=0.01"]);
    check_learns(&config, 100, 0.75);
    let report = judge(Trainer::new(config, &Device::flex()).unwrap().snapshot());
    assert_eq!((report.dims, report.pairs_held_out), (10, 810));
    assert_eq!(
        (report.grid_valid, report.code_largest_empty_square),
        (None, None)
    );
    assert!(report.order_spearman.is_finite() && report.adjacent_median > 0.0);
}

#[test]
fn every_regulariser_does_what_it_is_named_for() {
    let first =
        |regulariser: &str| metrics_of(&small(&[&format!("regulariser={regulariser}")]), 2)[0];
    let (pooled, seed, off) = (first("pooled"), first("seed"), first("off"));
    assert_eq!((off.mmd_states, off.mmd_codes), (0.0, 0.0));
    assert!(
        pooled.mmd_states > 0.01 && pooled.mmd_codes > 0.01,
        "{pooled:?}"
    );
    assert!(seed.mmd_states > 0.01 && seed.mmd_codes > 0.01, "{seed:?}");
    assert!((pooled.mmd_states - seed.mmd_states).abs() > 1e-3);
    // They differ in the regulariser alone.
    assert!(
        (pooled.state_nll - off.state_nll).abs() < 1e-5
            && (seed.code_nll - off.code_nll).abs() < 1e-5
    );
    // The loss is the weighted sum of its terms.
    let config = small(&[]);
    for row in [pooled, seed, off] {
        let terms = [
            (row.state_nll + row.code_nll, config.autoencoder_weight),
            (row.result_nll, config.executor_weight),
            (row.mmd_states, config.mmd_states),
            (row.mmd_codes, config.mmd_codes),
            (row.cell_nll, config.cells),
            (row.cell_result_nll, config.cell_results),
            (row.nothing_nll, config.nothing),
            (row.isometry, config.isometry),
        ];
        let sum: f32 = terms
            .iter()
            .map(|(term, weight)| term * *weight as f32)
            .sum();
        assert!((row.loss - sum).abs() < 1e-3, "{sum}: {row:?}");
    }
}

#[test]
fn held_out_sums_are_never_in_a_batch() {
    // One sum a step and no learning: the step's cross entropy is that of one sum, which the model
    // that never changes gives again when asked. Most sums are held out, so a batch drawn from all
    // of them would be found out at once.
    let config = small(&[
        "batch=1",
        "learning_rate=0",
        "held_out=0.9",
        "coarse_to_fine=0",
        "cell_noise=0",
        "seed=3",
    ]);
    let mut trainer = Trainer::new(config.clone(), &Device::flex()).unwrap();
    let executor = trainer.snapshot();
    let split = Split::new(config.held_out, config.split_seed);
    let places = executor.code_places().unwrap();
    let loss_of = |sum: &Sum| {
        let place = places
            .iter()
            .nth((sum.solution() - CODES.start()) as usize)
            .unwrap();
        executor.evaluate(&Points::one(place), *sum).unwrap().loss[0] / config.length() as f32
    };
    let mut trained: Vec<f32> = split.train.iter().map(loss_of).collect();
    trained.sort_by(f32::total_cmp);
    let is_of_a_trained_sum = |nll: f32| {
        let near = |loss: Option<&f32>| loss.is_some_and(|loss| (loss - nll).abs() < 3e-5);
        let after = trained.partition_point(|loss| *loss < nll);
        near(trained.get(after)) || after > 0 && near(trained.get(after - 1))
    };
    // Batches of other sizes round otherwise, hence not equal. The measure tells sums apart: hardly a held-out one looks like a trained one.
    let alike = split
        .held_out
        .iter()
        .step_by(37)
        .filter(|sum| is_of_a_trained_sum(loss_of(sum)))
        .count();
    assert!(
        alike < 20,
        "{alike} of 198 held-out sums can't be told from trained ones"
    );
    for _ in 0..150 {
        let metrics = trainer.step().unwrap();
        assert!(
            is_of_a_trained_sum(metrics.result_nll),
            "step {}: {} belongs to no sum trained on",
            metrics.step,
            metrics.result_nll
        );
    }
    assert_eq!(judge(executor).pairs_held_out, 7290);
}

#[test]
fn a_configuration_survives_its_file_and_refuses_what_it_can_not_be() {
    let config = small(&[
        "decoder=autoregressive",
        "regulariser=seed",
        "cell_noise=0.5",
    ]);
    assert_eq!(
        (config.decoder, config.regulariser),
        (Decoder::Autoregressive, Regulariser::Seed)
    );
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<ExecutorConfig>(&text).unwrap(),
        config
    );
    for (assignment, expected) in [
        ("widht=3", "\"widht\""),
        ("dims", "\"dims\""),
        ("dims=0", "dims is 0"),
        ("dims=two", "\"two\""),
        ("decoder=both", "\"both\""),
        ("held_out=1", "held_out is 1"),
        ("max_norm=-1", "max_norm is -1"),
        ("learning_rate=NaN", "\"NaN\""),
        ("octaves=99", "octaves is 99"),
    ] {
        let mut changed = config.clone();
        let error = format!("{:#}", changed.set(assignment).expect_err(assignment));
        assert!(error.contains(expected), "{assignment}: {error}");
        assert_eq!(
            changed, config,
            "{assignment} was refused and set all the same"
        );
    }
}

/// A saved run and what becomes of copies of it.
struct Damage {
    folder: tempfile::TempDir,
    count: usize,
}

impl Damage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        train(fresh(&small(&[])), &folder.path().join("whole"), 2);
        Self { folder, count: 0 }
    }

    /// The errors of opening and of resuming a copy in which `harm` was done to the checkpoint.
    fn errors(&mut self, harm: impl FnOnce(&Path)) -> [Option<String>; 2] {
        self.count += 1;
        let copy = self.folder.path().join(format!("copy-{}", self.count));
        let whole = newest(&self.folder.path().join("whole"));
        let place = copy.join(whole.file_name().unwrap());
        fs::create_dir_all(&place).unwrap();
        for file in ["config.json", "progress.json", "model.bpk", "moments.bpk"] {
            fs::copy(whole.join(file), place.join(file)).unwrap();
        }
        harm(&place);
        let load = || {
            checkpoint::load(&Source::Run(copy.clone()), &Device::flex())
                .err()
                .map(|e| format!("{e:#}"))
        };
        let resume = || {
            checkpoint::resume(&copy, &Device::flex())
                .err()
                .map(|e| format!("{e:#}"))
        };
        let caught = |what: &str, result: std::thread::Result<Option<String>>| {
            result.unwrap_or_else(|_| panic!("{what} panicked"))
        };
        [
            caught("opening", catch_unwind(AssertUnwindSafe(load))),
            caught("resuming", catch_unwind(AssertUnwindSafe(resume))),
        ]
    }

    /// Both refuse, in one line that names `expected`; opening needs no moments.
    fn check(&mut self, expected: &str, harm: impl FnOnce(&Path)) {
        let [opened, resumed] = self.errors(harm);
        let is_spared = expected.starts_with("moments");
        assert_eq!(opened.is_none(), is_spared, "{expected}: {opened:?}");
        for error in opened
            .into_iter()
            .chain([resumed.unwrap_or_else(|| panic!("{expected}: it was resumed"))])
        {
            assert!(
                error.contains(expected) && error.contains("copy-"),
                "{expected}: {error}"
            );
            assert_eq!(error.lines().count(), 1, "{expected}: {error}");
        }
    }
}

const FILES: [&str; 4] = ["config.json", "progress.json", "model.bpk", "moments.bpk"];

#[test]
fn a_whole_checkpoint_opens() {
    assert_eq!(Damage::new().errors(|_| ()), [None, None]);
}

#[test]
fn missing_cut_and_foreign_files_are_named() {
    let mut damage = Damage::new();
    let mut noise = vec![0; 5000];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut noise);
    for file in FILES {
        if file != "config.json" {
            damage.check(file, |place| fs::remove_file(place.join(file)).unwrap());
        }
        for share in [0.0, 0.01, 0.3, 0.99] {
            damage.check(file, |place| {
                let bytes = fs::read(place.join(file)).unwrap();
                fs::write(
                    place.join(file),
                    &bytes[..(bytes.len() as f64 * share) as usize],
                )
                .unwrap();
            });
        }
        damage.check(file, |place| fs::write(place.join(file), &noise).unwrap());
        damage.check(file, |place| {
            fs::remove_file(place.join(file)).unwrap();
            fs::create_dir(place.join(file)).unwrap();
        });
    }
    damage.check("moments.bpk", |place| {
        replace(place, "moments.bpk", "model.bpk")
    });
    damage.check("model.bpk", |place| {
        replace(place, "model.bpk", "moments.bpk")
    });
}

#[test]
fn a_record_whose_head_is_damaged_does_not_break_the_program() {
    let mut damage = Damage::new();
    for at in (0..400).step_by(7) {
        // Whatever a flipped bit means, the answer is a model or an error.
        let errors = damage.errors(|place| {
            let mut bytes = fs::read(place.join("model.bpk")).unwrap();
            bytes[at] ^= 0x55;
            fs::write(place.join("model.bpk"), bytes).unwrap();
        });
        for error in errors.into_iter().flatten() {
            assert!(error.contains("model.bpk"), "byte {at}: {error}");
        }
    }
}

#[test]
fn a_configuration_that_does_not_fit_the_weights_is_refused() {
    let mut damage = Damage::new();
    let edits = [
        ("d_model", "17"),
        ("d_kv", "4"),
        ("d_ff", "33"),
        ("num_heads", "4"),
        ("bottleneck", "25"),
        ("dims", "3"),
        ("octaves", "2"),
        ("encoder_layers", "2"),
        ("decoder_layers", "2"),
        ("executor_layers", "2"),
        ("relative_attention_num_buckets", "16"),
        ("decoder", "\"autoregressive\""),
    ];
    for (key, value) in edits {
        damage.check("model.bpk", |place| {
            edit(place, |config| {
                config[key] = serde_json::from_str(value).unwrap()
            })
        });
    }
    damage.check("config.json", |place| {
        edit(place, |config| config["widht"] = 3.into())
    });
    damage.check("widht", |place| {
        edit(place, |config| config["widht"] = 3.into())
    });
    damage.check("config.json", |place| {
        edit(place, |config| config["dims"] = 0.into())
    });
    damage.check("dims is 0", |place| {
        edit(place, |config| config["dims"] = 0.into())
    });
    damage.check("config.json", |place| {
        edit(place, |config| {
            drop(config.as_object_mut().unwrap().remove("dims"))
        })
    });
}

fn replace(place: &Path, file: &str, by: &str) {
    fs::copy(place.join(by), place.join(file)).unwrap();
}

fn edit(place: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = place.join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(path, serde_json::to_vec(&config).unwrap()).unwrap();
}

#[test]
fn folders_that_hold_no_run_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for name in ["nowhere", "empty", "file"] {
        let path = folder.path().join(name);
        let error = checkpoint::load(&Source::Run(path.clone()), &Device::flex())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(name), "{error}");
        let error = checkpoint::resume(&path, &Device::flex())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_save_that_was_interrupted_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (out, straight) = (folder.path().join("run"), folder.path().join("straight"));
    let config = small(&[]);
    train(fresh(&config), &straight, 6);
    train(fresh(&config), &out, 3);
    // Half of the next checkpoint, under the name it is being written by.
    let partial = out.join(".checkpoint-00000006.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("config.json"), "{").unwrap();
    fs::write(partial.join("model.bpk"), "half").unwrap();
    assert_eq!(
        checkpoint::load(&Source::Run(out.clone()), &Device::flex())
            .unwrap()
            .progress
            .step,
        3
    );
    train(Start::Resume(out.clone()), &out, 3);
    assert_eq!(curve(&out), curve(&straight));
    assert_eq!(
        checkpoint::load(&Source::Run(out.clone()), &Device::flex())
            .unwrap()
            .progress
            .step,
        6
    );
    assert!(
        !partial.exists(),
        "the half-written checkpoint is still there"
    );
}

/// Everything below a folder with its contents.
fn listing(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(listing(&path));
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

#[test]
fn folders_that_can_not_be_the_runs_own_are_refused_and_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name| folder.path().join(name);
    train(fresh(&small(&[])), &place("run"), 2);
    fs::create_dir(place("mine")).unwrap();
    fs::write(place("mine").join("thesis.txt"), "years of work").unwrap();
    fs::write(place("file"), "x").unwrap();
    fs::create_dir(place("empty")).unwrap();
    let before = listing(folder.path());
    let starts = [fresh(&small(&[])), Start::Resume(place("run"))];
    for out in [
        place("mine"),
        place("file"),
        place("file").join("run"),
        place("file").join("deep").join("run"),
    ] {
        for start in &starts {
            let refused = Trainer::run(start.clone(), &out, Limit::Steps(1), &Device::flex()).err();
            let error = format!(
                "{:#}",
                refused.unwrap_or_else(|| panic!("{} was taken", out.display()))
            );
            assert!(error.contains(&out.display().to_string()), "{error}");
        }
    }
    let refused = Trainer::run(
        fresh(&small(&[])),
        &place("run"),
        Limit::Steps(1),
        &Device::flex(),
    )
    .err();
    assert!(
        format!("{:#}", refused.expect("a run's folder is not a new one")).contains("not empty")
    );
    assert_eq!(listing(folder.path()), before);
    train(fresh(&small(&[])), &place("empty"), 1);
    assert_eq!(
        curve(&place("empty")).len(),
        1,
        "an empty folder is as good as a new one"
    );
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_spares_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let config = small(&["learning_rate=1e30", "warmup_steps=0", "max_norm=1e30"]);
    let mut run = Trainer::run(fresh(&config), &out, Limit::Steps(50), &Device::flex()).unwrap();
    let error = loop {
        assert!(!run.is_done(), "the loss stayed a number");
        match run.step() {
            Ok(_) => (),
            Err(error) => break format!("{error:#}"),
        }
    };
    assert!(
        error.contains("the loss is") && error.contains("learning_rate"),
        "{error}"
    );
    drop(run);
    assert_eq!(
        checkpoint::load(&Source::Run(out), &Device::flex())
            .unwrap()
            .progress
            .step,
        0
    );
}
