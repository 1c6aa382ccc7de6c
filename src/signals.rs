//! Termination signals: SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal was closed).

use anyhow::{Context, Result};

/// Blocks the signals that [`listen`] waits for in this thread and all started from it later, so that the
/// default action doesn't end the process. Call it before the first thread is started.
///
/// # Errors
/// If the system refuses.
#[cfg(unix)]
pub fn block() -> Result<()> {
    wanted().thread_block().context("can't listen for signals")
}

/// Calls `heard` at the first signal and at each later Ctrl-C, on a thread of its own: impatient users send
/// several. A SIGHUP that is ignored at program start, as under nohup, stays ignored.
///
/// # Errors
/// If the system refuses.
#[cfg(unix)]
pub fn listen(heard: impl Fn() + Send + 'static) -> Result<()> {
    block()?;
    let wanted = wanted();
    let body = move || {
        let mut is_first = true;
        while let Ok(signal) = wanted.wait() {
            if is_first || signal == nix::sys::signal::Signal::SIGINT {
                heard();
            }
            is_first = false;
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(body)
        .context("can't start a thread")?;
    Ok(())
}

#[cfg(unix)]
fn wanted() -> nix::sys::signal::SigSet {
    use nix::sys::signal::Signal;
    let is_wanted = |signal: &Signal| *signal != Signal::SIGHUP || !is_ignored(*signal);
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .filter(is_wanted)
        .collect()
}

/// True if the process was started with that signal ignored; known on Linux only.
#[cfg(unix)]
fn is_ignored(signal: nix::sys::signal::Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
}

/// No-op on systems without signals.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn block() -> Result<()> {
    Ok(())
}

/// Calls `heard` at each Ctrl-C, on a thread of its own.
///
/// # Errors
/// If the system refuses.
#[cfg(not(unix))]
pub fn listen(heard: impl Fn() + Send + 'static) -> Result<()> {
    ctrlc::set_handler(heard).context("can't listen for Ctrl-C")
}
