//! A node's operands, with what is wrong with them in words.

use super::model::{Model, Tensor};
use super::schema::{self, TensorType};
use crate::graph;
use crate::import::report::Problem;

/// A node in conversion.
pub(super) struct Node<'a, 'm> {
    pub(super) model: &'m Model<'a>,
    pub(super) operator: schema::Operator<'a>,
    /// Tensors read, those left out as `None`.
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) outputs: Vec<usize>,
}

impl<'a, 'm> Node<'a, 'm> {
    pub(super) fn new(
        model: &'m Model<'a>,
        operator: schema::Operator<'a>,
    ) -> Result<Self, Problem> {
        let places =
            |list: Option<flatbuffers::Vector<'a, i32>>| -> Result<Vec<Option<usize>>, Problem> {
                let list = list.map(|list| list.iter().take(1024).collect::<Vec<i32>>());
                let place = |n: i32| match usize::try_from(n) {
                    Ok(n) if n < model.tensors.len() => Ok(Some(n)),
                    Ok(n) => Err(broken(format!("it names tensor {n}, which does not exist"))),
                    Err(_) => Ok(None),
                };
                list.unwrap_or_default().into_iter().map(place).collect()
            };
        let outputs = places(operator.outputs())?.into_iter().flatten().collect();
        Ok(Node { model, operator, inputs: places(operator.inputs())?, outputs })
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

impl Tensor<'_> {
    /// Scale and zero point of a tensor that has one of each.
    pub(super) fn quantisation(&self) -> Result<(f32, i32), Problem> {
        let rewrite = "quantise the whole model to int8 (full integer quantisation)";
        if ![TensorType::INT8, TensorType::UINT8].contains(&self.kind) {
            let problem = format!("tensor `{}` is {}", self.name, kind(self.kind));
            return Err(Problem::new(problem, rewrite));
        }
        match (&self.scales[..], &self.zero_points[..]) {
            (&[scale], &[zero_point]) if scale.is_finite() && scale > 0.0 => {
                let zero_point = i32::try_from(zero_point);
                Ok((scale, zero_point.map_err(|_| broken("a zero point is out of range"))?))
            }
            _ => Err(Problem::new(format!("tensor `{}` has no single scale", self.name), rewrite)),
        }
    }

    /// Its shape without the batch, and whether there was one.
    pub(super) fn shape(&self) -> Result<(Vec<usize>, usize), Problem> {
        let batch = usize::from(self.shape.len() > 1 && self.shape[0] == 1);
        let shape = match self.shape[batch..] {
            [] => vec![1],
            ref shape => shape.to_vec(),
        };
        if shape.len() > 3 {
            let problem = format!("tensor `{}` has shape {:?}", self.name, self.shape);
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
        let (scale, zero_point) = self.quantisation()?;
        Ok(graph::Tensor {
            name: name.to_owned(),
            shape: self.shape()?.0,
            bits: 8,
            signed: self.kind == TensorType::INT8,
            scale: scale.into(),
            zero_point,
        })
    }
}

/// A type as the format names it.
pub(super) fn kind(kind: TensorType) -> String {
    kind.variant_name().map_or_else(|| format!("type {}", kind.0), str::to_lowercase)
}
