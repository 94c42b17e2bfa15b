//! A node's operands, with what is wrong with them in words.

use super::model::{Model, Tensor, long, shown};
use super::schema::{self, TensorType};
use crate::graph::{self, SCALES};
use crate::import::report::Problem;
use flatbuffers::Vector;
use std::collections::BTreeMap;

/// Most tensors that a node reads or writes.
const MOST_OPERANDS: usize = 64;

/// Integers that some nodes compute of shapes: a tensor's number and its elements.
pub(super) type Known = BTreeMap<usize, Vec<i64>>;

/// A node in conversion.
pub(super) struct Node<'a, 'm, 'k> {
    pub(super) model: &'m Model<'a>,
    known: &'k Known,
    pub(super) operator: schema::Operator<'a>,
    /// Tensors read, those left out as `None`.
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) outputs: Vec<usize>,
}

impl<'a, 'm, 'k> Node<'a, 'm, 'k> {
    pub(super) fn new(
        model: &'m Model<'a>,
        known: &'k Known,
        operator: schema::Operator<'a>,
    ) -> Result<Self, Problem> {
        let places = |list: Option<Vector<'a, i32>>| -> Result<Vec<Option<usize>>, Problem> {
            let list = list.unwrap_or_default();
            if list.len() > MOST_OPERANDS {
                let problem = format!("it has {} inputs or outputs", list.len());
                return Err(Problem::new(problem, format!("use at most {MOST_OPERANDS}")));
            }
            let place = |n: i32| match usize::try_from(n) {
                Ok(n) if n < model.tensors.len() => Ok(Some(n)),
                Ok(n) => Err(broken(format!("it names tensor {n}, which does not exist"))),
                Err(_) => Ok(None),
            };
            list.iter().map(place).collect()
        };
        let outputs = places(operator.outputs())?.into_iter().flatten().collect();
        Ok(Node { model, known, operator, inputs: places(operator.inputs())?, outputs })
    }

    /// Input `n`, if it is there.
    pub(super) fn optional(&self, n: usize) -> Option<&'m Tensor<'a>> {
        self.inputs.get(n).copied().flatten().map(|n| &self.model.tensors[n])
    }

    /// Input `n`.
    pub(super) fn input(&self, n: usize) -> Result<&'m Tensor<'a>, Problem> {
        self.optional(n).ok_or_else(|| broken(format!("input {n} is missing")))
    }

    /// Input `n`, computed or given at run time.
    pub(super) fn activation(&self, n: usize) -> Result<&'m Tensor<'a>, Problem> {
        let tensor = self.input(n)?;
        if tensor.bytes.is_empty() {
            return Ok(tensor);
        }
        let rewrite = "fold the constant into the layer before it";
        Err(Problem::new(format!("input {n} is a constant"), rewrite))
    }

    /// Input `n`, given in the file.
    pub(super) fn constant(&self, n: usize) -> Result<&'m Tensor<'a>, Problem> {
        let tensor = self.input(n)?;
        if !tensor.bytes.is_empty() {
            return Ok(tensor);
        }
        let problem = format!("input {n} is computed at run time");
        Err(Problem::new(problem, "give it as a constant"))
    }

    /// The few integers of input `n`, given in the file or computed of shapes.
    pub(super) fn integers(&self, n: usize, what: &str) -> Result<Vec<i64>, Problem> {
        if let Some(list) = self.known_integers(n) {
            return Ok(list);
        }
        let tensor = self.constant(n)?;
        let problem = format!("{what} (input {n}) are {:?} {}", tensor.shape, kind(tensor.kind));
        Err(Problem::new(problem, "give a few integers"))
    }

    /// The same, `None` for all else.
    pub(super) fn known_integers(&self, n: usize) -> Option<Vec<i64>> {
        let place = self.inputs.get(n).copied().flatten()?;
        self.known.get(&place).cloned().or_else(|| self.model.tensors[place].few())
    }

    /// The only output.
    pub(super) fn output(&self) -> Result<&'m Tensor<'a>, Problem> {
        match self.outputs[..] {
            [n] => Ok(&self.model.tensors[n]),
            _ => Err(broken(format!("it has {} outputs: must have 1", self.outputs.len()))),
        }
    }
}

/// What a file that TensorFlow wrote does not have.
pub(super) fn broken(problem: impl Into<String>) -> Problem {
    Problem::new(problem, "the file is damaged: write it again")
}

/// What hwgen's bounds do not allow.
pub(super) fn beyond(problem: impl Into<String>) -> Problem {
    Problem::new(problem, "make the layer smaller")
}

/// Whether a scale can be reckoned with.
pub(super) fn sound(scale: f32) -> bool {
    SCALES.contains(&scale.into())
}

impl Tensor<'_> {
    /// Scale and zero point of a tensor that has one of each.
    pub(super) fn quantization(&self) -> Result<(f32, i32), Problem> {
        let rewrite = "quantize the whole model to int8 (full integer quantization)";
        let of = || format!("tensor `{}`", shown(self.name));
        if ![TensorType::INT8, TensorType::UINT8].contains(&self.kind) {
            return Err(Problem::new(format!("{} is {}", of(), kind(self.kind)), rewrite));
        }
        let (scales, zero_points) = (self.scales, self.zero_points);
        if scales.len() != 1 || zero_points.len() > 1 {
            let problem = format!("{} has {} scales: must have one", of(), scales.len());
            return Err(Problem::new(problem, rewrite));
        }
        let scale = scales.get(0);
        if !sound(scale) {
            let problem = format!("{} has scale {scale:e}", of());
            let range = format!("scales are {:e} to {:e}", SCALES.start(), SCALES.end());
            return Err(Problem::new(problem, range + ": calibrate again"));
        }
        // a list that is left out is one of zeros
        let zero_point = zero_points.iter().next().map_or(0, long);
        let range = if self.kind == TensorType::INT8 { -128..=127 } else { 0..=255 };
        if !range.contains(&zero_point) {
            let problem = format!("{} has zero point {zero_point}", of());
            let range = format!("zero points are {} to {}", range.start(), range.end());
            return Err(Problem::new(problem, range + ": calibrate again"));
        }
        Ok((scale, zero_point as i32))
    }

    /// Its shape without the batch, and whether there was one.
    pub(super) fn shape(&self) -> Result<(Vec<usize>, usize), Problem> {
        let batch = usize::from(self.shape.len() > 1 && self.shape[0] == 1);
        let shape = match self.shape[batch..] {
            [] => vec![1],
            ref shape => shape.to_vec(),
        };
        if shape.len() > 3 {
            let problem = format!("tensor `{}` has shape {:?}", shown(self.name), self.shape);
            return Err(Problem::new(problem, "use a batch of 1 and at most three axes more"));
        }
        Ok((shape, batch))
    }

    /// An axis of the file's shape in the shape without the batch.
    pub(super) fn axis(&self, axis: i64) -> Result<usize, Problem> {
        let rank = self.shape.len() as i64;
        let axis = if axis < 0 { axis + rank } else { axis };
        let (_, batch) = self.shape()?;
        if !(0..rank).contains(&axis) {
            return Err(broken(format!("axis {axis} of {rank} does not exist")));
        }
        let problem = || Problem::new("it works on the batch axis", "leave the batch alone");
        usize::try_from(axis - batch as i64).map_err(|_| problem())
    }

    /// The graph's tensor of it.
    pub(super) fn convert(&self, name: &str) -> Result<graph::Tensor, Problem> {
        let (scale, zero_point) = self.quantization()?;
        Ok(graph::Tensor {
            name: name.to_owned(),
            shape: self.shape()?.0,
            bits: 8,
            signed: self.kind == TensorType::INT8,
            scale: scale.into(),
            zero_point,
            sums: None,
        })
    }
}

/// A type as the format names it.
pub(super) fn kind(kind: TensorType) -> String {
    kind.variant_name().map_or_else(|| format!("type {}", kind.0), str::to_lowercase)
}
