//! `mean`.

use super::Compute;
use super::dot::place;
use super::rescale::rescale;
use hwgen_network::graph::{Clamp, Multiplier, Rounding, Tensor};

/// Sums over some axes, rescaled.
pub(super) struct Mean {
    /// The result each input element goes into.
    target: Vec<usize>,
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
        let target = |n: usize| {
            let (mut rest, mut stride, mut target) = (n, 1, 0);
            for (axis, &size) in x.shape.iter().enumerate().rev() {
                if !axes.contains(&axis) {
                    target += rest % size * stride;
                    stride *= size;
                }
                rest /= size;
            }
            target
        };
        Mean {
            target: (0..x.elements()).map(target).collect(),
            sums: vec![0; output.elements()],
            multiplier,
            rounding,
            clamp,
            zero_points: [x.zero_point, output.zero_point],
        }
    }
}

impl Compute for Mean {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let [before, after] = self.zero_points;
        self.sums.fill(0);
        for (&x, &target) in inputs[0].iter().zip(&self.target) {
            self.sums[target] += i32::from(x) - before;
        }
        for (result, &sum) in output.iter_mut().zip(&self.sums) {
            let scaled = rescale(sum, self.multiplier, self.rounding);
            *result = place(scaled, after, self.clamp);
        }
    }
}
