//! `concat`.

use super::Compute;
use crate::graph::Tensor;

/// Inputs in turns: as many elements of each as lie side by side.
pub(super) struct Concat {
    runs: Vec<usize>,
    together: usize,
}

impl Concat {
    pub(super) fn new(axis: usize, inputs: &[&Tensor], output: &Tensor) -> Concat {
        let run = |tensor: &&Tensor| tensor.shape[axis..].iter().product();
        let together = output.shape[axis..].iter().product();
        Concat { runs: inputs.iter().map(run).collect(), together }
    }
}

impl Compute for Concat {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (n, mut results) in output.chunks_exact_mut(self.together).enumerate() {
            for (x, &run) in inputs.iter().zip(&self.runs) {
                let (here, rest) = results.split_at_mut(run);
                here.copy_from_slice(&x[n * run..(n + 1) * run]);
                results = rest;
            }
        }
    }
}
