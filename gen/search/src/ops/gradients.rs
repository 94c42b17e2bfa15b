//! How gradients pass the operations.

use super::backend::Kernels;
use crate::kernels::Window;
use crate::kernels::activate::Levels;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn unfold(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let prepared = Unfold.prepare::<C>([node]).compute_bound().stateful();
        finish(prepared, window, B::unfold(x, window))
    }

    fn depthwise(x: FloatTensor<Self>, w: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        let ((x, node_x), (w, node_w)) = (x.into_parts(), w.into_parts());
        let prepared = Depthwise.prepare::<C>([node_x, node_w]).compute_bound().stateful();
        let y = B::depthwise(x.clone(), w.clone(), window);
        finish(prepared, (x, w, window), y)
    }

    fn normalize(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((x, node_x), (gamma, node_gamma), (beta, node_beta)) =
            (x.into_parts(), gamma.into_parts(), beta.into_parts());
        let nodes = [node_x, node_gamma, node_beta];
        let prepared = Normalize.prepare::<C>(nodes).compute_bound().stateful();
        let y = B::normalize(x.clone(), gamma.clone(), beta);
        finish(prepared, (x, gamma), y)
    }

    fn activate(
        x: FloatTensor<Self>,
        range: FloatTensor<Self>,
        levels: Levels,
    ) -> FloatTensor<Self> {
        let ((x, node_x), (range, node_range)) = (x.into_parts(), range.into_parts());
        let prepared = Activate.prepare::<C>([node_x, node_range]).compute_bound().stateful();
        let y = B::activate(x.clone(), range.clone(), levels);
        finish(prepared, (x, range, levels), y)
    }

    fn fold(_: FloatTensor<Self>, _: Window) -> FloatTensor<Self> {
        once()
    }

    fn depthwise_input(_: FloatTensor<Self>, _: FloatTensor<Self>, _: Window) -> FloatTensor<Self> {
        once()
    }

    fn depthwise_weights(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Window,
    ) -> FloatTensor<Self> {
        once()
    }

    fn normalize_back(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        once()
    }

    fn activate_back(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Levels,
    ) -> FloatTensor<Self> {
        once()
    }
}

/// Gradients are taken once: nobody asks for those of gradients.
fn once() -> ! {
    unreachable!("gradients of gradients are not there")
}

fn finish<B, O, S, C, const N: usize>(
    prepared: OpsKind<O, B, S, C, N>,
    state: S,
    y: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    S: Clone + Send + std::fmt::Debug + 'static,
    O: Backward<B, N, State = S>,
{
    match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct Unfold;

impl<B: Kernels> Backward<B, 1> for Unfold {
    type State = Window;

    fn backward(self, ops: Ops<Window, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops.parents, ops.node, grads, |g| B::fold(g, ops.state));
    }
}

#[derive(Debug)]
struct Depthwise;

impl<B: Kernels> Backward<B, 2> for Depthwise {
    type State = (FloatTensor<B>, FloatTensor<B>, Window);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, w, window) = ops.state;
        binary::<B, _, _>(
            ops.parents,
            ops.node,
            grads,
            |g| B::depthwise_input(g, w, window),
            |g| B::depthwise_weights(x, g, window),
        );
    }
}

#[derive(Debug)]
struct Normalize;

impl<B: Kernels> Backward<B, 3> for Normalize {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, gamma) = ops.state;
        let [shape, channels] = [x.shape(), gamma.shape()];
        let g = grads.consume::<B>(&ops.node);
        let all = B::normalize_back(x, gamma, g);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        split::<B, 3>(all, [shape, channels.clone(), channels], parents, grads);
    }
}

#[derive(Debug)]
struct Activate;

impl<B: Kernels> Backward<B, 2> for Activate {
    type State = (FloatTensor<B>, FloatTensor<B>, Levels);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, range, levels) = ops.state;
        let shapes = [x.shape(), range.shape()];
        let g = grads.consume::<B>(&ops.node);
        let all = B::activate_back(x, range, g, levels);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        split::<B, 2>(all, shapes, parents, grads);
    }
}

/// Hands each parent its part of gradients that lie one behind the other.
fn split<B: Backend, const N: usize>(
    all: FloatTensor<B>,
    shapes: [burn::tensor::Shape; N],
    parents: [Option<NodeId>; N],
    grads: &mut Gradients,
) {
    let mut first = 0;
    for (shape, parent) in shapes.into_iter().zip(parents) {
        let count = shape.num_elements();
        if let Some(parent) = parent {
            let part = B::float_slice(all.clone(), &[(first..first + count).into()]);
            grads.register::<B>(parent, B::float_reshape(part, shape));
        }
        first += count;
    }
}
