//! Checks that all parts share, and how much a network may hold.

use super::{NetworkError, Tensor};
use std::ops::RangeInclusive;

/// Most tensors, and most layers.
pub const MOST_LAYERS: usize = 4096;
/// Most elements of a tensor.
pub const MOST_ELEMENTS: usize = 1 << 24;
/// Most elements of all tensors together.
pub const MOST_IN_ALL: usize = 1 << 26;
/// Most weights of all layers together.
pub const MOST_WEIGHTS: usize = 1 << 26;
/// Most biases, and most multipliers, of all layers together.
pub const MOST_BIASES: usize = 1 << 22;
/// Most bytes of a name.
pub const MOST_NAME: usize = 1024;
/// Scales of tensors; beyond, single precision has no room for products of them.
pub const SCALES: RangeInclusive<f64> = 1e-18..=1e18;

pub(crate) type Result<T> = std::result::Result<T, NetworkError>;

/// Operators that only move elements cannot change what they mean.
pub(crate) fn same_kind(place: &str, x: &Tensor, output: &Tensor) -> Result<()> {
    let kind = |tensor: &Tensor| (tensor.bits, tensor.signed, tensor.zero_point);
    if kind(x) == kind(output) && x.sums == output.sums {
        return Ok(());
    }
    let problem = format!(
        "`{}` and `{}` differ in bits, sign or zero point: requantize first",
        x.name, output.name
    );
    Err(NetworkError::Shape { place: place.to_owned(), problem })
}

/// A sum of this magnitude fits the accumulator.
pub(crate) fn fits(place: &str, reach: i64) -> Result<()> {
    if reach <= i32::MAX.into() {
        return Ok(());
    }
    Err(NetworkError::Overflow { place: place.to_owned(), reach })
}

/// A value is in its range.
pub(crate) fn within(
    place: &str,
    field: &str,
    value: i64,
    lowest: i64,
    highest: i64,
) -> Result<()> {
    if (lowest..=highest).contains(&value) {
        return Ok(());
    }
    let range =
        if lowest == highest { lowest.to_string() } else { format!("{lowest} to {highest}") };
    Err(NetworkError::out_of_range(place, field, value, range))
}

/// A list has some entries, and not too many.
pub(crate) fn count(place: &str, field: &str, length: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(NetworkError::wrong_length(place, field, length, format!("1 to {most}")))
}
