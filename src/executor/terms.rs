//! What a Latent Executor's training makes small, term by term.

use burn::tensor::Tensor;

use crate::config::executor::ExecutorConfig;

/// The terms of the loss, one value each. Cross entropies are means a token, in nats.
pub(super) struct Terms {
    /// The state autoencoder's cross entropy.
    pub state_nll: Tensor<1>,
    /// The code autoencoder's cross entropy.
    pub code_nll: Tensor<1>,
    /// The cross entropy of the executor's results.
    pub result_nll: Tensor<1>,
    /// The cross entropy of the nearest program at points anywhere.
    pub cell_nll: Tensor<1>,
    /// The cross entropy of that program's result there.
    pub cell_result_nll: Tensor<1>,
    /// The cross entropy of writing nothing where a program leads to no state.
    pub nothing_nll: Tensor<1>,
    /// Squared discrepancy of the states' and results' points from their prior.
    pub mmd_states: Tensor<1>,
    /// The same of the programs' points.
    pub mmd_codes: Tensor<1>,
    /// How far the programs' distances are from those of their results.
    pub isometry: Tensor<1>,
    /// How far programs are apart whose results follow one another.
    pub neighbours: Tensor<1>,
    /// How far points anywhere are from the nearest program, and the nearest state.
    pub cover: Tensor<1>,
    /// How far programs, states and results lie in the flat ends of tanh.
    pub saturation: Tensor<1>,
    /// The cross entropy of the programs at the points the inverse encoder proposes.
    pub inverse_nll: Tensor<1>,
    /// The cross entropy of results a step down the gradient from points anywhere.
    pub inner_nll: Tensor<1>,
    /// The cross entropy of the results of the lines after the first.
    pub lines_nll: Tensor<1>,
    /// How far results lie from where they are encoded.
    pub consistency: Tensor<1>,
    /// How far proposals lie from where their programs are encoded.
    pub inverse_consistency: Tensor<1>,
}

impl Terms {
    /// Their weighted sum.
    pub fn loss(&self, config: &ExecutorConfig) -> Tensor<1> {
        [
            (&self.state_nll, config.autoencoder_weight),
            (&self.code_nll, config.autoencoder_weight),
            (&self.result_nll, config.executor_weight),
            (&self.cell_nll, config.cell_weight),
            (&self.cell_result_nll, config.cell_result_weight),
            (&self.nothing_nll, config.empty_result_weight),
            (&self.mmd_states, config.mmd_states_weight),
            (&self.mmd_codes, config.mmd_codes_weight),
            (&self.isometry, config.isometry_weight),
            (&self.neighbours, config.neighbour_weight),
            (&self.cover, config.cover_weight),
            (&self.saturation, config.saturation_weight),
            (&self.inverse_nll, config.inverse_weight),
            (&self.inner_nll, config.inner_step_weight),
            (&self.lines_nll, config.executor_weight),
            (&self.consistency, config.consistency_weight),
            (&self.inverse_consistency, config.inverse_consistency_weight),
        ]
        .into_iter()
        .map(|(term, weight)| term.clone() * weight)
        .reduce(|sum, term| sum + term)
        .expect("there are terms")
    }

    /// All of them, in the order of their declaration.
    pub fn into_values(self) -> [Tensor<1>; 17] {
        [
            self.state_nll,
            self.code_nll,
            self.result_nll,
            self.cell_nll,
            self.cell_result_nll,
            self.nothing_nll,
            self.mmd_states,
            self.mmd_codes,
            self.isometry,
            self.neighbours,
            self.cover,
            self.saturation,
            self.inverse_nll,
            self.inner_nll,
            self.lines_nll,
            self.consistency,
            self.inverse_consistency,
        ]
    }
}
