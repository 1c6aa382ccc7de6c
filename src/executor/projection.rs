//! The places of programs and states of a model of more than two dimensions, laid out on a plane in
//! several ways.

use std::ops::{ControlFlow, RangeInclusive};

use super::{
    board::Planes,
    export::{code_scale, state_scale},
};
use crate::{
    data::sums::{CODES, STATES},
    latent::{
        points::Points,
        projection::{Kind, NEIGHBOURS, Stage, Trust, trust},
    },
    palette::Scale,
};

/// Which numbers are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// The programs -99..=99.
    #[default]
    Codes,
    /// The states 10..=99.
    States,
}

impl Group {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Codes, Self::States];

    /// In the tables' column `kind`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Codes => "code",
            Self::States => "state",
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codes => "Programs",
            Self::States => "States",
        }
    }

    /// Its numbers, in the order of their places.
    pub fn values(self) -> RangeInclusive<i32> {
        match self {
            Self::Codes => CODES,
            Self::States => STATES,
        }
    }

    /// Its colours.
    pub fn scale(self) -> Scale {
        match self {
            Self::Codes => code_scale(),
            Self::States => state_scale(),
        }
    }

    /// Its places.
    pub fn of(self, planes: &Planes) -> &Points {
        match self {
            Self::Codes => &planes.codes,
            Self::States => &planes.states,
        }
    }
}

/// A finished layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Projected {
    /// What was laid out.
    pub group: Group,
    /// In which way.
    pub kind: Kind,
    /// Where each number lies, in the order of the values, with axes of no fixed scale.
    pub places: Points,
    /// How far the layout can be believed, by 12 neighbours a number.
    pub trust: Option<Trust>,
}

impl Projected {
    /// Lays out one group in one way. `watch` sees every step; `None` once it breaks off.
    pub fn new(
        planes: &Planes,
        group: Group,
        kind: Kind,
        seed: u64,
        watch: &mut dyn FnMut(Stage<'_>) -> ControlFlow<()>,
    ) -> Option<Self> {
        let points = group.of(planes);
        let places = kind.project(points, seed, watch)?;
        let trust = trust(points, &places, NEIGHBOURS);
        Some(Self {
            group,
            kind,
            places,
            trust,
        })
    }
}
