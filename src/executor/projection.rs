//! The places of programs and states of a model of more than two dimensions, laid out on a plane in
//! several ways.

use std::ops::ControlFlow;

use super::{
    export::{code_scale, code_text, number_text, state_scale},
    views::LatentPlanes,
};
use crate::{
    data::language::Language,
    latent::{
        points::Points,
        projection::{Kind, NEIGHBOURS, Trust, TsneStage, trust},
    },
    palette::Scale,
};

/// Which numbers are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// The programs.
    #[default]
    Codes,
    /// The states.
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

    /// What is shown of it, in the order of the places: the number it is coloured by, and its text.
    pub fn shown(self, language: Language) -> Vec<(i32, String)> {
        match self {
            Self::Codes => {
                let codes = language.shown_codes().into_iter();
                codes
                    .map(|code| (code.operand(), code_text(code)))
                    .collect()
            }
            Self::States => {
                let states = language.shown_states().into_iter();
                states.map(|state| (state, number_text(state))).collect()
            }
        }
    }

    /// Its colours.
    pub fn scale(self, language: Language) -> Scale {
        match self {
            Self::Codes => code_scale(language),
            Self::States => state_scale(language),
        }
    }

    /// Its places.
    pub fn of(self, planes: &LatentPlanes) -> &Points {
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
    /// Of which language.
    pub language: Language,
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
        planes: &LatentPlanes,
        group: Group,
        kind: Kind,
        seed: u64,
        watch: &mut dyn FnMut(TsneStage<'_>) -> ControlFlow<()>,
    ) -> Option<Self> {
        let points = group.of(planes);
        let places = kind.project(points, seed, watch)?;
        let trust = trust(points, &places, NEIGHBOURS);
        Some(Self {
            group,
            language: planes.language,
            kind,
            places,
            trust,
        })
    }
}
