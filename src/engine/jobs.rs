//! Jobs on one thread, by key: each does its slice in turn, and is made only when it is first wanted, so that a program
//! that opens with one of them is ready as soon as that is.

use std::any::Any;

use anyhow::{Context, Error, Result};

use super::{Job, Work};

/// Command, probe or event of a job of any type.
pub type AnyMessage = Box<dyn Any + Send>;

/// Error context: a view (a picture or an answer) could not be computed; obsolete once another one is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ViewError(pub &'static str);

/// A job of any type.
trait AnyJob {
    fn command(&mut self, command: AnyMessage, events: &mut Vec<AnyMessage>) -> Result<()>;
    fn probe(&mut self, probe: AnyMessage) -> Result<()>;
    fn work(&mut self, events: &mut Vec<AnyMessage>) -> Result<Work>;
    fn on_idle(&mut self) -> Result<Work>;
}

impl<J: Job> AnyJob for J {
    fn command(&mut self, command: AnyMessage, events: &mut Vec<AnyMessage>) -> Result<()> {
        let command = typed(command)?;
        boxing(events, |events| Job::command(self, command, events))
    }

    fn probe(&mut self, probe: AnyMessage) -> Result<()> {
        Job::probe(self, typed(probe)?)
    }

    fn work(&mut self, events: &mut Vec<AnyMessage>) -> Result<Work> {
        boxing(events, |events| Job::work(self, events))
    }

    fn on_idle(&mut self) -> Result<Work> {
        Job::on_idle(self)
    }
}

fn typed<T: 'static>(message: AnyMessage) -> Result<T> {
    let message = message.downcast().ok();
    Ok(*message.context("the message is for a job of another type")?)
}

fn boxing<E: Send + 'static, T>(
    events: &mut Vec<AnyMessage>,
    run: impl FnOnce(&mut Vec<E>) -> T,
) -> T {
    let mut own = Vec::new();
    let done = run(&mut own);
    events.extend(own.into_iter().map(|event| Box::new(event) as AnyMessage));
    done
}

/// A job of several, by key. What goes wrong is an event of the one it happened to.
pub struct JobSet<K> {
    entries: Vec<JobEntry<K>>,
    /// Failures that no events could be reported with, until they can.
    failures: Vec<(K, Error)>,
}

struct JobEntry<K> {
    key: K,
    job: Option<Box<dyn AnyJob>>,
    make: Box<dyn FnMut() -> Result<Box<dyn AnyJob>>>,
}

impl<K> JobEntry<K> {
    /// The job, made if it isn't there.
    fn job(&mut self) -> Result<&mut dyn AnyJob> {
        let job = match self.job.take() {
            Some(job) => job,
            None => (self.make)()?,
        };
        Ok(self.job.insert(job).as_mut())
    }
}

impl<K> Default for JobSet<K> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            failures: Vec::new(),
        }
    }
}

impl<K: Copy + PartialEq + Send + 'static> JobSet<K> {
    /// Adds the job that `make` makes at its first command or probe; if that fails, it is tried again at the next.
    pub fn add<J: Job>(&mut self, key: K, mut make: impl FnMut() -> Result<J> + 'static) {
        self.entries.push(JobEntry {
            key,
            job: None,
            make: Box::new(move || Ok(Box::new(make()?))),
        });
    }

    /// Makes a job at once.
    ///
    /// # Errors
    /// If there is none of that key, or it can't be made.
    pub fn open(&mut self, key: K) -> Result<()> {
        self.job(key).map(drop)
    }

    fn job(&mut self, key: K) -> Result<&mut dyn AnyJob> {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.key == key);
        entry.context("no job has that key")?.job()
    }
}

impl<K: Copy + PartialEq + Send + 'static> Job for JobSet<K> {
    type Command = (K, AnyMessage);
    type Probe = (K, AnyMessage);
    type Event = (K, Result<AnyMessage>);

    fn command(
        &mut self,
        (key, command): (K, AnyMessage),
        events: &mut Vec<Self::Event>,
    ) -> Result<()> {
        let mut own = Vec::new();
        let done = self.job(key).and_then(|job| job.command(command, &mut own));
        report(key, own, done, events);
        Ok(())
    }

    fn probe(&mut self, (key, probe): (K, AnyMessage)) -> Result<()> {
        let failure = self.job(key).and_then(|job| job.probe(probe)).err();
        self.failures.extend(failure.map(|error| (key, error)));
        Ok(())
    }

    fn work(&mut self, events: &mut Vec<Self::Event>) -> Result<Work> {
        events.extend(
            self.failures
                .drain(..)
                .map(|(key, error)| (key, Err(error))),
        );
        let mut soonest = Work::Idle;
        for entry in &mut self.entries {
            let Some(job) = &mut entry.job else { continue };
            let mut own = Vec::new();
            let done = job.work(&mut own);
            // What failed is not tried again, but there may be more to do.
            soonest = sooner(soonest, *done.as_ref().unwrap_or(&Work::Busy));
            report(entry.key, own, done, events);
        }
        Ok(soonest)
    }

    fn on_idle(&mut self) -> Result<Work> {
        for entry in &mut self.entries {
            match entry.job.as_mut().map(|job| job.on_idle()) {
                None | Some(Ok(Work::Idle)) => {}
                Some(Ok(work)) => return Ok(work),
                Some(Err(error)) => {
                    self.failures.push((entry.key, error));
                    return Ok(Work::Busy);
                }
            }
        }
        Ok(Work::Idle)
    }
}

/// Passes on the events of a job, its failure among them.
fn report<K: Copy, T>(
    key: K,
    own: Vec<AnyMessage>,
    done: Result<T>,
    events: &mut Vec<(K, Result<AnyMessage>)>,
) {
    events.extend(own.into_iter().map(|event| (key, Ok(event))));
    events.extend(done.err().map(|error| (key, Err(error))));
}

/// Sooner of two outcomes.
fn sooner(a: Work, b: Work) -> Work {
    match (a, b) {
        (Work::Busy, _) | (_, Work::Busy) => Work::Busy,
        (Work::Later(a), Work::Later(b)) => Work::Later(a.min(b)),
        (Work::Later(pause), Work::Idle) | (Work::Idle, Work::Later(pause)) => Work::Later(pause),
        (Work::Idle, Work::Idle) => Work::Idle,
    }
}
