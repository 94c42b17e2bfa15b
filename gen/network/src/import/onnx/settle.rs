//! A result, once it is known how it is quantized, becomes a layer.

use super::affine::ONE;
use super::convert::Conversion;
use super::linear::UNBOUNDED;
use super::value::{ONNX_ROUNDING, Pending, Quantization, Sums, What};
use crate::graph::{
    self, Add, AveragePool2d, Clamp, Concat, Conv2d, FullyConnected, Layer, Linear, Lookup, MatMul,
    Mean, Multiplier, Multipliers, Operator, Pad, Requantize, Reshape, Rounding, Softmax,
    softmax_table,
};
use crate::import::report::Problem;

/// Bits that an addition gains before it rescales, as in TFLite.
const ADD_LEFT_SHIFT: u32 = 20;

impl Conversion<'_> {
    /// Adds the layer and the tensor that it writes.
    pub(super) fn settle(
        &mut self,
        pending: &Pending,
        to: Quantization,
        name: &str,
    ) -> Result<usize, Problem> {
        let Quantization { scale, zero_point, bits, signed, rounding, .. } = to;
        let shape = pending.written.clone();
        let tensor = graph::Tensor {
            name: name.to_owned(),
            shape,
            bits,
            signed,
            scale,
            zero_point,
            sums: None,
        };
        if !(tensor.lowest()..=tensor.highest()).contains(&zero_point) {
            let problem = format!(
                "its zero point is {zero_point}: must be {} to {}",
                tensor.lowest(),
                tensor.highest()
            );
            return Err(Problem::new(problem, "choose a zero point that its bits can hold"));
        }
        let clamp = clamp(pending.bounds, to, &tensor);
        let operator = match &pending.what {
            What::Input { name } => {
                let number = self.settle_input(name, pending, to, tensor)?;
                return self.reshape_to(number, pending);
            }
            What::Conv { window, groups, sums } => {
                self.count_weights(sums.weights.len())?;
                let from = self.tensors[pending.inputs[0]].scale;
                let linear = sums.fitted(from, to.scale).linear(from, to, clamp)?;
                Operator::Conv2d(Conv2d { window: *window, groups: *groups, linear })
            }
            What::Dense { sums } => {
                self.count_weights(sums.weights.len())?;
                let from = self.tensors[pending.inputs[0]].scale;
                let linear = sums.fitted(from, to.scale).linear(from, to, clamp)?;
                Operator::FullyConnected(FullyConnected { linear })
            }
            What::Mean { axes, keep, count } => {
                let from = self.tensors[pending.inputs[0]].scale;
                let multiplier = multiplier(from / scale / *count as f64)?;
                Operator::Mean(Mean {
                    axes: axes.clone(),
                    keep: *keep,
                    multiplier,
                    rounding,
                    clamp,
                })
            }
            What::Average { window } => {
                if !self.is(pending.inputs[0], to) {
                    let problem = "its input and output differ in scale, and what is outside the image does not count";
                    return Err(Problem::new(problem, "quantize both alike, or pad before it"));
                }
                Operator::AveragePool2d(AveragePool2d { window: *window, rounding, clamp })
            }
            What::Add => {
                let [x, y] = [0, 1].map(|n| self.tensors[pending.inputs[n]].scale);
                let twice = 2.0 * x.max(y);
                Operator::Add(Add {
                    left_shift: ADD_LEFT_SHIFT,
                    inputs: [multiplier(x / twice)?, multiplier(y / twice)?],
                    multiplier: multiplier(twice / (f64::from(1 << ADD_LEFT_SHIFT) * scale))?,
                    rounding,
                    clamp,
                })
            }
            What::MatMul => {
                let [x, y] = [0, 1].map(|n| self.tensors[pending.inputs[n]].scale);
                let multiplier = multiplier(x * y / scale)?;
                Operator::MatMul(MatMul { transpose: false, multiplier, rounding, clamp })
            }
            What::Same => {
                let number = pending.inputs[0];
                if self.holds(number, to) && pending.bounds == UNBOUNDED {
                    return self.reshape_to(number, pending);
                }
                let multiplier = multiplier(self.tensors[number].scale / scale)?;
                Operator::Requantize(Requantize { multiplier, rounding, clamp })
            }
            What::Softmax if rounding == Rounding::Floor => {
                let problem = "its result is rounded down, a softmax to nearest";
                return Err(Problem::new(problem, "quantize it with ROUND"));
            }
            What::Softmax => {
                let steps = (1.0 / scale).round();
                if !(2.0..=65_536.0).contains(&steps) || clamp != Clamp::of(&tensor) {
                    let problem = format!("its output has scale {scale}, or is clipped");
                    return Err(Problem::new(problem, "quantize it with scale 1/256"));
                }
                let x = &self.tensors[pending.inputs[0]];
                let table = softmax_table(x.bits, x.scale as f32);
                Operator::Softmax(Softmax { table: table.into(), steps: steps as u32 })
            }
            What::Lookup(function) => {
                let x = &self.tensors[pending.inputs[0]];
                let entry = |integer: i32| {
                    // in single precision, as the file's nodes have it
                    let real = (integer - x.zero_point) as f32 * x.scale as f32;
                    let value = function(real.into()) as f32;
                    let steps = to.rounded((value / scale as f32).into());
                    steps.clamp(clamp.min.into(), clamp.max.into()) as i32
                };
                let table: Vec<i32> = (x.lowest()..=x.highest()).map(entry).collect();
                Operator::Lookup(Lookup { table: table.into() })
            }
            What::Concat { axis } => {
                if pending.bounds != UNBOUNDED {
                    return Err(Problem::new("it is clipped", "put the activation before it"));
                }
                Operator::Concat(Concat { axis: *axis })
            }
        };
        let mut inputs = pending.inputs.clone();
        if matches!(operator, Operator::Concat(_)) {
            for number in &mut inputs {
                let same = self.same(pending.node, *number, pending.form.clone());
                *number = self.requantized(&same, to)?;
            }
        }
        let number = self.push(pending.node, &inputs, tensor, operator);
        if to.narrow {
            self.narrow.insert(number);
        }
        self.reshape_to(number, pending)
    }

    /// A tensor with another scale, for a layer that cannot change it.
    fn requantized(&mut self, same: &Pending, to: Quantization) -> Result<usize, Problem> {
        let number = same.inputs[0];
        if self.holds(number, to) {
            return Ok(number);
        }
        let Quantization { scale, zero_point, bits, signed, rounding, .. } = to;
        let from = self.tensors[number].clone();
        let tensor = graph::Tensor { scale, zero_point, bits, signed, ..from.clone() };
        let clamp = clamp(same.bounds, to, &tensor);
        let multiplier = multiplier(from.scale / scale)?;
        let operator = Operator::Requantize(Requantize { multiplier, rounding, clamp });
        let requantized = self.push(same.node, &[number], tensor, operator);
        if to.narrow {
            self.narrow.insert(requantized);
        }
        Ok(requantized)
    }

    /// Adds a layer; the tensor's name and the layer's become unique.
    pub(super) fn push(
        &mut self,
        node: usize,
        inputs: &[usize],
        mut tensor: graph::Tensor,
        operator: Operator,
    ) -> usize {
        tensor.name = self.unique('t', &tensor.name);
        let name = self.unique('l', &format!("{node}_{}", operator.kind()));
        let keeps = match operator {
            Operator::Reshape(_)
            | Operator::Gather(_)
            | Operator::MaxPool2d(_)
            | Operator::Concat(_) => true,
            Operator::Pad(Pad { value, .. }) => value > tensor.lowest() && value < tensor.highest(),
            _ => false,
        };
        if keeps && inputs.iter().all(|number| self.narrow.contains(number)) {
            self.narrow.insert(self.tensors.len());
        }
        self.layers.push(Layer {
            name,
            inputs: inputs.iter().map(|&number| self.tensors[number].name.clone()).collect(),
            output: tensor.name.clone(),
            operator,
        });
        self.tensors.push(tensor);
        self.tensors.len() - 1
    }

    /// What the file has reshaped before it quantized it.
    pub(super) fn reshape_to(
        &mut self,
        number: usize,
        pending: &Pending,
    ) -> Result<usize, Problem> {
        let shape = pending.form.here()?;
        if self.tensors[number].shape == shape {
            return Ok(number);
        }
        let tensor = graph::Tensor { shape, ..self.tensors[number].clone() };
        Ok(self.push(pending.node, &[number], tensor, Operator::Reshape(Reshape {})))
    }

    fn settle_input(
        &mut self,
        name: &str,
        pending: &Pending,
        to: Quantization,
        mut tensor: graph::Tensor,
    ) -> Result<usize, Problem> {
        if pending.bounds != UNBOUNDED {
            return Err(Problem::new("it clips the network's input", "quantize the input first"));
        }
        if let Some(&number) = self.inputs.get(name) {
            if self.is(number, to) {
                return Ok(number);
            }
            let problem = format!("input `{name}` is quantized in two ways");
            return Err(Problem::new(problem, "quantize it once"));
        }
        tensor.name = self.unique('t', name);
        let number = self.tensors.len();
        self.tensors.push(tensor);
        self.inputs.insert(name.to_owned(), number);
        if to.narrow {
            self.narrow.insert(number);
        }
        Ok(number)
    }

    /// Whether a tensor is quantized so, and within the range if that is narrow.
    fn holds(&self, number: usize, to: Quantization) -> bool {
        self.is(number, to) && (!to.narrow || self.narrow.contains(&number))
    }

    fn is(&self, number: usize, to: Quantization) -> bool {
        let to = Quantization { narrow: false, rounding: ONNX_ROUNDING, ..to };
        Quantization::of(&self.tensors[number]) == to
    }
}

impl Sums {
    fn linear(&self, from: f64, to: Quantization, clamp: Clamp) -> Result<Linear, Problem> {
        let (rounding, cut) = self.rounding_of_bias(from, to);
        let bias = self.biases(from, cut)?;
        let alike = self.scales.windows(2).all(|pair| pair[0] == pair[1]);
        let scales = if alike { &self.scales[..1] } else { &self.scales[..] };
        let multipliers = scales.iter().map(|&scale| multiplier(from * scale / to.scale));
        Ok(Linear {
            shared: None,
            bits: self.bits,
            weights: self.weights.to_vec().into(),
            bias: bias.into(),
            multipliers: multipliers.collect::<Result<Multipliers, _>>()?,
            rounding,
            clamp,
        })
    }

    /// Biases as whole numbers of steps, cut or rounded; none if all are 0.
    pub(super) fn biases(&self, from: f64, cut: bool) -> Result<Vec<i32>, Problem> {
        if self.bias.iter().all(|&bias| bias == 0.0) {
            return Ok(Vec::new());
        }
        let bias = |(&bias, &scale): (&f64, &f64)| {
            let step = from * scale;
            let steps = bias / step;
            let steps = if cut { steps.floor() } else { steps.round_ties_even() };
            let fits = steps.abs() <= f64::from(i32::MAX);
            fits.then_some(steps as i32).ok_or_else(|| {
                let problem = format!("its bias {bias} is too large for steps of {step}");
                Problem::new(problem, "calibrate with data that reaches every layer")
            })
        };
        self.bias.iter().zip(self.scales.iter()).map(bias).collect()
    }

    /// Free weights such that biases lie nearest to whole steps, of results with steps of `to`.
    pub(super) fn fitted(&self, from: f64, to: f64) -> Sums {
        let steps = |n: usize| to / (from * self.scales[n]);
        // a half decides exactly as they are
        let exact = (0..self.scales.len()).all(|n| is_power_of_two(steps(n), 1));
        if !self.free || exact {
            return self.clone();
        }
        let (mut weights, mut scales) = (self.weights.to_vec(), self.scales.to_vec());
        let each = weights.len() / scales.len().max(1);
        for (n, weight) in weights.iter_mut().enumerate().filter(|(_, weight)| **weight != 0) {
            let n = n / each.max(1);
            let whole = scales[n] * f64::from(ONE);
            let lost = |one: i8| {
                let step = from * whole / f64::from(one);
                let steps = self.bias[n] / step;
                (steps - steps.round_ties_even()).abs() * step
            };
            let best = (ONE..=i8::MAX).min_by(|&x, &y| lost(x).total_cmp(&lost(y)));
            let best = best.unwrap_or(ONE);
            (*weight, scales[n]) = (best * weight.signum(), whole / f64::from(best));
        }
        Sums { weights: weights.into(), scales: scales.into(), ..self.clone() }
    }

    /// How results are rounded, and whether a bias is cut to whole steps instead of rounded. Where
    /// results are 2^n sums, a threshold is a whole sum: what a fraction of a step adds to a sum
    /// decides nothing but a tie. It is cut, and the tie goes up.
    fn rounding_of_bias(&self, from: f64, to: Quantization) -> (Rounding, bool) {
        let steps = |least: i32| {
            let sums = |&scale: &f64| to.scale / (from * scale);
            self.scales.iter().all(|scale| is_power_of_two(sums(scale), least))
        };
        let fraction = |(bias, scale): (&f64, &f64)| (bias / (from * scale)).fract() != 0.0;
        match to.rounding {
            Rounding::Floor if steps(0) => (Rounding::Floor, true),
            Rounding::HalfEven
                if steps(1) && self.bias.iter().zip(self.scales.iter()).all(fraction) =>
            {
                (Rounding::Once, true)
            }
            rounding => (rounding, rounding == Rounding::Once && steps(1)),
        }
    }
}

/// Whether a number is 2^n, n being `least` or more.
fn is_power_of_two(number: f64, least: i32) -> bool {
    let fraction = number.to_bits() & ((1 << 52) - 1);
    number >= 2f64.powi(least) && number.is_finite() && fraction == 0
}

/// Bounds of an activation function in steps, rounded as results are.
fn clamp(bounds: [f64; 2], to: Quantization, tensor: &graph::Tensor) -> Clamp {
    let [lowest, highest] = match (to.narrow, to.signed) {
        (true, true) => [tensor.lowest() + 1, tensor.highest()],
        (true, false) => [tensor.lowest(), tensor.highest() - 1],
        _ => [tensor.lowest(), tensor.highest()],
    };
    let at = |real: f64| to.steps(real).clamp(lowest.into(), highest.into()) as i32;
    Clamp { min: at(bounds[0]), max: at(bounds[1]) }
}

/// The multiplier nearest to a factor.
pub(super) fn multiplier(factor: f64) -> Result<Multiplier, Problem> {
    Multiplier::nearest(factor).ok_or_else(|| {
        let problem = format!("scales of input and output are a factor of {factor} apart");
        Problem::new(problem, "calibrate with data that reaches every layer")
    })
}
