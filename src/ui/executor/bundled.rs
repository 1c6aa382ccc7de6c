//! The bundled models to choose from.

use anyhow::Result;

use crate::{
    data::{language::Language, sums::Task},
    executor::checkpoint,
    training::checkpoint::Source,
};

/// A bundled model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Name on its button.
    pub name: &'static str,
    /// Language of its programs.
    pub language: Language,
    /// Latent dimensions; `None` for the language's default: 2, 16 (four digits) or 10 (operators).
    pub dims: Option<usize>,
    /// Lines of the programs it was trained on.
    pub lines: usize,
}

/// All bundled models, in the order of their buttons.
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
        let language = task.language().ok()?;
        let mut of_language = BUNDLED
            .into_iter()
            .filter(|model| model.language == language);
        match language {
            Language::TwoDigits if task.lines() > 1 => of_language.find(|model| model.lines > 1),
            _ => of_language.next(),
        }
    }

    /// Source of the model's weights.
    ///
    /// # Errors
    /// If there is none of so many dimensions.
    pub fn source(self) -> Result<Source> {
        checkpoint::bundled(self.language, self.dims, self.lines)
    }
}
