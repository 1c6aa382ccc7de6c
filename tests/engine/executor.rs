//! The Latent Executor's job on the engine.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use glyphspace::{
    data::{language::Code, sums::Sum},
    device::Choice,
    engine::{Engine, Notice},
    executor::config::ExecutorConfig,
    executor::{
        checkpoint,
        job::{ExecutorCommand, ExecutorEvent, ExecutorJob, PointQuery, SearchOrder, SolveRequest},
        views::ExecutorViews,
    },
    latent::search::Method,
    training::config::Config as _,
    training::{Limit, Pace, RunCommand, RunEvent, Start, SystemJob, checkpoint::Source},
};

use super::{next, wait_until};

/// The Latent Executor's job with the bundled model on the CPU.
struct Lab {
    engine: Engine<ExecutorJob>,
    views: Arc<ExecutorViews>,
}

impl Lab {
    fn open() -> Self {
        let views = Arc::new(ExecutorViews::default());
        let for_engine = views.clone();
        let make = move || ExecutorJob::new(Choice::Cpu, &Source::Bundled, for_engine);
        let engine = Engine::spawn("engine", || (), make).unwrap();
        wait_until("the bundled model", || {
            if let Some(Notice::Ended(why)) = engine.notice() {
                panic!("the engine has ended: {why:?}");
            }
            views.run.model.get().is_some()
        });
        Self { engine, views }
    }

    fn send(&self, command: ExecutorCommand) {
        self.engine.send(command).unwrap();
    }

    fn wait_for<T>(&self, mut gather: impl FnMut(ExecutorEvent) -> Option<T>) -> T {
        loop {
            match next(&self.engine) {
                Notice::Event(event) => {
                    if let Some(picked) = gather(event) {
                        return picked;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Begins a run that would go on for hours.
    fn train(&self, out: &Path) {
        self.send(train(out));
        let started = |event| matches!(event, ExecutorEvent::Run(RunEvent::Started(_)));
        self.wait_for(|event| started(event).then_some(()));
        wait_until("the first step", || self.steps() > 0);
    }

    fn pace(&self, pace: Pace, becomes: Pace) {
        self.send(RunCommand::Pace(pace).into());
        wait_until("the pace", || self.views.run.pace() == Some(becomes));
    }

    fn steps(&self) -> u64 {
        self.views.run.steps().unwrap_or(0)
    }
}

/// A run that would go on for hours.
fn train(out: &Path) -> ExecutorCommand {
    let train = RunCommand::Train {
        start: Start::Fresh(Box::new(small())),
        data: (),
        out: out.to_owned(),
        limit: Limit::Steps(1 << 30),
    };
    train.into()
}

fn small() -> ExecutorConfig {
    let mut config = ExecutorConfig::preset("pocket").unwrap();
    for assignment in [
        "d_model=16",
        "d_kv=8",
        "num_heads=2",
        "d_ff=32",
        "bottleneck=24",
        "batch=32",
    ] {
        config.set(assignment).unwrap();
    }
    config
}

#[test]
fn a_run_pauses_steps_once_and_stops_with_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let lab = Lab::open();
    lab.train(&out);
    lab.pace(Pace::Paused, Pace::Paused);
    let paused_at = lab.steps();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(lab.steps(), paused_at, "it goes on although paused");
    for step in 1..=3 {
        lab.send(RunCommand::Pace(Pace::OneStep).into());
        wait_until("a single step", || lab.steps() == paused_at + step);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(lab.steps(), paused_at + step, "more than one step");
        assert_eq!(
            lab.views.run.training.get().unwrap().pace,
            Some(Pace::Paused)
        );
    }
    lab.pace(Pace::Running, Pace::Running);
    wait_until("running again", || lab.steps() > paused_at + 10);

    let begun = Instant::now();
    lab.send(RunCommand::Stop.into());
    let steps = lab.wait_for(|event| {
        if let ExecutorEvent::Run(RunEvent::Trained(steps)) = event {
            Some(steps)
        } else {
            None
        }
    });
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "stopping took {:?}",
        begun.elapsed()
    );
    assert_eq!(lab.views.run.training.get().unwrap().pace, None);
    assert_eq!(lab.steps(), steps);
    let executor = checkpoint::load(&Source::Run(out), &burn::tensor::Device::flex()).unwrap();
    assert_eq!(executor.progress.step, steps);
    assert_eq!(executor.config, small());
    assert_eq!(
        lab.views.run.model.get().unwrap().steps,
        steps,
        "the trained model is the one that is asked"
    );
    lab.engine.finish();
}

#[test]
fn questions_and_searches_are_answered_while_a_run_trains() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::open();
    lab.train(&folder.path().join("run"));
    for tick in 0..20 {
        let point = vec![0.04 * tick as f32, -0.3];
        lab.engine.probe(PointQuery {
            point: point.clone(),
            state: 71,
            result: Some(18),
        });
        let begun = Instant::now();
        wait_until("an answer", || {
            lab.views
                .answer
                .get()
                .is_some_and(|answer| answer.point == point)
        });
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
        let answer = lab.views.answer.get().unwrap();
        assert_eq!(answer.truth, answer.code.map(|code| code.run(71)));
        assert!(answer.loss.unwrap() >= 0.0);
    }
    lab.send(ExecutorCommand::Decode(PointQuery {
        point: vec![0.5, 0.5],
        state: 20,
        result: None,
    }));
    let answer = lab.wait_for(|event| {
        if let ExecutorEvent::Decoded(answer) = event {
            Some(answer)
        } else {
            None
        }
    });
    assert_eq!(
        (answer.point, answer.state, answer.loss),
        (vec![0.5, 0.5], 20, None)
    );
    let sum = Sum {
        start: 71,
        result: 18,
    };
    lab.send(ExecutorCommand::Search(SearchOrder::Begin(SolveRequest {
        task: sum.into(),
        strategy: Method::Random.into(),
        budget: 5,
        seed: 0,
        pause: Duration::ZERO,
        between: Default::default(),
    })));
    let view = lab.wait_for(|event| {
        if let ExecutorEvent::Solved(view) = event {
            Some(view)
        } else {
            None
        }
    });
    assert!(view.ended && (view.path.len() == 5 || view.solved.is_some()));
    let before = lab.steps();
    wait_until("training goes on", || lab.steps() > before);
    lab.engine.finish();
}

#[test]
fn a_map_is_shown_coarse_first() {
    let lab = Lab::open();
    let sum = Sum {
        start: 45,
        result: 90,
    };
    lab.send(ExecutorCommand::Map {
        sum,
        size: 200,
        slice: None,
    });
    wait_until("a first map", || lab.views.landscape.get().is_some());
    let first = lab.views.landscape.get().unwrap();
    assert!(
        first.loss.size < 200,
        "the first map has {} cells a side",
        first.loss.size
    );
    let map = lab.wait_for(|event| {
        if let ExecutorEvent::Mapped(map) = event {
            Some(map)
        } else {
            None
        }
    });
    assert_eq!((map.sum, map.loss.size, map.truth.size), (sum, 200, 200));
    assert!(map.loss.is_consistent() && map.truth.is_consistent());
    assert!(map.loss.values.iter().all(|loss| !loss.is_nan()));
    for (cell, code) in map.code.iter().enumerate() {
        let is_right = code.is_some_and(|code| code.run(45) == 90);
        assert_eq!(
            (map.truth.values[cell] == 1.0, map.loss.missing[cell]),
            (is_right, code.is_none()),
            "cell {cell}"
        );
    }
    // The map says the same as a question does.
    let cell = map.loss.lowest().unwrap().0;
    lab.send(ExecutorCommand::Decode(PointQuery {
        point: map.loss.center(cell).to_vec(),
        state: 45,
        result: Some(90),
    }));
    let answer = lab.wait_for(|event| {
        if let ExecutorEvent::Decoded(answer) = event {
            Some(answer)
        } else {
            None
        }
    });
    assert_eq!(answer.code, map.code[cell]);
    assert!((answer.loss.unwrap() - map.loss.values[cell]).abs() < 1e-3);
    lab.engine.finish();
}

#[test]
fn three_programs_decode_at_their_places_on_a_slice() {
    let lab = Lab::open();
    let programs = [-53, 0, 40].map(Code::Add);
    lab.send(ExecutorCommand::Map {
        sum: Sum {
            start: 71,
            result: 18,
        },
        size: 32,
        slice: Some(programs),
    });
    let map = lab.wait_for(|event| {
        if let ExecutorEvent::Mapped(map) = event {
            Some(map)
        } else {
            None
        }
    });
    let cut = map.cut.clone().unwrap();
    assert_eq!(cut.programs, programs);
    for (corner, program) in cut.slice.corners.iter().zip(programs) {
        lab.send(ExecutorCommand::Decode(PointQuery {
            point: cut.slice.embed(*corner),
            state: 20,
            result: None,
        }));
        let answer = lab.wait_for(|event| {
            if let ExecutorEvent::Decoded(answer) = event {
                Some(answer)
            } else {
                None
            }
        });
        assert_eq!(answer.code, Some(program));
    }
    lab.engine.finish();
}

#[test]
fn a_map_that_was_ordered_is_delivered_whatever_is_watched_meanwhile() {
    let lab = Lab::open();
    let (ordered, watched) = (
        Sum {
            start: 45,
            result: 90,
        },
        Sum {
            start: 20,
            result: 30,
        },
    );
    lab.send(ExecutorCommand::Map {
        sum: ordered,
        size: 64,
        slice: None,
    });
    lab.send(ExecutorCommand::Watch(Some(watched), None));
    let begun = Instant::now();
    loop {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the ordered map never came"
        );
        match lab.engine.wait(Duration::from_millis(100)) {
            Some(Notice::Event(ExecutorEvent::Mapped(map))) if map.sum == ordered => break,
            Some(Notice::Event(_)) | None => (),
            other => panic!("{other:?}"),
        }
    }
    lab.engine.finish();
}

#[test]
fn orders_that_make_no_sense_are_refused_and_harm_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::open();
    let check = |command: ExecutorCommand, expected: &str| {
        lab.send(command);
        match next(&lab.engine) {
            Notice::Failed(why) => assert!(why.contains(expected), "{why}"),
            other => panic!("expected {expected}: {other:?}"),
        }
    };
    let question = |point: &[f32], state| PointQuery {
        point: point.to_vec(),
        state,
        result: None,
    };
    check(ExecutorCommand::Decode(question(&[0.1], 71)), "expected 2");
    check(
        ExecutorCommand::Decode(question(&[0.1, 0.2, 0.3], 71)),
        "has 3 values",
    );
    check(
        ExecutorCommand::Decode(question(&[0.1, 0.2], 100)),
        "state is 100",
    );
    check(
        RunCommand::Open(Source::Run(folder.path().join("nowhere"))).into(),
        "nowhere",
    );
    assert_eq!(lab.views.run.model.get().unwrap().origin, "bundled model");
    lab.train(&folder.path().join("run"));
    lab.pace(Pace::Paused, Pace::Paused);
    check(train(&folder.path().join("second")), "already");
    check(RunCommand::Open(Source::Bundled).into(), "stop it");
    assert!(!folder.path().join("second").exists());
    lab.engine.finish();
    // The engine's end keeps what the run has learnt.
    assert!(
        checkpoint::load(
            &Source::Run(folder.path().join("run")),
            &burn::tensor::Device::flex()
        )
        .unwrap()
        .progress
        .step
            > 0
    );
}
