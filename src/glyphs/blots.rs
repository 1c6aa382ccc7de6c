//! Damage by hand: what is scraped off a glyph, and stains on it.

use image::RgbImage;

/// Kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlotKind {
    /// Scraped off, down to the paper.
    Scrape,
    /// A stain of coffee: what lies below shows a little.
    Stain,
}

/// A round blot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blot {
    /// Its kind.
    pub kind: BlotKind,
    /// Its centre (x, y), where -1 and 1 are the picture's edges.
    pub centre: [f32; 2],
    /// Its radius, in half sides.
    pub radius: f32,
}

/// Colour of paper, and of coffee.
const PAPER: [f32; 3] = [235.0, 231.0, 224.0];
const COFFEE: [f32; 3] = [104.0, 62.0, 28.0];
/// Opacity of a stain, inside, and at the rim where it dries last.
const STRENGTH: [f32; 2] = [0.75, 0.92];

impl Blot {
    /// True if it covers a place.
    pub fn covers(&self, [x, y]: [f32; 2]) -> bool {
        (x - self.centre[0]).hypot(y - self.centre[1]) <= self.radius
    }

    /// Puts it on a picture.
    pub fn put(&self, picture: &mut RgbImage) {
        let half = [picture.width(), picture.height()].map(|side| side as f32 / 2.0);
        for (column, row, pixel) in picture.enumerate_pixels_mut() {
            let x = (column as f32 + 0.5) / half[0] - 1.0 - self.centre[0];
            let y = (row as f32 + 0.5) / half[1] - 1.0 - self.centre[1];
            // No blot is a circle.
            let wobble = 1.0 + 0.08 * (3.0 * y.atan2(x) + 40.0 * self.centre[0]).sin();
            let from_centre = x.hypot(y) / (self.radius * wobble).max(1e-6);
            if from_centre > 1.0 {
                continue;
            }
            let (colour, strength) = match self.kind {
                BlotKind::Scrape => (PAPER, 1.0),
                BlotKind::Stain if from_centre > 0.85 => (COFFEE, STRENGTH[1]),
                BlotKind::Stain => (COFFEE, STRENGTH[0]),
            };
            for (value, colour) in pixel.0.iter_mut().zip(colour) {
                *value = (f32::from(*value) + strength * (colour - f32::from(*value))) as u8;
            }
        }
    }
}
