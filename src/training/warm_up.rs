//! Compilation of training's kernels ahead of the first run: a GPU's kernels are compiled at their first use, which takes
//! seconds.

use anyhow::{Context, Result};

use super::{System, Trainer};

/// Number of steps: the second compiles further kernels, as its input state has another memory layout.
const STEPS: u32 = 2;

/// Steps taken only to compile their kernels ahead of the first run.
pub struct WarmUp<S: System> {
    make: Option<Box<dyn FnOnce() -> Result<Trainer<S>>>>,
    trainer: Option<Trainer<S>>,
    left: u32,
}

impl<S: System> Default for WarmUp<S> {
    /// No steps.
    fn default() -> Self {
        Self {
            make: None,
            trainer: None,
            left: 0,
        }
    }
}

impl<S: System> WarmUp<S> {
    /// Steps of the trainer that `make` makes when the first is taken.
    pub fn new(make: impl FnOnce() -> Result<Trainer<S>> + 'static) -> Self {
        Self {
            make: Some(Box::new(make)),
            trainer: None,
            left: STEPS,
        }
    }

    /// Runs a step; true if one was left. The trainer is dropped after the last.
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
