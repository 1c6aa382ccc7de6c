//! The engine: one named thread that owns the device and the models, and makes every burn call or waits for the threads
//! that make it. Four channels lead to and from it; the window never waits on them, the command line waits for notices:
//!
//! - commands: a bounded queue ([`mailbox`]);
//! - the probe: the newest query, which supersedes older ones ([`mailbox`]);
//! - views: the latest of everything that can be shown ([`latest`]), put there by the job;
//! - notices: events of the job, failures, and the engine's end; a queue of which nothing is lost.
//!
//! The engine runs a [`Job`], or a [set of them](jobs), and knows no model.

pub mod jobs;
pub mod latest;
pub mod mailbox;

use std::{
    any::Any,
    collections::VecDeque,
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use latest::Latest;
use mailbox::{Busy, Mailbox};

/// Interval at which an idle engine wakes.
const IDLE: Duration = Duration::from_millis(250);
/// Time without commands and probes before [`Job::on_idle`] is called.
const QUIET: Duration = Duration::from_secs(1);
/// Notices on the way; more wait in the engine.
const NOTICES: usize = 256;

/// Outcome of a slice of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// There is more to do at once.
    Busy,
    /// There is more to do after a while.
    Later(Duration),
    /// There is nothing to do until a command or probe comes.
    Idle,
}

impl Work {
    /// [`Work::Busy`] if there is more to do.
    pub fn busy_if(is_busy: bool) -> Self {
        match is_busy {
            true => Self::Busy,
            false => Self::Idle,
        }
    }
}

/// Something the engine computes, slice by slice. All calls come from the engine's thread.
pub trait Job: Sized + 'static {
    /// Commands.
    type Command: Send + 'static;
    /// Queries; only the newest is answered.
    type Probe: Send + 'static;
    /// Facts it reports.
    type Event: Send + 'static;

    /// Takes an order. Long work is begun here and done in [`Self::work`].
    ///
    /// # Errors
    /// If the order can't be followed; the job goes on.
    fn command(&mut self, command: Self::Command, events: &mut Vec<Self::Event>) -> Result<()>;

    /// Answers a query by putting the result into the views.
    ///
    /// # Errors
    /// If the device fails.
    fn probe(&mut self, probe: Self::Probe) -> Result<()>;

    /// Does one slice of what there is to do: a training step, some evaluations, a piece of a map.
    ///
    /// # Errors
    /// If that work failed; it is not tried again.
    fn work(&mut self, events: &mut Vec<Self::Event>) -> Result<Work>;

    /// Does a slice of what nobody asked for but may soon: only when there is nothing else to do, and nobody has
    /// asked for anything for a while.
    ///
    /// # Errors
    /// If that work failed; it is not tried again.
    fn on_idle(&mut self) -> Result<Work> {
        Ok(Work::Idle)
    }
}

/// A fact from the engine.
#[derive(Debug)]
pub enum Notice<E> {
    /// The job reports something.
    Event(E),
    /// An order or a piece of work failed; the engine goes on.
    Failed(String),
    /// The engine has ended; with the reason unless it was told to.
    Ended(Option<String>),
}

/// A call of the job that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The call.
    pub stage: Stage,
    /// Time at which it began.
    pub since: Instant,
}

/// The calls of a job that can take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The job is being made: the device is opened and the model loaded.
    Opening,
    /// [`Job::command`].
    Command,
    /// [`Job::probe`].
    Probe,
    /// [`Job::work`].
    Work,
    /// [`Job::on_idle`].
    OnIdle,
}

/// The engine's handle.
pub struct Engine<J: Job> {
    mailbox: Arc<Mailbox<J::Command, J::Probe>>,
    notices: Receiver<Notice<J::Event>>,
    activity: Arc<Latest<Activity>>,
    thread: Option<JoinHandle<()>>,
    ended: Option<Receiver<Infallible>>,
}

/// Second handle to an engine, which can only end it.
pub struct Ender {
    close: Box<dyn Fn() + Send>,
    ended: Receiver<Infallible>,
}

impl Ender {
    /// Ends the engine after its call under way and waits until its job is put away, at most `limit`; returns true
    /// if it is.
    pub fn finish_within(&self, limit: Duration) -> bool {
        (self.close)();
        self.ended.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
    }
}

impl<J: Job> Engine<J> {
    /// Starts the thread `name`, which first makes its job and calls `wake` whenever it has
    /// published something.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn spawn(
        name: &str,
        wake: impl Fn() + Send + 'static,
        make: impl FnOnce() -> Result<J> + Send + 'static,
    ) -> Result<Self> {
        let mailbox = Arc::new(Mailbox::default());
        let (sender, notices) = sync_channel(NOTICES);
        let activity = Arc::new(Latest::default());
        let (thread_mailbox, thread_activity) = (mailbox.clone(), activity.clone());
        // Nothing is ever sent: what is heard is that the sender is dropped.
        let (running, ended) = sync_channel(0);
        let body = move || {
            let mut outbox = Outbox {
                sender,
                backlog: VecDeque::new(),
                wake,
            };
            let ran = catch_unwind(AssertUnwindSafe(|| {
                run(make, &thread_mailbox, &mut outbox, &thread_activity)
            }));
            thread_activity.clear();
            drop(running);
            let reason = match ran {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(panic) => Some(format!(
                    "the engine broke off: {}",
                    panic_text(panic.as_ref())
                )),
            };
            outbox.finish(reason);
        };
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(body)
            .context("can't start the engine")?;
        Ok(Self {
            mailbox,
            notices,
            activity,
            thread: Some(thread),
            ended: Some(ended),
        })
    }

    /// The call of the job that is under way; none while the engine waits to be told something.
    pub fn activity(&self) -> Option<Activity> {
        self.activity.get().map(|activity| *activity)
    }

    /// Gives an order; never waits.
    ///
    /// # Errors
    /// If too many are waiting.
    pub fn send(&self, command: J::Command) -> Result<(), Busy> {
        self.mailbox.send(command)
    }

    /// Asks; a question not yet answered is forgotten.
    pub fn probe(&self, probe: J::Probe) {
        self.mailbox.probe(probe);
    }

    /// The next notice, if there is one.
    pub fn notice(&self) -> Option<Notice<J::Event>> {
        self.notices.try_recv().ok()
    }

    /// Waits for the next notice, at most `limit`. For the command line; the window never waits.
    pub fn wait(&self, limit: Duration) -> Option<Notice<J::Event>> {
        match self.notices.recv_timeout(limit) {
            Ok(notice) => Some(notice),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Notice::Ended(None)),
        }
    }

    /// The second handle; there is one.
    pub fn ender(&mut self) -> Option<Ender> {
        let (mailbox, ended) = (self.mailbox.clone(), self.ended.take()?);
        let close = Box::new(move || mailbox.close());
        Some(Ender { close, ended })
    }

    /// Ends the engine after its call under way, without waiting for that.
    pub fn close(&self) {
        self.mailbox.close();
    }

    /// Ends the engine and waits until it has put everything away.
    pub fn finish(self) {
        self.finish_within(Duration::MAX);
    }

    /// Ends the engine and waits for that, at most `limit`; returns true if it has ended.
    pub fn finish_within(mut self, limit: Duration) -> bool {
        let begun = Instant::now();
        self.close();
        // Notices must keep flowing or the thread could wait for room for ever.
        while !matches!(self.wait(IDLE.min(limit)), Some(Notice::Ended(_))) {
            if begun.elapsed() >= limit {
                return false;
            }
        }
        if let Some(thread) = self.thread.take() {
            // A panic was already reported as the reason in `Notice::Ended`.
            drop(thread.join());
        }
        true
    }
}

impl<J: Job> Drop for Engine<J> {
    fn drop(&mut self) {
        self.close();
    }
}

fn run<J: Job, W: Fn()>(
    make: impl FnOnce() -> Result<J>,
    mailbox: &Mailbox<J::Command, J::Probe>,
    outbox: &mut Outbox<J::Event, W>,
    activity: &Latest<Activity>,
) -> Result<()> {
    let enter = |stage| {
        let since = Instant::now();
        activity.put(Activity { stage, since });
    };
    enter(Stage::Opening);
    let mut job = make()?;
    let mut asked = Instant::now();
    (outbox.wake)();
    while !mailbox.is_closed() {
        let mut events = Vec::new();
        while let Some(command) = mailbox.command() {
            enter(Stage::Command);
            let done = job.command(command, &mut events);
            outbox.post(&mut events, done.err());
            asked = Instant::now();
        }
        if let Some(probe) = mailbox.take_probe() {
            enter(Stage::Probe);
            let done = job.probe(probe);
            outbox.post(&mut events, done.err());
            (outbox.wake)();
            asked = Instant::now();
        }
        enter(Stage::Work);
        let worked = match job.work(&mut events) {
            Ok(Work::Idle) if asked.elapsed() >= QUIET => {
                enter(Stage::OnIdle);
                job.on_idle()
            }
            worked => worked,
        };
        activity.clear();
        let (work, error) = match worked {
            Ok(work) => (work, None),
            Err(error) => (Work::Busy, Some(error)),
        };
        outbox.post(&mut events, error);
        if work != Work::Idle {
            (outbox.wake)();
        }
        match work {
            Work::Busy => {}
            Work::Later(pause) => mailbox.wait(pause.min(IDLE)),
            Work::Idle => mailbox.wait(IDLE),
        }
    }
    Ok(())
}

/// Notices leave in order and are never dropped; the engine does not wait for a reader either.
struct Outbox<E, W> {
    sender: SyncSender<Notice<E>>,
    backlog: VecDeque<Notice<E>>,
    wake: W,
}

impl<E, W: Fn()> Outbox<E, W> {
    fn post(&mut self, events: &mut Vec<E>, error: Option<anyhow::Error>) {
        self.backlog.extend(events.drain(..).map(Notice::Event));
        self.backlog
            .extend(error.map(|error| Notice::Failed(format!("{error:#}"))));
        if self.backlog.is_empty() {
            return;
        }
        while let Some(notice) = self.backlog.pop_front() {
            match self.sender.try_send(notice) {
                Ok(()) => {}
                Err(TrySendError::Full(notice)) => {
                    self.backlog.push_front(notice);
                    break;
                }
                Err(TrySendError::Disconnected(_)) => self.backlog.clear(),
            }
        }
        (self.wake)();
    }

    fn finish(mut self, reason: Option<String>) {
        self.backlog.push_back(Notice::Ended(reason));
        for notice in self.backlog {
            if self.sender.send(notice).is_err() {
                break;
            }
        }
        (self.wake)();
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown reason")
}
