//! Custom kernels against the compositions they stand for: values, gradients and time.

mod compositions;
mod fused;
mod gains;
mod gpu;
mod images;

use burn::tensor::{Device, Tensor, TensorData};
use glyphspace::nn::init::normal;

use crate::nn::{check_close, draws, values};

fn data<const D: usize>(shape: [usize; D], seed: u64) -> TensorData {
    TensorData::new(draws(shape.iter().product(), seed, normal), shape)
}

fn given<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    Tensor::from_data(data(shape, seed), &Device::flex().autodiff())
}

/// Random sums of the results: every value counts by another weight.
fn weighed<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let weights = given(x.dims(), 99);
    (x * weights).sum()
}

/// Differences of values and of gradients that are rounding errors.
const ROUNDING: [f32; 2] = [2e-5, 5e-5];

/// `ours` and `burns` of `inputs`, and the gradients of all inputs.
fn check_same<const D: usize, const N: usize, const E: usize>(
    what: &str,
    tolerances: [f32; 2],
    inputs: [Tensor<D>; N],
    ours: impl Fn([Tensor<D>; N]) -> Tensor<E>,
    burns: impl Fn([Tensor<D>; N]) -> Tensor<E>,
) {
    let run = |f: &dyn Fn([Tensor<D>; N]) -> Tensor<E>| {
        let inputs = inputs.clone().map(|x| x.detach().require_grad());
        let made = f(inputs.clone());
        let gradients = weighed(made.clone()).backward();
        let gradients = inputs.map(|x| values(x.grad(&gradients).expect("it counts")));
        (values(made.inner()), gradients)
    };
    let ((got, got_gradients), (expected, gradients)) = (run(&ours), run(&burns));
    check_close(&got, &expected, tolerances[0], what);
    for (input, (got, expected)) in got_gradients.iter().zip(&gradients).enumerate() {
        check_close(
            got,
            expected,
            tolerances[1],
            &format!("{what}, input {input}"),
        );
    }
}
