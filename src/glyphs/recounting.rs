//! Cells counted anew. Where a photo cuts a glyph its border is out of sight: cells are read right, but from a corner that isn't
//! the glyph's, or in a layout of as many rows as are seen. The code tells which rows and columns they are.

use std::ops::RangeInclusive;

use anyhow::Result;

use super::{
    code::{decode_briefly, lengths_of},
    inference::{GlyphReader, corners_of},
    photo::Photo,
    reading::{Cells, Decoded},
};
use crate::{
    glyphs::{config::GLYPH_SIZE, reed_solomon::SYMBOLS},
    nn::distortions::Homography,
};

/// Rows and columns further on that are looked at, on each side: a glyph may have more than were seen.
const BEYOND: usize = 2;
/// Rows that a glyph has fewer or more than were seen, at most.
const FEWER: usize = 2;
const MORE: usize = 4;
/// Rows and columns by which cells are moved, at most.
const FARTHEST: isize = 4;

impl GlyphReader {
    /// What a photo's reading that isn't verified says with its cells in other rows and columns, if that is verified.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn recounted(&self, photo: &Photo, read: &Decoded) -> Result<Option<Decoded>> {
        if read.verified != Some(false) || read.cells.symbols.is_empty() {
            return Ok(None);
        }
        let seen = read.cells.layout;
        let layouts = seen.saturating_sub(FEWER)..=(seen + MORE).min(self.layouts.all.len() - 1);
        let found = self.counted(read, layouts.clone(), [0, 0]);
        if found.is_some() {
            return Ok(found);
        }
        let more = seen + 2 * BEYOND;
        let Some(larger) = self.layouts.all.get(more) else {
            return Ok(None);
        };
        let moved = [BEYOND as isize; 2];
        let corners = self.layouts.all[seen].corners_of(larger, moved);
        let Some(around) = Homography::rectify_corners(corners) else {
            return Ok(None);
        };
        let map = Homography::rectify(&read.corners.concat()).then(&around);
        let view = self.tensor(&[photo.view(&map, GLYPH_SIZE)]);
        let features = self.model.features(view);
        let larger = self.read_in(features, &[0], &[map], vec![(more, 1.0)])?;
        Ok(self.counted(&larger[0], layouts, moved.map(|moved| -moved)))
    }

    /// The reading with its cells in the rows and columns of one of these layouts in which it is verified, from those that are
    /// moved the least from `around`.
    fn counted(
        &self,
        read: &Decoded,
        layouts: RangeInclusive<usize>,
        around: [isize; 2],
    ) -> Option<Decoded> {
        let seen = &self.layouts.all[read.cells.layout];
        let moves = |around: isize| around - FARTHEST..=around + FARTHEST;
        let mut changes: Vec<(usize, [isize; 2])> = layouts
            .flat_map(|layout| {
                let [down, right] = around.map(moves);
                down.flat_map(move |down| right.clone().map(move |right| (layout, [down, right])))
            })
            .collect();
        changes
            .sort_by_key(|(_, moved)| moved[0].abs_diff(around[0]) + moved[1].abs_diff(around[1]));
        let slots_of_cells = slots_of_cells(&self.layouts.cells(seen));
        changes.into_iter().find_map(|(layout, moved)| {
            let cells = self.moved(&read.cells, &slots_of_cells, layout, moved);
            let lengths = lengths_of(&self.layouts, layout, self.config.parity);
            let corrected = decode_briefly(&cells.symbols, &cells.confidence, lengths)?;
            let corners = seen.corners_of(&self.layouts.all[layout], moved);
            let map = Homography::rectify(&read.corners.concat());
            let map = map.then(&Homography::rectify_corners(corners)?);
            let recounted = Decoded {
                cells,
                corners: corners_of(&map.inverse()),
                ..read.clone()
            };
            Some(recounted.corrected(corrected))
        })
    }

    /// The cells that were read, moved down and to the right in another layout. Nothing is known of the others.
    fn moved(
        &self,
        read: &Cells,
        slots_of_cells: &[usize],
        layout: usize,
        [down, right]: [isize; 2],
    ) -> Cells {
        let [seen, other] = [read.layout, layout].map(|layout| self.layouts.all[layout]);
        let from: Vec<Option<usize>> = (self.layouts.cells(&other).into_iter())
            .map(|cell| {
                let row = (cell / other.columns).checked_add_signed(-down)?;
                let column = (cell % other.columns).checked_add_signed(-right)?;
                let is_seen = row < seen.rows && column < seen.columns;
                is_seen.then(|| slots_of_cells[row * seen.columns + column])
            })
            .collect();
        let unknown = (SYMBOLS as f32).ln();
        let values = |known: &[f32], unknown: f32| -> Vec<f32> {
            let values = from
                .iter()
                .map(|from| from.and_then(|from| known.get(from)));
            values
                .map(|known| known.copied().unwrap_or(unknown))
                .collect()
        };
        Cells {
            layout,
            symbols: from
                .iter()
                .map(|from| from.map_or(0, |from| read.symbols[from]))
                .collect(),
            confidence: values(&read.confidence, 0.0),
            entropy: values(&read.entropy, unknown),
            ..Cells::default()
        }
    }
}

/// Slot of each cell.
fn slots_of_cells(cells: &[usize]) -> Vec<usize> {
    let mut slots = vec![0; cells.len()];
    for (slot, cell) in cells.iter().enumerate() {
        slots[*cell] = slot;
    }
    slots
}
