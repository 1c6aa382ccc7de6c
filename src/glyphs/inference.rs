//! Inference of Code Glyphs: functions to glyphs, pictures to functions.

use std::{ops::Range, sync::Arc};

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};
use image::RgbImage;

use super::{
    code::{lengths_of, places_unverified},
    model::{GlyphModel, mean_of_slots},
    networks::mosaic::Layouts,
    pages,
    reading::{Cells, Decoded, Reading},
    token_batch::TokenBatch,
};
use crate::{
    data::{bpe::Bpe, ngram::NGram},
    glyphs::config::{GLYPH_SIZE, GlyphsConfig},
    nn::distortions::{DistortionBatch, Homography},
    training::{DataParallel, Progress},
};

/// Pictures a pass: enough to keep the device busy, few enough to be answered soon.
const PASS: usize = 32;
/// Pictures in a pass of one core: it is kept as busy by few, and the others have some too.
const PASS_OF_CORE: usize = 8;

/// Trained Code Glyphs model on its device, for inference.
pub struct GlyphReader {
    /// Configuration.
    pub config: GlyphsConfig,
    /// Progress in training.
    pub progress: Progress,
    /// Tokenizer.
    pub bpe: Arc<Bpe>,
    pub(super) model: GlyphModel,
    pub(super) layouts: Layouts,
    pub(super) ngram: Option<Arc<NGram>>,
    pub(super) device: Device,
}

impl GlyphReader {
    /// Wraps the networks.
    pub fn new(
        config: GlyphsConfig,
        progress: Progress,
        model: GlyphModel,
        bpe: Arc<Bpe>,
        layouts: Layouts,
        ngram: Option<Arc<NGram>>,
        device: &Device,
    ) -> Self {
        Self {
            config,
            progress,
            bpe,
            model,
            layouts,
            ngram,
            device: device.clone(),
        }
    }

    /// Results of `work` for `count` pictures of `size` x `size` pixels, in passes over some of them at a time.
    pub(super) fn in_passes<R: Send>(
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
    pub(super) fn picture_latents(&self, rows: &[Vec<u32>]) -> Tensor<3> {
        self.latents_of(&self.token_batch(rows))
    }

    fn latents_of(&self, encoded: &TokenBatch) -> Tensor<3> {
        let (tokens, real) = encoded.upload(&self.device);
        let slots = self.model.encode(tokens, real.clone());
        let content = TensorData::new(encoded.content(), real.dims());
        let content = Tensor::from_data(content, &self.device);
        let cells = encoded.layout.upload(&self.device);
        self.model.latent(slots, content, &cells)
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

    /// Glyph of symbols that were read, be they a codeword or not.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn paint_cells(&self, cells: &Cells) -> Result<RgbImage> {
        let lengths = lengths_of(&self.layouts, cells.layout, self.config.parity);
        let tokens = places_unverified(&cells.symbols, lengths).len();
        let encoded = TokenBatch::of_symbols(&cells.symbols, tokens, cells.layout, &self.layouts);
        let picture = self.model.picture(self.latents_of(&encoded), GLYPH_SIZE);
        Ok(self.images(picture)?.remove(0))
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

    /// Tokens of a function's glyphs: of one, or of [`pages`] if it is longer than the model can paint and glyphs have a code.
    ///
    /// # Errors
    /// As [`Self::tokens`].
    pub fn pages(&self, function: &str) -> Result<Vec<Vec<u32>>> {
        if self.config.parity == 0.0 || function.is_empty() {
            return Ok(vec![self.tokens(function)?]);
        }
        let tokens = self.bpe.encode(function);
        pages::split(tokens, self.config.max_tokens, self.bpe.pad())
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

    /// Pictures of 128x128 [B, 3, 128, 128].
    pub(super) fn tensor(&self, pictures: &[RgbImage]) -> Tensor<4> {
        self.tensor_of(pictures, GLYPH_SIZE)
    }

    /// Pictures of `size` x `size` [B, 3, `size`, `size`].
    pub(super) fn tensor_of(&self, pictures: &[RgbImage], size: usize) -> Tensor<4> {
        let values = pictures.iter().flat_map(|picture| picture.as_raw());
        let values: Vec<f32> = values.map(|&value| f32::from(value) / 255.0).collect();
        let shape = [pictures.len(), size, size, 3];
        let pictures = Tensor::<4>::from_data(TensorData::new(values, shape), &self.device);
        pictures.permute([0, 3, 1, 2])
    }

    pub(super) fn images(&self, pictures: Tensor<4>) -> Result<Vec<RgbImage>> {
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

pub(super) fn corners_of(map: &Homography) -> [[f32; 2]; 4] {
    map.corners().map(|place| place.map(|x| x as f32))
}

pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as()
        .context("the device failed in reading")
}
