//! Two jobs on one thread: each does its slice in turn, and the second is made only when it is first
//! wanted, so that a program that opens with the first is ready as soon as that is.

use anyhow::{Result, anyhow};

use super::{Job, Work};

/// What is meant for, or comes from, one of two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// A job that is two.
pub struct Pair<A, B> {
    first: A,
    second: Option<B>,
    make: Box<dyn FnMut() -> Result<B>>,
}

impl<A: Job, B: Job> Pair<A, B> {
    /// A pair of a job and of one that `make` makes at its first command or probe; if that fails, it is
    /// tried again at the next.
    pub fn new(first: A, make: impl FnMut() -> Result<B> + 'static) -> Self {
        Self {
            first,
            second: None,
            make: Box::new(make),
        }
    }

    fn second(&mut self) -> Result<&mut B> {
        let made = match self.second.take() {
            Some(made) => made,
            None => (self.make)()?,
        };
        Ok(self.second.insert(made))
    }
}

impl<A: Job, B: Job> Job for Pair<A, B> {
    type Command = Either<A::Command, B::Command>;
    type Probe = Either<A::Probe, B::Probe>;
    type Event = Either<A::Event, B::Event>;

    fn command(&mut self, command: Self::Command, events: &mut Vec<Self::Event>) -> Result<()> {
        match command {
            Either::First(command) => reporting(events, Either::First, |events| {
                self.first.command(command, events)
            }),
            Either::Second(command) => {
                let second = self.second()?;
                reporting(events, Either::Second, |events| {
                    second.command(command, events)
                })
            }
        }
    }

    fn probe(&mut self, probe: Self::Probe) -> Result<()> {
        match probe {
            Either::First(probe) => self.first.probe(probe),
            Either::Second(probe) => self.second()?.probe(probe),
        }
    }

    fn work(&mut self, events: &mut Vec<Self::Event>) -> Result<Work> {
        let first = reporting(events, Either::First, |events| self.first.work(events));
        let second = match &mut self.second {
            Some(second) => reporting(events, Either::Second, |events| second.work(events)),
            None => Ok(Work::Idle),
        };
        match (first, second) {
            (Ok(first), Ok(second)) => Ok(sooner(first, second)),
            (Err(first), Err(second)) => Err(anyhow!("{first:#}; {second:#}")),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }

    fn rest(&mut self) -> Result<Work> {
        match (self.first.rest()?, &mut self.second) {
            (Work::Idle, Some(second)) => second.rest(),
            (first, _) => Ok(first),
        }
    }
}

/// Runs `run` and passes on the events it reports.
fn reporting<T, E, F>(
    events: &mut Vec<E>,
    wrap: fn(F) -> E,
    run: impl FnOnce(&mut Vec<F>) -> Result<T>,
) -> Result<T> {
    let mut own = Vec::new();
    let result = run(&mut own);
    events.extend(own.into_iter().map(wrap));
    result
}

/// When there is more to do for either of two.
fn sooner(a: Work, b: Work) -> Work {
    match (a, b) {
        (Work::Busy, _) | (_, Work::Busy) => Work::Busy,
        (Work::Later(a), Work::Later(b)) => Work::Later(a.min(b)),
        (Work::Later(pause), Work::Idle) | (Work::Idle, Work::Later(pause)) => Work::Later(pause),
        (Work::Idle, Work::Idle) => Work::Idle,
    }
}
