//! Inference of Code Glyphs: functions to glyphs, pictures to functions.

use std::{ops::Range, sync::Arc};

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData, activation::softmax},
};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::{
    code::{Corrected, HEADER, decode, lengths_of, places_unverified},
    curriculum::{ExactCount, Score},
    image_io::is_alike,
    model::{GlyphModel, mean_of_slots},
    networks::mosaic::{Layout, Layouts, PoseHead},
    reading::{Decoded, Reading},
    token_batch::TokenBatch,
};
use crate::{
    data::bpe::Bpe,
    glyphs::config::{GLYPH_SIZE, GlyphsConfig},
    nn::distortions::{DistortionBatch, DistortionKinds, Homography, warp},
    training::{DataParallel, Progress},
};

/// Pictures a pass: enough to keep the device busy, few enough to be answered soon.
const PASS: usize = 32;
/// Pictures in a pass of one core: it is kept as busy by few, and the others have some too.
const PASS_OF_CORE: usize = 8;

/// Rectifications of a picture by the corners found, each more exact.
const RECTIFICATIONS: usize = 2;
/// A way through functions: the latents of their pictures, and how many pictures it has.
pub struct MorphPath {
    stops: Vec<Tensor<3>>,
    /// Pictures in all.
    pub frames: usize,
}

/// Trained Code Glyphs model on its device, for inference.
pub struct GlyphReader {
    /// Configuration.
    pub config: GlyphsConfig,
    /// Progress in training.
    pub progress: Progress,
    /// Tokenizer.
    pub bpe: Arc<Bpe>,
    model: GlyphModel,
    layouts: Layouts,
    device: Device,
}

impl GlyphReader {
    /// Wraps the networks.
    pub fn new(
        config: GlyphsConfig,
        progress: Progress,
        model: GlyphModel,
        bpe: Arc<Bpe>,
        layouts: Layouts,
        device: &Device,
    ) -> Self {
        Self {
            config,
            progress,
            bpe,
            model,
            layouts,
            device: device.clone(),
        }
    }

    /// Results of `work` for `count` pictures of `size` x `size` pixels, in passes over some of them at a time.
    fn in_passes<R: Send>(
        &self,
        count: usize,
        size: usize,
        work: impl Fn(Range<usize>) -> Result<Vec<R>> + Sync,
    ) -> Result<Vec<R>> {
        let shards = DataParallel::per_core(&self.device)?;
        let most = match shards.is_data_parallel() {
            true => PASS_OF_CORE,
            false => PASS,
        };
        let pass = (most * GLYPH_SIZE.pow(2) / size.pow(2)).clamp(1, most);
        let passes = (0..count).step_by(pass);
        let passes = passes.map(|first| first..(first + pass).min(count));
        let made = shards.map_parallel(passes.collect(), work);
        let made: Vec<Vec<R>> = made.into_iter().collect::<Result<_>>()?;
        Ok(made.into_iter().flatten().collect())
    }

    /// Number of parameters.
    pub fn params(&self) -> usize {
        self.model.num_params()
    }

    fn token_batch(&self, rows: &[Vec<u32>]) -> TokenBatch {
        TokenBatch::new(rows, self.bpe.pad(), &self.layouts, self.config.parity)
    }

    /// Functions, as tokens, to the latents of their pictures; see [`GlyphModel::latent`].
    fn picture_latents(&self, rows: &[Vec<u32>]) -> Tensor<3> {
        let encoded = self.token_batch(rows);
        let (tokens, real) = encoded.upload(&self.device);
        let slots = self.model.encode(tokens, real.clone());
        let content = TensorData::new(encoded.content(), real.dims());
        let content = Tensor::from_data(content, &self.device);
        let cells = encoded.layout.upload(&self.device);
        self.model.latent(slots, content, &cells, &self.layouts)
    }

    /// Functions, as tokens, to glyphs.
    ///
    /// # Errors
    /// If the device fails.
    pub fn glyphs(&self, rows: &[Vec<u32>]) -> Result<Vec<RgbImage>> {
        self.paint(rows, GLYPH_SIZE)
    }

    /// One function's glyph.
    ///
    /// # Errors
    /// If the device fails.
    pub fn glyph(&self, tokens: &[u32]) -> Result<RgbImage> {
        let mut glyphs = self.glyphs(&[tokens.to_vec()])?;
        Ok(glyphs.swap_remove(0))
    }

    /// Functions, as tokens, to pictures of `size` x `size` pixels, to be looked at: a reader takes
    /// glyphs.
    ///
    /// # Errors
    /// If the model's design paints 128x128 only, or the device fails.
    pub fn paint(&self, rows: &[Vec<u32>], size: usize) -> Result<Vec<RgbImage>> {
        if size != GLYPH_SIZE && !self.config.design.paints_any_size() {
            bail!(
                "a model of this design paints {GLYPH_SIZE}x{GLYPH_SIZE} pixels, not {size}x{size}"
            );
        }
        self.in_passes(rows.len(), size, |some| {
            self.images(self.model.picture(self.picture_latents(&rows[some]), size))
        })
    }

    /// Functions, as tokens, to what they are in the model's mind: means of their slots, `hidden_size`
    /// values each.
    ///
    /// # Errors
    /// If the device fails.
    pub fn latents(&self, rows: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let encoded = self.token_batch(rows);
        let (tokens, real) = encoded.upload(&self.device);
        let slots = self.model.encode(tokens, real.clone());
        let latents = values(mean_of_slots(slots, real))?;
        Ok(latents
            .chunks(self.config.hidden_size)
            .map(<[f32]>::to_vec)
            .collect())
    }

    /// Embeddings read from glyphs that are as they were painted.
    ///
    /// # Errors
    /// If the device fails.
    pub fn embeddings(&self, glyphs: &[RgbImage]) -> Result<Vec<Vec<f32>>> {
        self.in_passes(glyphs.len(), GLYPH_SIZE, |some| {
            let read = self.attempt(self.tensor(&glyphs[some]))?;
            Ok(read.into_iter().map(|read| read.embedding).collect())
        })
    }

    /// Text of the tokens read.
    pub fn spell(&self, decoded: Decoded) -> Reading {
        Reading {
            text: self.bpe.decode(&decoded.tokens),
            pieces: decoded
                .tokens
                .iter()
                .map(|&token| self.bpe.piece(token))
                .collect(),
            repaints: false,
            decoded,
        }
    }

    /// A function's tokens.
    ///
    /// # Errors
    /// If it is longer than the model can paint, with both figures.
    pub fn tokens(&self, function: &str) -> Result<Vec<u32>> {
        let tokens = self.bpe.encode(function);
        let limit = self.config.max_tokens;
        if tokens.len() > limit {
            bail!(
                "the function has {} tokens: this model paints up to {limit}",
                tokens.len()
            );
        }
        if tokens.is_empty() {
            bail!("there is nothing to paint: expected a Python function");
        }
        Ok(tokens)
    }

    /// The pictures on the way through several functions: `frames` of them along a cubic spline through
    /// their latents, ends included.
    ///
    /// # Errors
    /// If the device fails.
    pub fn morph(&self, rows: &[Vec<u32>], frames: usize) -> Result<Vec<RgbImage>> {
        self.morph_frames(&self.morph_path(rows, frames), 0..frames)
    }

    /// The path of a morph, of which [`Self::morph_frames`] paints any part.
    pub fn morph_path(&self, rows: &[Vec<u32>], frames: usize) -> MorphPath {
        let latents = self.picture_latents(rows);
        let stops = (0..rows.len()).map(|i| latents.clone().narrow(0, i, 1));
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
        let MorphPath { stops, frames } = path;
        let first = some.start;
        self.in_passes(some.len(), GLYPH_SIZE, |some| {
            let on_the_way = some.map(|nth| {
                let share = (first + nth) as f64 / (frames.max(&2) - 1) as f64;
                let weights = spline(share * (stops.len() - 1) as f64, stops.len());
                let terms = weights
                    .into_iter()
                    .map(|(stop, weight)| stops[stop].clone() * weight);
                terms.reduce(|a, b| a + b).expect("a spline has terms")
            });
            let latents = Tensor::cat(on_the_way.collect(), 0);
            self.images(self.model.picture(latents, GLYPH_SIZE))
        })
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

    /// The pictures after the noisy channel.
    ///
    /// # Errors
    /// If the device fails.
    pub fn distorted(
        &self,
        pictures: &[RgbImage],
        distortions: &DistortionBatch,
    ) -> Result<Vec<RgbImage>> {
        self.in_passes(pictures.len(), GLYPH_SIZE, |some| {
            let seen = self.tensor(&pictures[some.clone()]);
            self.images(distortions.of(some).apply(seen))
        })
    }

    /// Accuracy of functions read back through distortions of `difficulty`.
    ///
    /// # Errors
    /// If the device fails.
    pub fn score(&self, rows: &[Vec<u32>], difficulty: f64, rng: &mut ChaCha8Rng) -> Result<Score> {
        let distortions =
            DistortionBatch::sample(&vec![difficulty; rows.len()], DistortionKinds::ALL, rng);
        let read = self.in_passes(rows.len(), GLYPH_SIZE, |some| {
            let latents = self.picture_latents(&rows[some.clone()]);
            let pictures = self.model.picture(latents, GLYPH_SIZE);
            self.read_tensor(distortions.of(some).apply(pictures))
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
        let mut read = self.attempt(pictures.clone())?;
        let unsure: Vec<usize> = (0..read.len())
            .filter(|nth| !read[*nth].is_certain())
            .collect();
        if unsure.is_empty() {
            return Ok(read);
        }
        let rows: Vec<i32> = unsure.iter().map(|nth| *nth as i32).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::from(rows.as_slice()), &self.device);
        let surest = unsure.iter().map(|nth| read[*nth].clone()).collect();
        let surest = self.read_rectified(pictures.select(0, rows), surest)?;
        for (nth, surest) in unsure.into_iter().zip(surest) {
            read[nth] = surest;
        }
        Ok(read)
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
            let read = self.attempt(seen.clone())?;
            for ((best, read), map) in surest.iter_mut().zip(read).zip(&maps) {
                // What is verified can't be bettered.
                let rank = |read: &Decoded| (read.verified == Some(true), read.certainty);
                if best.verified != Some(true) && rank(&read) > rank(best) {
                    let corners = corners_of(&map.inverse());
                    *best = Decoded { corners, ..read };
                }
            }
        }
        Ok(surest)
    }

    fn attempt(&self, pictures: Tensor<4>) -> Result<Vec<Decoded>> {
        let features = self.model.features(pictures);
        let kinds = softmax(self.model.layout(features.clone()), 1);
        let of_kinds = kinds.dims()[1];
        let kinds = values(kinds)?;
        let best = kinds.chunks(of_kinds).map(|row| {
            let best = (0..of_kinds).max_by(|&a, &b| row[a].total_cmp(&row[b]));
            best.expect("there is a layout")
        });
        let layouts: Vec<usize> = best.collect();
        let batch_layout = self.layouts.arrange(layouts);
        let cells = batch_layout.upload(&self.device);
        let hidden = self.model.hidden(features, &cells);
        let likely = softmax(self.model.logits(hidden.clone()), 2);
        let (confidence, tokens) = likely.max_dim_with_indices(2);
        let confidence = values(confidence)?;
        let tokens: Vec<i32> = tokens
            .try_into_vec_as()
            .context("the device failed in reading")?;
        let tokens: Vec<u32> = tokens.into_iter().map(|token| token as u32).collect();
        let frame = batch_layout.frame.slots();
        let read = batch_layout.of.iter().enumerate().map(|(b, layout)| {
            let kind = kinds[b * of_kinds + batch_layout.layouts[b]].max(1e-9).ln();
            let cells = b * frame..b * frame + self.slots_of(layout, &tokens[b * frame..]);
            let (tokens, confidence) = (&tokens[cells.clone()], &confidence[cells.clone()]);
            let logs: f32 = confidence.iter().map(|p| p.max(1e-9).ln()).sum();
            Decoded {
                certainty: (logs + kind) / (cells.len() + 1) as f32,
                corners: corners_of(&Homography::IDENTITY),
                ..self.decoded(tokens, confidence, batch_layout.layouts[b])
            }
        });
        let mut read: Vec<Decoded> = read.collect();
        let counted = match self.config.parity > 0.0 {
            true => {
                let is_token =
                    |slot: usize, tokens: usize| (HEADER..HEADER + tokens).contains(&slot);
                let rows = read.iter().map(|read| read.tokens.len().max(1));
                let rows =
                    rows.flat_map(|n| (0..frame).map(move |slot| f32::from(is_token(slot, n))));
                let values = TensorData::new(rows.collect(), [read.len(), frame]);
                Tensor::from_data(values, &self.device)
            }
            false => cells.mask(),
        };
        let embedding = values(self.model.embedding(hidden, counted))?;
        for (read, embedding) in read.iter_mut().zip(embedding.chunks(self.config.embedding)) {
            read.embedding = embedding.to_vec();
        }
        Ok(read)
    }

    /// Slots of a picture: those of its layout, or in a line those up to the first padding.
    fn slots_of(&self, layout: &Layout, tokens: &[u32]) -> usize {
        let (slots, pad) = (layout.slots(), self.bpe.pad());
        let end = tokens[..slots].iter().position(|token| *token == pad);
        end.filter(|_| self.layouts.is_line())
            .map_or(slots, |end| end + 1)
    }

    /// Tokens of the cells' symbols: without padding, or where glyphs have a code, corrected.
    fn decoded(&self, symbols: &[u32], confidence: &[f32], layout: usize) -> Decoded {
        let parity = self.config.parity;
        if parity == 0.0 {
            let pairs = symbols.iter().copied().zip(confidence.iter().copied());
            let (tokens, confidence) = pairs.filter(|(token, _)| *token != self.bpe.pad()).unzip();
            return Decoded {
                tokens,
                confidence,
                ..Decoded::default()
            };
        }
        let lengths = lengths_of(&self.layouts, layout, parity);
        match decode(symbols, confidence, lengths.clone()) {
            Some(Corrected { tokens, is_mended }) => Decoded {
                confidence: confidence[HEADER..HEADER + tokens.len()].to_vec(),
                mended: is_mended.iter().filter(|is_mended| **is_mended).count(),
                verified: Some(true),
                tokens,
                ..Decoded::default()
            },
            None => {
                let places = places_unverified(symbols, lengths);
                let read = symbols[places.clone()].iter().copied();
                let read = read.zip(confidence[places].iter().copied());
                let (tokens, confidence) = read
                    .filter(|(token, _)| (*token as usize) < self.bpe.size())
                    .unzip();
                Decoded {
                    tokens,
                    confidence,
                    verified: Some(false),
                    ..Decoded::default()
                }
            }
        }
    }

    fn tensor(&self, pictures: &[RgbImage]) -> Tensor<4> {
        let values = pictures.iter().flat_map(|picture| picture.as_raw());
        let values: Vec<f32> = values.map(|&value| f32::from(value) / 255.0).collect();
        let shape = [pictures.len(), GLYPH_SIZE, GLYPH_SIZE, 3];
        let pictures = Tensor::<4>::from_data(TensorData::new(values, shape), &self.device);
        pictures.permute([0, 3, 1, 2])
    }

    fn images(&self, pictures: Tensor<4>) -> Result<Vec<RgbImage>> {
        let [_, _, height, width] = pictures.dims();
        let bytes = values(pictures.permute([0, 2, 3, 1]))?;
        let bytes = bytes.chunks(height * width * 3).map(|picture| {
            let bytes = picture.iter().map(|value| (value * 255.0).round() as u8);
            RgbImage::from_raw(width as u32, height as u32, bytes.collect())
                .expect("as many bytes as the picture has values")
        });
        Ok(bytes.collect())
    }
}

fn corners_of(map: &Homography) -> [[f32; 2]; 4] {
    map.corners().map(|place| place.map(|x| x as f32))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as()
        .context("the device failed in reading")
}

/// The stops and their weights at a place 0..=`stops` - 1 along a cubic spline that passes each stop
/// (Catmull and Rom 1974, "A class of local interpolating splines"), its ends repeated. A B-spline, as
/// in the reference's animations, would pass by the functions it is to show.
fn spline(along: f64, stops: usize) -> Vec<(usize, f64)> {
    let segment = (along.floor() as usize).min(stops.saturating_sub(2));
    let t = along - segment as f64;
    let basis = [
        (-t.powi(3) + 2.0 * t.powi(2) - t) / 2.0,
        (3.0 * t.powi(3) - 5.0 * t.powi(2) + 2.0) / 2.0,
        (-3.0 * t.powi(3) + 4.0 * t.powi(2) + t) / 2.0,
        (t.powi(3) - t.powi(2)) / 2.0,
    ];
    let stop = |offset: usize| (segment + offset).saturating_sub(1).min(stops - 1);
    (0..4).map(|k| (stop(k), basis[k])).collect()
}
