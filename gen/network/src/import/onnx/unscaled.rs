//! A network's result in real numbers, which nothing quantizes: the sums of its last layer, with the real
//! values of their steps.

use super::convert::Conversion;
use super::linear::UNBOUNDED;
use super::node::broken;
use super::value::{Pending, Sums, What};
use crate::graph::{
    self, Clamp, Conv2d, FullyConnected, Linear, Multiplier, Operator, Rounding, SCALES, Tensor,
};
use crate::import::report::Problem;

impl Conversion<'_> {
    /// Adds the layer that makes the network's output `name`, and the tensor that it writes.
    pub(super) fn settle_sums(&mut self, pending: &Pending, name: &str) -> Result<usize, Problem> {
        if pending.bounds != UNBOUNDED {
            let problem = format!("`{name}` is clipped and not quantized");
            let rewrite = "leave the activation function to the host, or put a Quant on it";
            return Err(Problem::new(problem, rewrite));
        }
        let (What::Conv { sums, .. } | What::Dense { sums }) = &pending.what else {
            return Err(broken("it follows no layer with weights"));
        };
        self.count_weights(sums.weights.len())?;
        let x = self.tensors[pending.inputs[0]].clone();
        // a result without steps of its own
        let sums = sums.fitted(x.scale, 0.0);
        let (mut tensor, linear) = sums.unscaled(&x)?;
        (tensor.name, tensor.shape) = (name.to_owned(), pending.written.clone());
        let operator = match &pending.what {
            What::Conv { window, groups, .. } => {
                Operator::Conv2d(Conv2d { window: *window, groups: *groups, linear })
            }
            _ => Operator::FullyConnected(FullyConnected { linear }),
        };
        let number = self.push(pending.node, &pending.inputs, tensor, operator);
        self.reshape_to(number, pending)
    }
}

/// What a bias in single precision may be off that was a whole number of steps, of what it is.
const SINGLE: f64 = 4.0 * f32::EPSILON as f64;

impl Sums {
    /// The layer that leaves the sums of `x` as they are, and what it writes, yet without name and shape.
    fn unscaled(&self, x: &Tensor) -> Result<(Tensor, Linear), Problem> {
        let bias = self.biases(x.scale, false)?;
        let steps: Vec<f64> = self.scales.iter().map(|scale| x.scale * scale).collect();
        if let Some(n) = steps.iter().position(|step| !SCALES.contains(step)) {
            let problem = format!("output {n}'s sums have steps of {:e}", steps[n]);
            return Err(Problem::new(problem, "calibrate with data that reaches every layer"));
        }
        let whole = bias.iter().chain(std::iter::repeat(&0));
        let off = self.bias.iter().zip(&steps).zip(whole);
        let off = off.map(|((real, step), &whole)| {
            let off = (real - step * f64::from(whole)).abs();
            if off > real.abs() * SINGLE { off } else { 0.0 }
        });
        let off_by = off.fold(0.0, f64::max);
        let scale = steps.iter().copied().fold(0.0, f64::max);
        let alike = steps.iter().all(|&step| step == scale);
        let scales = if alike { Vec::new() } else { steps };
        let mut linear = Linear {
            bits: self.bits,
            shared: None,
            weights: self.weights.to_vec().into(),
            bias: bias.into(),
            multipliers: std::iter::once(Multiplier::ONE).collect(),
            rounding: Rounding::default(),
            clamp: Clamp { min: 0, max: 0 },
        };
        let tensor = Tensor {
            name: String::new(),
            shape: Vec::new(),
            bits: linear.sum_bits(self.scales.len(), x),
            signed: true,
            scale,
            zero_point: 0,
            sums: Some(graph::Sums { scales, off_by }),
        };
        linear.clamp = Clamp::of(&tensor);
        Ok((tensor, linear))
    }
}
