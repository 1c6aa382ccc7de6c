//! Calibration of the certainty that is shown.

/// Bins of certainty, of equal width.
const BINS: usize = 10;

/// Readings by the certainty they were shown with.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    readings: f64,
    certainty: f64,
    right: f64,
}

impl Calibration {
    /// Counts a reading with its certainty, 0 to 1.
    pub fn add(&mut self, certainty: f64, is_right: bool) {
        let bin = ((certainty * BINS as f64) as usize).min(BINS - 1);
        let bin = &mut self.bins[bin];
        bin.readings += 1.0;
        bin.certainty += certainty;
        bin.right += f64::from(is_right);
    }

    /// Expected calibration error (Guo et al. 2017, arXiv 1706.04599): how far the mean certainty is from the share that is
    /// right, over the bins, weighted by their readings.
    pub fn error(&self) -> f64 {
        let all: f64 = self.bins.iter().map(|bin| bin.readings).sum();
        let off = self
            .bins
            .iter()
            .map(|bin| (bin.certainty - bin.right).abs());
        off.sum::<f64>() / all.max(1.0)
    }
}
