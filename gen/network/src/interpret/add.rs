//! `add`.

use super::Compute;
use super::dot::place;
use super::rescale::rescale;
use crate::graph::{Clamp, Multiplier, Rounding, Tensor};

/// Every integer of an input, rescaled: index 0 is the lowest.
pub(super) struct Table {
    lowest: i32,
    values: Vec<i32>,
}

/// `M((x - x0) << left_shift)` of every integer a tensor can hold.
pub(super) fn table(x: &Tensor, left_shift: u32, multiplier: Multiplier, r: Rounding) -> Table {
    let value = |integer: i32| rescale((integer - x.zero_point) << left_shift, multiplier, r);
    Table { lowest: x.lowest(), values: (x.lowest()..=x.highest()).map(value).collect() }
}

impl Table {
    pub(super) fn of(&self, x: i16) -> i32 {
        self.values[(i32::from(x) - self.lowest) as usize]
    }
}

/// Two tensors of one shape, element by element.
pub(super) struct Add {
    pub(super) inputs: [Table; 2],
    pub(super) multiplier: Multiplier,
    pub(super) rounding: Rounding,
    pub(super) zero_point: i32,
    pub(super) clamp: Clamp,
}

impl Compute for Add {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let pairs = inputs[0].iter().zip(inputs[1]);
        for (result, (&x, &y)) in output.iter_mut().zip(pairs) {
            let sum = self.inputs[0].of(x) + self.inputs[1].of(y);
            let scaled = rescale(sum, self.multiplier, self.rounding);
            *result = place(scaled, self.zero_point, self.clamp);
        }
    }
}
