//! Mailbox of the engine: commands, none of which may be lost, and the newest probe, which supersedes any older one.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Commands the box holds before it refuses more.
const CAPACITY: usize = 64;

/// The engine has this many commands still to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine is busy: {CAPACITY} commands are waiting")]
pub struct Busy;

#[derive(Debug)]
struct Inner<C, P> {
    commands: VecDeque<C>,
    probe: Option<P>,
    closed: bool,
}

/// Written by the window or the command line, emptied by the engine.
#[derive(Debug)]
pub struct Mailbox<C, P> {
    inner: Mutex<Inner<C, P>>,
    arrived: Condvar,
}

impl<C, P> Default for Mailbox<C, P> {
    fn default() -> Self {
        let inner = Inner {
            commands: VecDeque::new(),
            probe: None,
            closed: false,
        };
        Self {
            inner: Mutex::new(inner),
            arrived: Condvar::new(),
        }
    }
}

impl<C, P> Mailbox<C, P> {
    /// Adds a command; never waits.
    ///
    /// # Errors
    /// If too many are waiting.
    pub fn send(&self, command: C) -> Result<(), Busy> {
        let mut inner = self.lock();
        if inner.commands.len() >= CAPACITY {
            return Err(Busy);
        }
        inner.commands.push_back(command);
        self.arrived.notify_one();
        Ok(())
    }

    /// Replaces the probe.
    pub fn probe(&self, probe: P) {
        self.lock().probe = Some(probe);
        self.arrived.notify_one();
    }

    /// Ends the engine after what it is doing.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// The oldest command.
    pub fn command(&self) -> Option<C> {
        self.lock().commands.pop_front()
    }

    /// The newest probe.
    pub fn take_probe(&self) -> Option<P> {
        self.lock().probe.take()
    }

    /// True if the engine should end.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for something to arrive, at most `limit`.
    pub fn wait(&self, limit: Duration) {
        let inner = self.lock();
        let empty = |inner: &mut Inner<C, P>| {
            inner.commands.is_empty() && inner.probe.is_none() && !inner.closed
        };
        drop(self.arrived.wait_timeout_while(inner, limit, empty));
    }

    fn lock(&self) -> MutexGuard<'_, Inner<C, P>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
