//! Configurations, one for file, command line and window: every key a training run depends on, in one
//! struct per system.

use std::fmt::Display;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

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

    /// The configuration with which a model of this one is trained further: what sets in during a schedule is there from its
    /// beginning.
    #[must_use]
    fn for_fine_tuning(self) -> Self {
        self
    }

    /// Seed, shards and learning rates of a run.
    fn schedule(&self) -> Schedule;

    /// Reads a JSON object with the keys of today or of earlier versions; not yet checked.
    ///
    /// # Errors
    /// If a key is unknown, missing or there twice, or a value doesn't fit.
    fn from_json(json: Value) -> serde_json::Result<Self> {
        let Value::Object(mut map) = json else {
            return serde_json::from_value(json);
        };
        for (before, now) in Self::RENAMED {
            if let Some(value) = map.remove(*before)
                && map.insert((*now).to_owned(), value).is_some()
            {
                return Err(serde::de::Error::custom(format!(
                    "{before} and {now} are both there: expected one of them"
                )));
            }
        }
        serde_json::from_value(map.into())
    }

    /// Sets one key from text, `key=value`.
    ///
    /// # Errors
    /// If the key is unknown or the value doesn't fit it; nothing is changed then.
    fn set(&mut self, assignment: &str) -> Result<()> {
        let (key, text) = assignment
            .split_once('=')
            .ok_or_else(|| anyhow!("can't read {assignment:?}: expected key=value"))?;
        let (key, text) = (key.trim(), text.trim());
        let value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        self.set_value(key, value)
    }

    /// Sets one key.
    ///
    /// # Errors
    /// If the key is unknown or the value doesn't fit it; nothing is changed then.
    fn set_value(&mut self, key: &str, value: Value) -> Result<()> {
        let renamed = Self::RENAMED.iter().find(|(before, _)| *before == key);
        let key = renamed.map_or(key, |(_, now)| now);
        let Value::Object(mut map) = serde_json::to_value(&*self)? else {
            unreachable!("a struct serialises to an object")
        };
        if !map.contains_key(key) {
            bail!(
                "unknown key {key:?}: expected one of {}",
                map.keys().cloned().collect::<Vec<_>>().join(", ")
            );
        }
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        map.insert(key.to_owned(), value);
        let changed: Self = serde_json::from_value(map.into())
            .with_context(|| format!("can't set {key} to {text:?}"))?;
        changed.check()?;
        *self = changed;
        Ok(())
    }
}

/// Learning rate schedule of a run, with its seed and shards.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Seed of the weights and of everything random in a step.
    pub seed: u64,
    /// Shards of a step.
    pub shards: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps of the schedule.
    pub steps: u64,
}

impl Schedule {
    /// A schedule of so many steps of warm-up and `steps` in all.
    pub fn new(
        seed: u64,
        shards: usize,
        learning_rate: f64,
        warmup_steps: u64,
        steps: u64,
    ) -> Self {
        Self {
            seed,
            shards,
            learning_rate,
            warmup_steps,
            steps,
        }
    }

    /// Learning rate after `position` steps: linear warm-up, then cosine decay from the peak to a hundredth of it, and
    /// constant from there on.
    pub fn learning_rate_at(&self, position: u64) -> f64 {
        let warm = ((position + 1) as f64 / (self.warmup_steps + 1) as f64).min(1.0);
        let progress = (position as f64 / self.steps as f64).min(1.0);
        let cosine = 0.495 * (1.0 + (std::f64::consts::PI * progress).cos()) + 0.01;
        self.learning_rate * warm * cosine
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

/// Checks that every learning rate and loss weight, a key that ends in `_rate` or `_weight`, is finite and not negative.
///
/// # Errors
/// For the first other one; its key and value are named.
pub fn check_rates_and_weights(config: &impl Serialize) -> Result<()> {
    let Value::Object(map) = serde_json::to_value(config)? else {
        return Ok(());
    };
    for (key, value) in map {
        if key.ends_with("_rate") || key.ends_with("_weight") {
            check_not_negative(&[(&key, value.as_f64().unwrap_or(f64::NAN))])?;
        }
    }
    Ok(())
}

/// Default of keys that earlier versions lacked.
pub fn one() -> usize {
    1
}
