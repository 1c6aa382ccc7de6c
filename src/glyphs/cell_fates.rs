//! Fates of a glyph's cells in a reading, and its bits, for people to look at.

use super::{
    code::HEADER,
    inference::GlyphReader,
    reading::{Decoded, RELIABLE},
    reed_solomon::BITS,
    views::{Bits, CellFate, CellView},
};
use crate::nn::distortions::Homography;

impl GlyphReader {
    /// Cells of a reading that weren't read as they are, in the picture it is of. `is_hidden` says of a place whether
    /// nothing can be seen there.
    pub fn cell_views(
        &self,
        read: &Decoded,
        is_hidden: impl Fn([f32; 2]) -> bool,
    ) -> Vec<CellView> {
        let cells = &read.cells;
        let layout = match self.layouts.all.get(cells.layout) {
            Some(layout) if !cells.symbols.is_empty() => layout,
            _ => return Vec::new(),
        };
        let map = Homography::rectify(&read.corners.concat());
        let place = |place: [f64; 2]| map.map(place).map(|x| x as f32);
        let fate = |symbol: usize, centre: [f32; 2]| match read.verified {
            Some(true) if cells.is_mended[symbol] => Some(CellFate::Mended),
            Some(true) if cells.is_told.get(symbol) == Some(&true) => Some(CellFate::Told),
            Some(true) => is_hidden(centre).then_some(CellFate::Told),
            _ => (cells.confidence[symbol] < RELIABLE).then_some(CellFate::Lost),
        };
        let slots = self.layouts.cells(layout).into_iter().enumerate();
        let views = slots.filter_map(|(symbol, cell)| {
            let fate = fate(symbol, place(layout.centre(cell)))?;
            let corners = layout.corners(cell).map(place);
            Some(CellView { corners, fate })
        });
        views.collect()
    }

    /// Bits of a reading; `None` without a code.
    pub fn bits(&self, read: &Decoded) -> Option<Bits> {
        let cells = &read.cells;
        if cells.symbols.is_empty() {
            return None;
        }
        let unsure: f32 = cells.entropy.iter().sum();
        let bits = |symbols: usize| (symbols * BITS) as f64;
        Some(Bits {
            needed: bits(HEADER + read.tokens.len()),
            carried: bits(cells.symbols.len()) - f64::from(unsure) / std::f64::consts::LN_2,
            used: bits(cells.symbols.len()),
        })
    }
}
