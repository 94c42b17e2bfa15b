//! What a selection does to a model on texts of one kind.

use crate::ModelError;
use crate::attention::{Float, Integer, Kept, Select};
use crate::decoder::Decoder;
use crate::encoder::Encoder;
use crate::measure::{cosine, each_text, perplexity, rank_correlation, similarities};
use crate::texts::Texts;

/// Sentences, and what an encoder makes of them in floating point.
pub struct Sentences<'m> {
    model: &'m Encoder,
    /// What the sentences are.
    pub name: String,
    texts: Vec<Vec<u32>>,
    exact: Vec<Vec<f32>>,
}

/// Sentences with integer attention, against those without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Embedded {
    /// Part of the visible keys that was kept.
    pub kept: f64,
    /// Mean cosine of a sentence's vector with its exact one.
    pub cosine: f64,
    /// The same of the worst sentence.
    pub worst: f64,
    /// Rank correlation of the similarities of all pairs of sentences.
    pub ranks: f64,
}

impl<'m> Sentences<'m> {
    /// Runs the sentences in floating point.
    ///
    /// # Errors
    /// A sentence that cannot be run.
    pub fn new(model: &'m Encoder, texts: Texts) -> Result<Self, ModelError> {
        let Texts { name, texts } = texts;
        let run = |text: &[u32]| Ok(model.embedding(text, &mut Float::default())?.to_vec());
        let exact = each_text(&texts, run)?;
        Ok(Sentences { model, name, texts, exact })
    }

    /// Runs them in integers with the keys that `select` keeps, `probability_bits` bits a weight.
    ///
    /// # Errors
    /// A sentence that cannot be run.
    pub fn with(&self, probability_bits: u32, select: &Select<'_>) -> Result<Embedded, ModelError> {
        let runs = each_text(&self.texts, |text| {
            let mut attention = Integer::new(probability_bits, select);
            let embedding = self.model.embedding(text, &mut attention)?.to_vec();
            Ok((embedding, attention.kept))
        })?;
        let (ours, kept): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        let pairs = self.exact.iter().zip(&ours);
        let cosines: Vec<f64> = pairs.map(|(exact, ours)| cosine(exact, ours)).collect();
        Ok(Embedded {
            kept: kept.into_iter().fold(Kept::default(), Kept::and).mean(),
            cosine: cosines.iter().sum::<f64>() / cosines.len().max(1) as f64,
            worst: cosines.iter().copied().fold(1.0, f64::min),
            ranks: rank_correlation(&similarities(&self.exact), &similarities(&ours)),
        })
    }
}

impl Embedded {
    /// What is lost, of 1.
    pub fn loss(&self) -> f64 {
        1.0 - self.cosine
    }
}

/// Running text, and how well a decoder predicts it in floating point.
pub struct Running<'m> {
    model: &'m Decoder,
    /// What the text is.
    pub name: String,
    texts: Vec<Vec<u32>>,
    /// Perplexity over all tokens but the first of each stretch.
    pub perplexity: f64,
}

/// Running text with integer attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// Part of the visible keys that was kept.
    pub kept: f64,
    /// Perplexity, as in [`Running`].
    pub perplexity: f64,
    /// Over the perplexity in floating point.
    pub ratio: f64,
}

impl<'m> Running<'m> {
    /// Runs the text in floating point.
    ///
    /// # Errors
    /// Text that cannot be run.
    pub fn new(model: &'m Decoder, texts: Texts) -> Result<Self, ModelError> {
        let Texts { name, texts } = texts;
        let run = |text: &[u32]| model.surprise(text, &mut Float::default());
        let perplexity = perplexity(&each_text(&texts, run)?.concat());
        Ok(Running { model, name, texts, perplexity })
    }

    /// Runs it in integers with the keys that `select` keeps, `probability_bits` bits a weight.
    ///
    /// # Errors
    /// Text that cannot be run.
    pub fn with(
        &self,
        probability_bits: u32,
        select: &Select<'_>,
    ) -> Result<Predicted, ModelError> {
        let runs = each_text(&self.texts, |text| {
            let mut attention = Integer::new(probability_bits, select);
            let surprises = self.model.surprise(text, &mut attention)?;
            Ok((surprises, attention.kept))
        })?;
        let (surprises, kept): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        let perplexity = perplexity(&surprises.concat());
        let kept = kept.into_iter().fold(Kept::default(), Kept::and).mean();
        Ok(Predicted { kept, perplexity, ratio: perplexity / self.perplexity })
    }
}

impl Predicted {
    /// What is lost, of 1.
    pub fn loss(&self) -> f64 {
        self.ratio - 1.0
    }
}
