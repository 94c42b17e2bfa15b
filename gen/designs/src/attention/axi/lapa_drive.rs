//! Loads of keys for LAPA behind AXI, and the groups of rows that share them.

use crate::attention::attend::drive::key_beats;
use crate::attention::attend::spec::{ELEMENT_BITS, OUT_BITS};
use crate::attention::axi::LapaAttentionAxiSpec;
use crate::attention::engine::drive::{Head, Row};
use crate::attention::predictor::golden::InputError;
use crate::axi::drive::{Host, cut, join};
use crate::axi::golden::Rows;
use crate::drive::{Values, pack, unpack};
use hwgen_hdl::Int;
use hwgen_hdl::sim::SimError;
use num_traits::ToPrimitive;
use rand::Rng;

/// A load of keys and the group of rows that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// How rows are marked.
    pub rows: Rows,
    /// A row's `tlast`.
    pub tlast: Vec<bool>,
    /// Keys and rows, each row with its mark's visible keys.
    pub head: Head,
}

impl Load {
    /// A random load; `tlast` may be anywhere where it does not count.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    pub fn random(
        spec: &LapaAttentionAxiSpec,
        rng: &mut impl Rng,
        keys: usize,
        values: Values,
    ) -> Result<Load, InputError> {
        let heads = rng.random_range(1..=3);
        let counted = rng.random_range(0..=4);
        let queries_per_key = if heads == 1 { rng.random_range(0..2) } else { heads };
        let rows = Rows { causal: rng.random(), rows_per_head: counted, queries_per_key };
        let mut tlast = vec![];
        for _ in 0..heads {
            let length = if counted > 0 { counted } else { rng.random_range(1..=4) };
            tlast.extend((1..=length).map(|row| match counted {
                0 => row == length,
                _ => rng.random_bool(0.3),
            }));
        }
        let marks = rows.group(keys, tlast.iter().copied());
        let mut head = Head::random(&spec.engine, rng, keys, tlast.len(), values)?;
        let (scale, shift, radius) = {
            let first = &head.rows[0];
            (first.query.scale, first.query.shift, first.radius)
        };
        for (row, mark) in head.rows.iter_mut().zip(&marks) {
            (row.query.scale, row.query.shift, row.radius) = (scale, shift, radius);
            row.visible = mark.visible;
        }
        head.predict(&spec.engine)?;
        Ok(Load { rows, tlast, head })
    }

    /// The sequencer's registers for it.
    pub fn settings(&self) -> Vec<(&'static str, u32)> {
        let Rows { causal, rows_per_head, queries_per_key } = self.rows;
        let first = &self.head.rows[0];
        let mut settings = vec![
            ("causal", causal.into()),
            ("rows_per_head", rows_per_head),
            ("queries_per_key", queries_per_key),
            ("scale", first.query.scale.into()),
            ("shift", first.query.shift.into()),
        ];
        let radius = first.radius.map(|radius| radius.to_u32().unwrap_or_default());
        settings.extend(radius.map(|radius| ("radius", radius)));
        settings
    }

    /// Rows whose `tlast` is out of place.
    pub fn misframed(&self) -> usize {
        let marks = self.rows.group(self.head.keys.len(), self.tlast.iter().copied());
        marks.iter().filter(|mark| mark.misframed).count()
    }

    /// Transfers on `s_axis_keys`.
    pub fn key_transfers(&self, spec: &LapaAttentionAxiSpec) -> Vec<Vec<Int>> {
        let bits = spec.engine.shape().head_dim * ELEMENT_BITS;
        let beats = key_beats(std::slice::from_ref(&self.head));
        let whole = |beat: &Vec<Int>| {
            let data = &beat[0] | &beat[1] << bits;
            cut(&data, 2 * bits, spec.bus_bits, beat[2] != Int::ZERO)
        };
        beats.iter().flat_map(whole).collect()
    }

    /// Transfers on `s_axis_queries`.
    pub fn query_transfers(&self, spec: &LapaAttentionAxiSpec) -> Vec<Vec<Int>> {
        let bits = spec.engine.shape().head_dim * ELEMENT_BITS;
        let whole = |(row, last): (&Row, &bool)| {
            let data = pack(row.query.elements.iter().copied(), ELEMENT_BITS);
            cut(&data, bits, spec.bus_bits, *last)
        };
        self.head.rows.iter().zip(&self.tlast).flat_map(whole).collect()
    }
}

/// Transfers of a result on `m_axis_out`.
pub fn result_transfers(spec: &LapaAttentionAxiSpec) -> usize {
    (spec.engine.shape().head_dim * OUT_BITS).div_ceil(spec.bus_bits) as usize
}

/// The rows that transfers of `m_axis_out` are, each with its `tlast`.
pub fn results(spec: &LapaAttentionAxiSpec, beats: &[Vec<Int>]) -> Option<Vec<(Vec<i32>, bool)>> {
    let rows = join(beats, spec.engine.shape().head_dim * OUT_BITS, spec.bus_bits)?;
    let row = |(data, last)| (unpack(&data, OUT_BITS, spec.engine.shape().head_dim), last);
    Some(rows.into_iter().map(row).collect())
}

/// Runs loads one after the other, each with its settings; the rows that came out. In the middle of
/// a group all settings are written over: they must count for the next group only.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no result for long.
///
/// # Panics
/// If registers answer with an error, or transfers do not form results.
pub fn run_loads(
    host: &mut Host<'_>,
    spec: &LapaAttentionAxiSpec,
    loads: &[Load],
) -> Result<Vec<(Vec<i32>, bool)>, SimError> {
    let before = host.received("out").len();
    let mut transfers = before;
    for load in loads {
        host.write(&load.settings())?;
        host.send("keys", load.key_transfers(spec));
        host.send("queries", load.query_transfers(spec));
        host.await_transfers("out", transfers + 1)?;
        let noise: Vec<_> = load.settings().iter().map(|(name, value)| (*name, !value)).collect();
        host.write(&noise)?;
        transfers += load.head.rows.len() * result_transfers(spec);
        host.await_transfers("out", transfers)?;
    }
    Ok(results(spec, &host.received("out")[before..]).expect("whole results"))
}

/// What must come out of loads.
///
/// # Errors
/// The text of the golden model's error.
pub fn expected(
    spec: &LapaAttentionAxiSpec,
    loads: &[Load],
) -> Result<Vec<(Vec<i32>, bool)>, String> {
    let mut rows = vec![];
    for load in loads {
        let marks = load.rows.group(load.head.keys.len(), load.tlast.iter().copied());
        let out = load.head.expected(spec.engine.exact.probability_bits);
        let out = out.map_err(|error| error.to_string())?;
        rows.extend(out.into_iter().zip(marks.iter().map(|mark| mark.last)));
    }
    Ok(rows)
}
