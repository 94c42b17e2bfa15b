//! `pad`.

use super::Compute;
use hwgen_network::graph::Tensor;

/// The input's elements in their places, a value everywhere else.
pub(super) struct Pad {
    value: i16,
    /// Where each input element goes.
    places: Vec<usize>,
}

impl Pad {
    pub(super) fn new(before: &[usize], value: i32, x: &Tensor, output: &Tensor) -> Pad {
        let place = |n: usize| {
            let (mut rest, mut stride, mut place) = (n, 1, 0);
            for (axis, &size) in x.shape.iter().enumerate().rev() {
                place += (rest % size + before[axis]) * stride;
                stride *= output.shape[axis];
                rest /= size;
            }
            place
        };
        Pad { value: value as i16, places: (0..x.elements()).map(place).collect() }
    }
}

impl Compute for Pad {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        output.fill(self.value);
        for (&x, &place) in inputs[0].iter().zip(&self.places) {
            output[place] = x;
        }
    }
}
