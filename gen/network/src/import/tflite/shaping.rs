//! Layers that move elements.

use super::node::{Node, beyond, broken};
use super::pooling::same_scale;
use super::schema::{ActivationFunctionType, TensorType};
use crate::graph::{Concat, Gather, Operator, Pad, Reshape, Slice};
use crate::import::report::Problem;

pub(super) fn concat(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_concatenation_options();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    if options.fused_activation_function() != ActivationFunctionType::NONE {
        return Err(Problem::new("it has an activation", "put the activation before it"));
    }
    same_scale(node, node.inputs.len())?;
    Ok(Operator::Concat(Concat { axis: node.output()?.axis(options.axis().into())? }))
}

pub(super) fn pad(node: &Node) -> Result<Operator, Problem> {
    let (x, output) = (node.activation(0)?, node.output()?);
    let rims = node.integers(1, "its rims")?;
    let size = |n: i64| usize::try_from(n).ok().filter(|&n| n <= 65_535);
    let rims: Option<Vec<usize>> = rims.into_iter().map(size).collect();
    let rims = rims.filter(|rims| rims.len() == 2 * x.shape.len());
    let rims = rims.ok_or_else(|| beyond("its rims are out of range: must be 0 to 65535"))?;
    let (_, batch) = x.shape()?;
    let (outside, rims) = rims.split_at(2 * batch);
    if outside.iter().any(|&rim| rim > 0) {
        return Err(on_batch());
    }
    same_scale(node, 1)?;
    let (_, zero_point) = output.quantization()?;
    let value = match node.optional(2) {
        Some(value) if value.bytes.len() == 1 && value.kind == output.kind => match value.kind {
            TensorType::INT8 => i32::from(value.bytes[0] as i8),
            _ => i32::from(value.bytes[0]),
        },
        Some(_) => {
            return Err(Problem::new("its value is no constant of its type", "pad with 0"));
        }
        None => zero_point,
    };
    let before = rims.iter().step_by(2).copied().collect();
    let after = rims.iter().skip(1).step_by(2).copied().collect();
    Ok(Operator::Pad(Pad { before, after, value }))
}

fn on_batch() -> Problem {
    Problem::new("it works on the batch axis", "leave the batch alone")
}

/// The output's shape is in the file; what the node would make of its second input must be it.
pub(super) fn reshape(node: &Node) -> Result<Operator, Problem> {
    same_scale(node, 1)?;
    let (x, output) = (node.activation(0)?, node.output()?);
    if node.optional(1).is_none() {
        return Ok(Operator::Reshape(Reshape {}));
    }
    let Some(wanted) = node.known_integers(1) else {
        let rewrite = "convert with fixed shapes and a batch of 1";
        return Err(Problem::new("its shape is computed at run time", rewrite));
    };
    let given: i64 = wanted.iter().filter(|&&size| size != -1).product();
    let rest = if given == 0 { 0 } else { x.elements() as i64 / given };
    let size = |&size: &i64| if size == -1 { rest } else { size };
    let makes: Vec<i64> = wanted.iter().map(size).collect();
    // a scalar's shape is empty
    if !makes.iter().copied().eq(output.shape.iter().map(|&size| size as i64)) {
        let problem = format!("it makes shape {makes:?}, the file says {:?}", output.shape);
        return Err(Problem::new(problem, "convert with fixed shapes and a batch of 1"));
    }
    Ok(Operator::Reshape(Reshape {}))
}

/// `SQUEEZE` and `EXPAND_DIMS`, whose other operand says no more than the output's shape.
pub(super) fn axes_of_one(node: &Node) -> Result<Operator, Problem> {
    same_scale(node, 1)?;
    Ok(Operator::Reshape(Reshape {}))
}

/// First index and number of indices of each axis, as the file has them.
type Part = Vec<(usize, usize)>;

fn part(node: &Node, part: Part) -> Result<Operator, Problem> {
    let (_, batch) = node.activation(0)?.shape()?;
    if part.iter().any(|&(_, size)| size == 0) {
        return Err(Problem::new("it takes nothing", "leave it out"));
    }
    let (begin, size) = part.into_iter().skip(batch).unzip();
    Ok(Operator::Slice(Slice { begin, size }))
}

pub(super) fn slice(node: &Node) -> Result<Operator, Problem> {
    same_scale(node, 1)?;
    let x = node.activation(0)?;
    let (begin, size) = (node.integers(1, "its begins")?, node.integers(2, "its sizes")?);
    if begin.len() != x.shape.len() || size.len() != x.shape.len() {
        return Err(broken(format!("it takes {size:?} from {begin:?} on of {:?}", x.shape)));
    }
    let axes = x.shape.iter().zip(begin.iter().zip(&size));
    let of = |(&all, (&begin, &size)): (&usize, (&i64, &i64))| {
        let begin = usize::try_from(begin).ok().filter(|&begin| begin <= all)?;
        let size = if size == -1 { all - begin } else { usize::try_from(size).ok()? };
        (size <= all - begin).then_some((begin, size))
    };
    let problem = || broken(format!("it takes {size:?} from {begin:?} on of {:?}", x.shape));
    part(node, axes.map(of).collect::<Option<Part>>().ok_or_else(problem)?)
}

pub(super) fn strided_slice(node: &Node) -> Result<Operator, Problem> {
    same_scale(node, 1)?;
    let (steps, x) = (Steps::of(node)?, node.activation(0)?);
    let axes = steps.along(&x.shape)?;
    if axes.iter().all(|axis| axis.stride == 1 || axis.count <= 1) {
        return part(node, axes.iter().map(|axis| (axis.first as usize, axis.count)).collect());
    }
    let taken = |(axis, &all): (&Along, &usize)| match axis.stride == 1 && axis.count == all {
        true => Ok(vec![]),
        false => indices(axis.indices()),
    };
    let indices = axes.iter().zip(&x.shape).map(taken).collect::<Result<_, _>>()?;
    gather(node, indices)
}

/// `TRANSPOSE` that moves none but axes of 1: another shape.
pub(super) fn transpose(node: &Node) -> Result<Operator, Problem> {
    same_scale(node, 1)?;
    let (x, order) = (&node.activation(0)?.shape, node.integers(1, "its axes")?);
    let damaged = || broken(format!("it orders axes {order:?} of {x:?}"));
    let place = |&axis: &i64| {
        let axis = if axis < 0 { axis + x.len() as i64 } else { axis };
        usize::try_from(axis).ok().filter(|&axis| axis < x.len())
    };
    let axes: Option<Vec<usize>> = order.iter().map(place).collect();
    let axes = axes.ok_or_else(damaged)?;
    let shape: Vec<usize> = axes.iter().map(|&axis| x[axis]).collect();
    let mut named = axes.clone();
    named.sort_unstable();
    if !named.iter().copied().eq(0..x.len()) || shape != node.output()?.shape {
        return Err(damaged());
    }
    if axes.iter().filter(|&&axis| x[axis] > 1).is_sorted() {
        return Ok(Operator::Reshape(Reshape {}));
    }
    let problem = format!("it orders the axes of {x:?} as {axes:?}");
    Err(Problem::new(problem, "keep height, width, channels order throughout"))
}

/// Indices that are as many, and as small, as `gather` takes them.
fn indices(indices: impl Iterator<Item = usize>) -> Result<Vec<u16>, Problem> {
    let fits = |index: usize| u16::try_from(index).ok();
    let list: Option<Vec<u16>> = indices.take(Gather::MOST + 1).map(fits).collect();
    // an empty list would be the whole axis
    if list.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::new("it takes nothing", "leave it out"));
    }
    let list = list.filter(|list| list.len() <= Gather::MOST);
    list.ok_or_else(|| beyond(format!("it takes more than {} indices of an axis", Gather::MOST)))
}

/// `RESIZE_NEAREST_NEIGHBOR`: the element of the input that lies nearest to each of the output, as the
/// reference kernel finds it in single precision.
pub(super) fn nearest(node: &Node) -> Result<Operator, Problem> {
    same_scale(node, 1)?;
    let options = node.operator.builtin_options_as_resize_nearest_neighbor_options();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    let (corners, half) = (options.align_corners(), options.half_pixel_centers());
    let (from, to) = (&node.activation(0)?.shape, &node.output()?.shape);
    if from.len() != 4 || to.len() != 4 {
        return Err(broken(format!("it makes {to:?} of {from:?}")));
    }
    let side = |axis: usize| {
        let (from, to) = (from[axis], to[axis]);
        if from == to || from == 0 {
            return Ok(vec![]);
        }
        let scale = match corners && to > 1 {
            true => (from - 1) as f32 / (to - 1) as f32,
            false => from as f32 / to as f32,
        };
        let offset = if half { 0.5 } else { 0.0 };
        let of = |at: usize| {
            let place = (at as f32 + offset) * scale;
            let place = if corners { place.round() } else { place.floor() };
            (place as usize).min(from - 1)
        };
        indices((0..to).map(of))
    };
    gather(node, vec![vec![], side(1)?, side(2)?, vec![]])
}

/// Of an axis of the file's shape, the whole of it being an empty list.
fn gather(node: &Node, indices: Vec<Vec<u16>>) -> Result<Operator, Problem> {
    let (_, batch) = node.activation(0)?.shape()?;
    if indices[..batch].iter().any(|taken| !taken.is_empty()) {
        return Err(on_batch());
    }
    Ok(Operator::Gather(Gather { indices: indices[batch..].to_vec() }))
}

/// What `STRIDED_SLICE` takes.
pub(super) struct Steps {
    begin: Vec<i64>,
    end: Vec<i64>,
    strides: Vec<i64>,
    begin_mask: i32,
    end_mask: i32,
    shrink_axis_mask: i32,
    offset: bool,
}

/// Some indices of an axis.
pub(super) struct Along {
    first: i64,
    count: usize,
    stride: i64,
}

impl Along {
    pub(super) fn indices(&self) -> impl Iterator<Item = usize> {
        (0..self.count as i64).map(|n| (self.first + n * self.stride) as usize)
    }
}

impl Steps {
    pub(super) fn of(node: &Node) -> Result<Steps, Problem> {
        let options = node.operator.builtin_options_as_strided_slice_options();
        let options = options.ok_or_else(|| broken("it has no options"))?;
        if options.ellipsis_mask() != 0 || options.new_axis_mask() != 0 {
            let rewrite = "name each axis, and reshape after it";
            return Err(Problem::new("it has an ellipsis or new axes", rewrite));
        }
        let begin = node.integers(1, "its begins")?;
        let end = node.integers(2, "its ends")?;
        let strides = node.integers(3, "its strides")?;
        if begin.len() != end.len() || begin.len() != strides.len() {
            return Err(broken("its begins, ends and strides are not as many"));
        }
        Ok(Steps {
            begin,
            end,
            strides,
            begin_mask: options.begin_mask(),
            end_mask: options.end_mask(),
            shrink_axis_mask: options.shrink_axis_mask(),
            offset: options.offset(),
        })
    }

    /// What is taken of each axis.
    pub(super) fn along(&self, shape: &[usize]) -> Result<Vec<Along>, Problem> {
        if self.begin.len() > shape.len() {
            return Err(broken(format!("it has {} axes of {shape:?}", self.begin.len())));
        }
        let bit = |mask: i32, axis: usize| mask >> axis & 1 == 1;
        let of = |(axis, &all): (usize, &usize)| {
            let Some((&begin, &stride)) = self.begin.get(axis).zip(self.strides.get(axis)) else {
                return Ok(Along { first: 0, count: all, stride: 1 });
            };
            if stride == 0 {
                return Err(broken("its stride is 0"));
            }
            let size = all as i64;
            // where it begins and ends if nothing is said: behind the end, or before the start
            let (start, stop) = if stride > 0 { (0, size) } else { (size - 1, -1) };
            let within = |at: i64| {
                let at = if at < 0 { at.saturating_add(size) } else { at };
                at.clamp(start.min(stop), start.max(stop))
            };
            let end = self.end[axis].saturating_add(if self.offset { begin } else { 0 });
            let first = if bit(self.begin_mask, axis) { start } else { within(begin) };
            let last = match () {
                () if bit(self.shrink_axis_mask, axis) => (first + 1).min(size),
                () if bit(self.end_mask, axis) => stop,
                () => within(end),
            };
            let span = if stride > 0 { last - first } else { first - last };
            let count = span.max(0).unsigned_abs().div_ceil(stride.unsigned_abs()) as usize;
            Ok(Along { first, count, stride })
        };
        shape.iter().enumerate().map(of).collect()
    }
}

/// `SPLIT` and `SPLIT_V`: a part for each output.
pub(super) fn split(node: &Node, by_sizes: bool) -> Result<Vec<Operator>, Problem> {
    let (data, axis) = if by_sizes { (0, 2) } else { (1, 0) };
    let x = node.activation(data)?;
    let axes = node.integers(axis, "its axis")?;
    let &[axis] = &axes[..] else { return Err(broken("it has no single axis")) };
    let rank = x.shape.len() as i64;
    let axis = if axis < 0 { axis + rank } else { axis };
    let axis = usize::try_from(axis).ok().filter(|&axis| axis < x.shape.len());
    let axis = axis.ok_or_else(|| broken("its axis does not exist"))?;
    let (all, outputs) = (x.shape[axis], node.outputs.len());
    let sizes = match by_sizes {
        true => node.integers(1, "its sizes")?,
        false => vec![(all / outputs.max(1)) as i64; outputs],
    };
    let given: i64 = sizes.iter().filter(|&&size| size >= 0).sum();
    let size = |&size: &i64| if size < 0 { all as i64 - given } else { size };
    let sizes: Vec<i64> = sizes.iter().map(size).collect();
    if sizes.len() != outputs || sizes.iter().sum::<i64>() != all as i64 {
        return Err(broken(format!("it splits {all} into {sizes:?} for {outputs} outputs")));
    }
    let kind = |n: usize| {
        let tensor = &node.model.tensors[n];
        Ok((tensor.kind, tensor.quantization()?))
    };
    let own = (x.kind, x.quantization()?);
    let mut first = 0;
    let mut parts = vec![];
    for (&size, &output) in sizes.iter().zip(&node.outputs) {
        if size <= 0 || kind(output)? != own {
            let problem = "its outputs differ in type, scale or zero point, or have no elements";
            return Err(Problem::new(problem, "quantize them alike"));
        }
        let mut part: Part = x.shape.iter().map(|&size| (0, size)).collect();
        part[axis] = (first, size as usize);
        first += size as usize;
        let (_, batch) = x.shape()?;
        if axis < batch {
            return Err(on_batch());
        }
        let (begin, size) = part.into_iter().skip(batch).unzip();
        parts.push(Operator::Slice(Slice { begin, size }));
    }
    Ok(parts)
}
