//! Embeddings of a model's numbers, and slices through them: plain data.

use anyhow::{Context, Result};

use crate::{
    data::language::{Code, Language},
    latent::{points::Points, projection::Slice},
};

/// Embeddings of programs and states.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentPlanes {
    /// Training step of the model.
    pub step: u64,
    /// Language of the numbers.
    pub language: Language,
    /// Embeddings of the language's shown programs.
    pub codes: Points,
    /// Embeddings of the language's shown states.
    pub states: Points,
}

/// Three programs that span a slice.
pub type Triple = [Code; 3];

/// Slice on which the map of a space of more than two dimensions is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Programs that span it.
    pub programs: Triple,
    /// Slice through their embeddings.
    pub slice: Slice,
}

impl LatentPlanes {
    /// Slice through three programs' embeddings.
    ///
    /// # Errors
    /// If one of them is not among the shown programs, or their embeddings span no plane.
    pub fn cut(&self, programs: Triple) -> Result<Cut> {
        let shown = self.language.shown_codes();
        let place = |program: Code| {
            let index = shown.iter().position(|code| *code == program);
            index
                .and_then(|index| self.codes.iter().nth(index))
                .with_context(|| format!("{program} is none of the programs shown"))
        };
        let [a, b, c] = programs;
        Cut::through(programs, [place(a)?, place(b)?, place(c)?])
    }
}

impl Cut {
    /// Slice through the embeddings of three programs.
    ///
    /// # Errors
    /// If they span no plane.
    pub fn through(programs: Triple, places: [&[f32]; 3]) -> Result<Self> {
        let [a, b, c] = programs;
        let slice = Slice::through(places).with_context(|| format!("programs {a}, {b} and {c}"))?;
        Ok(Self { programs, slice })
    }
}
