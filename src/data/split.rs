//! Which sums are never trained on.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::sums::Sum;

/// A seeded division of all sums.
#[derive(Clone, Debug)]
pub struct Split {
    /// Sums the models learn from.
    pub train: Vec<Sum>,
    /// Sums kept for judging them.
    pub held_out: Vec<Sum>,
}

impl Split {
    /// Holds out `share` (0..=1) of all sums, chosen by `seed` alone.
    pub fn new(share: f64, seed: u64) -> Self {
        let mut sums: Vec<Sum> = Sum::all().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for i in (1..sums.len()).rev() {
            sums.swap(i, rng.random_range(0..=i));
        }
        let held_out = sums.split_off(sums.len() - (share * sums.len() as f64).round() as usize);
        Self {
            train: sums,
            held_out,
        }
    }
}
