//! Exit hooks for a process that ends in the middle of its work: libX11 calls `exit` when the display is
//! lost, and the stack is not unwound then.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Result, ensure};

type Hooks = BTreeMap<usize, Box<dyn FnOnce() + Send>>;

static HOOKS: Mutex<Option<Hooks>> = Mutex::new(None);

/// Hook that runs when the process ends by `exit`, unless it is dropped before.
#[derive(Debug)]
pub struct AtExit(usize);

impl AtExit {
    /// Registers a hook. Libraries that it needs must be loaded by then: those loaded later are torn down
    /// before it runs.
    ///
    /// # Errors
    /// If the system accepts no more hooks.
    pub fn new(hook: impl FnOnce() + Send + 'static) -> Result<Self> {
        let mut hooks = hooks();
        if hooks.is_none() {
            listen()?;
        }
        let hooks = hooks.get_or_insert_default();
        let key = hooks.last_key_value().map_or(0, |(key, _)| key + 1);
        hooks.insert(key, Box::new(hook));
        Ok(Self(key))
    }
}

impl Drop for AtExit {
    fn drop(&mut self) {
        let hook = hooks().as_mut().and_then(|hooks| hooks.remove(&self.0));
        drop(hook);
    }
}

/// Ends the process at once, without hooks.
pub fn exit_at_once(code: i32) -> ! {
    drop(take_all());
    std::process::exit(code)
}

fn hooks() -> MutexGuard<'static, Option<Hooks>> {
    HOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take_all() -> Hooks {
    hooks().as_mut().map(std::mem::take).unwrap_or_default()
}

#[cfg(unix)]
fn listen() -> Result<()> {
    extern "C" fn call_all() {
        for hook in take_all().into_values() {
            hook();
        }
    }
    // SAFETY: `call_all` lives as long as the process, and a panic in it aborts the process in place of unwinding.
    #[allow(unsafe_code)]
    let status = unsafe { libc::atexit(call_all) };
    ensure!(status == 0, "the system takes no more work for its exit");
    Ok(())
}

/// No-op without libX11, where the loss of the display returns to the caller.
#[cfg(not(unix))]
fn listen() -> Result<()> {
    Ok(())
}
