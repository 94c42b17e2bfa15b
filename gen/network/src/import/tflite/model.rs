//! A model's only subgraph: tensors with their constants.

use super::schema::{self, TensorType};
use crate::graph::{MOST_ELEMENTS, MOST_LAYERS};
use crate::import::ImportError;
use flatbuffers::{ForwardsUOffset, Vector};

/// The subgraph, its parts found and bounded.
pub(super) struct Model<'a> {
    pub(super) tensors: Vec<Tensor<'a>>,
    pub(super) operators: Vec<schema::Operator<'a>>,
    pub(super) codes: Vec<schema::OperatorCode<'a>>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    /// Nodes of the subgraph.
    pub(super) nodes: usize,
}

/// A tensor. Constants have bytes.
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Vec<usize>,
    pub(super) kind: TensorType,
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Vec<i64>,
    /// The axis that has a scale for each index.
    pub(super) axis: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> Model<'a> {
    pub(super) fn new(root: schema::Model<'a>) -> Result<Model<'a>, ImportError> {
        let damaged = |what: &str| ImportError::Damaged(what.to_owned());
        let subgraphs = root.subgraphs().ok_or_else(|| damaged("it has no subgraph"))?;
        if subgraphs.len() != 1 {
            let count = subgraphs.len();
            return Err(damaged(&format!("it has {count} subgraphs: must have 1")));
        }
        let graph = subgraphs.get(0);
        let buffers = root.buffers();
        let tensors = bounded(graph.tensors(), "tensors")?;
        let tensors: Vec<Tensor> = tensors
            .into_iter()
            .map(|tensor| Tensor::new(tensor, buffers))
            .collect::<Result<_, String>>()
            .map_err(ImportError::Damaged)?;
        let operators = bounded(graph.operators(), "nodes")?;
        let places = |list: Option<Vector<'a, i32>>, what: &str| {
            let list = list.map(|list| list.iter().collect::<Vec<i32>>()).unwrap_or_default();
            let place = |n: i32| usize::try_from(n).ok().filter(|&n| n < tensors.len());
            let places: Option<Vec<usize>> = list.into_iter().map(place).collect();
            places.ok_or_else(|| damaged(&format!("an {what} of it names no tensor")))
        };
        Ok(Model {
            inputs: places(graph.inputs(), "input")?,
            outputs: places(graph.outputs(), "output")?,
            nodes: operators.len(),
            codes: bounded(root.operator_codes(), "operator codes")?,
            operators,
            tensors,
        })
    }
}

/// A list of tables, not too long.
fn bounded<'a, T>(
    list: Option<Vector<'a, ForwardsUOffset<T>>>,
    what: &str,
) -> Result<Vec<T::Inner>, ImportError>
where
    T: flatbuffers::Follow<'a> + 'a,
{
    let Some(list) = list else { return Ok(Vec::new()) };
    // a constant is a tensor too: some three a layer
    let most = 4 * MOST_LAYERS;
    if list.len() > most {
        let problem = format!("it has {} {what}: must have at most {most}", list.len());
        return Err(ImportError::Damaged(problem));
    }
    Ok(list.iter().collect())
}

impl<'a> Tensor<'a> {
    fn new(
        tensor: schema::Tensor<'a>,
        buffers: Option<Vector<'a, ForwardsUOffset<schema::Buffer<'a>>>>,
    ) -> Result<Tensor<'a>, String> {
        let name = tensor.name().unwrap_or_default();
        let size = |size: i32| usize::try_from(size).ok().filter(|&size| size <= MOST_ELEMENTS);
        let shape: Vec<i32> =
            tensor.shape().map(|shape| shape.iter().take(9).collect()).unwrap_or_default();
        let sizes: Option<Vec<usize>> = shape.iter().copied().map(size).collect();
        let Some(shape) = sizes.filter(|sizes| sizes.len() <= 8) else {
            return Err(format!("tensor `{name}` has shape {shape:?}"));
        };
        let number = tensor.buffer() as usize;
        let buffer = match buffers.filter(|buffers| number < buffers.len()) {
            Some(buffers) => buffers.get(number).data(),
            None if number == 0 => None,
            None => {
                return Err(format!("tensor `{name}` has buffer {number}, which does not exist"));
            }
        };
        let quantization = tensor.quantization();
        let scales = quantization.and_then(|q| q.scale());
        let zero_points = quantization.and_then(|q| q.zero_point());
        Ok(Tensor {
            name,
            shape,
            kind: tensor.type_(),
            scales: scales.map(|list| list.iter().collect()).unwrap_or_default(),
            zero_points: zero_points.map(|list| list.iter().collect()).unwrap_or_default(),
            axis: quantization.map_or(0, |q| q.quantized_dimension().max(0) as usize),
            bytes: buffer.map(|bytes| bytes.bytes()).unwrap_or_default(),
        })
    }

    /// Elements it should have; saturates.
    pub(super) fn elements(&self) -> usize {
        self.shape.iter().fold(1, |product: usize, &size| product.saturating_mul(size))
    }

    /// Int32 or int64 constants.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        let bytes = self.bytes;
        let list: Vec<i64> = match self.kind {
            TensorType::INT32 => {
                let number = |bytes: &[u8]| bytes.try_into().map(i32::from_le_bytes).ok();
                bytes.chunks_exact(4).filter_map(number).map(i64::from).collect()
            }
            TensorType::INT64 => {
                let number = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).ok();
                bytes.chunks_exact(8).filter_map(number).collect()
            }
            _ => return None,
        };
        (list.len() == self.elements()).then_some(list)
    }
}
