//! Content of the panel at the right.

/// Content of the panel at the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SidePanel {
    /// Glyphs of corpus functions.
    #[default]
    Grid,
    /// The glyphs nearest to one.
    Nearest,
    /// The morph along a path of functions.
    Morph,
    /// The training run.
    Training,
}

impl SidePanel {
    /// All contents, with the names on the switch.
    pub const ALL: [(Self, &str); 4] = [
        (SidePanel::Grid, "Live grid"),
        (SidePanel::Nearest, "Nearest"),
        (SidePanel::Morph, "Morph"),
        (SidePanel::Training, "Training"),
    ];
}
