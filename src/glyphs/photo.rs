//! Photos: pictures of any size, and views of them.

use image::RgbImage;

use crate::nn::distortions::Homography;

/// A photo and halves of it, quarters and so on, of which views are taken without aliasing.
pub struct Photo {
    levels: Vec<RgbImage>,
}

impl Photo {
    /// Prepares a picture.
    pub fn new(picture: RgbImage) -> Self {
        let mut levels = vec![picture];
        while let Some(last) = levels
            .last()
            .filter(|last| last.width().min(last.height()) > 64)
        {
            levels.push(halved(last));
        }
        Self { levels }
    }

    /// View of `size` x `size` pixels, whose map leads from the view to the photo; what lies beyond the photo has the colour of
    /// its edge.
    pub fn view(&self, map: &Homography, size: usize) -> RgbImage {
        let place = |at: usize| (at as f64 + 0.5) * 2.0 / size as f64 - 1.0;
        let [width, height] = self.size(0);
        // Photo pixels a pixel of the view, in the middle.
        let step = 2.0 / size as f64;
        let [x, y] = map.map([0.0, 0.0]);
        let steps = [[step, 0.0], [0.0, step]].map(|beside| {
            let [u, v] = map.map(beside);
            ((u - x) * width / 2.0).hypot((v - y) * height / 2.0)
        });
        let wanted = steps[0].max(steps[1]).max(1.0).log2().round() as usize;
        let level = wanted.min(self.levels.len() - 1);
        let (source, [width, height]) = (&self.levels[level], self.size(level));
        RgbImage::from_fn(size as u32, size as u32, |column, row| {
            let [x, y] = map.map([place(column as usize), place(row as usize)]);
            let pixel = |x: f64, side: f64| ((x + 1.0) * side / 2.0 - 0.5).clamp(0.0, side - 1.0);
            let (x, y) = (pixel(x, width), pixel(y, height));
            let sampled = image::imageops::interpolate_bilinear(source, x as f32, y as f32);
            sampled.unwrap_or(image::Rgb([0; 3]))
        })
    }

    pub(super) fn size(&self, level: usize) -> [f64; 2] {
        let (width, height) = self.levels[level].dimensions();
        [width, height].map(f64::from)
    }
}

/// Means of 2x2 pixels.
fn halved(picture: &RgbImage) -> RgbImage {
    RgbImage::from_fn(picture.width() / 2, picture.height() / 2, |x, y| {
        let four = [[0, 0], [1, 0], [0, 1], [1, 1]];
        let four = four.map(|[dx, dy]| picture.get_pixel(2 * x + dx, 2 * y + dy).0);
        let mean = |c: usize| four.iter().map(|pixel| u16::from(pixel[c])).sum::<u16>();
        image::Rgb([0, 1, 2].map(|c| ((mean(c) + 2) / 4) as u8))
    })
}
