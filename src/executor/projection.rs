//! Projections of the embeddings of programs and states onto the plane, for models of more than two
//! dimensions.

use std::ops::ControlFlow;

use super::{
    format::{code_scale, code_text, number_text, state_scale},
    views::LatentPlanes,
};
use crate::{
    data::language::Language,
    latent::{
        points::Points,
        projection::{NEIGHBOURS, Projection, Trust, TsneStage, trust},
    },
    palette::Scale,
};

/// Group of embeddings to project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// Programs.
    #[default]
    Codes,
    /// States.
    States,
}

impl Group {
    /// Both groups.
    pub const ALL: [Self; 2] = [Self::Codes, Self::States];

    /// Identifier in the tables' column `kind`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Codes => "code",
            Self::States => "state",
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codes => "Programs",
            Self::States => "States",
        }
    }

    /// Value (for the colour) and text of each shown member, in the order of the embeddings.
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

    /// Colour scale.
    pub fn scale(self, language: Language) -> Scale {
        match self {
            Self::Codes => code_scale(language),
            Self::States => state_scale(language),
        }
    }

    /// Embeddings of the group.
    pub fn of(self, planes: &LatentPlanes) -> &Points {
        match self {
            Self::Codes => &planes.codes,
            Self::States => &planes.states,
        }
    }
}

/// Finished layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Projected {
    /// Group.
    pub group: Group,
    /// Language of the group.
    pub language: Language,
    /// Projection.
    pub kind: Projection,
    /// Layout in the order of the values; the axes' scale is arbitrary.
    pub places: Points,
    /// Faithfulness of the layout, with 12 neighbours per point.
    pub trust: Option<Trust>,
}

impl Projected {
    /// Projects one group. `watch` is called at every step; `None` once it breaks off.
    pub fn new(
        planes: &LatentPlanes,
        group: Group,
        kind: Projection,
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
