//! Layers with weights, and products of activations.

use super::convert::Conversion;
use super::form::{Form, Order};
use super::node::broken;
use super::pooling::window;
use super::proto::NodeProto;
use super::value::{Pending, Sums, Value, Weights, What};
use crate::import::report::Problem;
use std::rc::Rc;

pub(super) const UNBOUNDED: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

impl Conversion<'_> {
    pub(super) fn conv(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, form) = self.image(n, node)?;
        let weights = self.weights(node, 1)?;
        let [outputs, depth, rows, columns] = match weights.shape[..] {
            [outputs, depth, rows, columns] if !form.is_line() => [outputs, depth, rows, columns],
            [outputs, depth, length] if form.is_line() => [outputs, depth, 1, length],
            _ => {
                let (x, weights) = (&form.shape, &weights.shape);
                return Err(broken(format!("it convolves {x:?} with weights {weights:?}")));
            }
        };
        let [channels, height, width] = form.image()?;
        let groups = usize::try_from(node.integer("group", 1)).unwrap_or(0);
        let fits = groups > 0
            && depth > 0
            && outputs.is_multiple_of(groups)
            && depth.checked_mul(groups) == Some(channels);
        if !fits {
            let problem = format!(
                "weights {:?} in {groups} groups do not fit {channels} channels",
                weights.shape
            );
            return Err(broken(problem));
        }
        let kernel = [rows, columns];
        if node.pair("kernel_shape", kernel)? != kernel {
            return Err(broken(format!("its kernel_shape is not its weights' {kernel:?}")));
        }
        let window = window(node, kernel, [height, width])?;
        let [rows_out, columns_out] = window
            .output([height, width])
            .ok_or_else(|| broken("its window is larger than the image"))?;
        // output, channel, row, column becomes output, row, column, channel
        let order = |n: usize| {
            let (output, rest) =
                (n / (kernel[0] * kernel[1] * depth), n % (rows * columns * depth));
            (output * depth + rest % depth) * rows * columns + rest / depth
        };
        let bias = self.bias(node, 2, outputs, 1.0)?;
        let sums = self.sums(&weights, outputs, 0, order, bias)?;
        let form = form.windows(outputs, [rows_out, columns_out]);
        pending(n, &[x], form, What::Conv { window, groups, sums })
    }

    pub(super) fn gemm(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        if node.integer("transA", 0) != 0 {
            return Err(Problem::new("its first matrix is transposed", "swap the operands"));
        }
        let alpha = f64::from(node.float("alpha", 1.0));
        if !(alpha.is_finite() && alpha > 0.0) {
            return Err(Problem::new(format!("its alpha is {alpha}"), "scale the weights"));
        }
        let turned = node.integer("transB", 0) == 0;
        let mut dense = self.dense(n, node, turned)?;
        let What::Dense { sums } = &mut dense.what else { return Err(broken("it is no layer")) };
        sums.scales = sums.scales.iter().map(|scale| scale * alpha).collect();
        let beta = node.float("beta", 1.0).into();
        sums.bias = self.bias(node, 2, sums.scales.len(), beta)?.into();
        Ok(Value::Pending(Rc::new(dense)))
    }

    pub(super) fn mat_mul(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        if matches!(self.input(node, 1)?, Value::Constant(_) | Value::Weights(_)) {
            return Ok(Value::Pending(Rc::new(self.dense(n, node, true)?)));
        }
        let ((x, left), (y, right)) = (self.tensor(node, 0)?, self.tensor(node, 1)?);
        let (left_here, right_here) = (left.here()?, right.here()?);
        let plain = left.order == Order::Plain && right.order == Order::Plain;
        let (&[_, inner], &[other, columns]) = (&left_here[..], &right_here[..]) else {
            let problem = format!("it multiplies {:?} by {:?}", left.shape, right.shape);
            return Err(Problem::new(problem, "multiply two matrices of more than one row"));
        };
        if inner != other || !plain {
            return Err(broken(format!("it multiplies {:?} by {:?}", left.shape, right.shape)));
        }
        let mut shape = left.shape;
        shape.pop();
        shape.push(columns);
        pending(n, &[x, y], Form::plain(shape), What::MatMul)
    }

    /// A layer of weights that are input, output (`turned`) or output, input.
    fn dense(&mut self, n: usize, node: &NodeProto, turned: bool) -> Result<Pending, Problem> {
        let (x, form) = self.tensor(node, 0)?;
        let weights = self.weights(node, 1)?;
        let &[first, second] = &weights.shape[..] else {
            return Err(broken(format!("its weights have shape {:?}", weights.shape)));
        };
        let (inputs, outputs) = if turned { (first, second) } else { (second, first) };
        if inputs == 0 || outputs == 0 || form.shape.last() != Some(&inputs) {
            let problem = format!("weights {:?} do not fit {:?}", weights.shape, form.shape);
            return Err(broken(problem));
        }
        // where the file has the input that lies at `n` here
        let input = |n: usize| match form.order {
            Order::Flat([channels, height, width]) => n % channels * height * width + n / channels,
            _ => n,
        };
        if form.order == Order::Image {
            let rewrite = "flatten it, or use a 1 x 1 Conv";
            return Err(Problem::new("it multiplies along an image's width", rewrite));
        }
        let order = |n: usize| match turned {
            true => input(n % inputs) * outputs + n / inputs,
            false => n / inputs * inputs + input(n % inputs),
        };
        let bias = vec![0.0; outputs];
        let sums = self.sums(&weights, outputs, usize::from(turned), order, bias)?;
        let mut shape = form.shape;
        shape.pop();
        shape.push(outputs);
        let form = Form::plain(shape);
        let (inputs, written, what) = (vec![x], form.here()?, What::Dense { sums });
        Ok(Pending { node: n, inputs, what, written, form, bounds: UNBOUNDED })
    }

    /// Weights in the order of the network, with a scale an output.
    fn sums(
        &mut self,
        weights: &Weights,
        outputs: usize,
        axis: usize,
        order: impl Fn(usize) -> usize,
        bias: Vec<f64>,
    ) -> Result<Sums, Problem> {
        self.count_weights(weights.integers.len())?;
        if weights.scales.len() > 1 && weights.axis != axis {
            let problem = format!("its weights have scales along axis {}", weights.axis);
            return Err(Problem::new(problem, "quantize per tensor or per output channel"));
        }
        // an unsigned weight needs a bit more
        let half = |bits: u32| 1 << (bits - 1);
        let fits = |bits: &u32| {
            let range = -half(*bits)..half(*bits);
            weights.integers.iter().all(|weight| range.contains(weight))
        };
        let Some(bits) = (2..=8u32).find(|bits| *bits >= weights.bits.min(9) && fits(bits)) else {
            let problem = "its weights, less their zero point, have more than 8 bits";
            return Err(Problem::new(problem, "quantize weights symmetrically to 2 to 8 bits"));
        };
        let weight = |n: usize| weights.integers[order(n)] as i8;
        let scales = (0..outputs).map(|n| weights.scales[n % weights.scales.len()].into());
        Ok(Sums {
            bits,
            weights: (0..weights.integers.len()).map(weight).collect(),
            scales: scales.collect(),
            bias: bias.into(),
            free: false,
        })
    }

    /// A constant, an entry an output, times a factor; 0 if it is absent.
    fn bias(
        &mut self,
        node: &NodeProto,
        n: usize,
        outputs: usize,
        factor: f64,
    ) -> Result<Vec<f64>, Problem> {
        if self.optional(node, n).is_none() {
            return Ok(vec![0.0; outputs]);
        }
        let (shape, bias) = self.reals(node, n)?;
        match bias.len() {
            1 => Ok(vec![bias[0] * factor; outputs]),
            length if length == outputs && shape.last() == Some(&outputs) => {
                Ok(bias.into_iter().map(|bias| bias * factor).collect())
            }
            _ => Err(broken(format!("its bias has shape {shape:?}: must have {outputs} entries"))),
        }
    }
}

/// A result, its form as the layer writes it.
pub(super) fn pending(
    node: usize,
    inputs: &[usize],
    form: Form,
    what: What,
) -> Result<Value, Problem> {
    let (inputs, written) = (inputs.to_vec(), form.here()?);
    Ok(Value::Pending(Rc::new(Pending { node, inputs, what, written, form, bounds: UNBOUNDED })))
}
