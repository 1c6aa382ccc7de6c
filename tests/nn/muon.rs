//! Muon's steps against the singular value decomposition.

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Device, Tensor},
};
use glyphspace::nn::{
    adamw::{AdamW, OptimizerState},
    flat::flat_gradient,
    init::normal,
    muon::Muon,
};
use nalgebra::DMatrix;

use super::{check_close, cloud, values};

/// A wide and a tall matrix, and what stays AdamW's.
#[derive(Module, Debug)]
struct Layers {
    wide: Linear,
    tall: Linear,
    head: Linear,
}

impl Layers {
    fn new(device: &Device) -> Self {
        let layer = |rows: usize, columns: usize, seed| {
            let weight = Tensor::from_data(cloud(rows, columns, seed, normal), device);
            Linear {
                weight: Param::from_tensor(weight).set_require_grad(true),
                bias: None,
            }
        };
        Self {
            wide: layer(4, 9, 1),
            tall: layer(9, 4, 2),
            head: layer(4, 3, 3),
        }
    }

    /// One step along the gradient of the sum of cubes.
    fn stepped(self, muon: Option<Muon>) -> Self {
        let cubes = |layer: &Linear| layer.weight.val().powi_scalar(3).sum();
        let loss = cubes(&self.wide) + cubes(&self.tall) + cubes(&self.head);
        let gradient = flat_gradient(&self, &loss.backward());
        let optimizer = AdamW {
            muon,
            ..AdamW::new(0.0, 1.0)
        };
        let mut moments = OptimizerState::zeros(self.num_params(), &Device::flex());
        let pace = Tensor::from_data(optimizer.step_scalars(RATE, 1), &Device::flex());
        optimizer.step(self, gradient, &mut moments, pace).0
    }
}

const RATE: f64 = 0.01;
const PACE: f64 = 0.5;

#[test]
fn a_step_has_the_gradients_directions_all_of_one_length() {
    let device = Device::flex().autodiff();
    let muon = Muon::new(&Layers::new(&device), PACE, |path| path != "head.weight");
    let before = Layers::new(&device);
    let after = Layers::new(&device).stepped(Some(muon));
    for (name, before, after) in [
        ("wide", &before.wide, &after.wide),
        ("tall", &before.tall, &after.tall),
    ] {
        let [rows, columns] = before.weight.dims();
        let matrix = |layer: &Linear| {
            DMatrix::from_row_slice(rows, columns, &values(layer.weight.val())).cast::<f64>()
        };
        let gradient = matrix(before).map(|w| 3.0 * w * w);
        let step = (matrix(before) - matrix(after)) / (RATE * PACE * 3.0);
        let parts = gradient.svd(true, true);
        // In the gradient's own directions the step is a diagonal of about 1.
        let turned = parts.u.unwrap().transpose() * step * parts.v_t.unwrap().transpose();
        for (i, row) in turned.row_iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                let is_right = match i == j {
                    true => (0.6..1.3).contains(value),
                    false => value.abs() < 1e-4,
                };
                assert!(is_right, "{name}, {i} and {j}: {value}");
            }
        }
    }
}

#[test]
fn what_is_no_matrix_between_hidden_layers_moves_as_adamw_moves_it() {
    let device = Device::flex().autodiff();
    let muon = Muon::new(&Layers::new(&device), PACE, |path| path == "wide.weight");
    let mixed = Layers::new(&device).stepped(Some(muon));
    let plain = Layers::new(&device).stepped(None);
    for (name, mixed, plain) in [
        ("tall", &mixed.tall, &plain.tall),
        ("head", &mixed.head, &plain.head),
    ] {
        let [mixed, plain] = [mixed, plain].map(|layer| values(layer.weight.val()));
        check_close(&mixed, &plain, 1e-6, name);
    }
}
