//! A quantized network, layer by layer, as `docs/network.md` defines it; each operator says what it
//! computes.
//!
//! ```
//! # use hwgen_network::zoo; use hwgen_network::interpret::Interpreter;
//! let network = zoo::kws_mini(1);
//! let mut golden = Interpreter::new(&network)?;
//! golden.run(&[&[0; 490]]);
//! assert_eq!(golden.tap("scores").unwrap().len(), 12);
//! # Ok::<(), hwgen_network::graph::NetworkError>(())
//! ```

pub use crate::basics::rescale;

use crate::graph::{Layer, Network, NetworkError, State, Tensor};
use crate::operators::Compute;
use std::collections::BTreeMap;

/// A network ready to run, and every tensor's value of the latest run.
pub struct Interpreter {
    names: BTreeMap<String, usize>,
    values: Vec<Vec<i16>>,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    steps: Vec<Step>,
    states: Vec<Kept>,
}

/// A state: the places of its input and of its output.
struct Kept {
    input: usize,
    output: usize,
    initial: i16,
}

/// A layer, made ready.
struct Step {
    inputs: Vec<usize>,
    output: usize,
    compute: Box<dyn Compute>,
}

impl Interpreter {
    /// Checks a network and makes it ready.
    ///
    /// # Errors
    /// What the checks find.
    pub fn new(network: &Network) -> Result<Interpreter, NetworkError> {
        network.validate()?;
        let tensors = &network.tensors;
        let names: BTreeMap<String, usize> =
            tensors.iter().enumerate().map(|(n, tensor)| (tensor.name.clone(), n)).collect();
        let places = |of: &[String]| of.iter().map(|name| names[name]).collect::<Vec<usize>>();
        let step = |layer: &Layer| {
            let (inputs, output) = (places(&layer.inputs), names[&layer.output]);
            let read: Vec<&Tensor> = inputs.iter().map(|&n| &tensors[n]).collect();
            let compute = layer.operator.known().prepare(&read, &tensors[output]);
            Step { inputs, output, compute }
        };
        let kept = |state: &State| Kept {
            input: names[&state.input],
            output: names[&state.output],
            initial: state.initial as i16,
        };
        let states = network.states.iter().map(kept).collect();
        let mut interpreter = Interpreter {
            states,
            values: tensors.iter().map(|tensor| vec![0; tensor.stored()]).collect(),
            inputs: places(&network.inputs),
            outputs: places(&network.outputs),
            steps: network.layers.iter().map(step).collect(),
            names,
        };
        interpreter.restart();
        Ok(interpreter)
    }

    /// Gives all states their first values.
    pub fn restart(&mut self) {
        // what the next run takes are the outputs of the one before
        for Kept { output, initial, .. } in &self.states {
            self.values[*output].fill(*initial);
        }
    }

    /// Runs the network on the inputs that are given, in their order; its states are those that the
    /// run before left. Returns all inputs, states among them, one after the other.
    ///
    /// # Panics
    /// As [`Interpreter::run`].
    pub fn next(&mut self, given: &[&[i16]]) -> Vec<i16> {
        let kept: Vec<_> =
            self.states.iter().map(|state| self.values[state.output].clone()).collect();
        let mut given = given.iter().copied();
        let mut inputs: Vec<&[i16]> = vec![];
        for place in &self.inputs {
            let state = self.states.iter().position(|state| state.input == *place);
            inputs.extend(state.map_or_else(|| given.next(), |state| Some(&kept[state])));
        }
        assert!(given.next().is_none(), "one value for each input of the network that is given");
        self.run(&inputs);
        inputs.concat()
    }

    /// Runs the network on its inputs, in their order.
    ///
    /// # Panics
    /// If there are too few inputs, or one has another length than its tensor.
    pub fn run(&mut self, inputs: &[&[i16]]) {
        for (&place, input) in self.inputs.iter().zip(inputs) {
            self.values[place].copy_from_slice(input);
        }
        assert_eq!(self.inputs.len(), inputs.len(), "one value for each input of the network");
        for step in &mut self.steps {
            let mut output = std::mem::take(&mut self.values[step.output]);
            let inputs: Vec<&[i16]> = step.inputs.iter().map(|&n| &self.values[n][..]).collect();
            step.compute.run(&inputs, &mut output);
            self.values[step.output] = output;
        }
    }

    /// The value a tensor had in the latest run; of sums their bytes, see [`Tensor::integers`].
    pub fn tap(&self, name: &str) -> Option<&[i16]> {
        self.names.get(name).map(|&n| &self.values[n][..])
    }

    /// The values of the network's outputs in the latest run, in their order.
    pub fn outputs(&self) -> impl Iterator<Item = &[i16]> {
        self.outputs.iter().map(|&n| &self.values[n][..])
    }
}
