//! What is learnt, and how a step moves it.

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    Drawn, Draws, Shards,
    checkpoint::Checkpoint,
    read,
    recording::{Recordings, own},
};
use crate::nn::adamw::{AdamW, Moments, flat_gradient, with_values};

/// A model in training. `K` tells what a share of a step sees; where it is the same, so are the operations on it.
pub struct Learner<M, K> {
    /// Its weights as the last step in shares left them; one all at once leaves them to the moments.
    model: M,
    moments: Moments,
    optimiser: AdamW,
    /// Where the shares of a step are computed.
    pub shards: Shards,
    /// Steps all at once, to be taken again.
    recordings: Recordings<K>,
    device: Device,
}

impl<M: Module + Send, K: PartialEq + Clone> Learner<M, K> {
    /// Of a new `model` on `device`, whose autodiff it takes part in.
    pub fn new(model: M, optimiser: AdamW, shards: Shards, device: &Device) -> Self {
        Self {
            moments: Moments::zeros(model.num_params(), &device.clone().inner()),
            model,
            optimiser,
            shards,
            recordings: Recordings::default(),
            device: device.clone(),
        }
    }

    /// Goes on from a `checkpoint`.
    ///
    /// # Errors
    /// Names the file that is missing, cut, foreign, or doesn't fit the configuration.
    pub fn load(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.model = checkpoint.model(self.model.clone())?;
        self.moments = checkpoint.moments(self.moments.clone())?;
        Ok(())
    }

    /// The model as the last step left it, which no further step writes over.
    pub fn model(&self) -> M {
        match self.shards.are_side_by_side() {
            true => self.model.clone(),
            false => {
                let [.., values] = self.moments.vectors(&self.model);
                with_values(self.model.clone(), own(values))
            }
        }
    }

    /// The moments of its gradient.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// On a GPU, whether steps of some kind need only be launched, or why none can be; `None` before that was tried.
    pub fn is_recorded(&self) -> Option<Result<(), &anyhow::Error>> {
        self.recordings.state()
    }

    /// The `step`-th step, counted from 1, in as many `shares` as the [recipe](Shards::recipe) has. `look` says of a share
    /// what it sees and what is drawn for it, `judge` what it makes of it: the loss `[1]` and its terms, each `[1]`.
    /// Returns the loss and the terms, each the shares' mean, and the gradient's norm before clipping.
    ///
    /// Elsewhere than on the CPU what is seen again is recorded, and from then on only launched: `judge` has to make the
    /// same operations of it and to bring nothing from the host.
    ///
    /// # Errors
    /// The first share's that fails, or the device's.
    pub fn step<S: Send>(
        &mut self,
        learning_rate: f64,
        step: u64,
        mut shares: Vec<S>,
        look: impl Fn(S) -> Result<(K, Draws)> + Sync,
        judge: impl Fn(&M, &K, &Drawn) -> (Tensor<1>, Vec<Tensor<1>>) + Sync,
    ) -> Result<Vec<f32>> {
        let pace = self.optimiser.pace(learning_rate, step);
        let judged = |model: &M, sight: &K, drawn: &Drawn| {
            let (loss, terms) = judge(model, sight, drawn);
            let gradient = flat_gradient(model, &loss.backward());
            let figures = [loss].into_iter().chain(terms).map(Tensor::inner);
            (gradient, Tensor::cat(figures.collect(), 0))
        };
        if self.shards.are_side_by_side() {
            let share = |model: M, share: S| {
                let (sight, draws) = look(share)?;
                Ok(judged(&model, &sight, &draws.on(&self.device)))
            };
            let (gradient, figures) = self.shards.mean(&self.model, shares, share)?;
            let pace = Tensor::from_data(pace, &self.device.clone().inner());
            let (model, norm) =
                self.optimiser
                    .step(self.model.clone(), gradient, &mut self.moments, pace);
            self.model = model;
            return read(Tensor::cat(vec![figures, norm], 0));
        }
        let (sight, mut draws) = look(shares.pop().context("a step has a share")?)?;
        let pace = draws.values(&pace);
        let moved = |state: &[Tensor<1>; 3], drawn: &Drawn| {
            let [.., values] = state.clone();
            let model = with_values(self.model.clone(), values);
            let (gradient, figures) = judged(&model, &sight, drawn);
            let pace = drawn.values(pace).inner();
            let (moved, norm) = self.optimiser.moved(state.clone(), gradient, pace);
            (moved, Tensor::cat(vec![figures, norm], 0))
        };
        let state = self.moments.vectors(&self.model);
        let taken = self
            .recordings
            .take(sight.clone(), draws, state, &self.device, moved);
        let (state, figures) = taken?;
        self.moments.replace(state);
        Ok(figures)
    }
}
