//! Queries, keys and values of attention heads, and how well a predictor does on them.
//!
//! - [`cascade`]: SpAtten on a workload.
//! - [`data`]: heads of real models, from a folder that may be absent.
//! - [`synthetic`]: clustered heads made from a seed.
//! - [`lapa`]: attention from tokens, keys predicted before they exist.
//! - [`output`]: how close the output of integer attention on selected keys comes to the exact one.
//! - [`packing`]: how full Sanger's array would be with the keys that survive.
//! - [`quality`]: recall, softmax mass and sparsity of a LAPA predictor on a workload.
//! - [`tables`]: those figures, laid out.

pub mod cascade;
#[cfg(feature = "recordings")]
pub mod data;
pub mod lapa;
pub mod output;
pub mod packing;
pub mod quality;
pub mod synthetic;
pub mod tables;

/// Row-major matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    cols: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// Rows of `cols` values each; a last row that is not full is left out.
    pub fn new(cols: usize, values: Vec<f32>) -> Self {
        Matrix { cols: cols.max(1), values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.cols
    }

    /// Values per row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.cols)
    }
}

/// One attention head: what its softmax sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Where it stands, as in `layer 3 head 7`.
    pub name: String,
    /// One query a row.
    pub queries: Matrix,
    /// One key a row.
    pub keys: Matrix,
    /// The value of each key.
    pub values: Matrix,
    /// Query `i` sees keys `0..=i` only.
    pub causal: bool,
    /// A logit is `scale` times query times key.
    pub scale: f32,
}

impl Head {
    /// Keys that query `row` sees.
    pub fn visible(&self, row: usize) -> usize {
        if self.causal { (row + 1).min(self.keys.rows()) } else { self.keys.rows() }
    }
}

/// Heads that belong together: a model on an input, or a synthetic shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// As the tables print it.
    pub name: String,
    /// Its heads.
    pub heads: Vec<Head>,
}

impl Workload {
    /// Elements and keys of the largest head.
    pub fn largest(&self) -> [u32; 2] {
        let most = |size: fn(&Head) -> usize| self.heads.iter().map(size).max().unwrap_or(1) as u32;
        [most(|head| head.keys.cols()), most(|head| head.keys.rows())]
    }
}

/// Integers that stand for a matrix: `value = integer * step`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantized {
    /// The rows, `-(2^(bits-1) - 1) ..= 2^(bits-1) - 1`.
    pub rows: Vec<Vec<i32>>,
    /// Size of one step.
    pub step: f32,
}

/// Symmetric quantization of a whole matrix: its largest magnitude becomes `2^(bits-1) - 1`.
///
/// `bits` is 2..=16. A matrix of zeros gets step 1.
pub fn quantize(matrix: &Matrix, bits: u32) -> Quantized {
    let largest = matrix.values.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    let top = ((1 << (bits - 1)) - 1) as f32;
    let step = if largest > 0.0 { largest / top } else { 1.0 };
    let quantize = |x: &f32| (x / step).round().clamp(-top, top) as i32;
    let rows = matrix.iter().map(|row| row.iter().map(quantize).collect()).collect();
    Quantized { rows, step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantization_is_symmetric_and_rounds() {
        let matrix = Matrix::new(2, vec![1.0, -0.5, 0.004, -1.0]);
        let quantized = quantize(&matrix, 8);
        assert_eq!(quantized.rows, [[127, -64], [1, -127]]);
        assert_eq!(quantized.step, 1.0 / 127.0);
        let zeros = quantize(&Matrix::new(2, vec![0.0; 2]), 8);
        assert_eq!(zeros, Quantized { rows: vec![vec![0, 0]], step: 1.0 });
    }

    #[test]
    fn a_causal_row_sees_itself_and_before() {
        let matrix = Matrix::new(1, vec![0.0; 3]);
        let head = Head {
            name: String::new(),
            queries: matrix.clone(),
            keys: matrix.clone(),
            values: matrix,
            causal: true,
            scale: 1.0,
        };
        assert_eq!([0, 1, 2].map(|row| head.visible(row)), [1, 2, 3]);
    }
}
