//! Operations of training that burn has not, or has not fast enough on a CPU: as an extension of its backends,
//! with gradients. Tensors are N, H, W, C.

mod backend;
mod gradients;
pub mod portable;

pub use backend::Kernels;

use crate::kernels::Window;
use crate::kernels::activate::Levels;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Windows of an image as rows: positions x (taps, channels).
pub fn unfold(x: Tensor<4>, window: Window) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::unfold(x.into_dispatch(), window))
}

/// A kernel a channel: `w` is taps x channels.
pub fn depthwise(x: Tensor<4>, w: Tensor<2>, window: Window) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::depthwise(x.into_dispatch(), w.into_dispatch(), window))
}

/// Batch normalization by the statistics of `x` itself.
pub fn normalize(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<4> {
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(Dispatch::normalize(x.into_dispatch(), gamma, beta))
}

/// Clipped to levels and rounded to them; `range` is a number, what the greatest level stands for.
pub fn activate(x: Tensor<4>, range: Tensor<1>, levels: Levels) -> Tensor<4> {
    let range = range.into_dispatch();
    Tensor::from_dispatch(Dispatch::activate(x.into_dispatch(), range, levels))
}
