//! Runs of any system: a trainer made for the purpose, with files of its own.

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

use anyhow::{Result, bail};
use glyphspace::{
    engine::latest::Latest,
    training::{
        Limit, MetricsRow, Pace, Progress, Run, RunController, Trainer, WarmUp,
        checkpoint::{Checkpoint, PROGRESS},
    },
};
use serde::{Deserialize, Serialize};

const SCHEDULE: u64 = 1000;

/// Grows its difficulty by what it draws; there is no model.
#[derive(Clone, Default)]
struct Curriculum {
    progress: Progress,
    difficulty: f64,
    fails_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Figures {
    step: u64,
    position: u64,
    loss: f32,
    difficulty: f64,
}

impl MetricsRow for Figures {
    fn step(&self) -> u64 {
        self.step
    }

    fn loss(&self) -> f32 {
        self.loss
    }

    fn learning_rate(&self) -> f64 {
        0.1
    }

    fn gradient_norm(&self) -> f32 {
        1.0
    }
}

impl Trainer for Curriculum {
    type Metrics = Figures;

    fn step(&mut self) -> Result<Figures> {
        if self.fails_at == Some(self.progress.step) {
            bail!("the device failed");
        }
        let begun = std::time::Instant::now();
        let position = self.progress.position;
        self.difficulty = (self.difficulty + (self.progress.step as f64).sin().abs()) / 1.1;
        self.progress.advance(begun, SCHEDULE);
        Ok(Figures {
            step: self.progress.step,
            position,
            loss: 1.0,
            difficulty: self.difficulty,
        })
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }

    fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn schedule_steps(&self) -> u64 {
        SCHEDULE
    }

    fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        Ok(vec![
            (PROGRESS, serde_json::to_vec(&self.progress)?),
            ("difficulty.json", serde_json::to_vec(&self.difficulty)?),
            ("words.txt", b"a b c".to_vec()),
        ])
    }
}

fn resume(run: &Path) -> Result<Curriculum> {
    let checkpoint = Checkpoint::newest(run)?;
    Ok(Curriculum {
        progress: checkpoint.progress()?,
        difficulty: checkpoint.json("difficulty.json", "a difficulty")?,
        fails_at: None,
    })
}

fn train(trainer: Curriculum, resumed: Option<&Path>, out: &Path, steps: u64) -> Run<Curriculum> {
    let mut run = Run::begin(resumed, out, Limit::Steps(steps), || Ok(trainer)).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.save().unwrap();
    run
}

#[test]
fn a_trainers_own_files_resume_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (out, straight) = (folder.path().join("run"), folder.path().join("straight"));
    let straight = train(Curriculum::default(), None, &straight, 20);
    train(Curriculum::default(), None, &out, 8);
    let resumed = train(resume(&out).unwrap(), Some(&out), &out, 12);
    assert_eq!(resumed.trainer.difficulty, straight.trainer.difficulty);
    assert_eq!(resumed.curve, straight.curve);
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
    let make = || Ok(Curriculum::default());
    let mut run = Run::begin(None, &folder.path().join("run"), limit, make).unwrap();
    while !run.is_done() {
        run.step().unwrap();
        sleep(Duration::from_millis(5));
    }
    run.save().unwrap();
    let positions: Vec<u64> = run.curve.iter().map(|row| row.position).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(positions.len() < 100 && positions.last().is_some_and(|last| *last > SCHEDULE / 2));
    assert_eq!(run.trainer.progress.position, SCHEDULE);
}

#[test]
fn a_lane_paces_one_run_at_a_time_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let begin = |lane: &mut RunController<Curriculum>, name: &str, fails_at| {
        let trainer = Curriculum {
            fails_at,
            ..Curriculum::default()
        };
        lane.begin(|| Run::begin(None, &place(name), Limit::Steps(4), || Ok(trainer)))
    };
    let (training, curves) = (Arc::new(Latest::default()), Arc::new(Latest::default()));
    let mut lane = RunController::new(training.clone(), curves.clone());
    let pace = || training.get().unwrap().pace;
    assert!(lane.step().unwrap().is_none() && lane.end().is_none());

    begin(&mut lane, "first", None).unwrap();
    let error = begin(&mut lane, "second", None).unwrap_err().to_string();
    assert!(error.contains("already") && !place("second").exists());
    lane.set_pace(Pace::OneStep);
    assert!(!lane.step().unwrap().unwrap().is_last);
    assert!(pace() == Some(Pace::Paused) && !lane.is_running());
    assert!(lane.step().unwrap().is_none());
    lane.set_pace(Pace::Running);
    let steps = std::iter::from_fn(|| lane.step().unwrap())
        .take_while(|step| !step.is_last)
        .count();
    assert_eq!(steps, 2);
    let (run, saved) = lane.end().unwrap();
    assert!(saved.unwrap().ends_with("checkpoint-00000004"));
    assert_eq!(run.trainer.progress.step, 4);
    assert!(pace().is_none() && curves.get().unwrap().len() == 4);

    // A run that fails is over; its checkpoint stays.
    begin(&mut lane, "failing", Some(1)).unwrap();
    lane.step().unwrap();
    let error = format!("{:#}", lane.step().unwrap_err());
    assert_eq!(error, "the run was ended: the device failed");
    assert!(lane.trainer().is_none() && pace().is_none());
    assert_eq!(resume(&place("failing")).unwrap().progress.step, 0);

    // One that is under way is saved at the end.
    begin(&mut lane, "dropped", None).unwrap();
    lane.step().unwrap();
    drop(lane);
    assert_eq!(resume(&place("dropped")).unwrap().progress.step, 1);
}

#[test]
fn a_warm_up_is_two_steps_and_makes_its_trainer_at_the_first() {
    let made = Arc::new(AtomicU64::new(0));
    let count = made.clone();
    let mut warm_up = WarmUp::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Curriculum::default())
    });
    assert_eq!(made.load(Ordering::Relaxed), 0);
    let steps: Vec<bool> = (0..4).map(|_| warm_up.step().unwrap()).collect();
    assert_eq!(steps, [true, true, false, false]);
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert!(!WarmUp::<Curriculum>::default().step().unwrap());

    // What fails is said once and not tried again.
    let mut failing = WarmUp::new(|| {
        Ok(Curriculum {
            fails_at: Some(0),
            ..Curriculum::default()
        })
    });
    let why = format!("{:#}", failing.step().unwrap_err());
    assert_eq!(
        why,
        "can't compile training's kernels ahead: the device failed"
    );
    assert!(!failing.step().unwrap());
}
