//! Losses: cross entropy, contrast of pairs, discrepancies of latent points from their prior, and distances between them.

use burn::tensor::{Int, Tensor};

use super::device_constants::{constant, identity};
use crate::kernels::{cross_entropy, exp, gather, matmul, relu};

/// Cross entropies (negative log-likelihoods) [B, L] in nats of `tokens` [B, L] under `logits` [B, L, V].
pub fn token_nll(logits: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<2> {
    let [rows, length, vocabulary] = logits.dims();
    let logits = logits.reshape([rows * length, vocabulary]);
    cross_entropy(logits, tokens.flatten(0, 1), 0.0).reshape([rows, length])
}

/// Squared maximum mean discrepancy between `points` [N, Z] and the uniform distribution on the box
/// (-1, 1)^Z, which tanh can reach at every Z (Gretton et al. 2012; as the regulariser of a VAE: Zhao et al.
/// 2017, arXiv 1706.02262). Biased estimate, so never below 0. Kernel widths grow with Z.
///
/// Expectations of a Gaussian kernel under the uniform distribution are products of error functions: no samples are
/// needed, and the gradient has no sampling noise.
pub fn box_discrepancy(points: Tensor<2>) -> Tensor<1> {
    let dims = points.dims()[1] as f64;
    let distances = square_distances(points.clone(), points.clone());
    let mut sum = Tensor::zeros([1], &points.device());
    for width in BANDWIDTHS {
        let spread = (dims * width).sqrt();
        let within = exp(distances.clone() / (-2.0 * spread * spread)).mean();
        // In one dimension, the integral of exp(-(x - v)^2 / 2 spread^2) / 2 over v from -1 to 1.
        let reach = 1.0 / (spread * std::f64::consts::SQRT_2);
        let edges = ((points.clone() + 1.0) * reach).erf() - ((points.clone() - 1.0) * reach).erf();
        let along = edges * (spread * (std::f64::consts::PI / 8.0).sqrt());
        let across = along.log().sum_dim(1).exp().mean();
        // Its integral over x in turn: the Gaussian and the error function at the side, 2.
        let own = libm::erf(2.0 * reach) * spread * (std::f64::consts::PI / 2.0).sqrt()
            - spread * spread * (1.0 - (-2.0 / (spread * spread)).exp()) / 2.0;
        sum = sum + within - across * 2.0 + own.powf(dims);
    }
    sum
}

/// Squared maximum mean discrepancy between `points` [N, Z] and samples `draws` [N, Z] of a normal prior, with the kernel
/// exp(-mean((x-y)^2)/Z): the first Latent Executor's, kept to show its fault. tanh can't reach that prior, and at
/// Z = 100 the kernel is 1 for all pairs.
pub fn seed_discrepancy(points: Tensor<2>, draws: Tensor<2>) -> Tensor<1> {
    let dims = points.dims()[1] as f64;
    let mean = |x: &Tensor<2>, y: &Tensor<2>| {
        (square_distances(x.clone(), y.clone()) / (-dims * dims))
            .exp()
            .mean()
    };
    mean(&points, &points) + mean(&draws, &draws) - mean(&points, &draws) * 2.0
}

/// Squared bandwidths over Z of the kernel's terms: from the spacing of 199 points to half the box.
const BANDWIDTHS: [f64; 3] = [0.02, 0.1, 0.5];

/// One minus Pearson's correlation of two vectors of distances `[N]`: 0 where one is a positive multiple of the other.
pub fn distance_mismatch(x: Tensor<1>, y: Tensor<1>) -> Tensor<1> {
    let centred = |t: Tensor<1>| t.clone() - t.mean();
    let (x, y) = (centred(x), centred(y));
    let spread = (x.clone().square().mean() * y.clone().square().mean() + 1e-12).sqrt();
    ((x * y).mean() / spread).neg() + 1.0
}

/// Euclidean distances `[N]` between the rows of two matrices [N, Z]; differentiable at 0.
pub fn row_distances(x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
    ((x - y).square().sum_dim(1) + 1e-8).sqrt().squeeze_dim(1)
}

/// Saturation of points [N, Z], where tanh has no gradient to move them back: mean square of the excess of their inputs to
/// tanh over 1.5, which is 0.905 of the box.
pub fn saturation(points: Tensor<2>) -> Tensor<1> {
    let inside = points.clamp(-1.0 + 1e-6, 1.0 - 1e-6);
    let input = ((inside.clone() + 1.0) / (inside.neg() + 1.0)).log() * 0.5;
    relu(input.abs() - 1.5).square().mean()
}

/// Distance of neighbours up to which [`neighbour_distance`] is 0, over the box's diagonal.
const MARGIN: f64 = 0.05;

/// Mean squared excess of the distances of consecutive points [N, Z] over 0.05 of the box's diagonal: one tear counts more
/// than many small steps.
pub fn neighbour_distance(places: Tensor<2>) -> Tensor<1> {
    let [count, dims] = places.dims();
    let (first, next) = (
        places.clone().narrow(0, 0, count - 1),
        places.narrow(0, 1, count - 1),
    );
    let margin = MARGIN * 2.0 * (dims as f64).sqrt();
    relu(row_distances(first, next) / margin - 1.0)
        .square()
        .mean()
}

/// Mean squared excess of the distances of points [N, Z] from the nearest of `places` [M, Z] over those of an even
/// lattice: moves places into holes, to which the discrepancy is hardly sensitive.
pub fn emptiness(points: Tensor<2>, places: Tensor<2>) -> Tensor<1> {
    let [count, dims] = places.dims();
    let half_diagonal = (dims as f64).sqrt() * lattice_spacing(count, dims) / 2.0;
    let nearest = nearest_rows(points.clone(), places.clone().detach());
    let apart = row_distances(points, gather(places, nearest));
    relu(apart / half_diagonal - 1.0).square().mean()
}

/// Distance of neighbours on an even lattice of `count` points in the box (-1, 1)^Z.
pub fn lattice_spacing(count: usize, dims: usize) -> f64 {
    2.0 * (count as f64).powf(-1.0 / dims as f64)
}

/// Indices `[N]` of the rows of `places` [M, Z] nearest to `points` [N, Z].
pub fn nearest_rows(points: Tensor<2>, places: Tensor<2>) -> Tensor<1, Int> {
    square_distances(points, places).argmin(1).squeeze_dim(1)
}

/// Distances `[N]` of points [N, Z] to the nearest other one, without a gradient.
pub fn nearest_distances(points: Tensor<2>) -> Tensor<1> {
    let points = points.detach();
    let count = points.dims()[0];
    let diagonal = identity(count, &points.device()) * 1e9;
    let others = square_distances(points.clone(), points) + diagonal;
    others.min_dim(1).squeeze_dim::<1>(1).sqrt()
}

/// Squared distances [N, M] between two sets of points [N, Z] and [M, Z].
fn square_distances(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let squares = |t: &Tensor<2>| t.clone().square().sum_dim(1);
    (squares(&x) + squares(&y).transpose() - matmul(x, y.transpose()) * 2.0).clamp_min(0.0)
}

/// Rows [N, D] scaled to length 1.
pub fn unit_rows(rows: Tensor<2>) -> Tensor<2> {
    let length = (rows.clone().square().sum_dim(1) + 1e-12).sqrt();
    rows / length
}

/// InfoNCE `[1]` in nats (van den Oord et al. 2018, arXiv 1807.03748) of pairs of rows [N, D] of length 1, mean of both ways:
/// the positive of each row is its pair, the candidates are the pairs of all, and the logits are cosines over `temperature`.
pub fn info_nce(rows: Tensor<2>, pairs: Tensor<2>, temperature: f64) -> Tensor<1> {
    let own: Vec<i32> = (0..rows.dims()[0] as i32).collect();
    let own = constant(&own, &rows.device());
    let logits = rows.matmul(pairs.transpose()) / temperature;
    let forth = cross_entropy(logits.clone(), own.clone(), 0.0);
    let back = cross_entropy(logits.transpose(), own, 0.0);
    (forth + back).mean() / 2.0
}
