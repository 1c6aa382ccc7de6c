//! Weights and optimizer state, and the step that updates them: data parallel on the CPU, a captured graph on a GPU.

use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    DataParallel, DeviceInputs, HostInputs, Losses,
    captured_step::{StepGraphs, deep_copy},
    checkpoint::Checkpoint,
    host_inputs::read,
};
use crate::nn::{
    adamw::{AdamW, OptimizerState},
    flat::{flat_gradient, unflatten},
};

/// Weights `M` and optimizer state. `K` is the capture key: two steps with equal keys launch the same kernels on tensors of
/// equal shapes, so a captured step may be replayed.
pub struct TrainState<M, K> {
    /// Weights; current on the CPU only. On a GPU the current ones are the flat vector in `optimizer_state`, which a
    /// captured step updates in place.
    model: M,
    optimizer_state: OptimizerState,
    optimizer: AdamW,
    /// Threads for the shards of a step.
    pub data_parallel: DataParallel,
    /// Captured steps of a GPU.
    graphs: StepGraphs<K>,
    /// Names of the loss terms, known from the first step on: a replayed graph has only their values.
    names: OnceLock<Vec<&'static str>>,
    device: Device,
}

impl<M: Module + Send, K: PartialEq + Clone> TrainState<M, K> {
    /// State of a new `model` on `device`, which has autodiff.
    pub fn new(model: M, optimizer: AdamW, data_parallel: DataParallel, device: &Device) -> Self {
        Self {
            optimizer_state: OptimizerState::zeros(model.num_params(), &device.clone().inner()),
            model,
            optimizer,
            data_parallel,
            graphs: StepGraphs::default(),
            names: OnceLock::new(),
            device: device.clone(),
        }
    }

    /// Replaces weights and optimizer state by those of a `checkpoint`.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit the configuration.
    pub fn load(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.load_weights(checkpoint)?;
        self.optimizer_state = checkpoint.optimizer_state(self.optimizer_state.clone())?;
        Ok(())
    }

    /// Replaces the weights alone.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_weights(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.model = checkpoint.model(self.model.clone())?;
        Ok(())
    }

    /// A copy of the model after the last step, which no further step overwrites.
    pub fn model(&self) -> M {
        match self.data_parallel.is_data_parallel() {
            true => self.model.clone(),
            false => {
                let [.., values] = self.optimizer_state.vectors(&self.model);
                unflatten(self.model.clone(), deep_copy(values))
            }
        }
    }

    /// First and second moments of the gradient.
    pub fn optimizer_state(&self) -> &OptimizerState {
        &self.optimizer_state
    }

    /// On a GPU, Ok once a step graph is captured, or the reason why none can be; `None` before that was tried.
    pub fn is_captured(&self) -> Option<Result<(), &anyhow::Error>> {
        self.graphs.status()
    }

    /// Takes the `step`-th step, counted from 1, in the shards of the
    /// [effective configuration](DataParallel::effective_config): `plan_step` draws a shard's inputs on the host,
    /// `loss_fn` computes its losses from them on the device. Returns the means of the losses over the shards.
    ///
    /// Elsewhere than on the CPU a plan that comes again is captured, and from then on replayed: `loss_fn` has to launch
    /// the same kernels for equal plans and to upload nothing.
    ///
    /// # Errors
    /// The first shard's that fails, or the device's.
    pub fn step<S: Send>(
        &mut self,
        learning_rate: f64,
        step: u64,
        mut shards: Vec<S>,
        plan_step: impl Fn(S) -> Result<(K, HostInputs)> + Sync,
        loss_fn: impl Fn(&M, &K, &DeviceInputs) -> Losses + Sync,
    ) -> Result<StepLosses> {
        let step_scalars = self.optimizer.step_scalars(learning_rate, step);
        let names = &self.names;
        let gradient_of = |model: &M, plan: &K, inputs: &DeviceInputs| {
            let (loss, terms) = loss_fn(model, plan, inputs).into_parts();
            let gradient = flat_gradient(model, &loss.backward());
            let (terms, values): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
            names.get_or_init(|| terms);
            let values = [loss].into_iter().chain(values).map(Tensor::inner);
            (gradient, Tensor::cat(values.collect(), 0))
        };
        if self.data_parallel.is_data_parallel() {
            let shard = |model: M, shard: S| {
                let (plan, host_inputs) = plan_step(shard)?;
                Ok(gradient_of(
                    &model,
                    &plan,
                    &host_inputs.upload(&self.device),
                ))
            };
            let (gradient, losses) =
                self.data_parallel
                    .mean_gradient(&self.model, shards, shard)?;
            let step_scalars = Tensor::from_data(step_scalars, &self.device.clone().inner());
            let (model, norm) = self.optimizer.step(
                self.model.clone(),
                gradient,
                &mut self.optimizer_state,
                step_scalars,
            );
            self.model = model;
            let losses = read(Tensor::cat(vec![losses, norm], 0))?;
            return self.step_losses(&losses);
        }
        let (plan, mut host_inputs) = plan_step(shards.pop().context("a step has a shard")?)?;
        let step_scalars = host_inputs.values(&step_scalars);
        let update = |state: &[Tensor<1>; 3], inputs: &DeviceInputs| {
            let [.., values] = state.clone();
            let model = unflatten(self.model.clone(), values);
            let (gradient, losses) = gradient_of(&model, &plan, inputs);
            let step_scalars = inputs.values(step_scalars).inner();
            let (updated, norm) = self.optimizer.update(state.clone(), gradient, step_scalars);
            (updated, Tensor::cat(vec![losses, norm], 0))
        };
        let state = self.optimizer_state.vectors(&self.model);
        let (state, losses) =
            self.graphs
                .run(plan.clone(), host_inputs, state, &self.device, update)?;
        self.optimizer_state.replace(state);
        self.step_losses(&losses)
    }

    fn step_losses(&self, values: &[f32]) -> Result<StepLosses> {
        let names = self.names.get().context("a step has losses")?;
        let [total, terms @ .., gradient_norm] = values else {
            bail!("a step has losses");
        };
        Ok(StepLosses {
            total: *total,
            terms: names.iter().copied().zip(terms.iter().copied()).collect(),
            gradient_norm: *gradient_norm,
        })
    }
}

/// Losses of a step, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct StepLosses {
    /// The weighted sum.
    pub total: f32,
    /// The terms by name, before their weights.
    pub terms: Vec<(&'static str, f32)>,
    /// The gradient's norm before clipping.
    pub gradient_norm: f32,
}
