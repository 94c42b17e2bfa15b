//! A Llama-style decoder: a token sees those before it; the next one is predicted.

use crate::ModelError;
use crate::attention::Attention;
use crate::layers::{Linear, RmsNorm, attend, embed, silu};
use crate::tensors::{Tensors, bounded, divides};
use ndarray::Array2;

/// The dimensions of a decoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecoderShape {
    /// Tokens that are known.
    pub vocabulary: usize,
    /// Tokens that a text may have.
    pub positions: usize,
    /// Elements of a token between layers.
    pub width: usize,
    /// Elements of a token within the feed-forward network.
    pub inner: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Heads that have keys and values of their own; the others share them.
    pub groups: usize,
    /// Base of the rotary embedding's angles.
    pub rotary_base: f32,
    /// Added to a mean square.
    pub epsilon: f32,
}

impl DecoderShape {
    fn check(&self) -> Result<(), ModelError> {
        bounded("vocabulary", self.vocabulary, 1 << 20)?;
        bounded("positions", self.positions, 1 << 16)?;
        bounded("width", self.width, 1 << 13)?;
        bounded("inner width", self.inner, 1 << 15)?;
        bounded("layers", self.layers, 256)?;
        divides("heads", self.heads, self.width)?;
        divides("groups of heads", self.groups, self.heads)?;
        let dim = self.dim();
        if !dim.is_multiple_of(2) {
            let allowed = "even: it is turned in pairs".into();
            return Err(ModelError::Shape { what: "elements of a head", value: dim, allowed });
        }
        Ok(())
    }

    /// Elements of a head.
    fn dim(&self) -> usize {
        self.width / self.heads
    }
}

/// A decoder with its weights.
#[derive(Debug, Clone)]
pub struct Decoder {
    shape: DecoderShape,
    /// Tokens at the way in, and at the way out.
    tokens: Array2<f32>,
    layers: Vec<Layer>,
    norm: RmsNorm,
}

#[derive(Debug, Clone)]
struct Layer {
    attention_norm: RmsNorm,
    /// Query, key, value.
    projections: [Linear; 3],
    output: Linear,
    norm: RmsNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
}

impl Layer {
    fn load(from: &mut dyn Tensors, n: usize, shape: &DecoderShape) -> Result<Layer, ModelError> {
        let DecoderShape { width, inner, epsilon, .. } = *shape;
        let shared = shape.groups * shape.dim();
        let mut linear = |part: &str, rows, cols| {
            Linear::load(from, &format!("blk.{n}.{part}"), [rows, cols], false)
        };
        let projections = [
            linear("attn_q", width, width)?,
            linear("attn_k", shared, width)?,
            linear("attn_v", shared, width)?,
        ];
        let output = linear("attn_output", width, width)?;
        let gate = linear("ffn_gate", inner, width)?;
        let up = linear("ffn_up", inner, width)?;
        let down = linear("ffn_down", width, inner)?;
        let mut norm = |part| RmsNorm::load(from, &format!("blk.{n}.{part}"), width, epsilon);
        let attention_norm = norm("attn_norm")?;
        let norm = norm("ffn_norm")?;
        Ok(Layer { attention_norm, projections, output, norm, gate, up, down })
    }
}

impl Decoder {
    /// Reads the weights, under the names of a GGUF file of architecture `llama`.
    ///
    /// # Errors
    /// Dimensions that cannot be run; a tensor that is missing or of another shape.
    pub fn load(shape: DecoderShape, from: &mut dyn Tensors) -> Result<Decoder, ModelError> {
        shape.check()?;
        Ok(Decoder {
            shape,
            tokens: from.matrix("token_embd.weight", shape.vocabulary, shape.width)?,
            layers: (0..shape.layers)
                .map(|n| Layer::load(from, n, &shape))
                .collect::<Result<_, _>>()?,
            norm: RmsNorm::load(from, "output_norm", shape.width, shape.epsilon)?,
        })
    }

    /// What the last layer gives, normalized, a row a token.
    ///
    /// # Errors
    /// Text that does not fit, or attention that failed.
    pub fn hidden(
        &self,
        text: &[u32],
        attention: &mut dyn Attention,
    ) -> Result<Array2<f32>, ModelError> {
        let dim = self.shape.dim();
        let mut x = embed(&self.tokens, text, self.shape.positions)?;
        for (n, layer) in self.layers.iter().enumerate() {
            let seen = layer.attention_norm.apply(&x);
            let [mut q, mut k, v] = layer.projections.each_ref().map(|part| part.apply(&seen));
            rotate(&mut q, dim, self.shape.rotary_base);
            rotate(&mut k, dim, self.shape.rotary_base);
            let mixed = attend(n, dim, true, [&q, &k, &v], attention)?;
            x += &layer.output.apply(&mixed);
            let seen = layer.norm.apply(&x);
            let gated = layer.gate.apply(&seen).mapv_into(silu) * layer.up.apply(&seen);
            x += &layer.down.apply(&gated);
        }
        Ok(self.norm.apply(&x))
    }

    /// Of each token but the first, the negative logarithm of the probability it was given.
    ///
    /// # Errors
    /// Text that does not fit, or attention that failed.
    pub fn surprise(
        &self,
        text: &[u32],
        attention: &mut dyn Attention,
    ) -> Result<Vec<f64>, ModelError> {
        let logits = self.hidden(text, attention)?.dot(&self.tokens.t());
        let surprise = |(row, next): (ndarray::ArrayView1<'_, f32>, &u32)| {
            let largest = row.iter().fold(f32::NEG_INFINITY, |max, x| max.max(*x));
            let sum: f64 = row.iter().map(|x| f64::from(x - largest).exp()).sum();
            sum.ln() - f64::from(row[*next as usize] - largest)
        };
        Ok(logits.rows().into_iter().zip(&text[1..]).map(surprise).collect())
    }
}

/// Rotary embedding: turns columns 2i and 2i + 1 of each head's `dim` by `row base^(-2i / dim)`.
fn rotate(x: &mut Array2<f32>, dim: usize, base: f32) {
    let speeds: Vec<f64> =
        (0..dim / 2).map(|i| f64::from(base).powf(-2.0 * i as f64 / dim as f64)).collect();
    for (position, mut row) in x.rows_mut().into_iter().enumerate() {
        for (i, speed) in speeds.iter().enumerate() {
            let (sin, cos) = (position as f64 * speed).sin_cos();
            let (sin, cos) = (sin as f32, cos as f32);
            for first in (2 * i..row.len()).step_by(dim) {
                let (a, b) = (row[first], row[first + 1]);
                row[first] = a * cos - b * sin;
                row[first + 1] = a * sin + b * cos;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn pairs_turn_with_the_position() {
        let mut x = array![[1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]];
        rotate(&mut x, 2, 10.0);
        // heads of two elements turn by one radian a position
        let (sin, cos) = 1.0f32.sin_cos();
        assert_eq!(x, array![[1.0, 0.0, 1.0, 0.0], [cos, sin, cos, sin]]);
        let mut x = array![[0.0; 4], [0.0, 1.0, 0.0, 1.0]];
        rotate(&mut x, 4, 100.0);
        // the second pair is sqrt(100) times slower
        let (slow_sin, slow_cos) = 0.1f32.sin_cos();
        let expected = [-sin, cos, -slow_sin, slow_cos];
        assert!(x.row(1).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{x}");
    }
}
