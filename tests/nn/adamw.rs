//! The optimiser against optax.

use std::collections::BTreeMap;

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Device, Tensor},
};
use glyphspace::nn::{
    adamw::{AdamW, OptimizerState, Rates},
    flat::flat_gradient,
};

use super::{AdamWReference, Array, check_close, reference, values};

/// burn's `Linear` and the order in which it visits: weight, bias.
fn linear(params: &BTreeMap<String, Array>, device: &Device) -> Linear {
    let weight = Param::from_tensor(params["weight"].tensor(device)).set_require_grad(true);
    let bias = Param::from_tensor(params["bias"].tensor(device)).set_require_grad(true);
    Linear {
        weight,
        bias: Some(bias),
    }
}

fn pace(optimizer: &AdamW, learning_rate: f64, step: u64) -> Tensor<1> {
    Tensor::from_data(optimizer.step_scalars(learning_rate, step), &Device::flex())
}

#[test]
fn adamw_with_the_global_clip_agrees_with_optax() {
    let reference = reference().adamw;
    let device = Device::flex().autodiff();
    let AdamWReference {
        betas,
        epsilon,
        weight_decay,
        max_norm,
        ..
    } = reference;
    let optimizer = AdamW {
        betas,
        epsilon,
        weight_decay,
        max_norm,
        rates: None,
        muon: None,
    };
    let mut module = linear(&reference.start, &device);
    let mut moments = OptimizerState::zeros(module.num_params(), &device.clone().inner());
    for (step, expected) in (1..).zip(&reference.steps) {
        // A loss with just these gradients.
        let weight = module.weight.val() * expected.gradient["weight"].tensor::<2>(&device);
        let bias =
            module.bias.as_ref().unwrap().val() * expected.gradient["bias"].tensor::<1>(&device);
        let gradients = (weight.sum() + bias.sum()).backward();
        let norm;
        let gradient = flat_gradient(&module, &gradients);
        let pace = pace(&optimizer, reference.learning_rate, step);
        (module, norm) = optimizer.step(module, gradient, &mut moments, pace);
        check_close(&values(norm), &[expected.norm], 1e-5, "norm");
        check_close(
            &values(module.weight.val()),
            &expected.params["weight"].values,
            1e-5,
            "weight",
        );
        check_close(
            &values(module.bias.as_ref().unwrap().val()),
            &expected.params["bias"].values,
            1e-5,
            "bias",
        );
    }
}

#[test]
fn a_learning_rate_by_part_is_that_learning_rate_for_the_part() {
    let device = Device::flex().autodiff();
    let start = reference().adamw.start;
    let step = |learning_rate, rate: &dyn Fn(&str) -> f64| {
        let module = linear(&start, &device);
        let optimizer = AdamW {
            rates: Some(Rates::new(&module, rate)),
            ..AdamW::new(0.1, 1.0)
        };
        let mut moments = OptimizerState::zeros(module.num_params(), &device.clone().inner());
        let loss =
            module.weight.val().square().sum() + module.bias.as_ref().unwrap().val().square().sum();
        let gradient = flat_gradient(&module, &loss.backward());
        let pace = pace(&optimizer, learning_rate, 1);
        let (module, _) = optimizer.step(module, gradient, &mut moments, pace);
        (
            values(module.weight.val()),
            values(module.bias.as_ref().unwrap().val()),
        )
    };
    let (whole, tenth) = (step(0.1, &|_| 1.0), step(0.01, &|_| 1.0));
    let by_part = step(0.1, &|path| if path == "bias" { 0.1 } else { 1.0 });
    check_close(&by_part.0, &whole.0, 1e-6, "weight");
    check_close(&by_part.1, &tenth.1, 1e-6, "bias");
    let still = step(0.1, &|path| f64::from(u8::from(path == "bias")));
    assert_eq!(still.0, values(linear(&start, &device).weight.val()));
    check_close(&still.1, &whole.1, 1e-6, "bias");
}

#[test]
fn a_poisoned_gradient_is_seen_in_the_norm_and_the_parameters() {
    let device = Device::flex().autodiff();
    let start = reference().adamw.start;
    let module = linear(&start, &device);
    let mut moments = OptimizerState::zeros(module.num_params(), &device.clone().inner());
    let gradients = (module.weight.val() * f32::NAN).sum().backward();
    let optimizer = AdamW::new(0.0, 1.0);
    let gradient = flat_gradient(&module, &gradients);
    let pace = pace(&optimizer, 0.1, 1);
    let (module, norm) = optimizer.step(module, gradient, &mut moments, pace);
    assert!(values(norm)[0].is_nan());
    assert!(values(module.weight.val()).iter().all(|w| w.is_nan()));
}
