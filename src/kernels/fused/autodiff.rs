//! Registration of fused operations in burn's autodiff graph.

use std::fmt::Debug;

use burn::backend::{
    Autodiff, Backend, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, NodeGuard, Ops, OpsKind},
    },
    tensor::{FloatTensor, IntTensor},
};

use super::{Activation, Fused, FusedGradients, Heads};

/// Backward pass of an operation with N parents: their gradients, from the operation's state, its own gradient, and
/// whether each parent needs one.
type BackwardPass<B, S, const N: usize> =
    fn(S, FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N];

#[derive(Debug)]
struct Operation<B: Backend, S, const N: usize>(BackwardPass<B, S, N>);

impl<B, S, const N: usize> Backward<B, N> for Operation<B, S, N>
where
    B: Backend,
    S: Clone + Debug + Send + 'static,
{
    type State = S;

    fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let is_needed = ops.parents.each_ref().map(Option::is_some);
        let parent_grads = (self.0)(ops.state, grad, is_needed);
        for (parent, grad) in ops.parents.into_iter().zip(parent_grads) {
            if let (Some(parent), Some(grad)) = (parent, grad) {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

/// `output` as a node of the autodiff graph, with the `state` of its `backward` pass.
pub fn register<B, C, S, const N: usize>(
    parents: [NodeGuard; N],
    state: S,
    output: FloatTensor<B>,
    backward: BackwardPass<B, S, N>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    S: Clone + Debug + Send + 'static,
{
    let operation = Operation::<B, S, N>(backward).prepare::<C>(parents);
    match operation.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

impl<B: FusedGradients, C: CheckpointStrategy> Fused for Autodiff<B, C> {
    fn fused_activation(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let output = B::fused_activation(x.clone(), kind);
        register::<B, C, _, 1>([node], (x, kind), output, |(x, kind), grad, _| {
            [Some(B::fused_activation_backward(x, grad, kind))]
        })
    }

    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, node) = logits.into_parts();
        let (output, log_sums) = B::fused_cross_entropy(logits.clone(), classes.clone(), smoothing);
        let state = (logits, classes, log_sums.clone(), smoothing);
        let output = register::<B, C, _, 1>([node], state, output, |state, grad, _| {
            let (logits, classes, log_sums, smoothing) = state;
            let grad = B::fused_cross_entropy_backward(logits, classes, log_sums, grad, smoothing);
            [Some(grad)]
        });
        (output, FloatTensor::<Self>::new(log_sums))
    }

    fn fused_entropy(logits: FloatTensor<Self>) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(B::fused_entropy(logits.into_parts().0))
    }

    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (gamma, gamma_node), (beta, beta_node)] =
            [x, gamma, beta].map(FloatTensor::<Self>::into_parts);
        let output = B::fused_layer_norm(x.clone(), gamma.clone(), beta, epsilon);
        let (parents, state) = ([x_node, gamma_node, beta_node], (x, gamma, epsilon));
        register::<B, C, _, 3>(parents, state, output, |(x, gamma, epsilon), grad, _| {
            B::fused_layer_norm_backward(x, gamma, grad, epsilon).map(Some)
        })
    }

    fn fused_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (gamma, gamma_node)] = [x, gamma].map(FloatTensor::<Self>::into_parts);
        let output = B::fused_rms_norm(x.clone(), gamma.clone(), epsilon);
        let (parents, state) = ([x_node, gamma_node], (x, gamma, epsilon));
        register::<B, C, _, 2>(parents, state, output, |(x, gamma, epsilon), grad, _| {
            B::fused_rms_norm_backward(x, gamma, grad, epsilon).map(Some)
        })
    }

    fn fused_gather(x: FloatTensor<Self>, rows: IntTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let count = x.shape()[0];
        let output = B::fused_gather(x, rows.clone());
        register::<B, C, _, 1>([node], (rows, count), output, |(rows, count), grad, _| {
            [Some(B::fused_gather_backward(grad, rows, count))]
        })
    }

    fn fused_permute_rows(
        x: FloatTensor<Self>,
        permutation: IntTensor<Self>,
        inverse: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let output = B::fused_permute_rows(x, permutation.clone(), inverse.clone());
        let state = (permutation, inverse);
        register::<B, C, _, 1>([node], state, output, |(permutation, inverse), grad, _| {
            [Some(B::fused_permute_rows(grad, inverse, permutation))]
        })
    }

    fn fused_matmul(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        let [(left, left_node), (right, right_node)] =
            [left, right].map(FloatTensor::<Self>::into_parts);
        let output = B::fused_matmul(left.clone(), right.clone());
        let (parents, state) = ([left_node, right_node], (left, right));
        register::<B, C, _, 2>(parents, state, output, |(left, right), grad, is_needed| {
            let row_dim = grad.shape().num_dims() - 2;
            let transposed = |x| B::float_swap_dims(x, row_dim, row_dim + 1);
            [
                is_needed[0].then(|| B::fused_matmul(grad.clone(), transposed(right))),
                is_needed[1].then(|| B::fused_matmul(transposed(left), grad.clone())),
            ]
        })
    }

    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        heads: Heads,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let shape = bias.shape();
        let [
            (query, query_node),
            (key, key_node),
            (value, value_node),
            (bias, bias_node),
        ] = [query, key, value, bias].map(FloatTensor::<Self>::into_parts);
        let (output, weights) =
            B::fused_attention(query.clone(), key.clone(), value.clone(), bias, heads);
        let is_broadcast = |dim: &usize| shape[*dim] == 1 && weights.shape()[*dim] != 1;
        let broadcast: Vec<usize> = (0..4).filter(is_broadcast).collect();
        let parents = [query_node, key_node, value_node, bias_node];
        let state = (query, key, value, weights.clone(), heads, broadcast);
        let output = register::<B, C, _, 4>(parents, state, output, |state, grad, is_needed| {
            let (query, key, value, weights, heads, broadcast) = state;
            let [query, key, value, mut scores] =
                B::fused_attention_backward(query, key, value, weights, grad, heads);
            if is_needed[3] {
                scores = broadcast.into_iter().fold(scores, B::float_sum_dim);
            }
            [query, key, value, scores].map(Some)
        });
        (output, FloatTensor::<Self>::new(weights))
    }
}
