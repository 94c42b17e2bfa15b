//! `requantize`.

use super::Compute;
use super::dot::place;
use super::rescale::rescale;
use crate::graph::{Clamp, Multiplier, Rounding, Tensor};

/// A table of every integer the input can hold.
pub(super) struct Requantize {
    lowest: i16,
    table: Vec<i16>,
}

impl Requantize {
    pub(super) fn new(
        (multiplier, rounding): (Multiplier, Rounding),
        clamp: Clamp,
        x: &Tensor,
        output: &Tensor,
    ) -> Requantize {
        let value = |q: i32| {
            let scaled = rescale(q - x.zero_point, multiplier, rounding);
            place(scaled, output.zero_point, clamp)
        };
        let table = (x.lowest()..=x.highest()).map(value).collect();
        Requantize { lowest: x.lowest() as i16, table }
    }
}

impl Compute for Requantize {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (result, &x) in output.iter_mut().zip(inputs[0]) {
            *result = self.table[(x - self.lowest) as usize];
        }
    }
}
