//! What training Code Glyphs makes small: wrong tokens, glyphs that look alike or unlike against
//! the meaning of their functions, and pictures that are noise or grey.
//!
//! Shapes: B examples, L tokens, V pieces of the vocabulary, C channels, H rows, W columns.

use burn::tensor::{Int, Tensor};
use rand::{Rng, seq::SliceRandom};

use super::{
    fused::{cross_entropy, gather},
    losses::distance_mismatch,
};

/// Which examples of a batch are compared: pairs of unequal indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistancePairs {
    /// In pictures.
    pub pictures: Vec<[usize; 2]>,
    /// In latents: the same pairs, unless the reference's fault is asked for.
    pub latents: Vec<[usize; 2]>,
}

impl DistancePairs {
    /// At most `most` different pairs of `batch` examples, in a random order. Without
    /// `shared_pairs` they are drawn twice, as by the first Code Glyphs, whose loss so compared the
    /// distances of unrelated pairs; kept to show what it does.
    pub fn sample(batch: usize, most: usize, shared_pairs: bool, rng: &mut impl Rng) -> Self {
        let all: Vec<[usize; 2]> = (0..batch)
            .flat_map(|first| (first + 1..batch).map(move |second| [first, second]))
            .collect();
        let mut draw = || all.clone().partial_shuffle(rng, most).0.to_vec();
        let pictures = draw();
        let latents = if shared_pairs {
            pictures.clone()
        } else {
            draw()
        };
        Self { pictures, latents }
    }

    /// The rows of either side, in pictures and in latents.
    pub fn sides(&self) -> [[Vec<i32>; 2]; 2] {
        [&self.pictures, &self.latents]
            .map(|pairs| [0, 1].map(|side| pairs.iter().map(|pair| pair[side] as i32).collect()))
    }
}

/// How little the distances of pictures follow those of what they mean, `[1]`: one minus their
/// correlation over the pairs, so 0 where one is a multiple of the other and 2 at worst. `features`
/// [B, ..] of undamaged pictures, `latents` [B, Z]; a pair's distance is the mean absolute
/// difference. `pairs` `[N]` are the rows of either side, in pictures and in latents. (The reference stretches both to 0..=1 and squares the differences, which hangs on
/// the two extreme pairs.) Detach the latents if only the pictures are to move.
///
/// # Panics
/// When there is no pair.
pub fn vector_distance<const D: usize>(
    features: Tensor<D>,
    latents: Tensor<2>,
    [pictures, others]: [[Tensor<1, Int>; 2]; 2],
) -> Tensor<1> {
    let count = pictures[0].dims()[0];
    assert!(count > 0, "distances need two examples or more");
    distance_mismatch(
        pair_distances(features.flatten(1, D - 1), pictures),
        pair_distances(latents, others),
    )
}

/// Mean absolute difference `[N]` of each pair of rows [B, F].
fn pair_distances(rows: Tensor<2>, pairs: [Tensor<1, Int>; 2]) -> Tensor<1> {
    let [from, to] = pairs.map(|side| gather(rows.clone(), side));
    (from - to).abs().mean_dim(1).squeeze_dim(1)
}

/// How alike the textures of a batch are, `[1]`: the mean cosine of the Gram matrices (Gatys et al.
/// 2015, arXiv 1505.07376) of all pairs of `features` [B, C, H, W]; made small, it drives glyphs
/// apart. The reference's other choice beside [`vector_distance`].
///
/// # Panics
/// When there is no pair.
pub fn gram_repulsion(features: Tensor<4>) -> Tensor<1> {
    let [batch, channels, height, width] = features.dims();
    assert!(batch > 1, "repulsion needs two examples or more");
    let rows = features.reshape([batch, channels, height * width]) / ((height * width) as f32);
    let grams = rows.clone().matmul(rows.transpose());
    let grams = unit_rows(grams.reshape([batch, channels * channels]));
    // Each with each, less each with itself.
    let each = grams.clone().sum_dim(0).square().sum();
    let own = grams.square().sum();
    (each - own) / (batch * (batch - 1)) as f32
}

/// InfoNCE in nats (van den Oord et al. 2018, arXiv 1807.03748), `[1]`: each of `rows` [N, D] is to find the row
/// `own` `[N]` names among all that `hidden` `[N]` doesn't mark with 1, by the cosine over `temperature`. The sum of
/// what each counts by its `weights` `[N]`.
pub fn info_nce(
    rows: Tensor<2>,
    own: Tensor<1, Int>,
    weights: Tensor<1>,
    hidden: Tensor<1>,
    temperature: f32,
) -> Tensor<1> {
    let unit = unit_rows(rows);
    let cosines = unit.clone().matmul(unit.transpose()) / temperature;
    let seen = cosines - hidden.unsqueeze() * 1e9;
    (cross_entropy(seen, own, 0.0) * weights).sum()
}

/// [N, D] with rows of length 1.
fn unit_rows(rows: Tensor<2>) -> Tensor<2> {
    let length = (rows.clone().square().sum_dim(1) + 1e-12).sqrt();
    rows / length
}

/// Of each picture [B, C, H, W] the mean absolute difference of neighbouring pixels (the mean of
/// across and down), and the standard deviation of all its values: `[B]` both. A glyph is pleasant
/// where the first is small and the second isn't.
pub fn smoothness_and_contrast(pictures: Tensor<4>) -> (Tensor<1>, Tensor<1>) {
    let contrast = contrast(pictures.clone());
    let [_, _, height, width] = pictures.dims();
    let mean = |x: Tensor<4>| x.flatten::<2>(1, 3).mean_dim(1);
    let step = |dim: usize, length: usize| {
        let from = |start| pictures.clone().narrow(dim, start, length - 1);
        mean((from(1) - from(0)).abs())
    };
    let steps = (step(2, height) + step(3, width)) * 0.5;
    (steps.squeeze_dim(1), contrast)
}

/// Of each picture [B, C, H, W] the standard deviation of all its values: `[B]`.
pub fn contrast(pictures: Tensor<4>) -> Tensor<1> {
    let rows = pictures.flatten::<2>(1, 3);
    let centred = rows.clone() - rows.mean_dim(1);
    let deviation = (centred.square().mean_dim(1) + 1e-12).sqrt();
    deviation.squeeze_dim(1)
}
