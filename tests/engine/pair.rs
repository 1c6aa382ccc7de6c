//! Two jobs on one engine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, bail};
use glyphspace::engine::{
    Engine, Job, Notice, Work,
    pair::{Either, Pair},
};

use super::next;

/// Counts down from what it is told, one a slice.
struct CountDown(u32);

impl Job for CountDown {
    type Command = u32;
    type Probe = ();
    type Event = u32;

    fn command(&mut self, from: u32, _: &mut Vec<u32>) -> Result<()> {
        self.0 = from;
        Ok(())
    }

    fn probe(&mut self, (): ()) -> Result<()> {
        bail!("probed at {}", self.0)
    }

    fn work(&mut self, events: &mut Vec<u32>) -> Result<Work> {
        if self.0 == 0 {
            return Ok(Work::Idle);
        }
        self.0 -= 1;
        events.push(self.0);
        Ok(Work::Later(Duration::ZERO))
    }
}

type Both = Either<Result<u32>, Result<u32>>;

fn failure_of_second(notice: Notice<Both>) -> String {
    match notice {
        Notice::Event(Either::Second(Err(why))) => why.to_string(),
        other => panic!("expected a failure of the second: {other:?}"),
    }
}

/// The engine, and how often its second job was made; the first attempt fails.
fn pair() -> (Engine<Pair<CountDown, CountDown>>, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let make = move || {
        Ok(Pair::new(CountDown(0), move || {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                bail!("no model yet");
            }
            Ok(CountDown(0))
        }))
    };
    (Engine::spawn("pair", || (), make).unwrap(), made)
}

#[test]
fn the_second_is_made_when_wanted_and_both_go_on() {
    let (engine, made) = pair();
    engine.send(Either::First(1)).unwrap();
    assert!(matches!(next(&engine), Notice::Event(Either::First(Ok(0)))));
    assert_eq!(made.load(Ordering::SeqCst), 0);

    engine.probe(Either::Second(()));
    assert_eq!(failure_of_second(next(&engine)), "no model yet");
    engine.send(Either::Second(3)).unwrap();
    engine.send(Either::First(3)).unwrap();
    let mut heard = Vec::new();
    while heard.len() < 6 {
        match next(&engine) {
            Notice::Event(event) => heard.push(event),
            other => panic!("expected an event: {other:?}"),
        }
    }
    let of = |gather: fn(&Both) -> Option<u32>| -> Vec<u32> {
        heard.iter().filter_map(gather).collect()
    };
    assert_eq!(
        of(|event| if let Either::First(Ok(n)) = event {
            Some(*n)
        } else {
            None
        }),
        [2, 1, 0]
    );
    assert_eq!(
        of(|event| if let Either::Second(Ok(n)) = event {
            Some(*n)
        } else {
            None
        }),
        [2, 1, 0]
    );
    engine.probe(Either::Second(()));
    assert_eq!(failure_of_second(next(&engine)), "probed at 0");
    assert_eq!(made.load(Ordering::SeqCst), 2);
    engine.finish();
}
