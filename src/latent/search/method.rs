//! The methods by name, and how a search begins: cold, or warm from what a learnt inverse proposes.

use std::{fmt, str::FromStr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How the next point is chosen.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Bayesian optimisation.
    #[default]
    Bo,
    /// Uniformly random points.
    Random,
    /// The points of a scrambled Sobol sequence.
    Sobol,
    /// The places of all programs, in order.
    Enumerate,
    /// Hill climbing on the program's digits and sign.
    HillClimb,
    /// Bayesian optimisation in a trust region.
    Turbo,
    /// Covariance matrix adaptation.
    CmaEs,
    /// Gradient descent with restarts.
    Gradient,
    /// The inverse encoder's proposals, then points around them.
    Inverse,
}

impl Method {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bo => "bo",
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Enumerate => "enumerate",
            Self::HillClimb => "hill-climb",
            Self::Turbo => "turbo",
            Self::CmaEs => "cma-es",
            Self::Gradient => "gradient",
            Self::Inverse => "inverse",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A method and how it begins; written `bo` or `warm-bo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strategy {
    /// How the next point is chosen.
    pub method: Method,
    /// Whether it begins with the inverse encoder's proposals and goes on around them.
    pub is_warm: bool,
}

impl Strategy {
    /// Without proposals.
    pub fn cold(method: Method) -> Self {
        Self {
            method,
            is_warm: false,
        }
    }

    /// From the proposals on.
    pub fn warm(method: Method) -> Self {
        Self {
            method,
            is_warm: true,
        }
    }

    /// Whether it can't begin without proposals.
    pub fn needs_proposals(self) -> bool {
        self.is_warm || self.method == Method::Inverse
    }
}

impl From<Method> for Strategy {
    fn from(method: Method) -> Self {
        Self::cold(method)
    }
}

const WARM: &str = "warm-";

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_warm {
            f.pad(&format!("{WARM}{}", self.method))
        } else {
            self.method.fmt(f)
        }
    }
}

/// A name that is no method's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no method {0:?}: expected one of {names}, or warm- and one of them", names = names())]
pub struct UnknownMethod(String);

fn names() -> String {
    let names: Vec<_> = Method::value_variants().iter().map(|m| m.name()).collect();
    names.join(", ")
}

impl FromStr for Strategy {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let text = text.trim();
        let (name, is_warm) = match text.strip_prefix(WARM) {
            Some(name) => (name, true),
            None => (text, false),
        };
        let method = Method::value_variants()
            .iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| UnknownMethod(text.to_owned()))?;
        Ok(Self {
            method: *method,
            is_warm,
        })
    }
}
