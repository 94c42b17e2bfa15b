//! Other shapes of the same elements: `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`, `Transpose`.

use super::convert::Conversion;
use super::form::Form;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Pending, Value};
use crate::graph::{Operator, Reshape, Tensor};
use crate::import::report::Problem;
use std::rc::Rc;

impl Conversion<'_> {
    /// A tensor whose elements are to be moved: its integers may be moved as well.
    pub(super) fn moved(
        &mut self,
        node: &NodeProto,
        n: usize,
    ) -> Result<(usize, Form, bool), Problem> {
        match self.input(node, n)?.clone() {
            Value::Tensor { number, form, integers } => Ok((number, form, integers)),
            _ => self.tensor(node, n).map(|(number, form)| (number, form, false)),
        }
    }

    pub(super) fn transpose(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let value = self.input(node, 0)?.clone();
        let rank = match &value {
            Value::Tensor { form, .. } | Value::Raw { form, .. } => form.shape.len(),
            Value::Pending(pending) => pending.form.shape.len(),
            Value::Constant(array) => array.shape.len(),
            Value::Weights(weights) => weights.shape.len(),
            Value::Unknown => 0,
        };
        let axes: Vec<usize> = match node.integers("perm") {
            Some(axes) => axes.iter().map(|&axis| usize::try_from(axis).unwrap_or(rank)).collect(),
            None => (0..rank).rev().collect(),
        };
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..rank) {
            return Err(broken(format!("its perm is {axes:?} of {rank} axes")));
        }
        match value {
            Value::Weights(weights) if axes == [1, 0] => {
                self.count(4 * weights.integers.len())?;
                let (rows, columns) = (weights.shape[0], weights.shape[1]);
                let from = |n: usize| weights.integers[n % rows * columns + n / rows];
                Ok(Value::Weights(Rc::new(super::value::Weights {
                    shape: vec![columns, rows],
                    integers: (0..rows * columns).map(from).collect(),
                    bits: weights.bits,
                    scales: weights.scales.clone(),
                    axis: 1usize.saturating_sub(weights.axis),
                })))
            }
            Value::Constant(_) | Value::Weights(_) => {
                let rewrite = "fold constants (onnxsim)";
                Err(Problem::new("it transposes a constant", rewrite))
            }
            value => self.reform(n, node, value, |form| form.transposed(&axes)),
        }
    }

    pub(super) fn reshape(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let value = self.input(node, 0)?.clone();
        let listed = match (node.op_type(), node.integers("axes"), node.integers("shape")) {
            ("Flatten", ..) => None,
            (_, Some(list), _) | (_, _, Some(list)) => Some(list.to_vec()),
            _ => self.integers(node, 1)?,
        };
        self.reform(n, node, value, |form| {
            let shape = match node.op_type() {
                "Flatten" => flattened(&form.shape, node.integer("axis", 1))?,
                "Squeeze" => squeezed(&form.shape, listed.as_deref())?,
                "Unsqueeze" => unsqueezed(&form.shape, listed.as_deref().unwrap_or_default())?,
                _ => {
                    let list = listed.as_deref().ok_or_else(|| broken("it has no shape"))?;
                    filled(form, list, node.integer("allowzero", 0) != 0)?
                }
            };
            form.reshaped(shape)
        })
    }

    fn reform(
        &mut self,
        n: usize,
        node: &NodeProto,
        value: Value,
        form_of: impl FnOnce(&Form) -> Result<Form, Problem>,
    ) -> Result<Value, Problem> {
        match value {
            Value::Raw { name, kind, form } => Ok(Value::Raw { name, kind, form: form_of(&form)? }),
            Value::Pending(pending) => {
                let form = form_of(&pending.form)?;
                Ok(Value::Pending(Rc::new(Pending { form, ..(*pending).clone() })))
            }
            Value::Tensor { number, form, integers } => {
                let form = form_of(&form)?;
                let shape = form.here()?;
                if self.tensors[number].shape == shape {
                    return Ok(Value::Tensor { number, form, integers });
                }
                let name = node.output.first().cloned().unwrap_or_default();
                let tensor = Tensor { name, shape, ..self.tensors[number].clone() };
                let number = self.push(n, &[number], tensor, Operator::Reshape(Reshape {}));
                Ok(Value::Tensor { number, form, integers })
            }
            _ => Err(Problem::new("it reshapes a constant", "fold constants (onnxsim)")),
        }
    }
}

fn flattened(shape: &[usize], axis: i64) -> Result<Vec<usize>, Problem> {
    let rank = shape.len() as i64;
    let axis = if axis < 0 { axis.saturating_add(rank) } else { axis };
    if !(0..=rank).contains(&axis) {
        return Err(broken(format!("axis {axis} of {rank} does not exist")));
    }
    let (outer, inner) = shape.split_at(axis as usize);
    Ok(vec![outer.iter().product(), inner.iter().product()])
}

fn squeezed(shape: &[usize], axes: Option<&[i64]>) -> Result<Vec<usize>, Problem> {
    let rank = shape.len() as i64;
    let gone = |n: usize| match axes {
        Some(axes) => axes.contains(&(n as i64)) || axes.contains(&(n as i64 - rank)),
        None => shape[n] == 1,
    };
    if (0..shape.len()).any(|n| gone(n) && shape[n] != 1) {
        return Err(broken(format!("it squeezes axes {axes:?} of {shape:?}")));
    }
    Ok((0..shape.len()).filter(|&n| !gone(n)).map(|n| shape[n]).collect())
}

fn unsqueezed(shape: &[usize], axes: &[i64]) -> Result<Vec<usize>, Problem> {
    let rank = (shape.len() + axes.len().min(8)) as i64;
    let axes: Vec<i64> =
        axes.iter().take(8).map(|&n| if n < 0 { n.saturating_add(rank) } else { n }).collect();
    let mut sizes = shape.iter();
    let size = |n: i64| if axes.contains(&n) { Some(1) } else { sizes.next().copied() };
    let made: Option<Vec<usize>> = (0..rank).map(size).collect();
    made.ok_or_else(|| broken(format!("it has axes {axes:?}")))
}

/// `Reshape`'s shape, 0 for a size that stays and -1 for what is left.
fn filled(form: &Form, list: &[i64], zero: bool) -> Result<Vec<usize>, Problem> {
    let damaged = || broken(format!("it makes {list:?} of {:?}", form.shape));
    if list.len() > 8 {
        return Err(damaged());
    }
    let mut shape = Vec::new();
    let mut open = None;
    for (n, &size) in list.iter().enumerate() {
        shape.push(match size {
            -1 if open.is_none() => {
                open = Some(n);
                1
            }
            0 if !zero => *form.shape.get(n).ok_or_else(damaged)?,
            size => usize::try_from(size).map_err(|_| damaged())?,
        });
    }
    if let Some(n) = open {
        let rest = shape.iter().fold(1, |product: usize, &size| product.saturating_mul(size));
        shape[n] = form.elements().checked_div(rest).ok_or_else(damaged)?;
    }
    Ok(shape)
}
