//! Shapes that a file computes: `Shape` of what has one, and arithmetic of short lists of integers.
//!
//! Exporters write a reshape that leaves the batch open as such nodes; here the batch is 1.

use super::array::{Array, Data};
use super::convert::Conversion;
use super::node::broken;
use super::proto::{NodeProto, tensor_proto::DataType};
use super::suggest::suggestion;
use super::value::Value;
use crate::import::report::Problem;
use std::rc::Rc;

/// Most entries of a list: a shape's axes, with room.
const MOST_ENTRIES: usize = 64;

/// A constant of no axis, or of one.
#[derive(Clone)]
struct List {
    scalar: bool,
    entries: Vec<i64>,
}

impl Conversion<'_> {
    /// The shape of a tensor of the file.
    pub(super) fn shape_of(&self, node: &NodeProto) -> Result<Value, Problem> {
        let shape = match self.input(node, 0)? {
            Value::Tensor { form, .. } | Value::Raw { form, .. } => &form.shape,
            Value::Pending(pending) => &pending.form.shape,
            Value::Constant(array) => &array.shape,
            Value::Weights(weights) => &weights.shape,
            Value::Unknown => return Err(broken("its input is unknown")),
        };
        let rank = shape.len() as i64;
        let place = |name: &str, default: i64| {
            let n = node.integer(name, default);
            (if n < 0 { n.saturating_add(rank) } else { n }).clamp(0, rank) as usize
        };
        let (start, end) = (place("start", 0), place("end", rank));
        let entries = shape.get(start..end).unwrap_or_default();
        let entries = entries.iter().map(|&size| size as i64).collect();
        Ok(List { scalar: false, entries }.value())
    }

    /// What a node makes of constants alone, if it is one that works on shapes.
    pub(super) fn folded(&self, node: &NodeProto) -> Result<Option<Value>, Problem> {
        let mut lists = Vec::new();
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            match self.values.get(name).and_then(List::of) {
                Some(list) if lists.len() < MOST_ENTRIES => lists.push(list),
                _ => return Ok(None),
            }
        }
        let Some(first) = lists.first() else { return Ok(None) };
        let made = match (node.op_type(), &lists[..]) {
            // 6 and 7 are the integers that shapes are made of
            ("Cast", [x]) if [6, 7].contains(&node.integer("to", 0)) => x.clone(),
            ("Identity", [x]) => x.clone(),
            ("Unsqueeze" | "Reshape", _) => List { scalar: false, ..first.clone() },
            ("Squeeze", _) if first.entries.len() == 1 => List { scalar: true, ..first.clone() },
            ("Concat", _) => {
                let entries = lists.iter().flat_map(|list| list.entries.clone()).collect();
                List { scalar: false, entries }
            }
            ("Gather", [x, places]) => x.gathered(places)?,
            ("Slice", [x, rest @ ..]) => x.sliced(node, rest)?,
            ("Add", [x, y]) => x.with(y, |x, y| x.checked_add(y))?,
            ("Sub", [x, y]) => x.with(y, |x, y| x.checked_sub(y))?,
            ("Mul", [x, y]) => x.with(y, |x, y| x.checked_mul(y))?,
            ("Div", [x, y]) => x.with(y, |x, y| x.checked_div(y))?,
            _ => return Ok(None),
        };
        if made.entries.len() > MOST_ENTRIES {
            return Err(broken(format!("it makes a list of {} entries", made.entries.len())));
        }
        Ok(Some(made.value()))
    }

    /// A node that there is on shapes alone.
    pub(super) fn on_shapes(&self, node: &NodeProto) -> Result<Value, Problem> {
        let rewrite = suggestion(node.op_type());
        self.folded(node)?.ok_or_else(|| Problem::new("there is no such layer", rewrite))
    }
}

impl List {
    fn of(value: &Value) -> Option<List> {
        let Value::Constant(array) = value else { return None };
        let entries = array.integers()?;
        let shapes = matches!(array.kind, DataType::Int64 | DataType::Int32);
        let fits = shapes && array.shape.len() <= 1 && entries.len() <= MOST_ENTRIES;
        let scalar = array.shape.is_empty();
        fits.then(|| List { scalar, entries: entries.iter().map(|&n| n.into()).collect() })
    }

    fn value(self) -> Value {
        let shape = if self.scalar { vec![] } else { vec![self.entries.len()] };
        let most = |n: i64| n.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let data = Data::Integers(self.entries.into_iter().map(most).collect());
        Value::Constant(Rc::new(Array { shape, kind: DataType::Int64, data }))
    }

    fn gathered(&self, places: &List) -> Result<List, Problem> {
        let length = self.entries.len() as i64;
        let entry = |&place: &i64| {
            let place = if place < 0 { place + length } else { place };
            usize::try_from(place).ok().and_then(|place| self.entries.get(place)).copied()
        };
        let entries: Option<Vec<i64>> = places.entries.iter().map(entry).collect();
        let entries = entries
            .ok_or_else(|| broken(format!("it takes entries {:?} of {length}", places.entries)))?;
        Ok(List { scalar: places.scalar, entries })
    }

    /// `starts`, `ends`, axes and steps, which attributes held before version 10.
    fn sliced(&self, node: &NodeProto, rest: &[List]) -> Result<List, Problem> {
        let one = |n: usize, name: &str| {
            let list = rest.get(n).map(|list| &list.entries[..]).or(node.integers(name));
            list.and_then(|list| <[i64; 1]>::try_from(list).ok()).map(|[n]| n)
        };
        let (Some(start), Some(end)) = (one(0, "starts"), one(1, "ends")) else {
            return Err(broken("it has no start and end of one axis"));
        };
        if one(3, "steps").is_some_and(|step| step != 1) {
            return Err(Problem::new("it slices a shape by steps", "fold constants (onnxsim)"));
        }
        let length = self.entries.len() as i64;
        let place =
            |n: i64| (if n < 0 { n.saturating_add(length) } else { n }).clamp(0, length) as usize;
        let entries = self.entries.get(place(start)..place(end)).unwrap_or_default().to_vec();
        Ok(List { scalar: false, entries })
    }

    /// Entry by entry, one of a scalar with each.
    fn with(&self, other: &List, of: impl Fn(i64, i64) -> Option<i64>) -> Result<List, Problem> {
        let (x, y) = (&self.entries, &other.entries);
        let length = if x.len() == 1 { y.len() } else { x.len() };
        if ![1, length].contains(&x.len()) || ![1, length].contains(&y.len()) {
            return Err(broken(format!("lists of {} and {} entries meet", x.len(), y.len())));
        }
        let entry = |n: usize| of(x[n % x.len()], y[n % y.len()]);
        let entries: Option<Vec<i64>> = (0..length).map(entry).collect();
        let entries = entries.ok_or_else(|| broken("a number of a shape is out of range"))?;
        Ok(List { scalar: self.scalar && other.scalar, entries })
    }
}
