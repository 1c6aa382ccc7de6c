//! Several jobs on one engine.

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
    jobs::{AnyMessage, JobSet},
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

/// The engine of the jobs 'a' to 'c', and how often 'b' was made; the first attempt fails.
fn jobs() -> (Engine<JobSet<char>>, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let make = move || {
        let mut jobs = JobSet::default();
        jobs.add('a', || Ok(CountDown(0)));
        jobs.add('b', move || {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                bail!("no model yet");
            }
            Ok(CountDown(0))
        });
        jobs.add('c', || Ok(CountDown(0)));
        jobs.open('a')?;
        Ok(jobs)
    };
    (Engine::spawn("jobs", || (), make).unwrap(), made)
}

fn next_event(engine: &Engine<JobSet<char>>) -> (char, Result<u32, String>) {
    match next(engine) {
        Notice::Event((key, Ok(event))) => (key, Ok(*event.downcast().unwrap())),
        Notice::Event((key, Err(why))) => (key, Err(why.to_string())),
        other => panic!("expected an event: {other:?}"),
    }
}

fn boxed<T: Send + 'static>(message: T) -> AnyMessage {
    Box::new(message)
}

#[test]
fn a_job_is_made_when_wanted_and_all_go_on() {
    let (engine, made) = jobs();
    engine.send(('a', boxed(1_u32))).unwrap();
    assert_eq!(next_event(&engine), ('a', Ok(0)));
    assert_eq!(made.load(Ordering::SeqCst), 0);

    engine.probe(('b', boxed(())));
    assert_eq!(next_event(&engine), ('b', Err("no model yet".into())));
    for key in ['c', 'b', 'a'] {
        engine.send((key, boxed(3_u32))).unwrap();
    }
    let heard: Vec<_> = (0..9).map(|_| next_event(&engine)).collect();
    for key in ['a', 'b', 'c'] {
        let of_key = heard.iter().filter(|(from, _)| *from == key);
        let counted: Vec<u32> = of_key.map(|(_, event)| event.clone().unwrap()).collect();
        assert_eq!(counted, [2, 1, 0], "{key}");
    }
    engine.probe(('b', boxed(())));
    assert_eq!(next_event(&engine), ('b', Err("probed at 0".into())));
    assert_eq!(made.load(Ordering::SeqCst), 2);
    engine.finish();
}

#[test]
fn messages_for_no_job_are_failures() {
    let (engine, _) = jobs();
    engine.send(('d', boxed(1_u32))).unwrap();
    assert_eq!(
        next_event(&engine),
        ('d', Err("no job has that key".into()))
    );
    engine.send(('a', boxed("three"))).unwrap();
    let (key, failure) = next_event(&engine);
    assert!(key == 'a' && failure.unwrap_err().contains("another type"));
    engine.finish();
}
