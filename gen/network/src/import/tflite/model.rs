//! A model's main subgraph: tensors with their constants.

use super::schema::{self, BuiltinOperator as Builtin, TensorType};
use crate::graph::{MOST_ELEMENTS, MOST_LAYERS, printable};
use crate::import::ImportError;
use flatbuffers::{ForwardsUOffset, Vector};

/// Most of a constant's entries where a node has a few: axes, rims, shapes.
const MOST_FEW: usize = 64;

/// The main subgraph, its parts found and bounded.
pub(super) struct Model<'a> {
    pub(super) tensors: Vec<Tensor<'a>>,
    pub(super) operators: Vec<schema::Operator<'a>>,
    pub(super) codes: Vec<schema::OperatorCode<'a>>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    root: schema::Model<'a>,
}

/// A tensor. Constants have bytes.
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Vec<usize>,
    pub(super) kind: TensorType,
    /// One, or one an index of `axis`; many tensors may share the list.
    pub(super) scales: Vector<'a, f32>,
    pub(super) zero_points: Vector<'a, schema::Long>,
    /// The axis that has a scale for each index.
    pub(super) axis: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> Model<'a> {
    /// The first subgraph, which is the one that an interpreter runs; others are initialization,
    /// branches and further entries.
    pub(super) fn new(root: schema::Model<'a>) -> Result<Model<'a>, ImportError> {
        Model::of(root, 0)
    }

    /// Another subgraph, which a node calls.
    pub(super) fn called(&self, number: i32) -> Result<Model<'a>, ImportError> {
        Model::of(self.root, usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn of(root: schema::Model<'a>, number: usize) -> Result<Model<'a>, ImportError> {
        let damaged = |what: &str| ImportError::Damaged(what.to_owned());
        let subgraphs = root.subgraphs().filter(|list| number < list.len());
        let subgraphs =
            subgraphs.ok_or_else(|| damaged(&format!("it has no subgraph {number}")))?;
        let graph = subgraphs.get(number);
        let buffers = root.buffers();
        let tensors = bounded(graph.tensors(), "tensors")?;
        let tensors: Vec<Tensor> = tensors
            .into_iter()
            .map(|tensor| Tensor::new(tensor, buffers))
            .collect::<Result<_, _>>()?;
        let places = |list: Option<Vector<'a, i32>>, what: &str| {
            let list = list.unwrap_or_default();
            few(list.len(), what)?;
            let place = |n: i32| usize::try_from(n).ok().filter(|&n| n < tensors.len());
            let places: Option<Vec<usize>> = list.iter().map(place).collect();
            places.ok_or_else(|| damaged(&format!("one of its {what} is no tensor")))
        };
        Ok(Model {
            inputs: places(graph.inputs(), "inputs")?,
            outputs: places(graph.outputs(), "outputs")?,
            codes: bounded(root.operator_codes(), "operator codes")?,
            operators: bounded(graph.operators(), "nodes")?,
            tensors,
            root,
        })
    }

    /// What a node does.
    pub(super) fn code(&self, operator: schema::Operator<'a>) -> Result<Builtin, ImportError> {
        let n = operator.opcode_index() as usize;
        let damaged = || ImportError::Damaged(format!("operator code {n} does not exist"));
        let code = self.codes.get(n).ok_or_else(damaged)?;
        // files of before 2020 have the one-byte field alone; later ones have the larger in either
        let old = i32::from(code.deprecated_builtin_code());
        Ok(Builtin(code.builtin_code().0.max(old)))
    }
}

/// A 64-bit number that its file has in halves.
pub(super) fn long(halves: &schema::Long) -> i64 {
    i64::from(halves.high()) << 32 | i64::from(halves.low())
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
    few(list.len(), what)?;
    Ok(list.iter().collect())
}

fn few(length: usize, what: &str) -> Result<(), ImportError> {
    // a constant is a tensor too: some three a layer
    let most = 4 * MOST_LAYERS;
    match length <= most {
        true => Ok(()),
        false => Err(ImportError::Beyond(format!("{length} {what}, of which {most} are taken"))),
    }
}

impl<'a> Tensor<'a> {
    fn new(
        tensor: schema::Tensor<'a>,
        buffers: Option<Vector<'a, ForwardsUOffset<schema::Buffer<'a>>>>,
    ) -> Result<Tensor<'a>, ImportError> {
        let name = tensor.name().unwrap_or_default();
        let of = || format!("tensor `{}`", shown(name));
        let shape = tensor.shape().unwrap_or_default();
        let size = |size: i32| usize::try_from(size).ok().filter(|&size| size <= MOST_ELEMENTS);
        let sizes: Option<Vec<usize>> = shape.iter().take(9).map(size).collect();
        let Some(shape) = sizes.filter(|sizes| sizes.len() <= 8) else {
            let shape: Vec<i32> = shape.iter().take(9).collect();
            let what = format!(
                "{} of shape {shape:?}, where 8 axes of 0 to {MOST_ELEMENTS} are taken: \
                 convert with fixed shapes",
                of()
            );
            return Err(ImportError::Beyond(what));
        };
        let number = tensor.buffer() as usize;
        let buffer = match buffers.filter(|buffers| number < buffers.len()) {
            Some(buffers) => buffers.get(number).data(),
            None if number == 0 => None,
            None => {
                let what = format!("{} has buffer {number}, which does not exist", of());
                return Err(ImportError::Damaged(what));
            }
        };
        let quantization = tensor.quantization();
        Ok(Tensor {
            name,
            shape,
            kind: tensor.type_(),
            scales: quantization.and_then(|q| q.scale()).unwrap_or_default(),
            zero_points: quantization.and_then(|q| q.zero_point()).unwrap_or_default(),
            axis: quantization.map_or(0, |q| q.quantized_dimension().max(0) as usize),
            bytes: buffer.map(|bytes| bytes.bytes()).unwrap_or_default(),
        })
    }

    /// Elements it should have; saturates.
    pub(super) fn elements(&self) -> usize {
        self.shape.iter().fold(1, |product: usize, &size| product.saturating_mul(size))
    }

    /// Int32 or int64 constants, of which a node has a few.
    pub(super) fn few(&self) -> Option<Vec<i64>> {
        (self.elements() <= MOST_FEW).then(|| self.integers()).flatten()
    }

    /// Int32 or int64 constants.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        let bytes = self.bytes;
        let width = match self.kind {
            TensorType::INT32 => 4,
            TensorType::INT64 => 8,
            _ => return None,
        };
        if Some(bytes.len()) != self.elements().checked_mul(width) {
            return None;
        }
        Some(match self.kind {
            TensorType::INT32 => {
                let number = |bytes: &[u8]| bytes.try_into().map(i32::from_le_bytes).ok();
                bytes.chunks_exact(4).filter_map(number).map(i64::from).collect()
            }
            _ => {
                let number = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).ok();
                bytes.chunks_exact(8).filter_map(number).collect()
            }
        })
    }
}

/// A name of the file's as it may be printed: the converter joins the names of all that it fused,
/// of which the first says enough.
pub(super) fn shown(name: &str) -> String {
    let first = name.split(';').next().unwrap_or_default();
    match first.char_indices().nth(MOST_SHOWN) {
        None => printable(first),
        Some((at, _)) => printable(&first[..at]) + "..",
    }
}

/// Characters of a name that are kept.
const MOST_SHOWN: usize = 100;
