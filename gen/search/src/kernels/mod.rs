//! What training spends its time in, on plain slices: rows of channels lie innermost (N, H, W, C), so that all
//! of them run along channels. Sums are taken in a fixed order and without fused multiply-adds: a result depends
//! neither on threads nor on how wide a processor's registers are.
//!
//! - [`depthwise`]: a filter a channel; [`unfold`]: windows as rows, which a matrix product makes a convolution.
//! - [`normalize`]: batch normalization; [`activate`]: clipped and rounded activations.

pub mod activate;
pub mod depthwise;
pub mod normalize;
pub mod unfold;
mod window;

pub use window::Window;

/// Runs a loop with the widest registers that the processor has.
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Channels that stay in registers while a window passes.
pub(crate) const LANES: usize = 16;
