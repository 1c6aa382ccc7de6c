//! Similarity of functions by tf-idf of their syntax and tokens (Salton and Buckley 1988, "Term-weighting approaches in
//! automatic text retrieval"), which faces follow.

use std::collections::BTreeMap;

use crate::data::python::terms::{TermCounts, Terms};

/// Groups of terms.
const GROUPS: usize = 4;
/// Weights of the groups: syntax, tokens, name, roles. Within one group a rare token would say more than a loop does.
const WEIGHTS: [f32; GROUPS] = [0.3, 0.25, 0.15, 0.3];

/// Inverse document frequencies of the terms of a corpus.
#[derive(Clone, Debug)]
pub struct TfIdf {
    groups: [BTreeMap<String, f32>; GROUPS],
    documents: f32,
}

/// A function's weighted terms by group, each group of length 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TermVector([BTreeMap<String, f32>; GROUPS]);

impl TfIdf {
    /// Frequencies in these sources.
    pub fn new<'a>(sources: impl IntoIterator<Item = &'a str>) -> Self {
        let mut groups: [BTreeMap<String, f32>; GROUPS] = Default::default();
        let mut documents = 0.0;
        for source in sources {
            documents += 1.0;
            for (group, counts) in groups.iter_mut().zip(grouped(Terms::new(source))) {
                for term in counts.into_keys() {
                    *group.entry(term).or_default() += 1.0;
                }
            }
        }
        Self { groups, documents }
    }

    /// A source's vector.
    pub fn vector(&self, source: &str) -> TermVector {
        let mut vectors = grouped(Terms::new(source)).into_iter().zip(&self.groups);
        TermVector(std::array::from_fn(|_| {
            let (counts, seen) = vectors.next().expect("as many groups");
            let weighted = counts.into_iter().map(|(term, count)| {
                let seen = seen.get(&term).copied().unwrap_or_default();
                let idf = ((1.0 + self.documents) / (1.0 + seen)).ln() + 0.1;
                (term, (1.0 + (count as f32).ln()) * idf)
            });
            let mut vector: BTreeMap<String, f32> = weighted.collect();
            let length = vector.values().map(|x| x * x).sum::<f32>().sqrt();
            vector
                .values_mut()
                .for_each(|x| *x /= length.max(f32::MIN_POSITIVE));
            vector
        }))
    }
}

impl TermVector {
    /// Distance of two functions, 0 to 1: one less the weighted cosines of the groups.
    pub fn distance(&self, other: &Self) -> f32 {
        let cosines = std::iter::zip(&self.0, &other.0).map(|(a, b)| cosine(a, b));
        let similarity: f32 = cosines.zip(WEIGHTS).map(|(cosine, w)| cosine * w).sum();
        1.0 - similarity
    }

    /// Distance by tokens alone, 0 to 1.
    pub fn token_distance(&self, other: &Self) -> f32 {
        1.0 - cosine(&self.0[1], &other.0[1])
    }
}

fn cosine(a: &BTreeMap<String, f32>, b: &BTreeMap<String, f32>) -> f32 {
    let terms = a.iter().filter_map(|(term, x)| Some(x * b.get(term)?));
    terms.sum()
}

fn grouped(terms: Terms) -> [TermCounts; GROUPS] {
    [terms.nodes, terms.tokens, terms.name, terms.roles]
}
