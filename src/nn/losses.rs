//! What training makes small: cross entropy, and the distance of the latents from their prior.

use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Negative log likelihood in nats of each token: `logits` [B, L, V], `tokens` [B, L] to [B, L].
pub fn token_nll(logits: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<2> {
    let log_likelihood = log_softmax(logits, 2).gather(2, tokens.unsqueeze_dim::<3>(2));
    log_likelihood.squeeze_dim::<2>(2).neg()
}

/// The prior the latents are drawn towards, and the kernel that measures how far they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prior {
    /// Uniform on the box (-1, 1)^Z, which tanh can meet at every Z; kernel widths grow with Z.
    Box,
    /// The normal prior and the kernel exp(-mean((x-y)^2)/Z) of the first Latent Executor, kept to
    /// show what they do: tanh can't meet it, and at Z = 100 the kernel says 1 for all pairs.
    SeedNormal,
}

/// Squared maximum mean discrepancy between `points` [N, Z] and `prior` [N, Z], draws from the prior
/// (Gretton et al. 2012; as the regulariser of a VAE: Zhao et al. 2017, arXiv 1706.02262). Biased
/// estimate, so never below 0.
pub fn mmd(points: Tensor<2>, prior: Tensor<2>, kind: Prior) -> Tensor<1> {
    let within = kernel_mean(points.clone(), points.clone(), kind);
    let target = kernel_mean(prior.clone(), prior.clone(), kind);
    within + target - kernel_mean(points, prior, kind) * 2.0
}

/// Squared widths over Z of the kernel's terms: from the spacing of 199 places to half the box.
const BANDWIDTHS: [f32; 3] = [0.02, 0.1, 0.5];

fn kernel_mean(x: Tensor<2>, y: Tensor<2>, kind: Prior) -> Tensor<1> {
    let dims = x.dims()[1] as f32;
    let squares = |t: &Tensor<2>| t.clone().square().sum_dim(1);
    let distances =
        (squares(&x) + squares(&y).transpose() - x.matmul(y.transpose()) * 2.0).clamp_min(0.0);
    match kind {
        Prior::SeedNormal => (distances / (-dims * dims)).exp().mean(),
        Prior::Box => BANDWIDTHS
            .iter()
            .map(|width| (distances.clone() / (-2.0 * dims * width)).exp().mean())
            .reduce(|sum, term| sum + term)
            .expect("there is a bandwidth"),
    }
}
