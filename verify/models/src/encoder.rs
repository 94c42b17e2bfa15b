//! A BERT-style encoder: every token sees every token; a text becomes one vector.

use crate::ModelError;
use crate::attention::Attention;
use crate::layers::{LayerNorm, Linear, attend, embed, gelu};
use crate::tensors::{Tensors, bounded, divides};
use ndarray::{Array1, Array2, Axis};
use serde::Deserialize;

/// The dimensions of an encoder, under the names of a `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct EncoderShape {
    /// Tokens that are known.
    #[serde(rename = "vocab_size")]
    pub vocabulary: usize,
    /// Tokens that a text may have.
    #[serde(rename = "max_position_embeddings")]
    pub positions: usize,
    /// Elements of a token between layers.
    #[serde(rename = "hidden_size")]
    pub width: usize,
    /// Elements of a token within the feed-forward network.
    #[serde(rename = "intermediate_size")]
    pub inner: usize,
    /// Layers.
    #[serde(rename = "num_hidden_layers")]
    pub layers: usize,
    /// Heads of a layer.
    #[serde(rename = "num_attention_heads")]
    pub heads: usize,
    /// Added to a variance.
    #[serde(rename = "layer_norm_eps")]
    pub epsilon: f32,
}

impl EncoderShape {
    fn check(&self) -> Result<(), ModelError> {
        bounded("vocabulary", self.vocabulary, 1 << 20)?;
        bounded("positions", self.positions, 1 << 16)?;
        bounded("width", self.width, 1 << 13)?;
        bounded("inner width", self.inner, 1 << 15)?;
        bounded("layers", self.layers, 256)?;
        divides("heads", self.heads, self.width)
    }
}

/// An encoder with its weights.
#[derive(Debug, Clone)]
pub struct Encoder {
    shape: EncoderShape,
    tokens: Array2<f32>,
    positions: Array2<f32>,
    kind: Array1<f32>,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    /// Query, key, value.
    projections: [Linear; 3],
    output: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
}

impl Layer {
    fn load(from: &mut dyn Tensors, n: usize, shape: &EncoderShape) -> Result<Layer, ModelError> {
        let EncoderShape { width, inner, epsilon, .. } = *shape;
        let mut linear = |part: &str, rows, cols| {
            Linear::load(from, &format!("encoder.layer.{n}.{part}"), [rows, cols], true)
        };
        let mut projection = |part| linear(&format!("attention.self.{part}"), width, width);
        let projections = [projection("query")?, projection("key")?, projection("value")?];
        let output = linear("attention.output.dense", width, width)?;
        let up = linear("intermediate.dense", inner, width)?;
        let down = linear("output.dense", width, inner)?;
        let mut norm =
            |part| LayerNorm::load(from, &format!("encoder.layer.{n}.{part}"), width, epsilon);
        let attention_norm = norm("attention.output.LayerNorm")?;
        let norm = norm("output.LayerNorm")?;
        Ok(Layer { projections, output, attention_norm, up, down, norm })
    }
}

impl Encoder {
    /// Reads the weights, under BERT's names.
    ///
    /// # Errors
    /// Dimensions that cannot be run; a tensor that is missing or of another shape.
    pub fn load(shape: EncoderShape, from: &mut dyn Tensors) -> Result<Encoder, ModelError> {
        shape.check()?;
        let width = shape.width;
        Ok(Encoder {
            shape,
            tokens: from.matrix("embeddings.word_embeddings.weight", shape.vocabulary, width)?,
            positions: from.matrix(
                "embeddings.position_embeddings.weight",
                shape.positions,
                width,
            )?,
            // a text alone is of the first of two kinds
            kind: from
                .matrix("embeddings.token_type_embeddings.weight", 2, width)?
                .row(0)
                .to_owned(),
            norm: LayerNorm::load(from, "embeddings.LayerNorm", width, shape.epsilon)?,
            layers: (0..shape.layers)
                .map(|n| Layer::load(from, n, &shape))
                .collect::<Result<_, _>>()?,
        })
    }

    /// What the last layer gives, a row a token.
    ///
    /// # Errors
    /// Text that does not fit, or attention that failed.
    pub fn hidden(
        &self,
        text: &[u32],
        attention: &mut dyn Attention,
    ) -> Result<Array2<f32>, ModelError> {
        let dim = self.shape.width / self.shape.heads;
        let tokens = embed(&self.tokens, text, self.shape.positions)?;
        let positions = self.positions.slice(ndarray::s![..text.len(), ..]);
        let mut x = self.norm.apply(tokens + positions + &self.kind);
        for (n, layer) in self.layers.iter().enumerate() {
            let [q, k, v] = layer.projections.each_ref().map(|part| part.apply(&x));
            let mixed = attend(n, dim, false, [&q, &k, &v], attention)?;
            x = layer.attention_norm.apply(x + layer.output.apply(&mixed));
            let inner = layer.up.apply(&x).mapv_into(gelu);
            x = layer.norm.apply(x + layer.down.apply(&inner));
        }
        Ok(x)
    }

    /// The text's vector: the mean of its tokens.
    ///
    /// # Errors
    /// Text that does not fit, or attention that failed.
    pub fn embedding(
        &self,
        text: &[u32],
        attention: &mut dyn Attention,
    ) -> Result<Array1<f32>, ModelError> {
        let hidden = self.hidden(text, attention)?;
        Ok(hidden.sum_axis(Axis(0)) / text.len() as f32)
    }
}
