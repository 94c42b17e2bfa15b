//! Windows, pools and means.

use super::activation::{clamp, multiplier};
use super::model::Tensor;
use super::node::{Node, beyond, broken};
use super::schema::{ActivationFunctionType, Padding};
use crate::graph::{
    AveragePool2d, Kernel, MOST_ELEMENTS, MaxPool2d, Mean, Multiplier, Operator, Pads, Rounding,
    Window,
};
use crate::import::report::Problem;

/// A window with TFLite's `SAME` padding (the odd row or column comes after) or none.
pub(super) fn window(
    node: &Node,
    kernel: Kernel,
    stride: [i32; 2],
    dilation: [i32; 2],
    padding: Padding,
) -> Result<Window, Problem> {
    let x = node.activation(0)?.shape()?.0;
    let [height, width, _] = x[..] else {
        return Err(Problem::new(
            format!("its input has shape {x:?}"),
            "give it height, width, channels",
        ));
    };
    let positive = |n: i32| usize::try_from(n).ok().filter(|&n| (1..=4096).contains(&n));
    let pair = |pair: [i32; 2]| Some([positive(pair[0])?, positive(pair[1])?]);
    let (Some(stride), Some(dilation)) = (pair(stride), pair(dilation)) else {
        return Err(beyond("a stride or dilation is out of range: must be 1 to 4096"));
    };
    if kernel.iter().any(|size| !(1..=4096).contains(size)) {
        return Err(beyond(format!("its kernel is {kernel:?}: must be 1 to 4096")));
    }
    let rim = |side: usize, size: usize| match padding {
        Padding::SAME => {
            let span = (kernel[side] - 1) * dilation[side] + 1;
            let reach = (size.div_ceil(stride[side]).saturating_sub(1)) * stride[side] + span;
            reach.saturating_sub(size)
        }
        _ => 0,
    };
    let (rows, columns) = (rim(0, height), rim(1, width));
    let pads = Pads {
        top: rows / 2,
        left: columns / 2,
        bottom: rows - rows / 2,
        right: columns - columns / 2,
    };
    Ok(Window { kernel, stride, dilation, pads })
}

pub(super) fn pool(node: &Node, max: bool) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_pool_2_doptions();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    let size = |n: i32| usize::try_from(n).unwrap_or(0);
    let window = window(
        node,
        [size(options.filter_height()), size(options.filter_width())],
        [options.stride_h(), options.stride_w()],
        [1, 1],
        options.padding(),
    )?;
    same_scale(node, 1)?;
    let clamp = clamp(options.fused_activation_function(), node.output()?)?;
    Ok(match max {
        true => Operator::MaxPool2d(MaxPool2d { window, clamp }),
        false => {
            Operator::AveragePool2d(AveragePool2d { window, rounding: Rounding::Twice, clamp })
        }
    })
}

/// Operators that move elements of their first inputs keep scale and type.
pub(super) fn same_scale(node: &Node, inputs: usize) -> Result<(), Problem> {
    let kind = |tensor: &Tensor| Ok((tensor.kind, tensor.quantization()?));
    for n in 0..inputs {
        let x = kind(node.activation(n)?)?;
        for &output in &node.outputs {
            if x != kind(&node.model.tensors[output])? {
                let problem =
                    format!("input {n} and the output differ in type, scale or zero point");
                let rewrite = "quantize them alike, or put a QUANTIZE before it";
                return Err(Problem::new(problem, rewrite));
            }
        }
    }
    Ok(())
}

pub(super) fn mean(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_reducer_options();
    let (x, output) = (node.activation(0)?, node.output()?);
    let list = node.integers(1, "its axes")?;
    let mut axes = list.into_iter().map(|axis| x.axis(axis)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    let (shape, _) = x.shape()?;
    let sizes = axes.iter().map(|&axis| shape[axis]);
    let count = sizes.fold(1, |product: usize, size| product.saturating_mul(size));
    if count > MOST_ELEMENTS {
        return Err(beyond(format!("it takes the mean of {count} elements")));
    }
    let (x_scale, z_scale) = (x.quantization()?.0, output.quantization()?.0);
    let rescaling = multiplier(f64::from(x_scale) / f64::from(z_scale))?;
    Ok(Operator::Mean(Mean {
        axes,
        keep: options.is_some_and(|options| options.keep_dims()),
        multiplier: divided(rescaling, count.max(1)),
        rounding: Rounding::Twice,
        clamp: clamp(ActivationFunctionType::NONE, output)?,
    }))
}

/// A multiplier over a count of elements, as TFLite folds the two: the mantissa is shifted up by
/// the count's bits, divided and cut.
fn divided(multiplier: Multiplier, count: usize) -> Multiplier {
    let bits = count.ilog2() as i32;
    let up = bits.min(32).min(31 + multiplier.shift);
    let mantissa = (i64::from(multiplier.mantissa) << up) / count as i64;
    Multiplier { mantissa: mantissa as i32, shift: multiplier.shift - up }
}
