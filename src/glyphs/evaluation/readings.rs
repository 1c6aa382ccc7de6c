//! Counts of readings by difficulty, split and length.

use std::collections::HashMap;

use super::{calibration::Calibration, report::GlyphsReport};
use crate::glyphs::{corpus_functions::CorpusFunction, curriculum::ExactCount, reading::Decoded};

/// Longest function that is evaluated, in tokens.
pub const LONGEST: usize = 512;
/// Bands of length, in tokens.
const BANDS: [usize; 5] = [32, 64, 128, 256, LONGEST];

/// Readings so far; difficulties by their index.
#[derive(Default)]
pub struct Readings {
    /// By difficulty, split and band.
    counts: HashMap<(usize, &'static str, usize), ExactCount>,
    /// By difficulty and band.
    calibrations: HashMap<(usize, usize), Calibration>,
    /// QR codes read without a fault, by difficulty and band.
    qr_read: HashMap<(usize, usize), usize>,
}

impl Readings {
    /// Counts a function's reading at difficulty `nth`.
    pub fn add(&mut self, nth: usize, function: &CorpusFunction, read: &Decoded) {
        let split = match function.is_validation {
            true => "validation",
            false => "train",
        };
        let band = band_of(function);
        let count = self.counts.entry((nth, split, band)).or_default();
        count.add(&function.tokens, read);
        let calibration = self.calibrations.entry((nth, band)).or_default();
        let sureness = f64::from(read.sequence_probability());
        calibration.add(sureness, function.tokens == read.tokens);
    }

    /// Counts a QR code of a function's text at difficulty `nth`.
    pub fn add_qr(&mut self, nth: usize, function: &CorpusFunction, is_read: bool) {
        *self.qr_read.entry((nth, band_of(function))).or_default() += usize::from(is_read);
    }

    /// Puts the shares at these difficulties into a report.
    pub fn fill(&self, difficulties: &[f64], report: &mut GlyphsReport) {
        for (nth, difficulty) in difficulties.iter().enumerate() {
            self.fill_difficulty(nth, &difficulty.to_string(), report);
        }
    }

    fn fill_difficulty(&self, nth: usize, difficulty: &str, report: &mut GlyphsReport) {
        let key = || difficulty.to_owned();
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
                tokens.insert(key(), share(count.right, count.tokens));
                let exact = report.exact.entry(split).or_default();
                exact.insert(key(), share(count.exact, count.functions));
            }
        }
        for band in BANDS {
            let count = sum(&|_, b| b == band);
            if count.functions == 0 {
                continue;
            }
            report.functions_by_length.insert(band, count.functions);
            let exact = report.exact_by_length.entry(band).or_default();
            exact.insert(key(), share(count.exact, count.functions));
            if let Some(read) = self.qr_read.get(&(nth, band)) {
                let qr = report.qr_exact_by_length.entry(band).or_default();
                qr.insert(key(), share(*read, count.functions));
            }
            let verified = report.verified_by_length.entry(band).or_default();
            verified.insert(key(), share(count.verified, count.functions));
            report.verified_wrong += count.verified_wrong;
            let error = self.calibrations[&(nth, band)].error();
            let errors = report.certainty_error_by_length.entry(band).or_default();
            errors.insert(key(), error);
            report.certainty_error = report.certainty_error.max(error);
        }
    }
}

/// Band of a function's length.
pub fn band_of(function: &CorpusFunction) -> usize {
    let band = BANDS.iter().find(|&&band| function.tokens.len() <= band);
    *band.unwrap_or(&LONGEST)
}

/// Share of `hits` in all.
pub fn share(hits: usize, all: usize) -> f64 {
    hits as f64 / all as f64
}
