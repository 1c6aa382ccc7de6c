//! Muon (Jordan 2024, <https://kellerjordan.github.io/posts/muon/>): a weight matrix moves by its momentum
//! made orthogonal, so that all its directions are learnt at one pace, the rare ones too.
//!
//! The nearest orthogonal matrix is found by a Newton-Schulz iteration. Steps are sized as AdamW's are (Liu et
//! al. 2025, arXiv 2502.16982), so one learning rate serves matrices and the rest. The momentum is AdamW's
//! own: nothing more has to be kept.

use std::collections::BTreeMap;

use burn::{module::Module, tensor::Tensor};

use super::{adamw::parameters, device_constants::identity, fused::matmul};

/// Which parts of the parameters' vector are such matrices.
#[derive(Clone, Debug)]
pub struct Muon {
    /// Root mean square of a step over the learning rate.
    learning_rate_ratio: f64,
    /// By their short and long side: those of one shape go together, in a few operations instead of a
    /// hundred times as many.
    alike: BTreeMap<[usize; 2], Vec<WeightSlice>>,
}

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

    /// Its part of the vector `[N]`, laid on its long side [R, C], R <= C.
    fn of(&self, vector: &Tensor<1>) -> Tensor<2> {
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

    /// The vector [R C] of a matrix laid on its long side.
    fn flat(&self, laid: Tensor<2>) -> Tensor<1> {
        let matrix = match self.is_tall() {
            true => laid.transpose(),
            false => laid,
        };
        matrix.reshape([self.count()])
    }
}

impl Muon {
    /// For the matrices of `module` whose path `is_hidden` takes: weights between hidden layers, not tables
    /// or heads. `learning_rate_ratio` is the root mean square of a step over the learning rate; AdamW's is about 0.2 to 0.4.
    pub fn new<M: Module>(
        module: &M,
        learning_rate_ratio: f64,
        is_hidden: impl Fn(&str) -> bool,
    ) -> Self {
        let mut from = 0;
        let mut alike: BTreeMap<_, Vec<WeightSlice>> = BTreeMap::new();
        for (path, shape) in parameters(module) {
            if let [rows, columns] = shape[..]
                && is_hidden(&path)
            {
                let sides = [rows.min(columns), rows.max(columns)];
                alike.entry(sides).or_default().push(WeightSlice {
                    from,
                    rows,
                    columns,
                });
            }
            from += shape.num_elements();
        }
        Self {
            learning_rate_ratio,
            alike,
        }
    }

    /// `step` `[N]` with the matrices' parts replaced by those of `momentum` `[N]` made orthogonal, at the learning rate
    /// `[1]`.
    pub(super) fn orthogonalize(
        &self,
        step: Tensor<1>,
        momentum: &Tensor<1>,
        learning_rate: &Tensor<1>,
    ) -> Tensor<1> {
        let mut turned = BTreeMap::new();
        for ([_, long], matrices) in &self.alike {
            let stack = matrices.iter().map(|matrix| matrix.of(momentum));
            // The root mean square of an orthogonal matrix's values is 1 / sqrt(long side).
            let length = learning_rate.clone() * (self.learning_rate_ratio * (*long as f64).sqrt());
            let stack = orthogonal(Tensor::stack(stack.collect(), 0)) * length.unsqueeze();
            for (matrix, laid) in matrices.iter().zip(stack.iter_dim(0)) {
                turned.insert(matrix.from, matrix.flat(laid.squeeze_dim(0)));
            }
        }
        let mut parts = Vec::new();
        let mut from = 0;
        for (begin, part) in turned {
            if begin > from {
                parts.push(step.clone().narrow(0, from, begin - from));
            }
            from = begin + part.dims()[0];
            parts.push(part);
        }
        let count = step.dims()[0];
        if count > from {
            parts.push(step.narrow(0, from, count - from));
        }
        Tensor::cat(parts, 0)
    }
}

/// Rounds of the iteration, and its polynomial's coefficients: Jordan's, which bring singular values
/// between 0.7 and 1.2 sooner than those that end at 1.
const ROUNDS: usize = 5;
const COEFFICIENTS: [f64; 3] = [3.4445, -4.775, 2.0315];

/// Matrices [N, R, C], R <= C, with their singular values brought near 1.
fn orthogonal(matrices: Tensor<3>) -> Tensor<3> {
    let [first, third, fifth] = COEFFICIENTS;
    let squares = matrices.clone().square().sum_dim(2).sum_dim(1);
    let mut x = matrices / (squares.sqrt() + 1e-12);
    let one = identity(x.dims()[1], &x.device()).unsqueeze::<3>();
    let (first, third) = (one.clone() * first, one * third);
    for _ in 0..ROUNDS {
        // first x + third (x x^T) x + fifth (x x^T)^2 x, all but the last product on the short side.
        let gram = matmul(x.clone(), x.clone().swap_dims(1, 2));
        let polynomial = matmul(gram.clone() * fifth + third.clone(), gram) + first.clone();
        x = matmul(polynomial, x);
    }
    x
}
