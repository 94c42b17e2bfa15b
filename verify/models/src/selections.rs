//! Selections of keys by name: what whole models are measured with.

use crate::ModelError;
use crate::attention::{Float, Select, Site};
use crate::measure::each_text;
use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use hwgen_designs::attention::sanger_predictor::golden::Setting;
use hwgen_verify::attention::output::{self, SINK, all_keys};
use std::collections::{BTreeMap, BTreeSet};

/// The radius filter's radius in logits: what its setting scales.
const RADIUS: f32 = 12.0;

/// A selection and what the tables call it.
pub struct Named {
    /// The predictor and its setting.
    pub name: String,
    /// The selection.
    pub select: Box<Select<'static>>,
}

/// Every visible key.
pub fn dense() -> Named {
    Named { name: "all keys".into(), select: Box::new(|_, head| all_keys(head)) }
}

/// LAPA with this filter, everything else at its default; the radius is 12 logits.
pub fn lapa(filter: Filter) -> Named {
    predictor(
        format!("LAPA {filter}"),
        LapaPredictorSpec { filter, ..LapaPredictorSpec::default() },
    )
}

/// LAPA with [`radius`]; a leading one is rounded up when the bit below it is set.
pub fn rounded_radius(alpha16: [i32; 2]) -> Named {
    let Named { name, .. } = radius(alpha16);
    let filter = Filter::Radius { alpha16: alpha16.into() };
    let spec =
        LapaPredictorSpec { filter, round_leading_one: true, ..LapaPredictorSpec::default() };
    predictor(format!("{name}, rounded"), spec)
}

fn predictor(name: String, spec: LapaPredictorSpec) -> Named {
    Named { name, select: Box::new(move |_, head| output::lapa(&spec, RADIUS)(head)) }
}

/// LAPA with a part of the estimated softmax mass after the last round, in 1/256: keys in two
/// slices, or their high nibbles alone. 200 in two slices is the engines' default.
pub fn mass(key_slices: &[u32], mass256: u32) -> Named {
    let unread_bits = 8 - key_slices.iter().sum::<u32>();
    let filter = Filter::Mass { mass256: vec![mass256] };
    let name = format!("LAPA {key_slices:?} {filter}");
    let key_slices = key_slices.to_vec();
    predictor(
        name,
        LapaPredictorSpec { key_slices, unread_bits, filter, ..LapaPredictorSpec::default() },
    )
}

/// LAPA between mean and maximum; an alpha for each round, in sixteenths.
pub fn mean_max(alpha16: [i32; 2]) -> Named {
    lapa(Filter::MeanMax { alpha16: alpha16.into() })
}

/// LAPA so many sixteenths of a deviation above the mean, for each round.
pub fn sigma(c16: [i32; 2]) -> Named {
    lapa(Filter::Sigma { c16: c16.into() })
}

/// LAPA with a fixed fraction after each round, in 1/256.
pub fn top_k(keep256: [u32; 2]) -> Named {
    lapa(Filter::TopK { keep256: keep256.into() })
}

/// LAPA so many sixteenths of 12 logits below the maximum, for each round.
pub fn radius(alpha16: [i32; 2]) -> Named {
    lapa(Filter::Radius { alpha16: alpha16.into() })
}

/// FACT with this fraction, in 1/256.
pub fn fact(keep256: u32) -> Named {
    let select = output::fact(keep256);
    Named { name: format!("FACT {keep256}"), select: Box::new(move |_, head| select(head)) }
}

/// Sanger with this probability as its threshold, in 1/65536.
pub fn sanger(threshold65536: u32) -> Named {
    let select = output::sanger(Setting { threshold65536, ..Setting::default() });
    let name = format!("Sanger {threshold65536}");
    Named { name, select: Box::new(move |_, head| select(head)) }
}

/// The heads that give key 0 more than half of their attention on average over the texts.
///
/// # Errors
/// A text that cannot be run.
pub fn sinks(
    texts: &[Vec<u32>],
    run: impl Fn(&[u32], &mut Float) -> Result<(), ModelError> + Sync,
) -> Result<BTreeSet<Site>, ModelError> {
    let heads = each_text(texts, |text| {
        let mut float = Float::default();
        run(text, &mut float)?;
        Ok(float.first_key)
    })?;
    let mut sums: BTreeMap<Site, (f64, usize)> = BTreeMap::new();
    for (site, mean, rows) in heads.into_iter().flatten() {
        let (sum, count) = sums.entry(site).or_default();
        *sum += mean * rows as f64;
        *count += rows;
    }
    let sinks = sums.into_iter().filter(|(_, (sum, rows))| *sum > SINK * *rows as f64);
    Ok(sinks.map(|(site, _)| site).collect())
}
