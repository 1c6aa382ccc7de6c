//! Arguments that several commands share.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{choices, errors::WrongUse, session::warn};
use crate::{
    data::{
        language::Language,
        sums::{SumError, Task},
    },
    executor::checkpoint,
    training::config::Config,
    training::{
        Limit, Start,
        checkpoint::{Checkpoint, Source},
    },
};

/// Arguments of `train` of both systems.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The run's folder: a new one, or the resumed run's own
    #[arg(long)]
    pub out: PathBuf,
    /// Train for so many seconds (from here on, when resuming)
    #[arg(long, conflicts_with = "steps", value_parser = seconds)]
    seconds: Option<f64>,
    /// Train for so many steps (from here on, when resuming); the learning rate follows schedule_steps
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Seed of all that is drawn at random
    #[arg(long, conflicts_with = "resume")]
    seed: Option<u64>,
    /// Go on with this run, to the bit
    #[arg(long)]
    resume: Option<PathBuf>,
    /// Begin with the weights and the configuration of a model: a run's folder, or "bundled" (fine-tuning)
    #[arg(long, value_name = "RUN", conflicts_with = "resume", value_parser = source)]
    from: Option<Source>,
    /// Set a key of the configuration
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "resume")]
    set: Vec<String>,
}

impl RunArgs {
    /// Start of the run: the resumed one, or with the keys set the configuration of the model it begins with, or the one that
    /// `configure` makes.
    ///
    /// # Errors
    /// If the configuration is refused, or there is no such model.
    pub fn start<C: Config>(
        &self,
        checkpoint_of: impl FnOnce(&Source) -> Result<Checkpoint>,
        configure: impl FnOnce() -> Result<C>,
    ) -> Result<Start<C>> {
        if let Some(run) = &self.resume {
            warn(Source::Run(run.clone()).warning());
            return Ok(Start::Resume(run.clone()));
        }
        let weights = match &self.from {
            Some(source) => {
                warn(source.warning());
                Some(checkpoint_of(source)?)
            }
            None => None,
        };
        let configured = || -> Result<C> {
            let mut config = match &weights {
                Some(weights) => weights.config::<C>()?.for_fine_tuning(),
                None => configure()?,
            };
            let seed = self.seed.map(|seed| format!("seed={seed}"));
            for assignment in seed.iter().chain(&self.set) {
                config.set(assignment)?;
            }
            config.check()?;
            Ok(config)
        };
        let config = configured().map_err(|error| WrongUse(format!("{error:#}")))?;
        Ok(match weights {
            Some(weights) => Start::FineTune(Box::new(config), weights),
            None => Start::Fresh(Box::new(config)),
        })
    }

    /// Length of the run.
    pub fn limit(&self) -> Limit {
        match (self.seconds, self.steps) {
            (Some(secs), _) => Limit::Seconds(secs),
            (_, Some(steps)) => Limit::Steps(steps),
            _ => Limit::Schedule,
        }
    }
}

#[derive(Debug, Args)]
pub struct Model {
    /// A run's folder; without it the bundled model
    #[arg(long)]
    pub run: Option<PathBuf>,
}

/// A model of the Latent Executor.
#[derive(Debug, Args)]
pub struct ExecutorModel {
    #[command(flatten)]
    pub model: Model,
    /// Latent dimensions of the bundled model: 2, 10 or 100
    #[arg(long, conflicts_with = "run")]
    pub dims: Option<usize>,
    /// Language of the bundled model; without it the one that the sum needs, or two digits
    #[arg(long, value_parser = choices::language(), conflicts_with = "run")]
    pub language: Option<Language>,
}

impl Model {
    /// Source of the model: the run's folder, or the bundled model.
    pub fn source(&self) -> Source {
        self.run.clone().map_or(Source::Bundled, Source::Run)
    }
}

impl ExecutorModel {
    /// The run, or the bundled model for programs of so many lines.
    ///
    /// # Errors
    /// If there is no such bundled model.
    pub fn source(&self, lines: usize) -> Result<Source> {
        self.source_of(self.language.unwrap_or_default(), lines)
    }

    /// The run, or the bundled model that knows all of a task.
    ///
    /// # Errors
    /// If there is no such bundled model.
    pub fn source_for(&self, task: &Task) -> Result<Source> {
        let wrong = |error: SumError| WrongUse(error.to_string());
        let language = match self.language {
            Some(language) => language,
            None if self.model.run.is_some() => Language::default(),
            None => task.language().map_err(wrong)?,
        };
        self.source_of(language, task.lines())
    }

    fn source_of(&self, language: Language, lines: usize) -> Result<Source> {
        match &self.model.run {
            Some(run) => Ok(Source::Run(run.clone())),
            None => checkpoint::bundled(language, self.dims, lines)
                .map_err(|error| WrongUse(format!("{error:#}")).into()),
        }
    }
}

/// Parser of an argument for clap.
///
/// # Errors
/// With the text of the value's own error.
pub fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| format!("{error}"))
}

/// Parser of a model's source for clap: the word `bundled`, or a run's folder.
///
/// # Errors
/// Never.
fn source(text: &str) -> Result<Source, std::convert::Infallible> {
    Ok(match text {
        "bundled" => Source::Bundled,
        path => Source::Run(path.into()),
    })
}

/// Parser of a positive number of seconds for clap.
///
/// # Errors
/// If it is none.
pub fn seconds(text: &str) -> Result<f64, String> {
    let secs = text
        .parse()
        .ok()
        .filter(|secs: &f64| secs.is_finite() && *secs > 0.0);
    secs.ok_or_else(|| "expected a number of seconds above 0".into())
}

/// Parser of a perplexity for clap.
///
/// # Errors
/// If it is none.
pub fn perplexity(text: &str) -> Result<f32, String> {
    let value = text
        .trim()
        .parse()
        .ok()
        .filter(|value: &f32| (1.0..=10_000.0).contains(value));
    value.ok_or_else(|| "expected a perplexity from 1 to 10000".into())
}
