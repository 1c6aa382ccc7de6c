//! Registration of fused operations in burn's autodiff graph.

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

/// `output` as a node of the autodiff graph, with `operation` and its `state` for the backward pass.
pub fn register<B, C, O, const N: usize>(
    operation: O,
    parents: [NodeGuard; N],
    state: O::State,
    output: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    O: Backward<B, N>,
{
    match operation.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

/// Registers the gradients of an operation's parents, in their order: `backward` of its state and its own gradient.
pub fn accumulate<B: Backend, S, const N: usize>(
    ops: Ops<S, N>,
    grads: &mut Gradients,
    backward: impl FnOnce(S, FloatTensor<B>) -> [FloatTensor<B>; N],
) {
    let grad = grads.consume::<B>(&ops.node);
    for (parent, grad) in ops.parents.into_iter().zip(backward(ops.state, grad)) {
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, grad);
        }
    }
}

#[derive(Debug)]
struct ActivationGrad;

impl<B: FusedGradients> Backward<B, 1> for ActivationGrad {
    type State = (FloatTensor<B>, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 1>(ops, grads, |(x, kind), grad| {
            [B::fused_activation_backward(x, grad, kind)]
        });
    }
}

#[derive(Debug)]
struct CrossEntropyGrad;

impl<B: FusedGradients> Backward<B, 1> for CrossEntropyGrad {
    type State = (FloatTensor<B>, IntTensor<B>, FloatTensor<B>, f32);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 1>(
            ops,
            grads,
            |(logits, classes, log_sums, smoothing), grad| {
                [B::fused_cross_entropy_backward(
                    logits, classes, log_sums, grad, smoothing,
                )]
            },
        );
    }
}

#[derive(Debug)]
struct LayerNormGrad;

impl<B: FusedGradients> Backward<B, 3> for LayerNormGrad {
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 3>(ops, grads, |(x, gamma, epsilon), grad| {
            B::fused_layer_norm_backward(x, gamma, grad, epsilon).into()
        });
    }
}

#[derive(Debug)]
struct RmsNormGrad;

impl<B: FusedGradients> Backward<B, 2> for RmsNormGrad {
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 2>(ops, grads, |(x, gamma, epsilon), grad| {
            B::fused_rms_norm_backward(x, gamma, grad, epsilon).into()
        });
    }
}

#[derive(Debug)]
struct GatherGrad;

impl<B: FusedGradients> Backward<B, 1> for GatherGrad {
    type State = (IntTensor<B>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 1>(ops, grads, |(rows, count), grad| {
            [B::fused_gather_backward(grad, rows, count)]
        });
    }
}

#[derive(Debug)]
struct PermuteRowsGrad;

impl<B: FusedGradients> Backward<B, 1> for PermuteRowsGrad {
    /// The permutation and its inverse.
    type State = [IntTensor<B>; 2];

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        accumulate::<B, _, 1>(ops, grads, |[permutation, inverse], grad| {
            [B::fused_permute_rows(grad, inverse, permutation)]
        });
    }
}

#[derive(Debug)]
struct MatmulGrad;

impl<B: FusedGradients> Backward<B, 2> for MatmulGrad {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let ([left_node, right_node], (left, right)) = (ops.parents, ops.state);
        let row_dim = grad.shape().num_dims() - 2;
        if let Some(node) = left_node {
            let right = B::float_swap_dims(right, row_dim, row_dim + 1);
            grads.register::<B>(node.id, B::fused_matmul(grad.clone(), right));
        }
        if let Some(node) = right_node {
            let left = B::float_swap_dims(left, row_dim, row_dim + 1);
            grads.register::<B>(node.id, B::fused_matmul(left, grad));
        }
    }
}

#[derive(Debug)]
struct AttentionGrad;

/// Tensors that attention's backward pass needs.
#[derive(Clone, Debug)]
struct AttentionState<T> {
    query: T,
    key: T,
    value: T,
    attention_weights: T,
    heads: Heads,
    /// Dimensions along which the bias is broadcast.
    broadcast: Vec<usize>,
}

impl<B: FusedGradients> Backward<B, 4> for AttentionGrad {
    type State = AttentionState<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let needs_bias_grad = ops.parents[3].is_some();
        accumulate::<B, _, 4>(ops, grads, |state, grad| {
            let (query, key, value, mut scores) = B::fused_attention_backward(
                state.query,
                state.key,
                state.value,
                state.attention_weights,
                grad,
                state.heads,
            );
            if needs_bias_grad {
                let broadcast = state.broadcast.into_iter();
                scores = broadcast.fold(scores, |scores, dim| B::float_sum_dim(scores, dim));
            }
            [query, key, value, scores]
        });
    }
}

impl<B: FusedGradients, C: CheckpointStrategy> Fused for Autodiff<B, C> {
    fn fused_activation(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let output = B::fused_activation(x.clone(), kind);
        register::<B, C, _, 1>(ActivationGrad, [node], (x, kind), output)
    }

    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, node) = logits.into_parts();
        let (output, log_sums) = B::fused_cross_entropy(logits.clone(), classes.clone(), smoothing);
        let state = (logits, classes, log_sums.clone(), smoothing);
        let output = register::<B, C, _, 1>(CrossEntropyGrad, [node], state, output);
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
        let parents = [x_node, gamma_node, beta_node];
        register::<B, C, _, 3>(LayerNormGrad, parents, (x, gamma, epsilon), output)
    }

    fn fused_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (gamma, gamma_node)] = [x, gamma].map(FloatTensor::<Self>::into_parts);
        let output = B::fused_rms_norm(x.clone(), gamma.clone(), epsilon);
        register::<B, C, _, 2>(
            RmsNormGrad,
            [x_node, gamma_node],
            (x, gamma, epsilon),
            output,
        )
    }

    fn fused_gather(x: FloatTensor<Self>, rows: IntTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let count = x.shape()[0];
        let output = B::fused_gather(x, rows.clone());
        register::<B, C, _, 1>(GatherGrad, [node], (rows, count), output)
    }

    fn fused_permute_rows(
        x: FloatTensor<Self>,
        permutation: IntTensor<Self>,
        inverse: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let output = B::fused_permute_rows(x, permutation.clone(), inverse.clone());
        register::<B, C, _, 1>(PermuteRowsGrad, [node], [permutation, inverse], output)
    }

    fn fused_matmul(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        let [(left, left_node), (right, right_node)] =
            [left, right].map(FloatTensor::<Self>::into_parts);
        let output = B::fused_matmul(left.clone(), right.clone());
        register::<B, C, _, 2>(MatmulGrad, [left_node, right_node], (left, right), output)
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
        let (output, attention_weights) =
            B::fused_attention(query.clone(), key.clone(), value.clone(), bias, heads);
        let broadcast =
            (0..4).filter(|&dim| shape[dim] == 1 && attention_weights.shape()[dim] != 1);
        let state = AttentionState {
            query,
            key,
            value,
            attention_weights: attention_weights.clone(),
            heads,
            broadcast: broadcast.collect(),
        };
        let parents = [query_node, key_node, value_node, bias_node];
        let output = register::<B, C, _, 4>(AttentionGrad, parents, state, output);
        (output, FloatTensor::<Self>::new(attention_weights))
    }
}
