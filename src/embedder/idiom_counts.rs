//! Idioms of functions as vectors: hashed to buckets, their counts dampened.

use std::collections::BTreeMap;

use crate::data::{
    hash::hash,
    python::{
        idioms::{is_aside, prior_weight},
        terms::TermCounts,
    },
};

/// Dampened counts by bucket, in order of the buckets.
pub type IdiomCounts = Vec<(usize, f32)>;

/// Counts of idioms in so many buckets, each 1 + ln n (as in tf-idf) by its kind's weight; those that meet in a
/// bucket are added. Asides count if `has_asides`.
pub fn idiom_counts(idioms: &TermCounts, buckets: usize, has_asides: bool) -> IdiomCounts {
    let mut counts: BTreeMap<usize, f32> = BTreeMap::new();
    for (idiom, count) in idioms {
        if has_asides || !is_aside(idiom) {
            let bucket = hash(idiom.bytes()) as usize % buckets;
            let weight = prior_weight(idiom) * (1.0 + (*count as f32).ln());
            *counts.entry(bucket).or_default() += weight;
        }
    }
    counts.into_iter().collect()
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
