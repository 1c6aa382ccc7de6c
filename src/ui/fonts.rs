//! Fonts of the system, for characters that the bundled ones lack: comments and texts of a program may be in Chinese,
//! Hebrew or Thai. Fonts are looked for when the first such character is to be drawn, on a thread of their own.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, LazyLock,
        mpsc::{Receiver, channel},
    },
};

use egui::{
    Context, FallbackRequest, FontData, FontFamily,
    epaint::text::{FontInsert, FontPriority, InsertFontFamily},
};
use fontdb::{Database, FaceInfo, Style, Weight};
use skrifa::{FontRef, MetadataProvider};

/// Collector of the characters that could not be drawn.
pub struct MissingCharacters {
    reported: Receiver<char>,
    looked_for: BTreeSet<char>,
}

impl MissingCharacters {
    /// Collector that `context` reports to from now on.
    pub fn of(context: &Context) -> Self {
        let (report, reported) = channel();
        // The context asks while it draws: it gets no answer here, but fonts later.
        context.add_font_provider(Arc::new(move |request: &FallbackRequest<'_>| {
            for c in request.cluster.chars() {
                report.send(c).ok()?;
            }
            None
        }));
        Self {
            reported,
            looked_for: BTreeSet::new(),
        }
    }

    /// Characters reported since the last call, each once.
    pub fn take(&mut self) -> BTreeSet<char> {
        let reported: BTreeSet<char> = self.reported.try_iter().collect();
        let new = &reported - &self.looked_for;
        self.looked_for.extend(&new);
        new
    }
}

/// Fonts of the system that have outlines of these characters, as far as there are any. Reads font files: not for the
/// window's thread.
pub fn covering(characters: &BTreeSet<char>) -> Vec<FontInsert> {
    static SYSTEM: LazyLock<Database> = LazyLock::new(|| {
        let mut database = Database::new();
        database.load_system_fonts();
        database
    });
    let mut faces: Vec<&FaceInfo> = SYSTEM.faces().collect();
    // Upright, regular and of one width, as the code around.
    faces.sort_by_key(|face| {
        (
            face.style != Style::Normal,
            face.weight.0.abs_diff(Weight::NORMAL.0),
            !face.monospaced,
        )
    });
    let mut left = characters.clone();
    let mut fonts = Vec::new();
    for face in faces {
        if left.is_empty() {
            break;
        }
        let covered = SYSTEM.with_face_data(face.id, |data, index| {
            let font = FontRef::from_index(data, index).ok()?;
            let (map, outlines) = (font.charmap(), font.outline_glyphs());
            let before = left.len();
            left.retain(|c| map.map(*c).and_then(|glyph| outlines.get(glyph)).is_none());
            (left.len() < before).then(|| FontData {
                index,
                ..FontData::from_owned(data.to_owned())
            })
        });
        if let Some(data) = covered.flatten() {
            let lowest = |family| InsertFontFamily {
                family,
                priority: FontPriority::Lowest,
            };
            let families = [FontFamily::Monospace, FontFamily::Proportional].map(lowest);
            let name = format!("{} {}", face.post_script_name, data.index);
            fonts.push(FontInsert::new(&name, data, families.into()));
        }
    }
    fonts
}
