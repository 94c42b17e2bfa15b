//! What a node reads, with what is wrong with it in words.

use super::convert::Conversion;
use super::form::Form;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Quantization, Value, Weights, What};
use crate::graph::{Operator, Reshape, Tensor};
use crate::import::report::Problem;
use std::rc::Rc;

/// Most bytes that constants may become, those counted twice that two nodes read.
const MOST_BYTES: usize = 3 << 27;
/// Most weights of all layers together, counted when they are read and when they are quantized.
const MOST_WEIGHTS: usize = 1 << 26;
/// Most entries of a list such as axes.
const MOST_ENTRIES: usize = 64;

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

    /// Input `n`, quantized and computed at run time: the tensor, and its form.
    pub(super) fn tensor(&mut self, node: &NodeProto, n: usize) -> Result<(usize, Form), Problem> {
        let name = &node.input.get(n).cloned().unwrap_or_default();
        match self.input(node, n)?.clone() {
            Value::Tensor { number, form, integers: false } => Ok((number, form)),
            Value::Tensor { .. } | Value::Raw { .. } => {
                let problem = format!("it reads the integers of `{name}`");
                Err(Problem::new(problem, "put a DequantizeLinear before it"))
            }
            // an activation of a quantized tensor keeps its scale
            Value::Pending(pending) if matches!(pending.what, What::Same) => {
                let alike = Quantization::of(&self.tensors[pending.inputs[0]]);
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
                Err(Problem::new(format!("`{name}` is not quantized"), rewrite))
            }
            Value::Constant(_) | Value::Weights(_) => {
                let rewrite = "fold the constant into the layer before it";
                Err(Problem::new(format!("`{name}` is a constant"), rewrite))
            }
            Value::Unknown => Err(broken("its input is unknown")),
        }
    }

    /// Input 0, an image or a line, quantized and computed at run time.
    pub(super) fn image(&mut self, n: usize, node: &NodeProto) -> Result<(usize, Form), Problem> {
        let (x, form) = self.tensor(node, 0)?;
        self.with_channels_last(n, x, form)
    }

    /// A tensor of one channel or one pixel becomes an image; others are as they are.
    pub(super) fn with_channels_last(
        &mut self,
        n: usize,
        x: usize,
        form: Form,
    ) -> Result<(usize, Form), Problem> {
        let form = form.into_image();
        let shape = form.here()?;
        if self.tensors[x].shape == shape {
            return Ok((x, form));
        }
        let tensor = Tensor { shape, ..self.tensors[x].clone() };
        Ok((self.push(n, &[x], tensor, Operator::Reshape(Reshape {})), form))
    }

    /// Input `n`, a constant of integers such as axes.
    pub(super) fn integers(&self, node: &NodeProto, n: usize) -> Result<Option<Vec<i64>>, Problem> {
        let Some(value) = self.optional(node, n) else { return Ok(None) };
        let Value::Constant(array) = value else {
            let rewrite = "export with fixed shapes and fold constants (onnxsim)";
            return Err(Problem::new(format!("input {n} is computed at run time"), rewrite));
        };
        let list = array.integers().ok_or_else(|| broken(format!("input {n} are no integers")))?;
        if list.len() > MOST_ENTRIES {
            return Err(broken(format!("input {n} has {} entries", list.len())));
        }
        Ok(Some(list.iter().map(|&n| n.into()).collect()))
    }

    /// Input `n`, a constant of real numbers: its shape and its elements.
    pub(super) fn reals(
        &mut self,
        node: &NodeProto,
        n: usize,
    ) -> Result<(Vec<usize>, Vec<f64>), Problem> {
        let (shape, list) = self.reals_or_infinities(node, n)?;
        match list.iter().position(|number| !number.is_finite()) {
            None => Ok((shape, list)),
            Some(place) => {
                let problem = format!("`{}`[{place}] is {}", node.reads(n), list[place]);
                Err(Problem::new(problem, "train or export again with finite numbers"))
            }
        }
    }

    /// The same, of bounds which may be infinite.
    pub(super) fn reals_or_infinities(
        &mut self,
        node: &NodeProto,
        n: usize,
    ) -> Result<(Vec<usize>, Vec<f64>), Problem> {
        let numbers = match self.input(node, n)? {
            Value::Constant(array) => array.shape.iter().product(),
            Value::Weights(weights) => weights.integers.len(),
            _ => 0,
        };
        self.count(8 * numbers)?;
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
        Ok((shape, list))
    }

    /// Input `n`, a quantized constant.
    pub(super) fn weights(&self, node: &NodeProto, n: usize) -> Result<Rc<Weights>, Problem> {
        match self.input(node, n)? {
            Value::Weights(weights) => Ok(weights.clone()),
            Value::Constant(_) => {
                let rewrite = "put a Quant on them, or store integers with a DequantizeLinear";
                Err(Problem::new("its weights are not quantized", rewrite))
            }
            _ => {
                let problem = "its weights are computed at run time";
                Err(Problem::new(problem, "give them as a constant"))
            }
        }
    }

    /// Bounds the bytes that all constants together become, before they do.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= MOST_BYTES {
            return Ok(());
        }
        let problem = format!("the model's constants become more than {MOST_BYTES} bytes");
        Err(Problem::new(problem, "use a smaller model"))
    }

    /// Bounds the weights of all layers together.
    pub(super) fn count_weights(&mut self, weights: usize) -> Result<(), Problem> {
        self.count(weights)?;
        self.weights = self.weights.saturating_add(weights);
        if self.weights <= MOST_WEIGHTS {
            return Ok(());
        }
        let problem = format!("the model's layers have more than {} weights", MOST_WEIGHTS / 2);
        Err(Problem::new(problem, "use a smaller model"))
    }
}
