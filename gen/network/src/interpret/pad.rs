//! `pad`.

use super::Compute;
use crate::graph::Tensor;

/// The input's elements in their places, a value everywhere else.
pub(super) struct Pad {
    value: i16,
    before: Vec<usize>,
    /// Of the input, and of the output.
    shapes: [Vec<usize>; 2],
}

impl Pad {
    pub(super) fn new(before: &[usize], value: i32, x: &Tensor, output: &Tensor) -> Pad {
        let shapes = [x.shape.clone(), output.shape.clone()];
        Pad { value: value as i16, before: before.to_vec(), shapes }
    }

    /// Where input element `n` goes.
    fn place(&self, n: usize) -> usize {
        let [from, to] = &self.shapes;
        let (mut rest, mut stride, mut place) = (n, 1, 0);
        for (axis, &size) in from.iter().enumerate().rev() {
            place += (rest % size + self.before[axis]) * stride;
            stride *= to[axis];
            rest /= size;
        }
        place
    }
}

impl Compute for Pad {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        output.fill(self.value);
        for (n, &x) in inputs[0].iter().enumerate() {
            output[self.place(n)] = x;
        }
    }
}
