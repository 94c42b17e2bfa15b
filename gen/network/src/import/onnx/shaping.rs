//! Layers that put elements in other places: concatenation, rims, parts.

use super::convert::Conversion;
use super::form::{Form, Order};
use super::linear::pending;
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Value, What};
use crate::graph::{Concat, Gather, Operator, Pad, Tensor};
use crate::import::report::Problem;

impl Conversion<'_> {
    pub(super) fn concat(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        if !(1..=64).contains(&node.input.len()) {
            let problem = format!("it joins {} inputs", node.input.len());
            return Err(Problem::new(problem, "join 1 to 64 at a time"));
        }
        let mut numbers = Vec::new();
        let mut forms = Vec::new();
        for n in 0..node.input.len() {
            let (number, form) = self.tensor(node, n)?;
            numbers.push(number);
            forms.push(form);
        }
        let given = node.integer("axis", 1);
        let first = forms[0].clone();
        let axis = first.axis(given)?;
        let place = if given < 0 { given + first.shape.len() as i64 } else { given } as usize;
        let fits = |form: &Form| {
            let others = |(n, (x, y)): (usize, (&usize, &usize))| n == place || x == y;
            form.order == first.order
                && form.shape.len() == first.shape.len()
                && form.shape.iter().zip(&first.shape).enumerate().all(others)
        };
        if !forms.iter().all(fits) || matches!(first.order, Order::Flat(_)) {
            let shapes: Vec<_> = forms.iter().map(|form| &form.shape).collect();
            let problem = format!("it joins {shapes:?}, which lie in unlike orders or differ");
            return Err(Problem::new(problem, "join images before they are flattened"));
        }
        let mut shape = first.shape;
        shape[place] = forms.iter().map(|form| form.shape[place]).sum();
        let form = Form { shape, order: first.order };
        if !numbers.iter().all(|&number| self.alike(number, numbers[0])) {
            return pending(n, &numbers, form, What::Concat { axis });
        }
        let name = node.output.first().cloned().unwrap_or_default();
        let tensor = Tensor { name, shape: form.here()?, ..self.tensors[numbers[0]].clone() };
        let number = self.push(n, &numbers, tensor, Operator::Concat(Concat { axis }));
        Ok(Value::Tensor { number, form, integers: false })
    }

    pub(super) fn pad(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let mode = node.text("mode", "constant");
        if mode != "constant" {
            return Err(Problem::new(format!("its mode is {mode}"), "pad with a constant"));
        }
        let (x, form) = self.tensor(node, 0)?;
        let rank = form.shape.len();
        let rims = match node.integers("pads") {
            Some(rims) => rims.to_vec(),
            None => self.integers(node, 1)?.ok_or_else(|| broken("it has no pads"))?,
        };
        let axes = self.integers(node, 3)?.unwrap_or_else(|| (0..rank as i64).collect());
        let size = |n: i64| usize::try_from(n).ok().filter(|&n| n <= 65_535);
        let rims: Option<Vec<usize>> = rims.into_iter().map(size).collect();
        let rims = rims.filter(|rims| rims.len() == 2 * axes.len());
        let rims = rims.ok_or_else(|| broken("its pads are out of range: must be 0 to 65535"))?;
        let value = match self.optional(node, 2) {
            Some(_) => match self.reals(node, 2)?.1[..] {
                [value] => value,
                _ => return Err(broken("its value is a list")),
            },
            None => node.float("value", 0.0).into(),
        };
        let mut shape = form.shape.clone();
        let here = form.here()?.len();
        let (mut before, mut after) = (vec![0; here], vec![0; here]);
        for (n, &axis) in axes.iter().enumerate() {
            let rim = [rims[n], rims[axes.len() + n]];
            if rim == [0, 0] {
                continue;
            }
            let place = form.axis(axis)?;
            (before[place], after[place]) = (rim[0], rim[1]);
            let axis = if axis < 0 { axis + rank as i64 } else { axis } as usize;
            shape[axis] += rim[0] + rim[1];
        }
        if matches!(form.order, Order::Flat(_)) {
            let rewrite = "pad the image before it is flattened";
            return Err(Problem::new("it pads a flattened image", rewrite));
        }
        let form = Form { shape, order: form.order };
        let tensor = self.tensors[x].clone();
        let value = {
            let steps = (value / tensor.scale).round_ties_even() + f64::from(tensor.zero_point);
            steps.clamp(tensor.lowest().into(), tensor.highest().into()) as i32
        };
        let name = node.output.first().cloned().unwrap_or_default();
        let tensor = Tensor { name, shape: form.here()?, ..tensor };
        let number = self.push(n, &[x], tensor, Operator::Pad(Pad { before, after, value }));
        Ok(Value::Tensor { number, form, integers: false })
    }
    /// `Slice` of an activation: some indices of each axis, at any distance.
    pub(super) fn slice(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, mut form) = self.tensor(node, 0)?;
        let list = |at: usize, name: &str| match node.integers(name) {
            Some(list) => Ok(Some(list.to_vec())),
            None => self.integers(node, at),
        };
        let (Some(starts), Some(ends)) = (list(1, "starts")?, list(2, "ends")?) else {
            return Err(broken("it has no starts and ends"));
        };
        let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err(broken("its starts, ends, axes and steps are not as many"));
        }
        if matches!(form.order, Order::Flat(_)) {
            let rewrite = "slice the image before it is flattened";
            return Err(Problem::new("it slices a flattened image", rewrite));
        }
        let mut indices = vec![vec![]; form.here()?.len()];
        for (n, &axis) in axes.iter().enumerate() {
            let rank = form.shape.len() as i64;
            let at = if axis < 0 { axis.saturating_add(rank) } else { axis };
            let size = usize::try_from(at).ok().and_then(|at| form.shape.get_mut(at));
            let size =
                size.ok_or_else(|| broken(format!("axis {axis} of {rank} does not exist")))?;
            let taken = part(*size, starts[n], ends[n], steps[n])?;
            if !taken.iter().map(|&index| usize::from(index)).eq(0..*size) {
                *size = taken.len();
                indices[form.axis(axis)?] = taken;
            }
        }
        if indices.iter().all(Vec::is_empty) {
            return Ok(Value::Tensor { number: x, form, integers: false });
        }
        let name = node.output.first().cloned().unwrap_or_default();
        let tensor = Tensor { name, shape: form.here()?, ..self.tensors[x].clone() };
        let number = self.push(n, &[x], tensor, Operator::Gather(Gather { indices }));
        Ok(Value::Tensor { number, form, integers: false })
    }
}

/// The indices from a start to before an end, counted from the axis' end if below 0.
fn part(size: usize, start: i64, end: i64, step: i64) -> Result<Vec<u16>, Problem> {
    let all = size as i64;
    let within = |at: i64, [least, most]: [i64; 2]| {
        (if at < 0 { at.saturating_add(all) } else { at }).clamp(least, most)
    };
    let (start, count) = match step {
        0 => return Err(broken("its step is 0")),
        1.. => {
            let (start, end) = (within(start, [0, all]), within(end, [0, all]));
            (start, (end - start).max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
        }
        _ => {
            let (start, end) = (within(start, [0, all - 1]), within(end, [-1, all - 1]));
            (start, (start - end).max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
        }
    };
    if count == 0 || count > Gather::MOST as u64 {
        let problem = format!("it takes {count} of an axis of {size}");
        return Err(Problem::new(problem, format!("take 1 to {}", Gather::MOST)));
    }
    let index = |n: u64| u16::try_from(start + n as i64 * step).ok();
    let indices: Option<Vec<u16>> = (0..count).map(index).collect();
    indices.ok_or_else(|| Problem::new(format!("its axis has {size} entries"), "make it smaller"))
}
