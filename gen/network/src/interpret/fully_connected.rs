//! `fully_connected`.

use super::Compute;
use super::dot::{Finish, center, dot};
use crate::graph::{Linear, Tensor};

/// Each row of the input against each row of weights.
pub(super) struct FullyConnected {
    weights: Vec<i16>,
    units: usize,
    finish: Finish,
    zero_point: i32,
    centered: Vec<i16>,
}

impl FullyConnected {
    pub(super) fn new(linear: &Linear, x: &Tensor, output: &Tensor) -> FullyConnected {
        FullyConnected {
            weights: linear.weights.iter().map(|&w| linear.read(w).into()).collect(),
            units: output.image()[2],
            finish: Finish::new(linear, output),
            zero_point: x.zero_point,
            centered: Vec::new(),
        }
    }
}

impl Compute for FullyConnected {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        center(inputs[0], self.zero_point, &mut self.centered);
        let length = self.weights.len() / self.units;
        let rows = self.centered.chunks_exact(length).zip(output.chunks_exact_mut(self.units));
        for (x, results) in rows {
            let weights = self.weights.chunks_exact(length);
            for (unit, (result, w)) in results.iter_mut().zip(weights).enumerate() {
                *result = self.finish.apply(unit, dot(x, w));
            }
        }
    }
}
