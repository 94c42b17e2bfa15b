//! What operators are made of: tensors, windows, weights, multipliers, bounds, and their checks.

mod change;
pub(crate) mod check;
mod clamp;
mod error;
mod linear;
mod multiplier;
mod numbers;
mod rescale;
mod sums;
mod tensor;
mod window;

pub(crate) use change::{Change, Rescaling};
pub use check::{
    MOST_BIASES, MOST_ELEMENTS, MOST_IN_ALL, MOST_LAYERS, MOST_NAME, MOST_WEIGHTS, SCALES,
};
pub use clamp::Clamp;
pub use error::{FileError, NetworkError};
pub use linear::Linear;
pub use multiplier::{Multiplier, Multipliers, Rounding};
pub use numbers::{Number, Numbers, Stored};
pub(crate) use rescale::mean;
pub use rescale::rescale;
pub use sums::Sums;
pub use tensor::Tensor;
pub use window::{Kernel, Pads, Window};
