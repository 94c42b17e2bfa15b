//! Layers that work on each element, and softmax.

use super::activation::{clamp, multiplier};
use super::node::{Node, broken};
use super::schema::{ActivationFunctionType as Activation, BuiltinOperator as Builtin, TensorType};
use crate::graph::{Add, Operator, Prelu, Requantize, Rounding, Softmax, softmax_table};
use crate::import::report::Problem;

/// Bits that TFLite's int8 addition gains before it rescales.
const ADD_LEFT_SHIFT: u32 = 20;

pub(super) fn add(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_add_options();
    let activation =
        options.map_or(Activation::NONE, |options| options.fused_activation_function());
    let (x, y, output) = (node.activation(0)?, node.activation(1)?, node.output()?);
    if x.shape()?.0 != y.shape()?.0 {
        let problem = format!("its inputs have shapes {:?} and {:?}", x.shape, y.shape);
        return Err(Problem::new(problem, "make them alike, or fold one into a bias"));
    }
    let scale = |tensor: &super::model::Tensor| tensor.quantization().map(|q| f64::from(q.0));
    let (x, y, z) = (scale(x)?, scale(y)?, scale(output)?);
    let twice = 2.0 * x.max(y);
    Ok(Operator::Add(Add {
        left_shift: ADD_LEFT_SHIFT,
        inputs: [multiplier(x / twice)?, multiplier(y / twice)?],
        multiplier: multiplier(twice / (f64::from(1 << ADD_LEFT_SHIFT) * z))?,
        rounding: Rounding::Twice,
        clamp: clamp(activation, output)?,
    }))
}

/// `QUANTIZE` between integers, `RELU`, `RELU6`.
pub(super) fn requantize(node: &Node, code: Builtin) -> Result<Operator, Problem> {
    let (x, output) = (node.activation(0)?, node.output()?);
    let (from, to) = (f64::from(x.quantization()?.0), f64::from(output.quantization()?.0));
    let activation = match code {
        Builtin::RELU => Activation::RELU,
        Builtin::RELU6 => Activation::RELU6,
        Builtin::RELU_N1_TO_1 => Activation::RELU_N1_TO_1,
        _ => Activation::NONE,
    };
    let (multiplier, clamp) = (multiplier(from / to)?, clamp(activation, output)?);
    Ok(Operator::Requantize(Requantize { multiplier, rounding: Rounding::Twice, clamp }))
}

/// A slope a channel, or one for all, given in the file.
pub(super) fn prelu(node: &Node) -> Result<Operator, Problem> {
    let (x, alpha, output) = (node.activation(0)?, node.constant(1)?, node.output()?);
    let channels = x.shape()?.0.last().copied().unwrap_or(1);
    let [(from, _), (step, zero), (to, _)] =
        [x.quantization()?, alpha.quantization()?, output.quantization()?];
    let count = alpha.elements();
    let last = alpha.shape.last().copied().unwrap_or(1);
    if alpha.bytes.len() != count || last != count || ![1, channels].contains(&count) {
        let problem = format!("its slopes have shape {:?}", alpha.shape);
        return Err(Problem::new(problem, "share them along height and width"));
    }
    let signed = alpha.kind == TensorType::INT8;
    let slope = |&byte: &u8| match signed {
        true => i32::from(byte as i8) - zero,
        false => i32::from(byte) - zero,
    };
    let slopes: Vec<i32> = alpha.bytes.iter().map(slope).cycle().take(channels).collect();
    Ok(Operator::Prelu(Prelu {
        slopes: slopes.into(),
        multiplier: multiplier((from / to).into())?,
        below: multiplier((from * step / to).into())?,
        clamp: clamp(Activation::NONE, output)?,
    }))
}

pub(super) fn softmax(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_softmax_options();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    let (scale, _) = node.activation(0)?.quantization()?;
    let (step, _) = node.output()?.quantization()?;
    let steps = (1.0 / step).round();
    if !(2.0..=65536.0).contains(&steps) || !options.beta().is_finite() || options.beta() < 0.0 {
        let problem = format!("its output has scale {step} and its beta is {}", options.beta());
        return Err(Problem::new(problem, "use an output scale of 1/256 and a beta of 1"));
    }
    // the exponent's slope is a single-precision product, as in `PopulateSoftmaxLookupTable`
    let table = softmax_table(8, scale * options.beta());
    Ok(Operator::Softmax(Softmax { table: table.into(), steps: steps as u32 }))
}
