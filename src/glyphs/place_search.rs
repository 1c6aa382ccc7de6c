//! Search for a glyph whose border can't be found: by evolution of the map that shows it, towards cells that are seen sharply.
//! Which rows and columns they are is told afterwards, see [`GlyphReader::recounted`].
//!
//! An evolution strategy of the kind (mu + lambda) (Beyer and Schwefel 2002, "Evolution strategies", Natural Computing 1): how
//! sharply cells are seen has no gradient worth following from where few are.

use anyhow::Result;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{border::is_framed, inference::GlyphReader, photo::Photo, reading::Decoded};
use crate::{
    glyphs::config::GLYPH_SIZE,
    nn::{
        distortions::{CORNERS, Homography},
        init::normal,
    },
};

/// Deviation of the children's corners from their parents', in half sides, by generation.
const DEVIATIONS: [f64; 6] = [0.09, 0.07, 0.05, 0.035, 0.025, 0.018];
/// Parents, the ones seen most sharply.
const PARENTS: usize = 4;
/// Children of each.
const CHILDREN: usize = 8;
/// Sharpness from which the cells may be right ones of a glyph.
const SHARP: f32 = 0.4;

impl GlyphReader {
    /// A better reading than `known`, which isn't verified, of a photo's glyph, or else that one.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn search(&self, photo: &Photo, known: Decoded) -> Result<Decoded> {
        let map = Homography::rectify(&known.corners.concat());
        if known.verified != Some(false) || is_framed(photo, &map) {
            return Ok(known);
        }
        let mut parents = self.read_closely(photo, vec![Homography::IDENTITY, map])?;
        if parents[0].verified == Some(true) {
            return Ok(parents.swap_remove(0));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for deviation in DEVIATIONS {
            parents.sort_by(|a, b| b.sharpness().total_cmp(&a.sharpness()));
            parents.truncate(PARENTS);
            if parents[0].sharpness() > SHARP
                && let Some(found) = self.recounted(photo, &parents[0])?
            {
                return Ok(found);
            }
            let maps: Vec<Homography> = parents
                .iter()
                .map(|parent| Homography::rectify(&parent.corners.concat()))
                .flat_map(|map| std::iter::repeat_n(map, CHILDREN))
                .filter_map(|map| Some(map.then(&mutation(deviation, &mut rng)?)))
                .collect();
            let views: Vec<_> = maps.iter().map(|map| photo.view(map, GLYPH_SIZE)).collect();
            parents.extend(self.glance(self.tensor(&views), &maps)?);
        }
        parents.sort_by(|a, b| b.sharpness().total_cmp(&a.sharpness()));
        parents.truncate(PARENTS);
        let found = self.read_aligned(photo, &parents)?;
        Ok(match found.verified {
            Some(true) => found,
            _ => known,
        })
    }
}

/// A small random map: shifts, scales, slants and shifts of each corner by itself.
fn mutation(deviation: f64, rng: &mut ChaCha8Rng) -> Option<Homography> {
    let mut draw = |share: f64| share * deviation * f64::from(normal(rng));
    let (shift, scales) = ([draw(1.0), draw(1.0)], [draw(1.0), draw(1.0)]);
    let slants = [draw(0.7), draw(0.7)];
    Homography::rectify_corners(CORNERS.map(|[x, y]| {
        [
            x * (1.0 + scales[0]) + slants[0] * y + shift[0] + draw(0.4),
            y * (1.0 + scales[1]) + slants[1] * x + shift[1] + draw(0.4),
        ]
    }))
}
