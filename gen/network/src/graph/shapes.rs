//! The shape an operator makes of its inputs' shapes.

use super::{Operator, Tensor, Window};

impl Window {
    /// Height and width of the result on an image of this height and width; `None` if the window
    /// is larger than the image and its rim, or a step is 0.
    pub fn output(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let pads = [self.pads.top + self.pads.bottom, self.pads.left + self.pads.right];
        let mut output = [0; 2];
        for side in 0..2 {
            let span = self.kernel[side].checked_sub(1)? * self.dilation[side] + 1;
            let room = (image[side] + pads[side]).checked_sub(span)?;
            output[side] = room.checked_div(self.stride[side])? + 1;
        }
        Some(output)
    }
}

/// The output's shape, or why there is none. The values of the operator are in range.
pub(super) fn output_shape(
    operator: &Operator,
    inputs: &[&Tensor],
    output: &Tensor,
) -> Result<Vec<usize>, String> {
    let shape = |n: usize| inputs.get(n).map_or(&[][..], |tensor| &tensor.shape[..]);
    let x = shape(0);
    match operator {
        Operator::Conv2d { window, groups, .. } => {
            let channels = output.image()[2];
            if !image(x)?[2].is_multiple_of(*groups) || !channels.is_multiple_of(*groups) {
                return Err(format!(
                    "{groups} groups do not divide {} input and {channels} output channels",
                    x[2]
                ));
            }
            windows(window, x, channels)
        }
        Operator::AveragePool2d { window, .. } | Operator::MaxPool2d { window, .. } => {
            windows(window, x, image(x)?[2])
        }
        Operator::FullyConnected { .. } => fully_connected(x, output),
        Operator::Mean { axes, keep, .. } => {
            ascending(axes, x)?;
            let size = |(axis, &size): (usize, &usize)| match axes.contains(&axis) {
                true => keep.then_some(1),
                false => Some(size),
            };
            let shape: Vec<usize> = x.iter().enumerate().filter_map(size).collect();
            Ok(if shape.is_empty() { vec![1] } else { shape })
        }
        Operator::Add { .. } if x != shape(1) => {
            Err(format!("inputs {x:?} and {:?} differ in shape", shape(1)))
        }
        Operator::Add { .. }
        | Operator::Requantize { .. }
        | Operator::Softmax { .. }
        | Operator::Lookup { .. } => Ok(x.to_vec()),
        Operator::Slice { begin, size } => slice(x, begin, size, output),
        Operator::MatMul { transpose, .. } => mat_mul(x, shape(1), *transpose),
        Operator::Concat { axis } => {
            let mut sum = x.to_vec();
            for n in 1..inputs.len() {
                let fits = |axis_n: usize| axis_n == *axis || x.get(axis_n) == shape(n).get(axis_n);
                if shape(n).len() != x.len() || !(0..x.len()).all(fits) || *axis >= x.len() {
                    return Err(format!("inputs {x:?} and {:?} differ off axis {axis}", shape(n)));
                }
                sum[*axis] += shape(n)[*axis];
            }
            Ok(sum)
        }
        Operator::Pad { before, after, .. } => {
            if before.len() != x.len() || after.len() != x.len() {
                return Err(format!("a rim for {} axes does not fit {x:?}", before.len()));
            }
            Ok(x.iter()
                .zip(before)
                .zip(after)
                .map(|((x, before), after)| x + before + after)
                .collect())
        }
        Operator::Reshape => {
            let elements = x.iter().product::<usize>();
            if elements != output.elements() {
                return Err(format!(
                    "{:?} has another number of elements than {x:?}",
                    output.shape
                ));
            }
            Ok(output.shape.clone())
        }
    }
}

fn image(shape: &[usize]) -> Result<&[usize], String> {
    if shape.len() == 3 {
        return Ok(shape);
    }
    Err(format!("the input {shape:?} is no image: must be height, width, channels"))
}

fn windows(window: &Window, x: &[usize], channels: usize) -> Result<Vec<usize>, String> {
    let [height, width, _] = *image(x)? else { return Err(String::new()) };
    let Some([rows, columns]) = window.output([height, width]) else {
        return Err(format!("the window is larger than the image {x:?} and its rim"));
    };
    Ok(vec![rows, columns, channels])
}

fn fully_connected(x: &[usize], output: &Tensor) -> Result<Vec<usize>, String> {
    // the weights say how long a row of the input is; that is checked with them
    if x.is_empty() || output.shape.is_empty() {
        return Err("a fully connected layer needs an input and an output".to_owned());
    }
    Ok(output.shape.clone())
}

fn mat_mul(x: &[usize], y: &[usize], transpose: bool) -> Result<Vec<usize>, String> {
    match (x, y, transpose) {
        (&[rows, inner], &[columns, other], true) if inner == other => Ok(vec![rows, columns]),
        (&[rows, inner], &[other, columns], false) if inner == other => Ok(vec![rows, columns]),
        _ => Err(format!("matrices {x:?} and {y:?} cannot be multiplied (transpose: {transpose})")),
    }
}

fn slice(
    x: &[usize],
    begin: &[usize],
    size: &[usize],
    output: &Tensor,
) -> Result<Vec<usize>, String> {
    let lengths = begin.len() == x.len() && size.len() == x.len();
    let within = |axis: usize| {
        size[axis] > 0 && begin[axis].checked_add(size[axis]).is_some_and(|end| end <= x[axis])
    };
    if !lengths || !(0..x.len()).all(within) {
        return Err(format!("the part of {size:?} from {begin:?} on is none of {x:?}"));
    }
    let long =
        |shape: &[usize]| shape.iter().filter(|&&size| size > 1).copied().collect::<Vec<_>>();
    let dropped = output.shape.len() <= size.len() && long(&output.shape) == long(size);
    Ok(if dropped { output.shape.clone() } else { size.to_vec() })
}

fn ascending(axes: &[usize], shape: &[usize]) -> Result<(), String> {
    let sorted = axes.windows(2).all(|pair| pair[0] < pair[1]);
    if sorted && axes.last().is_some_and(|&last| last < shape.len()) {
        return Ok(());
    }
    Err(format!("axes {axes:?} must ascend and be axes of {shape:?}"))
}
