//! Factors and offsets of a channel, folded into the layer before: `BatchNormalization`, and `Add`
//! and `Mul` with a constant.

use super::convert::Conversion;
use super::form::{Form, Order};
use super::linear::UNBOUNDED;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Pending, Sums, Value, What};
use crate::import::report::Problem;
use std::rc::Rc;

impl Conversion<'_> {
    pub(super) fn batch_normalization(&mut self, node: &NodeProto) -> Result<Value, Problem> {
        if node.integer("training_mode", 0) != 0 {
            return Err(Problem::new("it is in training mode", "export for inference"));
        }
        let pending = self.linear(node, 0)?;
        let form = &pending.form;
        if form.axis(1).ok() != form.here()?.len().checked_sub(1) {
            return Err(Problem::new("it does not normalise outputs", "normalise axis 1"));
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

    /// `Add` with a constant: input `n` is the result, `constant` the other.
    pub(super) fn offset(
        &mut self,
        node: &NodeProto,
        n: usize,
        constant: usize,
    ) -> Result<Value, Problem> {
        let pending = self.linear(node, n)?;
        let offsets = self.spread(node, constant, &pending.form)?;
        let factors = vec![1.0; offsets.len()];
        self.affine(&pending, &factors, &offsets)
    }

    pub(super) fn mul(&mut self, node: &NodeProto) -> Result<Value, Problem> {
        let is_constant = |value: &Value| matches!(value, Value::Constant(_) | Value::Weights(_));
        let constant = usize::from(!is_constant(self.input(node, 0)?));
        if !is_constant(self.input(node, constant)?) {
            let rewrite = "use a MatMul, or a Conv with constant weights";
            return Err(Problem::new("it multiplies two activations", rewrite));
        }
        let pending = self.linear(node, 1 - constant)?;
        let factors = self.spread(node, constant, &pending.form)?;
        let offsets = vec![0.0; factors.len()];
        self.affine(&pending, &factors, &offsets)
    }

    /// Input `n`, the result of a layer with weights that nothing has rounded or clipped yet.
    fn linear(&mut self, node: &NodeProto, n: usize) -> Result<Rc<Pending>, Problem> {
        if let Value::Pending(pending) = self.input(node, n)?
            && matches!(pending.what, What::Conv { .. } | What::Dense { .. })
            && pending.bounds == UNBOUNDED
        {
            return Ok(pending.clone());
        }
        let rewrite = "move it right behind a Conv, Gemm or MatMul, and quantise after it";
        Err(Problem::new("it follows no layer with weights", rewrite))
    }

    /// A constant as an entry an output.
    fn spread(&mut self, node: &NodeProto, n: usize, form: &Form) -> Result<Vec<f64>, Problem> {
        let (shape, list) = self.reals(node, n)?;
        let outputs = form.here()?.last().copied().unwrap_or(1);
        if let [one] = list[..] {
            self.count(outputs)?;
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
        if sums.scales.len() != factors.len() || factors.iter().any(|f| !f.is_finite()) {
            return Err(broken("its factors do not fit the layer before"));
        }
        self.count(2 * factors.len())?;
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
        return Err(Problem::new(problem, "quantise weights to -127 to 127 (narrow range)"));
    }
    sums.bits += u32::from(wider);
    sums.weights = turned;
    Ok(())
}
