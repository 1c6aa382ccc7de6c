//! Configurations, one for file, command line and window: every key a training run depends on, in one
//! struct per system.

pub mod executor;
pub mod glyphs;

use std::fmt::Display;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Serialize, de::DeserializeOwned};

/// Flat struct of keys and values.
pub trait Config: Serialize + DeserializeOwned {
    /// Renamed keys: the old name and the new. Files and flags accept both.
    const RENAMED: &[(&str, &str)];

    /// Checks that a model can be built and trained with the values.
    ///
    /// # Errors
    /// If not; the key, its value and the expected values are named.
    fn check(&self) -> Result<()>;

    /// The configuration of a step whose shards are merged into one batch: `batch * shards` rows, 1 shard.
    fn with_shards_merged(&self) -> Self;

    /// Seed of the weights and of everything random in a step.
    fn seed(&self) -> u64;

    /// Shards of a step.
    fn shards(&self) -> usize;

    /// Steps of the schedule.
    fn schedule_steps(&self) -> u64;

    /// The learning rate after `position` steps of the schedule.
    fn learning_rate_at(&self, position: u64) -> f64;

    /// Sets one key from text, `key=value`.
    ///
    /// # Errors
    /// If the key is unknown or the value doesn't fit it; nothing is changed then.
    fn set(&mut self, assignment: &str) -> Result<()> {
        let (key, text) = assignment
            .split_once('=')
            .ok_or_else(|| anyhow!("can't read {assignment:?}: expected key=value"))?;
        let (key, text) = (key.trim(), text.trim());
        let renamed = Self::RENAMED.iter().find(|(before, _)| *before == key);
        let key = renamed.map_or(key, |(_, now)| now);
        let serde_json::Value::Object(mut map) = serde_json::to_value(&*self)? else {
            unreachable!("a struct serialises to an object")
        };
        if !map.contains_key(key) {
            bail!(
                "unknown key {key:?}: expected one of {}",
                map.keys().cloned().collect::<Vec<_>>().join(", ")
            );
        }
        let value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        map.insert(key.to_owned(), value);
        let changed: Self = serde_json::from_value(map.into())
            .with_context(|| format!("can't set {key} to {text:?}"))?;
        changed.check()?;
        *self = changed;
        Ok(())
    }
}

/// Checks that all values are in `low..=high`.
///
/// # Errors
/// For the first value out of range; the key, its value and the range are named.
pub fn check_between<T: PartialOrd + Display>(values: &[(&str, T)], low: T, high: T) -> Result<()> {
    for (key, value) in values {
        if !(low <= *value && *value <= high) {
            bail!("{key} is {value}: expected {low} to {high}");
        }
    }
    Ok(())
}

/// Checks that all values are finite and not negative.
///
/// # Errors
/// For the first other value; the key and its value are named.
pub fn check_not_negative(values: &[(&str, f64)]) -> Result<()> {
    for (key, value) in values {
        if !(value.is_finite() && *value >= 0.0) {
            bail!("{key} is {value}: expected a number of at least 0");
        }
    }
    Ok(())
}

/// Learning rate after `position` of `schedule_steps` steps: linear warm-up, then cosine decay from
/// `highest` to a hundredth of it, and constant from there on.
pub fn learning_rate_at(
    highest: f64,
    position: u64,
    warmup_steps: u64,
    schedule_steps: u64,
) -> f64 {
    let warm = ((position + 1) as f64 / (warmup_steps + 1) as f64).min(1.0);
    let progress = (position as f64 / schedule_steps as f64).min(1.0);
    highest * warm * (0.495 * (1.0 + (std::f64::consts::PI * progress).cos()) + 0.01)
}

/// Default of keys that earlier versions lacked.
fn one() -> usize {
    1
}
