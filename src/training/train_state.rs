//! What is learnt, and how a step moves it.

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    DataParallel, DeviceInputs, HostInputs,
    captured_step::{StepGraphs, deep_copy},
    checkpoint::Checkpoint,
    read,
};
use crate::nn::adamw::{AdamW, OptimizerState, flat_gradient, unflatten};

/// A model in training. `K` tells what a share of a step sees; where it is the same, so are the operations on it.
pub struct TrainState<M, K> {
    /// Its weights as the last step in shares left them; one all at once leaves them to the moments.
    model: M,
    optimizer_state: OptimizerState,
    optimizer: AdamW,
    /// Where the shares of a step are computed.
    pub data_parallel: DataParallel,
    /// Steps all at once, to be taken again.
    graphs: StepGraphs<K>,
    device: Device,
}

impl<M: Module + Send, K: PartialEq + Clone> TrainState<M, K> {
    /// Of a new `model` on `device`, whose autodiff it takes part in.
    pub fn new(model: M, optimizer: AdamW, data_parallel: DataParallel, device: &Device) -> Self {
        Self {
            optimizer_state: OptimizerState::zeros(model.num_params(), &device.clone().inner()),
            model,
            optimizer,
            data_parallel,
            graphs: StepGraphs::default(),
            device: device.clone(),
        }
    }

    /// Goes on from a `checkpoint`.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit the configuration.
    pub fn load(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.model = checkpoint.model(self.model.clone())?;
        self.optimizer_state = checkpoint.optimizer_state(self.optimizer_state.clone())?;
        Ok(())
    }

    /// The model as the last step left it, which no further step writes over.
    pub fn model(&self) -> M {
        match self.data_parallel.is_data_parallel() {
            true => self.model.clone(),
            false => {
                let [.., values] = self.optimizer_state.vectors(&self.model);
                unflatten(self.model.clone(), deep_copy(values))
            }
        }
    }

    /// The moments of its gradient.
    pub fn optimizer_state(&self) -> &OptimizerState {
        &self.optimizer_state
    }

    /// On a GPU, whether steps of some kind need only be launched, or why none can be; `None` before that was tried.
    pub fn is_captured(&self) -> Option<Result<(), &anyhow::Error>> {
        self.graphs.status()
    }

    /// The `step`-th step, counted from 1, in as many `shares` as the [recipe](DataParallel::effective_config) has. `plan_step` says of a share
    /// what it sees and what is drawn for it, `loss_fn` what it makes of it: the loss `[1]` and its terms, each `[1]`.
    /// Returns the loss and the terms, each the shares' mean, and the gradient's norm before clipping.
    ///
    /// Elsewhere than on the CPU what is seen again is recorded, and from then on only launched: `loss_fn` has to make the
    /// same operations of it and to bring nothing from the host.
    ///
    /// # Errors
    /// The first share's that fails, or the device's.
    pub fn step<S: Send>(
        &mut self,
        learning_rate: f64,
        step: u64,
        mut shares: Vec<S>,
        plan_step: impl Fn(S) -> Result<(K, HostInputs)> + Sync,
        loss_fn: impl Fn(&M, &K, &DeviceInputs) -> (Tensor<1>, Vec<Tensor<1>>) + Sync,
    ) -> Result<Vec<f32>> {
        let step_scalars = self.optimizer.step_scalars(learning_rate, step);
        let gradient_of = |model: &M, plan: &K, inputs: &DeviceInputs| {
            let (loss, terms) = loss_fn(model, plan, inputs);
            let gradient = flat_gradient(model, &loss.backward());
            let figures = [loss].into_iter().chain(terms).map(Tensor::inner);
            (gradient, Tensor::cat(figures.collect(), 0))
        };
        if self.data_parallel.is_data_parallel() {
            let share = |model: M, share: S| {
                let (plan, host_inputs) = plan_step(share)?;
                Ok(gradient_of(
                    &model,
                    &plan,
                    &host_inputs.upload(&self.device),
                ))
            };
            let (gradient, figures) =
                self.data_parallel
                    .mean_gradient(&self.model, shares, share)?;
            let step_scalars = Tensor::from_data(step_scalars, &self.device.clone().inner());
            let (model, norm) = self.optimizer.step(
                self.model.clone(),
                gradient,
                &mut self.optimizer_state,
                step_scalars,
            );
            self.model = model;
            return read(Tensor::cat(vec![figures, norm], 0));
        }
        let (plan, mut host_inputs) = plan_step(shares.pop().context("a step has a share")?)?;
        let step_scalars = host_inputs.values(&step_scalars);
        let update = |state: &[Tensor<1>; 3], inputs: &DeviceInputs| {
            let [.., values] = state.clone();
            let model = unflatten(self.model.clone(), values);
            let (gradient, figures) = gradient_of(&model, &plan, inputs);
            let step_scalars = inputs.values(step_scalars).inner();
            let (update, norm) = self.optimizer.update(state.clone(), gradient, step_scalars);
            (update, Tensor::cat(vec![figures, norm], 0))
        };
        let state = self.optimizer_state.vectors(&self.model);
        let taken = self
            .graphs
            .run(plan.clone(), host_inputs, state, &self.device, update);
        let (state, figures) = taken?;
        self.optimizer_state.replace(state);
        Ok(figures)
    }
}
