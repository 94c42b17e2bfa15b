//! Functions of one element, as tables: what LiteRT's reference kernels give for each integer.

use super::activation::multiplier;
use super::node::{Node, broken};
use super::schema::BuiltinOperator as Builtin;
use crate::graph::{Lookup, Multiplier, Operator, Rounding};
use crate::import::report::Problem;
use crate::interpret::rescale;

/// The table of a node, whose entries are `function` of an integer less the input's zero point, to which
/// the output's is added.
fn tabulate(node: &Node, function: impl Fn(i32) -> i32) -> Result<Operator, Problem> {
    let (x, output) = (node.activation(0)?, node.output()?);
    let ((_, zero), (_, target)) = (x.quantization()?, output.quantization()?);
    let (domain, bounds) = (x.convert("")?, output.convert("")?);
    let entry = |integer: i32| {
        function(integer - zero).saturating_add(target).clamp(bounds.lowest(), bounds.highest())
    };
    let table: Vec<i32> = (domain.lowest()..=domain.highest()).map(entry).collect();
    Ok(Operator::Lookup(Lookup { table: table.into() }))
}

/// Scales of input and output.
fn scales(node: &Node) -> Result<[f32; 2], Problem> {
    Ok([node.activation(0)?.quantization()?.0, node.output()?.quantization()?.0])
}

/// As TFLite's `LUTPopulate` tabulates: in single precision, the function itself rounded to it.
pub(super) fn real(node: &Node, code: Builtin) -> Result<Operator, Problem> {
    let [from, to] = scales(node)?;
    let inverse = 1.0 / to;
    tabulate(node, |steps| {
        let real = from * steps as f32;
        let value = match code {
            Builtin::LOGISTIC => 1.0 / (1.0 + single(-real, f64::exp)),
            Builtin::EXP => single(real, f64::exp),
            // TANH
            _ => single(real, f64::tanh),
        };
        // `as` saturates; what is added behind saturates too
        (value * inverse).round() as i32
    })
}

/// A function of a single-precision number, rounded to one.
fn single(x: f32, function: fn(f64) -> f64) -> f32 {
    function(x.into()) as f32
}

/// `QuantizeLeakyRelu`: one factor for what is below 0, another for the rest.
pub(super) fn leaky_relu(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_leaky_relu_options();
    let alpha = options.ok_or_else(|| broken("it has no options"))?.alpha();
    if !alpha.is_finite() {
        return Err(broken(format!("its alpha is {alpha}")));
    }
    let [from, to] = scales(node)?;
    let below = multiplier((from * alpha / to).into())?;
    let above = multiplier((from / to).into())?;
    tabulate(node, |steps| rescale(steps, if steps < 0 { below } else { above }, Rounding::Twice))
}

/// `HardSwish` of TFLite's reference: x times relu6(x + 3) / 6 in 16 bits, each factor scaled on its own.
pub(super) fn hard_swish(node: &Node) -> Result<Operator, Problem> {
    let [from, to] = scales(node)?;
    let fine = from / 128.0;
    let output = multiplier((fine / to).into())?;
    let relu = multiplier((fine / (3.0 / 32768.0)).into())?;
    if output.shift > 0 {
        let problem = format!("its output has scale {to}, its input {from}");
        return Err(Problem::new(problem, "calibrate with data that reaches every layer"));
    }
    tabulate(node, |steps| {
        let x = short(steps << 7);
        let scaled = high(x, upper(output));
        let mut relued = x;
        if relu.shift > 0 {
            relued = short(i32::from(relued) << (relu.shift - 1).min(15));
        }
        relued = high(relued, upper(relu));
        if relu.shift > 0 {
            relued = short(i32::from(relued) << 1);
        }
        if relu.shift < 0 {
            relued = halve(relued, -relu.shift);
        }
        // 0 to 6 in steps of 6 / 2^15
        let gate = (i32::from(relued) + (1 << 15)) >> 1;
        let product = short(gate * i32::from(scaled) / (1 << 15));
        halve(product, -output.shift).into()
    })
}

/// A number in 16 bits, saturated.
fn short(x: i32) -> i16 {
    x.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// The upper half of a mantissa, rounded: `DownScaleInt32ToInt16Multiplier`.
fn upper(multiplier: Multiplier) -> i16 {
    short(multiplier.mantissa.saturating_add(1 << 15) >> 16)
}

/// `SaturatingRoundingDoublingHighMul` of 16 bits.
fn high(x: i16, y: i16) -> i16 {
    let product = i32::from(x) * i32::from(y);
    let nudge = if product >= 0 { 1 << 14 } else { 1 - (1 << 14) };
    short((product + nudge) / (1 << 15))
}

/// `RoundingDivideByPOT`: to nearest, halves away from 0.
fn halve(x: i16, shift: i32) -> i16 {
    let shift = shift.min(15);
    let mask = (1i32 << shift) - 1;
    let (x, rest) = (i32::from(x), i32::from(x) & mask);
    let half = (mask >> 1) + i32::from(x < 0);
    short((x >> shift) + i32::from(rest > half))
}
