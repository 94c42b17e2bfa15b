//! Constants.

use super::proto::{NodeProto, TensorProto, tensor_proto::DataLocation, tensor_proto::DataType};
use crate::graph::MOST_WEIGHTS;

/// A constant tensor, the last index fastest.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) kind: DataType,
    pub(super) data: Data,
}

/// Its elements.
pub(super) enum Data {
    Floats(Vec<f32>),
    /// Of any width; those beyond 32 bits are saturated, as no count or weight is so large.
    Integers(Vec<i32>),
}

impl Array {
    pub(super) fn new(tensor: &TensorProto) -> Result<Array, String> {
        if tensor.data_location() != DataLocation::Default {
            return Err("its data lie in another file: save the model in one".to_owned());
        }
        let number = tensor.data_type.unwrap_or_default();
        let kind = DataType::try_from(number).map_err(|_| format!("its type is {number}"))?;
        let (shape, elements) = sizes(&tensor.dims)?;
        let raw = tensor.raw_data.as_deref();
        if let Some(raw) = raw {
            let expected = bytes(kind, elements);
            if raw.len() != expected {
                let found = raw.len();
                return Err(format!("it has {found} bytes of data: its shape has {expected}"));
            }
        }
        let data = match kind {
            DataType::Float => {
                let floats = raw.map(|raw| words(raw, f32::from_le_bytes));
                Data::Floats(floats.unwrap_or_else(|| tensor.float_data.clone()))
            }
            DataType::Int64 => {
                let integers = match raw {
                    Some(raw) => words(raw, |word| saturate(&i64::from_le_bytes(word))),
                    None => tensor.int64_data.iter().map(saturate).collect(),
                };
                Data::Integers(integers)
            }
            DataType::Int32 => Data::Integers(match raw {
                Some(raw) => words(raw, i32::from_le_bytes),
                None => tensor.int32_data.clone(),
            }),
            DataType::Int8 => Data::Integers(match raw {
                Some(raw) => raw.iter().map(|&byte| i32::from(byte as i8)).collect(),
                None => tensor.int32_data.iter().map(|&n| i32::from(n as i8)).collect(),
            }),
            DataType::Uint8 => Data::Integers(match raw {
                Some(raw) => raw.iter().map(|&byte| i32::from(byte)).collect(),
                None => tensor.int32_data.iter().map(|&n| i32::from(n as u8)).collect(),
            }),
            DataType::Int4 | DataType::Uint4 => {
                // two a byte, the lower half first
                let bytes: Vec<u8> = match raw {
                    Some(raw) => raw.to_vec(),
                    None => tensor.int32_data.iter().map(|&n| n as u8).collect(),
                };
                length(bytes.len(), elements.div_ceil(2))?;
                let halves = bytes.iter().flat_map(|&byte| [byte & 15, byte >> 4]).take(elements);
                let value = |half: u8| match kind {
                    DataType::Int4 => i32::from((half << 4) as i8 >> 4),
                    _ => half.into(),
                };
                Data::Integers(halves.map(value).collect())
            }
            // of these only the zero points of ignored nodes could be read
            other => return Err(format!("its type is {}", name(other))),
        };
        let found = match &data {
            Data::Floats(list) => list.len(),
            Data::Integers(list) => list.len(),
        };
        length(found, elements)?;
        Ok(Array { shape, kind, data })
    }

    /// The value of a `Constant` node.
    pub(super) fn of_node(node: &NodeProto) -> Result<Array, String> {
        let attribute = node.attribute.first().ok_or("it has no value")?;
        let integers = |shape, list: &[i64]| {
            let list = list.iter().map(saturate).collect();
            Array { shape, kind: DataType::Int64, data: Data::Integers(list) }
        };
        let floats = |shape, list| Array { shape, kind: DataType::Float, data: Data::Floats(list) };
        Ok(match attribute.name() {
            "value_float" => floats(Vec::new(), vec![attribute.f()]),
            "value_floats" => floats(vec![attribute.floats.len()], attribute.floats.clone()),
            "value_int" => integers(Vec::new(), &[attribute.i()]),
            "value_ints" => integers(vec![attribute.ints.len()], &attribute.ints),
            other => return Err(format!("it is a {other}")),
        })
    }

    /// The name of a `Constant` node's value and its integers, if those are as few as axes.
    pub(super) fn short_list(node: &NodeProto) -> Option<(&str, Vec<i64>)> {
        let (output, attribute) = (node.output.first()?, node.attribute.first()?);
        if node.op_type() != "Constant" {
            return None;
        }
        let list = match (&attribute.t, &attribute.ints[..]) {
            (Some(tensor), _) if sizes(&tensor.dims).is_ok_and(|(_, count)| count <= 8) => {
                let array = Array::new(tensor).ok()?;
                array.integers()?.iter().map(|&n| n.into()).collect()
            }
            (None, list) if (1..=8).contains(&list.len()) => list.to_vec(),
            _ => return None,
        };
        Some((output, list))
    }

    /// Its elements, if they are floats.
    pub(super) fn floats(&self) -> Option<&[f32]> {
        match &self.data {
            Data::Floats(list) => Some(list),
            Data::Integers(_) => None,
        }
    }

    /// Its elements, if they are integers.
    pub(super) fn integers(&self) -> Option<&[i32]> {
        match &self.data {
            Data::Floats(_) => None,
            Data::Integers(list) => Some(list),
        }
    }
}

/// Sizes of axes, and their product.
pub(super) fn sizes(dims: &[i64]) -> Result<(Vec<usize>, usize), String> {
    let size = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= MOST_WEIGHTS);
    let shape: Option<Vec<usize>> = dims.iter().take(9).map(size).collect();
    let shape = shape.filter(|shape| shape.len() <= 8);
    let product = |shape: &Vec<usize>| {
        let product = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        product.filter(|&product| product <= MOST_WEIGHTS)
    };
    let elements = shape.as_ref().and_then(product);
    let shown = &dims[..dims.len().min(9)];
    shape.zip(elements).ok_or_else(|| format!("its shape is {shown:?}: must be at most 8 axes"))
}

fn saturate(n: &i64) -> i32 {
    (*n).clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn words<const N: usize, T>(raw: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    raw.chunks_exact(N).filter_map(|word| word.try_into().ok()).map(value).collect()
}

fn length(found: usize, elements: usize) -> Result<(), String> {
    if found == elements {
        return Ok(());
    }
    Err(format!("it has {found} elements: its shape has {elements}"))
}

fn bytes(kind: DataType, elements: usize) -> usize {
    match kind {
        DataType::Int64 => 8 * elements,
        DataType::Float | DataType::Int32 => 4 * elements,
        DataType::Int4 | DataType::Uint4 => elements.div_ceil(2),
        _ => elements,
    }
}

/// A type as the format names it.
pub(super) fn name(kind: DataType) -> String {
    kind.as_str_name().to_lowercase()
}
