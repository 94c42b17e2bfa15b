//! A quantized network, layer by layer, as `docs/network.md` defines it. One file an operator.
//!
//! ```
//! # use hwgen_network::zoo; use hwgen_network::interpret::Interpreter;
//! let network = zoo::kws_mini(1);
//! let mut golden = Interpreter::new(&network)?;
//! golden.run(&[&[0; 490]]);
//! assert_eq!(golden.tap("scores").unwrap().len(), 12);
//! # Ok::<(), hwgen_network::graph::NetworkError>(())
//! ```

mod add;
mod concat;
mod conv;
mod dot;
mod fully_connected;
mod lookup;
mod mat_mul;
mod mean;
mod pad;
mod pool;
mod requantize;
mod rescale;
mod slice;
mod softmax;

pub use rescale::rescale;

use crate::graph::{Layer, Network, NetworkError, Operator, State, Tensor};
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

/// One operator with its weights and tables.
trait Compute {
    /// Fills the output from the inputs.
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]);
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
            let compute = prepare(&layer.operator, &read, &tensors[output]);
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
            values: tensors.iter().map(|tensor| vec![0; tensor.elements()]).collect(),
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

    /// The value a tensor had in the latest run.
    pub fn tap(&self, name: &str) -> Option<&[i16]> {
        self.names.get(name).map(|&n| &self.values[n][..])
    }

    /// The values of the network's outputs in the latest run, in their order.
    pub fn outputs(&self) -> impl Iterator<Item = &[i16]> {
        self.outputs.iter().map(|&n| &self.values[n][..])
    }
}

fn prepare(operator: &Operator, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
    let x = inputs[0];
    match operator {
        Operator::Conv2d { window, groups, linear } if conv::is_depthwise(x, output, *groups) => {
            Box::new(conv::Depthwise::new(*window, linear, x, output))
        }
        Operator::Conv2d { window, groups, linear } => {
            Box::new(conv::Conv::new(*window, *groups, linear, x, output))
        }
        Operator::FullyConnected { linear } => {
            Box::new(fully_connected::FullyConnected::new(linear, x, output))
        }
        Operator::AveragePool2d { window, rounding, clamp } => {
            let windows = pool::Windows::new(*window, x, output);
            Box::new(pool::Average::new(windows, *rounding, *clamp, x))
        }
        Operator::MaxPool2d { window, clamp } => {
            Box::new(pool::Max(pool::Windows::new(*window, x, output), *clamp))
        }
        Operator::Mean { axes, multiplier, rounding, clamp, .. } => {
            Box::new(mean::Mean::new(axes, (*multiplier, *rounding), *clamp, x, output))
        }
        Operator::Add { left_shift, inputs: multipliers, multiplier, rounding, clamp } => {
            let rescaled = |n: usize| add::table(inputs[n], *left_shift, multipliers[n], *rounding);
            let inputs = [rescaled(0), rescaled(1)];
            let (multiplier, rounding, clamp) = (*multiplier, *rounding, *clamp);
            Box::new(add::Add {
                inputs,
                multiplier,
                rounding,
                zero_point: output.zero_point,
                clamp,
            })
        }
        Operator::MatMul { transpose, multiplier, rounding, clamp } => {
            let rescaling = (*multiplier, *rounding);
            let inputs = [x, inputs[1]];
            Box::new(mat_mul::MatMul::new(*transpose, rescaling, *clamp, inputs, output))
        }
        Operator::Requantize { multiplier, rounding, clamp } => {
            let rescaling = (*multiplier, *rounding);
            Box::new(requantize::Requantize::new(rescaling, *clamp, x, output))
        }
        Operator::Softmax { table, steps } => {
            Box::new(softmax::Softmax::new(table, *steps, x, output))
        }
        Operator::Lookup { table } => Box::new(lookup::Lookup::new(table, x)),
        Operator::Slice { begin, size } => Box::new(slice::Slice::new(begin, size, x)),
        Operator::Concat { axis } => Box::new(concat::Concat::new(*axis, inputs, output)),
        Operator::Pad { before, value, .. } => Box::new(pad::Pad::new(before, *value, x, output)),
        Operator::Reshape => Box::new(Same),
    }
}

/// `reshape`: the elements stay where they are.
struct Same;

impl Compute for Same {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        output.copy_from_slice(inputs[0]);
    }
}
