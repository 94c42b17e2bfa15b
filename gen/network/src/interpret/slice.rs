//! `slice`.

use super::Compute;
use crate::graph::Tensor;

/// A part of the input, in its order.
pub(super) struct Slice {
    begin: Vec<usize>,
    size: Vec<usize>,
    shape: Vec<usize>,
}

impl Slice {
    pub(super) fn new(begin: &[usize], size: &[usize], x: &Tensor) -> Slice {
        Slice { begin: begin.to_vec(), size: size.to_vec(), shape: x.shape.clone() }
    }

    /// Where the element of the input lies that becomes result `n`.
    fn place(&self, mut n: usize) -> usize {
        let (mut place, mut stride) = (0, 1);
        for axis in (0..self.shape.len()).rev() {
            place += (self.begin[axis] + n % self.size[axis]) * stride;
            n /= self.size[axis];
            stride *= self.shape[axis];
        }
        place
    }
}

impl Compute for Slice {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (n, result) in output.iter_mut().enumerate() {
            *result = inputs[0][self.place(n)];
        }
    }
}
