//! Search methods by name, started cold or warm from the proposals of an inverse encoder.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Search method.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Bayesian optimisation.
    #[default]
    Bo,
    /// Uniformly random points.
    Random,
    /// Scrambled Sobol sequence.
    Sobol,
    /// All known programs, in order.
    Enumerate,
    /// Hill climbing on the program's digits and sign.
    HillClimb,
    /// Trust-region Bayesian optimisation (TuRBO).
    Turbo,
    /// Covariance matrix adaptation (CMA-ES).
    CmaEs,
    /// Gradient descent with restarts.
    Gradient,
    /// Proposals of the inverse encoder, then points around them.
    Inverse,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 9] = [
        Self::Bo,
        Self::Random,
        Self::Sobol,
        Self::Enumerate,
        Self::HillClimb,
        Self::Turbo,
        Self::CmaEs,
        Self::Gradient,
        Self::Inverse,
    ];

    /// Name on the command line and in files.
    pub fn name(self) -> &'static str {
        self.texts()[0]
    }

    /// Title in the window's list.
    pub fn title(self) -> &'static str {
        self.texts()[1]
    }

    /// One line of help.
    pub fn summary(self) -> &'static str {
        self.texts()[2]
    }

    fn texts(self) -> [&'static str; 3] {
        let near = "The inverse encoder's proposals, then points around them";
        let digits = "Hill climbing on the program's digits and sign";
        let sobol = "The points of a scrambled Sobol sequence";
        let region = "Bayesian optimisation in a trust region";
        match self {
            Self::Bo => ["bo", "Bayesian optimisation", "Bayesian optimisation"],
            Self::Random => ["random", "Random points", "Uniformly random points"],
            Self::Sobol => ["sobol", "Sobol points", sobol],
            Self::Enumerate => [
                "enumerate",
                "All programs in order",
                "The places of all programs, in order",
            ],
            Self::HillClimb => ["hill-climb", "Hill climbing on digits", digits],
            Self::Turbo => ["turbo", "Trust region (TuRBO)", region],
            Self::CmaEs => ["cma-es", "CMA-ES", "Covariance matrix adaptation"],
            Self::Gradient => [
                "gradient",
                "Gradient descent",
                "Gradient descent with restarts",
            ],
            Self::Inverse => ["inverse", "Inverse encoder", near],
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Method with its start, cold or warm; written `bo` or `warm-bo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strategy {
    /// Search method.
    pub method: Method,
    /// True for a warm start: the search begins at the initial points of the space and continues around
    /// them.
    pub is_warm: bool,
}

impl Strategy {
    /// Cold start, without initial points.
    pub fn cold(method: Method) -> Self {
        Self {
            method,
            is_warm: false,
        }
    }

    /// Warm start from the space's initial points.
    pub fn warm(method: Method) -> Self {
        Self {
            method,
            is_warm: true,
        }
    }

    /// True if the search needs initial points.
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

/// Error for an unknown method name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no method {0:?}: expected one of {names}, or warm- and one of them", names = names())]
pub struct UnknownMethod(String);

fn names() -> String {
    Method::ALL.map(Method::name).join(", ")
}

impl FromStr for Strategy {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let text = text.trim();
        let warm = text.strip_prefix(WARM);
        let name = warm.unwrap_or(text);
        let method = Method::ALL.into_iter().find(|method| method.name() == name);
        let method = method.ok_or_else(|| UnknownMethod(text.to_owned()))?;
        let is_warm = warm.is_some();
        Ok(Self { method, is_warm })
    }
}
