//! `softmax`.

use super::Compute;
use crate::graph::{Clamp, Tensor};

/// Shares of a row's weights, in steps.
pub(super) struct Softmax {
    table: Vec<i32>,
    steps: u32,
    row: usize,
    zero_point: i32,
    clamp: Clamp,
}

impl Softmax {
    pub(super) fn new(table: &[i32], steps: u32, x: &Tensor, output: &Tensor) -> Softmax {
        let (table, row) = (table.to_vec(), x.image()[2]);
        let (zero_point, clamp) = (output.zero_point, Clamp::of(output));
        Softmax { table, steps, row, zero_point, clamp }
    }
}

impl Compute for Softmax {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let rows = inputs[0].chunks_exact(self.row).zip(output.chunks_exact_mut(self.row));
        for (row, results) in rows {
            let largest = row.iter().max().copied().unwrap_or(0);
            let weight = |x: i16| i64::from(self.table[(largest - x) as usize]);
            let sum: i64 = row.iter().map(|&x| weight(x)).sum();
            for (result, &x) in results.iter_mut().zip(row) {
                // halves up: floor(steps * weight / sum + 1 / 2)
                let share = (2 * i64::from(self.steps) * weight(x) + sum) / (2 * sum);
                *result = self.clamp.apply(share as i32 + self.zero_point) as i16;
            }
        }
    }
}
