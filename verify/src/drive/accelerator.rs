//! A whole accelerator between stream drivers, its predictor's model and that of the exact stage.

use super::attend::{Run, key_beats};
use super::streams::pack;
use super::{Feed, Values};
use crate::golden::attend::{Attend, AttendError, Memory, Query};
use crate::golden::lapa::{InputError, Predictor, QueryRow};
use bitvec::vec::BitVec;
use hwgen_designs::accelerator::AcceleratorSpec;
use hwgen_designs::accelerator::cost::HeadShape;
use hwgen_designs::attend::spec::ELEMENT_BITS;
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};
use rand::Rng;

/// One attention head: its keys and values, then its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Each `head_dim` elements.
    pub keys: Vec<Vec<i32>>,
    /// A value a key.
    pub values: Vec<Vec<i32>>,
    /// At least one.
    pub rows: Vec<Row>,
}

/// A query row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The query, with its scale.
    pub query: Query,
    /// Keys it sees, from key 0.
    pub visible: usize,
    /// For predictors that take one.
    pub radius: Option<u64>,
    /// What its predictor's model keeps: a bit a visible key.
    pub survivors: BitVec,
}

impl Head {
    /// A random head for LAPA; each row sees a random part of the keys.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    pub fn random(
        spec: &AcceleratorSpec,
        rng: &mut impl Rng,
        keys: usize,
        rows: usize,
        values: Values,
    ) -> Result<Head, InputError> {
        let dim = spec.head_dim as usize;
        let vector =
            |rng: &mut _| (0..dim).map(|_| values.draw(rng, ELEMENT_BITS)).collect::<Vec<i32>>();
        let mut vectors = || (0..keys).map(|_| vector(rng)).collect::<Vec<_>>();
        let (keys, values) = (vectors(), vectors());
        let limit = 1 << spec.predictor().radius_bits();
        let mut head = Head { rows: vec![], keys, values };
        for _ in 0..rows {
            let shift = rng.random_range(0..32);
            let query = Query { elements: vector(rng), scale: rng.random(), shift };
            let radius = spec.predictor().has_radius().then(|| rng.random_range(0..limit));
            let visible = rng.random_range(1..=head.keys.len());
            head.rows.push(Row { query, visible, radius, survivors: BitVec::new() });
        }
        head.predict(spec)?;
        Ok(head)
    }

    /// Sets every row's survivors to those of LAPA's model.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    pub fn predict(&mut self, spec: &AcceleratorSpec) -> Result<(), InputError> {
        let spec = spec.predictor();
        let predictor = Predictor::new(&spec, &self.keys)?;
        for row in &mut self.rows {
            let radius = row.radius.unwrap_or_default();
            let elements = row.query.elements.clone();
            let Query { scale, shift, .. } = row.query;
            let query = QueryRow { elements, visible: row.visible, radius, scale, shift };
            row.survivors = predictor.predict(&query)?.survivors().clone();
        }
        Ok(())
    }

    /// What the exact stage's model makes of the survivors: each row's result.
    ///
    /// # Errors
    /// A row without a survivor, or lists that do not fit each other.
    pub fn expected(&self, probability_bits: u32) -> Result<Vec<Vec<i32>>, AttendError> {
        let attend = Attend::new(probability_bits);
        let memory = Memory { keys: &self.keys, values: &self.values };
        let rows = self.rows.iter();
        rows.map(|row| Ok(attend.row(&row.query, memory, &row.survivors)?.out)).collect()
    }

    /// The head as the timing sees it, in groups of `rows` keys.
    pub fn shape(&self, rows: u32) -> HeadShape {
        let groups = |row: &Row| {
            let groups = row.survivors.chunks(rows as usize);
            groups.map(|group| group.count_ones() as u32).collect()
        };
        HeadShape {
            keys: self.keys.len() as u32,
            rows: self.rows.iter().map(groups).collect(),
            visible: self.rows.iter().map(|row| row.visible as u32).collect(),
        }
    }

    /// Keys kept, of all rows.
    pub fn kept(&self) -> usize {
        self.rows.iter().map(|row| row.survivors.count_ones()).sum()
    }

    /// Keys seen, of all rows.
    pub fn seen(&self) -> usize {
        self.rows.iter().map(|row| row.visible).sum()
    }
}

/// How streams stall: the probability that a cycle is one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// Of `keys`.
    pub keys: f64,
    /// Of `queries`.
    pub queries: f64,
    /// Of `out`.
    pub out: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// Resets the device, sends it all heads, one after the other, and takes `rows` results, or gives up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no result for long.
pub fn run(
    device: &mut dyn Device,
    head_dim: u32,
    heads: &[Head],
    stalls: Stalls,
    rows: usize,
) -> Result<Run, SimError> {
    let queries = heads.iter().flat_map(|head| {
        let count = head.rows.len();
        head.rows.iter().enumerate().map(move |(i, row)| query_beat(row, i + 1 == count))
    });
    let keys = heads.iter().flat_map(|head| key_beats(&head.keys, &head.values)).collect();
    let feeds = [
        Feed { stream: "keys", beats: keys, stall: stalls.keys },
        Feed { stream: "queries", beats: queries.collect(), stall: stalls.queries },
    ];
    let run = super::run(device, &feeds, stalls.out, stalls.seed, rows)?;
    Ok(Run::from_beats(run, head_dim))
}

/// Fields `data`, `visible`, `radius` if there is one, `scale`, `shift`, `last`.
fn query_beat(row: &Row, last: bool) -> Vec<Int> {
    let query = &row.query;
    let mut beat = vec![pack(query.elements.iter().copied(), ELEMENT_BITS), row.visible.into()];
    beat.extend(row.radius.map(Int::from));
    beat.extend([query.scale.into(), query.shift.into(), u8::from(last).into()]);
    beat
}
