//! Morphs: the way from one function to the next, through programs that lie between them.
//!
//! Latents blended half and half are read as neither function: two codewords mixed are no codeword. So the way leads through
//! programs, each a glyph of its own, and a picture between two of them leans on the nearer.

use std::ops::Range;

use anyhow::Result;
use burn::tensor::Tensor;
use image::RgbImage;

use super::inference::GlyphReader;
use crate::{data::python::between::between, glyphs::config::GLYPH_SIZE};

/// Largest weight of the farther of two glyphs: what the code mends.
const LEAN: f64 = 0.3;

/// A way through functions: the latents of its glyphs and where they lie on it, and how many pictures it has.
pub struct MorphPath {
    stops: Vec<(f64, Tensor<3>)>,
    /// Pictures in all.
    pub frames: usize,
}

impl GlyphReader {
    /// The pictures on the way through several functions: `frames` of them, ends included.
    ///
    /// # Errors
    /// If the device fails.
    pub fn morph(&self, rows: &[Vec<u32>], frames: usize) -> Result<Vec<RgbImage>> {
        self.morph_frames(&self.morph_path(rows, frames), 0..frames)
    }

    /// The path of a morph, of which [`Self::morph_frames`] paints any part. The functions lie equally far apart on it, and
    /// the programs between two of them do.
    pub fn morph_path(&self, rows: &[Vec<u32>], frames: usize) -> MorphPath {
        let mut stops: Vec<(f64, Vec<u32>)> = Vec::new();
        for (nth, row) in rows.iter().enumerate() {
            stops.push((nth as f64, row.clone()));
            let Some(next) = rows.get(nth + 1) else { break };
            let [from, to] = [row, next].map(|row| self.bpe.decode(row));
            let programs = between(&from, &to).into_iter();
            let programs = programs.map(|program| self.bpe.encode(&program));
            let limit = 1..=self.config.max_tokens;
            let programs: Vec<_> = programs.filter(|row| limit.contains(&row.len())).collect();
            let steps = (programs.len() + 1) as f64;
            for (step, program) in programs.into_iter().enumerate() {
                stops.push((nth as f64 + (step + 1) as f64 / steps, program));
            }
        }
        let rows: Vec<_> = stops.iter().map(|(_, row)| row.clone()).collect();
        let latents = self.picture_latents(&rows);
        let stops = stops.iter().enumerate();
        let stops = stops.map(|(nth, (at, _))| (*at, latents.clone().narrow(0, nth, 1)));
        MorphPath {
            stops: stops.collect(),
            frames,
        }
    }

    /// Some of a morph's pictures.
    ///
    /// # Errors
    /// If the device fails.
    pub fn morph_frames(&self, path: &MorphPath, some: Range<usize>) -> Result<Vec<RgbImage>> {
        let last = path.frames.max(2) - 1;
        let shares: Vec<f64> = some.map(|nth| nth as f64 / last as f64).collect();
        self.morph_points(path, &shares)
    }

    /// A morph's pictures at these shares of the way, 0 to 1.
    ///
    /// # Errors
    /// If the device fails.
    pub fn morph_points(&self, path: &MorphPath, shares: &[f64]) -> Result<Vec<RgbImage>> {
        self.in_passes(shares.len(), GLYPH_SIZE, |some| {
            let latents = shares[some].iter().map(|share| path.latent(*share));
            let latents = Tensor::cat(latents.collect(), 0);
            self.images(self.model.picture(latents, GLYPH_SIZE))
        })
    }
}

impl MorphPath {
    /// Latent at a share of the way.
    fn latent(&self, share: f64) -> Tensor<3> {
        let last = self.stops.len() - 1;
        let at = share * self.stops[last].0;
        let next = self.stops.partition_point(|(place, _)| *place <= at);
        let next = next.clamp(1, last.max(1)).min(last);
        let [(from, first), (to, second)] =
            [&self.stops[next.saturating_sub(1)], &self.stops[next]];
        let between = (at - from) / (to - from).max(f64::MIN_POSITIVE);
        let weight = leaning(between.clamp(0.0, 1.0));
        first.clone() * (1.0 - weight) + second.clone() * weight
    }
}

/// Weight of the second of two glyphs at a place 0 to 1 between them: far from a half.
fn leaning(place: f64) -> f64 {
    match place < 0.5 {
        true => 2.0 * LEAN * place,
        false => 1.0 - 2.0 * LEAN * (1.0 - place),
    }
}
