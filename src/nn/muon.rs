//! Muon (Jordan 2024, <https://kellerjordan.github.io/posts/muon/>): a weight matrix is updated by its orthogonalized
//! momentum, so that all its singular directions are learnt at one rate, rare ones too.
//!
//! The nearest orthogonal matrix is approximated by a Newton-Schulz iteration. Updates have the scale of AdamW's (Liu et
//! al. 2025, arXiv 2502.16982), so one learning rate serves matrices and the rest. The momentum is AdamW's first moment:
//! there is no further state.

use std::collections::BTreeMap;

use burn::{module::Module, tensor::Tensor};

use super::{device_constants::identity, flat::parameters};
use crate::kernels::matmul;

/// Matrices within the vector of parameters that Muon updates.
#[derive(Clone, Debug)]
pub struct Muon {
    /// Root mean square of an update over the learning rate.
    learning_rate_ratio: f64,
    /// Matrices by their short and long side: those of one shape are stacked, or there would be a hundred times as many
    /// operations.
    by_shape: BTreeMap<[usize; 2], Vec<WeightSlice>>,
}

/// Matrix [rows, columns] within the vector of parameters.
#[derive(Clone, Debug)]
struct WeightSlice {
    from: usize,
    rows: usize,
    columns: usize,
}

impl WeightSlice {
    fn count(&self) -> usize {
        self.rows * self.columns
    }

    /// Slice of the vector `[N]` as a wide matrix [R, C], R <= C.
    fn wide(&self, vector: &Tensor<1>) -> Tensor<2> {
        let part = vector.clone().narrow(0, self.from, self.count());
        let matrix = part.reshape([self.rows, self.columns]);
        match self.is_tall() {
            true => matrix.transpose(),
            false => matrix,
        }
    }

    fn is_tall(&self) -> bool {
        self.rows > self.columns
    }

    /// Vector [R C] of its wide matrix [R, C].
    fn flat(&self, wide: Tensor<2>) -> Tensor<1> {
        let matrix = match self.is_tall() {
            true => wide.transpose(),
            false => wide,
        };
        matrix.reshape([self.count()])
    }
}

impl Muon {
    /// Muon for the matrices of `module` whose path satisfies `is_hidden`: weights between hidden layers, neither
    /// embeddings nor heads. `learning_rate_ratio` is the root mean square of an update over the learning rate; AdamW's
    /// is about 0.2 to 0.4.
    pub fn new<M: Module>(
        module: &M,
        learning_rate_ratio: f64,
        is_hidden: impl Fn(&str) -> bool,
    ) -> Self {
        let mut from = 0;
        let mut by_shape: BTreeMap<_, Vec<WeightSlice>> = BTreeMap::new();
        for (path, shape) in parameters(module) {
            if let [rows, columns] = shape[..]
                && is_hidden(&path)
            {
                let sides = [rows.min(columns), rows.max(columns)];
                by_shape.entry(sides).or_default().push(WeightSlice {
                    from,
                    rows,
                    columns,
                });
            }
            from += shape.num_elements();
        }
        Self {
            learning_rate_ratio,
            by_shape,
        }
    }

    /// AdamW's `update` `[N]` with its slices of Muon's matrices replaced by the orthogonalized `momentum` `[N]`, scaled by
    /// the learning rate `[1]`.
    pub(super) fn orthogonalize(
        &self,
        update: Tensor<1>,
        momentum: &Tensor<1>,
        learning_rate: &Tensor<1>,
    ) -> Tensor<1> {
        let mut orthogonalized = BTreeMap::new();
        for ([_, long], matrices) in &self.by_shape {
            let stack = matrices.iter().map(|matrix| matrix.wide(momentum));
            // The root mean square of an orthogonal matrix's values is 1 / sqrt(long side).
            let scale = learning_rate.clone() * (self.learning_rate_ratio * (*long as f64).sqrt());
            let stack = newton_schulz(Tensor::stack(stack.collect(), 0)) * scale.unsqueeze();
            for (matrix, wide) in matrices.iter().zip(stack.iter_dim(0)) {
                orthogonalized.insert(matrix.from, matrix.flat(wide.squeeze_dim(0)));
            }
        }
        let mut parts = Vec::new();
        let mut from = 0;
        for (begin, part) in orthogonalized {
            if begin > from {
                parts.push(update.clone().narrow(0, from, begin - from));
            }
            from = begin + part.dims()[0];
            parts.push(part);
        }
        let count = update.dims()[0];
        if count > from {
            parts.push(update.narrow(0, from, count - from));
        }
        Tensor::cat(parts, 0)
    }
}

/// Steps of the iteration, and the coefficients of its polynomial: Jordan's, which bring singular values between 0.7 and
/// 1.2 sooner than coefficients that converge to 1.
const ITERATIONS: usize = 5;
const COEFFICIENTS: [f64; 3] = [3.4445, -4.775, 2.0315];

/// Matrices [N, R, C], R <= C, with their singular values near 1.
fn newton_schulz(matrices: Tensor<3>) -> Tensor<3> {
    let [first, third, fifth] = COEFFICIENTS;
    let squares = matrices.clone().square().sum_dim(2).sum_dim(1);
    let mut x = matrices / (squares.sqrt() + 1e-12);
    let one = identity(x.dims()[1], &x.device()).unsqueeze::<3>();
    let (first, third) = (one.clone() * first, one * third);
    for _ in 0..ITERATIONS {
        // first x + third (x x^T) x + fifth (x x^T)^2 x, all but the last product on the short side.
        let gram = matmul(x.clone(), x.clone().swap_dims(1, 2));
        let polynomial = matmul(gram.clone() * fifth + third.clone(), gram) + first.clone();
        x = matmul(polynomial, x);
    }
    x
}
