//! Losses of Code Glyphs: distances of pictures against distances of their functions, and the aesthetics of pictures.
//!
//! Shapes: B examples, C channels, H rows, W columns.

use burn::tensor::{Int, Tensor};
use rand::{Rng, seq::SliceRandom};

use crate::{
    kernels::gather,
    nn::losses::{distance_mismatch, unit_rows},
};

/// Pairs of examples of a batch whose distances are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistancePairs {
    /// Pairs of pictures.
    pub pictures: Vec<[usize; 2]>,
    /// Pairs of latents: equal to those of pictures, but with the reference's fault.
    pub latents: Vec<[usize; 2]>,
}

impl DistancePairs {
    /// At most `most` different pairs of `batch` examples, in random order. Without `shared_pairs` they are drawn twice, as
    /// by the first Code Glyphs, whose loss compared the distances of unrelated pairs; kept to show its fault.
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

    /// Row indices of either side of the pairs, for pictures and for latents.
    pub fn sides(&self) -> [[Vec<i32>; 2]; 2] {
        [&self.pictures, &self.latents]
            .map(|pairs| [0, 1].map(|side| pairs.iter().map(|pair| pair[side] as i32).collect()))
    }
}

/// Mismatch `[1]` of the distances of pictures and latents: one minus their correlation over the pairs, 0 where one is a
/// multiple of the other and 2 at most. `features` [B, ..] of undistorted pictures, `latents` [B, Z]; a pair's distance is
/// the mean absolute difference. The last argument are the row indices `[N]` of either side of the pairs, of pictures and
/// of latents. (The reference scales both to 0..=1 and squares the differences, which depends on the two extreme pairs.)
/// Detach the latents if only the pictures are to be trained.
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

/// Mean absolute differences `[N]` of pairs of rows [B, F].
pub fn pair_distances(rows: Tensor<2>, pairs: [Tensor<1, Int>; 2]) -> Tensor<1> {
    let [from, to] = pairs.map(|side| gather(rows.clone(), side));
    (from - to).abs().mean_dim(1).squeeze_dim(1)
}

/// Texture similarity of a batch, `[1]`: mean cosine of the Gram matrices (Gatys et al. 2015, arXiv 1505.07376) of all
/// pairs of `features` [B, C, H, W]. The reference's alternative to [`vector_distance`].
///
/// # Panics
/// When there is no pair.
pub fn gram_repulsion(features: Tensor<4>) -> Tensor<1> {
    let [batch, channels, height, width] = features.dims();
    assert!(batch > 1, "repulsion needs two examples or more");
    let rows = features.reshape([batch, channels, height * width]) / ((height * width) as f32);
    let grams = rows.clone().matmul(rows.transpose());
    let grams = unit_rows(grams.reshape([batch, channels * channels]));
    // All pairs, without each with itself.
    let all = grams.clone().sum_dim(0).square().sum();
    let own = grams.square().sum();
    (all - own) / (batch * (batch - 1)) as f32
}

/// Roughness and contrast of pictures [B, C, H, W], both `[B]`: mean absolute difference of neighbouring pixels (mean of
/// across and down), and standard deviation of all values. Glyphs are pleasant at low roughness and high contrast.
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

/// Contrast `[B]` of pictures [B, C, H, W]: standard deviation of all values of a picture.
pub fn contrast(pictures: Tensor<4>) -> Tensor<1> {
    let rows = pictures.flatten::<2>(1, 3);
    let centred = rows.clone() - rows.mean_dim(1);
    let deviation = (centred.square().mean_dim(1) + 1e-12).sqrt();
    deviation.squeeze_dim(1)
}
