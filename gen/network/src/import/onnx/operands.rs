//! What a node reads, with what is wrong with it in words.

use super::convert::Conversion;
use super::form::Form;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Quantisation, Value, Weights, What};
use crate::import::report::Problem;
use std::rc::Rc;

/// Most numbers that constants may become, those counted twice that two nodes read.
const MOST_NUMBERS: usize = 1 << 27;

impl Conversion<'_> {
    /// Input `n`, if it is there.
    pub(super) fn optional(&self, node: &NodeProto, n: usize) -> Option<&Value> {
        node.input.get(n).filter(|name| !name.is_empty()).and_then(|name| self.values.get(name))
    }

    /// Input `n`.
    pub(super) fn input(&self, node: &NodeProto, n: usize) -> Result<&Value, Problem> {
        let name = node.input.get(n).map(String::as_str).unwrap_or_default();
        if name.is_empty() {
            return Err(broken(format!("input {n} is missing")));
        }
        self.values
            .get(name)
            .ok_or_else(|| broken(format!("input `{name}` is written by no node before it")))
    }

    /// Input `n`, quantised and computed at run time: the tensor, and its form.
    pub(super) fn tensor(&mut self, node: &NodeProto, n: usize) -> Result<(usize, Form), Problem> {
        let name = &node.input.get(n).cloned().unwrap_or_default();
        match self.input(node, n)?.clone() {
            Value::Tensor { number, form, integers: false } => Ok((number, form)),
            Value::Tensor { .. } | Value::Raw { .. } => {
                let problem = format!("it reads the integers of `{name}`");
                Err(Problem::new(problem, "put a DequantizeLinear before it"))
            }
            // an activation of a quantised tensor keeps its scale
            Value::Pending(pending) if matches!(pending.what, What::Same) => {
                let alike = Quantisation::of(&self.tensors[pending.inputs[0]]);
                let number = self.settle(&pending, alike, name)?;
                let form = pending.form.clone();
                self.values.insert(
                    name.clone(),
                    Value::Tensor { number, form: form.clone(), integers: false },
                );
                Ok((number, form))
            }
            Value::Pending(_) => {
                let rewrite = "put QuantizeLinear and DequantizeLinear, or a Quant, on it";
                Err(Problem::new(format!("`{name}` is not quantised"), rewrite))
            }
            Value::Constant(_) | Value::Weights(_) => {
                let rewrite = "fold the constant into the layer before it";
                Err(Problem::new(format!("`{name}` is a constant"), rewrite))
            }
            Value::Unknown => Err(broken("its input is unknown")),
        }
    }

    /// Input `n`, a constant of integers such as axes.
    pub(super) fn integers(&self, node: &NodeProto, n: usize) -> Result<Option<Vec<i64>>, Problem> {
        let Some(value) = self.optional(node, n) else { return Ok(None) };
        let Value::Constant(array) = value else {
            let rewrite = "export with fixed shapes and fold constants (onnxsim)";
            return Err(Problem::new(format!("input {n} is computed at run time"), rewrite));
        };
        let list = array.integers().ok_or_else(|| broken(format!("input {n} are no integers")))?;
        Ok(Some(list.iter().map(|&n| n.into()).collect()))
    }

    /// Input `n`, a constant of real numbers: its shape and its elements.
    pub(super) fn reals(
        &mut self,
        node: &NodeProto,
        n: usize,
    ) -> Result<(Vec<usize>, Vec<f64>), Problem> {
        let (shape, list) = match self.input(node, n)? {
            Value::Constant(array) => {
                let list = array.floats();
                let list = list.ok_or_else(|| broken(format!("input {n} is not float")))?;
                (array.shape.clone(), list.iter().map(|&n| f64::from(n)).collect::<Vec<_>>())
            }
            Value::Weights(weights) => (weights.shape.clone(), weights.reals()),
            _ => {
                let problem = format!("input {n} is computed at run time");
                return Err(Problem::new(problem, "give it as a constant"));
            }
        };
        if list.iter().any(|number| !number.is_finite()) {
            return Err(broken(format!("input {n} has a number that is not finite")));
        }
        self.count(list.len())?;
        Ok((shape, list))
    }

    /// Input `n`, a quantised constant.
    pub(super) fn weights(&self, node: &NodeProto, n: usize) -> Result<Rc<Weights>, Problem> {
        match self.input(node, n)? {
            Value::Weights(weights) => Ok(weights.clone()),
            Value::Constant(_) => {
                let rewrite = "put a Quant on them, or store integers with a DequantizeLinear";
                Err(Problem::new("its weights are not quantised", rewrite))
            }
            _ => {
                let problem = "its weights are computed at run time";
                Err(Problem::new(problem, "give them as a constant"))
            }
        }
    }

    /// Bounds what all constants together become.
    pub(super) fn count(&mut self, numbers: usize) -> Result<(), Problem> {
        self.numbers = self.numbers.saturating_add(numbers);
        if self.numbers <= MOST_NUMBERS {
            return Ok(());
        }
        let problem = format!("the model's weights are more than {MOST_NUMBERS} numbers");
        Err(Problem::new(problem, "use a smaller model"))
    }
}
