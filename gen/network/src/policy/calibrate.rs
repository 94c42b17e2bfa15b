//! What tensors hold: numbers of runs on inputs that stand for all.

use crate::graph::{Network, NetworkError, Tensor};
use crate::interpret::Interpreter;
use std::collections::BTreeMap;

/// How often each integer stood in a tensor, and what its channels held.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// From the tensor's lowest integer on.
    pub(super) counts: Vec<u64>,
    /// Of each channel, above the zero point: the sum, and the sum of squares.
    sums: Vec<[f64; 2]>,
    elements: f64,
}

impl Seen {
    fn nothing(tensor: &Tensor) -> Seen {
        let channels = tensor.image()[2];
        Seen { counts: vec![0; 1 << tensor.bits], sums: vec![[0.0; 2]; channels], elements: 0.0 }
    }

    fn add(&mut self, tensor: &Tensor, values: &[i16]) {
        for row in values.chunks(self.sums.len()) {
            for (&value, [sum, squares]) in row.iter().zip(&mut self.sums) {
                self.counts[(i32::from(value) - tensor.lowest()) as usize] += 1;
                let above = f64::from(i32::from(value) - tensor.zero_point);
                *sum += above;
                *squares += above * above;
            }
            self.elements += 1.0;
        }
    }

    pub(super) fn channels(&self) -> usize {
        self.sums.len()
    }

    /// The mean of a channel, and of its squares.
    pub(super) fn of_channel(&self, channel: usize) -> [f64; 2] {
        self.sums[channel].map(|sum| sum / self.elements.max(1.0))
    }
}

/// What a network's tensors held in some runs: what a policy chooses ranges by.
#[derive(Debug, Clone)]
pub struct Calibration {
    pub(super) tensors: BTreeMap<String, Seen>,
}

impl Calibration {
    /// Runs the network on some inputs, each a value for every input that is given from outside.
    ///
    /// # Errors
    /// A network that does not run.
    ///
    /// # Panics
    /// If an input has another length than its tensor.
    pub fn new(network: &Network, inputs: &[Vec<Vec<i16>>]) -> Result<Calibration, NetworkError> {
        let mut interpreter = Interpreter::new(network)?;
        let mut tensors: BTreeMap<_, _> = network
            .tensors
            .iter()
            .map(|tensor| (tensor.name.clone(), Seen::nothing(tensor)))
            .collect();
        for input in inputs {
            interpreter.next(&input.iter().map(|values| &values[..]).collect::<Vec<_>>());
            for tensor in &network.tensors {
                let seen = tensors.get_mut(&tensor.name).zip(interpreter.tap(&tensor.name));
                if let Some((seen, values)) = seen {
                    seen.add(tensor, values);
                }
            }
        }
        Ok(Calibration { tensors })
    }
}
