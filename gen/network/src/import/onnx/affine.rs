//! Factors and offsets of a channel, folded into the layer before, or a layer of their own behind what
//! is quantized already: `BatchNormalization`, and `Add` and `Mul` with a constant.

use super::convert::Conversion;
use super::form::{Form, Order};
use super::linear::UNBOUNDED;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Pending, Sums, Value, What};
use crate::graph::{Operator, Pads, Reshape, Tensor, Window};
use crate::import::report::Problem;
use std::rc::Rc;

impl Conversion<'_> {
    pub(super) fn batch_normalization(
        &mut self,
        n: usize,
        node: &NodeProto,
    ) -> Result<Value, Problem> {
        if node.integer("training_mode", 0) != 0 {
            return Err(Problem::new("it is in training mode", "export for inference"));
        }
        let pending = self.linear(n, node, 0)?;
        let form = &pending.form;
        if form.axis(1).ok() != form.here()?.len().checked_sub(1) {
            return Err(Problem::new("it does not normalize outputs", "normalize axis 1"));
        }
        let mut lists = Vec::new();
        for n in 1..5 {
            lists.push(self.reals(node, n)?.1);
        }
        let [gamma, beta, mean, variance] = &lists[..] else { return Err(broken("")) };
        let channels = pending.form.shape[1];
        if lists.iter().any(|list| list.len() != channels) {
            return Err(broken(format!("its lists have not {channels} entries")));
        }
        let epsilon = f64::from(node.float("epsilon", 1e-5));
        let factor = |n: usize| gamma[n] / (variance[n] + epsilon).sqrt();
        let factors: Vec<f64> = (0..channels).map(factor).collect();
        let offsets: Vec<f64> = (0..channels).map(|n| beta[n] - mean[n] * factors[n]).collect();
        self.affine(&pending, &factors, &offsets)
    }

    /// `Add` with a constant, which input of the two is told.
    pub(super) fn offset(
        &mut self,
        n: usize,
        node: &NodeProto,
        constant: usize,
    ) -> Result<Value, Problem> {
        let pending = self.linear(n, node, 1 - constant)?;
        let offsets = self.spread(node, constant, &pending.form)?;
        let factors = vec![1.0; offsets.len()];
        self.affine(&pending, &factors, &offsets)
    }

    pub(super) fn mul(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let is_constant = |value: &Value| matches!(value, Value::Constant(_) | Value::Weights(_));
        let constant = usize::from(!is_constant(self.input(node, 0)?));
        if !is_constant(self.input(node, constant)?) {
            let rewrite = "use a MatMul, or a Conv with constant weights";
            return Err(Problem::new("it multiplies two activations", rewrite));
        }
        let pending = self.linear(n, node, 1 - constant)?;
        let factors = self.spread(node, constant, &pending.form)?;
        let offsets = vec![0.0; factors.len()];
        self.affine(&pending, &factors, &offsets)
    }

    /// An input that is the result of a layer with weights, which nothing has rounded or clipped yet;
    /// a quantized one becomes that of a layer of its own.
    fn linear(&mut self, n: usize, node: &NodeProto, which: usize) -> Result<Rc<Pending>, Problem> {
        match self.input(node, which)? {
            Value::Pending(pending) if !matches!(pending.what, What::Same) => {
                if pending.has_weights() && pending.bounds == UNBOUNDED {
                    return Ok(pending.clone());
                }
                let rewrite = "move it right behind a Conv, Gemm or MatMul, or quantize before it";
                Err(Problem::new("it follows no layer with weights", rewrite))
            }
            _ => {
                let (x, form) = self.tensor(node, which)?;
                self.each_channel(n, x, form).map(Rc::new)
            }
        }
    }

    /// Each channel times 1: a layer whose one weight a channel stands for many steps, so that a bias,
    /// which becomes a whole number of them, loses little. Which weight is found when it is known how
    /// the result is quantized. Short vectors are a dense layer, for which no channel has to lie
    /// anywhere in particular; images and long vectors a convolution of each channel.
    fn each_channel(&mut self, n: usize, x: usize, form: Form) -> Result<Pending, Problem> {
        let tensor = self.tensors[x].clone();
        let [height, width, channels] = tensor.image();
        let dense = tensor.shape.len() < 3 && channels <= MOST_DENSE;
        let each = if dense { channels } else { 1 };
        self.count(16 * channels)?;
        self.count_weights(each * channels)?;
        let one = |n: usize| if n % each == n / each || !dense { ONE } else { 0 };
        let sums = Sums {
            bits: 8,
            weights: (0..each * channels).map(one).collect(),
            scales: vec![1.0 / f64::from(ONE); channels].into(),
            bias: vec![0.0; channels].into(),
            free: true,
        };
        if dense {
            let (inputs, written, what) = (vec![x], tensor.shape, What::Dense { sums });
            return Ok(Pending { node: n, inputs, what, written, form, bounds: UNBOUNDED });
        }
        let written = vec![height, width, channels];
        let x = match tensor.shape == written {
            true => x,
            false => {
                let image = Tensor { shape: written.clone(), ..tensor };
                self.push(n, &[x], image, Operator::Reshape(Reshape {}))
            }
        };
        let (kernel, stride, dilation, pads) = ([1; 2], [1; 2], [1; 2], Pads::default());
        let window = Window { kernel, stride, dilation, pads };
        let what = What::Conv { window, groups: channels, sums };
        Ok(Pending { node: n, inputs: vec![x], what, written, form, bounds: UNBOUNDED })
    }

    /// A constant as an entry an output.
    fn spread(&mut self, node: &NodeProto, n: usize, form: &Form) -> Result<Vec<f64>, Problem> {
        let (shape, list) = self.reals(node, n)?;
        let outputs = form.here()?.last().copied().unwrap_or(1);
        if let [one] = list[..] {
            self.count(8 * outputs)?;
            return Ok(vec![one; outputs]);
        }
        let axis = if form.order == Order::Image { 1 } else { form.shape.len() - 1 };
        let sizes = (form.shape.len() - axis).checked_sub(1).map(|after| {
            let place = shape.len().checked_sub(after + 1);
            (place, place.and_then(|place| shape.get(place)))
        });
        match sizes {
            Some((Some(_), Some(&size)))
                if size == outputs
                    && list.len() == outputs
                    && !matches!(form.order, Order::Flat(_)) =>
            {
                Ok(list)
            }
            _ => {
                let problem = format!("a constant {shape:?} meets {:?}", form.shape);
                Err(Problem::new(problem, "use a constant an output channel"))
            }
        }
    }

    fn affine(
        &mut self,
        pending: &Pending,
        factors: &[f64],
        offsets: &[f64],
    ) -> Result<Value, Problem> {
        let mut folded = pending.clone();
        let sums = match &mut folded.what {
            What::Conv { sums, .. } | What::Dense { sums } => sums,
            _ => return Err(broken("it follows no layer with weights")),
        };
        if sums.scales.len() != factors.len() {
            return Err(broken("its factors do not fit the layer before"));
        }
        if let Some(n) =
            factors.iter().position(|factor| factor.is_nan() || factor.abs() > MOST_FACTOR)
        {
            let problem = format!("its factor of output {n} is {:e}", factors[n]);
            return Err(Problem::new(problem, "train or export again with finite numbers"));
        }
        self.count(16 * factors.len())?;
        if factors.iter().any(|&factor| factor <= 0.0) {
            self.count(sums.weights.len())?;
            turn(sums, factors)?;
        }
        let bias = sums.bias.iter().zip(factors).zip(offsets);
        sums.bias = bias.map(|((bias, factor), offset)| bias * factor + offset).collect();
        // a channel whose weights are 0 keeps a scale for its bias
        let size = |factor: f64| if factor == 0.0 { 1.0 } else { factor.abs() };
        let scales = sums.scales.iter().zip(factors);
        sums.scales = scales.map(|(scale, &factor)| scale * size(factor)).collect();
        Ok(Value::Pending(Rc::new(folded)))
    }
}

/// The largest factor of an output.
const MOST_FACTOR: f64 = 1e12;

/// Most channels of a vector that become a dense layer of their own.
const MOST_DENSE: usize = 128;

/// The weight that stands for 1 where a layer has none of its own.
pub(super) const ONE: i8 = 64;

/// Weights of the other sign where the factor is below 0, none where it is 0.
fn turn(sums: &mut Sums, factors: &[f64]) -> Result<(), Problem> {
    let each = sums.weights.len() / factors.len().max(1);
    let lowest = -(1 << (sums.bits - 1));
    let mut wider = false;
    let turned = sums.weights.iter().enumerate().map(|(n, &weight)| {
        let factor = factors[n / each.max(1)];
        wider |= factor < 0.0 && i32::from(weight) == lowest;
        match factor {
            0.0 => 0,
            factor if factor < 0.0 => weight.checked_neg().unwrap_or(i8::MAX),
            _ => weight,
        }
    });
    let turned = turned.collect();
    if wider && sums.bits == 8 {
        let problem = "a factor below 0 meets the weight -128";
        return Err(Problem::new(problem, "quantize weights to -127 to 127 (narrow range)"));
    }
    sums.bits += u32::from(wider);
    sums.weights = turned;
    Ok(())
}
