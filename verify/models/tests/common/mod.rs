//! The measured models, their texts, and what a selection does to them.

use hwgen_designs::lapa::{Filter, LapaSpec};
use hwgen_models::attention::{Float, Integer, Kept, Select};
use hwgen_models::decoder::Decoder;
use hwgen_models::encoder::Encoder;
use hwgen_models::measure::{cosine, each_text, perplexity, rank_correlation, similarities};
use hwgen_models::texts::{Texts, Tokens, tokens};
use hwgen_models::weights;
use hwgen_verify::attention::output::{all_keys, fact, lapa, sanger};
use hwgen_verify::golden::sanger::Setting;

/// Bits of a weight before division, as `docs/attention.md` compares predictors with.
const PROBABILITY_BITS: u32 = 8;

/// The radius filter's radius in logits: what its setting scales.
const RADIUS: f32 = 12.0;

/// A selection and what the tables call it.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) select: Box<Select<'static>>,
}

pub(crate) fn dense() -> Named {
    Named { name: "all keys".into(), select: Box::new(|_, head| all_keys(head)) }
}

pub(crate) fn filtered(filter: Filter) -> Named {
    let (kind, list) = match &filter {
        Filter::MeanMax { alpha16 } => ("mean_max", format!("{alpha16:?}")),
        Filter::Sigma { c16 } => ("sigma", format!("{c16:?}")),
        Filter::Radius { alpha16 } => ("radius", format!("{alpha16:?}")),
        Filter::TopK { keep256 } => ("top_k", format!("{keep256:?}")),
    };
    let list = list.replace(['[', ']', ','], "");
    let spec = LapaSpec { filter, ..LapaSpec::default() };
    let select = Box::new(move |_, head: &_| lapa(&spec, RADIUS)(head));
    Named { name: format!("LAPA {kind} {list}"), select }
}

pub(crate) fn mean_max(alpha16: [i32; 2]) -> Named {
    filtered(Filter::MeanMax { alpha16: alpha16.into() })
}

pub(crate) fn sigma(c16: [i32; 2]) -> Named {
    filtered(Filter::Sigma { c16: c16.into() })
}

pub(crate) fn top_k(keep256: [u32; 2]) -> Named {
    filtered(Filter::TopK { keep256: keep256.into() })
}

pub(crate) fn radius(alpha16: [i32; 2]) -> Named {
    filtered(Filter::Radius { alpha16: alpha16.into() })
}

pub(crate) fn eager(keep256: u32) -> Named {
    let select = fact(keep256);
    Named { name: format!("FACT {keep256}"), select: Box::new(move |_, head| select(head)) }
}

pub(crate) fn threshold(threshold65536: u32) -> Named {
    let select = sanger(Setting { threshold65536, ..Setting::default() });
    let name = format!("Sanger {threshold65536}");
    Named { name, select: Box::new(move |_, head| select(head)) }
}

/// MiniLM on texts of one kind, in floating point.
pub(crate) struct Sentences {
    pub(crate) name: String,
    texts: Vec<Vec<u32>>,
    exact: Vec<Vec<f32>>,
}

/// What a selection does to sentences.
pub(crate) struct Embedded {
    pub(crate) kept: f64,
    /// Cosine of a sentence's embedding with its exact one: mean, and the worst sentence's.
    pub(crate) cosine: f64,
    pub(crate) worst: f64,
    /// Rank correlation of the similarities of all pairs of sentences.
    pub(crate) ranks: f64,
}

impl Sentences {
    pub(crate) fn new(model: &Encoder, Texts { name, texts }: Texts) -> Sentences {
        let run = |text: &[u32]| Ok(model.embedding(text, &mut Float::default())?.to_vec());
        let exact = each_text(&texts, run).unwrap();
        Sentences { name, texts, exact }
    }

    pub(crate) fn with(&self, model: &Encoder, select: &Select<'_>) -> Embedded {
        let (ours, kept): (Vec<_>, Vec<_>) = each_text(&self.texts, |text| {
            let mut attention = Integer::new(PROBABILITY_BITS, select);
            let embedding = model.embedding(text, &mut attention)?.to_vec();
            Ok((embedding, attention.kept))
        })
        .unwrap()
        .into_iter()
        .unzip();
        let cosines = self.exact.iter().zip(&ours).map(|(exact, ours)| cosine(exact, ours));
        let cosines: Vec<f64> = cosines.collect();
        Embedded {
            kept: kept.into_iter().fold(Kept::default(), Kept::and).mean(),
            cosine: cosines.iter().sum::<f64>() / cosines.len() as f64,
            worst: cosines.iter().copied().fold(f64::INFINITY, f64::min),
            ranks: rank_correlation(&similarities(&self.exact), &similarities(&ours)),
        }
    }
}

/// SmolLM2 on text of one kind, in floating point.
pub(crate) struct Running {
    pub(crate) name: String,
    texts: Vec<Vec<u32>>,
    pub(crate) perplexity: f64,
}

/// What a selection does to running text.
pub(crate) struct Predicted {
    pub(crate) kept: f64,
    pub(crate) perplexity: f64,
}

impl Running {
    pub(crate) fn new(model: &Decoder, Texts { name, texts }: Texts) -> Running {
        let run = |text: &[u32]| model.surprise(text, &mut Float::default());
        let perplexity = perplexity(&each_text(&texts, run).unwrap().concat());
        Running { name, texts, perplexity }
    }

    pub(crate) fn with(&self, model: &Decoder, select: &Select<'_>) -> Predicted {
        let (surprises, kept): (Vec<_>, Vec<_>) = each_text(&self.texts, |text| {
            let mut attention = Integer::new(PROBABILITY_BITS, select);
            let surprises = model.surprise(text, &mut attention)?;
            Ok((surprises, attention.kept))
        })
        .unwrap()
        .into_iter()
        .unzip();
        Predicted {
            kept: kept.into_iter().fold(Kept::default(), Kept::and).mean(),
            perplexity: perplexity(&surprises.concat()),
        }
    }
}

/// Both models and their texts.
///
/// # Panics
/// Weights that are missing: without them there is nothing to measure.
pub(crate) fn models() -> (Encoder, Decoder, Tokens) {
    let folder = weights::folder().expect("weights: run scripts/fetch-models first");
    let encoder = weights::encoder(&folder, "minilm").unwrap();
    let decoder = weights::decoder(&folder.join("smollm2.gguf")).unwrap();
    (encoder, decoder, tokens(&folder).unwrap())
}
