//! Layers that work on each element, and softmax.

use super::convert::Conversion;
use super::form::Order;
use super::function::function;
use super::linear::pending;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Pending, Value, What};
use crate::import::report::Problem;
use std::rc::Rc;

impl Conversion<'_> {
    pub(super) fn add(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        for constant in [0, 1] {
            if matches!(self.input(node, constant)?, Value::Constant(_) | Value::Weights(_)) {
                return self.offset(n, node, constant);
            }
        }
        let ((x, left), (y, right)) = (self.tensor(node, 0)?, self.tensor(node, 1)?);
        if left != right {
            let problem = format!("its inputs have shapes {:?} and {:?}", left.shape, right.shape);
            return Err(Problem::new(problem, "make them alike, or fold one into a bias"));
        }
        pending(n, &[x, y], left, What::Add)
    }

    /// An activation function: bounds of what comes before it.
    pub(super) fn bounded(
        &mut self,
        n: usize,
        node: &NodeProto,
        [lowest, highest]: [f64; 2],
    ) -> Result<Value, Problem> {
        let before = match self.input(node, 0)?.clone() {
            Value::Pending(before) => before,
            _ => {
                let (number, form) = self.tensor(node, 0)?;
                Rc::new(self.same(n, number, form))
            }
        };
        let bounds = before.bounds.map(|bound| bound.max(lowest).min(highest));
        Ok(Value::Pending(Rc::new(Pending { bounds, ..(*before).clone() })))
    }

    pub(super) fn clip(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let mut bounds = [f64::NEG_INFINITY, f64::INFINITY];
        for (side, name) in ["min", "max"].into_iter().enumerate() {
            if let Some(value) = node.attribute(name).and_then(|attribute| attribute.f) {
                bounds[side] = value.into();
            }
            if self.optional(node, side + 1).is_some() {
                let (_, list) = self.reals_or_infinities(node, side + 1)?;
                let [bound] = list[..] else { return Err(broken(format!("its {name} is a list"))) };
                bounds[side] = bound;
            }
        }
        if bounds[0].is_nan() || bounds[1].is_nan() || bounds[0] > bounds[1] {
            return Err(broken(format!("its bounds are {bounds:?}")));
        }
        self.bounded(n, node, bounds)
    }

    /// A function of one element, which becomes a table once it is known how it is quantized.
    pub(super) fn lookup(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, form) = self.tensor(node, 0)?;
        pending(n, &[x], form, What::Lookup(function(node)?))
    }

    pub(super) fn softmax(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, form) = self.tensor(node, 0)?;
        let old = self.opset < 13;
        let given = node.integer("axis", if old { 1 } else { -1 });
        let axis = form.axis(given)?;
        let here = form.here()?;
        // before version 13 it runs over all axes from this one on
        let from = if given < 0 { given + form.shape.len() as i64 } else { given } as usize;
        let more = old && form.shape[from + 1..].iter().any(|&size| size > 1);
        if axis + 1 != here.len() || more || matches!(form.order, Order::Flat(_)) {
            let problem = format!("it works on axis {given} of {:?}", form.shape);
            return Err(Problem::new(problem, "take it over channels, or over the last axis"));
        }
        pending(n, &[x], form, What::Softmax)
    }
}
