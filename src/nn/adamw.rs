//! AdamW with a global gradient norm (Loshchilov and Hutter 2019, arXiv 1711.05101), over all the
//! parameters of a module as one vector.
//!
//! One vector instead of burn's optimiser a parameter: a dozen tensor operations a step rather than
//! a dozen for each of a hundred small parameters, the clipping is of the whole gradient, and the
//! state is three tensors that load onto the module's own device (burn 0.22's optimiser record
//! loads onto `Device::default()`, which is a GPU's even where none was chosen). What differs from step to step is
//! a tensor too, so that a recorded step can be taken again.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Gradients, Shape, Tensor},
};

use super::muon::Muon;

/// What doesn't change from step to step.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// Decay of the first and second moment.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of the learning rate by which the parameters shrink.
    pub weight_decay: f64,
    /// The gradient's norm is clipped to this.
    pub max_norm: f64,
    /// Multipliers of the learning rate, decay included, value by value.
    pub rates: Option<Rates>,
    /// Matrices that move by their momentum made orthogonal instead.
    pub muon: Option<Muon>,
}

/// What does: both moments `[N]`, in the order in which the module visits its parameters.
#[derive(Module, Debug)]
pub struct OptimizerState {
    /// Decaying mean of the gradient.
    pub first: Param<Tensor<1>>,
    /// Decaying mean of its square.
    pub second: Param<Tensor<1>>,
    /// The parameters `[N]` as the last step left them: kept rather than gathered from a hundred tensors again.
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

    /// The first moment, the second and the parameters of `module` as the last step left them, each `[N]`.
    pub fn vectors<M: Module>(&self, module: &M) -> [Tensor<1>; 3] {
        let values = self.values.clone().unwrap_or_else(|| {
            let mut values = ParameterVisitor(Vec::new());
            module.visit(&mut values);
            Tensor::cat(values.0, 0)
        });
        [self.first.val(), self.second.val(), values]
    }

    /// With such vectors instead.
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
    /// The multiplier `rate` gives for a parameter's path, such as `encoder.layers.0.query.weight`.
    /// A parameter whose rate is 0 stays as it is.
    pub fn new<M: Module>(module: &M, rate: impl Fn(&str) -> f64) -> Self {
        let device = module.devices().remove(0).inner();
        let spread = parameters(module)
            .into_iter()
            .map(|(path, shape)| Tensor::full([shape.num_elements()], rate(&path), &device));
        Self(Tensor::cat(spread.collect(), 0))
    }
}

impl AdamW {
    /// As both systems are trained.
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

    /// What of the `step`-th step, counted from 1, follows from its number: the learning rate, and what part of the
    /// first and the second moment their beginning at 0 has left.
    pub fn step_scalars(&self, learning_rate: f64, step: u64) -> [f32; 3] {
        let left = |beta: f64| 1.0 - beta.powi(step.min(i32::MAX as u64) as i32);
        [learning_rate, left(self.betas.0), left(self.betas.1)].map(|value| value as f32)
    }

    /// One step along `gradient` `[N]`, see [`flat_gradient`], at the [`scalars`](Self::scalars) `[3]`, of the module that the
    /// step before returned.
    /// Returns the module and the gradient's norm `[1]` before clipping.
    pub fn step<M: Module>(
        &self,
        module: M,
        gradient: Tensor<1>,
        moments: &mut OptimizerState,
        scalars: Tensor<1>,
    ) -> (M, Tensor<1>) {
        let (moved, norm) = self.update(moments.vectors(&module), gradient, scalars);
        moments.replace(moved.clone());
        let [.., values] = moved;
        (unflatten(module, values), norm)
    }

    /// The [`vectors`](OptimizerState::vectors) after such a step, and the gradient's norm.
    pub fn update(
        &self,
        [first, second, values]: [Tensor<1>; 3],
        gradient: Tensor<1>,
        scalars: Tensor<1>,
    ) -> ([Tensor<1>; 3], Tensor<1>) {
        let [rate, first_left, second_left] = [0, 1, 2].map(|i| scalars.clone().narrow(0, i, 1));
        let norm = gradient.clone().square().sum().sqrt();
        let scale = (norm.clone() + 1e-6)
            .recip()
            .mul_scalar(self.max_norm)
            .clamp_max(1.0);
        let slope = gradient * scale;

        debug_assert_eq!(values.dims(), slope.dims());

        let (beta1, beta2) = self.betas;
        let first = first * beta1 + slope.clone() * (1.0 - beta1);
        let second = second * beta2 + slope.clone().square() * (1.0 - beta2);
        let root = (second.clone() / second_left).sqrt() + self.epsilon;
        let move_by = first.clone() / root * (rate.clone() / first_left);
        let move_by = match &self.muon {
            None => move_by,
            Some(muon) => {
                let ahead = first.clone() * beta1 + slope * (1.0 - beta1);
                muon.orthogonalize(move_by, &ahead, &rate)
            }
        };
        let decay = rate * self.weight_decay;
        let values = match &self.rates {
            None => values * (decay.neg() + 1.0) - move_by,
            Some(Rates(rates)) => values.clone() - (values * decay + move_by) * rates.clone(),
        };
        ([first, second, values], norm)
    }
}

/// Path and shape of each of a module's parameters, in the order in which it visits them.
pub(super) fn parameters<M: Module>(module: &M) -> Vec<(String, Shape)> {
    let mut list = ShapeVisitor::default();
    module.visit(&mut list);
    list.parameters
}

#[derive(Default)]
struct ShapeVisitor {
    path: Vec<String>,
    parameters: Vec<(String, Shape)>,
}

impl ModuleVisitor for ShapeVisitor {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.parameters
            .push((self.path.join("."), param.val().shape()));
    }
}

/// The gradient of all a module's parameters as one vector `[N]`, in the order in which the module
/// visits them; 0 for those the loss doesn't reach.
pub fn flat_gradient<M: Module>(module: &M, gradients: &Gradients) -> Tensor<1> {
    let mut slopes = GradientVisitor {
        gradients,
        slopes: Vec::new(),
    };
    module.visit(&mut slopes);
    Tensor::cat(slopes.slopes, 0)
}

struct GradientVisitor<'a> {
    gradients: &'a Gradients,
    slopes: Vec<Tensor<1>>,
}

impl ModuleVisitor for GradientVisitor<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let slope = value.grad(self.gradients);
        let slope = slope.unwrap_or_else(|| value.inner().zeros_like());
        let count = slope.shape().num_elements();
        self.slopes.push(slope.reshape([count]));
    }
}

struct ParameterVisitor(Vec<Tensor<1>>);

impl ModuleVisitor for ParameterVisitor {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().inner();
        let count = value.shape().num_elements();
        self.0.push(value.reshape([count]));
    }
}

/// `module` with the parameters `[N]` in the order in which it visits them.
pub fn unflatten<M: Module>(module: M, values: Tensor<1>) -> M {
    module.map(&mut Unflatten { values, from: 0 })
}

struct Unflatten {
    values: Tensor<1>,
    from: usize,
}

impl ModuleMapper for Unflatten {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|old| {
            let shape = old.shape();
            let count = shape.num_elements();
            let value = self
                .values
                .clone()
                .narrow(0, self.from, count)
                .reshape(shape);
            self.from += count;
            Tensor::from_inner(value).require_grad()
        })
    }
}
