//! The engine's wires with a job made for the purpose.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use glyphspace::engine::{Engine, Job, Notice, Stage as EngineStage, Work, latest::Latest};

use super::{PATIENCE, next, wait_until};

/// What a call that must not wait may take.
const AT_ONCE: Duration = Duration::from_millis(10);

const SLOW: Duration = Duration::from_millis(300);

#[derive(Debug)]
enum Order {
    Number(u32),
    Burst(u32),
    Fail,
    FailInWork,
    Panic,
    Slow(bool),
}

/// Repeats what it is told.
#[derive(Default)]
struct Echo {
    probes: Arc<Mutex<Vec<u32>>>,
    shown: Arc<Latest<u32>>,
    is_slow: bool,
    fails: bool,
    slices: u32,
    asked: Option<Instant>,
    rests: Arc<Mutex<Vec<Duration>>>,
}

impl Job for Echo {
    type Command = Order;
    type Probe = u32;
    type Event = u32;

    fn command(&mut self, command: Order, events: &mut Vec<u32>) -> Result<()> {
        self.asked = Some(Instant::now());
        match command {
            Order::Number(number) => events.push(number),
            Order::Burst(count) => events.extend(0..count),
            Order::Fail => bail!("order refused"),
            Order::FailInWork => self.fails = true,
            Order::Panic => panic!("order {} broke the job", 7),
            Order::Slow(is_slow) => self.is_slow = is_slow,
        }
        Ok(())
    }

    fn probe(&mut self, probe: u32) -> Result<()> {
        self.asked = Some(Instant::now());
        if probe == 13 {
            bail!("probe refused");
        }
        self.probes.lock().unwrap().push(probe);
        Ok(())
    }

    fn work(&mut self, _events: &mut Vec<u32>) -> Result<Work> {
        if std::mem::take(&mut self.fails) {
            bail!("work failed");
        }
        if !self.is_slow {
            return Ok(Work::Idle);
        }
        self.slices += 1;
        self.shown.put(self.slices);
        std::thread::sleep(SLOW);
        Ok(Work::Busy)
    }

    fn on_idle(&mut self) -> Result<Work> {
        let quiet = self.asked.map(|asked| asked.elapsed());
        self.rests.lock().unwrap().extend(quiet);
        Ok(Work::Idle)
    }
}

struct Stage {
    engine: Engine<Echo>,
    probes: Arc<Mutex<Vec<u32>>>,
    shown: Arc<Latest<u32>>,
    rests: Arc<Mutex<Vec<Duration>>>,
}

fn stage() -> Stage {
    let job = Echo::default();
    let (probes, shown) = (job.probes.clone(), job.shown.clone());
    let rests = job.rests.clone();
    let engine = Engine::spawn("echo", || (), move || Ok(job)).unwrap();
    Stage {
        engine,
        probes,
        shown,
        rests,
    }
}

/// A stage whose job is in the middle of a slow slice.
fn slow_stage() -> Stage {
    let stage = stage();
    stage.engine.send(Order::Slow(true)).unwrap();
    wait_until("the job works", || stage.shown.get().is_some());
    stage
}

fn next_number(engine: &Engine<Echo>) -> u32 {
    match next(engine) {
        Notice::Event(number) => number,
        other => panic!("expected an event: {other:?}"),
    }
}

fn at_once<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = call();
    let took = begun.elapsed();
    assert!(took < AT_ONCE, "{what} took {took:?}");
    result
}

#[test]
fn commands_are_followed_in_order_and_none_is_lost() {
    let stage = slow_stage();
    let mut accepted = 0;
    while stage.engine.send(Order::Number(accepted)).is_ok() {
        accepted += 1;
        assert!(accepted < 10_000, "the mailbox has no end");
    }
    assert!(accepted >= 32, "only {accepted} commands fit");
    let refusal = stage
        .engine
        .send(Order::Number(accepted))
        .expect_err("the mailbox is full")
        .to_string();
    assert!(refusal.contains("busy"), "{refusal}");
    for expected in 0..accepted {
        assert_eq!(next_number(&stage.engine), expected);
    }
    // There is room again, and nothing came twice.
    stage.engine.send(Order::Number(777)).unwrap();
    assert_eq!(next_number(&stage.engine), 777);
    stage.engine.finish();
}

#[test]
fn notices_nobody_reads_yet_are_kept_in_order() {
    let stage = stage();
    stage.engine.send(Order::Burst(1000)).unwrap();
    stage.engine.send(Order::Number(5)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    for expected in (0..1000).chain([5]) {
        assert_eq!(next_number(&stage.engine), expected);
    }
    stage.engine.finish();
}

#[test]
fn an_engine_ends_although_its_notices_are_unread() {
    let stage = stage();
    stage.engine.send(Order::Burst(5000)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    stage.engine.finish();
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn the_newest_probe_supersedes_older_ones() {
    let stage = slow_stage();
    for probe in 100..150 {
        stage.engine.probe(probe);
    }
    wait_until("an answer", || !stage.probes.lock().unwrap().is_empty());
    stage.engine.send(Order::Slow(false)).unwrap();
    stage.engine.probe(200);
    wait_until("the last answer", || {
        stage.probes.lock().unwrap().contains(&200)
    });
    // The slice may have ended in the midst of the first fifty.
    let answered = stage.probes.lock().unwrap().clone();
    assert!(answered.len() <= 3, "{answered:?}");
    assert!(
        answered.contains(&149) && answered.is_sorted(),
        "{answered:?}"
    );
    stage.engine.finish();
}

#[test]
fn a_slow_slice_delays_nobody() {
    let stage = slow_stage();
    let begun = Instant::now();
    while begun.elapsed() < SLOW * 3 {
        at_once("a command", || stage.engine.send(Order::Number(1))).ok();
        at_once("a probe", || stage.engine.probe(1));
        at_once("a look at the views", || stage.shown.get());
        at_once("a look for notices", || stage.engine.notice());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(stage.shown.version() >= 2, "the job did nothing meanwhile");
    stage.engine.finish();
}

#[test]
fn after_a_failure_the_engine_goes_on() {
    let stage = stage();
    let check = |make: &dyn Fn(), expected: &str| {
        make();
        match next(&stage.engine) {
            Notice::Failed(why) => assert!(why.contains(expected), "{why}"),
            other => panic!("expected a failure: {other:?}"),
        }
        stage.engine.send(Order::Number(1)).unwrap();
        assert_eq!(next_number(&stage.engine), 1);
    };
    check(&|| stage.engine.send(Order::Fail).unwrap(), "order refused");
    check(
        &|| stage.engine.send(Order::FailInWork).unwrap(),
        "work failed",
    );
    check(&|| stage.engine.probe(13), "probe refused");
    stage.engine.finish();
}

#[test]
fn a_panic_ends_the_engine_with_its_reason() {
    let stage = stage();
    stage.engine.send(Order::Number(3)).unwrap();
    stage.engine.send(Order::Panic).unwrap();
    assert_eq!(
        next_number(&stage.engine),
        3,
        "what was done before is still told"
    );
    match next(&stage.engine) {
        Notice::Ended(Some(why)) => assert!(why.contains("order 7 broke the job"), "{why}"),
        other => panic!("expected the end: {other:?}"),
    }
    at_once("finishing a dead engine", || stage.engine.finish());
}

#[test]
fn a_job_that_can_not_be_made_ends_the_engine_with_its_reason() {
    let engine = Engine::<Echo>::spawn("echo", || (), || bail!("no such device")).unwrap();
    match next(&engine) {
        Notice::Ended(Some(why)) => assert!(why.contains("no such device"), "{why}"),
        other => panic!("expected the end: {other:?}"),
    }
    engine.finish();
}

#[test]
fn finishing_waits_for_the_slice_and_drops_the_job() {
    let stage = slow_stage();
    let begun = Instant::now();
    stage.engine.finish();
    assert!(
        begun.elapsed() < SLOW + Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(Arc::strong_count(&stage.shown), 1, "the job is still there");
}

#[test]
fn a_job_rests_only_after_nobody_has_asked_for_a_while() {
    let quiet = Duration::from_secs(1);
    let stage = stage();
    for number in 0..4 {
        match number {
            0 => stage.engine.send(Order::Number(number)).unwrap(),
            _ => stage.engine.probe(number),
        }
        std::thread::sleep(quiet * 2 / 5);
    }
    wait_until("the job rests", || !stage.rests.lock().unwrap().is_empty());
    let shortest = *stage.rests.lock().unwrap().iter().min().unwrap();
    assert!(shortest >= quiet, "rested after {shortest:?}");

    // Nor while there is something to do.
    let slow = slow_stage();
    std::thread::sleep(quiet + SLOW * 2);
    assert!(slow.rests.lock().unwrap().is_empty());
}

#[test]
fn a_long_call_can_be_seen_and_need_not_be_waited_for() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let make = move || {
        released.recv()?;
        Ok(Echo::default())
    };
    let engine = Engine::spawn("echo", || (), make).unwrap();
    let stage_of = |engine: &Engine<Echo>| engine.activity().map(|activity| activity.stage);
    wait_until("the job is being made", || {
        stage_of(&engine) == Some(EngineStage::Opening)
    });
    let since = engine.activity().unwrap().since;
    std::thread::sleep(SLOW);
    assert!(since.elapsed() >= SLOW, "a call under way began anew");
    release.send(()).unwrap();
    wait_until("the engine rests", || engine.activity().is_none());
    engine.send(Order::Slow(true)).unwrap();
    wait_until("the job works", || {
        stage_of(&engine) == Some(EngineStage::Work)
    });
    engine.send(Order::Slow(false)).unwrap();
    wait_until("the engine rests again", || engine.activity().is_none());
    assert!(engine.finish_within(PATIENCE), "an idle engine ends");

    let (release, released) = std::sync::mpsc::channel::<()>();
    let make = move || {
        released.recv()?;
        Ok(Echo::default())
    };
    let engine = Engine::spawn("echo", || (), make).unwrap();
    let begun = Instant::now();
    assert!(!engine.finish_within(SLOW), "a job half made has not ended");
    assert!(begun.elapsed() < PATIENCE);
    drop(release);
}
