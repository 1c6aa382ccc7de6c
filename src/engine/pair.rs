//! Two jobs on one thread: each does its slice in turn, and the second is made only when it is first
//! wanted, so that a program that opens with the first is ready as soon as that is.

use anyhow::{Error, Result};

use super::{Job, Work};

/// Message to or from one of two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// The context of a picture or an answer that could not be computed: of no concern once another one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ViewError(pub &'static str);

/// A job that is two. What goes wrong is an event of the one it happened to.
pub struct Pair<A: Job, B: Job> {
    first: A,
    second: Option<B>,
    make: Box<dyn FnMut() -> Result<B>>,
    /// Failures that no events could be reported with, until they can.
    failures: Vec<Either<Error, Error>>,
}

impl<A: Job, B: Job> Pair<A, B> {
    /// A pair of a job and of one that `make` makes at its first command or probe; if that fails, it is
    /// tried again at the next.
    pub fn new(first: A, make: impl FnMut() -> Result<B> + 'static) -> Self {
        Self {
            first,
            second: None,
            make: Box::new(make),
            failures: Vec::new(),
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
    type Event = Either<Result<A::Event>, Result<B::Event>>;

    fn command(&mut self, command: Self::Command, events: &mut Vec<Self::Event>) -> Result<()> {
        match command {
            Either::First(command) => reporting(events, Either::First, |events| {
                self.first.command(command, events)
            }),
            Either::Second(command) => reporting(events, Either::Second, |events| {
                self.second()?.command(command, events)
            }),
        };
        Ok(())
    }

    fn probe(&mut self, probe: Self::Probe) -> Result<()> {
        let failure = match probe {
            Either::First(probe) => self.first.probe(probe).err().map(Either::First),
            Either::Second(probe) => {
                let probed = self.second().and_then(|second| second.probe(probe));
                probed.err().map(Either::Second)
            }
        };
        self.failures.extend(failure);
        Ok(())
    }

    fn work(&mut self, events: &mut Vec<Self::Event>) -> Result<Work> {
        events.extend(self.failures.drain(..).map(|failure| match failure {
            Either::First(error) => Either::First(Err(error)),
            Either::Second(error) => Either::Second(Err(error)),
        }));
        let first = reporting(events, Either::First, |events| self.first.work(events));
        let second = match &mut self.second {
            Some(second) => reporting(events, Either::Second, |events| second.work(events)),
            None => Some(Work::Idle),
        };
        // What failed is not tried again, but there may be more to do.
        let or_busy = |work: Option<Work>| work.unwrap_or(Work::Busy);
        Ok(sooner(or_busy(first), or_busy(second)))
    }

    fn on_idle(&mut self) -> Result<Work> {
        let rested = match (self.first.on_idle(), &mut self.second) {
            (Ok(Work::Idle), Some(second)) => second.on_idle().map_err(Either::Second),
            (rested, _) => rested.map_err(Either::First),
        };
        Ok(rested.unwrap_or_else(|failure| {
            self.failures.push(failure);
            Work::Busy
        }))
    }
}

/// Runs `run` and passes on the events it reports, its failure among them.
fn reporting<T, E, F>(
    events: &mut Vec<E>,
    wrap: fn(Result<F>) -> E,
    run: impl FnOnce(&mut Vec<F>) -> Result<T>,
) -> Option<T> {
    let mut own = Vec::new();
    let result = run(&mut own);
    events.extend(own.into_iter().map(|event| wrap(Ok(event))));
    result.map_err(|error| events.push(wrap(Err(error)))).ok()
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
