//! AdamW with a global gradient norm (Loshchilov and Hutter 2019, arXiv 1711.05101), over all the
//! parameters of a module as one vector.
//!
//! One vector, where burn's optimizer has one state per parameter: a dozen tensor operations a step rather than a dozen
//! for each of a hundred small parameters, gradient clipping is global, and the state is three tensors that load onto the
//! module's own device (burn 0.22's optimizer record loads onto `Device::default()`, a GPU even where none was chosen).
//! Scalars that differ from step to step are a tensor, so that a captured step can be replayed: burn's own optimizers bake
//! them into the launches, and a captured step trains wrongly (burn #5779).

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use super::{
    flat::{flatten, parameters, unflatten},
    muon::Muon,
};

/// AdamW's hyperparameters.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// Decay of the first and second moment.
    pub betas: (f64, f64),
    /// Constant added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay: parameters shrink by this times the learning rate at each step.
    pub weight_decay: f64,
    /// Gradient clipping: largest global norm of the gradient.
    pub max_norm: f64,
    /// Multipliers of the learning rate, decay included, value by value.
    pub rates: Option<Rates>,
    /// Matrices that are updated by Muon instead.
    pub muon: Option<Muon>,
}

/// Optimizer state: both moments and (not saved) the parameters, each `[N]` in the module's visiting order.
#[derive(Module, Debug)]
pub struct OptimizerState {
    /// Decaying mean of the gradient.
    pub first: Param<Tensor<1>>,
    /// Decaying mean of the gradient's square.
    pub second: Param<Tensor<1>>,
    /// Parameters `[N]` after the last step: kept, or they would be concatenated from a hundred tensors every step.
    #[module(skip)]
    values: Option<Tensor<1>>,
}

impl OptimizerState {
    /// Zero moments for `count` parameters.
    pub fn zeros(count: usize, device: &burn::tensor::Device) -> Self {
        let zeros = || Param::from_tensor(Tensor::zeros([count], device));
        Self {
            first: zeros(),
            second: zeros(),
            values: None,
        }
        .no_grad()
    }

    /// First moment, second moment and parameters of `module` after the last step, each `[N]`.
    pub fn vectors<M: Module>(&self, module: &M) -> [Tensor<1>; 3] {
        let values = self.values.clone().unwrap_or_else(|| flatten(module));
        [self.first.val(), self.second.val(), values]
    }

    /// Replacement of first moment, second moment and parameters, each `[N]`.
    pub fn replace(&mut self, [first, second, values]: [Tensor<1>; 3]) {
        let replace = |param: &Param<Tensor<1>>, value: Tensor<1>| param.clone().map(|_| value);
        self.first = replace(&self.first, first);
        self.second = replace(&self.second, second);
        self.values = Some(values);
    }
}

/// Multipliers of the learning rate `[N]`, in the same order.
#[derive(Clone, Debug)]
pub struct Rates(Tensor<1>);

impl Rates {
    /// Multipliers by `rate` of a parameter's path, such as `encoder.layers.0.query.weight`; 0 leaves a parameter as it is.
    pub fn new<M: Module>(module: &M, rate: impl Fn(&str) -> f64) -> Self {
        let device = module.devices().remove(0).inner();
        let spread = parameters(module)
            .into_iter()
            .map(|(path, shape)| Tensor::full([shape.num_elements()], rate(&path), &device));
        Self(Tensor::cat(spread.collect(), 0))
    }
}

impl AdamW {
    /// AdamW with betas 0.9 and 0.98 and epsilon 1e-8, as both systems are trained.
    pub fn new(weight_decay: f64, max_norm: f64) -> Self {
        Self {
            betas: (0.9, 0.98),
            epsilon: 1e-8,
            weight_decay,
            max_norm,
            rates: None,
            muon: None,
        }
    }

    /// Scalars of the `step`-th step, counted from 1: learning rate and bias corrections,
    /// `[lr, 1 - beta1^step, 1 - beta2^step]`.
    pub fn step_scalars(&self, learning_rate: f64, step: u64) -> [f32; 3] {
        let bias_correction = |beta: f64| 1.0 - beta.powi(step.min(i32::MAX as u64) as i32);
        [
            learning_rate,
            bias_correction(self.betas.0),
            bias_correction(self.betas.1),
        ]
        .map(|value| value as f32)
    }

    /// Module after a step along `gradient` `[N]`, see [`flat_gradient`](super::flat::flat_gradient), and the gradient's norm
    /// `[1]` before clipping. `scalars` `[3]` are the [`step_scalars`](Self::step_scalars); `module` is that of the step before.
    pub fn step<M: Module>(
        &self,
        module: M,
        gradient: Tensor<1>,
        state: &mut OptimizerState,
        scalars: Tensor<1>,
    ) -> (M, Tensor<1>) {
        let (moved, norm) = self.update(state.vectors(&module), gradient, scalars);
        state.replace(moved.clone());
        let [.., values] = moved;
        (unflatten(module, values), norm)
    }

    /// [`vectors`](OptimizerState::vectors) after a [`step`](Self::step), and the gradient's norm `[1]`.
    pub fn update(
        &self,
        [first, second, values]: [Tensor<1>; 3],
        gradient: Tensor<1>,
        scalars: Tensor<1>,
    ) -> ([Tensor<1>; 3], Tensor<1>) {
        let [rate, first_correction, second_correction] =
            [0, 1, 2].map(|i| scalars.clone().narrow(0, i, 1));
        let norm = gradient.clone().square().sum().sqrt();
        let scale = (norm.clone() + 1e-6)
            .recip()
            .mul_scalar(self.max_norm)
            .clamp_max(1.0);
        let clipped = gradient * scale;

        debug_assert_eq!(values.dims(), clipped.dims());

        let (beta1, beta2) = self.betas;
        let first = first * beta1 + clipped.clone() * (1.0 - beta1);
        let second = second * beta2 + clipped.clone().square() * (1.0 - beta2);
        let root = (second.clone() / second_correction).sqrt() + self.epsilon;
        let update = first.clone() / root * (rate.clone() / first_correction);
        let update = match &self.muon {
            None => update,
            Some(muon) => {
                let momentum = first.clone() * beta1 + clipped * (1.0 - beta1);
                muon.orthogonalize(update, &momentum, &rate)
            }
        };
        let decay = rate * self.weight_decay;
        let values = match &self.rates {
            None => values * (decay.neg() + 1.0) - update,
            Some(Rates(rates)) => values.clone() - (values * decay + update) * rates.clone(),
        };
        ([first, second, values], norm)
    }
}
