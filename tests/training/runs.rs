//! Runs of any system, shown by one made for the purpose.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use burn::tensor::Device;
use glyphspace::training::{
    Limit, MetricsTable, Pace, Run, RunController, RunViews, Trainer, WarmUp,
    checkpoint::Checkpoint, metrics::TRAIN_SECS,
};

use super::parity::{FailsAt, Parity, ParityConfig, ParityTrainer};

const SCHEDULE: u64 = 1000;

fn fresh(fails_at: FailsAt) -> ParityTrainer {
    Trainer::new(ParityConfig::default(), fails_at, &Device::flex()).unwrap()
}

fn resume(run: &Path) -> anyhow::Result<ParityTrainer> {
    Trainer::resume(run, None, &Device::flex())
}

fn train(trainer: ParityTrainer, resumed: Option<&Path>, out: &Path, steps: u64) -> Run<Parity> {
    let mut run = Run::begin(resumed, out, Limit::Steps(steps), || Ok(trainer)).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.save().unwrap();
    run
}

/// All columns but the seconds, in single precision: as many digits as the file has.
fn columns(table: &MetricsTable) -> Vec<(&str, Vec<f32>)> {
    let names = table.columns().iter().map(String::as_str);
    names
        .filter(|name| *name != TRAIN_SECS)
        .map(|name| (name, table.column(name).map(|value| value as f32).collect()))
        .collect()
}

#[test]
fn a_third_system_learns_by_the_same_trainer() {
    let folder = tempfile::tempdir().unwrap();
    let run = train(fresh(None), None, &folder.path().join("run"), 300);
    for term in ["loss", "reconstruction", "parity"] {
        let values: Vec<f64> = run.curve.column(term).collect();
        let mean = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64;
        let (first, last) = (mean(&values[..5]), mean(&values[295..]));
        assert!(last < 0.5 * first, "{term}: {first}, then {last}");
    }
    let header = fs::read_to_string(folder.path().join("run/metrics.csv")).unwrap();
    assert_eq!(
        header.lines().next().unwrap(),
        "step,position,learning_rate,loss,reconstruction,parity,difficulty,gradient_norm,train_secs"
    );
    // The loss is the weighted sum of the terms.
    let terms = run
        .curve
        .column("reconstruction")
        .zip(run.curve.column("parity"));
    for ((reconstruction, parity), loss) in terms.zip(run.curve.column("loss")) {
        assert!((reconstruction + 0.5 * parity - loss).abs() < 1e-6);
    }
}

#[test]
fn a_trainers_own_files_resume_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (out, straight) = (folder.path().join("run"), folder.path().join("straight"));
    let straight = train(fresh(None), None, &straight, 20);
    train(fresh(None), None, &out, 8);
    let resumed = train(resume(&out).unwrap(), Some(&out), &out, 12);
    assert_eq!(
        resumed.trainer.system.difficulty,
        straight.trainer.system.difficulty
    );
    assert_eq!(columns(&resumed.curve), columns(&straight.curve));
    assert_eq!(resumed.curve.len(), 20);
    let checkpoint = Checkpoint::newest(&out).unwrap();
    assert_eq!(checkpoint.read("words.txt").unwrap(), b"a b c");

    let Checkpoint::Folder { path: place, .. } = checkpoint else {
        panic!("a run's checkpoint is a folder");
    };
    fs::write(place.join("difficulty.json"), "hard").unwrap();
    let refused = || format!("{:#}", resume(&out).err().unwrap());
    assert!(
        refused().contains("difficulty.json is damaged"),
        "{}",
        refused()
    );
    // Without checksums, as runs of before are, contents are judged by what they say.
    fs::remove_file(place.join("SHA256SUMS")).unwrap();
    assert!(
        refused().contains("difficulty.json is not a difficulty"),
        "{}",
        refused()
    );
}

#[test]
fn a_run_limited_in_seconds_goes_through_the_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Limit::Seconds(0.3);
    let make = || Ok(fresh(None));
    let mut run = Run::begin(None, &folder.path().join("run"), limit, make).unwrap();
    while !run.is_done() {
        run.step().unwrap();
        sleep(Duration::from_millis(5));
    }
    run.save().unwrap();
    let positions: Vec<u64> = run.curve.column("position").map(|p| p as u64).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(positions.len() < 100 && positions.last().is_some_and(|last| *last > SCHEDULE / 2));
    assert_eq!(run.trainer.progress.position, SCHEDULE);
}

#[test]
fn a_controller_paces_one_run_at_a_time_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let begin = |controller: &mut RunController<Parity>, name: &str, fails_at| {
        let limit = Limit::Steps(4);
        controller.begin(|| Run::begin(None, &place(name), limit, || Ok(fresh(fails_at))))
    };
    let views = Arc::new(RunViews::default());
    let mut controller = RunController::new(views.clone());
    let pace = || views.training.get().unwrap().pace;
    assert!(controller.step().unwrap().is_none() && controller.end().is_none());

    begin(&mut controller, "first", None).unwrap();
    let error = begin(&mut controller, "second", None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("already") && !place("second").exists());
    controller.set_pace(Pace::OneStep);
    assert!(!controller.step().unwrap().unwrap().is_last);
    assert!(pace() == Some(Pace::Paused) && !controller.is_running());
    assert!(controller.step().unwrap().is_none());
    controller.set_pace(Pace::Running);
    let steps = std::iter::from_fn(|| controller.step().unwrap())
        .take_while(|step| !step.is_last)
        .count();
    assert_eq!(steps, 2);
    let (run, saved) = controller.end().unwrap();
    assert!(saved.unwrap().ends_with("checkpoint-00000004"));
    assert_eq!(run.trainer.progress.step, 4);
    assert!(pace().is_none() && views.curves.get().unwrap().len() == 4);

    // A run that fails is over; its checkpoint stays.
    begin(&mut controller, "failing", Some(1)).unwrap();
    controller.step().unwrap();
    let error = format!("{:#}", controller.step().unwrap_err());
    assert_eq!(error, "the run was ended: the device failed");
    assert!(controller.trainer().is_none() && pace().is_none());
    assert_eq!(resume(&place("failing")).unwrap().progress.step, 0);

    // One that is under way is saved at the end.
    begin(&mut controller, "dropped", None).unwrap();
    controller.step().unwrap();
    drop(controller);
    assert_eq!(resume(&place("dropped")).unwrap().progress.step, 1);
}

#[test]
fn a_warm_up_is_two_steps_and_makes_its_trainer_at_the_first() {
    let made = Arc::new(AtomicU64::new(0));
    let count = made.clone();
    let mut warm_up = WarmUp::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(fresh(None))
    });
    assert_eq!(made.load(Ordering::Relaxed), 0);
    let steps: Vec<bool> = (0..4).map(|_| warm_up.step().unwrap()).collect();
    assert_eq!(steps, [true, true, false, false]);
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert!(!WarmUp::<Parity>::default().step().unwrap());

    // What fails is said once and not tried again.
    let mut failing = WarmUp::new(|| Ok(fresh(Some(0))));
    let why = format!("{:#}", failing.step().unwrap_err());
    assert_eq!(
        why,
        "can't compile training's kernels ahead: the device failed"
    );
    assert!(!failing.step().unwrap());
}
