//! Checkpoints that are missing, cut, foreign or left half-written, and folders that are no run's own.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use glyphspace::{
    executor::{
        checkpoint,
        system::{ExecutorRun, ExecutorTrainer},
    },
    training::{Limit, Start, checkpoint::Source},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{curve, fresh, small, train};

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

/// A saved run and what becomes of copies of it.
struct DistortionBatch {
    folder: tempfile::TempDir,
    count: usize,
}

impl DistortionBatch {
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
            ExecutorTrainer::resume(&copy, (), &Device::flex())
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
    assert_eq!(DistortionBatch::new().errors(|_| ()), [None, None]);
}

#[test]
fn missing_cut_and_foreign_files_are_named() {
    let mut damage = DistortionBatch::new();
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
    let mut damage = DistortionBatch::new();
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
    let mut damage = DistortionBatch::new();
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
        let error = ExecutorTrainer::resume(&path, (), &Device::flex())
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
            let refused =
                ExecutorRun::start(start.clone(), (), &out, Limit::Steps(1), &Device::flex()).err();
            let error = format!(
                "{:#}",
                refused.unwrap_or_else(|| panic!("{} was taken", out.display()))
            );
            assert!(error.contains(&out.display().to_string()), "{error}");
        }
    }
    let refused = ExecutorRun::start(
        fresh(&small(&[])),
        (),
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
    let mut run =
        ExecutorRun::start(fresh(&config), (), &out, Limit::Steps(50), &Device::flex()).unwrap();
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
