//! Evaluation of a model: accuracy of functions read back, with and without distortions; retrieval of copies by their
//! glyphs; smoothness and contrast.
//!
//! Every figure is of 8-bit pictures, as a PNG file keeps them.

pub mod calibration;
mod families;
mod morphs;
mod qr;
mod tasks;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    path::PathBuf,
    sync::Arc,
};

use anyhow::Result;
use image::RgbImage;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use self::{
    calibration::Calibration, families::family_nearest, morphs::MorphPoints, tasks::rewrites_found,
};
use super::{
    config::GLYPH_SIZE, corpus_functions::CorpusFunction, curriculum::ExactCount,
    inference::GlyphReader, pages,
};
use crate::{
    data::python::variants,
    embedder::Embedding,
    latent::{order::spearman, points::distance},
    nn::distortions::{DistortionBatch, DistortionKinds},
    training::{Evaluator, WorkView},
};

/// Most functions of a split that are evaluated.
const MOST: usize = 1000;
/// Functions among which copies look for their originals.
const AMONG: usize = 500;
/// Functions with characters beyond ASCII that are evaluated.
const UNICODE: usize = 200;
/// Functions on several pages that are evaluated in each band of length.
const LONG: usize = 50;
/// Longest function that is evaluated, in tokens.
pub const LONGEST: usize = 512;
/// Functions a slice.
const SLICE: usize = 32;
/// Bands of length, in tokens.
const BANDS: [usize; 5] = [32, 64, 128, 256, LONGEST];

/// Shares by difficulty.
pub type ByDifficulty = BTreeMap<String, f64>;

/// Functions and distortions of an evaluation.
#[derive(Clone, Debug)]
pub struct GlyphsEvaluationPlan {
    /// Corpus file; `None` for the bundled sample.
    pub corpus: Option<PathBuf>,
    /// Difficulties of the distortions, 0 to 15.
    pub difficulties: Vec<f64>,
}

/// The figures.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GlyphsReport {
    /// The device it was evaluated on.
    pub device: String,
    /// Number of parameters.
    pub params: usize,
    /// Steps trained.
    pub steps: u64,
    /// Seconds spent in them.
    pub train_secs: f64,
    /// Longest function, in tokens.
    pub max_tokens: usize,
    /// Functions evaluated.
    pub functions: usize,
    /// Share of the tokens read right, padding left out, by split and difficulty.
    pub token_accuracy: BTreeMap<&'static str, ByDifficulty>,
    /// Share of the functions read without a fault, by split and difficulty.
    pub exact: BTreeMap<&'static str, ByDifficulty>,
    /// Scores over both splits, by the longest function of a band of lengths (1 to 32, 33 to 64, 65 to
    /// 128 tokens and so on) and difficulty. Functions longer than a glyph are read from sheets of pages, undistorted.
    pub exact_by_length: BTreeMap<usize, ByDifficulty>,
    /// Shares of the texts that are read without a fault from QR codes of the same size, through the same channel.
    pub qr_exact_by_length: BTreeMap<usize, ByDifficulty>,
    /// Shares of the readings called verified, by length and difficulty as [`Self::exact_by_length`].
    pub verified_by_length: BTreeMap<usize, ByDifficulty>,
    /// Readings called verified that are wrong, of all lengths and difficulties.
    pub verified_wrong: usize,
    /// Largest expected calibration error of the sureness that is shown, of all lengths and difficulties.
    pub certainty_error: f64,
    /// The errors by length and difficulty as [`Self::exact_by_length`].
    pub certainty_error_by_length: BTreeMap<usize, ByDifficulty>,
    /// Share of the functions with characters beyond ASCII that are read without a fault at difficulty 0.
    pub unicode_exact: f64,
    /// Their number: those of the corpus, and others put in another script.
    pub unicode_functions: usize,
    /// Share of points of random morphs that are read as valid Python.
    pub morph_parses: f64,
    /// Share of the points read as neither end that are valid Python.
    pub morph_parses_between: f64,
    /// Share of the functions whose nearest thumbnail of 16x16 pixels is of their own family.
    pub family_nearest: f64,
    /// Functions of those families.
    pub family_functions: usize,
    /// Mean average precision at R of other ways to write the same task, by the embeddings.
    pub rewrites_found: f64,
    /// Mean average precision at R of the same by tf-idf of the tokens.
    pub rewrites_found_tf_idf: f64,
    /// Functions in each band.
    pub functions_by_length: BTreeMap<usize, usize>,
    /// Share of renamed or reformatted copies whose nearest glyph is the original's.
    pub self_retrieval: f64,
    /// Glyphs they chose from.
    pub retrieval_among: usize,
    /// Share of near misses whose glyph is another picture and is not read as the original.
    pub near_miss_distinct: f64,
    /// Near misses evaluated.
    pub near_misses: usize,
    /// Spearman's rank correlation of the glyphs' distance with that of the functions' latents.
    pub distance_spearman: f64,
    /// Mean difference of neighbouring pixels over the contrast.
    pub smoothness: f64,
    /// Standard deviation of a glyph's values, 0..1.
    pub contrast: f64,
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
    /// QR codes read without a fault, by difficulty and band.
    qr_read: HashMap<(usize, usize), usize>,
    latents: Vec<Vec<f32>>,
    counts: HashMap<(usize, &'static str, usize), ExactCount>,
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
    calibrations: HashMap<(usize, usize), Calibration>,
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
        let (mut functions, others): (Vec<_>, Vec<_>) = functions
            .into_iter()
            .partition(|function| function.tokens.len() <= limit);
        let mut in_band = HashMap::<_, usize>::new();
        let mut long = others;
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
            qr_read: HashMap::new(),
            latents: Vec::new(),
            counts: HashMap::new(),
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
            calibrations: HashMap::new(),
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
        let read = self.reader.read(&pictures)?;
        for (function, read) in self.functions[first..last].iter().zip(&read) {
            let split = if function.is_validation {
                "validation"
            } else {
                "train"
            };
            let band = band_of(function);
            let count = self.counts.entry((nth, split, band)).or_default();
            count.add(&function.tokens, read);
            let calibration = self.calibrations.entry((nth, band)).or_default();
            let sureness = f64::from(read.sequence_probability());
            calibration.add(sureness, function.tokens == read.tokens);
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
            *self.qr_read.entry((nth, band_of(function))).or_default() += usize::from(is_read);
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
        let split = if function.is_validation {
            "validation"
        } else {
            "train"
        };
        let band = band_of(function);
        self.counts
            .entry((nth, split, band))
            .or_default()
            .add(&function.tokens, &whole);
        let calibration = self.calibrations.entry((nth, band)).or_default();
        calibration.add(
            f64::from(whole.sequence_probability()),
            function.tokens == whole.tokens,
        );
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
            let near = |i: &usize| embedding.cosine(&self.embeddings[*i]);
            let nearest = (0..self.embeddings.len()).max_by(|a, b| near(a).total_cmp(&near(b)));
            self.found += usize::from(nearest == Some(own));
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
        for (nth, difficulty) in self.difficulties.iter().enumerate() {
            let key = format!("{difficulty}");
            let sum = |wanted: &dyn Fn(&'static str, usize) -> bool| {
                let counts = self
                    .counts
                    .iter()
                    .filter(|((n, split, band), _)| *n == nth && wanted(split, *band));
                counts.fold(ExactCount::default(), |sum, (_, count)| sum.plus(count))
            };
            for split in ["train", "validation"] {
                let count = sum(&|s, _| s == split);
                if count.functions > 0 {
                    let tokens = report.token_accuracy.entry(split).or_default();
                    tokens.insert(key.clone(), share(count.right, count.tokens));
                    let exact = report.exact.entry(split).or_default();
                    exact.insert(key.clone(), share(count.exact, count.functions));
                }
            }
            for band in BANDS {
                let count = sum(&|_, b| b == band);
                if count.functions > 0 {
                    let exact = report.exact_by_length.entry(band).or_default();
                    exact.insert(key.clone(), share(count.exact, count.functions));
                    report.functions_by_length.insert(band, count.functions);
                    if let Some(read) = self.qr_read.get(&(nth, band)) {
                        let qr = report.qr_exact_by_length.entry(band).or_default();
                        qr.insert(key.clone(), share(*read, count.functions));
                    }
                    let verified = report.verified_by_length.entry(band).or_default();
                    verified.insert(key.clone(), share(count.verified, count.functions));
                    report.verified_wrong += count.verified_wrong;
                    let calibration = &self.calibrations[&(nth, band)];
                    let errors = report.certainty_error_by_length.entry(band).or_default();
                    errors.insert(key.clone(), calibration.error());
                    report.certainty_error = report.certainty_error.max(calibration.error());
                }
            }
        }
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

/// Band of a function's length.
fn band_of(function: &CorpusFunction) -> usize {
    let band = BANDS.iter().find(|&&band| function.tokens.len() <= band);
    *band.unwrap_or(&LONGEST)
}

fn share(hits: usize, all: usize) -> f64 {
    hits as f64 / all as f64
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
