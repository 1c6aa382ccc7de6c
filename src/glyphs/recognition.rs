//! Recognition of Code Glyphs: pictures of 128x128 to tokens.

use std::ops::Range;

use anyhow::{Context, Result};
use burn::tensor::{Int, Tensor, activation::softmax};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::{
    alignment::aligned,
    border::{snapped, snapped_from_afar},
    code::{HEADER, decode, lengths_of, places_unverified},
    curriculum::{ExactCount, Score},
    image_io::is_alike,
    inference::{GlyphReader, corners_of, values},
    language_prior::marginals,
    networks::mosaic::{Layout, PoseHead},
    photo::Photo,
    reading::{Cells, Decoded, Reading},
};
use crate::{
    embedder::{Embedder, Embedding},
    glyphs::config::GLYPH_SIZE,
    kernels::entropy,
    nn::distortions::{DistortionBatch, DistortionKinds, Homography, warp},
};

/// Rectifications of a picture by the corners found, each more exact.
const RECTIFICATIONS: usize = 3;
/// Layouts a picture is read in, at most.
const LAYOUTS: usize = 3;
/// Probability below which a layout isn't tried.
const LEAST_LIKELY: f32 = 0.005;
/// Alignments with what was read, at most.
const ALIGNMENTS: usize = 4;
/// Readings that are aligned, the surest ones.
const CANDIDATES: usize = 4;

impl GlyphReader {
    /// Embeddings of what is read from glyphs.
    ///
    /// # Errors
    /// If the device fails.
    pub fn embeddings(&self, glyphs: &[RgbImage]) -> Result<Vec<Embedding>> {
        let embedder = Embedder::bundled()?;
        let read = self.read(glyphs)?.into_iter();
        let texts = read.map(|read| self.bpe.decode(&read.tokens));
        Ok(texts.map(|text| embedder.embed(&text)).collect())
    }

    /// Reads pictures of 128x128, upright or not.
    ///
    /// # Errors
    /// If the device fails.
    pub fn read(&self, pictures: &[RgbImage]) -> Result<Vec<Decoded>> {
        self.in_passes(pictures.len(), GLYPH_SIZE, |some| {
            self.read_tensor(self.tensor(&pictures[some]))
        })
    }

    /// [`Self::read`], with a search for the place of each glyph that isn't verified: about a second each.
    ///
    /// # Errors
    /// If the device fails.
    pub fn read_thoroughly(&self, pictures: &[RgbImage]) -> Result<Vec<Decoded>> {
        let read = self.read(pictures)?;
        self.in_passes(pictures.len(), GLYPH_SIZE, |some| {
            some.map(|nth| match read[nth].verified {
                Some(false) => self.search(&Photo::new(pictures[nth].clone()), read[nth].clone()),
                _ => Ok(read[nth].clone()),
            })
            .collect()
        })
    }

    /// Reads pictures of 128x128, and where the reader isn't sure, paints the reading again: if that gives the
    /// picture, it is right.
    ///
    /// # Errors
    /// If the device fails.
    pub fn read_verified(&self, pictures: &[RgbImage]) -> Result<Vec<Reading>> {
        let read = self.read(pictures)?;
        let mut readings: Vec<Reading> = read.into_iter().map(|read| self.spell(read)).collect();
        let limit = 1..=self.config.max_tokens;
        let unsure: Vec<usize> = (0..readings.len())
            .filter(|nth| !readings[*nth].is_verified())
            .filter(|nth| limit.contains(&readings[*nth].decoded.tokens.len()))
            .collect();
        let rows: Vec<_> = unsure
            .iter()
            .map(|nth| readings[*nth].decoded.tokens.clone())
            .collect();
        for (nth, painted) in unsure.into_iter().zip(self.glyphs(&rows)?) {
            readings[nth].repaints = is_alike(&painted, &pictures[nth]);
        }
        Ok(readings)
    }

    /// Accuracy of functions read back through distortions of `difficulty`; rectified by the true corners where training does
    /// that.
    ///
    /// # Errors
    /// If the device fails.
    pub fn score(&self, rows: &[Vec<u32>], difficulty: f64, rng: &mut ChaCha8Rng) -> Result<Score> {
        let distortions =
            DistortionBatch::sample(&vec![difficulty; rows.len()], DistortionKinds::ALL, rng);
        let read = self.in_passes(rows.len(), GLYPH_SIZE, |some| {
            let latents = self.picture_latents(&rows[some.clone()]);
            let pictures = self.model.picture(latents, GLYPH_SIZE);
            let distortions = distortions.of(some);
            let seen = distortions.apply(pictures);
            if self.config.corner_noise == 0.0 {
                return self.read_tensor(seen);
            }
            let maps = distortions.homographies();
            let maps: Vec<_> = maps.iter().map(Homography::inverse).collect();
            self.attempt(warp(seen, &maps), &maps)
        })?;
        let mut count = ExactCount::default();
        for (row, read) in rows.iter().zip(read) {
            count.add(row, &read);
        }
        Ok(count.score(self.config.parity > 0.0))
    }

    /// Reads pictures as they are, and uncertain ones rectified by the corners found, and once more by the corners
    /// found then; what the reader is surest of counts.
    fn read_tensor(&self, pictures: Tensor<4>) -> Result<Vec<Decoded>> {
        let whole = vec![Homography::IDENTITY; pictures.dims()[0]];
        let mut read = self.attempt(pictures.clone(), &whole)?;
        let unsure: Vec<usize> = (0..read.len())
            .filter(|nth| !read[*nth].is_certain())
            .collect();
        if unsure.is_empty() {
            return Ok(read);
        }
        let surest = unsure.iter().map(|nth| read[*nth].clone()).collect();
        let pictures = self.selected(pictures, &unsure);
        if !self.config.border {
            let surest = self.read_rectified(pictures, surest)?;
            unsure
                .into_iter()
                .zip(surest)
                .for_each(|(nth, surest)| read[nth] = surest);
            return Ok(read);
        }
        for (nth, picture) in unsure.into_iter().zip(self.images(pictures)?) {
            let photo = Photo::new(picture);
            let mut found = self.read_closely(&photo, vec![Homography::IDENTITY])?;
            found.truncate(CANDIDATES);
            read[nth] = self.read_aligned(&photo, &found)?;
        }
        Ok(read)
    }

    /// Readings of a photo's part that each of `maps` shows about upright, the surest first: with its border found, and with
    /// the corners that the pose head finds, and finds again.
    pub(super) fn read_closely(
        &self,
        photo: &Photo,
        maps: Vec<Homography>,
    ) -> Result<Vec<Decoded>> {
        let mut posed = maps;
        let mut found = Vec::new();
        for round in 0..=RECTIFICATIONS {
            if round > 0 {
                let views = posed.iter().map(|map| photo.view(map, GLYPH_SIZE));
                let views = self.tensor(&views.collect::<Vec<_>>());
                let corners = values(self.model.corners(PoseHead::shrink(views)))?;
                for (map, corners) in posed.iter_mut().zip(corners.chunks(8)) {
                    *map = map.then(&Homography::rectify(corners));
                }
            }
            let bordered = posed.iter().flat_map(|map| {
                let found = [snapped(photo, map), snapped_from_afar(photo, map)];
                found.into_iter().flatten()
            });
            let maps: Vec<Homography> = posed.iter().copied().chain(bordered).collect();
            let views: Vec<_> = maps.iter().map(|map| photo.view(map, GLYPH_SIZE)).collect();
            found.extend(self.attempt(self.tensor(&views), &maps)?);
            if found.iter().any(|read| read.verified == Some(true)) {
                break;
            }
        }
        found.sort_by(|a, b| {
            let sureness = b.certainty.total_cmp(&a.certainty);
            b.verified.cmp(&a.verified).then(sureness)
        });
        Ok(found)
    }

    /// The surest reading of a photo after each of `readings` was aligned with what it says, again and again: of a glyph that
    /// is cut the border is out of sight, and what is read in one part tells where the next one lies.
    pub(super) fn read_aligned(&self, photo: &Photo, readings: &[Decoded]) -> Result<Decoded> {
        let mut surest = readings.first().cloned().unwrap_or_default();
        for start in readings {
            let mut read = start.clone();
            for _ in 0..ALIGNMENTS {
                if surest.verified != Some(false) || !read.tells_something() {
                    break;
                }
                if let Some(found) = self.recounted(photo, &read)? {
                    return Ok(found);
                }
                let (cells, corners) = (&read.cells, read.corners.concat());
                let painted = self.paint_cells(cells)?;
                let weights = self.weights(cells);
                let map = aligned(photo, Homography::rectify(&corners), &painted, &weights);
                let view = self.tensor(&[photo.view(&map, GLYPH_SIZE)]);
                read = self.attempt(view, &[map])?.remove(0);
                if read.is_surer_than(&surest) {
                    surest = read.clone();
                }
            }
        }
        self.read_with_prior(photo, surest)
    }

    /// A reading that isn't verified, with its tokens as the language model and the reader together have them, if the code
    /// verifies that.
    fn read_with_prior(&self, photo: &Photo, read: Decoded) -> Result<Decoded> {
        let (Some(ngram), Some(false)) = (&self.ngram, read.verified) else {
            return Ok(read);
        };
        let layout = read.cells.layout;
        let lengths = lengths_of(&self.layouts, layout, self.config.parity);
        let map = Homography::rectify(&read.corners.concat());
        let features = self
            .model
            .features(self.tensor(&[photo.view(&map, GLYPH_SIZE)]));
        let cells = self.layouts.arrange(vec![layout]).upload(&self.device);
        let logits = self.model.logits(self.model.hidden(features, &cells));
        let [_, _, vocabulary] = logits.dims();
        // What is a token with fewer tokens is one with more.
        let tokens = HEADER..HEADER + lengths.start();
        let likely = softmax(logits.narrow(1, tokens.start, tokens.len()), 2);
        let mut symbols = read.cells.symbols.clone();
        let mut confidence = read.cells.confidence.clone();
        let found = marginals(&values(likely)?, vocabulary, ngram);
        for (slot, (token, share)) in tokens.zip(found) {
            (symbols[slot], confidence[slot]) = (token, share);
        }
        let Some(corrected) = decode(&symbols, &confidence, lengths) else {
            return Ok(read);
        };
        let is_told = std::iter::zip(&symbols, &read.cells.symbols);
        let is_told = is_told.map(|(told, read)| told != read).collect();
        let mut read = read;
        (read.cells.confidence, read.cells.is_told) = (confidence, is_told);
        Ok(read.corrected(corrected))
    }

    /// Weight of each pixel [128 128] of a glyph: the confidence in the cell it lies in.
    fn weights(&self, cells: &Cells) -> Vec<f32> {
        let layout = &self.layouts.all[cells.layout];
        let mut by_cell = vec![0.0; layout.slots()];
        for (cell, confidence) in self
            .layouts
            .cells(layout)
            .into_iter()
            .zip(&cells.confidence)
        {
            by_cell[cell] = *confidence;
        }
        let place = |at: usize| (at as f64 + 0.5) * 2.0 / GLYPH_SIZE as f64 - 1.0;
        let pixels = (0..GLYPH_SIZE * GLYPH_SIZE).map(|at| {
            let place = [place(at % GLYPH_SIZE), place(at / GLYPH_SIZE)];
            by_cell[layout.cell_at(place)]
        });
        pixels.collect()
    }

    /// Sets pictures upright; the readings the reader is surest of, with those of them as they are.
    fn read_rectified(
        &self,
        pictures: Tensor<4>,
        mut surest: Vec<Decoded>,
    ) -> Result<Vec<Decoded>> {
        let mut maps = vec![Homography::IDENTITY; surest.len()];
        let mut seen = pictures.clone();
        for _ in 0..RECTIFICATIONS {
            let corners = values(self.model.corners(PoseHead::shrink(seen)))?;
            for (map, corners) in maps.iter_mut().zip(corners.chunks(8)) {
                *map = map.then(&Homography::rectify(corners));
            }
            seen = warp(pictures.clone(), &maps);
            let read = self.attempt(seen.clone(), &maps)?;
            for (best, read) in surest.iter_mut().zip(read) {
                if read.is_surer_than(best) {
                    *best = read;
                }
            }
        }
        Ok(surest)
    }

    /// Reads pictures [B, 3, 128, 128] that were taken out of larger ones by `maps`, in their likeliest layouts: what isn't
    /// verified in one is read in the next.
    pub(super) fn attempt(&self, pictures: Tensor<4>, maps: &[Homography]) -> Result<Vec<Decoded>> {
        let features = self.model.features(pictures);
        let kinds = softmax(self.model.layout(features.clone()), 1);
        let of_kinds = kinds.dims()[1];
        let kinds = values(kinds)?;
        let likely: Vec<Vec<usize>> = kinds.chunks(of_kinds).map(likely_layouts).collect();
        let mut read: Vec<Decoded> = Vec::new();
        for nth in 0..LAYOUTS {
            let is_open = |b: &usize| match nth {
                0 => true,
                _ => read[*b].verified == Some(false) && likely[*b].len() > nth,
            };
            let open: Vec<usize> = (0..maps.len()).filter(is_open).collect();
            if open.is_empty() {
                break;
            }
            let layouts = open
                .iter()
                .map(|&b| (likely[b][nth], kinds[b * of_kinds + likely[b][nth]]));
            let found = self.read_in(features.clone(), &open, maps, layouts.collect())?;
            let found = found.into_iter().map(|read| self.decoded(read));
            for (b, found) in open.into_iter().zip(found) {
                match read.get_mut(b) {
                    Some(read) if found.is_surer_than(read) => *read = found,
                    Some(_) => (),
                    None => read.push(found),
                }
            }
        }
        Ok(read)
    }

    /// Readings of pictures as [`Self::attempt`]'s, but as they are seen in their likeliest layout, without the code's help.
    pub(super) fn glance(&self, pictures: Tensor<4>, maps: &[Homography]) -> Result<Vec<Decoded>> {
        let features = self.model.features(pictures);
        let kinds = softmax(self.model.layout(features.clone()), 1);
        let of_kinds = kinds.dims()[1];
        let kinds = values(kinds)?;
        let layouts = kinds.chunks(of_kinds).map(|row| {
            let layout = likely_layouts(row)[0];
            (layout, row[layout])
        });
        let all: Vec<usize> = (0..maps.len()).collect();
        self.read_in(features, &all, maps, layouts.collect())
    }

    /// Reads the cells of the pictures `open` of [`Self::attempt`] in these layouts, which have these probabilities.
    pub(super) fn read_in(
        &self,
        features: Tensor<4>,
        open: &[usize],
        maps: &[Homography],
        layouts: Vec<(usize, f32)>,
    ) -> Result<Vec<Decoded>> {
        let features = match open.len() == maps.len() {
            true => features,
            false => self.selected(features, open),
        };
        let (layouts, kinds): (Vec<usize>, Vec<f32>) = layouts.into_iter().unzip();
        let batch_layout = self.layouts.arrange(layouts);
        let cells = batch_layout.upload(&self.device);
        let hidden = self.model.hidden(features, &cells);
        let logits = self.model.logits(hidden);
        let likely = softmax(logits.clone(), 2);
        let entropies = match self.config.parity > 0.0 {
            true => values(entropy(logits.flatten::<2>(0, 1)))?,
            false => Vec::new(),
        };
        let (confidence, tokens) = likely.max_dim_with_indices(2);
        let confidence = values(confidence)?;
        let tokens: Vec<i32> = tokens
            .try_into_vec_as()
            .context("the device failed in reading")?;
        let tokens: Vec<u32> = tokens.into_iter().map(|token| token as u32).collect();
        let frame = batch_layout.frame.slots();
        let read = batch_layout.of.iter().enumerate().map(|(b, layout)| {
            let (kind, map) = (kinds[b].max(1e-9).ln(), &maps[open[b]]);
            let cells = b * frame..b * frame + self.slots_of(layout, &tokens[b * frame..]);
            let (tokens, confidence) = (&tokens[cells.clone()], &confidence[cells.clone()]);
            let logs: f32 = confidence.iter().map(|p| p.max(1e-9).ln()).sum();
            Decoded {
                certainty: (logs + kind) / (cells.len() + 1) as f32,
                corners: corners_of(&map.inverse()),
                verified: (self.config.parity > 0.0).then_some(false),
                cells: Cells {
                    layout: batch_layout.layouts[b],
                    symbols: tokens.to_vec(),
                    confidence: self.seen(confidence, layout, map),
                    entropy: entropies.get(cells).unwrap_or_default().to_vec(),
                    ..Cells::default()
                },
                ..Decoded::default()
            }
        });
        Ok(read.collect())
    }

    /// Pictures [B, C, H, W] of these indices.
    fn selected(&self, pictures: Tensor<4>, indices: &[usize]) -> Tensor<4> {
        let indices: Vec<i32> = indices.iter().map(|index| *index as i32).collect();
        pictures.select(
            0,
            Tensor::<1, Int>::from_data(indices.as_slice(), &self.device),
        )
    }

    /// Confidence in the symbols of a picture that was taken out of a larger one by `map`: none in cells beyond its edge.
    fn seen(&self, confidence: &[f32], layout: &Layout, map: &Homography) -> Vec<f32> {
        let mut confidence = confidence.to_vec();
        if *map != Homography::IDENTITY && !self.layouts.is_line() {
            let centres = self.layouts.centres(layout);
            for (confidence, centre) in confidence.iter_mut().zip(centres) {
                if map.map(centre).iter().any(|x| x.abs() > 1.0) {
                    *confidence = 0.0;
                }
            }
        }
        confidence
    }

    /// Slots of a picture: those of its layout, or in a line those up to the first padding.
    fn slots_of(&self, layout: &Layout, tokens: &[u32]) -> usize {
        let (slots, pad) = (layout.slots(), self.bpe.pad());
        let end = tokens[..slots].iter().position(|token| *token == pad);
        end.filter(|_| self.layouts.is_line())
            .map_or(slots, |end| end + 1)
    }

    /// A reading with the tokens of its cells: without padding, or where glyphs have a code, corrected.
    fn decoded(&self, read: Decoded) -> Decoded {
        let (symbols, confidence) = (&read.cells.symbols, &read.cells.confidence);
        let pairs = |slots: Range<usize>| {
            let symbols = symbols[slots.clone()].iter().copied();
            symbols.zip(confidence[slots].iter().copied())
        };
        let parity = self.config.parity;
        if parity == 0.0 {
            let pairs = pairs(0..symbols.len());
            let (tokens, confidence) = pairs.filter(|(token, _)| *token != self.bpe.pad()).unzip();
            return Decoded {
                tokens,
                confidence,
                cells: Cells::default(),
                ..read
            };
        }
        let lengths = lengths_of(&self.layouts, read.cells.layout, parity);
        if let Some(corrected) = decode(symbols, confidence, lengths.clone()) {
            return read.corrected(corrected);
        }
        let pairs = pairs(places_unverified(symbols, lengths));
        let is_token = |(token, _): &(u32, f32)| (*token as usize) < self.bpe.size();
        let (tokens, confidence) = pairs.filter(is_token).unzip();
        Decoded {
            tokens,
            confidence,
            ..read
        }
    }
}

/// The likeliest layouts of these probabilities, the likeliest first.
fn likely_layouts(kinds: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by(|&a, &b| kinds[b].total_cmp(&kinds[a]));
    let is_likely = |kind: &&usize| kinds[**kind] > LEAST_LIKELY;
    let count = order.iter().take(LAYOUTS).filter(is_likely).count();
    order.truncate(count.max(1));
    order
}
