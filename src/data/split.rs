//! Split of all executions into training and held-out ones.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    language::{Code, Execution, Language},
    sums::Sum,
};

/// Size of the evaluation samples of a large language, held-out and trained.
const EVALUATION_SAMPLE: usize = 2000;

/// Seeded split of all executions whose result is a state.
#[derive(Clone, Debug)]
pub struct Split {
    /// Training executions; of a large language, a sample for evaluation.
    pub train: Vec<Execution>,
    /// Held-out executions; of a large language, a sample for evaluation.
    pub held_out: Vec<Execution>,
    language: Language,
    share: f64,
    seed: u64,
}

impl Split {
    /// Split that holds out `share` (0..=1) of all executions, determined by `seed` alone.
    pub fn new(language: Language, share: f64, seed: u64) -> Self {
        let mut split = Self {
            train: Vec::new(),
            held_out: Vec::new(),
            language,
            share,
            seed,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        if language.is_small() {
            let mut all: Vec<Execution> = all(language).collect();
            for i in (1..all.len()).rev() {
                all.swap(i, rng.random_range(0..=i));
            }
            split.held_out = all.split_off(all.len() - (share * all.len() as f64).round() as usize);
            split.train = all;
            return split;
        }
        let size = |share: f64| if share > 0.0 { EVALUATION_SAMPLE } else { 0 };
        while split.held_out.len() < size(share) || split.train.len() < size(1.0 - share) {
            let execution = any(language, &mut rng);
            let drawn = match split.is_held_out(execution) {
                true => &mut split.held_out,
                false => &mut split.train,
            };
            if drawn.len() < EVALUATION_SAMPLE {
                drawn.push(execution);
            }
        }
        split
    }

    /// Random training execution.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Execution {
        if self.language.is_small() {
            return self.train[rng.random_range(0..self.train.len())];
        }
        loop {
            let execution = any(self.language, rng);
            if !self.is_held_out(execution) {
                return execution;
            }
        }
    }

    /// Random training execution from the state `start` of a large language.
    pub fn draw_from(&self, start: i32, rng: &mut ChaCha8Rng) -> Execution {
        loop {
            let result = rng.random_range(self.language.states());
            let execution = Execution::from(Sum { start, result });
            if !self.is_held_out(execution) {
                return execution;
            }
        }
    }

    /// Membership in the held-out part by hash (SplitMix64, Steele et al. 2014), for a large language whose
    /// executions can't be enumerated.
    fn is_held_out(&self, execution: Execution) -> bool {
        let key = (execution.start as u32 as u64) << 32 | execution.result() as u32 as u64;
        let mut hash = key ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2 {
            hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
            hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            hash ^= hash >> 31;
        }
        (hash as f64 / u64::MAX as f64) < self.share
    }
}

/// All executions of a small language whose result is a state: for each state the additions by result, then
/// the multiplications.
fn all(language: Language) -> impl Iterator<Item = Execution> {
    let from = move |start| {
        let add = move |result| Execution::from(Sum { start, result });
        let times = language
            .codes()
            .filter(|code| matches!(code, Code::Times(_)));
        let times = times.map(move |code| Execution { start, code });
        let times = times.filter(move |times| language.states().contains(&times.result()));
        language.states().map(add).chain(times)
    };
    language.states().flat_map(from)
}

fn any(language: Language, rng: &mut ChaCha8Rng) -> Execution {
    Execution::from(Sum {
        start: rng.random_range(language.states()),
        result: rng.random_range(language.states()),
    })
}
