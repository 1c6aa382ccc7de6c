//! Families told from thumbnails: what is seen at arm's length is what the function is.

use std::collections::BTreeMap;

use image::{
    RgbImage,
    imageops::{FilterType, resize},
};

use crate::data::python::kind::Kind;

/// Pixels a side of a thumbnail.
const THUMBNAIL: u32 = 16;
/// Functions of a family at most.
const MOST: usize = 40;

/// Share of the functions whose nearest other thumbnail is of their own family, of the families that [`Kind`] knows, as many of
/// each as there are, up to 40; and their number.
pub fn family_nearest<'a>(
    functions: impl Iterator<Item = (&'a str, &'a RgbImage)>,
) -> (f64, usize) {
    let mut families: BTreeMap<Kind, Vec<Vec<u8>>> = BTreeMap::new();
    for (text, glyph) in functions {
        if let Some(kind) = Kind::of(text) {
            let family = families.entry(kind).or_default();
            if family.len() < MOST {
                let thumbnail = resize(glyph, THUMBNAIL, THUMBNAIL, FilterType::Triangle);
                family.push(thumbnail.into_raw());
            }
        }
    }
    let all: Vec<(Kind, &Vec<u8>)> = families
        .iter()
        .flat_map(|(kind, family)| family.iter().map(|thumbnail| (*kind, thumbnail)))
        .collect();
    let apart = |a: &[u8], b: &[u8]| -> u64 {
        let differences = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)));
        differences.map(|difference| difference * difference).sum()
    };
    let is_right = |own: usize| {
        let others = (0..all.len()).filter(|other| *other != own);
        let nearest = others.min_by_key(|other| apart(all[own].1, all[*other].1));
        nearest.is_some_and(|nearest| all[nearest].0 == all[own].0)
    };
    let right = (0..all.len()).filter(|own| is_right(*own)).count();
    (right as f64 / all.len().max(1) as f64, all.len())
}
