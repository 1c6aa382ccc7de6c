//! Two glyphs on one picture: what they share in grey, what differs in the colours of either.

use image::{Rgb, RgbImage};

/// Difference of two pixels' values, of 255, from which they are seen to differ.
const VISIBLE: u8 = 24;
/// Brightness of what is shared, in shares of its own.
const DIMMED: f32 = 0.45;
/// Hues of the first glyph and of the second where they differ.
const HUES: [[f32; 3]; 2] = [[1.0, 0.55, 0.1], [0.15, 0.65, 1.0]];

/// Overlay of two pictures of one size, and the share of its pixels in which they differ: shared pixels are dimmed and grey, others
/// take the hue of the glyph that is brighter there.
pub fn overlay(one: &RgbImage, other: &RgbImage) -> (RgbImage, f64) {
    let mut differing = 0;
    let picture = RgbImage::from_fn(one.width(), one.height(), |x, y| {
        let pair = [one, other].map(|glyph| glyph.get_pixel(x, y).0);
        let difference = std::iter::zip(pair[0], pair[1]).map(|(a, b)| a.abs_diff(b));
        let [a, b] = pair.map(|pixel| pixel.map(f32::from).iter().sum::<f32>() / 3.0);
        if difference.max() < Some(VISIBLE) {
            return Rgb([(a * DIMMED) as u8; 3]);
        }
        differing += 1;
        let hue = if a > b { HUES[0] } else { HUES[1] };
        Rgb(hue.map(|share| (share * a.max(b)) as u8))
    });
    let pixels = f64::from(one.width()) * f64::from(one.height());
    (picture, f64::from(differing) / pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_has_a_colour_and_what_is_shared_none() {
        let one = RgbImage::from_pixel(4, 2, Rgb([200, 100, 60]));
        let mut other = one.clone();
        other.put_pixel(1, 1, Rgb([0; 3]));
        let (picture, share) = overlay(&one, &other);
        assert_eq!(share, 1.0 / 8.0);
        let is_grey = |pixel: &Rgb<u8>| pixel.0.iter().all(|value| *value == pixel.0[0]);
        let grey = picture.pixels().filter(|pixel| is_grey(pixel)).count();
        assert_eq!(grey, 7);
        let Rgb([red, _, blue]) = *picture.get_pixel(1, 1);
        assert!(red > blue, "the first is brighter there");
        assert_eq!(overlay(&one, &one).1, 0.0);
    }
}
