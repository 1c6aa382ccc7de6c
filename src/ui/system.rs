//! The two systems of the window, and the switch's names for them.

/// A system of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemPage {
    /// Sums and the planes of their programs.
    Executor,
    /// Functions and their pictures.
    Glyphs,
}

impl SystemPage {
    /// Both, in the order of the switch.
    pub const ALL: [Self; 2] = [SystemPage::Executor, SystemPage::Glyphs];

    /// Name on the switch.
    pub fn name(self) -> &'static str {
        match self {
            SystemPage::Executor => "Latent Executor",
            SystemPage::Glyphs => "Code Glyphs",
        }
    }

    /// Hint in the status line while there is no message.
    pub fn hint(self) -> &'static str {
        match self {
            SystemPage::Executor => {
                "Point at the plane to decode a program; click to pin it; wheel to zoom, right drag to move; arrow keys once clicked"
            }
            SystemPage::Glyphs => {
                "Type a function, or drop a picture of a glyph on the window; click a glyph to open its function"
            }
        }
    }
}
