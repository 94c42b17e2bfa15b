//! `mat_mul`.

use super::Compute;
use super::dot::{center, dot, place};
use super::rescale::rescale;
use crate::graph::{Clamp, Multiplier, Rounding, Tensor};

/// Rows of the first against columns of the second, or against its rows.
pub(super) struct MatMul {
    transpose: bool,
    inner: usize,
    columns: usize,
    multiplier: Multiplier,
    rounding: Rounding,
    clamp: Clamp,
    zero_points: [i32; 3],
    x: Vec<i16>,
    y: Vec<i16>,
    /// The second matrix by columns.
    turned: Vec<i16>,
}

impl MatMul {
    pub(super) fn new(
        transpose: bool,
        (multiplier, rounding): (Multiplier, Rounding),
        clamp: Clamp,
        inputs: [&Tensor; 2],
        output: &Tensor,
    ) -> MatMul {
        let [x, y] = inputs;
        MatMul {
            transpose,
            inner: x.image()[2],
            columns: output.image()[2],
            multiplier,
            rounding,
            clamp,
            zero_points: [x.zero_point, y.zero_point, output.zero_point],
            x: Vec::new(),
            y: Vec::new(),
            turned: Vec::new(),
        }
    }
}

impl Compute for MatMul {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let MatMul { inner, columns, zero_points, x, y, turned, .. } = self;
        center(inputs[0], zero_points[0], x);
        center(inputs[1], zero_points[1], y);
        if !self.transpose {
            turned.clear();
            turned.extend((0..y.len()).map(|n| y[n % *inner * *columns + n / *inner]));
            std::mem::swap(y, turned);
        }
        for (row, results) in x.chunks_exact(*inner).zip(output.chunks_exact_mut(*columns)) {
            for (result, column) in results.iter_mut().zip(y.chunks_exact(*inner)) {
                let scaled = rescale(dot(row, column), self.multiplier, self.rounding);
                *result = place(scaled, zero_points[2], self.clamp);
            }
        }
    }
}
