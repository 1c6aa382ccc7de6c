//! What training makes small: cross entropy, and the distance of the latents from their prior.

use burn::tensor::{Int, Tensor};

use super::{
    device_constants::identity,
    fused::{cross_entropy, exp, gather, matmul, relu},
};

/// Negative log likelihood in nats of each token: `logits` [B, L, V], `tokens` [B, L] to [B, L].
pub fn token_nll(logits: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<2> {
    let [rows, length, vocabulary] = logits.dims();
    let logits = logits.reshape([rows * length, vocabulary]);
    cross_entropy(logits, tokens.flatten(0, 1), 0.0).reshape([rows, length])
}

/// Squared maximum mean discrepancy between `points` [N, Z] and the uniform distribution on the box
/// (-1, 1)^Z, which tanh can meet at every Z (Gretton et al. 2012; as the regulariser of a VAE: Zhao et al.
/// 2017, arXiv 1706.02262). Biased estimate, so never below 0. Kernel widths grow with Z.
///
/// The distribution's own means of a Gaussian kernel are products of error functions: no draws are needed,
/// and the pull is the same from step to step.
pub fn box_discrepancy(points: Tensor<2>) -> Tensor<1> {
    let dims = points.dims()[1] as f64;
    let distances = square_distances(points.clone(), points.clone());
    let mut sum = Tensor::zeros([1], &points.device());
    for width in BANDWIDTHS {
        let spread = (dims * width).sqrt();
        let within = exp(distances.clone() / (-2.0 * spread * spread)).mean();
        // Over one dimension, the integral of exp(-(x - v)^2 / 2 spread^2) / 2 over v from -1 to 1.
        let reach = 1.0 / (spread * std::f64::consts::SQRT_2);
        let edges = ((points.clone() + 1.0) * reach).erf() - ((points.clone() - 1.0) * reach).erf();
        let along = edges * (spread * (std::f64::consts::PI / 8.0).sqrt());
        let across = along.log().sum_dim(1).exp().mean();
        // And that over x: with Gaussian and error function of the side, which is 2.
        let own = libm::erf(2.0 * reach) * spread * (std::f64::consts::PI / 2.0).sqrt()
            - spread * spread * (1.0 - (-2.0 / (spread * spread)).exp()) / 2.0;
        sum = sum + within - across * 2.0 + own.powf(dims);
    }
    sum
}

/// The same between `points` [N, Z] and `draws` [N, Z] from a normal prior, with the kernel
/// exp(-mean((x-y)^2)/Z): the first Latent Executor's, kept to show what they do. tanh can't meet that prior,
/// and at Z = 100 the kernel says 1 for all pairs.
pub fn seed_discrepancy(points: Tensor<2>, draws: Tensor<2>) -> Tensor<1> {
    let dims = points.dims()[1] as f64;
    let mean = |x: &Tensor<2>, y: &Tensor<2>| {
        (square_distances(x.clone(), y.clone()) / (-dims * dims))
            .exp()
            .mean()
    };
    mean(&points, &points) + mean(&draws, &draws) - mean(&points, &draws) * 2.0
}

/// Squared widths over Z of the kernel's terms: from the spacing of 199 places to half the box.
const BANDWIDTHS: [f64; 3] = [0.02, 0.1, 0.5];

/// One minus Pearson's correlation of two rows of distances `[N]`: 0 where one is a multiple of the
/// other, whatever the scale.
pub fn distance_mismatch(x: Tensor<1>, y: Tensor<1>) -> Tensor<1> {
    let centred = |t: Tensor<1>| t.clone() - t.mean();
    let (x, y) = (centred(x), centred(y));
    let spread = (x.clone().square().mean() * y.clone().square().mean() + 1e-12).sqrt();
    ((x * y).mean() / spread).neg() + 1.0
}

/// Euclidean distances `[N]` of the rows of two matrices [N, Z]; smooth where they meet.
pub fn row_distances(x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
    ((x - y).square().sum_dim(1) + 1e-8).sqrt().squeeze_dim(1)
}

/// How far points [N, Z] lie in the flat ends of tanh, where no gradient would fetch them back: the mean
/// square of what their inputs to tanh have beyond 1.5, which is 0.905 of the box.
pub fn saturation(points: Tensor<2>) -> Tensor<1> {
    let inside = points.clamp(-1.0 + 1e-6, 1.0 - 1e-6);
    let input = ((inside.clone() + 1.0) / (inside.neg() + 1.0)).log() * 0.5;
    relu(input.abs() - 1.5).square().mean()
}

/// How far neighbours may be apart before [`neighbour_distance`] counts it, over the box's diagonal.
const REACH: f64 = 0.05;

/// How far the places [N, Z] of things that follow one another are apart beyond 0.05 of the box's diagonal,
/// squared: one tear counts more than many small steps.
pub fn neighbour_distance(places: Tensor<2>) -> Tensor<1> {
    let [count, dims] = places.dims();
    let (first, next) = (
        places.clone().narrow(0, 0, count - 1),
        places.narrow(0, 1, count - 1),
    );
    let reach = REACH * 2.0 * (dims as f64).sqrt();
    relu(row_distances(first, next) / reach - 1.0)
        .square()
        .mean()
}

/// How far points [N, Z] are from the nearest of `places` [M, Z], beyond what places on an even lattice
/// would leave, squared: it pulls places into holes that the discrepancy hardly sees.
pub fn emptiness(points: Tensor<2>, places: Tensor<2>) -> Tensor<1> {
    let [count, dims] = places.dims();
    let half_diagonal = (dims as f64).sqrt() * lattice_spacing(count, dims) / 2.0;
    let nearest = nearest_rows(points.clone(), places.clone().detach());
    let apart = row_distances(points, gather(places, nearest));
    relu(apart / half_diagonal - 1.0).square().mean()
}

/// The distance of neighbours on an even lattice of `count` places in the box (-1, 1)^Z.
pub fn lattice_spacing(count: usize, dims: usize) -> f64 {
    2.0 * (count as f64).powf(-1.0 / dims as f64)
}

/// The row `[N]` of `places` [M, Z] that is nearest to each of `points` [N, Z].
pub fn nearest_rows(points: Tensor<2>, places: Tensor<2>) -> Tensor<1, Int> {
    square_distances(points, places).argmin(1).squeeze_dim(1)
}

/// Distance of each point [N, Z] to the nearest other one, `[N]`, as a constant: no gradient flows.
pub fn nearest_distances(points: Tensor<2>) -> Tensor<1> {
    let points = points.detach();
    let count = points.dims()[0];
    let own = identity(count, &points.device()) * 1e9;
    let others = square_distances(points.clone(), points) + own;
    others.min_dim(1).squeeze_dim::<1>(1).sqrt()
}

/// Squared distances [N, M] of two sets of points.
fn square_distances(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let squares = |t: &Tensor<2>| t.clone().square().sum_dim(1);
    (squares(&x) + squares(&y).transpose() - matmul(x, y.transpose()) * 2.0).clamp_min(0.0)
}
