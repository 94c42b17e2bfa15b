//! Layers with weights, and products of activations.

use super::activation::{clamp, multiplier};
use super::model::{Tensor, long};
use super::node::{Node, beyond, broken, kind, sound};
use super::pooling::window;
use super::schema::{ActivationFunctionType, FullyConnectedOptionsWeightsFormat, TensorType};
use crate::graph::{
    Clamp, Conv2d, FullyConnected, Linear, MOST_WEIGHTS, MatMul, Operator, Rounding,
};
use crate::import::report::Problem;

pub(super) fn conv(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_conv_2_doptions();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    let weights = node.constant(1)?;
    let [_, height, width, depth] = weights.shape[..] else {
        return Err(broken(format!("its weights have shape {:?}", weights.shape)));
    };
    let window = window(
        node,
        [height, width],
        [options.stride_h(), options.stride_w()],
        [options.dilation_h_factor(), options.dilation_w_factor()],
        options.padding(),
    )?;
    let channels = node.activation(0)?.shape()?.0.last().copied().unwrap_or(1);
    if depth == 0 || channels % depth != 0 {
        return Err(broken(format!("weights of {depth} channels on {channels}")));
    }
    let linear = linear(node, options.fused_activation_function(), 0)?;
    Ok(Operator::Conv2d(Conv2d { window, groups: channels / depth, linear }))
}

pub(super) fn depthwise(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_depthwise_conv_2_doptions();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    let weights = node.constant(1)?;
    let [1, height, width, outputs] = weights.shape[..] else {
        return Err(broken(format!("its weights have shape {:?}", weights.shape)));
    };
    let window = window(
        node,
        [height, width],
        [options.stride_h(), options.stride_w()],
        [options.dilation_h_factor(), options.dilation_w_factor()],
        options.padding(),
    )?;
    let groups = node.activation(0)?.shape()?.0.last().copied().unwrap_or(1);
    let mut linear = linear(node, options.fused_activation_function(), 3)?;
    // the file has the output channel innermost
    let taps = height * width;
    let turned = (0..taps * outputs).map(|n| linear.weights[n % taps * outputs + n / taps]);
    linear.weights = turned.collect::<Vec<i8>>().into();
    Ok(Operator::Conv2d(Conv2d { window, groups, linear }))
}

pub(super) fn fully_connected(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_fully_connected_options();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    if options.weights_format() != FullyConnectedOptionsWeightsFormat::DEFAULT {
        return Err(Problem::new("its weights are shuffled", "convert with the default format"));
    }
    let weights = node.constant(1)?;
    if weights.shape.len() != 2 {
        return Err(broken(format!("its weights have shape {:?}", weights.shape)));
    }
    let linear = linear(node, options.fused_activation_function(), 0)?;
    Ok(Operator::FullyConnected(FullyConnected { linear }))
}

/// Weights (input 1), bias (input 2) and the rescaling; `axis` is the output's in the weights.
fn linear(node: &Node, activation: ActivationFunctionType, axis: usize) -> Result<Linear, Problem> {
    let (x, weights, output) = (node.activation(0)?, node.constant(1)?, node.output()?);
    let outputs = weights.shape[axis];
    let dense = weights.shape.len() == 2;
    let (bits, values) = weight_values(weights)?;
    let scales = weights.scales;
    if ![1, outputs].contains(&scales.len()) || scales.len() > 1 && weights.axis != axis {
        let problem = format!("its weights have {} scales", scales.len());
        return Err(Problem::new(problem, "quantize per tensor or per output channel"));
    }
    // a channel of zeros may have a scale of 0
    if let Some(scale) = scales.iter().find(|&scale| !(scale == 0.0 || sound(scale))) {
        return Err(Problem::new(format!("its weights have scale {scale:e}"), "calibrate again"));
    }
    if weights.zero_points.iter().any(|zero_point| long(zero_point) != 0) {
        return Err(Problem::new(
            "its weights have a zero point",
            "quantize weights symmetrically",
        ));
    }
    let (x_scale, _) = x.quantization()?;
    let (z_scale, _) = output.quantization()?;
    let factor = |scale: f32| f64::from(x_scale) * f64::from(scale) / f64::from(z_scale);
    let multipliers = scales.iter().map(|scale| multiplier(factor(scale)));
    Ok(Linear {
        shared: None,
        bits,
        weights: values.into(),
        bias: bias(node.optional(2), outputs)?.into(),
        multipliers: multipliers.collect::<Result<_, _>>()?,
        rounding: if dense { Rounding::Once } else { Rounding::Twice },
        clamp: clamp(activation, output)?,
    })
}

/// Bits of a weight, and the weights.
fn weight_values(weights: &Tensor) -> Result<(u32, Vec<i8>), Problem> {
    let elements = weights.elements();
    if elements == 0 || elements > MOST_WEIGHTS {
        return Err(beyond(format!("it has {elements} weights: must have 1 to {MOST_WEIGHTS}")));
    }
    let (bits, bytes) = match weights.kind {
        TensorType::INT8 => (8, elements),
        TensorType::INT4 => (4, elements.div_ceil(2)),
        other => {
            let problem = format!("its weights are {}", kind(other));
            return Err(Problem::new(problem, "quantize the weights to int8"));
        }
    };
    if weights.bytes.len() != bytes {
        let found = weights.bytes.len();
        return Err(broken(format!("its weights have {found} bytes: must have {bytes}")));
    }
    let values = weights.bytes.iter().map(|&byte| byte as i8);
    if bits == 8 {
        return Ok((bits, values.collect()));
    }
    // two a byte, the lower half first
    let halves = values.flat_map(|byte| [byte << 4 >> 4, byte >> 4]);
    Ok((bits, halves.take(elements).collect()))
}

fn bias(bias: Option<&Tensor>, outputs: usize) -> Result<Vec<i32>, Problem> {
    let Some(bias) = bias else { return Ok(Vec::new()) };
    if bias.kind != TensorType::INT32 {
        let problem = format!("its bias is {}", kind(bias.kind));
        return Err(Problem::new(problem, "quantize the bias to int32"));
    }
    let values = bias.integers().filter(|values| values.len() == outputs);
    let values = values.ok_or_else(|| broken(format!("its bias has not {outputs} entries")))?;
    Ok(values.into_iter().map(|value| value as i32).collect())
}

pub(super) fn mat_mul(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_batch_mat_mul_options();
    if options.is_some_and(|options| options.adj_x()) {
        return Err(Problem::new("its first matrix is transposed", "swap the operands"));
    }
    let (x, y, output) = (node.activation(0)?, node.activation(1)?, node.output()?);
    let scale = |tensor: &Tensor| tensor.quantization().map(|(scale, _)| scale);
    // a single-precision product, as in `GetQuantizedConvolutionMultipler`
    let product = scale(x)? * scale(y)?;
    Ok(Operator::MatMul(MatMul {
        transpose: options.is_some_and(|options| options.adj_y()),
        multiplier: multiplier(f64::from(product) / f64::from(scale(output)?))?,
        rounding: Rounding::Twice,
        clamp: Clamp { ..clamp(ActivationFunctionType::NONE, output)? },
    }))
}
