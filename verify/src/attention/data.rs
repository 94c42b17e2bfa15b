//! Queries and keys recorded from real models.
//!
//! The files are half-precision `.npy` arrays in `transformer_qkv/` of the data folder: the
//! environment variable `HWGEN_DATA`, else `shared/data` beside the workspace. They are no part
//! of this project; where the folder is absent, what needs it is skipped.

use super::{Head, Matrix, Workload};
use hwgen_files::FileError;
use npyz::{NpyFile, Order, half::f16};
use std::{
    env,
    io::{self, Cursor},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// More elements than any file we read has; bounds what a damaged header can ask for.
const MAX_ELEMENTS: u64 = 1 << 24;
/// The largest file: so many elements of half precision, and a header.
const MOST_BYTES: u64 = 2 * MAX_ELEMENTS + (1 << 16);

/// A data file that cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// It cannot be opened or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no array of half precision.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its array has another shape or order than the file's name promises.
    #[error("{path}: shape {shape:?} in {order:?} order: expected C order and {expected}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The shape found.
        shape: Vec<u64>,
        /// The order found.
        order: Order,
        /// The shape expected, in words.
        expected: &'static str,
    },
}

/// The data folder, if there is one: `$HWGEN_DATA`, or for what Cargo runs the one beside the project.
pub fn folder() -> Option<PathBuf> {
    // asked for now, not when built: a program tells nobody where it was built
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let beside =
        || package.ancestors().map(|folder| folder.join("shared/data")).find(|f| f.is_dir());
    let folder = env::var_os("HWGEN_DATA").map(PathBuf::from).or_else(beside);
    folder.filter(|folder| folder.is_dir())
}

/// Every recorded model; `None` if there is no folder of recordings.
///
/// # Errors
/// A recording that is there but cannot be used.
pub fn recorded_workloads() -> Result<Option<Vec<Workload>>, DataError> {
    let Some(folder) = folder().map(|folder| folder.join("transformer_qkv")) else {
        return Ok(None);
    };
    if !folder.is_dir() {
        return Ok(None);
    }
    Ok(Some(vec![
        fused(&folder, "MiniLM, 26 tokens", "minilm_gsm8k_single.npy")?,
        fused(&folder, "MiniLM, 128 tokens", "minilm_gsm8k_t128.npy")?,
        fused(&folder, "DINOv2 ViT-S, 257 patches", "dinov2s_flower.npy")?,
        grouped(&folder, "SmolLM2-135M, 128 tokens, causal", "smollm2_humaneval_t128")?,
    ]))
}

/// [`recorded_workloads`] for a test; where there are none, a line says that synthetic ones must do.
///
/// # Panics
/// If one cannot be read.
pub fn recorded() -> Vec<Workload> {
    let workloads = recorded_workloads().unwrap();
    if workloads.is_none() {
        println!("no recordings (HWGEN_DATA): the synthetic workload stands alone");
    }
    workloads.unwrap_or_default()
}

/// [`recorded_workloads`] for a test, or synthetic ones of the same kind.
///
/// # Panics
/// If one cannot be read.
pub fn recorded_or(synthetic: impl FnOnce() -> Vec<Workload>) -> Vec<Workload> {
    recorded_workloads().unwrap().unwrap_or_else(|| {
        println!("no recordings: synthetic heads instead");
        synthetic()
    })
}

/// An array of five axes, the last one the head dimension; C order.
pub struct Array {
    shape: [usize; 5],
    values: Vec<f32>,
}

impl Array {
    fn read(path: PathBuf, expected: &'static str) -> Result<Self, DataError> {
        let bytes = hwgen_files::read(&path, MOST_BYTES)?;
        Array::parse(path, &bytes, expected)
    }

    /// Reads a file's bytes; its path and what is `expected` are for errors.
    ///
    /// # Errors
    /// No array of half precision in C order with four or five axes, none of them empty.
    pub fn parse(path: PathBuf, bytes: &[u8], expected: &'static str) -> Result<Self, DataError> {
        let cannot_read = |source| DataError::Read { path: path.clone(), source };
        if !hwgen_files::has_plain_npy_header(bytes) {
            return Err(cannot_read(io::Error::other("it has no header of a NumPy array")));
        }
        let file = NpyFile::new(Cursor::new(bytes)).map_err(cannot_read)?;
        let (axes, order) = (file.shape().to_vec(), file.order());
        let elements = axes.iter().try_fold(1u64, |product, &axis| product.checked_mul(axis));
        let fits = elements.is_some_and(|elements| elements <= MAX_ELEMENTS);
        // queries of grouped heads have four axes: no axis for keys and values
        let shape = match axes.iter().map(|&axis| axis as usize).collect::<Vec<_>>()[..] {
            [a, b, c, d] if fits => [a, 1, b, c, d],
            [a, b, c, d, e] if fits => [a, b, c, d, e],
            _ => {
                return Err(DataError::Shape { path, shape: axes, order, expected });
            }
        };
        if order != Order::C || shape.contains(&0) {
            return Err(DataError::Shape { path, shape: axes, order, expected });
        }
        let values = file.into_vec::<f16>().map_err(cannot_read)?;
        Ok(Array { shape, values: values.into_iter().map(f16::to_f32).collect() })
    }

    /// Its axes; an array of four has a second one of length 1.
    pub fn shape(&self) -> [usize; 5] {
        self.shape
    }

    /// The tokens of one head; `part` picks among queries, keys and values.
    fn head(&self, layer: usize, part: usize, head: usize) -> Matrix {
        let [_, parts, heads, tokens, dim] = self.shape;
        let start = ((layer * parts + part) * heads + head) * tokens * dim;
        Matrix::new(dim, self.values[start..][..tokens * dim].to_vec())
    }
}

/// Reads `[layer][query, key, value][head][token][dim]`.
fn fused(folder: &Path, name: &str, file: &str) -> Result<Workload, DataError> {
    let expected = "axes layer, 3, head, token, dim";
    let path = folder.join(file);
    let array = Array::read(path.clone(), expected)?;
    let [layers, parts, heads, _, dim] = array.shape;
    if parts != 3 {
        let shape = array.shape.map(|axis| axis as u64).to_vec();
        return Err(DataError::Shape { path, shape, order: Order::C, expected });
    }
    let head = |layer, head| Head {
        name: format!("layer {layer} head {head}"),
        queries: array.head(layer, 0, head),
        keys: array.head(layer, 1, head),
        values: array.head(layer, 2, head),
        causal: false,
        scale: (dim as f32).sqrt().recip(),
    };
    let heads = (0..layers).flat_map(|layer| (0..heads).map(move |h| (layer, h)));
    Ok(Workload { name: name.into(), heads: heads.map(|(layer, h)| head(layer, h)).collect() })
}

/// Reads causal heads that share keys: queries `[layer][head][token][dim]`, keys
/// `[layer][key, value][group][token][dim]`.
fn grouped(folder: &Path, name: &str, stem: &str) -> Result<Workload, DataError> {
    let queries =
        Array::read(folder.join(format!("{stem}_q.npy")), "axes layer, head, token, dim")?;
    let expected = "axes layer, 2, group, token, dim that fit the queries";
    let path = folder.join(format!("{stem}_kv.npy"));
    let keys = Array::read(path.clone(), expected)?;
    let [layers, _, heads, tokens, dim] = queries.shape;
    let groups = keys.shape[2];
    if keys.shape != [layers, 2, groups, tokens, dim] || heads % groups != 0 {
        let shape = keys.shape.map(|axis| axis as u64).to_vec();
        return Err(DataError::Shape { path, shape, order: Order::C, expected });
    }
    let head = |layer, head| Head {
        name: format!("layer {layer} head {head}"),
        queries: queries.head(layer, 0, head),
        keys: keys.head(layer, 0, head / (heads / groups)),
        values: keys.head(layer, 1, head / (heads / groups)),
        causal: true,
        scale: (dim as f32).sqrt().recip(),
    };
    let heads = (0..layers).flat_map(|layer| (0..heads).map(move |h| (layer, h)));
    Ok(Workload { name: name.into(), heads: heads.map(|(layer, h)| head(layer, h)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::WriterBuilder;

    #[test]
    fn a_header_that_lies_is_no_header() {
        let lies = |header: &[u8], length: u32| {
            let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
            bytes.extend(length.to_le_bytes());
            bytes.extend(header);
            Array::parse("a.npy".into(), &bytes, "none").err().unwrap().to_string()
        };
        let none = "a.npy: it has no header of a NumPy array";
        assert_eq!(lies(b"{}", u32::MAX), none);
        let deep = b"(".repeat(60_000);
        assert_eq!(lies(&deep, deep.len() as u32), none);
        let long = b"{'descr': '<f2', 'fortran_order': False, 'shape': (3, 9223372036854775807)}";
        assert_eq!(lies(long, long.len() as u32), none);
        // more elements than the file has bytes
        let header = b"{'descr': '<f2', 'fortran_order': False, 'shape': (16, 64, 64, 256)}";
        assert!(lies(header, header.len() as u32).starts_with("a.npy: "));
    }

    fn write(path: &Path, shape: &[u64], order: Order) {
        let elements: u64 = shape.iter().product();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape).order(order);
        let mut writer = options.writer(std::fs::File::create(path).unwrap()).begin_nd().unwrap();
        writer.extend((0..elements).map(|i| f16::from_f32(i as f32))).unwrap();
        writer.finish().unwrap();
    }

    #[test]
    fn heads_are_cut_out_of_the_arrays() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a.npy"), &[2, 3, 2, 2, 4], Order::C);
        let fused = fused(folder.path(), "a", "a.npy").unwrap();
        assert_eq!(fused.heads.len(), 4);
        assert_eq!(fused.heads[3].name, "layer 1 head 1");
        // layer 1 starts at 48, its keys at 64, head 1 of them at 72
        assert_eq!(fused.heads[3].keys.iter().next(), Some(&[72.0, 73.0, 74.0, 75.0][..]));
        assert_eq!(fused.heads[3].values.iter().next(), Some(&[88.0, 89.0, 90.0, 91.0][..]));
        assert_eq!((fused.heads[3].scale, fused.heads[3].causal), (0.5, false));

        write(&folder.path().join("b_q.npy"), &[1, 4, 2, 4], Order::C);
        write(&folder.path().join("b_kv.npy"), &[1, 2, 2, 2, 4], Order::C);
        let grouped = grouped(folder.path(), "b", "b").unwrap();
        let first = |matrix: &Matrix| matrix.iter().next().unwrap()[0];
        let queries: Vec<f32> = grouped.heads.iter().map(|head| first(&head.queries)).collect();
        let keys: Vec<f32> = grouped.heads.iter().map(|head| first(&head.keys)).collect();
        assert_eq!((queries, keys), (vec![0.0, 8.0, 16.0, 24.0], vec![0.0, 0.0, 8.0, 8.0]));
    }

    #[test]
    fn other_shapes_are_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let error = |shape: &[u64], order| {
            write(&folder.path().join("a.npy"), shape, order);
            let error = fused(folder.path(), "a", "a.npy").unwrap_err().to_string();
            error.rsplit("a.npy: ").next().unwrap_or_default().to_owned()
        };
        let expected = "expected C order and axes layer, 3, head, token, dim";
        assert_eq!(error(&[2, 2], Order::C), format!("shape [2, 2] in C order: {expected}"));
        let two_parts = error(&[1, 2, 1, 1, 1], Order::C);
        assert_eq!(two_parts, format!("shape [1, 2, 1, 1, 1] in C order: {expected}"));
        let fortran = error(&[1, 3, 1, 1, 2], Order::Fortran);
        assert_eq!(fortran, format!("shape [1, 3, 1, 1, 2] in Fortran order: {expected}"));
        assert!(fused(folder.path(), "b", "b.npy").is_err());
    }
}
