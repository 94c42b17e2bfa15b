//! `QuantizeLinear`, `DequantizeLinear` and `Quant`.

use super::array::{Array, name as kind_name};
use super::convert::Conversion;
use super::form::Form;
use super::node::broken;
use super::proto::{NodeProto, tensor_proto::DataType};
use super::value::{ONNX_ROUNDING, Pending, Quantization, Value, Weights, What};
use crate::graph::Rounding;
use crate::import::report::Problem;
use std::rc::Rc;

/// The largest scale, of weights or results.
const MOST_SCALE: f32 = 1.8e19;
/// The most steps that a weight is from 0, before it is clipped.
const MOST_STEPS: f32 = 2.1e9;

/// Scales with their zero points, one or one an index of `axis`.
struct Scales {
    scales: Vec<f32>,
    zero_points: Vec<i32>,
    axis: usize,
}

impl Conversion<'_> {
    pub(super) fn quantize_linear(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let kind = match self.optional(node, 2) {
            Some(Value::Constant(array)) => array.kind,
            _ => DataType::try_from(node.integer("output_dtype", 0) as i32)
                .ok()
                .filter(|&kind| kind != DataType::Undefined)
                .unwrap_or(DataType::Uint8),
        };
        let (bits, signed) = width(kind)?;
        let value = self.input(node, 0)?.clone();
        if let Value::Constant(array) = &value {
            let scales = self.scales(node, &array.shape)?.above_0(node)?;
            let half = if signed { 1 << (bits - 1) } else { 0 };
            let range = [-half, (1 << bits) - 1 - half];
            let integer = |x: f32, zero: f32| x.round_ties_even() + zero;
            return self.constant_integers(node, array, &scales, bits, range, integer);
        }
        let (scale, zero_point) = self.scale(node)?;
        let narrow = false;
        let rounding = ONNX_ROUNDING;
        let to = Quantization { scale, zero_point, bits, signed, narrow, rounding };
        self.quantize(n, node, value, to, true)
    }

    pub(super) fn dequantize_linear(&mut self, node: &NodeProto) -> Result<Value, Problem> {
        match self.input(node, 0)?.clone() {
            Value::Constant(array) => {
                let scales = self.scales(node, &array.shape)?;
                let integers = array.integers().ok_or_else(|| broken("its input is float"))?;
                let bits = width(array.kind).map_or(32, |(bits, _)| bits);
                self.count(4 * integers.len())?;
                let center = |(n, &q): (usize, &i32)| match scales.scale(&array.shape, n) {
                    0.0 => 0,
                    _ => q.saturating_sub(scales.zero_point(&array.shape, n)),
                };
                let integers = integers.iter().enumerate().map(center).collect();
                let Scales { scales, axis, .. } = scales.without_0();
                let shape = array.shape.clone();
                Ok(Value::Weights(Rc::new(Weights { shape, integers, bits, scales, axis })))
            }
            // a constant that the file quantizes itself
            Value::Weights(weights) => Ok(Value::Weights(weights)),
            Value::Raw { name, kind, form } => {
                let (bits, signed) = width(DataType::try_from(kind).unwrap_or_default())?;
                let (scale, zero_point) = self.scale(node)?;
                let pending = Pending {
                    node: 0,
                    inputs: Vec::new(),
                    written: form.here()?,
                    form,
                    bounds: [f64::NEG_INFINITY, f64::INFINITY],
                    what: What::Input { name: name.clone() },
                };
                let (narrow, rounding) = (false, ONNX_ROUNDING);
                let to = Quantization { scale, zero_point, bits, signed, narrow, rounding };
                let number = self.settle(&pending, to, &name)?;
                Ok(Value::Tensor { number, form: pending.form, integers: false })
            }
            Value::Tensor { number, form, integers: true } => {
                let (scale, zero_point) = self.scale(node)?;
                let tensor = &self.tensors[number];
                if (tensor.scale, tensor.zero_point) != (scale, zero_point) {
                    let problem = "its scale or zero point is not that of the QuantizeLinear";
                    return Err(Problem::new(problem, "use the same on both"));
                }
                Ok(Value::Tensor { number, form, integers: false })
            }
            _ => Err(broken("its input is not quantized")),
        }
    }

    pub(super) fn quant(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (_, widths) = self.reals(node, 3)?;
        let bits = match widths[..] {
            [bits] if bits.fract() == 0.0 && (2.0..=32.0).contains(&bits) => bits as u32,
            _ => {
                let problem = format!("its bit width is {widths:?}");
                return Err(Problem::new(problem, "use one width of 2 to 8 bits"));
            }
        };
        let signed = node.integer("signed", 1) != 0;
        let narrow = node.integer("narrow", 0) != 0;
        let mode = node.text("rounding_mode", "ROUND").to_uppercase();
        let value = self.input(node, 0)?.clone();
        if let Value::Constant(array) = &value {
            let round = rounding_of_constants(&mode)?;
            let scales = self.quant_scales(node, &array.shape)?.above_0(node)?;
            let narrow = i64::from(narrow);
            let (lowest, highest) = match signed {
                true => (-(1i64 << (bits - 1)) + narrow, (1i64 << (bits - 1)) - 1),
                false => (0, (1i64 << bits) - 1 - narrow),
            };
            let highest = highest.min(i32::MAX.into());
            return self.constant_integers(
                node,
                array,
                &scales,
                bits,
                [lowest as i32, highest as i32],
                // the zero point is rounded with it
                |x, zero| round(x + zero),
            );
        }
        if bits > 8 {
            return Err(Problem::new(format!("it has {bits} bits"), "use 2 to 8 bits"));
        }
        let scales = self.quant_scales(node, &[])?.above_0(node)?;
        let (&[scale], &[zero_point]) = (&scales.scales[..], &scales.zero_points[..]) else {
            return Err(Problem::new("it has many scales", "quantize activations per tensor"));
        };
        let positive = match &value {
            Value::Pending(pending) => zero_point >= 0 && pending.bounds[0] >= 0.0,
            _ => false,
        };
        let rounding = rounding_of_results(&mode, !signed || positive)?;
        let to = Quantization { scale: scale.into(), zero_point, bits, signed, narrow, rounding };
        self.quantize(n, node, value, to, false)
    }

    /// A result in real numbers becomes a tensor.
    fn quantize(
        &mut self,
        n: usize,
        node: &NodeProto,
        value: Value,
        to: Quantization,
        integers: bool,
    ) -> Result<Value, Problem> {
        let name = node.output.first().map(String::as_str).unwrap_or_default();
        match value {
            Value::Pending(pending) => {
                let number = self.settle(&pending, to, name)?;
                Ok(Value::Tensor { number, form: pending.form.clone(), integers })
            }
            Value::Tensor { number, form, integers: false } => {
                let pending = self.same(n, number, form);
                let number = self.settle(&pending, to, name)?;
                Ok(Value::Tensor { number, form: pending.form, integers })
            }
            Value::Tensor { .. } | Value::Raw { .. } => Err(broken("its input is integers")),
            _ => Err(Problem::new("it quantizes a quantized constant", "quantize it once")),
        }
    }

    /// A tensor as it is, yet to be requantized.
    pub(super) fn same(&self, node: usize, number: usize, form: Form) -> Pending {
        Pending {
            node,
            inputs: vec![number],
            written: self.tensors[number].shape.clone(),
            form,
            bounds: [f64::NEG_INFINITY, f64::INFINITY],
            what: What::Same,
        }
    }

    fn constant_integers(
        &mut self,
        node: &NodeProto,
        array: &Array,
        scales: &Scales,
        bits: u32,
        range: [i32; 2],
        integer: impl Fn(f32, f32) -> f32,
    ) -> Result<Value, Problem> {
        let floats = array.floats().ok_or_else(|| broken("its input is integers"))?;
        self.count(4 * floats.len())?;
        let weight = |(n, &x): (usize, &f32)| {
            let zero_point = scales.zero_point(&array.shape, n);
            let steps = x / scales.scale(&array.shape, n);
            if !(x.is_finite() && steps.abs() <= MOST_STEPS) {
                let problem = format!("`{}`[{n}] is {x:e}", node.reads(0));
                return Err(Problem::new(problem, "train or export again with finite numbers"));
            }
            let steps = integer(steps, zero_point as f32) as i32;
            Ok(steps.clamp(range[0], range[1]).saturating_sub(zero_point))
        };
        let integers = floats.iter().enumerate().map(weight).collect::<Result<_, _>>()?;
        let (scales, axis, shape) = (scales.scales.clone(), scales.axis, array.shape.clone());
        Ok(Value::Weights(Rc::new(Weights { shape, integers, bits, scales, axis })))
    }

    /// Scale and zero point of a tensor that has one of each.
    fn scale(&self, node: &NodeProto) -> Result<(f64, i32), Problem> {
        match self.scales(node, &[])?.above_0(node)? {
            Scales { scales, zero_points, .. } if scales.len() == 1 => {
                Ok((scales[0].into(), zero_points.first().copied().unwrap_or(0)))
            }
            _ => Err(Problem::new("it has many scales", "quantize activations per tensor")),
        }
    }

    /// Inputs 1 and 2 of `QuantizeLinear` and `DequantizeLinear`.
    fn scales(&self, node: &NodeProto, shape: &[usize]) -> Result<Scales, Problem> {
        if node.integer("block_size", 0) != 0 {
            return Err(Problem::new("it has blocks", "quantize per tensor or per channel"));
        }
        let (Value::Constant(scale), zero) = (self.input(node, 1)?, self.optional(node, 2)) else {
            return Err(Problem::new("its scale is computed", "quantize statically"));
        };
        let floats = scale.floats().ok_or_else(|| broken("its scale is not float"))?;
        let zero_points = match zero {
            Some(Value::Constant(array)) => array.integers().unwrap_or_default().to_vec(),
            Some(_) => return Err(Problem::new("its zero point is computed", "make it constant")),
            None => vec![0; floats.len()],
        };
        let axis = node.integer("axis", 1);
        let axis = if axis < 0 { axis.saturating_add(shape.len() as i64) } else { axis };
        let axis = usize::try_from(axis).unwrap_or(usize::MAX);
        Scales::new(node, floats, zero_points, axis, shape)
    }

    /// Inputs 1 and 2 of `Quant`, which are spread over the input as in arithmetic.
    fn quant_scales(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Scales, Problem> {
        let (spread, scales) = self.reals(node, 1)?;
        let (_, zero_points) = self.reals(node, 2)?;
        if zero_points.iter().any(|zero| zero.fract() != 0.0 || zero.abs() > 65_536.0) {
            return Err(Problem::new("its zero point is no integer", "use an integer"));
        }
        let many = spread.iter().rposition(|&size| size > 1).unwrap_or(spread.len());
        // its axis counts from the right
        let axis = (shape.len() + many).checked_sub(spread.len()).unwrap_or(usize::MAX);
        let scales: Vec<f32> = scales.iter().map(|&scale| scale as f32).collect();
        let zero_points = match zero_points[..] {
            [zero] => vec![zero as i32; scales.len()],
            _ => zero_points.iter().map(|&zero| zero as i32).collect(),
        };
        Scales::new(node, &scales, zero_points, axis, shape)
    }
}

impl Scales {
    fn new(
        node: &NodeProto,
        scales: &[f32],
        zero_points: Vec<i32>,
        axis: usize,
        shape: &[usize],
    ) -> Result<Scales, Problem> {
        let odd = scales.iter().position(|scale| !(0.0..=MOST_SCALE).contains(scale));
        if let Some(n) = odd {
            let problem = format!("its scale `{}`[{n}] is {:e}", node.reads(1), scales[n]);
            return Err(Problem::new(problem, "calibrate again: a scale is above 0"));
        }
        if scales.is_empty() || zero_points.len() != scales.len() {
            let lengths = (scales.len(), zero_points.len());
            return Err(broken(format!("it has {} scales, {} zero points", lengths.0, lengths.1)));
        }
        if scales.len() > 1 && shape.get(axis) != Some(&scales.len()) {
            let problem = format!("it has {} scales for shape {shape:?}", scales.len());
            return Err(Problem::new(problem, "quantize per tensor or per output channel"));
        }
        Ok(Scales { scales: scales.to_vec(), zero_points, axis })
    }

    /// None of them is 0.
    fn above_0(self, node: &NodeProto) -> Result<Scales, Problem> {
        match self.scales.iter().position(|&scale| scale == 0.0) {
            None => Ok(self),
            Some(n) => {
                let problem = format!("its scale `{}`[{n}] is 0", node.reads(1));
                Err(Problem::new(problem, "calibrate with data that reaches every layer"))
            }
        }
    }

    /// Another in place of each 0, which makes 0 of all integers: it is that of the bias, too.
    fn without_0(mut self) -> Scales {
        let most = self.scales.iter().copied().fold(0.0, f32::max);
        let other = if most > 0.0 { most } else { 1.0 / 128.0 };
        self.scales.iter_mut().filter(|scale| **scale == 0.0).for_each(|scale| *scale = other);
        self
    }

    fn index(&self, shape: &[usize], n: usize) -> usize {
        match self.scales.len() {
            1 => 0,
            count => n / shape[self.axis + 1..].iter().product::<usize>().max(1) % count,
        }
    }

    fn scale(&self, shape: &[usize], n: usize) -> f32 {
        self.scales[self.index(shape, n)]
    }

    fn zero_point(&self, shape: &[usize], n: usize) -> i32 {
        self.zero_points[self.index(shape, n)]
    }
}

/// The rounding that `Quant` states, of a result which is not below 0 once it is clipped, or any.
fn rounding_of_results(mode: &str, positive: bool) -> Result<Rounding, Problem> {
    match mode {
        "ROUND" | "HALF_EVEN" => Ok(Rounding::HalfEven),
        "FLOOR" => Ok(Rounding::Floor),
        // towards 0, and halves away from 0
        "DOWN" | "ROUND_TO_ZERO" if positive => Ok(Rounding::Floor),
        "HALF_UP" if positive => Ok(Rounding::Once),
        "DOWN" | "ROUND_TO_ZERO" | "HALF_UP" => {
            let problem = format!("its rounding mode is {mode}, of results below 0, too");
            Err(Problem::new(problem, "use ROUND or FLOOR, or quantize unsigned"))
        }
        _ => Err(Problem::new(format!("its rounding mode is {mode}"), "use ROUND or FLOOR")),
    }
}

/// The rounding of constants, each of which qonnx has.
fn rounding_of_constants(mode: &str) -> Result<fn(f32) -> f32, Problem> {
    Ok(match mode {
        "ROUND" | "HALF_EVEN" => f32::round_ties_even,
        "FLOOR" => f32::floor,
        "CEIL" => f32::ceil,
        "DOWN" | "ROUND_TO_ZERO" => f32::trunc,
        "UP" => |x| x.abs().ceil().copysign(x),
        "HALF_UP" => |x| (x.abs() + 0.5).floor().copysign(x),
        "HALF_DOWN" => |x| (x.abs() - 0.5).ceil().copysign(x),
        _ => {
            return Err(Problem::new(format!("its rounding mode is {mode}"), "use ROUND or FLOOR"));
        }
    })
}

/// Bits of an integer type, and whether it is signed.
fn width(kind: DataType) -> Result<(u32, bool), Problem> {
    Ok(match kind {
        DataType::Int8 => (8, true),
        DataType::Uint8 => (8, false),
        DataType::Int4 => (4, true),
        DataType::Uint4 => (4, false),
        other => {
            return Err(Problem::new(
                format!("it quantizes to {}", kind_name(other)),
                "use int8, uint8, int4 or uint4",
            ));
        }
    })
}
