//! `mean`.

use super::Compute;
use super::dot::place;
use super::rescale::rescale;
use crate::graph::{Clamp, Multiplier, Rounding, Tensor};

/// Sums over some axes, rescaled.
pub(super) struct Mean {
    axes: Vec<usize>,
    shape: Vec<usize>,
    sums: Vec<i32>,
    multiplier: Multiplier,
    rounding: Rounding,
    clamp: Clamp,
    zero_points: [i32; 2],
}

impl Mean {
    pub(super) fn new(
        axes: &[usize],
        (multiplier, rounding): (Multiplier, Rounding),
        clamp: Clamp,
        x: &Tensor,
        output: &Tensor,
    ) -> Mean {
        Mean {
            axes: axes.to_vec(),
            shape: x.shape.clone(),
            sums: vec![0; output.elements()],
            multiplier,
            rounding,
            clamp,
            zero_points: [x.zero_point, output.zero_point],
        }
    }

    /// The result that input element `n` goes into.
    fn target(&self, n: usize) -> usize {
        let (mut rest, mut stride, mut target) = (n, 1, 0);
        for (axis, &size) in self.shape.iter().enumerate().rev() {
            if !self.axes.contains(&axis) {
                target += rest % size * stride;
                stride *= size;
            }
            rest /= size;
        }
        target
    }
}

impl Compute for Mean {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let [before, after] = self.zero_points;
        self.sums.fill(0);
        for (n, &x) in inputs[0].iter().enumerate() {
            let target = self.target(n);
            self.sums[target] += i32::from(x) - before;
        }
        for (result, &sum) in output.iter_mut().zip(&self.sums) {
            let scaled = rescale(sum, self.multiplier, self.rounding);
            *result = place(scaled, after, self.clamp);
        }
    }
}
