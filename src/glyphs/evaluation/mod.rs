//! Evaluation of a model: accuracy of functions read back, with and without distortions; retrieval of copies by their
//! glyphs; smoothness and contrast.
//!
//! Every figure is of 8-bit pictures, as a PNG file keeps them.

pub mod calibration;
mod families;
mod morphs;
mod qr;
mod readings;
mod report;
mod tasks;

use std::{collections::HashMap, ops::Range, path::PathBuf, sync::Arc};

use anyhow::Result;
use image::RgbImage;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use self::{
    families::family_nearest,
    morphs::MorphPoints,
    readings::{Readings, band_of, share},
    tasks::rewrites_found,
};
use super::{config::GLYPH_SIZE, corpus_functions::CorpusFunction, inference::GlyphReader, pages};
use crate::{
    data::python::variants,
    embedder::Embedding,
    latent::{order::spearman, points::distance},
    nn::distortions::{DistortionBatch, DistortionKinds},
    training::{Evaluator, WorkView},
};

pub use self::{
    readings::LONGEST,
    report::{ByDifficulty, GlyphsReport},
};

/// Most functions of a split that are evaluated.
const MOST: usize = 1000;
/// Functions among which copies look for their originals.
const AMONG: usize = 500;
/// Functions with characters beyond ASCII that are evaluated.
const UNICODE: usize = 200;
/// Functions on several pages that are evaluated in each band of length.
const LONG: usize = 50;
/// Functions a slice.
const SLICE: usize = 32;
/// Functions and distortions of an evaluation.
#[derive(Clone, Debug)]
pub struct GlyphsEvaluationPlan {
    /// Corpus file; `None` for the bundled sample.
    pub corpus: Option<PathBuf>,
    /// Difficulties of the distortions, 0 to 15.
    pub difficulties: Vec<f64>,
}

/// A judgement under way, slice by slice, so that the engine can answer in between.
pub struct GlyphsEvaluator {
    reader: Arc<GlyphReader>,
    functions: Vec<CorpusFunction>,
    difficulties: Vec<f64>,
    rng: ChaCha8Rng,
    /// Functions longer than a glyph.
    long: Vec<CorpusFunction>,
    long_done: usize,
    glyphs: Vec<RgbImage>,
    /// QR codes of the functions' texts, where they fit.
    qr_codes: Vec<Option<RgbImage>>,
    latents: Vec<Vec<f32>>,
    readings: Readings,
    read: usize,
    embeddings: Vec<Embedding>,
    copies: Vec<(usize, Vec<u32>)>,
    found: usize,
    copies_done: usize,
    misses: Vec<(usize, Vec<u32>)>,
    distinct: usize,
    misses_done: usize,
    unicode: Vec<Vec<u32>>,
    unicode_done: usize,
    unicode_right: usize,
    morphs: MorphPoints,
    rewrites: Option<[f64; 2]>,
}

impl GlyphsEvaluator {
    /// Begins to judge a model on functions.
    pub fn new(
        reader: Arc<GlyphReader>,
        mut functions: Vec<CorpusFunction>,
        difficulties: Vec<f64>,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        functions.shuffle(&mut rng);
        let limit = reader.config.max_tokens;
        let (mut functions, mut long): (Vec<_>, Vec<_>) = functions
            .into_iter()
            .partition(|function| function.tokens.len() <= limit);
        let mut in_band = HashMap::<_, usize>::new();
        long.retain(|function| {
            let count = in_band.entry(band_of(function)).or_default();
            *count += 1;
            *count <= LONG
        });
        // Few functions have other characters: of the whole corpus, not of the ones evaluated.
        let beyond = functions
            .iter()
            .filter(|function| !function.text.is_ascii());
        let mut unicode: Vec<Vec<u32>> = beyond.map(|f| f.tokens.clone()).take(UNICODE).collect();
        for function in &functions {
            if unicode.len() == UNICODE {
                break;
            }
            let text = variants::in_another_script(&function.text, &mut rng);
            let tokens = text.map(|text| reader.bpe.encode(&text));
            unicode.extend(tokens.filter(|tokens| tokens.len() <= limit));
        }
        unicode.sort_by_key(Vec::len);
        // As many of the ones never trained on as of the others.
        let (mut validation, mut train) = (0, 0);
        functions.retain(|function| {
            let count = if function.is_validation {
                &mut validation
            } else {
                &mut train
            };
            *count += 1;
            *count <= MOST
        });
        functions.sort_by_key(|function| function.tokens.len());
        let variant = |make: &mut dyn FnMut(&str, &mut ChaCha8Rng) -> Option<String>,
                       rng: &mut ChaCha8Rng| {
            let mut chosen: Vec<usize> = (0..functions.len()).collect();
            chosen.shuffle(rng);
            let variants = chosen.into_iter().filter_map(|i| {
                let tokens = reader.bpe.encode(&make(&functions[i].text, rng)?);
                (tokens.len() <= limit && tokens != functions[i].tokens).then_some((i, tokens))
            });
            let mut variants: Vec<_> = variants.take(AMONG).collect();
            variants.sort_by_key(|(_, tokens)| tokens.len());
            variants
        };
        let mut is_renamed = false;
        let copies = variant(
            &mut |text, rng| {
                is_renamed = !is_renamed;
                if is_renamed {
                    variants::renamed(text, rng)
                } else {
                    variants::reformatted(text, rng)
                }
            },
            &mut rng,
        );
        let misses = variant(&mut |text, rng| variants::near_miss(text, rng), &mut rng);
        let rows: Vec<&Vec<u32>> = functions.iter().map(|function| &function.tokens).collect();
        let morphs = MorphPoints::new(&rows);
        Self {
            reader,
            functions,
            difficulties,
            rng,
            long,
            long_done: 0,
            glyphs: Vec::new(),
            qr_codes: Vec::new(),
            latents: Vec::new(),
            readings: Readings::default(),
            read: 0,
            embeddings: Vec::new(),
            copies,
            found: 0,
            copies_done: 0,
            misses,
            distinct: 0,
            misses_done: 0,
            unicode,
            unicode_done: 0,
            unicode_right: 0,
            morphs,
            rewrites: None,
        }
    }

    fn read_slice(&mut self) -> Result<()> {
        let count = self.functions.len();
        let (nth, first) = (self.read / count, self.read % count);
        let last = (first + SLICE).min(count);
        let difficulty = self.difficulties[nth];
        let distortions = DistortionBatch::sample(
            &vec![difficulty; last - first],
            DistortionKinds::ALL,
            &mut self.rng,
        );
        let pictures = self
            .reader
            .distorted(&self.glyphs[first..last], &distortions)?;
        let read = self.reader.read_thoroughly(&pictures)?;
        for (function, read) in self.functions[first..last].iter().zip(&read) {
            self.readings.add(nth, function, read);
        }
        self.read_qr_codes(nth, first..last, &distortions)?;
        self.read += last - first;
        Ok(())
    }

    /// Reads the QR codes of some functions through the distortions of their glyphs.
    fn read_qr_codes(
        &mut self,
        nth: usize,
        functions: Range<usize>,
        distortions: &DistortionBatch,
    ) -> Result<()> {
        let blank = || RgbImage::new(GLYPH_SIZE as u32, GLYPH_SIZE as u32);
        let codes = self.qr_codes[functions.clone()].iter();
        let codes: Vec<_> = codes
            .map(|code| code.clone().unwrap_or_else(blank))
            .collect();
        let seen = self.reader.distorted(&codes, distortions)?;
        for (function, picture) in self.functions[functions].iter().zip(&seen) {
            let is_read = qr::read(picture).is_some_and(|text| text == function.text);
            self.readings.add_qr(nth, function, is_read);
        }
        Ok(())
    }

    /// Reads a function longer than a glyph from the sheet of its pages, if undistorted ones are wanted.
    fn read_long(&mut self) -> Result<()> {
        let function = &self.long[self.long_done];
        self.long_done += 1;
        let Some(nth) = self
            .difficulties
            .iter()
            .position(|difficulty| *difficulty == 0.0)
        else {
            return Ok(());
        };
        let glyphs = self.reader.glyphs(&self.reader.pages(&function.text)?)?;
        let read = self.reader.read_photo(&pages::sheet(&glyphs))?;
        let whole = read
            .into_iter()
            .max_by_key(|read| read.tokens.len())
            .unwrap_or_default();
        self.readings.add(nth, function, &whole);
        Ok(())
    }

    /// Retrieval of originals from their copies by the embeddings read from the glyphs.
    fn retrieve_slice(&mut self) -> Result<()> {
        if self.embeddings.is_empty() {
            let glyphs: Vec<_> = self
                .copies
                .iter()
                .map(|(of, _)| self.glyphs[*of].clone())
                .collect();
            self.embeddings = self.reader.embeddings(&glyphs)?;
        }
        let first = self.copies_done;
        let last = (first + SLICE).min(self.copies.len());
        let rows: Vec<_> = self.copies[first..last]
            .iter()
            .map(|(_, row)| row.clone())
            .collect();
        let read = self.reader.embeddings(&self.reader.glyphs(&rows)?)?;
        for (own, embedding) in (first..last).zip(read) {
            self.found += usize::from(embedding.nearest(&self.embeddings) == Some(own));
        }
        self.copies_done = last;
        Ok(())
    }

    fn miss_slice(&mut self) -> Result<()> {
        let first = self.misses_done;
        let last = (first + SLICE).min(self.misses.len());
        let rows: Vec<_> = self.misses[first..last]
            .iter()
            .map(|(_, row)| row.clone())
            .collect();
        let glyphs = self.reader.glyphs(&rows)?;
        let read = self.reader.read(&glyphs)?;
        for (((of, _), glyph), read) in self.misses[first..last].iter().zip(&glyphs).zip(&read) {
            let is_other = *glyph != self.glyphs[*of] && read.tokens != self.functions[*of].tokens;
            self.distinct += usize::from(is_other);
        }
        self.misses_done = last;
        Ok(())
    }

    fn unicode_slice(&mut self) -> Result<()> {
        let first = self.unicode_done;
        let last = (first + SLICE).min(self.unicode.len());
        let rows = &self.unicode[first..last];
        let read = self.reader.read(&self.reader.glyphs(rows)?)?;
        let right = rows.iter().zip(&read);
        self.unicode_right += right.filter(|(row, read)| **row == read.tokens).count();
        self.unicode_done = last;
        Ok(())
    }

    fn report(&self, device: &str) -> GlyphsReport {
        let mut report = GlyphsReport {
            device: device.to_owned(),
            params: self.reader.params(),
            steps: self.reader.progress.step,
            train_secs: self.reader.progress.train_secs,
            max_tokens: self.reader.config.max_tokens,
            functions: self.functions.len(),
            self_retrieval: share(self.found, self.copies.len()),
            retrieval_among: self.copies.len(),
            near_miss_distinct: share(self.distinct, self.misses.len()),
            near_misses: self.misses.len(),
            distance_spearman: self.distance_spearman(),
            ..GlyphsReport::default()
        };
        self.readings.fill(&self.difficulties, &mut report);
        report.unicode_exact = share(self.unicode_right, self.unicode.len());
        report.unicode_functions = self.unicode.len();
        report.morph_parses = self.morphs.parses();
        report.morph_parses_between = self.morphs.parses_between();
        [report.rewrites_found, report.rewrites_found_tf_idf] = self.rewrites.unwrap_or_default();
        let texts = self.functions.iter().map(|function| function.text.as_str());
        (report.family_nearest, report.family_functions) = family_nearest(texts.zip(&self.glyphs));
        let looks = self.glyphs.iter().map(aesthetics);
        let (smoothness, contrast) =
            looks.fold((0.0, 0.0), |sum, look| (sum.0 + look.0, sum.1 + look.1));
        report.smoothness = smoothness / contrast;
        report.contrast = contrast / self.glyphs.len() as f64;
        report
    }

    fn distance_spearman(&self) -> f64 {
        let mut pairs: Vec<usize> = (0..self.glyphs.len()).collect();
        pairs.shuffle(&mut ChaCha8Rng::seed_from_u64(11));
        let (mut of_glyphs, mut of_latents) = (Vec::new(), Vec::new());
        for pair in pairs.windows(2) {
            let (a, b) = (&self.glyphs[pair[0]], &self.glyphs[pair[1]]);
            let apart: f64 = a
                .as_raw()
                .iter()
                .zip(b.as_raw())
                .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
                .sum();
            of_glyphs.push(apart.sqrt());
            of_latents.push(f64::from(distance(
                &self.latents[pair[0]],
                &self.latents[pair[1]],
            )));
        }
        spearman(&of_glyphs, &of_latents)
    }
}

impl Evaluator for GlyphsEvaluator {
    type Report = GlyphsReport;

    fn advance(&mut self, device: &str) -> Result<Option<GlyphsReport>> {
        let count = self.functions.len();
        if self.glyphs.len() < count {
            let slice = &self.functions[self.glyphs.len()..(self.glyphs.len() + SLICE).min(count)];
            let rows: Vec<Vec<u32>> = slice.iter().map(|f| f.tokens.clone()).collect();
            self.latents.extend(self.reader.latents(&rows)?);
            self.glyphs.extend(self.reader.glyphs(&rows)?);
            let codes = slice.iter().map(|function| qr::paint(&function.text));
            self.qr_codes.extend(codes);
        } else if self.read < count * self.difficulties.len() {
            self.read_slice()?;
        } else if self.long_done < self.long.len() {
            self.read_long()?;
        } else if self.copies_done < self.copies.len() {
            self.retrieve_slice()?;
        } else if self.misses_done < self.misses.len() {
            self.miss_slice()?;
        } else if self.unicode_done < self.unicode.len() {
            self.unicode_slice()?;
        } else if let [done, all] = self.morphs.progress()
            && done < all
        {
            self.morphs.advance(&self.reader)?;
        } else if self.rewrites.is_none() {
            self.rewrites = Some(rewrites_found(&self.reader)?);
        } else {
            return Ok(Some(self.report(device)));
        }
        Ok(None)
    }

    fn progress(&self) -> WorkView {
        let readings = self.functions.len() * self.difficulties.len();
        let [morphed, morphs] = self.morphs.progress();
        let variants = self.copies.len() + self.misses.len() + self.unicode.len();
        let all = self.functions.len() + readings + self.long.len() + variants + morphs;
        let variants = self.copies_done + self.misses_done + self.unicode_done;
        let done = self.glyphs.len() + self.read + self.long_done + variants + morphed;
        WorkView {
            what: format!("judging {} functions", self.functions.len()),
            done: done as f64 / all.max(1) as f64,
        }
    }
}

/// A picture's mean difference of neighbours and its standard deviation, values 0..1.
pub fn aesthetics(picture: &RgbImage) -> (f64, f64) {
    let values: Vec<f64> = picture
        .as_raw()
        .iter()
        .map(|&v| f64::from(v) / 255.0)
        .collect();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let at = |x: usize, y: usize, channel: usize| values[(y * width + x) * 3 + channel];
    let (mut across, mut down) = (0.0, 0.0);
    for channel in 0..3 {
        for y in 0..height {
            for x in 1..width {
                across += (at(x, y, channel) - at(x - 1, y, channel)).abs();
            }
        }
        for y in 1..height {
            for x in 0..width {
                down += (at(x, y, channel) - at(x, y - 1, channel)).abs();
            }
        }
    }
    let difference = (across / (3 * height * (width - 1)) as f64
        + down / (3 * width * (height - 1)) as f64)
        / 2.0;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (difference, variance.sqrt())
}
