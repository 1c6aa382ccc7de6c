//! Latest value of something: a reader never waits for a writer's work, and a value that nobody read is replaced.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The newest value, with a version that rises by one for each.
#[derive(Debug)]
pub struct Latest<T> {
    inner: Mutex<(u64, Option<Arc<T>>)>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new((0, None)),
        }
    }
}

impl<T> Latest<T> {
    /// Replaces the value.
    pub fn put(&self, value: T) {
        let value = Arc::new(value);
        let old = {
            let mut inner = self.lock();
            inner.0 += 1;
            inner.1.replace(value)
        };
        // A large value is freed outside the lock.
        drop(old);
    }

    /// Empties the slot.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.0 += 1;
        inner.1 = None;
    }

    /// The value, if there is one yet.
    pub fn get(&self) -> Option<Arc<T>> {
        self.lock().1.clone()
    }

    /// Number of changes so far.
    pub fn version(&self) -> u64 {
        self.lock().0
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Option<Arc<T>>)> {
        // The lock is held for a swap only, so a poisoned one still holds a whole value.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
