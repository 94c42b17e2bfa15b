//! What encoders and decoders are made of. A row is a token.

use crate::ModelError;
use crate::attention::{Attention, Site};
use crate::tensors::Tensors;
use hwgen_verify::attention::{Head, Matrix};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

/// `x W^T + b`; the weights are `[out, in]`, as both kinds of file have them.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Array2<f32>,
    bias: Option<Array1<f32>>,
}

impl Linear {
    /// Reads `NAME.weight`, and `NAME.bias` if there is to be one.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape.
    pub fn load(
        from: &mut dyn Tensors,
        name: &str,
        [rows, cols]: [usize; 2],
        bias: bool,
    ) -> Result<Linear, ModelError> {
        let weight = from.matrix(&format!("{name}.weight"), rows, cols)?;
        let bias = bias.then(|| from.vector(&format!("{name}.bias"), rows)).transpose()?;
        Ok(Linear { weight, bias })
    }

    /// Applies it to each row.
    pub fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        let y = x.dot(&self.weight.t());
        match &self.bias {
            Some(bias) => y + bias,
            None => y,
        }
    }
}

/// `(x - mean) / deviation`, scaled and shifted (BERT).
#[derive(Debug, Clone)]
pub struct LayerNorm {
    scale: Array1<f32>,
    shift: Array1<f32>,
    epsilon: f32,
}

impl LayerNorm {
    /// Reads `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape.
    pub fn load(
        from: &mut dyn Tensors,
        name: &str,
        width: usize,
        epsilon: f32,
    ) -> Result<LayerNorm, ModelError> {
        let scale = from.vector(&format!("{name}.weight"), width)?;
        let shift = from.vector(&format!("{name}.bias"), width)?;
        Ok(LayerNorm { scale, shift, epsilon })
    }

    /// Normalizes each row.
    pub fn apply(&self, mut x: Array2<f32>) -> Array2<f32> {
        for mut row in x.rows_mut() {
            let mean = row.sum() / row.len() as f32;
            row -= mean;
            let variance = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
            row /= (variance + self.epsilon).sqrt();
        }
        x * &self.scale + &self.shift
    }
}

/// `x / root mean square`, scaled (Llama).
#[derive(Debug, Clone)]
pub struct RmsNorm {
    scale: Array1<f32>,
    epsilon: f32,
}

impl RmsNorm {
    /// Reads `NAME.weight`.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape.
    pub fn load(
        from: &mut dyn Tensors,
        name: &str,
        width: usize,
        epsilon: f32,
    ) -> Result<RmsNorm, ModelError> {
        Ok(RmsNorm { scale: from.vector(&format!("{name}.weight"), width)?, epsilon })
    }

    /// Normalizes each row.
    pub fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        let mut x = x.clone();
        for mut row in x.rows_mut() {
            let square = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
            row /= (square + self.epsilon).sqrt();
        }
        x * &self.scale
    }
}

/// `x` times the normal distribution's mass below it.
pub fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// `x` times its logistic function.
pub fn silu(x: f32) -> f32 {
    x / (1.0 + (-x).exp())
}

/// The rows of an embedding table that the tokens name.
///
/// # Errors
/// A token beyond the table, no token, or more than `most`.
pub fn embed(table: &Array2<f32>, tokens: &[u32], most: usize) -> Result<Array2<f32>, ModelError> {
    if tokens.is_empty() || tokens.len() > most {
        return Err(ModelError::Length { tokens: tokens.len(), most });
    }
    let vocabulary = table.nrows();
    if let Some(&token) = tokens.iter().find(|&&token| token as usize >= vocabulary) {
        return Err(ModelError::Token { token, vocabulary });
    }
    let rows: Vec<usize> = tokens.iter().map(|&token| token as usize).collect();
    Ok(table.select(Axis(0), &rows))
}

/// Attends with every head of a layer: the queries' columns are cut into heads, each of `dim`;
/// keys and values have as many columns, or fewer: then neighboring heads share theirs.
///
/// # Errors
/// Attention that failed, or whose result has another shape.
pub fn attend(
    layer: usize,
    dim: usize,
    causal: bool,
    [queries, keys, values]: [&Array2<f32>; 3],
    attention: &mut dyn Attention,
) -> Result<Array2<f32>, ModelError> {
    let (heads, groups) = (queries.ncols() / dim, keys.ncols() / dim);
    let mut out = Array2::zeros(queries.raw_dim());
    for head in 0..heads {
        let group = head / (heads / groups);
        let columns = |of: usize| s![.., of * dim..(of + 1) * dim];
        let input = Head {
            name: format!("layer {layer} head {head}"),
            queries: matrix(queries.slice(columns(head))),
            keys: matrix(keys.slice(columns(group))),
            values: matrix(values.slice(columns(group))),
            causal,
            scale: (dim as f32).sqrt().recip(),
        };
        let failed = |why| ModelError::Attention { layer, head, why };
        let result = attention
            .attend(Site { layer, head }, &input)
            .map_err(|error| failed(error.to_string()))?;
        if result.dim() != (queries.nrows(), dim) {
            return Err(failed(format!("gave {:?}, not a row a query", result.dim())));
        }
        out.slice_mut(columns(head)).assign(&result);
    }
    Ok(out)
}

fn matrix(values: ArrayView2<'_, f32>) -> Matrix {
    Matrix::new(values.ncols(), values.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn linear_by_hand() {
        let weight = array![[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]];
        let linear = Linear { weight, bias: Some(array![0.0, 10.0, -1.0]) };
        assert_eq!(
            linear.apply(&array![[1.0, 1.0], [2.0, 0.5]]),
            array![[3.0, 9.0, 2.0], [3.0, 9.5, 5.0]]
        );
    }

    #[test]
    fn norms_by_hand() {
        let layer = LayerNorm { scale: array![1.0, 2.0], shift: array![0.0, 1.0], epsilon: 0.0 };
        // mean 3, deviation 2
        assert_eq!(layer.apply(array![[1.0, 5.0]]), array![[-1.0, 3.0]]);
        // mean square (1 + 49) / 2 = 25
        let root = RmsNorm { scale: array![1.0, 10.0], epsilon: 0.0 };
        assert_eq!(root.apply(&array![[1.0, 7.0]]), array![[0.2, 14.0]]);
    }

    #[test]
    fn activations_at_known_points() {
        // the normal distribution has 0.841345 of its mass below 1
        assert!((gelu(1.0) - 0.841_345).abs() < 1e-6 && (gelu(-1.0) + 0.158_655).abs() < 1e-6);
        assert!((silu(1.0) - 0.731_059).abs() < 1e-6 && silu(0.0) == 0.0);
    }

    #[test]
    fn tokens_are_checked() {
        let table = array![[1.0, 2.0], [3.0, 4.0]];
        assert_eq!(embed(&table, &[1, 0, 1], 3).unwrap().row(2), array![3.0, 4.0]);
        let error = |tokens: &[u32]| embed(&table, tokens, 3).unwrap_err().to_string();
        assert_eq!(error(&[1, 2]), "token 2: the vocabulary ends at 2");
        assert_eq!(error(&[]), "a text of 0 tokens: must be 1..=3");
        assert_eq!(error(&[0; 4]), "a text of 4 tokens: must be 1..=3");
    }
}
