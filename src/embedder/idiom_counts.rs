//! Idioms of functions as vectors: hashed to buckets, their counts dampened.

use crate::data::{
    hash::hash,
    python::idioms::{idioms, prior_weight},
};

/// Dampened counts by bucket, in order of the buckets.
pub type IdiomCounts = Vec<(usize, f32)>;

/// Counts of a source's idioms in so many buckets, each 1 + ln n (as in tf-idf) by its kind's weight; those that meet in a
/// bucket are added.
pub fn idiom_counts(source: &str, buckets: usize) -> IdiomCounts {
    let found = idioms(source).into_iter().map(|(idiom, count)| {
        let bucket = hash(idiom.bytes()) as usize % buckets;
        (bucket, prior_weight(&idiom) * (1.0 + (count as f32).ln()))
    });
    let mut counts: IdiomCounts = found.collect();
    counts.sort_by_key(|(bucket, _)| *bucket);
    counts.dedup_by(|(bucket, count), (kept, sum)| {
        let is_same = bucket == kept;
        if is_same {
            *sum += *count;
        }
        is_same
    });
    counts
}

/// Exponent of the inverse document frequencies: rare idioms say less than tf-idf makes of them.
const DAMPING: f32 = 0.75;
/// Share of the functions that an idiom occurs in, at least, for its frequency.
const LEAST_SHARE: f32 = 2e-4;

/// Weight of each of `buckets` by the functions it occurs in: dampened inverse document frequencies.
pub fn inverse_frequencies<'a>(
    functions: impl Iterator<Item = &'a IdiomCounts>,
    buckets: usize,
) -> Vec<f32> {
    let (mut seen, mut all) = (vec![0.0_f32; buckets], 0.0);
    for counts in functions {
        all += 1.0;
        counts.iter().for_each(|(bucket, _)| seen[*bucket] += 1.0);
    }
    let least = LEAST_SHARE * all;
    let weights = seen
        .into_iter()
        .map(|seen| (((1.0 + all) / (1.0 + seen.max(least))).ln() + 0.1).powf(DAMPING));
    weights.collect()
}
