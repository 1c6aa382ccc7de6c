//! The models the program brings along, as people choose them.

use anyhow::Result;

use crate::{
    data::{language::Language, sums::Task},
    executor::checkpoint,
    training::checkpoint::Source,
};

/// A model the program brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Its name for people.
    pub name: &'static str,
    /// What it reads and runs.
    pub language: Language,
    /// Its latent dimensions, where there are several.
    pub dims: Option<usize>,
    /// Lines of the programs it was trained on.
    pub lines: usize,
}

/// All, in the order of their buttons.
pub const BUNDLED: [Bundled; 6] = {
    const fn bundled(
        name: &'static str,
        language: Language,
        dims: Option<usize>,
        lines: usize,
    ) -> Bundled {
        Bundled {
            name,
            language,
            dims,
            lines,
        }
    }
    [
        bundled("2-D", Language::TwoDigits, None, 1),
        bundled("10-D", Language::TwoDigits, Some(10), 1),
        bundled("100-D", Language::TwoDigits, Some(100), 1),
        bundled("Several lines", Language::TwoDigits, None, 2),
        bundled("Four digits", Language::FourDigits, None, 1),
        bundled("Operators", Language::Operators, None, 1),
    ]
};

impl Bundled {
    /// The first one that holds a task's numbers and operators, and was trained on as many lines.
    pub fn holding(task: &Task) -> Option<Self> {
        let language = Language::of(task).ok()?;
        let mut of_language = BUNDLED
            .into_iter()
            .filter(|model| model.language == language);
        match language {
            Language::TwoDigits if task.lines() > 1 => of_language.find(|model| model.lines > 1),
            _ => of_language.next(),
        }
    }

    /// Where it is loaded from.
    ///
    /// # Errors
    /// If there is none of so many dimensions.
    pub fn source(self) -> Result<Source> {
        checkpoint::bundled(self.language, self.dims, self.lines)
    }
}
