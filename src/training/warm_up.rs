//! Steps of a run that nobody began: a GPU's kernels are compiled at their first use, which takes seconds, so a
//! program that has nothing else to do uses them before somebody waits for it.

use anyhow::{Context, Result};

use super::Trainer;

/// The second step compiles some more: what it goes on from lies otherwise in memory.
const STEPS: u32 = 2;

/// What is left of them.
pub struct WarmUp<T> {
    make: Option<Box<dyn FnOnce() -> Result<T>>>,
    trainer: Option<T>,
    left: u32,
}

impl<T> Default for WarmUp<T> {
    /// None.
    fn default() -> Self {
        Self {
            make: None,
            trainer: None,
            left: 0,
        }
    }
}

impl<T: Trainer> WarmUp<T> {
    /// Steps of the trainer that `make` makes when the first is taken.
    pub fn new(make: impl FnOnce() -> Result<T> + 'static) -> Self {
        Self {
            make: Some(Box::new(make)),
            trainer: None,
            left: STEPS,
        }
    }

    /// Takes a step; whether there was one to take. The trainer is gone after the last.
    ///
    /// # Errors
    /// If it fails; then none is left.
    pub fn step(&mut self) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let stepped = self.take_step();
        if self.left == 0 || stepped.is_err() {
            *self = Self::default();
        }
        stepped.context("can't compile training's kernels ahead")?;
        Ok(true)
    }

    fn take_step(&mut self) -> Result<()> {
        if let Some(make) = self.make.take() {
            self.trainer = Some(make()?);
        }
        if let Some(trainer) = &mut self.trainer {
            trainer.step()?;
        }
        Ok(())
    }
}
