//! Runs whose files were damaged, cut or left by a killed process, and folders that hold more than the program
//! wrote.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use glyphspace::{
    executor::{checkpoint, system::ExecutorRun},
    training::{
        Limit, Start,
        checkpoint::{Checkpoint, METRICS, Source},
    },
};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{curve, fresh, small, train};

const FILES: [&str; 5] = [
    "config.json",
    "progress.json",
    "model.bpk",
    "moments.bpk",
    METRICS,
];

/// A folder with `run`, of `steps` steps.
fn trained(steps: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    train(fresh(&small(&[])), &run, steps);
    (folder, run)
}

fn step_of(run: &Path) -> u64 {
    let executor = checkpoint::load(&Source::Run(run.to_owned()), &Device::flex());
    executor.unwrap().progress.step
}

fn resumed(run: &Path) -> Result<u64, String> {
    let start = Start::Resume(run.to_owned());
    let run = ExecutorRun::start(start, (), run, Limit::Steps(1), &Device::flex());
    run.map(|run| run.trainer.progress.step)
        .map_err(|error| format!("{error:#}"))
}

/// Every file of the checkpoint as it can be read; or why not.
fn contents(run: &Path) -> Result<Vec<Vec<u8>>, String> {
    let read = || FILES.map(|file| Checkpoint::newest(run)?.read(file));
    let read = std::panic::catch_unwind(read).expect("reading panicked");
    read.into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error: anyhow::Error| format!("{error:#}"))
}

#[test]
fn flipped_bits_and_cuts_are_refused_by_name_or_change_nothing() {
    // More on demand: 2,000 flips are a command the README names.
    let count = std::env::var("GLYPHSPACE_FLIPS").map_or(200, |count| count.parse().unwrap());
    let (_folder, run) = trained(3);
    let place = run.join("checkpoint-00000003");
    let whole = contents(&run).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut refused = 0;
    for number in 0..count + count / 10 {
        let name = [&FILES[..], &["SHA256SUMS"]].concat()[number % (FILES.len() + 1)];
        let path = place.join(name);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        if number < count {
            let bit = rng.random_range(0..bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        } else {
            bytes.truncate(rng.random_range(0..bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        match contents(&run) {
            Err(error) => {
                assert!(error.contains(name), "{name}: {error}");
                assert_eq!(error.lines().count(), 1, "{error}");
                refused += 1;
            }
            Ok(contents) => assert!(contents == whole, "{name} was read as something else"),
        }
        fs::write(&path, before).unwrap();
    }
    assert!(refused > count * 9 / 10, "only {refused} refused");
    assert_eq!(contents(&run).unwrap(), whole);
}

#[test]
fn a_run_of_before_there_were_checksums_opens_and_is_said_to_be_unchecked() {
    let (_folder, run) = trained(3);
    let source = Source::Run(run.clone());
    assert_eq!(source.warning(), None);
    let place = run.join("checkpoint-00000003");
    fs::remove_file(place.join("SHA256SUMS")).unwrap();
    fs::remove_file(place.join(METRICS)).unwrap();
    let warning = source.warning().unwrap();
    assert!(
        warning.contains("checkpoint-00000003") && warning.contains("unchecked"),
        "{warning}"
    );
    assert!(source.origin().ends_with("(unchecked)"));
    // Its process was killed while it wrote: steps behind the checkpoint, and half a row.
    let table = fs::read_to_string(run.join(METRICS)).unwrap();
    let last = table.lines().last().unwrap();
    let ahead = last.replacen("3,", "4,", 1);
    fs::write(
        run.join(METRICS),
        format!("{table}{ahead}\n{}", &ahead[..9]),
    )
    .unwrap();
    train(Start::Resume(run.clone()), &run, 2);
    let steps: Vec<String> = curve(&run).iter().map(|row| row["step"].clone()).collect();
    assert_eq!(steps, ["1", "2", "3", "4", "5"]);
    assert_eq!(source.warning(), None, "what is saved now has checksums");
}

#[test]
fn the_runs_table_is_that_of_its_checkpoint_whatever_befell_it() {
    for damage in ["cut", "gone", "ahead", "rubbish"] {
        let (_folder, run) = trained(6);
        let whole = curve(&run);
        let path = run.join(METRICS);
        let table = fs::read(&path).unwrap();
        match damage {
            "cut" => fs::write(&path, &table[..table.len() - 40]).unwrap(),
            "gone" => fs::remove_file(&path).unwrap(),
            "ahead" => fs::write(&path, [&table[..], &table[table.len() - 90..]].concat()).unwrap(),
            _ => fs::write(&path, [0, 159, 146, 150]).unwrap(),
        }
        train(Start::Resume(run.clone()), &run, 1);
        let rows = curve(&run);
        assert_eq!(rows.len(), 7, "{damage}");
        assert_eq!(rows[..6], whole, "{damage}");
    }
}

#[test]
fn names_the_program_does_not_write_are_neither_read_nor_removed() {
    let (_folder, run) = trained(3);
    let names = [
        "checkpoint-00000003-good",
        "checkpoint-best",
        "checkpoint-9",
        "checkpoint-000000099",
        "checkpoint-00000001.bak",
    ];
    for name in names {
        fs::create_dir(run.join(name)).unwrap();
        fs::write(run.join(name).join("model.bpk"), "mine").unwrap();
    }
    for name in ["checkpoint-notes.txt", "checkpoint-00000042", "config.json"] {
        fs::write(run.join(name), "mine").unwrap();
    }
    // A note in a checkpoint of the program's own outlives that.
    fs::write(run.join("checkpoint-00000003/notes.txt"), "mine").unwrap();
    assert_eq!(step_of(&run), 3);
    train(Start::Resume(run.clone()), &run, 2);
    assert_eq!(step_of(&run), 5);
    for name in names {
        let kept = fs::read_to_string(run.join(name).join("model.bpk"));
        assert_eq!(kept.unwrap(), "mine", "{name}");
    }
    for name in ["checkpoint-notes.txt", "checkpoint-00000042"] {
        assert_eq!(fs::read_to_string(run.join(name)).unwrap(), "mine");
    }
    let left: Vec<_> = fs::read_dir(run.join("checkpoint-00000003"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["notes.txt"]);
}

#[test]
fn a_checkpoint_is_found_between_the_two_renames_of_a_save() {
    let (_folder, run) = trained(3);
    let old = run.join(".checkpoint-00000003.old");
    fs::rename(run.join("checkpoint-00000003"), &old).unwrap();
    assert_eq!(step_of(&run), 3);
    train(Start::Resume(run.clone()), &run, 2);
    assert_eq!(step_of(&run), 5);
    assert_eq!(curve(&run).len(), 5);
    assert!(!old.exists());
}

#[test]
fn one_process_at_a_time_trains_in_a_folder() {
    let (folder, run) = trained(3);
    let start = || Start::Resume(run.clone());
    let first = ExecutorRun::start(start(), (), &run, Limit::Steps(5), &Device::flex()).unwrap();
    let error = resumed(&run).unwrap_err();
    assert!(
        error.contains("in training already") && error.contains("run"),
        "{error}"
    );
    // To read it, or to go on with it elsewhere, is nobody's harm.
    assert_eq!(step_of(&run), 3);
    train(start(), &folder.path().join("elsewhere"), 1);
    drop(first);
    assert_eq!(resumed(&run), Ok(3));
    // The lock of a process that has ended holds nobody up.
    assert!(run.join(".lock").exists());
    assert_eq!(resumed(&run), Ok(3));
}

#[test]
fn a_process_that_ended_before_its_first_checkpoint_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir_all(run.join(".checkpoint-00000000.partial")).unwrap();
    fs::write(run.join(".lock"), "").unwrap();
    train(fresh(&small(&[])), &run, 2);
    assert_eq!(step_of(&run), 2);
}

#[test]
fn a_checkpoint_is_no_folder_to_train_in() {
    let (_folder, run) = trained(2);
    let place = run.join("checkpoint-00000002");
    let error = resumed(&place).unwrap_err();
    assert!(error.contains("expected the folder of its run"), "{error}");
    assert_eq!(step_of(&place), 2);
}
